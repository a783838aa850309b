//! A password that somebody wrote on the form: masked by one person, gone from every picture that any
//! route serves, seen again or lifted by two people only, each step an entry.

use std::io::Cursor;

use axum::http::StatusCode;
use engine::CaseId;
use forms::degrade::{Carrier, PaperSheet, Wear, encode};
use forms::seal::Impression;
use forms::{Variant, Version, layout};
use image::{Rgb, RgbImage};
use saihakko::prefill::Wish;
use workflows::terms::Role;

use crate::answer::{Answer, Visitor};
use crate::desk::{get, post};
use crate::house::{House, NAOKO};

const SEAL: (&str, u64) = ("合同会社みずいろ珈琲", 2);
const DPI: f32 = 150.0;

/// A form of 小林 on which something green is written; its case and its envelope's.
async fn written_on(house: &House) -> (CaseId, CaseId) {
    let app = &house.app;
    let session = house.session_of(NAOKO).await;
    let wish = Wish {
        user_id: NAOKO.to_owned(),
        requests: vec![forms::Request::RetrievalReissue],
        reasons: vec![forms::Reason::Expired],
    };
    let data = app.prefill(&session, &[wish]).await.unwrap();
    let draft = app.draft_form(&session, Variant::Light, &data).await.unwrap();
    let layout = layout(Version::default(), Variant::Light);
    let mut sheets = PaperSheet::print(&draft.pdf, DPI).unwrap();
    sheets.truncate(layout.pages.len());
    let seal = Impression::company(SEAL.0, SEAL.1).unwrap();
    sheets[0].stamp(&seal, layout.pages[0].seals[0].area.centre(), 4.0, 7);
    let mut scan: Vec<RgbImage> = sheets.iter().map(|sheet| sheet.scan(&Wear::default())).collect();
    let (width, height) = scan[0].dimensions();
    let [left, top, right, bottom] = area_of(&layout.pages[0]);
    for (x, y, pixel) in scan[0].enumerate_pixels_mut() {
        let (u, v) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
        if (left..right).contains(&u) && (top..bottom).contains(&v) {
            *pixel = Rgb([20, 200, 40]);
        }
    }
    let file = encode(&scan, DPI, Carrier::Pdf).unwrap();
    let room = app.at_work("uketsuke", Role::MailRoom).await.unwrap();
    app.receive(&room, draft.number, "普通郵便", 1).await.unwrap();
    app.scan(&room, draft.number, &[file]).await.unwrap();
    house.wait(1).await;
    let mut tx = app.tools.db.read().await.unwrap();
    let number = draft.number.to_string().parse().unwrap();
    let row = saihakko::store::submissions::find(&mut tx, number).await.unwrap().unwrap();
    drop(tx);
    (app.cases_of(draft.number).await.unwrap()[0], CaseId(row.case_id))
}

/// What is written, in a colour that nothing else on a form or a letter has, just beside the seal's
/// box: its picture shows some of it.
fn area_of(page: &forms::PageLayout) -> [f64; 4] {
    let seal = page.seals[0].area;
    let (x, y) = (f64::from(seal.x) / 210.0, f64::from(seal.y) / 297.0);
    [x - 0.08, y + 0.02, x - 0.005, y + 0.04]
}

/// How much of a picture is green: one pixel of nine is looked at, for what is written is larger.
fn green(picture: &[u8]) -> usize {
    let pixels = image::load_from_memory(picture).unwrap().to_rgb8();
    let row = usize::try_from(pixels.width()).unwrap() * 3;
    let is_green = |pixel: &[u8]| {
        let [r, g, b] = [0, 1, 2].map(|at| i32::from(pixel[at]));
        g > r + 50 && g > b + 50
    };
    let rows = pixels.as_raw().chunks_exact(row.max(1)).step_by(3);
    rows.map(|row| row.chunks_exact(9).filter(|three| is_green(three)).count()).sum()
}

/// Every JPEG in a PDF of ours, where pictures lie as they are.
fn pictures_in(pdf: &[u8]) -> Vec<Vec<u8>> {
    let starts: Vec<usize> = pdf
        .windows(3)
        .enumerate()
        .filter(|(_, part)| *part == [0xFF, 0xD8, 0xFF])
        .map(|(at, _)| at)
        .collect();
    // Elsewhere the same bytes may stand by chance.
    let own = starts.into_iter().map(|at| pdf[at..].to_vec());
    own.filter(|bytes| image::load_from_memory(bytes).is_ok()).collect()
}

fn green_of(answer: &Answer) -> usize {
    match answer.header("content-type") {
        "application/pdf" => pictures_in(&answer.bytes).iter().map(|one| green(one)).sum(),
        kind if kind.starts_with("image/") => green(&answer.bytes),
        _ => 0,
    }
}

