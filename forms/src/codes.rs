//! The two codes of a page as fields of dark modules.

use datamatrix::{DataMatrix, SymbolSize};
use qrcodegen::{QrCode, QrCodeEcc, QrSegment, Version};

use crate::fault::PrintFault;
use crate::form3::BoxMm;

/// A square of modules, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Modules {
    pub(crate) side: usize,
    dark: Vec<bool>,
}

impl Modules {
    /// Dark runs of each row as rectangles within the area.
    pub(crate) fn runs(&self, area: BoxMm) -> impl Iterator<Item = BoxMm> {
        let module = area.w / count(self.side);
        let rows = self.dark.chunks(self.side).enumerate();
        rows.flat_map(move |(row, line)| {
            runs(line).into_iter().map(move |(start, length)| {
                let (x, y) = (area.x + count(start) * module, area.y + count(row) * module);
                BoxMm::new(x, y, count(length) * module, module)
            })
        })
    }
}

/// Counts of modules are small.
#[expect(clippy::cast_precision_loss, reason = "a code has fewer than 200 modules a side")]
fn count(value: usize) -> f32 {
    value as f32
}

fn runs(line: &[bool]) -> Vec<(usize, usize)> {
    let (mut found, mut start) = (Vec::new(), None);
    for (index, dark) in line.iter().chain(std::iter::once(&false)).enumerate() {
        match (dark, start) {
            (true, None) => start = Some(index),
            (false, Some(from)) => {
                found.push((from, index - from));
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// Version 3, level Q: a quarter of the code may be lost.
pub(crate) fn qr(text: &str) -> Result<Modules, PrintFault> {
    let refused = || PrintFault::Code { payload: text.to_owned() };
    let segments = QrSegment::make_segments(text);
    let version = Version::new(3);
    let code = QrCode::encode_segments_advanced(
        &segments,
        QrCodeEcc::Quartile,
        version,
        version,
        None,
        false,
    )
    .map_err(|_| refused())?;
    let dark = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
    let dark = dark.map(|(x, y)| code.get_module(x, y)).collect();
    Ok(Modules { side: usize::try_from(code.size()).map_err(|_| refused())?, dark })
}

/// 22 × 22 modules.
pub(crate) fn data_matrix(text: &str) -> Result<Modules, PrintFault> {
    let code = DataMatrix::encode_str(text, SymbolSize::Square22)
        .map_err(|_| PrintFault::Code { payload: text.to_owned() })?;
    let bitmap = code.bitmap();
    let mut dark = vec![false; bitmap.width() * bitmap.height()];
    for (x, y) in bitmap.pixels() {
        if let Some(module) = dark.get_mut(y * bitmap.width() + x) {
            *module = true;
        }
    }
    Ok(Modules { side: bitmap.width(), dark })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cover_the_dark_modules() {
        assert_eq!(runs(&[true, true, false, true]), [(0, 2), (3, 1)]);
        assert_eq!(runs(&[false, false]), []);
        let code = qr("F3:1:B:000000000018:1/2:ABCDEFGHIJKLMNOP").unwrap();
        assert_eq!(code.side, 29);
        let area: f32 = code.runs(BoxMm::new(0.0, 0.0, 29.0, 29.0)).map(|run| run.w * run.h).sum();
        let dark = code.dark.iter().filter(|dark| **dark).count();
        assert!((area - count(dark)).abs() < 0.01);
    }

    #[test]
    fn the_longest_payload_fits_both_codes() {
        let text = "F3:1:B:999999999999:2/2:ABCDEFGHIJKLMNOP";
        assert_eq!(data_matrix(text).unwrap().side, 22);
        assert!(qr(text).is_ok());
        assert!(qr(&"A".repeat(60)).is_err());
    }
}
