//! Prints one specimen of everything into a folder: `cargo run -p forms --example specimens -- DIR`.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use forms::{
    AccountType, CodeKey, Copy, FontChoice, FormData, House, Job, Press, Reason, ReiwaDate,
    Request, SubmissionNumber, UserRow, Variant,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("give a folder")?);
    fs::create_dir_all(&folder)?;
    let press = Press::new(&FontChoice::default())?;
    let (house, key) = (House::sample(), CodeKey::sample());
    let made_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_392_000);
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
