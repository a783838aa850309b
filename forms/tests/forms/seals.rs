//! Impressions: the same and another, with colour and without, and what is cut out for people.

use forms::degrade::{Carrier, Wear, encode};
use forms::seal::Impression;
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
            assert!(same > 0.7 && different < 0.4, "{depth:?}: {same} against {different}");
            let laid = forms::seal::aligned(crop, &own).unwrap().unwrap();
            assert_eq!(laid.likeness.to_bits(), same.to_bits());
        }
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
