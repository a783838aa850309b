//! Fax data, groups 3 and 4 (ISO 32000-1, table 11), straight to bytes.

use hayro::hayro_syntax::object::Stream;
use hayro_ccitt::{DecodeSettings, Decoder, DecoderContext, EncodingMode};

use super::{grey, invert, inverted, parameters};
use crate::scan::PageImage;

pub(super) fn decode(
    stream: &Stream<'_>,
    data: &[u8],
    [width, height]: [u32; 2],
) -> Option<PageImage> {
    let parameters = parameters(stream);
    let flag = |key: &str, default| parameters.get::<bool>(key).unwrap_or(default);
    if parameters.get::<u32>("Columns").unwrap_or(1728) != width {
        return None;
    }
    let settings = DecodeSettings {
        columns: width,
        rows: height,
        end_of_block: flag("EndOfBlock", true),
        end_of_line: flag("EndOfLine", false),
        rows_are_byte_aligned: flag("EncodedByteAlign", false),
        encoding: match parameters.get::<i32>("K").unwrap_or(0) {
            ..0 => EncodingMode::Group4,
            0 => EncodingMode::Group3_1D,
            1.. => EncodingMode::Group3_2D,
        },
        strict: false,
    };
    let all = width as usize * height as usize;
    let mut rows = Rows { values: Vec::with_capacity(all), width };
    // A fax cut short still shows its upper part: what was decoded is kept, the rest is white.
    let decoded = hayro_ccitt::decode(data, &mut rows, &mut DecoderContext::new(settings));
    if decoded.is_err() && rows.values.is_empty() {
        return None;
    }
    rows.values.resize(all, 255);
    if inverted(stream)? != flag("BlackIs1", false) {
        invert(&mut rows.values);
    }
    grey(width, height, rows.values)
}

/// Rows of fax pixels as bytes.
struct Rows {
    values: Vec<u8>,
    width: u32,
}

impl Decoder for Rows {
    fn push_row(&mut self, changes: &[u32]) {
        let begin = self.values.len();
        self.values.resize(begin + self.width as usize, 255);
        let row = self.values.get_mut(begin..).unwrap_or_default();
        // White before the first change, black from there to the second, and so on.
        for run in changes.chunks(2) {
            let [from, to] = match run {
                [from, to] => [*from, *to],
                [from] => [*from, self.width],
                _ => return,
            };
            if let Some(black) = row.get_mut(from as usize..to.min(self.width) as usize) {
                black.fill(0);
            }
        }
    }
}
