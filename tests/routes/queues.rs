//! The queues: filters that are found again, and the next case made ready without anybody's having
//! looked at it.

use axum::http::StatusCode;

use crate::desk::{form_arrives, get, post};
use crate::house::House;

/// What a page shows of the list, from its heading on.
async fn listed(house: &House, who: &crate::answer::Visitor, path: &str) -> String {
    let page = get(house, who, path).await;
    assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
    page.main().to_owned()
}

#[tokio::test]
async fn a_filter_is_kept_found_again_on_another_day_and_deleted() {
    let house = House::new().await;
    let case = form_arrives(&house).await;
    let clerk = house.member("clerk1").await;
    let link = format!("/desk/{case}?");
    // Words are compared as names are searched; the kind and the part narrow further.
    for (filter, is_in) in [
        ("q=%E3%81%BF%E3%81%9A%E3%81%84%E3%82%8D", true),
        ("q=%E3%83%9F%E3%82%BA%E3%82%A4%E3%83%AD", true),
        ("q=020705001", true),
        ("q=%E9%9D%92%E8%91%89", false),
        ("kind=paper&part=free", true),
        ("kind=clerical", false),
        ("part=mine", false),
    ] {
        let page = listed(&house, &clerk, &format!("/queue/check?{filter}")).await;
        assert_eq!(page.contains(&link), is_in, "{filter}");
    }
    let filter = "kind=paper&part=free&q=%E3%81%BF%E3%81%9A%E3%81%84%E3%82%8D";
    let at = format!("/queue/check/filters?{filter}");
    let nameless = post(&house, &clerk, &at, "do=keep&name=+").await;
    assert!(nameless.header("location").contains("filter=nameless"));
    let kept = post(&house, &clerk, &at, "do=keep&name=morning").await;
    assert!(kept.header("location").starts_with("/queue/check?filter=kept&kind=paper&part=free"));

    house.wait(86_400).await;
    let clerk = house.member("clerk1").await;
    let page = listed(&house, &clerk, "/queue/check").await;
    let href = format!("/queue/check?{filter}").replace('&', "&amp;");
    assert!(page.contains(&format!("href=\"{href}\"")) && page.contains("morning"), "{page}");
    // The same person under the other account finds it; nobody else does, and no other queue.
    let same = house.member("clerk1-approver").await;
    let other = house.member("clerk2").await;
    assert!(!listed(&house, &other, "/queue/check").await.contains("morning"));
    assert!(!listed(&house, &same, "/queue/approve").await.contains("morning"));
    // It goes along: to the desk, and back.
    let next = post(&house, &clerk, &format!("/queue/check/next?{filter}"), "").await;
    let within = format!("{filter}&queue=check");
    assert_eq!(next.header("location"), format!("/desk/{case}?{within}"));
    let desk = listed(&house, &clerk, next.header("location")).await;
    assert!(desk.contains("1 / 1"), "its place in the filtered list");
    let none = post(&house, &other, "/queue/check/next?kind=clerical", "").await;
    assert_eq!(none.header("location"), "/queue/check?kind=clerical&none=1");
    let dropped = post(&house, &clerk, "/queue/check/filters", "do=drop&name=morning").await;
    assert_eq!(dropped.header("location"), "/queue/check?filter=dropped");
    assert!(!listed(&house, &clerk, "/queue/check").await.contains("morning"));
}

#[tokio::test]
async fn what_is_made_ready_was_not_looked_at() {
    let house = House::new().await;
    let case = form_arrives(&house).await;
    let clerk = house.member("clerk1").await;
    let entries = async || {
        let mut tx = house.app.tools.db.read().await.unwrap();
        engine::history::entries(&mut tx, case).await.unwrap().len()
    };
    let page = listed(&house, &clerk, "/queue/check").await;
    let warm = format!("/desk/{case}/warm");
    assert!(page.contains(&format!("data-warm=\"{warm}\"")), "the first free one");
    let before = entries().await;
    let answer = get(&house, &clerk, &warm).await;
    assert_eq!((answer.status, answer.bytes.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(entries().await, before, "nobody has looked");
    assert!(house.app.claim_of(case).await.unwrap().is_none(), "nobody has it in hand");
    get(&house, &clerk, &format!("/desk/{case}/page/0")).await;
    assert_eq!(entries().await, before + 1, "the look is an entry");
    let room = house.member("uketsuke").await;
    assert_eq!(get(&house, &room, &warm).await.status, StatusCode::NOT_FOUND);
}
