//! Reading one code from a grey picture, with a second and third attempt.

use rxing::common::{GlobalHistogramBinarizer, HybridBinarizer};
use rxing::datamatrix::DataMatrixReader;
use rxing::qrcode::QRCodeReader;
use rxing::{BinaryBitmap, DecodeHints, Luma8LuminanceSource, RXingResult, Reader};

use crate::form3::{BoxMm, CodeKind};
use crate::raster::Place;

/// A code that was read.
#[derive(Clone, Debug)]
pub(crate) struct Symbol {
    pub(crate) text: String,
    /// Bottom left, top left and top right finder pattern, and the small pattern where it was seen;
    /// meaningful for QR codes only.
    corners: Vec<Place>,
    kind: CodeKind,
}

impl Symbol {
    /// The patterns of a QR code on paper, where it is printed there, and in the picture.
    pub(crate) fn pairs(&self, area: BoxMm, factor: f64) -> Vec<(Place, Place)> {
        let module = f64::from(area.w) / 29.0;
        let (near, far, small) = (3.5 * module, 25.5 * module, 22.5 * module);
        let (x, y) = (f64::from(area.x), f64::from(area.y));
        let on_paper = [
            [x + near, y + far],
            [x + near, y + near],
            [x + far, y + near],
            [x + small, y + small],
        ];
        let pairs = on_paper.into_iter().zip(&self.corners);
        pairs.map(|(mm, [u, v])| (mm, [u * factor, v * factor])).collect()
    }

    /// Whether the code was seen through the paper: the reader swaps corners to read such codes,
    /// and so they run the wrong way round.
    pub(crate) fn mirrored(&self) -> bool {
        let [bottom, origin, right, ..] = self.corners.as_slice() else { return false };
        let (x1, y1) = (right[0] - origin[0], right[1] - origin[1]);
        let (x2, y2) = (bottom[0] - origin[0], bottom[1] - origin[1]);
        self.kind == CodeKind::Qr && x1 * y2 - y1 * x2 < 0.0
    }
}

/// Reads a code; the library is guarded against its own panics.
pub(crate) fn read_symbol(
    values: &[u8],
    width: usize,
    height: usize,
    kind: CodeKind,
) -> Option<Symbol> {
    attempts(values, width, height, kind)
        .or_else(|| attempts(&stretched(values), width, height, kind))
        .or_else(|| attempts(&softened(values, width), width, height, kind))
}

fn attempts(values: &[u8], width: usize, height: usize, kind: CodeKind) -> Option<Symbol> {
    let work = || Ok(attempt(values, width, height, kind));
    crate::scan::guarded(work).ok().flatten()
}

fn attempt(values: &[u8], width: usize, height: usize, kind: CodeKind) -> Option<Symbol> {
    let (wide, high) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let hints = DecodeHints { TryHarder: Some(true), ..DecodeHints::default() };
    for local in [true, false] {
        let source = Luma8LuminanceSource::new(values.to_vec(), wide, high).ok()?;
        let result = if local {
            decode(BinaryBitmap::new(HybridBinarizer::new(source)), kind, &hints)
        } else {
            decode(BinaryBitmap::new(GlobalHistogramBinarizer::new(source)), kind, &hints)
        };
        if let Some(symbol) = result.and_then(|result| symbol(&result, kind)) {
            return Some(symbol);
        }
    }
    None
}

fn decode<B: rxing::Binarizer>(
    mut bitmap: BinaryBitmap<B>,
    kind: CodeKind,
    hints: &DecodeHints,
) -> Option<RXingResult> {
    match kind {
        CodeKind::Qr => QRCodeReader::new().decode_with_hints(&mut bitmap, hints).ok(),
        CodeKind::DataMatrix => DataMatrixReader.decode_with_hints(&mut bitmap, hints).ok(),
    }
}

fn symbol(result: &RXingResult, kind: CodeKind) -> Option<Symbol> {
    let corners: Vec<Place> =
        result.getPoints().iter().map(|point| [f64::from(point.x), f64::from(point.y)]).collect();
    (kind == CodeKind::DataMatrix || corners.len() >= 3).then(|| Symbol {
        text: result.getText().to_owned(),
        corners,
        kind,
    })
}

/// Full contrast between the fifth and the ninety-fifth percentile.
fn stretched(values: &[u8]) -> Vec<u8> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let at = |share: usize| sorted.get(sorted.len() * share / 100).copied().unwrap_or(0);
    let (low, high) = (u16::from(at(5)), u16::from(at(95)));
    let span = high.saturating_sub(low).max(1);
    let stretch = |value: &u8| {
        let value = u16::from(*value).saturating_sub(low).min(span);
        u8::try_from(u32::from(value) * 255 / u32::from(span)).unwrap_or(u8::MAX)
    };
    values.iter().map(stretch).collect()
}

/// The mean of three by three, against noise.
fn softened(values: &[u8], width: usize) -> Vec<u8> {
    let at =
        |index: Option<usize>| index.and_then(|index| values.get(index)).map(|v| u32::from(*v));
    let mean = |(index, value): (usize, &u8)| {
        let (mut sum, mut count) = (0, 0);
        for row in [index.checked_sub(width), Some(index), index.checked_add(width)] {
            let around = [row.and_then(|i| i.checked_sub(1)), row, row.map(|i| i + 1)];
            for value in around.into_iter().filter_map(at) {
                sum += value;
                count += 1;
            }
        }
        u8::try_from(sum / count.max(1)).unwrap_or(*value)
    };
    values.iter().enumerate().map(mean).collect()
}
