//! Pictures in PDF files, of whatever kind, are taken out at their own size; what is more than a picture is
//! rendered.

use std::fmt::Write;

use forms::degrade::{Carrier, encode};
use forms::{Depth, Limits, PageImage, page_images};
use image::{GrayImage, Rgb, RgbImage};
use lopdf::{Dictionary, Document, Object, Stream, dictionary};

/// Dark and bright stripes with a red field, on a page of which a rendering has another size.
fn picture(colour: bool) -> RgbImage {
    RgbImage::from_fn(333, 471, |x, y| match (x / 40 + y / 60) % 3 {
        0 => Rgb([0; 3]),
        1 if colour => Rgb([200, 40, 40]),
        _ => Rgb([255; 3]),
    })
}

const DPI: f32 = 90.0;

fn only(bytes: &[u8]) -> PageImage {
    let mut pages = page_images(bytes, &Limits::default()).unwrap();
    assert_eq!(pages.len(), 1);
    pages.remove(0).unwrap()
}

fn pixels(page: &PageImage) -> RgbImage {
    image::load_from_memory(&page.to_png().unwrap()).unwrap().to_rgb8()
}

/// How far the two are apart on average.
fn apart(one: &RgbImage, other: &RgbImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let sum: u64 = one.iter().zip(other.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / one.len() as f64
}

#[test]
fn every_kind_comes_out_as_it_went_in() {
    for (carrier, depth, most) in [
        (Carrier::Pdf, Depth::Colour, 6.0),
        (Carrier::PdfFlate, Depth::Colour, 0.0),
        (Carrier::PdfFlate, Depth::Bilevel, 0.0),
        (Carrier::PdfFax, Depth::Bilevel, 0.0),
        (Carrier::PdfJbig2, Depth::Bilevel, 0.0),
    ] {
        let picture = picture(depth == Depth::Colour);
        let page = only(&encode(std::slice::from_ref(&picture), DPI, carrier).unwrap());
        assert_eq!(page.depth(), depth, "{carrier:?}");
        let apart = apart(&pixels(&page), &picture);
        assert!(apart <= most, "{carrier:?}: {apart}");
    }
}

/// A page of 400 by 300 points with that content, and the picture X.
fn page(content: &str, picture: Stream, more: &Dictionary) -> Vec<u8> {
    let mut pdf = Document::with_version("1.5");
    let tree = pdf.new_object_id();
    let picture = pdf.add_object(picture);
    let font = pdf.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica",
    });
    let content = pdf.add_object(Stream::new(dictionary! {}, content.as_bytes().to_vec()));
    let mut page = dictionary! {
        "Type" => "Page", "Parent" => tree, "Contents" => content,
        "MediaBox" => vec![0.into(), 0.into(), 400.into(), 300.into()],
        "Resources" => dictionary! {
            "XObject" => dictionary! { "X" => picture }, "Font" => dictionary! { "F" => font },
        },
    };
    page.extend(more);
    let kids = vec![Object::Reference(pdf.add_object(page))];
    pdf.objects
        .insert(tree, dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => 1 }.into());
    let catalog = pdf.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    pdf.trailer.set("Root", catalog);
    let mut bytes = Vec::new();
    pdf.save_to(&mut bytes).unwrap();
    bytes
}

fn stream(width: u32, height: u32, more: &Dictionary, data: Vec<u8>) -> Stream {
    let mut dictionary = dictionary! {
        "Type" => "XObject", "Subtype" => "Image",
        "Width" => i64::from(width), "Height" => i64::from(height),
    };
    dictionary.extend(more);
    Stream::new(dictionary, data)
}

const COVERS: &str = "q 400 0 0 300 0 0 cm /X Do Q";

/// Four by three grey samples, each another.
fn samples() -> Stream {
    let values = (0..12).map(|at| at * 20).collect();
    stream(4, 3, &dictionary! { "ColorSpace" => "DeviceGray", "BitsPerComponent" => 8 }, values)
}

fn grey(page: &PageImage) -> GrayImage {
    image::load_from_memory(&page.to_png().unwrap()).unwrap().to_luma8()
}

