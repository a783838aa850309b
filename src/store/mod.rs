//! The domain's SQL: one text for both databases, one module a table.

pub mod addresses;
pub mod arrivals;
pub mod cards;
pub mod cases;
pub mod certificates;
pub mod claims;
pub mod codes;
pub mod contracts;
pub mod copies;
pub mod credentials;
pub mod enrolling;
pub mod enrolment;
pub mod expiries;
pub mod figures;
pub mod filters;
pub mod holds;
pub mod holidays;
pub mod impressions;
pub mod letters;
pub mod mails;
pub mod masks;
pub mod overview;
pub mod passwords;
pub mod pictures;
pub mod proposals;
pub mod queue;
pub mod reissues;
pub mod saved;
pub mod search;
pub mod sessions;
pub mod sheets;
pub mod sign_ins;
pub mod specimens;
pub mod staff;
pub mod staff_sessions;
pub mod standing;
pub mod submissions;
pub mod tasks;
pub mod tracking;
pub mod users;

use engine::{Db, Fault};
use sqlx::migrate::Migrator;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Brings the schema of an open database up to date.
pub async fn migrate(db: &Db) -> Result<(), Fault> {
    db.migrate(&SQLITE, &POSTGRES).await
}
