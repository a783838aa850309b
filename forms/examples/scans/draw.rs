//! Sets of worn pages from seeds, a file a page.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use forms::degrade::{
    Arrived, Carrier, Copied, Hands, PaperSheet, Severity, Truth, encode, filled,
};
use forms::seal::Impression;
use forms::{
    CodeKey, Copy, Depth, FontChoice, FormData, House, Job, Press, Sheets, SubmissionNumber,
    Variant, Version, layout,
};
use image::RgbImage;
use serde_json::json;

/// Where the seeds of these sets begin: neither training, tuning nor the report uses them.
const SEEDS: u64 = 1 << 43;

const LEVELS: [(&str, Severity); 3] =
    [("office", Severity::Office), ("rough", Severity::Rough), ("brutal", Severity::Brutal)];

/// The sets of the comparison: files as the devices would write them, and `truth.json`.
pub(crate) fn sets(folder: &Path, pages: u64, digits: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let set = digits.map(Copied::load).transpose()?;
    for (name, severity) in LEVELS {
        let into = folder.join(name);
        fs::create_dir_all(&into)?;
        let mut truths = Vec::new();
        each(severity, pages, set.as_ref(), None, &mut |index, arrived, truth, submission| {
            let carrier = match arrived.depth {
                Depth::Bilevel => Carrier::Fax,
                _ => Carrier::Jpeg(arrived.quality),
            };
            let ending = if carrier == Carrier::Fax { "tif" } else { "jpg" };
            let file = format!("{index:04}.{ending}");
            let page = std::slice::from_ref(&arrived.picture);
            fs::write(into.join(&file), encode(page, arrived.dpi, carrier)?)?;
            truths.push(json!({
                "file": file, "number": submission.to_string(), "digits": truth.digits,
                "ticks": truth.ticks, "code_covered": truth.code_covered,
            }));
            Ok(())
        })?;
        fs::write(into.join("truth.json"), serde_json::to_vec_pretty(&truths)?)?;
        println!("{name}: {pages} pages");
    }
    Ok(())
}

/// The same pages at 300 dpi as every kind of file.
pub(crate) fn kinds(folder: &Path, pages: u64) -> Result<(), Box<dyn Error>> {
    for (name, severity) in LEVELS {
        let into = folder.join(name);
        fs::create_dir_all(&into)?;
        each(severity, pages, None, Some(300.0), &mut |index, arrived, _, _| {
            let page = std::slice::from_ref(&arrived.picture);
            let two = [two_colours(&arrived.picture)];
            for (kind, ending, page, carrier) in [
                ("jpeg", "jpg", page, Carrier::Jpeg(arrived.quality)),
                ("png", "png", page, Carrier::Png),
                ("pdf-jpeg", "pdf", page, Carrier::Pdf),
                ("pdf-flate", "pdf", page, Carrier::PdfFlate),
                ("pdf-g4", "pdf", &two, Carrier::PdfFax),
                ("tiff-g4", "tif", &two, Carrier::Fax),
                ("pdf-jbig2", "pdf", &two, Carrier::PdfJbig2),
            ] {
                let file = format!("{kind}.{index:02}.{ending}");
                fs::write(into.join(file), encode(page, 300.0, carrier)?)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// As a scanner set to black and white would keep it.
fn two_colours(page: &RgbImage) -> RgbImage {
    let mut page = page.clone();
    for pixel in page.pixels_mut() {
        let value = if pixel.0[1] < 150 { 0 } else { 255 };
        pixel.0 = [value; 3];
    }
    page
}

type Each<'e> =
    dyn FnMut(u64, &Arrived, &Truth, SubmissionNumber) -> Result<(), Box<dyn Error>> + 'e;

fn each(
    severity: Severity,
    pages: u64,
    set: Option<&Copied>,
    dpi: Option<f32>,
    each: &mut Each<'_>,
) -> Result<(), Box<dyn Error>> {
    // The last five thousand of the training part: what the report reads, training never saw.
    let copied = set.into_iter().flat_map(|set| set.part(55_000..60_000));
    let names = ["株式会社サンプル商事", "見本工業株式会社", "東西物産有限会社"];
    let seals: Result<Vec<_>, _> =
        (SEEDS..).zip(names).map(|(seed, name)| Impression::company(name, seed)).collect();
    let hands = Hands { copied: copied.collect(), seals: seals? };
    let press = Press::new(&FontChoice { configured: None, embedded_only: true })?;
    let (house, key) = (House::sample(), CodeKey::sample());
    let mut done = 0;
    while done < pages {
        let variant = if done % 3 == 2 { Variant::Light } else { Variant::BizStation };
        let job = Job { variant, house: &house, key: &key, made_at: SystemTime::UNIX_EPOCH };
        let copy = copy(SEEDS + done)?;
        let submission = copy.submission.ok_or("no number")?;
        let pdf = press.batch(&job, std::slice::from_ref(&copy), Sheets::Pages)?.pdf;
        let sheets = PaperSheet::print(&pdf, 300.0)?;
        let printed = copy.data.values();
        for (sheet, page) in sheets.iter().zip(&layout(Version::One, variant).pages) {
            if done < pages {
                let own = SEEDS + done;
                let (sheet, truth) = filled(sheet, page, &printed, severity, &hands, own);
                let arrived = sheet.travelled_at(severity, dpi, own ^ 0x5EED);
                each(done, &arrived, &truth, submission)?;
                done += 1;
            }
        }
    }
    Ok(())
}

fn copy(seed: u64) -> Result<Copy, Box<dyn Error>> {
    let data = FormData {
        registered_address: "東京都千代田区丸の内二丁目7番1号".into(),
        company_name: "株式会社サンプル商事".into(),
        company_kana: "カブシキガイシャ サンプルショウジ".into(),
        representative_title: "代表取締役".into(),
        representative_name: "見本 一郎".into(),
        contact_name: "山田 太郎".into(),
        ..FormData::default()
    };
    let submission = SubmissionNumber::from_serial(seed.wrapping_mul(48_271) % 99_999_999_999)?;
    Ok(Copy { submission: Some(submission), data })
}
