//! What stands before the scan: sizes, tables, components.

use super::Channel;
use super::bits::Huffman;
use super::transform::{Reach, scales};

/// Pixels along the longer side of a picture as fine as 170 dots an inch.
const FINE: u16 = 2000;

/// A component of the picture.
pub(super) struct Component {
    id: u8,
    /// Blocks of it in a unit, across and down.
    pub(super) wide: u8,
    pub(super) high: u8,
    quantised: u8,
    tables: [u8; 2],
    pub(super) is_luma: bool,
    /// How many of the frequencies of its blocks are looked at.
    pub(super) reach: Reach,
}

/// A picture of the usual kind, as far as its scan.
pub(super) struct Header<'d> {
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) components: Vec<Component>,
    /// Units between restart markers; zero for none.
    pub(super) restart: u32,
    /// What follows the header of the scan.
    pub(super) data: &'d [u8],
    /// By the table of quantisers: what coefficients are multiplied with, in both reaches.
    scales: [Option<Box<[[f32; 64]; 2]>>; 4],
    dc: [Option<Huffman>; 4],
    ac: [Option<Huffman>; 4],
}

impl<'d> Header<'d> {
    /// None for anything that is not one interleaved baseline scan in grey or `YCbCr`.
    pub(super) fn read(bytes: &'d [u8]) -> Option<Self> {
        let mut header = Self {
            width: 0,
            height: 0,
            components: Vec::new(),
            restart: 0,
            data: &[],
            scales: [const { None }; 4],
            dc: [const { None }; 4],
            ac: [const { None }; 4],
        };
        let mut rest = bytes.strip_prefix(b"\xFF\xD8")?;
        loop {
            let (marker, segment, after) = segment(rest)?;
            rest = after;
            match marker {
                0xC0 | 0xC1 => header.frame(segment)?,
                0xC4 => header.codes(segment)?,
                0xDB => header.quantisers(segment)?,
                0xDD => header.restart = number(segment.get(..2)?),
                0xDA => {
                    header.scan(segment)?;
                    header.data = rest;
                    return Some(header);
                }
                // Adobe's colours that are not YCbCr; other frames; the end.
                0xEE if is_other_colour(segment) => return None,
                0xC2..=0xCF | 0xD8 | 0xD9 => return None,
                _ => {}
            }
        }
    }

    fn frame(&mut self, segment: &[u8]) -> Option<()> {
        let [8, h0, h1, w0, w1, count, components @ ..] = segment else { return None };
        if !self.components.is_empty() || !matches!(count, 1 | 3) {
            return None;
        }
        self.height = u16::from_be_bytes([*h0, *h1]);
        self.width = u16::from_be_bytes([*w0, *w1]);
        for (index, part) in components.chunks_exact(3).take(usize::from(*count)).enumerate() {
            let [id, sampling, quantised] = part else { return None };
            let (wide, high) = (sampling >> 4, sampling & 15);
            self.components.push(Component {
                id: *id,
                wide,
                high,
                quantised: *quantised,
                tables: [0; 2],
                is_luma: index == 0,
                reach: Reach::Whole,
            });
        }
        self.is_usual().then_some(())
    }

    /// Brightness in full, colour as coarse or coarser, and not by the names of red, green and blue.
    fn is_usual(&mut self) -> bool {
        match self.components.as_mut_slice() {
            [only] => {
                // A scan of one component is not interleaved: its blocks lie row by row.
                (only.wide, only.high) = (1, 1);
                true
            }
            [luma, blue, red] => {
                let named = [luma.id, blue.id, red.id] == *b"RGB";
                let sizes = [1, 2, 4].contains(&luma.wide) && [1, 2].contains(&luma.high);
                let coarse = [&blue, &red].iter().all(|part| (part.wide, part.high) == (1, 1));
                // Colour as fine as brightness is finer than seals need.
                if (luma.wide, luma.high) == (1, 1) && self.width.max(self.height) >= FINE {
                    (blue.reach, red.reach) = (Reach::Half, Reach::Half);
                }
                !named && sizes && coarse
            }
            _ => false,
        }
    }

