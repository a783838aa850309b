//! Print, degrade, read: what went in comes out, whatever lies between.

use std::sync::LazyLock;

use forms::degrade::{Carrier, PaperSheet, Wear, encode};
use forms::seal::Impression;
use forms::{
    Copy, Defect, Depth, FieldValues, PageKind, PageReading, ReadOptions, SealReading, Sheets,
    Variant, Version, layout, read_file,
};
use proptest::prelude::*;

use crate::sample::{Chance, KEY, PRESS, copy, job};

/// One way from the printer to the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    variant: Variant,
    seed: u64,
    pub(crate) dpi: f32,
    pub(crate) wear: Wear,
    carrier: Carrier,
    stamped: bool,
}

impl Way {
    pub(crate) fn plain(variant: Variant, seed: u64) -> Self {
        let wear = Wear { seed, ..Wear::default() };
        Self { variant, seed, dpi: 200.0, wear, carrier: Carrier::Jpeg(85), stamped: true }
    }
}

pub(crate) fn printed(way: &Way) -> (Copy, Vec<PaperSheet>) {
    let copy = copy(way.variant, way.seed);
    let pdf =
        PRESS.batch(&job(way.variant), std::slice::from_ref(&copy), Sheets::Pages).unwrap().pdf;
    (copy, PaperSheet::print(&pdf, way.dpi).unwrap())
}

fn read(way: &Way, sheets: &[PaperSheet]) -> Vec<PageReading> {
    let scans: Vec<_> = sheets.iter().map(|sheet| sheet.scan(&way.wear)).collect();
    let file = encode(&scans, way.dpi, way.carrier).unwrap();
    let reading = read_file(&file, "scan", &ReadOptions::new(KEY.clone()));
    assert!(reading.error.is_none(), "{way:?}: {:?}", reading.error);
    reading.pages
}

/// Prints, wears and reads one form and holds every field against what was printed.
fn check(way: &Way) {
    let (copy, mut sheets) = printed(way);
    let mut chance = Chance::new(way.seed);
    let centre = [174.0 + small(&mut chance), 76.5 + small(&mut chance)];
    if way.stamped {
        let seal = Impression::company("株式会社サンプル商事", way.seed).unwrap();
        sheets[0].stamp(&seal, centre, small(&mut chance) * 3.0, way.seed);
    }
    let pages = read(way, &sheets);
    let expected =
        if matches!(way.carrier, Carrier::Png | Carrier::Jpeg(_)) { 1 } else { sheets.len() };
    assert_eq!(pages.len(), expected, "{way:?}");
    for (index, page) in pages.iter().enumerate() {
        assert_eq!(page.page, index + 1);
        check_page(way, page, &copy);
    }
    if way.stamped {
        check_seal(way, &pages[0].seals["registered_seal"], centre);
    } else {
        assert!(!pages[0].seals["registered_seal"].found, "{way:?}");
        assert!(pages[0].defects.contains(&Defect::SealMissing), "{way:?}");
    }
}

fn small(chance: &mut Chance) -> f32 {
    f32::from(u8::try_from(chance.below(80)).unwrap()) / 10.0 - 4.0
}

fn check_page(way: &Way, page: &PageReading, copy: &Copy) {
    assert_eq!(page.kind, PageKind::Form, "{way:?}: {:?}", page.note);
    assert_eq!(page.case_id, copy.submission, "{way:?}");
    assert_eq!(page.variant, Some(way.variant));
    assert_eq!(page.rotation, u16::from(way.wear.quarter_turns) * 90, "{way:?}");
    assert!((page.skew - way.wear.skew).abs() < 0.15, "{way:?}: skew {}", page.skew);
    assert!(page.registered, "{way:?}");
    let dpi = f64::from(page.dpi.unwrap());
    assert!((dpi - f64::from(way.dpi)).abs() < 2.0, "{way:?}: {dpi} dpi");
    let values = copy.data.values();
    let number: u8 = page.page_of.as_ref().unwrap()[..1].parse().unwrap();
    let layout = layout(Version::One, way.variant).page(number).unwrap();
    for field in &layout.checkboxes {
        let read = page.checks[&field.id];
        assert_eq!(
            read.v,
            Some(values.checks.contains(&field.id)),
            "{way:?} {}: {read:?}",
            field.id
        );
    }
    for field in &layout.digits {
        let read = &page.digits[&field.id];
        let printed = values.digits.get(&field.id).cloned().unwrap_or_default();
        assert_eq!(read.v, printed, "{way:?} {}: {read:?}", field.id);
        assert_eq!((read.raw.len(), read.conf.len()), (field.cells.len(), field.cells.len()));
    }
    let harmless = [Defect::SealMissing, Defect::Copy];
    let defects: Vec<_> = page.defects.iter().filter(|d| !harmless.contains(d)).collect();
    assert!(defects.is_empty(), "{way:?}: {defects:?}");
    assert_eq!(
        page.defects.contains(&Defect::Copy),
        number == 1 && way.wear.depth != Depth::Colour
    );
}

