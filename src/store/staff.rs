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
}

/// Finds an account.
pub async fn find(tx: &mut Tx, login: &str) -> Result<Option<StaffRow>, Fault> {
    const SQL: &str = "SELECT person, login, name, roles FROM staff WHERE login = $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(login).fetch_optional(conn).await)
        .map_err(Fault::database("read staff"))
}
