//! The bank's people.

use engine::{Fault, Tx, on};

/// An account of a member of staff.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StaffRow {
    /// The person: two accounts of one person have the same.
    pub person: String,
    /// The account.
    pub login: String,
    /// The name.
    pub name: String,
    /// Roles, comma-separated.
    pub roles: String,
    /// Whether it may sign in at all.
    pub active: bool,
    /// The identity provider that knows it; empty when none does.
    pub issuer: String,
    /// As whom.
    pub subject: String,
}

/// What an account proves itself with, and how often that failed.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StaffSecrets {
    /// PHC string; empty while there is none.
    pub password: String,
    /// The card's seed, sealed, in Base64; empty while there is none.
    pub seed: String,
    /// The last accepted time step of the card.
    pub last_step: i64,
}

/// Finds an account.
pub async fn find(tx: &mut Tx, login: &str) -> Result<Option<StaffRow>, Fault> {
    const SQL: &str = "SELECT person, login, name, roles, active, issuer, subject FROM staff \
         WHERE login = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(login).fetch_optional(conn).await)
        .map_err(Fault::database("read staff"))
}

/// The account that an identity provider knows as somebody.
pub async fn linked(tx: &mut Tx, issuer: &str, subject: &str) -> Result<Option<StaffRow>, Fault> {
    const SQL: &str = "SELECT person, login, name, roles, active, issuer, subject FROM staff \
         WHERE issuer = $1 AND subject = $2 AND subject <> ''";
    on!(tx, |conn| sqlx::query_as(SQL).bind(issuer).bind(subject).fetch_optional(conn).await)
        .map_err(Fault::database("read staff"))
}

/// Notes as whom an identity provider knows an account; an empty subject is nobody.
pub async fn link(tx: &mut Tx, login: &str, issuer: &str, subject: &str) -> Result<(), Fault> {
    const SQL: &str = "UPDATE staff SET issuer = $2, subject = $3 WHERE login = $1";
    let issuer = if subject.is_empty() { "" } else { issuer };
    on!(tx, |conn| sqlx::query(SQL)
        .bind(login)
        .bind(issuer)
        .bind(subject)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("save staff"))
}

/// Every account, in the order of their logins.
pub async fn all(tx: &mut Tx) -> Result<Vec<StaffRow>, Fault> {
    const SQL: &str = "SELECT person, login, name, roles, active, issuer, subject FROM staff \
         ORDER BY login";
    on!(tx, |conn| sqlx::query_as(SQL).fetch_all(conn).await).map_err(Fault::database("read staff"))
}

/// What an account proves itself with.
pub async fn secrets(tx: &mut Tx, login: &str) -> Result<Option<StaffSecrets>, Fault> {
    const SQL: &str = "SELECT password, seed, last_step FROM staff WHERE login = $1 AND active";
    on!(tx, |conn| sqlx::query_as(SQL).bind(login).fetch_optional(conn).await)
        .map_err(Fault::database("read staff"))
}

/// Accepts a time step of the card, each once only.
pub async fn accept(tx: &mut Tx, login: &str, step: i64) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE staff SET last_step = $2 \
         WHERE login = $1 AND last_step < $2 AND active";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(login)
        .bind(step)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(Fault::database("accept an entry"))
}

/// Gives an account its password and card. The last accepted time step stays: a spent number must
/// never become fresh.
pub async fn keep_secrets(
    tx: &mut Tx,
    login: &str,
    password: &str,
    seed: &str,
) -> Result<(), Fault> {
    const SQL: &str = "UPDATE staff SET password = $2, seed = $3 WHERE login = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(login)
        .bind(password)
        .bind(seed)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("save staff"))
}

/// Lets an account sign in, or no longer.
pub async fn set_active(tx: &mut Tx, login: &str, active: bool) -> Result<(), Fault> {
    const SQL: &str = "UPDATE staff SET active = $2 WHERE login = $1";
    on!(tx, |conn| sqlx::query(SQL).bind(login).bind(active).execute(conn).await.map(drop))
        .map_err(Fault::database("save staff"))
}

/// Whether some other person administers the system with an account that may sign in.
pub async fn others_administer(tx: &mut Tx, person: &str) -> Result<bool, Fault> {
    const SQL: &str = "SELECT COUNT(*) FROM staff WHERE person <> $1 AND active \
         AND ',' || roles || ',' LIKE '%,system_administrator,%'";
    let count: i64 = on!(tx, |conn| sqlx::query_scalar(SQL).bind(person).fetch_one(conn).await)
        .map_err(Fault::database("read staff"))?;
    Ok(count > 0)
}