/// Every route that is read, from the router itself, with everything that its places can stand for.
fn addresses(case: CaseId, envelope: CaseId, mask: CaseId, version: i64) -> Vec<String> {
    let source = include_str!("../../src/web/staff.rs");
    let routes = source.split(".route(\"").skip(1);
    let line = |rest: &&str| rest.lines().next().is_some_and(|line| line.contains("get("));
    let read = routes.filter(line);
    let mut all: Vec<String> = Vec::new();
    for route in read.filter_map(|rest| rest.split('"').next()) {
        let mut found = vec![route.to_owned()];
        let places: [(&str, &[&str]); 7] = [
            ("{user}", &["1"]),
            ("{place}", &["0", "1"]),
            ("{view}", &["form", "specimen", "overlay", "difference", "stamped"]),
            ("{kind}", &["picture", "pdf"]),
            ("{plot}", &["ages"]),
            ("{login}", &["clerk1"]),
            ("{queue}", &["check"]),
        ];
        for (name, values) in places {
            let each = |path: &String| {
                let fill = |value: &&str| path.replace(name, value);
                values.iter().map(fill).collect::<Vec<_>>()
            };
            found = found.iter().flat_map(each).collect();
        }
        for path in found {
            for one in [case, envelope, mask] {
                let path = path.replace("{case}", &one.to_string());
                let chosen = format!("?version={version}&code_SEAL_UNCLEAR=yes");
                all.push(if path.contains("/return/") { path + &chosen } else { path });
            }
        }
    }
    all.sort();
    all.dedup();
    assert!(all.len() > 60, "the router was read: {}", all.len());
    all
}

/// What everybody together is served of the green writing, by address.
async fn served(house: &House, people: &[Visitor], all: &[String]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for path in all {
        for visitor in people {
            let answer = get(house, visitor, path).await;
            let count = if answer.status == StatusCode::OK { green_of(&answer) } else { 0 };
            if count > 0 {
                found.push((path.clone(), count));
                break;
            }
        }
    }
    found
}

async fn commands(house: &House, case: CaseId) -> Vec<(String, String, String)> {
    let mut tx = house.app.tools.db.read().await.unwrap();
    let entries = engine::history::entries(&mut tx, case).await.unwrap();
    entries.into_iter().map(|entry| (entry.command, entry.kind, entry.actor)).collect()
}

