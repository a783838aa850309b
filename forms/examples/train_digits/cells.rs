//! Cells drawn once and kept in a file: copied digits, written ones, print, and what is no digit.

use std::path::Path;
use std::{fs, io};

use forms::degrade::{CellWear, Chance, Content, Copied, worn_cell};
use forms::learning::JUNK;

/// Which cells are drawn; shares in hundredths, what is left over is print.
pub(crate) struct Mixture {
    /// The name of their file.
    pub(crate) file: &'static str,
    /// The pictures that are copied: from, to.
    pub(crate) pictures: [usize; 2],
    /// Where their seeds begin.
    pub(crate) seed: u64,
    pub(crate) count: usize,
    pub(crate) copied: usize,
    pub(crate) hand: usize,
    pub(crate) junk: usize,
    /// The share that is worn gently.
    pub(crate) gentle: usize,
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Copied,
    Hand,
    Print,
    Junk,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Copied, Self::Hand, Self::Print, Self::Junk];
}

/// One cell.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'c> {
    pub(crate) input: &'c [u8],
    /// Class, kind, and whether it was worn gently.
    about: &'c [u8],
}

impl Cell<'_> {
    pub(crate) fn class(&self) -> usize {
        self.about.first().copied().map_or(0, usize::from)
    }

    pub(crate) fn kind(&self) -> Kind {
        let number = self.about.get(1).copied().map_or(0, usize::from);
        Kind::ALL.get(number).copied().unwrap_or(Kind::Junk)
    }

    pub(crate) fn gentle(&self) -> bool {
        self.about.get(2) == Some(&1)
    }
}

/// Samples of an input, and bytes of a cell.
const SAMPLES: usize = 784;
const SIZE: usize = SAMPLES + 3;

/// Cells, one after the other.
pub(crate) struct Cells {
    bytes: Vec<u8>,
}

impl Cells {
    pub(crate) fn draw(mixture: &Mixture, set: &Copied) -> Self {
        let mut bytes = Vec::with_capacity(mixture.count * SIZE);
        let mut seed = mixture.seed;
        let mut chance = Chance::new(seed ^ 0xC0FF_EE00);
        while bytes.len() < mixture.count * SIZE {
            seed += 1;
            let (content, about) = mixture.any(set, seed, &mut chance);
            let wear = if about[2] == 1 { CellWear::Gentle } else { CellWear::Hard };
            if let Some(input) = worn_cell(content, wear, seed) {
                bytes.extend(input);
                bytes.extend(about);
            }
        }
        Self { bytes }
    }

    pub(crate) fn save(&self, folder: &Path, mixture: &Mixture) -> io::Result<()> {
        fs::write(folder.join(mixture.file), &self.bytes)
    }

    pub(crate) fn load(folder: &Path, mixture: &Mixture) -> io::Result<Self> {
        Ok(Self { bytes: fs::read(folder.join(mixture.file))? })
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() / SIZE
    }

    pub(crate) fn get(&self, index: usize) -> Cell<'_> {
        cell(self.bytes.get(index * SIZE..(index + 1) * SIZE).unwrap_or_default())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Cell<'_>> + Clone {
        self.bytes.chunks_exact(SIZE).map(cell)
    }
}

fn cell(bytes: &[u8]) -> Cell<'_> {
    let (input, about) = bytes.split_at(bytes.len().min(SAMPLES));
    Cell { input, about }
}

impl Mixture {
    /// The content of the next cell, with its class, its kind and whether it is worn gently.
    fn any<'s>(&self, set: &'s Copied, seed: u64, chance: &mut Chance) -> (Content<'s>, [u8; 3]) {
        let digit = u8::try_from(chance.below(10)).unwrap_or(0);
        let [from, to] = self.pictures;
        let copied = set.get(from + chance.below(to - from));
        let (part, other) = (chance.below(100), chance.happens(0.5));
        let gentle = u8::from(chance.below(100) < self.gentle);
        // Writers are as many as cells; those of learning, tuning and report have other seeds.
        match copied {
            copied if part >= 100 - self.junk => {
                let struck = copied.map(|(written, _)| written).filter(|_| other);
                (Content::Junk(struck), [u8::try_from(JUNK).unwrap_or(10), 3, gentle])
            }
            Some((written, label)) if part < self.copied => {
                (Content::Copied(written), [label, 0, gentle])
            }
            _ if part < self.copied + self.hand => (Content::Hand(digit, seed), [digit, 1, gentle]),
            _ => (Content::Print(digit), [digit, 2, gentle]),
        }
    }
}