fn check_seal(way: &Way, seal: &SealReading, centre: [f32; 2]) {
    assert!(seal.found, "{way:?}");
    let bbox = seal.bbox_mm.unwrap();
    let [x, y] = bbox.centre();
    if way.wear.depth == Depth::Colour {
        assert!((x - centre[0]).hypot(y - centre[1]) < 0.8, "{way:?}: {bbox:?} for {centre:?}");
        assert!((15.0..21.0).contains(&bbox.w) && (15.0..21.0).contains(&bbox.h), "{bbox:?}");
    }
}

#[test]
fn both_variants_come_back() {
    for variant in Variant::ALL {
        check(&Way::plain(variant, 11));
    }
}

#[test]
fn every_rotation_comes_back() {
    for quarter_turns in 0..4 {
        let mut way = Way::plain(Variant::BizStation, 20 + u64::from(quarter_turns));
        way.wear.quarter_turns = quarter_turns;
        way.wear.skew = 1.3;
        check(&way);
    }
}

#[test]
fn every_kind_of_file_comes_back_with_all_its_pages() {
    for (seed, carrier) in [
        (31, Carrier::Png),
        (32, Carrier::Jpeg(70)),
        (33, Carrier::Tiff),
        (34, Carrier::Pdf),
        (35, Carrier::PdfFlate),
    ] {
        check(&Way { carrier, ..Way::plain(Variant::BizStation, seed) });
    }
}

#[test]
fn grey_and_bilevel_scans_are_read_and_named_as_copies() {
    for depth in [Depth::Grey, Depth::Bilevel] {
        let mut way = Way::plain(Variant::Light, 41);
        (way.wear.depth, way.dpi, way.carrier) = (depth, 300.0, Carrier::Png);
        check(&way);
    }
}

#[test]
fn a_form_without_a_seal_says_so() {
    check(&Way { stamped: false, ..Way::plain(Variant::Light, 51) });
}

