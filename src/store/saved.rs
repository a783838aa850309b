//! What writing a row of the ledger came to.

/// A row brought to a wanted form: written, changed, or found so already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// There was none.
    New,
    /// There was one with other values.
    Changed,
    /// There was one with exactly these values; nothing was written.
    Same,
}

impl Saved {
    /// What must happen, given what was found.
    pub(crate) fn of<T: PartialEq>(found: Option<&T>, wanted: &T) -> Self {
        match found {
            None => Self::New,
            Some(found) if found == wanted => Self::Same,
            Some(_) => Self::Changed,
        }
    }
}
