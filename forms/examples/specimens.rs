//! Prints one specimen of everything into a folder: `cargo run -p forms --example specimens -- DIR`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use forms::degrade::{Carrier, PaperSheet, Wear, encode};
use forms::letters::{
    Closure, Day, DefectLetter, FreshForm, Inquiry, Letter, LetterHead, Locked, ReturnItem,
    ReturnReason,
};
use forms::seal::Impression;
use forms::{
    AccountType, Addressee, CodeKey, CodeLetter, Copy, FontChoice, FormData, House, Job, Limits,
    PasswordLetter, Press, Reason, ReiwaDate, Request, SubmissionNumber, UserRow, Variant,
    page_pictures,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("give a folder")?);
    fs::create_dir_all(&folder)?;
    let press = Press::new(&FontChoice::default())?;
    let (house, key) = (House::sample(), CodeKey::sample());
    let made_at = SystemTime::UNIX_EPOCH + Duration::from_hours(498_720);
    for variant in Variant::ALL {
        let job = Job { variant, house: &house, key: &key, made_at };
        let blank = Copy::default();
        fs::write(folder.join(format!("{variant}-blank.pdf")), press.form3(&job, &blank)?)?;
        let copy = Copy {
            submission: Some(SubmissionNumber::from_serial(26_112_200_017)?),
            data: sample(variant),
        };
        fs::write(folder.join(format!("{variant}-prefilled.pdf")), press.form3(&job, &copy)?)?;
        fs::write(folder.join(format!("{variant}-fillable.pdf")), press.fillable(&job, &copy)?)?;
    }
    sealed(&press, &house, &folder, made_at)?;
    scans(&folder)?;
    letters(&press, &house, &folder, made_at)
}

/// The ordinary letters, Japanese alone and with English.
fn letters(
    press: &Press,
    house: &House,
    folder: &Path,
    made_at: SystemTime,
) -> Result<(), Box<dyn Error>> {
    let addressee = addressee();
    let day = |japanese: &str, english: &str| Day {
        japanese: japanese.to_owned(),
        english: english.to_owned(),
    };
    let written_on = day("令和8年(2026年)11月24日(火)", "24 November 2026");
    let changed_on = day("令和8年(2026年)11月10日(火)", "10 November 2026");
    let reply_by = day("令和8年(2026年)12月8日(火)", "8 December 2026");
    for english in [false, true] {
        let head = LetterHead {
            house,
            addressee: &addressee,
            written_on: &written_on,
            reference: "2026-000123",
            contract_last_four: "7890",
            user_name: Some("山田 太郎"),
            english,
            made_at,
        };
        let suffix = if english { "-en" } else { "" };
        let inquiry = Inquiry { changed_on: &changed_on, answer_by: &reply_by };
        for (name, letter) in [
            ("closure", Letter::Closure(Closure::NoResponse)),
            ("lock", Letter::Lock(Locked::Retrieval { wrong_entries: 5 })),
            ("undelivered", Letter::Undelivered),
            ("user-id", Letter::UserId { user_id: "010429003" }),
            ("inquiry", Letter::AddressInquiry(inquiry)),
        ] {
            fs::write(folder.join(format!("{name}{suffix}.pdf")), press.letter(&head, &letter)?)?;
        }
        let key = CodeKey::sample();
        let scan = fs::read(folder.join("scan.pdf"))?;
        let number = SubmissionNumber::from_serial(26_112_200_017)?;
        let pictures = page_pictures(&scan, &key, &number.to_string(), &Limits::default())?;
        let items = [
            ReturnItem::of(ReturnReason::SealUnclear),
            ReturnItem::of(ReturnReason::Date),
            ReturnItem { row: Some(2), ..ReturnItem::of(ReturnReason::User) },
            ReturnItem {
                remark: "部署名は令和8年10月の組織変更のあとの名称でご記入ください。".into(),
                ..ReturnItem::of(ReturnReason::Other)
            },
        ];
        let copy = Copy { submission: Some(number), data: sample(Variant::BizStation) };
        let job = Job { variant: Variant::BizStation, house, key: &key, made_at };
        let letter = DefectLetter {
            receipt: "R-20261124-0007",
            items: &items,
            reply_by: &reply_by,
            pictures: &pictures,
            form: Some(FreshForm { job: &job, copy: &copy }),
        };
        fs::write(
            folder.join(format!("defect{suffix}.pdf")),
            press.defect_letter(&head, &letter)?,
        )?;
    }
    Ok(())
}

