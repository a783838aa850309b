//! Secrets of credentials as an import writes them; their counters are cases of the engine.

use engine::{CaseId, Fault, Tx, on};

/// What the seeds of one-time-password cards are sealed for.
pub const SEED_PURPOSE: &str = "card seed";

/// What a sealed seed is bound to: contract number and user ID.
pub fn seed_sealing_data(contract_number: &str, user_id: &str) -> Vec<u8> {
    format!("{contract_number}/{user_id}").into_bytes()
}

/// The stored secret of a user and kind: PHC string, sealed seed in Base64, or empty.
pub async fn secret(tx: &mut Tx, user: i64, kind: &str) -> Result<Option<String>, Fault> {
    const SQL: &str = "SELECT secret FROM credentials WHERE user_id = $1 AND kind = $2";
    on!(tx, |conn| sqlx::query_scalar(SQL).bind(user).bind(kind).fetch_optional(conn).await)
        .map_err(Fault::database("read a credential"))
}

/// Adds a credential whose case is opened afterwards under `case`.
pub async fn add(
    tx: &mut Tx,
    user: i64,
    kind: &str,
    case: CaseId,
    secret: &str,
) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO credentials (user_id, kind, case_id, secret, last_step) \
         VALUES ($1,$2,$3,$4,0)";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(user)
        .bind(kind)
        .bind(case.0)
        .bind(secret)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("add a credential"))
}

/// Puts another secret in the place of the stored one, which is awaited when there is none. The
/// last accepted time step stays: a spent one-time password must never become fresh.
pub async fn replace(tx: &mut Tx, user: i64, kind: &str, secret: &str) -> Result<(), Fault> {
    const SQL: &str = "UPDATE credentials SET secret = $3, brought = (secret = '') \
         WHERE user_id = $1 AND kind = $2";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(user)
        .bind(kind)
        .bind(secret)
        .execute(conn)
        .await
        .map(drop))
    .map_err(Fault::database("replace a secret"))
}

/// Brings an account of the bank's staff to this form.
pub async fn save_staff(
    tx: &mut Tx,
    person: &str,
    login: &str,
    name: &str,
    roles: &str,
) -> Result<super::saved::Saved, Fault> {
    const FIND: &str = "SELECT person, name, roles FROM staff WHERE login = $1";
    const SQL: &str = "INSERT INTO staff (person, login, name, roles) VALUES ($1,$2,$3,$4) \
         ON CONFLICT (login) DO UPDATE SET person = excluded.person, name = excluded.name, \
         roles = excluded.roles";
    let found: Option<(String, String, String)> =
        on!(tx, |conn| sqlx::query_as(FIND).bind(login).fetch_optional(conn).await)
            .map_err(Fault::database("read staff"))?;
    let wanted = (person.to_owned(), name.to_owned(), roles.to_owned());
    let saved = super::saved::Saved::of(found.as_ref(), &wanted);
    if saved != super::saved::Saved::Same {
        on!(tx, |conn| sqlx::query(SQL)
            .bind(person)
            .bind(login)
            .bind(name)
            .bind(roles)
            .execute(conn)
            .await
            .map(drop))
        .map_err(Fault::database("save staff"))?;
    }
    Ok(saved)
}
