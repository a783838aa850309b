//! Cases by names and numbers.

use engine::{Fault, Tx, on};

use super::queue::CaseHead;

/// Users whose words are not folded yet, with what they are made of.
pub async fn missing(tx: &mut Tx, limit: i64) -> Result<Vec<(i64, String)>, Fault> {
    const SQL: &str = "SELECT u.id, u.name || '\n' || u.kana || '\n' || k.company || '\n' || \
         k.company_kana || '\n' || u.user_id || '\n' || k.number \
         FROM users u JOIN contracts k ON k.id = u.contract_id \
         WHERE NOT EXISTS (SELECT 1 FROM folded f WHERE f.user_id = u.id) ORDER BY u.id LIMIT $1";
    on!(tx, |conn| sqlx::query_as(SQL).bind(limit).fetch_all(conn).await)
        .map_err(Fault::database("read names"))
}

/// Keeps the folded words of a user.
pub async fn keep(tx: &mut Tx, user: i64, words: &str) -> Result<(), Fault> {
    const SQL: &str = "INSERT INTO folded (user_id, words) VALUES ($1,$2) \
         ON CONFLICT (user_id) DO UPDATE SET words = excluded.words";
    on!(tx, |conn| sqlx::query(SQL).bind(user).bind(words).execute(conn).await.map(drop))
        .map_err(Fault::database("keep names"))
}

/// Forgets the folded words of a contract's users, because a name has changed.
pub async fn forget(tx: &mut Tx, contract_number: &str) -> Result<(), Fault> {
    const SQL: &str = "DELETE FROM folded WHERE user_id IN (SELECT u.id FROM users u \
         JOIN contracts k ON k.id = u.contract_id WHERE k.number = $1)";
    on!(tx, |conn| sqlx::query(SQL).bind(contract_number).execute(conn).await.map(drop))
        .map_err(Fault::database("forget names"))
}

/// A case that was found.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Found {
    /// The case.
    #[sqlx(flatten)]
    pub head: CaseHead,
    /// When anything was last recorded.
    pub changed_at: i64,
}

macro_rules! found {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.workflow, c.state_name, c.opened_at, c.changed_at, u.name, u.user_id, \
             k.company FROM cases c JOIN users u ON c.subject = 'user-' || u.id \
             JOIN contracts k ON k.id = u.contract_id ",
            $rest
        )
    };
}

/// Users looked at for one question.
const USERS: i64 = 300;
/// Cases shown.
pub const SHOWN: i64 = 50;

/// The newest cases of users whose words hold all three terms; an empty one holds for everybody.
pub async fn by_words(tx: &mut Tx, terms: [&str; 3]) -> Result<Vec<Found>, Fault> {
    const SQL: &str = found!(
        "WHERE u.id IN (SELECT user_id FROM folded WHERE words LIKE '%' || $1 || '%' \
         AND words LIKE '%' || $2 || '%' AND words LIKE '%' || $3 || '%' LIMIT $4) \
         AND c.workflow IN ('paper', 'clerical', 'self_service', 'delegated', 'enrolment') \
         ORDER BY c.id DESC LIMIT $5"
    );
    let [first, second, third] = terms;
    on!(tx, |conn| sqlx::query_as(SQL)
        .bind(first)
        .bind(second)
        .bind(third)
        .bind(USERS)
        .bind(SHOWN)
        .fetch_all(conn)
        .await)
    .map_err(Fault::database("search cases"))
}

/// Cases by a number of their own, of their form or of their letter.
pub async fn by_number(tx: &mut Tx, number: i64, text: &str) -> Result<Vec<Found>, Fault> {
    const SQL: &str = found!(
        "WHERE c.id IN (SELECT $1 UNION SELECT case_id FROM items WHERE submission = $1 \
         UNION SELECT case_id FROM letters WHERE tracking = $2) \
         AND c.workflow <> 'credential' ORDER BY c.id DESC LIMIT $3"
    );
    on!(tx, |conn| sqlx::query_as(SQL).bind(number).bind(text).bind(SHOWN).fetch_all(conn).await)
        .map_err(Fault::database("search cases"))
}

/// Somebody of a contract, as people ask for them on the phone.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Customer {
    /// The user's row.
    pub id: i64,
    /// The name.
    pub name: String,
    /// Nine digits.
    pub user_id: String,
    /// The company.
    pub company: String,
    /// `active` or `deleted`.
    pub status: String,
}

/// Users whose words hold all three terms; an empty one holds for everybody.
pub async fn customers(tx: &mut Tx, terms: [&str; 3]) -> Result<Vec<Customer>, Fault> {
    const SQL: &str = "SELECT u.id, u.name, u.user_id, k.company, u.status FROM users u \
         JOIN contracts k ON k.id = u.contract_id WHERE u.id IN (SELECT user_id FROM folded \
         WHERE words LIKE '%' || $1 || '%' AND words LIKE '%' || $2 || '%' \
         AND words LIKE '%' || $3 || '%' LIMIT $4) ORDER BY u.user_id LIMIT $4";
    let [first, second, third] = terms;
    on!(tx, |conn| sqlx::query_as(SQL)
        .bind(first)
        .bind(second)
        .bind(third)
        .bind(SHOWN)
        .fetch_all(conn)
        .await)
    .map_err(Fault::database("search customers"))
}

/// Whom a case, a form or a letter with that number is about.
pub async fn customers_by_number(
    tx: &mut Tx,
    number: i64,
    text: &str,
) -> Result<Vec<Customer>, Fault> {
    const SQL: &str = "SELECT DISTINCT u.id, u.name, u.user_id, k.company, u.status FROM cases c \
         JOIN users u ON c.subject = 'user-' || u.id JOIN contracts k ON k.id = u.contract_id \
         WHERE c.id IN (SELECT $1 UNION SELECT case_id FROM items WHERE submission = $1 \
         UNION SELECT case_id FROM letters WHERE tracking = $2) \
         AND c.workflow <> 'credential' ORDER BY u.user_id LIMIT $3";
    on!(tx, |conn| sqlx::query_as(SQL).bind(number).bind(text).bind(SHOWN).fetch_all(conn).await)
        .map_err(Fault::database("search customers"))
}

/// The newest cases of a user.
pub async fn of_user(tx: &mut Tx, user: i64) -> Result<Vec<Found>, Fault> {
    const SQL: &str = found!(
        "WHERE u.id = $1 \
         AND c.workflow IN ('paper', 'clerical', 'self_service', 'delegated', 'enrolment') \
         ORDER BY c.id DESC LIMIT $2"
    );
    on!(tx, |conn| sqlx::query_as(SQL).bind(user).bind(SHOWN).fetch_all(conn).await)
        .map_err(Fault::database("read cases"))
}
