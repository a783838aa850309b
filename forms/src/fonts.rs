//! The faces that print: an embedded one that every clone has, and the fallbacks for names.
//!
//! Labels and digits are set in the embedded M PLUS 1 before any other, so that a form looks and
//! reads the same everywhere. Values typed by people go through a chain (configured face, Noto Sans
//! CJK JP, `IPAexGothic`, embedded), run by run. A character that no face has is refused by name: a
//! renderer would print an empty box and say nothing.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fault::PrintFault;

/// The licence of the embedded faces (SIL Open Font License 1.1), in full.
pub static LICENCE: &str = include_str!(concat!(env!("OUT_DIR"), "/licence.txt"));

static REGULAR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/regular.ttf"));
static BOLD: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bold.ttf"));

/// Where distributions put the fallbacks, with the family to pick from a collection.
const SYSTEM_FACES: [(&str, &str); 6] = [
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "Noto Sans CJK JP"),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", "Noto Sans CJK JP"),
    ("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", "Noto Sans CJK JP"),
    ("/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf", "IPAexGothic"),
    ("/usr/share/fonts/truetype/fonts-japanese-gothic.ttf", "IPAexGothic"),
    ("/usr/share/fonts/ipa-ex-gothic/ipaexg.ttf", "IPAexGothic"),
];

/// A font file above this size is not read (Noto Sans CJK has 19 MB).
const LARGEST_FONT: u64 = 128 << 20;

/// Which fonts to print values with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FontChoice {
    /// A font file of the house, first in the chain; of a collection the first Japanese face.
    pub configured: Option<PathBuf>,
    /// Leave the fonts of the system out, so that the output depends on this program alone.
    pub embedded_only: bool,
}

/// One face of a font file.
#[derive(Clone)]
pub(crate) struct Face {
    bytes: FaceBytes,
    pub(crate) index: u32,
    pub(crate) name: String,
}

#[derive(Clone)]
enum FaceBytes {
    Embedded(&'static [u8]),
    Loaded(std::sync::Arc<[u8]>),
}

impl Face {
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.bytes {
            FaceBytes::Embedded(bytes) => bytes,
            FaceBytes::Loaded(bytes) => bytes,
        }
    }

    fn embedded(bytes: &'static [u8], name: &str) -> Self {
        Self { bytes: FaceBytes::Embedded(bytes), index: 0, name: name.to_owned() }
    }

    /// Parsing reads the table directory only; it costs microseconds.
    pub(crate) fn parse(&self) -> Result<ttf_parser::Face<'_>, PrintFault> {
        ttf_parser::Face::parse(self.bytes(), self.index)
            .map_err(|source| PrintFault::FaceUnreadable { name: self.name.clone(), source })
    }
}

/// How a text is set: the role picks the faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Labels and digits, regular weight.
    Label,
    /// Headings and titles.
    Bold,
    /// Values typed by people, through the fallback chain.
    Value,
}

/// All faces of a press, loaded once.
#[derive(Clone)]
pub(crate) struct Fonts {
    pub(crate) faces: Vec<Face>,
}

const REGULAR_FACE: usize = 0;
const BOLD_FACE: usize = 1;

impl Fonts {
    pub(crate) fn load(choice: &FontChoice) -> Result<Self, PrintFault> {
        let mut faces =
            vec![Face::embedded(REGULAR, "MPLUS1-Regular"), Face::embedded(BOLD, "MPLUS1-Bold")];
        if let Some(path) = &choice.configured {
            faces.push(load_face(path, None)?);
        }
        if !choice.embedded_only {
            faces.extend(system_faces());
        }
        Ok(Self { faces })
    }

    /// The indices of the faces to try for that role, in order.
    pub(crate) fn chain(&self, role: Role) -> impl Iterator<Item = usize> {
        let (first, last) = match role {
            Role::Label => (Some(REGULAR_FACE), None),
            Role::Bold => (Some(BOLD_FACE), None),
            Role::Value => (None, Some(REGULAR_FACE)),
        };
        // The name of a bank may need a fallback even in a label.
        first.into_iter().chain(BOLD_FACE + 1..self.faces.len()).chain(last)
    }

    /// The embedded faces alone, for shapes of digits and seals.
    pub(crate) fn embedded() -> Self {
        Self {
            faces: vec![
                Face::embedded(REGULAR, "MPLUS1-Regular"),
                Face::embedded(BOLD, "MPLUS1-Bold"),
            ],
        }
    }
}

fn system_faces() -> Vec<Face> {
    let mut found: Vec<(&str, Face)> = Vec::new();
    for (path, family) in SYSTEM_FACES {
        let known = found.iter().any(|(known, _)| *known == family);
        let path = Path::new(path);
        if !known && path.is_file() {
            // A damaged system font only shortens the chain.
            found.extend(load_face(path, Some(family)).ok().map(|face| (family, face)));
        }
    }
    found.into_iter().map(|(_, face)| face).collect()
}

