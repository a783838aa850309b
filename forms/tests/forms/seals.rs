//! Impressions: the same and another, with colour and without, and what is cut out for people.

use forms::degrade::{Carrier, PaperSheet, Wear, encode};
use forms::seal::{Impression, InkPattern, REUSED, Suspect};
use forms::{Depth, PageReading, ReadOptions, Variant, Version, layout, read_file};

use crate::roundtrip::{Way, printed};
use crate::sample::KEY;

/// A form with that seal, scanned.
fn sealed(own: &Impression, depth: Depth) -> PageReading {
    let mut way = Way::plain(Variant::Light, 96);
    way.dpi = 300.0;
    let (_, mut sheets) = printed(&way);
    sheets[0].stamp(own, [173.0, 77.0], 4.0, 3);
    let scan = sheets[0].scan(&Wear { depth, ..way.wear });
    let carrier = if depth == Depth::Bilevel { Carrier::Fax } else { Carrier::Jpeg(85) };
    let file = encode(&[scan], way.dpi, carrier).unwrap();
    let options = ReadOptions { crops: true, ..ReadOptions::new(KEY.clone()) };
    read_file(&file, "sealed", &options).pages.remove(0)
}

/// A picture (PNG) without its colours.
fn grey(png: &[u8]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::load_from_memory(png).unwrap().into_luma8();
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn the_same_seal_is_more_alike_than_another_with_and_without_colour() {
    let own = Impression::company("株式会社サンプル商事", 1).unwrap();
    let other = Impression::company("見本工業株式会社", 77).unwrap();
    let (own_png, other_png) = (own.to_png().unwrap(), other.to_png().unwrap());
    for depth in [Depth::Colour, Depth::Grey, Depth::Bilevel] {
        let page = sealed(&own, depth);
        let crop = &page.seals["registered_seal"].crop;
        for (own, other) in
            [(own_png.clone(), other_png.clone()), (grey(&own_png), grey(&other_png))]
        {
            let same = forms::seal::likeness(crop, &own).unwrap();
            let different = forms::seal::likeness(crop, &other).unwrap();
            // Ink is drawn unevenly, and two tones keep least of it.
            assert!(same > 0.65 && different < 0.4, "{depth:?}: {same} against {different}");
            let laid = forms::seal::aligned(crop, &own).unwrap().unwrap();
            assert_eq!(laid.likeness.to_bits(), same.to_bits());
        }
    }
}

/// The crop of the seal box of a sheet, as a scanner of 300 dpi and our reading leave it.
fn crop(way: &Way, sheet: &PaperSheet, seed: u64) -> Vec<u8> {
    let scan = sheet.scan(&Wear { seed, skew: 0.6, ..way.wear });
    let file = encode(&[scan], way.dpi, Carrier::Jpeg(85)).unwrap();
    let options = ReadOptions { crops: true, ..ReadOptions::new(KEY.clone()) };
    let mut page = read_file(&file, "stamped", &options).pages.remove(0);
    page.seals.remove("registered_seal").unwrap().crop
}

fn ink(crop: &[u8]) -> InkPattern {
    InkPattern::of(crop).unwrap().unwrap()
}

#[test]
fn an_impression_copied_from_another_form_is_known_and_one_stamped_anew_is_not() {
    let mut way = Way::plain(Variant::Light, 96);
    way.dpi = 300.0;
    let (_, sheets) = printed(&way);
    for seed in [21_u64, 22] {
        let seal = Impression::company("株式会社サンプル商事", seed).unwrap();
        let stamped = |place: [f32; 2], degrees: f32, seed: u64| {
            let mut sheet = sheets[0].clone();
            sheet.stamp(&seal, place, degrees, seed);
            crop(&way, &sheet, seed)
        };
        let earlier = stamped([173.0, 77.0], 4.0, seed);
        let anew = stamped([171.5, 76.0], -3.0, seed + 100);
        let specimen = ink(&stamped([173.0, 77.0], 0.0, seed + 200));
        let mut sheet = sheets[0].clone();
        let picture = image::load_from_memory(&earlier).unwrap().into_rgb8();
        sheet.copy_seal(&picture, [174.0, 78.0], 2.0, seed);
        let copied = Suspect::new(ink(&crop(&way, &sheet, seed + 300)), &specimen).unwrap();
        let of = |suspect: &Suspect, crop: &[u8]| suspect.sameness(&ink(crop)).unwrap();
        let (same, other) = (of(&copied, &earlier), of(&copied, &anew));
        assert!(same >= REUSED, "seed {seed}: {same} for a copy");
        assert!(other < REUSED, "seed {seed}: {other} for another impression");
        let young = Suspect::new(ink(&anew), &specimen).unwrap();
        assert!(of(&young, &earlier) < REUSED);
    }
}

#[test]
fn only_impressions_of_one_seal_in_colour_are_compared() {
    let own = Impression::company("株式会社サンプル商事", 1).unwrap();
    let other = Impression::company("見本工業株式会社", 77).unwrap();
    let page = sealed(&own, Depth::Colour);
    let crop = &page.seals["registered_seal"].crop;
    assert!(InkPattern::of(&grey(crop)).unwrap().is_none());
    assert!(InkPattern::of(b"\x89PNG\r\n\x1A\nnothing").is_err());
    let specimen = ink(&other.to_png().unwrap());
    assert!(Suspect::new(ink(crop), &specimen).is_none());
    // A specimen may be registered without colour.
    for own in [own.to_png().unwrap(), grey(&own.to_png().unwrap())] {
        let own = InkPattern::registered(&own).unwrap().unwrap();
        let suspect = Suspect::new(ink(crop), &own).unwrap();
        assert_eq!(suspect.sameness(&specimen), None, "another seal is not compared");
        assert!(suspect.sameness(suspect.ink()).unwrap() > 0.95, "it is the same as itself");
    }
}

#[test]
fn a_specimen_shows_an_impression() {
    let own = Impression::company("株式会社サンプル商事", 1).unwrap().to_png().unwrap();
    assert!(forms::seal::is_specimen(&own).unwrap());
    assert!(forms::seal::is_specimen(&grey(&own)).unwrap());
    let mut bytes = std::io::Cursor::new(Vec::new());
    let bare = image::GrayImage::from_pixel(200, 200, image::Luma([250]));
    bare.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    assert!(!forms::seal::is_specimen(&bytes.into_inner()).unwrap());
    forms::seal::is_specimen(b"\x89PNG\r\n\x1A\nnothing").unwrap_err();
}

#[test]
fn every_field_is_cut_out_when_crops_are_asked_for() {
    let own = Impression::company("株式会社サンプル商事", 1).unwrap();
    let page = sealed(&own, Depth::Colour);
    let fields = layout(Version::One, Variant::Light).pages[0].clone();
    let all =
        fields.checkboxes.len() + fields.digits.len() + fields.texts.len() + fields.seals.len();
    assert_eq!(page.crops.len(), all);
    assert!(page.crops.values().all(|crop| crop.starts_with(b"\x89PNG")));
}
