//! Finding cases by what people say on the phone: a name, its reading, or any number.

use engine::Fault;

use crate::app::App;
use crate::fold::folded;
use crate::store::search::{self, Found};
use crate::store::submissions::{self, EnvelopeLine};

/// Users folded in one transaction.
const BATCH: i64 = 500;

impl App {
    /// Folds the names of users that are new or have changed.
    pub async fn fold_names(&self) -> Result<(), Fault> {
        loop {
            let mut tx = self.tools.db.write().await?;
            let missing = search::missing(&mut tx, BATCH).await?;
            for (user, text) in &missing {
                let words: Vec<String> = text.lines().map(folded).collect();
                search::keep(&mut tx, *user, &words.join(" ")).await?;
            }
            tx.commit().await?;
            if missing.is_empty() {
                return Ok(());
            }
        }
    }

    /// The envelope of a form or of a receipt, by its number.
    pub async fn envelope_asked(&self, asked: &str) -> Result<Option<EnvelopeLine>, Fault> {
        let plain = crate::text::to_half_width(asked.trim()).to_uppercase();
        let mut tx = self.tools.db.read().await?;
        if plain.starts_with("UR") {
            return submissions::by_receipt(&mut tx, &plain).await;
        }
        match number_in(asked) {
            Some(number) => submissions::envelope(&mut tx, number).await,
            None => Ok(None),
        }
    }

    /// Cases that fit what was asked; numbers of cases may bear their era year.
    pub async fn search(&self, asked: &str) -> Result<Vec<Found>, Fault> {
        let mut terms = asked.split_whitespace().map(folded).filter(|term| !term.is_empty());
        let terms: [String; 3] = std::array::from_fn(|_| terms.next().unwrap_or_default());
        let [first, second, third] = &terms;
        if first.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.tools.db.read().await?;
        if second.is_empty()
            && let Some(number) = number_in(asked)
        {
            let found = search::by_number(&mut tx, number, &number.to_string()).await?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        search::by_words(&mut tx, [first, second, third]).await
    }
}

/// The number that somebody types: digits with signs between them, or after an era year.
pub(super) fn number_in(asked: &str) -> Option<i64> {
    let plain = crate::text::to_half_width(asked.trim());
    let after_era = plain.strip_prefix(['R', 'r']).and_then(|rest| rest.split_once('-'));
    let digits: String = after_era
        .map_or(plain.as_str(), |(_, number)| number)
        .chars()
        .filter(|letter| !matches!(letter, '-' | ' '))
        .collect();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::number_in;

    #[test]
    fn numbers_are_found_as_people_write_them() {
        for (asked, number) in [
            ("R8-001204", Some(1204)),
            ("r8-1204", Some(1204)),
            ("１２０４", Some(1204)),
            ("1234-5678-903", Some(12_345_678_903)),
            ("青葉", None),
            ("", None),
        ] {
            assert_eq!(number_in(asked), number, "{asked}");
        }
    }
}
