//! The two codes of a page as fields of dark modules.

use std::fmt::Write as _;

use datamatrix::{DataMatrix, SymbolSize};
use qrcodegen::{QrCode, QrCodeEcc, QrSegment, Version};

use crate::fault::PrintFault;
use crate::form3::{BoxMm, PAGE_MM};

const POINTS_PER_MM: f32 = 72.0 / 25.4;

/// A square of modules, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Modules {
    pub(crate) side: usize,
    dark: Vec<bool>,
}

impl Modules {
    /// The modules row by row.
    pub(crate) fn dark(&self) -> &[bool] {
        &self.dark
    }

    /// Content-stream operators that fill the dark modules as one path: in a space where a module
    /// is one unit all numbers are small integers, a quarter of the bytes of a path in points.
    pub(crate) fn operators(&self, area: BoxMm) -> String {
        let module = area.w / count(self.side) * POINTS_PER_MM;
        let (x, y) = (area.x * POINTS_PER_MM, (PAGE_MM[1] - area.y) * POINTS_PER_MM);
        let mut text = format!("q 0 g {module:.4} 0 0 -{module:.4} {x:.3} {y:.3} cm\n");
        for (row, line) in self.dark.chunks(self.side).enumerate() {
            for (start, length) in runs(line) {
                // Writing into a string cannot fail.
                let _ = writeln!(text, "{start} {row} {length} 1 re");
            }
        }
        text.push_str("f Q\n");
        text
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
        let text = code.operators(BoxMm::new(0.0, 0.0, 29.0, 29.0));
        let lengths =
            text.lines().filter_map(|line| line.strip_suffix(" 1 re")?.rsplit(' ').next());
        let covered: usize = lengths.map(|length| length.parse::<usize>().unwrap()).sum();
        assert_eq!(covered, code.dark.iter().filter(|dark| **dark).count());
    }

    #[test]
    fn the_longest_payload_fits_both_codes() {
        let text = "F3:1:B:999999999999:2/2:ABCDEFGHIJKLMNOP";
        assert_eq!(data_matrix(text).unwrap().side, 22);
        assert!(qr(text).is_ok());
        assert!(qr(&"A".repeat(60)).is_err());
    }
}