#[test]
fn skews_up_to_six_degrees_come_back() {
    for (seed, skew) in [(61, -6.0), (62, 6.0), (63, -4.4)] {
        let mut way = Way::plain(Variant::BizStation, seed);
        way.wear.skew = skew;
        check(&way);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn print_degrade_read(
        light in any::<bool>(),
        seed in 100_u64..1_000_000,
        dpi in 150_u16..=300,
        skew in -3.0_f32..3.0,
        quarter_turns in 0_u8..4,
        noise in 0.0_f32..9.0,
        blur_mm in 0.0_f32..0.12,
        carrier in prop::sample::select(vec![Carrier::Png, Carrier::Jpeg(60), Carrier::Tiff, Carrier::Pdf]),
    ) {
        let variant = if light { Variant::Light } else { Variant::BizStation };
        let wear = Wear { quarter_turns, skew, blur_mm, noise, depth: Depth::Colour, seed };
        check(&Way { variant, seed, dpi: f32::from(dpi), wear, carrier, stamped: true });
    }
}

/// Changes one page of a scan and reads it.
fn read_changed(change: impl FnOnce(image::RgbImage) -> image::RgbImage) -> PageReading {
    static SCAN: LazyLock<image::RgbImage> = LazyLock::new(|| {
        let way = Way::plain(Variant::BizStation, 71);
        printed(&way).1[0].scan(&way.wear)
    });
    let file = encode(&[change(SCAN.clone())], 200.0, Carrier::Jpeg(85)).unwrap();
    read_file(&file, "changed", &ReadOptions::new(KEY.clone())).pages.remove(0)
}

#[test]
fn the_back_of_a_thin_page_names_no_case() {
    let mirrored = read_changed(|scan| image::imageops::flip_horizontal(&scan));
    assert_eq!((mirrored.kind, mirrored.case_id), (PageKind::Unknown, None), "{:?}", mirrored.note);
    let upright = read_changed(|scan| image::imageops::flip_vertical(&scan));
    assert_eq!((upright.kind, upright.case_id), (PageKind::Unknown, None), "{:?}", upright.note);
}

#[test]
fn a_mirrored_code_is_refused_even_without_marks() {
    let page = read_changed(|scan| {
        let mut scan = image::imageops::flip_horizontal(&scan);
        blot(&mut scan, [0.0, 0.0, 0.12, 1.0]);
        blot(&mut scan, [0.88, 0.0, 0.12, 1.0]);
        scan
    });
    assert_eq!(page.case_id, None, "{:?}", page.note);
}

/// Paints a part of the page white; shares of width and height.
fn blot(scan: &mut image::RgbImage, [x, y, w, h]: [f32; 4]) {
    let (width, height) = (scan.width() as f32, scan.height() as f32);
    for (px, py, pixel) in scan.enumerate_pixels_mut() {
        let (px, py) = (px as f32 / width, py as f32 / height);
        if (x..x + w).contains(&px) && (y..y + h).contains(&py) {
            *pixel = image::Rgb([250; 3]);
        }
    }
}

#[test]
fn one_code_or_one_mark_may_be_lost() {
    let number = copy(Variant::BizStation, 71).submission;
    for (what, area) in [
        ("qr", [0.77, 0.02, 0.16, 0.12]),
        ("data matrix", [0.06, 0.84, 0.11, 0.08]),
        ("top left mark", [0.03, 0.02, 0.05, 0.04]),
        ("ring", [0.90, 0.94, 0.07, 0.04]),
        ("bottom left mark", [0.03, 0.94, 0.05, 0.04]),
    ] {
        let page = read_changed(|mut scan| {
            blot(&mut scan, area);
            scan
        });
        assert_eq!((page.kind, page.case_id), (PageKind::Form, number), "{what}: {:?}", page.note);
        assert!(page.registered, "{what}");
    }
    let both = read_changed(|mut scan| {
        blot(&mut scan, [0.77, 0.02, 0.16, 0.12]);
        blot(&mut scan, [0.06, 0.84, 0.11, 0.08]);
        scan
    });
    assert_eq!((both.kind, both.case_id), (PageKind::Unknown, None));
    assert_eq!(both.defects, [Defect::Page]);
}

#[test]
fn without_marks_the_code_still_names_the_case() {
    let page = read_changed(|mut scan| {
        for (x, y) in [(0.03, 0.02), (0.925, 0.02), (0.03, 0.94), (0.925, 0.94)] {
            blot(&mut scan, [x, y, 0.06, 0.04]);
        }
        scan
    });
    assert_eq!(page.case_id, copy(Variant::BizStation, 71).submission, "{:?}", page.note);
}

/// Beside its place a box is easily taken for another one.
#[test]
fn a_page_without_its_frames_is_left_to_a_person() {
    let page = read_changed(|mut scan| {
        blot(&mut scan, [0.05, 0.5, 0.9, 0.28]);
        scan
    });
    assert_eq!(page.case_id, copy(Variant::BizStation, 71).submission, "{:?}", page.note);
    assert!(!page.registered && page.defects.contains(&Defect::Page));
    assert!(page.checks.values().all(|check| check.v.is_none()), "{:?}", page.checks);
    for (id, digits) in &page.digits {
        assert!(digits.v.chars().all(|digit| digit == '?'), "{id}: {digits:?}");
        assert_eq!(digits.v.len(), digits.conf.len(), "{id}");
    }
}

#[test]
fn a_line_of_writing_is_no_blank_page() {
    let ring = |paper: &mut image::GrayImage, x: u32, y: u32, side: u32| {
        for (dx, dy) in (0..side).flat_map(|dx| (0..side).map(move |dy| (dx, dy))) {
            if dx < 3 || dy < 3 || dx + 3 >= side || dy + 3 >= side {
                paper.put_pixel(x + dx, y + dy, image::Luma([40]));
            }
        }
    };
    let bare = image::GrayImage::from_pixel(1654, 2339, image::Luma([246]));
    let (mut written, mut worn) = (bare.clone(), bare);
    // Six letters of three millimetres; two holes, a staple and dust.
    (0..6).for_each(|no| ring(&mut written, 300 + no * 40, 300, 24));
    for (x, y) in [(60, 900), (60, 1500), (150, 120)] {
        ring(&mut worn, x, y, 26);
    }
    (0..40).for_each(|no| ring(&mut worn, 300 + no * 25, 700 + no * 31, 4));
    let pages = [written, worn].map(|page| image::DynamicImage::ImageLuma8(page).into_rgb8());
    let file = encode(&pages, 200.0, Carrier::Tiff).unwrap();
    let pages = read_file(&file, "notes", &ReadOptions::new(KEY.clone())).pages;
    assert_eq!((pages[0].kind, pages[1].kind), (PageKind::Other, PageKind::Blank));
}

#[test]
fn a_code_under_another_key_is_not_believed() {
    let way = Way::plain(Variant::Light, 72);
    let (_, sheets) = printed(&way);
    let file = encode(&[sheets[0].scan(&way.wear)], way.dpi, Carrier::Jpeg(85)).unwrap();
    let other = ReadOptions::new(forms::CodeKey::new([9; 32]));
    let page = &read_file(&file, "forged", &other).pages[0];
    assert_eq!((page.kind, page.case_id), (PageKind::Unknown, None));
    assert!(page.note.as_ref().unwrap().contains("keyed check"), "{:?}", page.note);
    let both = ReadOptions { keys: vec![forms::CodeKey::new([9; 32]), KEY.clone()], ..other };
    assert_eq!(read_file(&file, "rotated key", &both).pages[0].kind, PageKind::Form);
}

#[test]
fn blank_and_foreign_pages_are_told_apart() {
    let white = image::RgbImage::from_pixel(1654, 2339, image::Rgb([247, 245, 240]));
    let mut foreign = white.clone();
    for (x, y, pixel) in foreign.enumerate_pixels_mut() {
        if x % 97 < 40 && y % 61 < 20 && x > 100 && y > 150 {
            *pixel = image::Rgb([30; 3]);
        }
    }
    let file = encode(&[white, foreign], 200.0, Carrier::Tiff).unwrap();
    let pages = read_file(&file, "mixed", &ReadOptions::new(KEY.clone())).pages;
    assert_eq!((pages[0].kind, pages[1].kind), (PageKind::Blank, PageKind::Other));
}

#[test]
fn a_vector_pdf_is_read_by_its_looks() {
    let copy = copy(Variant::BizStation, 81);
    let pdf = PRESS.form3(&job(Variant::BizStation), &copy).unwrap();
    let reading = read_file(&pdf, "vector.pdf", &ReadOptions::new(KEY.clone()));
    assert_eq!(reading.pages.len(), 3);
    for page in &reading.pages[..2] {
        assert_eq!(page.case_id, copy.submission);
    }
    assert_eq!(reading.pages[0].digits["contract_number"].v, copy.data.contract_number);
    let instructions = &reading.pages[2];
    assert_eq!(instructions.kind, PageKind::Other, "{:?}", instructions.note);
}

#[test]
fn a_blank_form_from_the_web_reads_as_empty() {
    let pdf = PRESS.form3(&job(Variant::Light), &Copy::default()).unwrap();
    let page = &read_file(&pdf, "blank.pdf", &ReadOptions::new(KEY.clone())).pages[0];
    assert_eq!((page.kind, page.case_id), (PageKind::Form, None));
    assert!(page.digits.values().all(|digits| digits.v.is_empty()), "{:?}", page.digits);
    assert!(page.checks.values().all(|check| check.v == Some(false)), "{:?}", page.checks);
    assert_eq!(
        page.defects,
        [Defect::SealMissing, Defect::NoRequest, Defect::Date, Defect::Account]
    );
}

#[test]
fn a_filled_form_is_read_from_its_fields() {
    let mut blank = copy(Variant::BizStation, 91);
    let values = blank.data.values();
    blank.data = forms::FormData::default();
    let form = PRESS.fillable(&job(Variant::BizStation), &blank).unwrap();
    let filled = PRESS.fill(&form, &values).unwrap();
    let reading = read_file(&filled, "filled.pdf", &ReadOptions::new(KEY.clone()));
    assert_eq!(reading.pages.len(), 2);
    let mut read = FieldValues::default();
    for page in &reading.pages {
        assert_eq!((page.kind, page.case_id), (PageKind::Form, blank.submission));
        read.checks.extend(
            page.checks.iter().filter(|(_, c)| c.v == Some(true)).map(|(id, _)| id.clone()),
        );
        let digits = page.digits.iter().filter(|(_, d)| !d.v.is_empty());
        read.digits.extend(digits.map(|(id, d)| (id.clone(), d.v.clone())));
    }
    assert_eq!((read.checks, read.digits), (values.checks, values.digits));
    assert!(PRESS.fill(b"%PDF-1.4", &FieldValues::default()).is_err());
}

#[test]
fn hand_drawn_ticks_are_ticks() {
    let way = Way::plain(Variant::Light, 95);
    let (_, mut sheets) = printed(&Way { ..way });
    let page = &layout(Version::One, Variant::Light).pages[0];
    for (seed, field) in (0..).zip(&page.checkboxes) {
        sheets[0].tick(field.area, seed);
    }
    let pages = read(&way, &sheets);
    for (id, check) in &pages[0].checks {
        assert_eq!(check.v, Some(true), "{id}: {check:?}");
    }
}

/// Marks and both codes are gone: the printed lines tell how the page lies, and what was filled in
/// can still be shown to whoever finds out whose it is.
#[test]
fn the_printed_lines_alone_register_a_page() {
    let page = read_changed(|mut scan| {
        blot(&mut scan, [0.77, 0.02, 0.16, 0.12]);
        blot(&mut scan, [0.06, 0.84, 0.11, 0.08]);
        for (x, y) in [(0.03, 0.02), (0.925, 0.02), (0.03, 0.94), (0.925, 0.94)] {
            blot(&mut scan, [x, y, 0.06, 0.04]);
        }
        scan
    });
    assert_eq!((page.kind, page.case_id), (PageKind::Unknown, None));
    assert!(page.registered, "{:?}", page.note);
    let copy = copy(Variant::BizStation, 71);
    assert_eq!(page.digits["contract_number"].v, copy.data.contract_number);
    let values = copy.data.values();
    for (id, check) in &page.checks {
        assert_eq!(check.v, Some(values.checks.contains(id)), "{id}");
    }
}

/// Under a foreign code a page of ours shows another number in print: a person decides.
#[test]
fn the_printed_number_contradicts_a_pasted_code() {
    let other = {
        let way = Way::plain(Variant::BizStation, 72);
        printed(&way).1[0].scan(&way.wear)
    };
    let page = read_changed(|mut scan| {
        let (width, height) = (scan.width() as f32, scan.height() as f32);
        for (x, y, pixel) in scan.enumerate_pixels_mut() {
            let (u, v) = (x as f32 / width, y as f32 / height);
            let qr = (0.77..0.93).contains(&u) && (0.02..0.124).contains(&v);
            let matrix = (0.06..0.17).contains(&u) && (0.84..0.91).contains(&v);
            if qr || matrix {
                *pixel = *other.get_pixel(x, y);
            }
        }
        scan
    });
    assert_eq!((page.kind, page.case_id), (PageKind::Unknown, None), "{:?}", page.note);
    assert_eq!(page.printed_number, copy(Variant::BizStation, 71).submission);
    let codes_gone = read_changed(|mut scan| {
        blot(&mut scan, [0.77, 0.02, 0.16, 0.101]);
        blot(&mut scan, [0.06, 0.84, 0.11, 0.08]);
        scan
    });
    assert_eq!((codes_gone.kind, codes_gone.case_id), (PageKind::Unknown, None));
    assert_eq!(codes_gone.printed_number, copy(Variant::BizStation, 71).submission);
}

/// Numbers in which a 6 taken for a 0 twice would pass the check digit, and others.
#[test]
fn the_number_in_print_never_stands_against_its_own_codes() {
    let way =
        Way { wear: Wear { skew: 0.8, ..Wear::default() }, ..Way::plain(Variant::BizStation, 1) };
    let mut confirmed = 0;
    let numbers = ["202649966140", "676319919053", "626638044615", "787524682968", "000000000019"];
    for text in numbers {
        let copy = Copy { submission: Some(text.parse().unwrap()), ..copy(way.variant, way.seed) };
        let job = job(way.variant);
        let pdf = PRESS.batch(&job, std::slice::from_ref(&copy), Sheets::Pages).unwrap().pdf;
        for page in read(&way, &PaperSheet::print(&pdf, way.dpi).unwrap()[..1]) {
            assert_eq!(page.case_id, copy.submission, "{:?}", page.note);
            confirmed += usize::from(page.printed_number == copy.submission);
        }
    }
    assert!(confirmed >= 2, "the number in print was read on {confirmed} pages of 5");
}
