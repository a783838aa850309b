//! How fast prefilled forms are printed on one core, and how large they are; by the clock, and by the
//! processor time that the thread got (a busy machine gives less than it has):
//! `cargo run --release -p forms --example print_rate -- [FORMS A BATCH] [BATCHES]`.

use std::error::Error;
use std::time::{Duration, Instant, SystemTime};

use forms::{
    AccountType, CodeKey, Copy, FontChoice, FormData, House, Job, Press, Reason, ReiwaDate,
    Request, Sheets, SubmissionNumber, UserRow, Variant,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u32>());
    let size = arguments.next().transpose()?.unwrap_or(400);
    let batches = arguments.next().transpose()?.unwrap_or(5);
    let loading = Instant::now();
    let press = Press::new(&FontChoice::default())?;
    say(format_args!("fonts loaded once: {:.1} ms", milliseconds(loading.elapsed())));
    let (house, key) = (House::sample(), CodeKey::sample());
    let made_at = SystemTime::UNIX_EPOCH + Duration::from_hours(498_720);
    for (name, sheets) in
        [("page 1", Sheets::First), ("pages 1 and 2", Sheets::Pages), ("all", Sheets::All)]
    {
        let job = Job { variant: Variant::BizStation, house: &house, key: &key, made_at };
        let (mut rates, mut worked) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        for batch in 0..batches {
            let copies: Result<Vec<Copy>, _> =
                (0..size).map(|at| copy(batch * size + at)).collect();
            let copies = copies?;
            let (began, before) = (Instant::now(), processor_time()?);
            bytes = press.batch(&job, &copies, sheets)?.pdf.len();
            rates.push(f64::from(size) / began.elapsed().as_secs_f64());
            let took = processor_time()?.saturating_sub(before);
            worked.push(f64::from(size) / took.as_secs_f64());
        }
        let each = bytes / usize::try_from(size)?.max(1);
        say(format_args!(
            "{name}: {size} forms a batch, {} forms/s of processor time, {} by the clock; {each} \
             bytes a form in a batch",
            middle(worked),
            middle(rates),
        ));
    }
    let job = Job { variant: Variant::BizStation, house: &house, key: &key, made_at };
    let began = Instant::now();
    let alone = press.form3(&job, &copy(0)?)?;
    let time = milliseconds(began.elapsed());
    say(format_args!("one form alone with its instructions: {} bytes, {time:.1} ms", alone.len()));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a measurement's answer")]
fn say(line: std::fmt::Arguments<'_>) {
    println!("{line}");
}

/// The middle one, and in brackets the least and the most.
fn middle(mut rates: Vec<f64>) -> String {
    rates.sort_by(f64::total_cmp);
    let at = |place: usize| rates.get(place).copied().unwrap_or(0.0);
    format!("{:.0} ({:.0} to {:.0})", at(rates.len() / 2), at(0), at(rates.len().max(1) - 1))
}

/// What the kernel has given this thread so far.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Forms that differ in number, company and user, as a day's forms do.
fn copy(serial: u32) -> Result<Copy, Box<dyn Error>> {
    const COMPANIES: [&str; 4] =
        ["株式会社サンプル商事", "見本工業株式会社", "有限会社青葉製作所", "合同会社髙﨑企画"];
    const PEOPLE: [&str; 4] = ["山田 太郎", "佐藤 花子", "鈴木 一郎", "田中 美咲"];
    let place = usize::try_from(serial)?;
    let pick = |from: &[&str; 4]| from.get(place % 4).copied().unwrap_or_default().to_owned();
    let user = UserRow {
        user_id: format!("{:09}", 10_000_000 + serial),
        kana: "ヤマダ タロウ".into(),
        name: pick(&PEOPLE),
        department: "経理部 財務課".into(),
        requests: [Request::RetrievalReissue].into(),
        reasons: [Reason::NewPc].into(),
    };
    Ok(Copy {
        submission: Some(SubmissionNumber::from_serial(26_112_200_000 + u64::from(serial))?),
        data: FormData {
            date: Some(ReiwaDate { year: 8, month: 11, day: 22 }),
            registered_address: format!("東京都千代田区丸の内二丁目{}番1号", serial % 40 + 1),
            company_name: pick(&COMPANIES),
            company_kana: "カブシキガイシャ サンプルショウジ".into(),
            representative_title: "代表取締役".into(),
            representative_name: "見本 一郎".into(),
            contract_number: format!("{:010}", 1_000_000 + serial),
            branch_number: "001".into(),
            account_type: Some(AccountType::Ordinary),
            account_number: format!("{serial:07}"),
            contact_name: "山田 太郎".into(),
            phone: "0312345678".into(),
            no_authority_online: true,
            users: vec![user],
        },
    })
}
