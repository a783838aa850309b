//! JBIG2 (T.88) as a PDF embeds it, with the segments that pages share.

use hayro::hayro_syntax::object::Stream;
use hayro_jbig2::{DecodeSettings, Decoder, Globals, Page};

use super::{grey, invert, inverted, parameters};
use crate::fault::ReadFault;
use crate::scan::{Limits, PageImage, check_pixels};

pub(super) fn decode(
    stream: &Stream<'_>,
    data: &[u8],
    limits: &Limits,
) -> Result<Option<PageImage>, ReadFault> {
    let refused =
        |error: hayro_jbig2::DecodeError| ReadFault::Picture { reason: error.to_string() };
    let Some(inverted) = inverted(stream) else { return Ok(None) };
    let settings = DecodeSettings::default();
    let shared = parameters(stream).get::<Stream<'_>>("JBIG2Globals");
    let shared = shared.and_then(|shared| shared.decoded_data().ok());
    let globals = shared.map(|shared| Globals::new(&shared, &settings));
    let globals = globals.transpose().map_err(refused)?;
    let page = Page::new_embedded(data, globals.as_ref(), &settings).map_err(refused)?;
    let (width, height) = (page.width(), page.height());
    check_pixels(width, height, limits)?;
    let mut rows = Rows { values: Vec::with_capacity(width as usize * height as usize) };
    page.decode(&mut rows).map_err(refused)?;
    rows.values.resize(width as usize * height as usize, 255);
    if inverted {
        invert(&mut rows.values);
    }
    Ok(grey(width, height, rows.values))
}

/// Pixels as bytes, row by row.
struct Rows {
    values: Vec<u8>,
}

impl Decoder for Rows {
    fn push_pixel(&mut self, black: bool) {
        self.values.push(if black { 0 } else { 255 });
    }

    fn push_pixel_chunk(&mut self, black: bool, chunk_count: u32) {
        let more = self.values.len() + 8 * chunk_count as usize;
        self.values.resize(more, if black { 0 } else { 255 });
    }

    fn next_line(&mut self) {}
}
