//! The domain's SQL: one text for both databases, one module a table.

pub mod addresses;
pub mod cases;
pub mod contracts;
pub mod holidays;
pub mod mails;
pub mod saved;
pub mod specimens;
pub mod users;

use engine::{Db, Fault};
use sqlx::migrate::Migrator;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Brings the schema of an open database up to date.
pub async fn migrate(db: &Db) -> Result<(), Fault> {
    db.migrate(&SQLITE, &POSTGRES).await
}
