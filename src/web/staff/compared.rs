//! Seals that were laid on their specimens, kept while their desks are open: one costs a core forty
//! milliseconds, and everybody at the queue has the same next case made ready.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::customer::Declined;

/// The file and the page in it that bears the seal, the specimen, and the masks that lie on the form.
pub(super) type SealKey = (Vec<u8>, i64, i64, Vec<i64>);
/// A comparison; `None` where one of the two has no ink.
pub(super) type Compared = Option<Arc<forms::seal::Alignment>>;
type Made = Arc<OnceCell<Compared>>;

/// How many are kept; the one that was asked for first makes room.
const KEPT: usize = 32;

/// Comparisons in the order in which they were first asked for.
#[derive(Default)]
pub struct Comparisons(Mutex<Vec<(SealKey, Made)>>);

impl Comparisons {
    /// The comparison under a key: made by whoever asks first, while others who ask wait for it.
    pub(super) async fn get(
        &self,
        key: SealKey,
        make: impl Future<Output = Result<Compared, Declined>>,
    ) -> Result<Compared, Declined> {
        let place = self.place_of(key);
        place.get_or_try_init(|| make).await.cloned()
    }

    fn place_of(&self, key: SealKey) -> Made {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, made)) = kept.iter().find(|(other, _)| *other == key) {
            return made.clone();
        }
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        let made = Made::default();
        kept.push((key, made.clone()));
        made
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn key(page: i64) -> SealKey {
        (vec![7; 32], page, 1, Vec::new())
    }

    /// Asks for a comparison of that page; counts when it is really made.
    async fn ask(kept: &Comparisons, page: i64, made: &AtomicUsize) -> Result<Compared, Declined> {
        let make = async {
            made.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(None)
        };
        kept.get(key(page), make).await
    }

    #[tokio::test]
    async fn of_many_who_ask_at_once_one_makes_it() {
        let (kept, made) = (Comparisons::default(), AtomicUsize::new(0));
        let all = tokio::join!(ask(&kept, 1, &made), ask(&kept, 1, &made), ask(&kept, 1, &made));
        assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok());
        ask(&kept, 1, &made).await.unwrap();
        assert_eq!(made.load(Ordering::SeqCst), 1);
        ask(&kept, 2, &made).await.unwrap();
        assert_eq!(made.load(Ordering::SeqCst), 2, "another page has a seal of its own");
    }

    #[tokio::test]
    async fn what_failed_is_made_anew_and_what_is_old_makes_room() {
        let (kept, made) = (Comparisons::default(), AtomicUsize::new(0));
        assert!(kept.get(key(0), async { Err(Declined::NotFound) }).await.is_err());
        for page in 0..=i64::try_from(KEPT).unwrap() {
            ask(&kept, page, &made).await.unwrap();
        }
        assert_eq!(made.load(Ordering::SeqCst), KEPT + 1);
        ask(&kept, 0, &made).await.unwrap();
        assert_eq!(made.load(Ordering::SeqCst), KEPT + 2, "the oldest was let go");
    }
}
