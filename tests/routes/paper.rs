//! Paper as it really comes: forms mixed and turned in one batch, a code of another case pasted on, a
//! password written by the customer. Real pages, read by the real reader.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use engine::CaseId;
use forms::degrade::{Carrier, PaperSheet, Wear, encode};
use forms::seal::Impression;
use forms::{SubmissionNumber, Variant, Version, layout};
use image::RgbImage;
use image::imageops::{FilterType, resize, rotate180};
use saihakko::correspondence::LetterKey;
use saihakko::prefill::Wish;
use workflows::terms::Role;

use crate::desk::{form_arrives, get, post, state};
use crate::house::{HANAKO, House, MISAKI, TARO};

const DPI: f32 = 200.0;
const SEAL: (&str, u64) = ("株式会社青葉製作所", 1);

/// A form for one user of the large company, stamped: its number and its two pages.
async fn form_for(house: &House, user_id: &str) -> (SubmissionNumber, Vec<RgbImage>) {
    let session = house.session_of(HANAKO).await;
    let wish = Wish {
        user_id: user_id.to_owned(),
        requests: vec![forms::Request::RetrievalReissue],
        reasons: vec![forms::Reason::Expired],
    };
    let data = house.app.prefill(&session, &[wish]).await.unwrap();
    let draft = house.app.draft_form(&session, Variant::BizStation, &data).await.unwrap();
    let layout = layout(Version::default(), Variant::BizStation);
    let mut sheets = PaperSheet::print(&draft.pdf, DPI).unwrap();
    sheets.truncate(layout.pages.len());
    let seal = Impression::company(SEAL.0, SEAL.1).unwrap();
    sheets[0].stamp(&seal, layout.pages[0].seals[0].area.centre(), 4.0, 7);
    (draft.number, sheets.iter().map(|sheet| sheet.scan(&Wear::default())).collect())
}

async fn envelope(house: &House, number: SubmissionNumber) -> (CaseId, String) {
    let mut tx = house.app.tools.db.read().await.unwrap();
    let row = number.to_string().parse().unwrap();
    let row = saihakko::store::submissions::find(&mut tx, row).await.unwrap().unwrap();
    let case = CaseId(row.case_id);
    let found = engine::case::find(&mut tx, case).await.unwrap().unwrap();
    (case, found.state_name)
}

/// Black or white, as a fax sends it.
fn faxed(page: &RgbImage) -> RgbImage {
    let mut fax = page.clone();
    for pixel in fax.pixels_mut() {
        let [r, g, b] = pixel.0.map(u32::from);
        *pixel = image::Rgb(if r * 3 + g * 6 + b > 1_600 { [255; 3] } else { [0; 3] });
    }
    fax
}

fn coarse(page: &RgbImage) -> RgbImage {
    resize(page, page.width() * 3 / 4, page.height() * 3 / 4, FilterType::Triangle)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s10_pages_of_two_forms_in_one_batch_upside_down_faxed_and_coarse() {
    let house = House::new().await;
    let (one, first) = form_for(&house, TARO).await;
    let (two, second) = form_for(&house, MISAKI).await;
    let room = house.app.at_work("uketsuke", Role::MailRoom).await.unwrap();
    for number in [one, two] {
        house.app.receive(&room, number, "普通郵便", 2).await.unwrap();
    }
    let pages = [rotate180(&first[0]), second[0].clone(), faxed(&second[1]), coarse(&first[1])];
    let file = encode(&pages, DPI, Carrier::Pdf).unwrap();
    let result = house.app.take_in(&room, "uketsuke", "batch.pdf", &file).await.unwrap();
    house.wait(1).await;
    let placed: BTreeSet<(String, String, String)> = result
        .placed
        .iter()
        .map(|placed| (placed.number.clone(), placed.which.clone(), placed.place.clone()))
        .collect();
    let expected = [(one, "1, 4"), (two, "2–3")];
    let expected = expected.map(|(n, which)| (n.to_string(), which.to_owned(), "case".to_owned()));
    assert_eq!(placed, BTreeSet::from(expected));
    for (number, user_id) in [(one, TARO), (two, MISAKI)] {
        assert_eq!(envelope(&house, number).await.1, "Opened");
        let cases = house.app.cases_of(number).await.unwrap();
        assert_eq!(cases.len(), 1);
        let desk = house.app.read_desk(cases[0]).await.unwrap();
        assert_eq!(desk.user.user_id, user_id, "a page was merged into the other's case");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s11_the_code_of_another_case_is_pasted_on() {
    let house = House::new().await;
    let (one, mut first) = form_for(&house, TARO).await;
    let (two, second) = form_for(&house, MISAKI).await;
    let room = house.app.at_work("uketsuke", Role::MailRoom).await.unwrap();
    for number in [one, two] {
        house.app.receive(&room, number, "普通郵便", 2).await.unwrap();
    }
    let (width, height) = (f64::from(first[0].width()), f64::from(first[0].height()));
    for (x, y, pixel) in first[0].enumerate_pixels_mut() {
        let (u, v) = (f64::from(x) / width, f64::from(y) / height);
        // Where the square code stands.
        if (0.77..0.93).contains(&u) && (0.02..0.124).contains(&v) {
            *pixel = *second[0].get_pixel(x, y);
        }
    }
    let file = encode(&first, DPI, Carrier::Pdf).unwrap();
    let result = house.app.take_in(&room, "uketsuke", "pasted.pdf", &file).await.unwrap();
    house.wait(1).await;
    let forged = &result.placed[0];
    assert_eq!((forged.place.as_str(), forged.which.as_str()), ("unidentified", "1"));
    // A person looks at it; neither of the two is opened, let alone for the wrong user.
    for number in [one, two] {
        assert_eq!(envelope(&house, number).await.1, "Received");
        assert_eq!(house.app.cases_of(number).await.unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s13_a_page_with_a_written_secret_goes_back_without_its_picture() {
    for (code, shows) in [("DATE", true), ("SECRET_WRITTEN", false)] {
        let house = House::new().await;
        let case = form_arrives(&house).await;
        let clerk = house.member("clerk1").await;
        post(&house, &clerk, "/queue/check/next", "").await;
        let path = format!("/desk/{case}/return");
        let page = get(&house, &clerk, &path).await;
        assert!(page.body.contains(&format!("code_{code}")), "the clerk can say so");
        let (_, version) = state(&house, case).await;
        let sent = format!("version={version}&code_{code}=yes&code_SEAL_UNCLEAR=yes");
        let done = post(&house, &clerk, &path, &sent).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
        house.wait(1).await;
        assert_eq!(state(&house, case).await.0, "Returned");
        let due = house.app.letters_due().await.unwrap();
        let row = due.iter().find(|row| row.about == "defective").unwrap();
        let by = house.app.at_work("clerk1", Role::Clerk).await.unwrap();
        let letter = house.app.preview_letter(&by, &LetterKey::from(row)).await.unwrap();
        let has_picture = letter.windows(9).any(|part| part == b"DCTDecode");
        assert_eq!(has_picture, shows, "{code}");
    }
}
