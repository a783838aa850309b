//! The bits of a JPEG's scan, and the codes in them (T.81, annexes C and F).

/// Codes no longer than this are found in one look.
const FAST: u32 = 10;

/// A reader of bits that takes stuffed zeros out and ends at a marker.
pub(super) struct Bits<'d> {
    data: &'d [u8],
    at: usize,
    /// What was read and not used yet, from the highest bit on.
    held: u64,
    /// How many bits are held.
    count: u32,
    /// How many bits were made up beyond the end of the data.
    beyond: u32,
}

impl<'d> Bits<'d> {
    pub(super) fn new(data: &'d [u8]) -> Self {
        Self { data, at: 0, held: 0, count: 0, beyond: 0 }
    }

    /// At least 32 bits are held afterwards: enough for a code and its value.
    #[inline]
    pub(super) fn fill(&mut self) {
        if self.count >= 32 {
            return;
        }
        let ahead = self.data.get(self.at..).and_then(<[u8]>::first_chunk::<4>);
        if let Some(ahead) = ahead {
            let word = u32::from_be_bytes(*ahead);
            // No byte of all ones: a byte plus one overflows only then.
            let ones = word & 0x8080_8080 & !word.wrapping_add(0x0101_0101);
            if ones == 0 {
                self.held |= u64::from(word) << (32 - self.count);
                self.count += 32;
                self.at += 4;
                return;
            }
        }
        self.fill_slowly();
    }

    #[cold]
    fn fill_slowly(&mut self) {
        while self.count <= 56 {
            let byte = match (self.data.get(self.at), self.data.get(self.at + 1)) {
                (Some(0xFF), Some(0)) => {
                    self.at += 2;
                    0xFF
                }
                // A marker, or the end: zeros without end, of which none may be used.
                (Some(0xFF) | None, _) => {
                    self.beyond += 8;
                    0
                }
                (Some(byte), _) => {
                    self.at += 1;
                    *byte
                }
            };
            self.held |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    #[inline]
    fn take(&mut self, count: u32) {
        self.held <<= count;
        self.count = self.count.saturating_sub(count);
    }

    /// The next bits as a number; up to sixteen of them.
    #[inline]
    fn peek(&self, count: u32) -> u32 {
        // Only so many bits are left as fit.
        u32::try_from(self.held >> 48).unwrap_or(0) >> (16 - count.min(16))
    }

    /// A value of so many bits, negative ones below (T.81, F.2.2.1).
    #[inline]
    pub(super) fn signed(&mut self, size: u8) -> i32 {
        let size = u32::from(size);
        let value = self.peek(size).cast_signed();
        self.take(size);
        extended(value, size)
    }

    /// Whether bits were used that are not in the data.
    #[inline]
    fn is_spent(&self) -> bool {
        self.beyond > self.count
    }

    /// Goes on after the next restart marker; none where the scan ends instead.
    pub(super) fn restart(&mut self) -> Option<()> {
        loop {
            match (self.data.get(self.at)?, self.data.get(self.at + 1)?) {
                (0xFF, 0xD0..=0xD7) => break,
                (0xFF, 0 | 0xFF) => self.at += 1,
                (0xFF, _) => return None,
                _ => self.at += 1,
            }
        }
        *self = Self { at: self.at + 2, ..Self::new(self.data) };
        Some(())
    }
}

#[inline]
fn extended(value: i32, size: u32) -> i32 {
    if size > 0 && value < 1 << (size - 1) { value - (1 << size) + 1 } else { value }
}

/// A table of codes.
pub(super) struct Huffman {
    /// Length and symbol of the code that so many bits begin with.
    fast: Box<[(u8, u8); 1 << FAST]>,
    /// Length, run and value where the value fits in as well.
    whole: Box<[(u8, u8, i16); 1 << FAST]>,
    /// For every length from one: the first code beyond, moved to sixteen bits.
    beyond: [u32; 17],
    /// For every length: what is taken from a code to find its symbol.
    offset: [i32; 17],
    symbols: Vec<u8>,
}

impl Huffman {
    /// From the counts of codes of each length, and the symbols in order; none when they contradict.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut table = Self {
            fast: Box::new([(0, 0); 1 << FAST]),
            whole: Box::new([(0, 0, 0); 1 << FAST]),
            beyond: [0; 17],
            offset: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut index) = (0_u32, 0_usize);
        for (length, count) in (1_u32..).zip(counts) {
            *table.offset.get_mut(length as usize)? =
                i32::try_from(index).ok()? - i32::try_from(code).ok()?;
            for _ in 0..*count {
                table.enter(code, length, *symbols.get(index)?)?;
                code += 1;
                index += 1;
            }
            if code > 1 << length {
                return None;
            }
            *table.beyond.get_mut(length as usize)? = code << (16 - length);
            code <<= 1;
        }
        table.add_values();
        Some(table)
    }

    fn enter(&mut self, code: u32, length: u32, symbol: u8) -> Option<()> {
        if length > FAST {
            return Some(());
        }
        let first = (code << (FAST - length)) as usize;
        let places = self.fast.get_mut(first..first + (1 << (FAST - length)))?;
        places.fill((u8::try_from(length).ok()?, symbol));
        Some(())
    }

    /// Short codes with short values are decoded in one look.
    fn add_values(&mut self) {
        for (bits, (entry, (length, symbol))) in
            (0_u32..).zip(self.whole.iter_mut().zip(self.fast.iter()))
        {
            let (length, run, size) = (u32::from(*length), symbol >> 4, u32::from(symbol & 15));
            if length == 0 || size == 0 || length + size > FAST {
                continue;
            }
            let value = bits >> (FAST - length - size) & ((1 << size) - 1);
            let value = extended(value.cast_signed(), size);
            if let (Ok(length), Ok(value)) = (u8::try_from(length + size), i16::try_from(value)) {
                *entry = (length, run, value);
            }
        }
    }

    /// The next symbol; none beyond the data, or where no code is.
    #[inline]
    pub(super) fn symbol(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let (length, symbol) = *self.fast.get(bits.peek(FAST) as usize)?;
        if length > 0 {
            bits.take(u32::from(length));
            return (!bits.is_spent()).then_some(symbol);
        }
        let code = bits.peek(16);
        let length = (FAST + 1..=16).find(|length| {
            self.beyond.get(*length as usize).is_some_and(|beyond| code < *beyond)
        })?;
        let code = (code >> (16 - length)).cast_signed();
        let index = code + *self.offset.get(length as usize)?;
        bits.take(length);
        let symbol = *self.symbols.get(usize::try_from(index).ok()?)?;
        (!bits.is_spent()).then_some(symbol)
    }

    /// The next coefficient: how many zeros lie before it, and its value. A value of zero ends the
    /// block, or stands for sixteen zeros.
    #[inline]
    pub(super) fn coefficient(&self, bits: &mut Bits<'_>) -> Option<(usize, i32)> {
        let (length, run, value) = *self.whole.get(bits.peek(FAST) as usize)?;
        if length > 0 {
            bits.take(u32::from(length));
            return (!bits.is_spent()).then_some((usize::from(run), i32::from(value)));
        }
        let symbol = self.symbol(bits)?;
        let value = bits.signed(symbol & 15);
        Some((usize::from(symbol >> 4), value))
    }
}
