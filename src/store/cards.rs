//! One-time-password cards in stock, and seeds that were offered to an authenticator.

use engine::{Fault, Tx, on};

use super::saved::Saved;

/// What the seeds of cards in stock are sealed for.
pub const STOCK_PURPOSE: &str = "card stock";
/// What an offered seed is sealed for.
pub const OFFER_PURPOSE: &str = "card offer";

/// A card as the stock keeps it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CardRow {
    /// Printed on its back.
    pub serial: String,
    /// The seed, sealed; bound to the serial number.
    pub sealed: Vec<u8>,
    /// Who has registered it.
    pub user_id: Option<i64>,
}

/// Finds a card by what is printed on its back.
pub async fn find(tx: &mut Tx, serial: &str) -> Result<Option<CardRow>, Fault> {
    const SQL: &str = "SELECT serial, sealed, user_id FROM cards WHERE serial = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(serial).fetch_optional(conn).await)
        .map_err(Fault::database("find a card"))
}

/// Brings a card in stock to this seed.
pub async fn save(tx: &mut Tx, serial: &str, sealed: &[u8], saved: Saved) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO cards (serial, sealed) VALUES ($1,$2) \
         ON CONFLICT (serial) DO UPDATE SET sealed = excluded.sealed";
    if saved == Saved::Same {
        return Ok(());
    }
    on!(tx, |conn| sqlx::query(SQL).bind(serial).bind(sealed).execute(conn).await.map(drop))
        .map_err(Fault::database("save a card"))
}

/// Registers a card to a user; false when somebody else has it.
pub async fn register(tx: &mut Tx, serial: &str, user: i64) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE cards SET user_id = $2, registered_at = $3 \
         WHERE serial = $1 AND (user_id IS NULL OR user_id = $2)";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(serial)
        .bind(user)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("register a card"))
}

/// A seed that was offered: the digest of the cookie to which it is sealed, and the seed.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Offer {
    /// SHA-256 of the cookie.
    pub holder: Vec<u8>,
    /// Sealed to the cookie.
    pub sealed: Vec<u8>,
    /// When it was offered.
    pub offered_at: i64,
}

/// The seed that is offered to a user at present.
pub async fn offer(tx: &mut Tx, user: i64) -> Result<Option<Offer>, Fault> {
    const SQL: &str = "SELECT holder, sealed, offered_at FROM card_offers WHERE user_id = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(user).fetch_optional(conn).await)
        .map_err(Fault::database("read an offered card"))
}

/// Offers a seed; an earlier one is withdrawn.
pub async fn make_offer(
    tx: &mut Tx,
    user: i64,
    holder: &[u8; 32],
    sealed: &[u8],
) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO card_offers (user_id, holder, sealed, offered_at) \
         VALUES ($1,$2,$3,$4) ON CONFLICT (user_id) DO UPDATE SET holder = excluded.holder, \
         sealed = excluded.sealed, offered_at = excluded.offered_at";
    let now = tx.now().0;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(user)
        .bind(holder.as_slice())
        .bind(sealed)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("offer a card"))
}

/// Withdraws what is offered to a user.
pub async fn withdraw_offer(tx: &mut Tx, user: i64) -> Result<(), Fault> {
    const SQL: &str = "DELETE FROM card_offers WHERE user_id = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(user).execute(conn).await.map(drop))
        .map_err(Fault::database("withdraw an offered card"))
}
