//! One-time-password cards: from the bank's stock by serial number, or an authenticator.

use std::fmt::Write as _;

use data_encoding::{BASE32_NOPAD, BASE64};
use engine::{Fault, Moment};
use workflows::credential::Kind;
use zeroize::Zeroizing;

use super::{Declined, Enrolling, Entry, Session};
use crate::app::App;
use crate::host::{Judged, Replacement};
use crate::secret::{OneTimeCard, Ticket, Token};
use crate::store::cards::{self, OFFER_PURPOSE, STOCK_PURPOSE};
use crate::store::{enrolment, users};

/// A seed as an authenticator takes it.
pub struct CardSecret {
    /// In Base32, groups of four.
    pub base32: Zeroizing<String>,
    /// `otpauth://…`, for a QR code drawn on the page.
    pub uri: Zeroizing<String>,
}

/// A new card, with what proves that its holder has it.
#[derive(Clone, Copy)]
pub enum NewCard<'a> {
    /// From the bank's stock.
    Serial {
        /// Printed on its back.
        serial: &'a str,
        /// What it shows.
        first: &'a str,
        /// What it shows next.
        second: &'a str,
    },
    /// The authenticator to which a seed was offered.
    Secret {
        /// What it shows.
        code: &'a str,
    },
}

/// A seed that was proven, its time step, and its serial number.
type Proven = (Zeroizing<Vec<u8>>, u64, Option<String>);

/// What binds an offered seed to its place: version and user.
fn offer_place(user: i64) -> Vec<u8> {
    format!("1/card/{user}").into_bytes()
}

impl App {
    /// A seed for an authenticator. The same browser is shown the same one until it is confirmed,
    /// so that a reload does no harm; nobody else ever sees it.
    pub async fn begin_card_secret(&self, at: &Enrolling) -> Result<CardSecret, Declined> {
        self.offer_card(at.user, &at.token).await
    }

    /// As [`App::begin_card_secret`], for a signed-in user whose card shall be replaced.
    pub async fn begin_replacement_secret(
        &self,
        session: &Session,
        ticket: &Ticket,
    ) -> Result<CardSecret, Declined> {
        self.offer_card(session.user, ticket).await
    }

    async fn offer_card(&self, user: i64, holder: &Token) -> Result<CardSecret, Declined> {
        let seed = match self.offered_seed(user, holder).await? {
            Some(seed) => seed,
            None => {
                let mut seed = Zeroizing::new(vec![0; 20]);
                (self.tools.entropy)(&mut seed);
                let (bytes, place) = (holder.expose_bytes(), offer_place(user));
                let sealed = self.tools.keys.seal_for(OFFER_PURPOSE, bytes, &place, &seed);
                let sealed = sealed.map_err(Fault::host("seal a card's seed"))?;
                let mut tx = self.tools.db.write().await?;
                cards::make_offer(&mut tx, user, &holder.digest(), &sealed).await?;
                tx.commit().await?;
                seed
            }
        };
        let mut tx = self.tools.db.read().await?;
        let row = users::by_id(&mut tx, user).await?.ok_or(Declined::NotFound)?;
        Ok(shown(&self.tools.config.house.bank, &row.user_id, &seed))
    }