fn addressee() -> Addressee {
    Addressee {
        postal_code: "100-0099".into(),
        address: vec!["東京都千代田区見本町一丁目1番1号".into(), "見本ビルディング5階".into()],
        company: "株式会社サンプル商事".into(),
        department: "経理部 財務課".into(),
        name: "山田 太郎".into(),
    }
}

/// A sealed letter and its specimen.
fn sealed(
    press: &Press,
    house: &House,
    folder: &Path,
    made_at: SystemTime,
) -> Result<(), Box<dyn Error>> {
    let addressee = addressee();
    for (name, digits) in [
        ("letter.pdf", Some(&[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3])),
        ("letter-specimen.pdf", None),
    ] {
        let letter = PasswordLetter {
            house,
            addressee: &addressee,
            issued_on: "令和8年11月22日(2026年)",
            valid_until: "令和8年12月22日(2026年)",
            contract_last_four: "7890",
            user_name: "山田 太郎",
            reference: "L-000123",
            wrong_entries: 5,
            digits,
            made_at,
        };
        fs::write(folder.join(name), press.password_letter(&letter)?)?;
    }
    let code = CodeLetter {
        house,
        addressee: &addressee,
        issued_on: "令和8年11月22日(2026年)",
        valid_until: "令和8年12月22日(2026年)",
        contract_last_four: "7890",
        user_name: "山田 太郎",
        reference: "L-000123",
        wrong_entries: 5,
        characters: Some(b"W2MQ7XKDWWMM9GHT"),
        made_at,
    };
    fs::write(folder.join("code.pdf"), press.code_letter(&code)?)?;
    Ok(())
}

/// The prefilled form stamped and scanned askew, and the seal of the ledger.
fn scans(folder: &Path) -> Result<(), Box<dyn Error>> {
    let pdf = fs::read(folder.join("bizstation-prefilled.pdf"))?;
    let mut sheets = PaperSheet::print(&pdf, 200.0)?;
    let seal = Impression::company("株式会社サンプル商事", 7)?;
    fs::write(folder.join("seal.png"), seal.to_png()?)?;
    let first = sheets.first_mut().ok_or("no page")?;
    first.stamp(&seal, [173.0, 77.5], 5.0, 3);
    let wear = Wear { skew: 1.7, noise: 7.0, blur_mm: 0.08, seed: 5, ..Wear::default() };
    let pages: Vec<_> = sheets.iter().take(2).map(|sheet| sheet.scan(&wear)).collect();
    fs::write(folder.join("scan.pdf"), encode(&pages, 200.0, Carrier::Pdf)?)?;
    fs::write(folder.join("scan.jpg"), encode(&pages, 200.0, Carrier::Jpeg(80))?)?;
    Ok(())
}

fn sample(variant: Variant) -> FormData {
    let user = |id: &str, kana: &str, name: &str| UserRow {
        user_id: id.into(),
        kana: kana.into(),
        name: name.into(),
        department: "経理部 財務課".into(),
        requests: [Request::RetrievalReissue].into(),
        reasons: [Reason::NewPc].into(),
    };
    let people = [
        ("010429003", "ヤマダ タロウ", "山田 太郎"),
        ("010429004", "サトウ ハナコ", "佐藤 花子"),
        ("010429005", "スズキ イチロウ", "鈴木 一郎"),
    ];
    let rows = variant.user_rows().min(3);
    FormData {
        date: Some(ReiwaDate { year: 8, month: 11, day: 22 }),
        registered_address: "東京都千代田区丸の内二丁目7番1号 見本ビルディング5階".into(),
        company_name: "株式会社サンプル商事".into(),
        company_kana: "カブシキガイシャ サンプルショウジ".into(),
        representative_title: "代表取締役".into(),
        representative_name: "見本 一郎".into(),
        contract_number: "1234567890".into(),
        branch_number: "001".into(),
        account_type: Some(AccountType::Ordinary),
        account_number: "7654321".into(),
        contact_name: "山田 太郎".into(),
        phone: "0312345678".into(),
        no_authority_online: true,
        users: people.iter().take(rows).map(|(id, kana, name)| user(id, kana, name)).collect(),
    }
}
