//! Files that mean harm or are broken: an answer every time, never a panic, never for ever.

use std::time::Instant;

use forms::degrade::{Carrier, encode};
use forms::{Limits, PageKind, ReadFault, ReadOptions, Sheets, Variant, page_images, read_file};

use crate::sample::{Chance, KEY, PRESS, copy, job};

fn options() -> ReadOptions {
    ReadOptions::new(KEY.clone())
}

#[test]
fn what_is_no_picture_is_refused() {
    for bytes in [b"".as_slice(), b"hello", b"GIF89a", &[0; 4096], b"PK\x03\x04"] {
        let reading = read_file(bytes, "x", &options());
        assert!(matches!(reading.error, Some(ReadFault::UnknownType)), "{:?}", reading.error);
        assert!(reading.pages.is_empty());
    }
}

#[test]
fn limits_hold_before_decoding() {
    let small = Limits { pixels: 1000, ..Limits::default() };
    let picture = image::RgbImage::from_pixel(100, 100, image::Rgb([255; 3]));
    for carrier in [Carrier::Png, Carrier::Jpeg(80), Carrier::Tiff] {
        let file = encode(std::slice::from_ref(&picture), 100.0, carrier).unwrap();
        let reading = read_file(&file, "x", &ReadOptions { limits: small, ..options() });
        let fault = reading
            .error
            .map(|e| e.to_string())
            .or(reading.pages[0..].first().and_then(|p| p.note.clone()));
        assert!(
            fault.as_ref().is_some_and(|f| f.contains("larger than allowed")),
            "{carrier:?}: {fault:?}"
        );
    }
    let few = Limits { pages: 1, ..Limits::default() };
    for carrier in [Carrier::Tiff, Carrier::Pdf] {
        let file = encode(&[picture.clone(), picture.clone()], 100.0, carrier).unwrap();
        let reading = read_file(&file, "x", &ReadOptions { limits: few, ..options() });
        assert!(matches!(reading.error, Some(ReadFault::TooManyPages { limit: 1 })), "{carrier:?}");
    }
    let tiny = Limits { file_bytes: 10, ..Limits::default() };
    assert!(matches!(page_images(&[0; 11], &tiny), Err(ReadFault::TooLarge { .. })));
}

/// A PNG of 30,000 × 30,000 white pixels takes 110 KB.
#[test]
fn a_bomb_of_pixels_is_not_decoded() {
    let mut png =
        encode(&[image::RgbImage::from_pixel(8, 8, image::Rgb([255; 3]))], 100.0, Carrier::Png)
            .unwrap();
    // Width and height of the header; the checksum is not looked at before the size.
    png[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let started = Instant::now();
    let reading = read_file(&png, "bomb.png", &options());
    assert!(reading.error.is_some());
    assert!(started.elapsed().as_secs() < 2);
}

#[test]
fn truncated_and_damaged_files_are_answered() {
    let copy = copy(Variant::Light, 5);
    let pdf =
        PRESS.batch(&job(Variant::Light), std::slice::from_ref(&copy), Sheets::Pages).unwrap().pdf;
    let fillable = PRESS.fillable(&job(Variant::Light), &copy).unwrap();
    let picture = image::RgbImage::from_fn(300, 420, |x, y| {
        image::Rgb([u8::try_from(x % 256).unwrap(), u8::try_from(y % 256).unwrap(), 128])
    });
    let mut files = vec![pdf, fillable];
    for carrier in [Carrier::Png, Carrier::Jpeg(80), Carrier::Tiff, Carrier::Pdf] {
        files.push(encode(std::slice::from_ref(&picture), 100.0, carrier).unwrap());
    }
    for file in &files {
        let mut chance = Chance::new(7);
        for percent in [10, 50, 90, 99] {
            let cut = file.len() * percent / 100;
            answered(&file[..cut]);
        }
        for _ in 0..6 {
            let mut damaged = file.clone();
            for _ in 0..20 {
                let at = usize::try_from(chance.below(file.len() as u64)).unwrap();
                damaged[at] = u8::try_from(chance.below(256)).unwrap();
            }
            answered(&damaged);
        }
    }
}

/// Either an error, or pages; a page is never taken for a form of another case.
fn answered(bytes: &[u8]) {
    let started = Instant::now();
    let reading = read_file(bytes, "damaged", &options());
    assert!(reading.error.is_some() || !reading.pages.is_empty());
    let own = copy(Variant::Light, 5).submission;
    for page in reading.pages.iter().filter(|page| page.kind == PageKind::Form) {
        assert_eq!(page.case_id, own);
    }
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

#[test]
fn a_page_that_cannot_be_decoded_loses_nothing_else() {
    let good = image::RgbImage::from_pixel(200, 280, image::Rgb([255; 3]));
    let mut pdf =
        lopdf::Document::load_mem(&encode(&[good.clone(), good], 100.0, Carrier::Pdf).unwrap())
            .unwrap();
    let first = pdf.objects.values_mut().find_map(|object| match object {
        lopdf::Object::Stream(stream) if stream.dict.has(b"Width") => Some(stream),
        _ => None,
    });
    first.unwrap().dict.set("Width", 2_000_000_000);
    let mut bytes = Vec::new();
    pdf.save_to(&mut bytes).unwrap();
    let reading = read_file(&bytes, "half.pdf", &options());
    assert!(reading.error.is_none(), "{:?}", reading.error);
    assert_eq!(reading.pages.len(), 2);
    assert_eq!(reading.pages[1].kind, PageKind::Blank);
}

/// A content stream that unpacks to 64 MB of drawing is bounded where it is looked at for pictures.
#[test]
fn a_bomb_in_a_content_stream_ends() {
    use lopdf::{Document, Object, Stream, dictionary};
    let mut pdf = Document::with_version("1.5");
    let mut content = Stream::new(dictionary! {}, b"q Q ".repeat(4 << 20));
    content.compress().unwrap();
    let content = pdf.add_object(content);
    let tree = pdf.new_object_id();
    let page = pdf.add_object(dictionary! {
        "Type" => "Page", "Parent" => tree, "Contents" => content,
        "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
    });
    let kids = vec![Object::Reference(page)];
    pdf.objects
        .insert(tree, dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => 1 }.into());
    let catalog = pdf.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    pdf.trailer.set("Root", catalog);
    let mut bytes = Vec::new();
    pdf.save_to(&mut bytes).unwrap();
    assert!(bytes.len() < 200_000);
    let started = Instant::now();
    let reading = read_file(&bytes, "bomb.pdf", &options());
    assert_eq!(reading.pages.len(), 1);
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}
