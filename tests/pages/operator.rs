//! What the operator sees.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::{Router, http};
use engine::CaseId;
use tower::ServiceExt;

use crate::world::World;

const HOST: &str = "localhost:8443";

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

async fn ask(router: &Router, request: http::request::Builder) -> Answer {
    let request = request.body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 10_000_000).await.unwrap();
    // Templates escape slashes as well; browsers read them back.
    let body = String::from_utf8(body.to_vec()).unwrap().replace("&#x2f;", "/");
    Answer { status: parts.status, headers: parts.headers, body }
}

async fn get(router: &Router, uri: &str) -> Answer {
    ask(router, Request::get(uri).header("host", HOST)).await
}

fn router(world: &World) -> Router {
    saihakko::web::start::router(world.site(&[HOST])).unwrap()
}

#[tokio::test]
async fn the_start_page_lists_every_case_in_both_languages() {
    let world = World::new().await;
    world.completed().await;
    world.locked().await;
    let paper = world.on_paper().await;
    let router = router(&world);
    let page = get(&router, "/audit").await;
    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "lang=\"ja\"",
        "再発行の案件",
        "R8-000001",
        "R8-000003",
        "完了",
        "ロック中",
        "発送済み",
        "改ざんなし",
    ] {
        assert!(page.body.contains(text), "{text}");
    }
    let page = get(&router, "/audit?lang=en").await;
    for text in ["lang=\"en\"", "Reissue cases", "Completed", "Locked", "Posted"] {
        assert!(page.body.contains(text), "{text}");
    }
    assert!(page.headers["set-cookie"].to_str().unwrap().starts_with("__Host-lang=en;"));
    let list = get(&router, "/cases.json?kind=paper").await;
    let list: serde_json::Value = serde_json::from_str(&list.body).unwrap();
    assert_eq!(list["cases"].as_array().unwrap().len(), 1);
    assert_eq!(list["cases"][0]["id"], paper.0);
    let none = get(&router, "/audit?kind=task").await;
    assert!(none.body.contains("条件に合う案件はありません"));
}

#[tokio::test]
async fn an_empty_system_says_so() {
    let world = World::new().await;
    let page = get(&router(&world), "/audit").await;
    assert!(page.body.contains("案件はまだありません"));
}

#[tokio::test]
async fn pages_turn_by_the_number_of_the_last_case() {
    let world = World::new().await;
    for _ in 0..27 {
        world.fresh_on_paper().await;
    }
    let router = router(&world);
    let first: serde_json::Value =
        serde_json::from_str(&get(&router, "/cases.json").await.body).unwrap();
    assert_eq!(first["cases"].as_array().unwrap().len(), 25);
    let next = first["next"].as_i64().unwrap();
    let second = get(&router, &format!("/cases.json?before={next}")).await;
    let second: serde_json::Value = serde_json::from_str(&second.body).unwrap();
    let ids: Vec<i64> = second["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["id"].as_i64().unwrap())
        .collect();
    assert_eq!(ids, [2, 1]);
    assert!(second["next"].is_null());
    assert!(get(&router, "/audit").await.body.contains(&format!("/audit?before={next}")));
}

#[tokio::test]
async fn a_case_tells_its_story() {
    let world = World::new().await;
    let case = world.on_paper().await;
    let router = router(&world);
    let page = get(&router, &format!("/cases/{case}")).await;
    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "R8-000001 の履歴",
        "佐々木 涼子(初検)",
        "田中 美和(役席)",
        "準備を行った方は承認できません",
        "ログインパスワード + ワンタイムパスワード",
        "いつでも起こりうること",
        "9件の記録を検証しました",
    ] {
        assert!(page.body.contains(text), "{text}");
    }
    // The case went to its first state twice, and the diagram says so.
    assert!(page.body.contains("初検待ち(2回)"), "the drawing is told in words");
    let table = get(&router, &format!("/cases/{case}?view=table&lang=en")).await;
    assert!(table.body.contains("terminal-3"));
    assert!(table.body.contains("Refused"));
}

#[tokio::test]
async fn every_way_through_the_pages_is_drawn() {
    let world = World::new().await;
    let cases = [
        world.completed().await,
        world.expired().await,
        world.locked().await,
        world.on_paper().await,
        world.fresh_on_paper().await,
    ];
    let router = router(&world);
    for case in cases {
        for query in
            ["", "?view=all", "?view=table", "?diagram=all", "?lang=en&view=all&diagram=all"]
        {
            let page = get(&router, &format!("/cases/{case}{query}")).await;
            assert_eq!(page.status, StatusCode::OK, "{case}{query}: {}", page.body);
            // A name that has no text shows as itself; in Japanese that is easily seen.
            let is_told = |name: &str| !page.body.contains(&format!(">{name}<"));
            let names = ["Waiting", "Open", "Claim", "Issue", "Lapse", "PrintLetter"];
            assert!(query.contains("en") || names.into_iter().all(is_told), "{case}{query}");
        }
        for ending in ["svg", "mmd", "json", "csv"] {
            let file = get(&router, &format!("/cases/{case}.{ending}")).await;
            assert_eq!(file.status, StatusCode::OK, "{case}.{ending}");
        }
    }
}

