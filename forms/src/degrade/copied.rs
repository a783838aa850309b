//! Digits that people wrote, to be copied onto forms: MNIST's training part, which is never shipped.

use std::ops::Range;
use std::path::Path;
use std::{fs, io};

use super::Written;

/// Pictures of the set.
const COUNT: usize = 60_000;
/// Samples of a picture.
const SAMPLES: usize = 784;
/// What stands before the samples and the labels in their files (IDX).
const HEADS: [usize; 2] = [16, 8];

/// The set in its two files.
#[derive(Debug)]
pub struct Copied {
    pictures: Vec<u8>,
    labels: Vec<u8>,
}

impl Copied {
    /// Reads `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` of a folder.
    ///
    /// # Errors
    /// When one cannot be read, or is another file.
    pub fn load(folder: &Path) -> io::Result<Self> {
        let pictures = fs::read(folder.join("train-images-idx3-ubyte"))?;
        let labels = fs::read(folder.join("train-labels-idx1-ubyte"))?;
        if [pictures.len(), labels.len()] != [HEADS[0] + COUNT * SAMPLES, HEADS[1] + COUNT] {
            let reason = "these are not the 60,000 pictures of the training part";
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        Ok(Self { pictures, labels })
    }

    /// A picture and its digit.
    pub fn get(&self, index: usize) -> Option<(Written<'_>, u8)> {
        let from = HEADS[0] + index * SAMPLES;
        let samples = self.pictures.get(from..from + SAMPLES)?;
        Some((Written { samples }, *self.labels.get(HEADS[1] + index)?))
    }

    /// Some of them, in their order.
    pub fn part(&self, part: Range<usize>) -> impl Iterator<Item = (Written<'_>, u8)> {
        part.filter_map(|index| self.get(index))
    }
}
