//! The files: bombs, loops, lies about sizes, depths, cuts, and what is no scan at all.

use crate::pdf::{Pdf, bomb, deflate, deflated, stream};

/// A file and what is wrong with it.
pub(crate) struct Hostile {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn all() -> Vec<Hostile> {
    let files: Vec<(&'static str, Vec<u8>)> =
        [others(), pictures(), tiffs(), structures(), pages()].concat();
    files.into_iter().map(|(name, bytes)| Hostile { name, bytes }).collect()
}

type Files = Vec<(&'static str, Vec<u8>)>;

fn others() -> Files {
    vec![
        ("empty.pdf", Vec::new()),
        ("text.pdf", b"Dear Sirs, please find enclosed".to_vec()),
        ("archive.tif", b"PK\x03\x04\x14\0\0\0\x08\0".repeat(500)),
        ("program.png", b"\x7fELF\x02\x01\x01\0".repeat(500)),
        ("zeros.jpg", vec![0; 1 << 20]),
        ("gif.png", b"GIF89a\xff\xff\xff\xff\0\0\0".to_vec()),
    ]
}

/// A PNG of one colour, eight bits a channel.
fn png(width: u32, height: u32, colour: u8, channels: usize, rows: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |name: &[u8; 4], data: &[u8]| {
        let mut sum = flate2::Crc::new();
        sum.update(name);
        sum.update(data);
        bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        bytes.extend(name);
        bytes.extend(data);
        bytes.extend(sum.sum().to_be_bytes());
    };
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    chunk(b"IHDR", &[size.as_slice(), &[8, colour, 0, 0, 0]].concat());
    let row = [vec![0], vec![255; width as usize * channels]].concat();
    chunk(b"IDAT", &deflate(&row.repeat(rows as usize)));
    chunk(b"IEND", &[]);
    bytes
}

pub(crate) fn white_page() -> Vec<u8> {
    png(496, 702, 0, 1, 702)
}

fn pictures() -> Files {
    // A JPEG's head that promises so many pixels in colour, and then nothing.
    let jpeg = |width: u16, height: u16| {
        let mut bytes = b"\xFF\xD8\xFF\xDB\0\x43\0".to_vec();
        bytes.extend([1; 64]);
        bytes.extend(b"\xFF\xC0\0\x11\x08");
        bytes.extend([height.to_be_bytes(), width.to_be_bytes()].concat());
        bytes.extend(b"\x03\x01\x11\0\x02\x11\0\x03\x11\0");
        bytes.extend(b"\xFF\xC4\0\x14\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        bytes.extend(b"\xFF\xC4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        bytes.extend(b"\xFF\xDA\0\x0C\x03\x01\0\x02\0\x03\0\0\x3F\0");
        bytes
    };
    let progressive = |width, height| {
        let mut bytes = jpeg(width, height);
        let at = bytes.windows(2).position(|pair| pair == b"\xFF\xC0").unwrap();
        bytes[at + 1] = 0xC2;
        bytes
    };
    let mut filled = jpeg(7200, 7200);
    filled.extend(vec![0x55; 1 << 20]);
    vec![
        ("png-of-a-square-of-30000.png", png(30_000, 30_000, 2, 3, 10)),
        ("png-as-large-as-allowed.png", png(7200, 7200, 2, 3, 7200)),
        ("png-with-opacity.png", png(7200, 7200, 6, 4, 7200)),
        ("png-sliver.png", png(1_000_000, 50, 0, 1, 50)),
        ("png-cut-short.png", png(5000, 5000, 2, 3, 5000)[..2000].to_vec()),
        ("jpeg-of-a-square-of-65500.jpg", jpeg(65_500, 65_500)),
        ("jpeg-of-nothing.jpg", jpeg(7200, 7200)),
        ("jpeg-of-noise.jpg", filled),
        ("jpeg-progressive-of-nothing.jpg", progressive(7200, 7200)),
        ("heic-of-nothing.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec()),
        (
            "heic-of-noise.heic",
            [&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], &[0x41; 5000]].concat(),
        ),
    ]
}

/// A TIFF of one directory: tag, type, count, value.
fn tiff(entries: &[(u16, u16, u32, u32)], next: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(next.to_le_bytes());
    bytes.extend(data);
    bytes
}

fn tiffs() -> Files {
    let picture = |width: u32, height: u32, code: u32, at: u32, length: u32| {
        vec![
            (256, 4, 1, width),
            (257, 4, 1, height),
            (258, 3, 1, 8),
            (259, 3, 1, code),
            (262, 3, 1, 1),
            (273, 4, 1, at),
            (277, 3, 1, 1),
            (278, 4, 1, height),
            (279, 4, 1, length),
        ]
    };
    let behind = 8 + 2 + 9 * 12 + 4;
    let squeezed = bomb(&[255; 64], 49);
    let length = u32::try_from(squeezed.len()).unwrap();
    let white = vec![255; 64 * 64];
    let small = picture(64, 64, 1, behind, 64 * 64);
    let noise: Vec<u8> =
        (0..200_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    vec![
        ("tiff-loop.tif", tiff(&small, 8, &white)),
        ("tiff-far-directory.tif", tiff(&small, 0xFFFF_FFF0, &white)),
        ("tiff-of-a-square-of-a-billion.tif", tiff(&picture(1 << 30, 1 << 30, 1, 8, 64), 0, &[])),
        ("tiff-strip-beyond-the-end.tif", tiff(&picture(5000, 5000, 1, 1 << 30, 1 << 30), 0, &[])),
        ("tiff-deflated.tif", tiff(&picture(7100, 7100, 8, behind, length), 0, &squeezed)),
        (
            "tiff-many-counts.tif",
            tiff(&[(256, 4, 0xFFFF_FFFF, 8), (273, 4, 0xFFFF_FFFF, 8)], 0, &[]),
        ),
        ("tiff-fax-of-noise.tif", tiff(&picture(7000, 7000, 4, behind, 200_000), 0, &noise)),
        ("tiff-cut-short.tif", tiff(&small, 0, &white)[..60].to_vec()),
    ]
}

fn structures() -> Files {
    let one = |content: Vec<u8>| Pdf::pages(&[content], "");
    let loops = Pdf::new(&[
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 /Parent 2 0 R >>",
    ]);
    let wide = Pdf::new(&[
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 2000000000 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    ]);
    let mut many = String::from("<< /Type /Pages /Kids [");
    many.push_str(&"3 0 R ".repeat(30_000));
    many.push_str("] /Count 30000 >>");
    let many = Pdf::new(&[
        "<< /Type /Catalog /Pages 2 0 R >>",
        &many,
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    ]);
    let deep = "[".repeat(200_000);
    let dictionaries = "<< /A ".repeat(100_000);
    let mut packed = one(stream("", b""));
    packed.add(stream("/Type /ObjStm /N 10 /First 100 /Filter /FlateDecode", &bomb(b"1 0 ", 900)));
    let good = one(stream("", b"")).bytes();
    vec![
        ("pdf-pages-loop.pdf", loops.bytes()),
        ("pdf-two-billion-pages.pdf", wide.bytes()),
        ("pdf-30000-pages.pdf", many.bytes()),
        ("pdf-references-loop.pdf", one(stream("", b"")).with_trailer("/Prev 9")),
        ("pdf-deep-arrays.pdf", Pdf::new(&["<< /Type /Catalog /Pages 2 0 R >>", &deep]).bytes()),
        ("pdf-deep-dictionaries.pdf", Pdf::new(&[&dictionaries]).bytes()),
        ("pdf-packed-objects.pdf", packed.bytes()),
        ("pdf-without-references.pdf", good[..good.len() - 120].to_vec()),
        ("pdf-head-alone.pdf", b"%PDF-1.7\n".to_vec()),
        (
            "pdf-of-noise.pdf",
            [&b"%PDF-1.7\n"[..], &b"1 0 obj << >> stream ".repeat(100_000)].concat(),
        ),
        (
            "pdf-encrypted.pdf",
            one(stream("", b"")).with_trailer("/Encrypt << /Filter /Standard /V 4 >>"),
        ),
    ]
}

/// A page that draws the picture X.
fn picture(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let mut pdf =
        Pdf::pages(&[stream("", b"q 595 0 0 842 0 0 cm /X Do Q")], "/XObject << /X 5 0 R >>");
    pdf.add(stream(&format!("/Type /XObject /Subtype /Image {dictionary}"), data));
    pdf.bytes()
}

fn pages() -> Files {
    let square = |side: u32| {
        format!("/Width {side} /Height {side} /BitsPerComponent 8 /ColorSpace /DeviceRGB")
    };
    // Every form draws the next one twice.
    let mut laughs = Pdf::pages(&[stream("", b"/F Do")], "/XObject << /F 5 0 R >>");
    for number in 5..45 {
        let form = format!(
            "/Type /XObject /Subtype /Form /BBox [0 0 595 842] \
             /Resources << /XObject << /F {} 0 R >> >>",
            number + 1
        );
        laughs.add(stream(&form, b"/F Do /F Do"));
    }
    laughs.add(stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9]", b"0 0 9 9 re f"));
    let mut itself = Pdf::pages(&[stream("", b"/F Do")], "/XObject << /F 5 0 R >>");
    itself.add(stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 5 0 R >> >>",
        b"/F Do",
    ));
    let one = |content: Vec<u8>| Pdf::pages(&[content], "").bytes();
    let thrice = deflate(&deflate(&bomb(b"q Q ", 500)));
    let paths = "0 0 m 595 842 l 595 0 l 0 842 l 300 1 l f*\n".repeat(400_000);
    let jpx = {
        // Markers of a codestream (T.800, A.5.1) that promise a great many components.
        let mut bytes = b"\xFF\x4F\xFF\x51".to_vec();
        let parts = 16_384_u16;
        bytes.extend((38 + 3 * parts).to_be_bytes());
        bytes.extend([0, 0]);
        for value in [7000_u32, 7000, 0, 0, 7000, 7000, 0, 0] {
            bytes.extend(value.to_be_bytes());
        }
        bytes.extend(parts.to_be_bytes());
        bytes.extend([7, 1, 1].repeat(parts.into()));
        bytes.extend(b"\xFF\x52\0\x0C\0\0\0\x01\0\x05\x04\x04\0\x01\xFF\x5C\0\x04\x40\x40");
        bytes.extend(b"\xFF\x90\0\x0A\0\0\0\0\0\0\0\x01\xFF\x93\xFF\xD9");
        bytes
    };
    let jbig2 = |side: u32| {
        let mut bytes = b"\0\0\0\0\x30\0\x01\0\0\0\x13".to_vec();
        bytes.extend([side.to_be_bytes(), side.to_be_bytes(), [0; 4], [0; 4]].concat());
        bytes.extend([0, 0, 0]);
        bytes
    };
    vec![
        ("pdf-drawing-bomb.pdf", one(stream("/Filter /FlateDecode", &bomb(b"q Q ", 1000)))),
        (
            "pdf-thrice-deflated.pdf",
            one(stream("/Filter [/FlateDecode /FlateDecode /FlateDecode]", &thrice)),
        ),
        ("pdf-forms-of-forms.pdf", laughs.bytes()),
        ("pdf-form-of-itself.pdf", itself.bytes()),
        ("pdf-many-paths.pdf", one(deflated("", paths.as_bytes()))),
        ("pdf-page-as-wide-as-a-house.pdf", {
            let page = one(stream("", b"0 0 m 1 1 l S"));
            String::from_utf8(page).unwrap().replace("595 842]", "14400 14400]").into_bytes()
        }),
        (
            "pdf-samples-bomb.pdf",
            picture(&format!("{} /Filter /FlateDecode", square(100)), &bomb(&[0; 64], 1000)),
        ),
        (
            "pdf-samples-promised.pdf",
            picture(&format!("{} /Filter /FlateDecode", square(7200)), &deflate(&[1])),
        ),
        (
            "pdf-samples-as-large-as-allowed.pdf",
            picture(&format!("{} /Filter /FlateDecode", square(7200)), &bomb(&[255; 64], 149)),
        ),
        ("pdf-a-square-of-two-billion.pdf", picture(&square(2_000_000_000), &[0; 100])),
        (
            "pdf-lzw-of-noise.pdf",
            picture(&format!("{} /Filter /LZWDecode", square(5000)), &[0x80; 100_000]),
        ),
        (
            "pdf-jpx-of-16384-parts.pdf",
            picture("/Width 7000 /Height 7000 /Filter /JPXDecode", &jpx),
        ),
        (
            "pdf-jbig2-of-nothing.pdf",
            picture("/Width 9 /Height 9 /BitsPerComponent 1 /Filter /JBIG2Decode", &jbig2(60_000)),
        ),
        (
            "pdf-fax-of-nothing.pdf",
            picture(
                "/Width 7000 /Height 7000 /BitsPerComponent 1 /ColorSpace /DeviceGray \
             /Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 7000 >>",
                &[0x55; 1000],
            ),
        ),
    ]
}

/// Three pages, the second of which unpacks to more than a child may have.
pub(crate) fn one_bomb_of_three() -> Vec<u8> {
    let bomb = stream("/Filter /FlateDecode", &bomb(b"q Q ", 1000));
    Pdf::pages(&[stream("", b""), bomb, stream("", b"")], "").bytes()
}
