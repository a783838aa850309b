//! Ordinary letters: their words, their pages, and what a picture of a returned form may show.

use std::process::Command;

use forms::degrade::{Carrier, PaperSheet, Wear, encode};
use forms::letters::{
    Closure, Day, DefectLetter, FreshForm, Inquiry, Letter, LetterHead, Locked, ReturnItem,
    ReturnReason,
};
use forms::seal::Impression;
use forms::{
    Addressee, CodeKey, Copy, Limits, PagePicture, PrintFault, ReadOptions, Variant, page_pictures,
    read_file,
};

use crate::sample::{HOUSE, KEY, PRESS, copy, job, made_at};

fn addressee(name: &str) -> Addressee {
    Addressee {
        postal_code: "100-0099".into(),
        address: vec!["東京都千代田区見本町一丁目1番1号 見本ビルディング5階".into()],
        company: "株式会社サンプル商事".into(),
        department: String::new(),
        name: name.into(),
    }
}

fn day(japanese: &str, english: &str) -> Day {
    Day { japanese: japanese.into(), english: english.into() }
}

/// Prints with a head whose user has that name.
fn with_head<T>(name: &str, english: bool, print: impl FnOnce(&LetterHead<'_>) -> T) -> T {
    let (addressee, written_on) = (addressee(name), day("令和8年11月24日", "24 November 2026"));
    print(&LetterHead {
        house: &HOUSE,
        addressee: &addressee,
        written_on: &written_on,
        reference: "R8-000123",
        contract_last_four: "7890",
        user_name: Some(name),
        english,
        made_at: made_at(),
    })
}

fn letter(letter: &Letter<'_>, english: bool) -> Vec<u8> {
    with_head("山田 太郎", english, |head| PRESS.letter(head, letter)).unwrap()
}

fn scan() -> Vec<u8> {
    let form = PRESS.form3(&job(Variant::Light), &copy(Variant::Light, 3)).unwrap();
    let mut sheets = PaperSheet::print(&form, 150.0).unwrap();
    let seal = Impression::company("株式会社サンプル商事", 7).unwrap();
    sheets[0].stamp(&seal, [173.0, 77.5], 5.0, 3);
    let page = sheets[0].scan(&Wear { skew: 1.3, seed: 5, ..Wear::default() });
    encode(&[page], 150.0, Carrier::Jpeg(85)).unwrap()
}

fn pictures() -> Vec<PagePicture> {
    let number = copy(Variant::Light, 3).submission.unwrap().to_string();
    page_pictures(&scan(), &KEY, &number, &Limits::default()).unwrap()
}

fn returned(items: &[ReturnItem], pictures: &[PagePicture], english: bool) -> Vec<u8> {
    let (job, copy) = (job(Variant::Light), copy(Variant::Light, 3));
    let reply_by = day("令和8年12月8日", "8 December 2026");
    let letter = DefectLetter {
        receipt: "0001-0002",
        items,
        reply_by: &reply_by,
        pictures,
        form: Some(FreshForm { job: &job, copy: &copy }),
    };
    with_head("山田 太郎", english, |head| PRESS.defect_letter(head, &letter)).unwrap()
}

/// One of each, for other programs to look at.
pub(crate) fn documents() -> Vec<(String, Vec<u8>, Vec<&'static str>)> {
    let (changed_on, answer_by) = (day("令和8年11月10日", ""), day("令和8年12月8日", ""));
    let inquiry = Inquiry { changed_on: &changed_on, answer_by: &answer_by };
    let items: Vec<ReturnItem> = ReturnReason::ALL
        .into_iter()
        .filter(|reason| *reason != ReturnReason::SecretWritten)
        .map(ReturnItem::of)
        .collect();
    vec![
        (
            "closure".into(),
            letter(&Letter::Closure(Closure::Lapsed), true),
            vec!["お手続き終了のお知らせ", "拝啓", "敬具", "The procedure has ended", "1/1"],
        ),
        (
            "lock".into(),
            letter(&Letter::Lock(Locked::Retrieval { wrong_entries: 5 }), false),
            vec!["ロックのお知らせ", "続けて5回", "下4桁 7890"],
        ),
        (
            "inquiry".into(),
            letter(&Letter::AddressInquiry(inquiry), true),
            vec!["照会状", "回答書", "お届け印", "2/2", "令和8年12月8日"],
        ),
        (
            "defect".into(),
            returned(&items, &pictures(), true),
            vec!["書類ご返却のご案内", "再提出の期限", "印影が不鮮明です", "[書式3]", "0001-0002"],
        ),
    ]
}

#[test]
fn every_letter_prints_in_both_languages_with_the_embedded_faces() {
    let locks = [
        Locked::Retrieval { wrong_entries: 5 },
        Locked::Login,
        Locked::Transaction,
        Locked::OneTimePassword,
        Locked::EnrolmentCode,
    ];
    let letters = Closure::ALL
        .into_iter()
        .map(Letter::Closure)
        .chain(locks.into_iter().map(Letter::Lock))
        .chain([Letter::Undelivered, Letter::UserId { user_id: "010429003" }]);
    for each in letters {
        let [japanese, both] = [false, true].map(|english| letter(&each, english).len());
        assert!(both > japanese, "{each:?}");
        assert!(both < 120 * 1024, "{each:?}: {both} bytes");
    }
}

#[test]
fn a_name_that_cannot_be_printed_is_told_before_printing() {
    let letter = Letter::Closure(Closure::Lapsed);
    let fault = with_head("濵田 一", false, |head| PRESS.letter(head, &letter)).unwrap_err();
    assert!(matches!(fault, PrintFault::MissingGlyph { character: '濵', .. }), "{fault}");
}

#[test]
fn the_picture_of_a_page_is_upright_and_shows_no_seal() {
    let number = copy(Variant::Light, 3).submission.unwrap().to_string();
    let options = ReadOptions::new(CodeKey::sample());
    let scan = scan();
    let before = read_file(&scan, "scan", &options).pages.remove(0);
    assert!(before.seals.values().all(|seal| seal.found), "the scan has a seal");
    let pictures = page_pictures(&scan, &KEY, &number, &Limits::default()).unwrap();
    assert_eq!(pictures.len(), 1);
    assert_eq!(pictures[0].size, (840, 1188));
    let after = read_file(&pictures[0].jpeg, "picture", &options).pages.remove(0);
    assert_eq!(after.case_id, before.case_id);
    assert!(after.skew.abs() < 0.2, "{}", after.skew);
    assert!(after.seals.values().all(|seal| !seal.found), "the seal is covered");
    // Somebody else's page is never shown.
    let others = page_pictures(&scan, &KEY, "000000000018", &Limits::default()).unwrap();
    assert!(others.is_empty());
}

#[test]
fn a_returned_form_is_followed_by_one_that_is_read_as_the_same_case() {
    let items = [ReturnItem::of(ReturnReason::Date)];
    let pdf = returned(&items, &[], false);
    let mut sheets = PaperSheet::print(&pdf, 150.0).unwrap();
    // The letter, the page of the form, its instructions.
    assert_eq!(sheets.len(), 3);
    let scan = sheets.remove(1).scan(&Wear::default());
    let bytes = encode(&[scan], 150.0, Carrier::Jpeg(85)).unwrap();
    let page = read_file(&bytes, "fresh", &ReadOptions::new(CodeKey::sample())).pages.remove(0);
    assert_eq!(page.case_id, copy(Variant::Light, 3).submission);
}

#[test]
fn a_page_with_a_written_password_is_not_shown() {
    let pictures = pictures();
    let plain = [ReturnItem::of(ReturnReason::Date)];
    let secret = [ReturnItem::of(ReturnReason::SecretWritten)];
    let holds = |pdf: &[u8]| pdf.windows(9).any(|part| part == b"DCTDecode");
    assert!(holds(&returned(&plain, &pictures, false)));
    assert!(!holds(&returned(&secret, &pictures, false)));
    let empty = Copy::default();
    let job = job(Variant::Light);
    let reply_by = Day::default();
    let nothing = DefectLetter {
        receipt: "",
        items: &[],
        reply_by: &reply_by,
        pictures: &[],
        form: Some(FreshForm { job: &job, copy: &empty }),
    };
    let fault = with_head("山田 太郎", false, |head| PRESS.defect_letter(head, &nothing));
    assert!(matches!(fault, Err(PrintFault::Nothing)));
}

/// The rings lie on the fields: poppler draws red where the date is and none where nothing is wrong.
#[test]
fn rings_are_drawn_around_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("defect.pdf");
    let items = [ReturnItem::of(ReturnReason::Date)];
    std::fs::write(&path, returned(&items, &pictures(), false)).unwrap();
    let target = folder.path().join("page");
    let output = Command::new("pdftoppm")
        .args(["-r", "72", "-png", "-f", "2", "-l", "2", "-singlefile"])
        .args([&path, &target])
        .output();
    let Ok(output) = output else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "pdftoppm is missing on CI");
        return println!("SKIP: pdftoppm");
    };
    assert!(output.status.success());
    let picture = image::open(target.with_extension("png")).unwrap().to_rgb8();
    let scale = 72.0 / 25.4;
    // Where the boxes of the date lie on the picture, which is smaller than life.
    let shown = |x: f32, y: f32| [(21.0 + x * 0.8) * scale, (34.0 + y * 0.8) * scale];
    let red_near = |[x, y]: [f32; 2]| {
        picture.enumerate_pixels().any(|(px, py, pixel)| {
            let near = (px as f32 - x).abs() < 9.0 && (py as f32 - y).abs() < 9.0;
            near && pixel.0[0] > 150 && pixel.0[1] < 80 && pixel.0[2] < 90
        })
    };
    assert!(red_near(shown(94.0, 33.0)), "a ring around the date");
    assert!(!red_near(shown(60.0, 200.0)), "and none around the users");
}
