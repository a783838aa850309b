//! Slows down whoever tries many sign-ins from one network address.
//!
//! It spares the processor, not the passwords: those are guarded by the credentials' own counts,
//! which are durable. So it may forget everything at a restart.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a window lasts.
const WINDOW: Duration = Duration::from_mins(1);
/// Addresses remembered at most; when there are more, old ones are forgotten.
const REMEMBERED: usize = 20_000;

/// Tries by network address in the window of each.
#[derive(Debug, Default)]
pub struct Throttle {
    places: Mutex<HashMap<String, (Instant, u32)>>,
}

impl Throttle {
    /// Counts a try; false when there were more than `most` within a minute. 0 allows any number.
    pub fn allows(&self, place: &str, most: u32, now: Instant) -> bool {
        if most == 0 {
            return true;
        }
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= REMEMBERED {
            places.retain(|_, (began, _)| now.duration_since(*began) < WINDOW);
        }
        let (began, count) = places.entry(place.to_owned()).or_insert((now, 0));
        if now.duration_since(*began) >= WINDOW {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_waits_for_the_next_minute_and_others_do_not() {
        let throttle = Throttle::default();
        let now = Instant::now();
        let allowed = |place, at| throttle.allows(place, 2, at);
        assert!(allowed("a", now) && allowed("a", now) && !allowed("a", now));
        assert!(allowed("b", now));
        assert!(allowed("a", now + WINDOW));
        assert!(throttle.allows("a", 0, now));
    }
}