    fn codes(&mut self, mut segment: &[u8]) -> Option<()> {
        while let [kind, rest @ ..] = segment {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let total = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, rest) = rest.split_at_checked(total)?;
            let tables = match kind >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return None,
            };
            *tables.get_mut(usize::from(kind & 15))? = Some(Huffman::new(counts, symbols)?);
            segment = rest;
        }
        Some(())
    }

    fn quantisers(&mut self, mut segment: &[u8]) -> Option<()> {
        while let [kind, rest @ ..] = segment {
            let wide = match kind >> 4 {
                0 => 1,
                1 => 2,
                _ => return None,
            };
            let (values, rest) = rest.split_at_checked(64 * wide)?;
            let values: Vec<u32> = values.chunks_exact(wide).map(number).collect();
            let slot = self.scales.get_mut(usize::from(kind & 15))?;
            *slot = Some(Box::new([scales(&values, Reach::Whole)?, scales(&values, Reach::Half)?]));
            segment = rest;
        }
        Some(())
    }

    fn scan(&mut self, segment: &[u8]) -> Option<()> {
        let [count, rest @ ..] = segment else { return None };
        if usize::from(*count) != self.components.len() {
            return None;
        }
        for (part, component) in rest.chunks_exact(2).zip(&mut self.components) {
            let [id, tables] = part else { return None };
            if *id != component.id {
                return None;
            }
            component.tables = [tables >> 4, tables & 15];
        }
        // A height of zero is told after the scan; nobody writes that.
        (self.width > 0 && self.height > 0).then_some(())
    }

    /// Units across and down.
    pub(super) fn units(&self) -> (usize, usize) {
        let (across, down) = self.unit();
        let count = |pixels: u16, side: usize| usize::from(pixels).div_ceil(side * super::SIDE);
        (count(self.width, across), count(self.height, down))
    }

    /// How many samples of brightness share one of colour, across and down.
    pub(super) fn coarseness(&self) -> (usize, usize) {
        let (across, down) = self.unit();
        let halved = self.components.last().is_some_and(|last| last.reach == Reach::Half);
        if halved { (across * 2, down * 2) } else { (across, down) }
    }

    /// Blocks of brightness in a unit, across and down.
    fn unit(&self) -> (usize, usize) {
        let luma = self.components.first();
        luma.map_or((1, 1), |luma| (usize::from(luma.wide), usize::from(luma.high)))
    }

    pub(super) fn channel(&self, component: &Component) -> Option<Channel<'_>> {
        let [dc, ac] = component.tables.map(usize::from);
        Some(Channel {
            dc: self.dc.get(dc)?.as_ref()?,
            ac: self.ac.get(ac)?.as_ref()?,
            scales: {
                let [whole, half] =
                    self.scales.get(usize::from(component.quantised))?.as_deref()?;
                if component.reach == Reach::Half { half } else { whole }
            },
            before: 0,
        })
    }
}

fn is_other_colour(segment: &[u8]) -> bool {
    segment.starts_with(b"Adobe") && segment.get(11) != Some(&1)
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte))
}

/// The next marker, what belongs to it, and what follows.
fn segment(mut bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    // Fill bytes may stand before a marker.
    bytes = bytes.strip_prefix(b"\xFF")?;
    while let [0xFF, rest @ ..] = bytes {
        bytes = rest;
    }
    let (marker, rest) = bytes.split_first()?;
    if matches!(marker, 0x01 | 0xD0..=0xD9) {
        return Some((*marker, &[], rest));
    }
    let length = number(rest.get(..2)?) as usize;
    let (segment, after) = rest.split_at_checked(length)?;
    Some((*marker, segment.get(2..)?, after))
}