/// The area in percent, with something around it: a scan is never quite straight.
fn sides() -> String {
    let page = &layout(Version::default(), Variant::Light).pages[0];
    let [left, top, right, bottom] = area_of(page).map(|part| part * 100.0);
    format!(
        "x={:.1}&y={:.1}&w={:.1}&h={:.1}",
        left - 1.0,
        top - 1.0,
        right - left + 2.0,
        bottom - top + 2.0
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_masked_is_served_by_no_route() {
    let house = House::new().await;
    let (case, envelope) = written_on(&house).await;
    let clerk = house.member("clerk1").await;
    // Whoever works on forms, and whoever only reads them.
    let people = [house.member("clerk1").await, house.member("auditor").await];
    post(&house, &clerk, "/queue/check/next", "").await;
    let (_, version) = crate::desk::state(&house, case).await;
    // The comparison of the seals is made now, and must not be shown from memory later.
    let all = addresses(case, envelope, CaseId(999_999), version);
    let before = served(&house, &people, &all).await;
    let shown =
        |list: &[(String, usize)], part: &str| list.iter().any(|(path, _)| path.contains(part));
    for part in ["/desk/", "/matching/", "/return/letter/picture", "/return/letter/pdf"] {
        assert!(shown(&before, part), "nothing green at {part}: {before:?}");
    }

    let page = format!("/masks/{case}/0");
    let form = get(&house, &clerk, &page).await;
    assert_eq!(form.status, StatusCode::OK, "{}", form.body);
    let looked = get(&house, &clerk, &format!("{page}?{}", sides())).await;
    assert!(looked.main().contains("<rect"), "the frame is shown without a script");
    let nothing = post(&house, &clerk, &page, "key=aa&x=a&y=1&w=1&h=1").await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    let outside = post(&house, &clerk, &page, "key=ab&x=90&y=10&w=30&h=10").await;
    assert_eq!(outside.status, StatusCode::UNPROCESSABLE_ENTITY);
    let sent = format!("key=0f&{}", sides());
    let laid = post(&house, &clerk, &page, &sent).await;
    assert_eq!(laid.status, StatusCode::SEE_OTHER, "{}", laid.body);
    let again = post(&house, &clerk, &page, &sent).await;
    assert_eq!(laid.header("location"), again.header("location"), "pressed twice, laid once");
    let mask: i64 = laid.header("location").rsplit('=').next().unwrap().parse().unwrap();
    let mask = CaseId(mask);

    let all = addresses(case, envelope, mask, version);
    assert_eq!(served(&house, &people, &all).await, [], "what is masked is still served");
    // The letter that goes out, as the pile draws it.
    let back = format!("version={version}&code_SEAL_UNCLEAR=yes");
    post(&house, &clerk, &format!("/desk/{case}/return"), &back).await;
    house.wait(1).await;
    let due = house.app.letters_due().await.unwrap();
    let row = due.iter().find(|row| row.about == "defective").unwrap();
    let by = house.app.at_work("clerk1", Role::Clerk).await.unwrap();
    let key = saihakko::correspondence::LetterKey::from(row);
    let letter = house.app.preview_letter(&by, &key).await.unwrap();
    let pictures = pictures_in(&letter);
    assert!(!pictures.is_empty(), "the letter shows the form");
    assert_eq!(pictures.iter().map(|one| green(one)).sum::<usize>(), 0);
    // One transition by one person; whoever asked for the original without a second is on record.
    let (moves, refused): (Vec<_>, Vec<_>) =
        commands(&house, mask).await.into_iter().partition(|(_, kind, _)| kind == "transition");
    assert_eq!(moves, [("Lay".to_owned(), "transition".to_owned(), "staff-S-002".to_owned())]);
    assert!(
        !refused.is_empty()
            && refused.iter().all(|(what, kind, _)| { what == "See" && kind == "refused" })
    );
    assert!(commands(&house, case).await.iter().any(|(what, ..)| what == "MaskPage"));
    // The scan itself is as it came.
    let mut tx = house.app.tools.db.read().await.unwrap();
    let kept = saihakko::store::masks::find(&mut tx, mask).await.unwrap().unwrap();
    let sealed =
        saihakko::store::pictures::find(&mut tx, &kept.digest, kept.page, "page").await.unwrap();
    assert!(sealed.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_look_under_a_mask_or_lift_it() {
    let house = House::new().await;
    let (case, _) = written_on(&house).await;
    let clerk = house.member("clerk1").await;
    let same = house.member("clerk1-approver").await;
    let other = house.member("approver1").await;
    let third = house.member("supervisor").await;
    let laid =
        post(&house, &clerk, &format!("/masks/{case}/0"), &format!("key=0f&{}", sides())).await;
    let mask = CaseId(laid.header("location").rsplit('=').next().unwrap().parse().unwrap());
    let (at, original) = (format!("/mask/{mask}"), format!("/mask/{mask}/original"));
    let page = format!("/desk/{case}/page/0");
    for visitor in [&clerk, &other] {
        assert_eq!(get(&house, visitor, &original).await.status, StatusCode::CONFLICT);
    }
    post(&house, &clerk, &at, "do=ask_see").await;
    let listed = get(&house, &other, "/masks").await;
    assert!(listed.main().contains(&at) && listed.main().contains("別の方の判断待ち"));
    for visitor in [&clerk, &same] {
        let own = post(&house, visitor, &at, "do=allow").await;
        assert_eq!(own.status, StatusCode::CONFLICT, "one person behind two accounts");
    }
    assert_eq!(get(&house, &clerk, &original).await.status, StatusCode::CONFLICT);
    let allowed = post(&house, &other, &at, "do=allow").await;
    assert_eq!(allowed.status, StatusCode::SEE_OTHER, "{}", allowed.body);
    for visitor in [&clerk, &other] {
        let seen = get(&house, visitor, &original).await;
        assert_eq!((seen.status, seen.header("cache-control")), (StatusCode::OK, "no-store"));
        assert!(green(&seen.bytes) > 0, "the two see it");
        assert_eq!(green(&get(&house, visitor, &page).await.bytes), 0, "and only there");
    }
    assert_eq!(get(&house, &third, &original).await.status, StatusCode::CONFLICT);
    house.wait(16 * 60).await;
    let (clerk, other) = (house.member("clerk1").await, house.member("approver1").await);
    assert_eq!(get(&house, &clerk, &original).await.status, StatusCode::CONFLICT, "time is over");

    post(&house, &clerk, &at, "do=ask_lift").await;
    assert_eq!(green(&get(&house, &clerk, &page).await.bytes), 0);
    post(&house, &other, &at, "do=allow").await;
    assert!(green(&get(&house, &clerk, &page).await.bytes) > 0, "lifted");
    let told: Vec<String> = commands(&house, mask)
        .await
        .into_iter()
        .filter(|(_, kind, _)| kind == "transition")
        .map(|(command, ..)| command)
        .collect();
    assert_eq!(told, ["Lay", "Ask", "Allow", "See", "See", "Cover", "Ask", "Allow"]);
}

/// A reader for the check above, so that a picture without green would not pass for a masked one.
#[test]
fn green_is_told_from_everything_else() {
    let mut bytes = Cursor::new(Vec::new());
    let mut picture = RgbImage::from_pixel(20, 20, Rgb([255; 3]));
    picture.put_pixel(3, 3, Rgb([20, 200, 40]));
    picture.put_pixel(4, 4, Rgb([200, 20, 40]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    assert_eq!(green(bytes.get_ref()), 1);
}