    async fn offered_seed(
        &self,
        user: i64,
        holder: &Token,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Declined> {
        let mut tx = self.tools.db.read().await?;
        let offer = cards::offer(&mut tx, user).await?;
        let now = tx.now();
        drop(tx);
        let minutes = u64::from(self.tools.rules.enrolment_window_minutes);
        let window = std::time::Duration::from_secs(60 * minutes);
        let Some(offer) = offer.filter(|offer| {
            offer.holder == holder.digest() && Moment(offer.offered_at).plus(window) > now
        }) else {
            return Ok(None);
        };
        let place = offer_place(user);
        let opened =
            self.tools.keys.open_for(OFFER_PURPOSE, holder.expose_bytes(), &place, &offer.sealed);
        Ok(Some(opened.map_err(Fault::host("open a card's seed"))?))
    }

    /// Registers a card of the bank's stock: two numbers, shown one after the other, prove that it
    /// is at hand. Wrong ones are counted like wrong codes.
    pub async fn register_card_by_serial(
        &self,
        at: &Enrolling,
        serial: &str,
        first: &str,
        second: &str,
    ) -> Result<(), Declined> {
        self.register_card(at, &NewCard::Serial { serial, first, second }).await
    }

    /// Registers the authenticator to which a seed was offered.
    pub async fn confirm_card_secret(&self, at: &Enrolling, code: &str) -> Result<(), Declined> {
        self.register_card(at, &NewCard::Secret { code }).await
    }

    async fn register_card(&self, at: &Enrolling, card: &NewCard<'_>) -> Result<(), Declined> {
        let counter = self.charge_here(at).await?;
        let proven = self.prove(at.user, &at.token, card).await?;
        self.settle_here(&counter, proven.is_some()).await?;
        let (replacement, step) = self.stored(at.user, proven.ok_or(Declined::Wrong)?).await?;
        let judged = Judged { replacement: Some(replacement), step: Some(step), password: None };
        self.enrol_here(at, Kind::OneTimePassword, judged).await
    }

    /// Replaces the card of a signed-in user, who proves both: the present one is charged and
    /// judged like every entry. Without the present card, an enrolment code is the way.
    pub async fn replace_card(
        &self,
        session: &Session,
        ticket: &Ticket,
        present: &str,
        card: &NewCard<'_>,
    ) -> Result<(), Declined> {
        let proven = self.prove(session.user, ticket, card).await?.ok_or(Declined::Wrong)?;
        let replacement = self.stored(session.user, proven).await?;
        let entry = Entry {
            user: session.user,
            kind: Kind::OneTimePassword,
            actor: session.actor(),
            origin: session.origin(),
            session: session.id,
            secret: present.as_bytes(),
            csr: None,
        };
        self.enter_for(entry, Some(replacement)).await.map(drop)
    }

    /// The seed of a new card whose holder has it in hand; `None` when that is not proven.
    async fn prove(
        &self,
        user: i64,
        holder: &Token,
        card: &NewCard<'_>,
    ) -> Result<Option<Proven>, Declined> {
        let now = self.tools.db.now().await?.seconds();
        let seconds = u64::try_from(now).unwrap_or_default();
        let broken = Fault::host("read a card's seed");
        match card {
            NewCard::Serial { serial, first, second } => {
                let serial = serial_form(serial);
                let mut tx = self.tools.db.read().await?;
                let row = cards::find(&mut tx, &serial).await?;
                drop(tx);
                // A card that somebody else has is answered like one that does not exist.
                let Some(row) = row.filter(|row| row.user_id.is_none_or(|own| own == user)) else {
                    return Ok(None);
                };
                let keys = &self.tools.keys;
                let seed = keys.open(STOCK_PURPOSE, serial.as_bytes(), &row.sealed);
                let seed = seed.map_err(&broken)?;
                let shown = OneTimeCard::new(&seed).map_err(&broken)?;
                let step = shown.step_of_two(first, second, seconds);
                Ok(step.map(|step| (seed, step, Some(serial))))
            }
            NewCard::Secret { code } => {
                let Some(seed) = self.offered_seed(user, holder).await? else { return Ok(None) };
                let shown = OneTimeCard::new(&seed).map_err(&broken)?;
                let step = shown.step_of(code, seconds);
                Ok(step.map(|step| (seed, step, None)))
            }
        }
    }

    /// A proven seed in the form in which it is stored.
    async fn stored(
        &self,
        user: i64,
        (seed, step, card): Proven,
    ) -> Result<(Replacement, i64), Declined> {
        let bound_to = self.seed_sealing_data(user).await?;
        let sealed = self.tools.keys.seal(enrolment::SEED_PURPOSE, &bound_to, &seed);
        let sealed = sealed.map_err(Fault::host("seal a card's seed"))?;
        let secret = Zeroizing::new(BASE64.encode(&sealed));
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        Ok((Replacement { secret, judged: None, card }, step))
    }
}

/// A serial number as the stock keeps it: capital letters and digits, without separators.
pub(crate) fn serial_form(typed: &str) -> String {
    let half = crate::text::to_half_width(typed);
    let kept = half.chars().filter(char::is_ascii_alphanumeric).take(40);
    kept.map(|letter| letter.to_ascii_uppercase()).collect()
}

fn shown(bank: &str, user_id: &str, seed: &[u8]) -> CardSecret {
    let plain = Zeroizing::new(BASE32_NOPAD.encode(seed));
    let mut base32 = Zeroizing::new(String::with_capacity(plain.len() * 2));
    for (at, letter) in plain.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            base32.push(' ');
        }
        base32.push(letter);
    }
    let issuer = percent(bank);
    let uri = format!(
        "otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}&digits=6&period=30",
        percent(user_id),
        plain.as_str()
    );
    CardSecret { base32, uri: Zeroizing::new(uri) }
}

/// For a URI: everything but the unreserved characters (RFC 3986, 2.3) is encoded.
fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_shown_as_authenticators_take_it() {
        let secret = shown("サンプル銀行", "010429003", b"12345678901234567890");
        assert_eq!(*secret.base32, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(
            *secret.uri,
            "otpauth://totp/%E3%82%B5%E3%83%B3%E3%83%97%E3%83%AB%E9%8A%80%E8%A1%8C:010429003?\
             secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=\
             %E3%82%B5%E3%83%B3%E3%83%97%E3%83%AB%E9%8A%80%E8%A1%8C&digits=6&period=30"
        );
    }

    #[test]
    fn serial_numbers_are_read_as_they_are_typed() {
        assert_eq!(serial_form("ab-１２３ 456"), "AB123456");
    }
}