fn load_face(path: &Path, family: Option<&str>) -> Result<Face, PrintFault> {
    let unreadable = |source| PrintFault::FontFile { path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > LARGEST_FONT {
        return Err(PrintFault::FontTooLarge { path: path.to_owned(), size });
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let (index, name) =
        pick_face(&bytes, family).ok_or_else(|| PrintFault::NoFace { path: path.to_owned() })?;
    Ok(Face { bytes: FaceBytes::Loaded(bytes.into()), index, name })
}

/// The face of that family; without one, a Japanese face of a collection or the only face. TTC
/// faces are told by name because their order differs between releases of the same font.
fn pick_face(bytes: &[u8], family: Option<&str>) -> Option<(u32, String)> {
    let count = ttf_parser::fonts_in_collection(bytes).unwrap_or(1).min(64);
    let mut first = None;
    for index in 0..count {
        let Ok(face) = ttf_parser::Face::parse(bytes, index) else { continue };
        let name = name_of(&face, ttf_parser::name_id::POST_SCRIPT_NAME);
        let name = name.unwrap_or_else(|| "Fallback".to_owned());
        let families = [ttf_parser::name_id::FAMILY, ttf_parser::name_id::TYPOGRAPHIC_FAMILY];
        let said = |wanted: &str| {
            families.iter().any(|id| name_of(&face, *id).is_some_and(|said| said == wanted))
        };
        let japanese =
            || families.iter().any(|id| name_of(&face, *id).is_some_and(|n| n.ends_with(" JP")));
        if family.map_or_else(japanese, said) {
            return Some((index, name));
        }
        first.get_or_insert((index, name));
    }
    first.filter(|_| family.is_none())
}

fn name_of(face: &ttf_parser::Face<'_>, id: u16) -> Option<String> {
    face.names().into_iter().filter(|name| name.name_id == id).find_map(|name| name.to_string())
}

/// The faces parsed for one job, with the queries that setting text needs.
pub(crate) struct Typesetter<'a> {
    fonts: &'a Fonts,
    parsed: Vec<ttf_parser::Face<'a>>,
}

/// A part of a text that one face sets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) face: usize,
    pub(crate) text: String,
    /// The advance in ems.
    pub(crate) width: f32,
}

impl<'a> Typesetter<'a> {
    pub(crate) fn new(fonts: &'a Fonts) -> Result<Self, PrintFault> {
        let parsed = fonts.faces.iter().map(Face::parse).collect::<Result<_, _>>()?;
        Ok(Self { fonts, parsed })
    }

    /// Splits a text into runs, or names the first character that no face of the role has.
    pub(crate) fn runs(&self, role: Role, text: &str) -> Result<Vec<Run>, PrintFault> {
        let mut runs: Vec<Run> = Vec::new();
        for character in text.chars() {
            let (face, width) = self
                .find(role, character)
                .ok_or_else(|| PrintFault::MissingGlyph { character, text: text.to_owned() })?;
            match runs.last_mut() {
                Some(run) if run.face == face => {
                    run.text.push(character);
                    run.width += width;
                }
                _ => runs.push(Run { face, text: character.to_string(), width }),
            }
        }
        Ok(runs)
    }

    pub(crate) fn face(&self, index: usize) -> Option<&ttf_parser::Face<'a>> {
        self.parsed.get(index)
    }

    pub(crate) fn source(&self, index: usize) -> Option<&'a Face> {
        self.fonts.faces.get(index)
    }

    fn find(&self, role: Role, character: char) -> Option<(usize, f32)> {
        self.fonts.chain(role).find_map(|index| {
            let face = self.parsed.get(index)?;
            let glyph = face.glyph_index(character).filter(|glyph| glyph.0 != 0)?;
            let advance = f32::from(face.glyph_hor_advance(glyph)?);
            Some((index, advance / f32::from(face.units_per_em())))
        })
    }
}

/// The characters of a text that the embedded regular face lacks.
pub fn missing_from_embedded(text: &str) -> Vec<char> {
    let Ok(face) = ttf_parser::Face::parse(REGULAR, 0) else { return text.chars().collect() };
    text.chars().filter(|c| face.glyph_index(*c).is_none_or(|glyph| glyph.0 == 0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_character_is_named() {
        let fonts = Fonts::embedded();
        let setter = Typesetter::new(&fonts).unwrap();
        let fault = setter.runs(Role::Value, "濵田").unwrap_err();
        assert!(fault.to_string().contains('濵'), "{fault}");
        assert_eq!(missing_from_embedded("山田①"), ['①']);
    }

    #[test]
    fn labels_never_depend_on_the_system() {
        let fonts = Fonts::load(&FontChoice::default()).unwrap();
        let setter = Typesetter::new(&fonts).unwrap();
        let runs = setter.runs(Role::Label, "契約者番号 0123").unwrap();
        assert!(runs.iter().all(|run| run.face == REGULAR_FACE), "{runs:?}");
    }

    #[test]
    fn the_licence_is_the_open_font_license() {
        assert!(LICENCE.contains("SIL OPEN FONT LICENSE Version 1.1"));
    }

    #[test]
    fn a_configured_font_that_is_none_is_refused() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let choice = FontChoice { configured: Some(path), embedded_only: true };
        assert!(matches!(Fonts::load(&choice), Err(PrintFault::NoFace { .. })));
    }
}
