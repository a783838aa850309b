//! The face for digits in fields: ASCII under `WinAnsi` encoding, embedded and subset.

use allsorts::binary::read::ReadScope;
use allsorts::font_data::FontData;
use allsorts::subset::{CmapTarget, SubsetProfile, subset};
use lopdf::{Document, Object, ObjectId, Stream, dictionary};

use crate::fault::PrintFault;
use crate::fonts::Fonts;

const FIRST: u8 = b' ';
const LAST: u8 = b'~';

/// Adds the face as an object of the document.
pub(crate) fn embed(pdf: &mut Document) -> Result<ObjectId, PrintFault> {
    let fonts = Fonts::embedded();
    let source = fonts.faces.first().ok_or(PrintFault::NotFillable)?;
    let face = source.parse()?;
    let refused = |reason: String| PrintFault::Subset { name: source.name.clone(), reason };
    let scale = 1000.0 / f32::from(face.units_per_em());
    let (mut glyphs, mut widths) = (vec![0_u16], Vec::new());
    for character in FIRST..=LAST {
        let glyph = face.glyph_index(char::from(character)).unwrap_or_default();
        glyphs.push(glyph.0);
        let advance = f32::from(face.glyph_hor_advance(glyph).unwrap_or_default());
        widths.push(Object::Real((advance * scale).round()));
    }
    glyphs.sort_unstable();
    glyphs.dedup();
    let data = ReadScope::new(source.bytes())
        .read::<FontData<'_>>()
        .map_err(|error| refused(error.to_string()))?;
    let tables = data.table_provider(0).map_err(|error| refused(error.to_string()))?;
    let program = subset(&tables, &glyphs, &SubsetProfile::Minimal, CmapTarget::Unicode)
        .map_err(|error| refused(error.to_string()))?;
    let length = i64::try_from(program.len()).unwrap_or(i64::MAX);
    let program = pdf.add_object(Stream::new(dictionary! { "Length1" => length }, program));
    let name = format!("SHKDIG+{}", source.name);
    let to_unicode = pdf.add_object(Stream::new(dictionary! {}, ascii_map().into_bytes()));
    let bounds = face.global_bounding_box();
    let bounds = [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max];
    let milli = |value: i16| Object::Real((f32::from(value) * scale).round());
    let descriptor = pdf.add_object(dictionary! {
        "Type" => "FontDescriptor", "FontName" => name.as_str(), "Flags" => 32,
        "FontBBox" => bounds.map(milli).to_vec(), "ItalicAngle" => 0, "StemV" => 88,
        "Ascent" => milli(face.ascender()), "Descent" => milli(face.descender()),
        "CapHeight" => milli(face.capital_height().unwrap_or(730)), "FontFile2" => program,
    });
    Ok(pdf.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "TrueType", "BaseFont" => name.as_str(),
        "FirstChar" => i64::from(FIRST), "LastChar" => i64::from(LAST), "Widths" => widths,
        "Encoding" => "WinAnsiEncoding", "FontDescriptor" => descriptor, "ToUnicode" => to_unicode,
    }))
}

/// A character map that says that every code is its own ASCII character.
fn ascii_map() -> String {
    format!(
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n\
         /CMapName /Ascii def\n/CMapType 2 def\n\
         1 begincodespacerange\n<00> <FF>\nendcodespacerange\n\
         1 beginbfrange\n<{FIRST:02X}> <{LAST:02X}> <00{FIRST:02X}>\nendbfrange\n\
         endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    )
}
