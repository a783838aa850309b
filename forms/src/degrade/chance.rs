//! A small generator (xorshift64*) whose numbers are the same on every machine.

use crate::raster::real;

/// Numbers that follow from a seed.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The sequence of a seed; neighbouring seeds have nothing in common.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Near enough a normal distribution: the sum of four bytes, freed of its mean.
    pub(crate) fn gauss(&mut self) -> f32 {
        let bytes = self.next().to_be_bytes();
        let sum: f32 = bytes.iter().take(4).map(|byte| f32::from(*byte)).sum();
        (sum - 510.0) / (real(2) * 73.9)
    }

    /// Evenly from 0 to 1.
    pub fn part(&mut self) -> f32 {
        let [high, low, ..] = self.next().to_be_bytes();
        (f32::from(u16::from_be_bytes([high, low])) + 0.5) / 65_536.0
    }

    /// Evenly between two bounds.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.part()
    }

    /// Whether something of that share happens.
    pub fn happens(&mut self, share: f32) -> bool {
        self.part() < share
    }

    /// A number below `most`, which is small.
    pub fn below(&mut self, most: usize) -> usize {
        let most = u64::try_from(most.max(1)).unwrap_or(1);
        usize::try_from((self.next() >> 20) % most).unwrap_or(0)
    }

    /// One of several.
    pub fn pick<'t, T>(&mut self, from: &'t [T]) -> Option<&'t T> {
        from.get(self.below(from.len()))
    }
}
