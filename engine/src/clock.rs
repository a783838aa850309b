//! Moments, and where they come from.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat, Utc};

/// A moment: microseconds since 1970-01-01 UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Moment(pub i64);

impl Moment {
    /// The machine's clock.
    pub fn of_this_machine() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// So many seconds after 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Whole seconds since 1970.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Later by `span`; stays at the end of time rather than overflow.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Earlier by `span`.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero when the clock was set back meanwhile.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same as a date of `chrono`; `None` outside its range.
    pub fn utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0)
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(date: DateTime<Utc>) -> Self {
        Self(date.timestamp_micros())
    }
}

impl Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.utc() {
            Some(date) => f.write_str(&date.to_rfc3339_opts(SecondsFormat::Micros, true)),
            None => write!(f, "{} µs", self.0),
        }
    }
}

/// Where the engine reads the time, once a transaction.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The database server's clock (for SQLite, this machine's): all nodes agree.
    Database,
    /// A hand-set clock, for tests and rehearsals.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A hand-set clock that stands at `moment`.
    pub fn manual(moment: Moment) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(moment.0)))
    }

    /// Moves a hand-set clock; a database clock cannot be moved and stays.
    pub fn advance(&self, span: Duration) {
        if let Self::Manual(at) = self {
            at.fetch_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// What a hand-set clock shows; `None` when the database has to be asked.
    pub(crate) fn set_time(&self) -> Option<Moment> {
        match self {
            Self::Database => None,
            Self::Manual(at) => Some(Moment(at.load(Ordering::SeqCst))),
        }
    }
}

/// Fills a buffer with random bytes; an argument everywhere, so that tests can fix it.
pub type Entropy = Arc<dyn Fn(&mut [u8]) + Send + Sync>;