#[tokio::test]
async fn machines_get_the_same_story() {
    let world = World::new().await;
    let case = world.on_paper().await;
    let router = router(&world);
    let told = get(&router, &format!("/cases/{case}.json")).await;
    let told: serde_json::Value = serde_json::from_str(&told.body).unwrap();
    assert_eq!(told["state"], "Dispatched");
    assert_eq!(told["entries"].as_array().unwrap().len(), 9);
    assert_eq!(told["entries"][5]["kind"], "refused");
    assert_eq!(told["verification"]["findings"].as_array().unwrap().len(), 0);
    assert!(
        told["deadlines"].as_array().unwrap().iter().any(|due| due["command"] == "Tail.Expire")
    );
    let csv = get(&router, &format!("/cases/{case}.csv")).await;
    assert!(csv.body.starts_with("\u{feff}no,at,kind,"));
    assert_eq!(csv.body.lines().count(), 10);
    assert!(csv.headers["content-disposition"].to_str().unwrap().contains("R8-000001.csv"));
}

#[tokio::test]
async fn a_changed_entry_is_named() {
    const SQL: &str = "UPDATE entries SET actor = 'staff-9' WHERE case_id = $1 AND no = 2";
    let world = World::new().await;
    let case = world.on_paper().await;
    let mut tx = world.db.write().await.unwrap();
    engine::on!(&mut tx, |conn| sqlx::query(SQL).bind(case.0).execute(conn).await.map(drop))
        .unwrap();
    tx.commit().await.unwrap();
    let router = router(&world);
    let page = get(&router, &format!("/cases/{case}")).await;
    assert!(page.body.contains("#2 記録の内容が書きかえられています"), "the entry is named");
    assert!(get(&router, "/audit").await.body.contains("1件に異常"));
}

#[tokio::test]
async fn what_cannot_be_delivered_is_seen() {
    let world = World::new().await;
    world.cut_off("user-7");
    let case = world.completed().await;
    let router = router(&world);
    let page = get(&router, "/audit").await;
    assert!(page.body.contains("届けられなかったもの"));
    let page = get(&router, &format!("/cases/{case}")).await;
    assert!(page.body.contains("the mail server refuses the recipient"));
}

#[tokio::test]
async fn what_is_not_there_is_a_page_as_well() {
    let world = World::new().await;
    world.completed().await;
    let router = router(&world);
    for uri in ["/nowhere", "/cases/99", "/cases/abc", "/cases/1.exe", "/static/app.css"] {
        let page = get(&router, uri).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{uri}");
        assert!(page.body.contains("ページが見つかりません"), "{uri}");
    }
    let page = ask(&router, Request::post("/audit").header("host", HOST)).await;
    assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(page.body.contains("この操作は受け付けていません"));
    let page = ask(&router, Request::get("/audit").header("host", "evil.example")).await;
    assert_eq!(page.status, StatusCode::MISDIRECTED_REQUEST);
    let page = ask(&router, Request::get("/audit")).await;
    assert_eq!(page.status, StatusCode::MISDIRECTED_REQUEST);
    let json = Request::get("/cases/99").header("host", HOST).header("accept", "application/json");
    assert!(ask(&router, json).await.body.contains("\"not_found\""));
}

#[tokio::test]
async fn a_fault_gives_a_reference_and_nothing_else() {
    let world = World::new().await;
    world.completed().await;
    let router = router(&world);
    let mut tx = world.db.write().await.unwrap();
    engine::on!(&mut tx, |conn| sqlx::query("DROP TABLE entries").execute(conn).await.map(drop))
        .unwrap();
    tx.commit().await.unwrap();
    let page = get(&router, &format!("/cases/{}", CaseId(1))).await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.body.contains("お問い合わせ番号"));
    for secret in ["entries", "sqlite", "SELECT", "no such table", ".rs"] {
        assert!(!page.body.contains(secret), "{secret} leaked");
    }
}

#[tokio::test]
async fn every_response_bears_the_headers() {
    let world = World::new().await;
    world.completed().await;
    let router = router(&world);
    for uri in ["/audit", "/cases/1", "/cases/1.json", "/cases/1.csv", "/nowhere", "/cases/99"] {
        let answer = get(&router, uri).await;
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        assert!(header("content-security-policy").contains("default-src 'none'"), "{uri}");
        assert!(!header("content-security-policy").contains("unsafe"), "{uri}");
        assert_eq!(header("cache-control"), "no-store", "{uri}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert!(header("strict-transport-security").starts_with("max-age="));
        assert!(!answer.body.contains(" style=\""), "{uri}");
        for script in answer.body.split("<script").skip(1) {
            assert!(script.starts_with(" type=\"module\" src=\"/static/"), "{uri}");
        }
    }
    let page = get(&router, "/audit").await.body;
    let sheet = page.split("href=\"").find_map(|part| part.strip_prefix("/static/app.")).unwrap();
    let sheet = format!("/static/app.{}", sheet.split('"').next().unwrap());
    let sheet = get(&router, &sheet).await;
    assert_eq!(sheet.status, StatusCode::OK);
    assert!(sheet.headers["cache-control"].to_str().unwrap().contains("immutable"));
}