#[test]
fn jpeg_2000_is_decoded() {
    // Made by OpenJPEG 2.5, lossless: above, brightness grows to the right; below, it falls.
    let hex = "ff4fff5100290000000000280000001800000000000000000000002800000018000000000000000000010701 \
     01ff52000c00000001000204040001ff5c000a4040484850484850ff64002500014372656174656420627920 \
     4f70656e4a5045472076657273696f6e20322e352e34ff90000a0000000000af0001ff93df81981125c28d66 \
     5e555a0d057cb4ef46951a286b4939ead2c8a03f0c6a38c2a7ec64f9e68e0d25f5164340eff8105631f0a055 \
     d13fc1f38b8fb46603e40e427be92c8af3bcd2212795076882a9f5487ea6beb99a0ca78e1d72fd90f04d89b8 \
     dd6a63428e71381fbd7fc07c2847da37007430742cbdd5237204bf1cb18197082073bf7777f30fe83a396e33 \
     b7539a79e472a900a4898b29ca5fcf00784793a57fffd9";
    let data: Vec<u8> = (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let picture = stream(40, 24, &dictionary! { "Filter" => "JPXDecode" }, data);
    let page = only(&page(COVERS, picture, &Dictionary::new()));
    assert_eq!((page.size(), page.depth()), ((40, 24), Depth::Grey));
    for (x, y, pixel) in grey(&page).enumerate_pixels() {
        let wanted = if y < 12 { x * 6 } else { 255 - y * 10 };
        assert_eq!(u32::from(pixel.0[0]), wanted, "{x} {y}");
    }
}

#[test]
fn colours_of_every_kind_come_out_at_full_size() {
    let ink = [[0, 255, 255, 0], [0, 0, 0, 255], [0, 0, 0, 0], [255, 0, 0, 0]].concat();
    let four =
        stream(4, 1, &dictionary! { "ColorSpace" => "DeviceCMYK", "BitsPerComponent" => 8 }, ink);
    let table = Object::string_literal(vec![255, 0, 0, 0, 0, 0, 255, 255, 255, 0, 255, 255]);
    let indexed = vec!["Indexed".into(), "DeviceRGB".into(), 3.into(), table];
    let indexed = stream(
        4,
        1,
        &dictionary! { "ColorSpace" => indexed, "BitsPerComponent" => 8 },
        vec![0, 1, 2, 3],
    );
    for picture in [four, indexed] {
        let page = only(&page(COVERS, picture, &Dictionary::new()));
        assert_eq!((page.size(), page.depth()), ((4, 1), Depth::Colour));
        let pixels = pixels(&page);
        let [red, black, white, cyan] = [0, 1, 2, 3].map(|x| pixels.get_pixel(x, 0).0);
        assert!(red[0] > 180 && red[1] < 90 && red[2] < 90, "{red:?}");
        assert!(black.iter().all(|value| *value < 70), "{black:?}");
        assert_eq!(white, [255; 3]);
        assert!(cyan[0] < 90 && cyan[2] > 180, "{cyan:?}");
    }
}

#[test]
fn turns_and_negatives_are_honoured() {
    let upright = grey(&only(&page(COVERS, samples(), &Dictionary::new())));
    assert_eq!(upright.as_raw()[..4], [0, 20, 40, 60]);
    for (turn, wanted) in [
        (90, image::imageops::rotate90(&upright)),
        (180, image::imageops::rotate180(&upright)),
        (270, image::imageops::rotate270(&upright)),
    ] {
        let turned = only(&page(COVERS, samples(), &dictionary! { "Rotate" => turn }));
        assert_eq!(grey(&turned), wanted, "{turn}");
    }
    // The same by the matrix: the picture's right side lies below, its top to the right.
    let turned = only(&page("q 0 -300 400 0 0 300 cm /X Do Q", samples(), &Dictionary::new()));
    assert_eq!(grey(&turned), image::imageops::rotate90(&upright));
    let mut negative = samples();
    negative.dict.set("Decode", vec![1.into(), 0.into()]);
    let negative = grey(&only(&page(COVERS, negative, &Dictionary::new())));
    assert_eq!(negative.as_raw()[..4], [255, 235, 215, 195]);
}

#[test]
fn invisible_text_is_no_reason_to_render_and_visible_text_is() {
    let words = |mode: u8| format!("{COVERS} BT /F 12 Tf {mode} Tr 40 40 Td (found) Tj ET");
    assert_eq!(only(&page(&words(3), samples(), &Dictionary::new())).size(), (4, 3));
    for content in [
        words(0),
        format!("{COVERS} 10 10 50 50 re f"),
        format!("{COVERS} {COVERS}"),
        "q 200 0 0 300 0 0 cm /X Do Q".to_owned(),
        "q 390 40 -40 290 0 0 cm /X Do Q".to_owned(),
        "q -400 0 0 300 400 0 cm /X Do Q".to_owned(),
        format!("0 0 200 300 re W n {COVERS}"),
    ] {
        let size = only(&page(&content, samples(), &Dictionary::new())).size();
        assert_eq!(size, (1111, 833), "{content}");
    }
}

#[test]
fn a_fax_cut_short_keeps_its_upper_part() {
    let picture = picture(false);
    let mut pdf =
        Document::load_mem(&encode(std::slice::from_ref(&picture), DPI, Carrier::PdfFax).unwrap())
            .unwrap();
    for object in pdf.objects.values_mut() {
        if let Object::Stream(stream) = object
            && stream.dict.has(b"Width")
        {
            let half = stream.content.len() / 2;
            stream.content.truncate(half);
            stream.dict.set("Length", i64::try_from(half).unwrap());
        }
    }
    let mut bytes = Vec::new();
    pdf.save_to(&mut bytes).unwrap();
    let page = grey(&only(&bytes));
    assert_eq!(page.dimensions(), picture.dimensions());
    let mut seen = String::new();
    for y in [30, 90, 460] {
        write!(seen, "{} ", page.get_pixel(20, y).0[0]).unwrap();
    }
    assert_eq!(seen, "0 255 255 ");
}
