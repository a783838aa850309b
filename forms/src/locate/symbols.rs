//! Reading one code from a grey picture, with a second and third attempt.

use rxing::common::{GlobalHistogramBinarizer, HybridBinarizer};
use rxing::datamatrix::DataMatrixReader;
use rxing::qrcode::QRCodeReader;
use rxing::{BinaryBitmap, DecodeHints, Luma8LuminanceSource, RXingResult, Reader};

use crate::form3::CodeKind;
use crate::raster::Place;

/// A code that was read.
#[derive(Clone, Debug)]
pub(crate) struct Symbol {
    pub(crate) text: String,
    /// Bottom left, top left and top right finder pattern; meaningful for QR codes only.
    pub(crate) corners: [Place; 3],
    kind: CodeKind,
}

impl Symbol {
    /// Whether the code was seen through the paper: the reader swaps corners to read such codes,
    /// and so they run the wrong way round.
    pub(crate) fn mirrored(&self) -> bool {
        let [bottom, origin, right] = self.corners;
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
    let points: Vec<Place> = result
        .getPoints()
        .iter()
        .take(3)
        .map(|point| [f64::from(point.x), f64::from(point.y)])
        .collect();
    let corners =
        points.try_into().ok().or((kind == CodeKind::DataMatrix).then_some([[0.0; 2]; 3]))?;
    Some(Symbol { text: result.getText().to_owned(), corners, kind })
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
