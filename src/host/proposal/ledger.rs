//! What the ledger says of what shall be changed.

use chrono::NaiveDate;
use data_encoding::HEXLOWER;
use engine::{CaseId, Fault, Tx};
use serde_json::json;
use workflows::proposal::{Change, Columns};

use super::{Made, lacking, missing};
use crate::import::{columns_of_contract, columns_of_user, contract_of, user_of};
use crate::store::contracts::Contract;
use crate::store::users::{self, User};
use crate::store::{addresses, contracts, enrolment, holds, holidays, sessions, specimens, staff};

const CLOSED: &str = "closed";
const ACTIVE: &str = "active";
const DELETED: &str = "deleted";
/// What a new user enrols: what counts the entries is there from the beginning.
pub(super) const ENROLLED: [&str; 4] = ["retrieval", "login", "transaction", "one_time_password"];

/// What a change replaces, as JSON with the keys in order: at the approval it must still be so.
pub(super) async fn present(tx: &mut Tx, change: &Change) -> Result<serde_json::Value, Fault> {
    Ok(match change {
        Change::OpenAccount { login, .. }
        | Change::ChangeRoles { login, .. }
        | Change::CloseAccount { login }
        | Change::RenewSecrets { login } => match staff::find(tx, login).await? {
            None => json!(null),
            Some(row) => json!({
                "person": row.person, "name": row.name, "roles": row.roles, "active": row.active,
            }),
        },
        Change::OpenLinkedAccount { login, .. } | Change::LinkSubject { login, .. } => {
            match staff::find(tx, login).await? {
                None => json!(null),
                Some(row) => json!({
                    "person": row.person, "name": row.name, "active": row.active,
                    "issuer": row.issuer, "subject": row.subject,
                }),
            }
        }
        Change::Address { contract, .. } => {
            let id = contracts::id_of(tx, contract).await?;
            match addresses::current(tx, id.unwrap_or_default()).await? {
                None => json!(null),
                Some(row) => json!({
                    "version": row.version, "postal_code": row.postal_code, "address": row.address,
                }),
            }
        }
        Change::Specimen { contract, .. } => {
            let id = contracts::id_of(tx, contract).await?;
            let all = specimens::of_contract(tx, id.unwrap_or_default()).await?;
            let told = all.iter().map(|(from, to, digest)| {
                json!({ "from": from, "to": to, "digest": HEXLOWER.encode(digest) })
            });
            json!(told.collect::<Vec<_>>())
        }
        Change::AddContract { contract, .. }
        | Change::ChangeContract { contract, .. }
        | Change::CloseContract { contract } => {
            json!(contracts::find(tx, contract).await?.map(|row| columns_of_contract(&row)))
        }
        Change::AddUser { contract, user_id, .. }
        | Change::ChangeUser { contract, user_id, .. }
        | Change::CloseUser { contract, user_id } => {
            let found = user(tx, contract, user_id).await?;
            json!(found.map(|row| columns_of_user(contract, &row)))
        }
        Change::AddHoliday { day, .. } | Change::RemoveHoliday { day } => {
            match holidays::find(tx, day).await? {
                None => json!(null),
                Some(row) => json!({ "name": row.name, "source": row.source }),
            }
        }
        Change::PlaceHold { case, .. } => {
            let all = holds::of_case(tx, CaseId(*case)).await?;
            let live = all.into_iter().filter(|row| row.lifted_at.is_none());
            let references: Vec<String> = live.map(|row| row.reference).collect();
            json!({ "references": references })
        }
        Change::LiftHold { case, reference, .. } => {
            match holds::in_force(tx, *case, reference).await? {
                None => json!(null),
                Some(row) => json!({ "reason": row.reason, "placed_at": row.placed_at }),
            }
        }
    })
}

/// Whether what a change of the ledger is about is there.
pub(super) async fn found(tx: &mut Tx, change: &Change) -> Result<bool, Fault> {
    Ok(match change {
        Change::Address { contract, postal_code, address } => {
            is_open_contract(tx, contract).await?
                && !is_registered(tx, contract, postal_code, address).await?
        }
        Change::AddContract { contract, columns } => {
            is_contract(contract, columns) && contracts::find(tx, contract).await?.is_none()
        }
        Change::ChangeContract { contract, columns } => {
            let found = contracts::find(tx, contract).await?;
            let is_other = found
                .is_some_and(|row| row.status != CLOSED && columns_of_contract(&row) != *columns);
            is_contract(contract, columns) && is_other
        }
        Change::Specimen { contract, .. } | Change::CloseContract { contract } => {
            is_open_contract(tx, contract).await?
        }
        Change::AddUser { contract, user_id, columns } => {
            is_user(contract, user_id, columns)
                && is_open_contract(tx, contract).await?
                && user(tx, contract, user_id).await?.is_none()
        }
        Change::ChangeUser { contract, user_id, columns } => {
            let found = user(tx, contract, user_id).await?;
            let is_other = found.is_some_and(|row| {
                row.status == ACTIVE && columns_of_user(contract, &row) != *columns
            });
            is_user(contract, user_id, columns) && is_other
        }
        Change::CloseUser { contract, user_id } => {
            user(tx, contract, user_id).await?.is_some_and(|row| row.status == ACTIVE)
        }
        Change::AddHoliday { day, .. } => {
            day.parse::<NaiveDate>().is_ok() && holidays::find(tx, day).await?.is_none()
        }
        Change::RemoveHoliday { day } => holidays::find(tx, day).await?.is_some(),
        Change::PlaceHold { case, reference, .. } => {
            let kind = holds::kind_of(tx, *case).await?;
            let can_be_held = kind.is_some_and(|kind| holds::HELD_KINDS.contains(&kind.as_str()));
            can_be_held && holds::in_force(tx, *case, reference).await?.is_none()
        }
        Change::LiftHold { case, reference, .. } => {
            holds::in_force(tx, *case, reference).await?.is_some()
        }
        _ => false,
    })
}

/// An address that is registered already is no change, which would hold letters back.
async fn is_registered(
    tx: &mut Tx,
    number: &str,
    postal_code: &str,
    address: &str,
) -> Result<bool, Fault> {
    let Some(contract) = contracts::id_of(tx, number).await? else { return Ok(false) };
    let current = addresses::current(tx, contract).await?;
    Ok(current.is_some_and(|row| row.postal_code == postal_code && row.address == address))
}

async fn is_open_contract(tx: &mut Tx, number: &str) -> Result<bool, Fault> {
    Ok(contracts::find(tx, number).await?.is_some_and(|row| row.status != CLOSED))
}

async fn user(tx: &mut Tx, contract: &str, user_id: &str) -> Result<Option<User>, Fault> {
    let id = contracts::id_of(tx, contract).await?.unwrap_or_default();
    users::find(tx, id, user_id).await
}

/// Held to the rules of the lists; nobody closes a contract by changing it.
fn is_contract(number: &str, columns: &Columns) -> bool {
    contract_of(columns).is_ok_and(|row| row.number == number && row.status != CLOSED)
}

fn is_user(contract: &str, user_id: &str, columns: &Columns) -> bool {
    let is_of_it = columns.get("contract").is_some_and(|number| number == contract);
    is_of_it && user_of(columns).is_ok_and(|row| row.user_id == user_id && row.status == ACTIVE)
}

fn unsound(what: &'static str) -> impl Fn(Vec<crate::import::Problem>) -> Fault {
    move |_| lacking(what)
}

/// Writes a contract or a user as it was approved.
pub(super) async fn carry(tx: &mut Tx, change: Change, made: &Made) -> Result<(), Fault> {
    match change {
        Change::AddContract { columns, .. } | Change::ChangeContract { columns, .. } => {
            let row = contract_of(&columns).map_err(unsound("a contract"))?;
            contracts::save(tx, &row).await.map(drop)
        }
        Change::CloseContract { contract } => close_contract(tx, &contract).await,
        Change::AddUser { contract, user_id, columns } => {
            let id = save_user(tx, &contract, &columns).await?;
            let user = users::id_of(tx, id, &user_id).await?;
            let user = user.ok_or_else(|| missing("user", &user_id))?;
            for (kind, case) in ENROLLED.into_iter().zip(&made.numbers) {
                enrolment::add(tx, user, kind, *case, "").await?;
            }
            Ok(())
        }
        Change::ChangeUser { contract, columns, .. } => {
            save_user(tx, &contract, &columns).await.map(drop)
        }
        Change::CloseUser { contract, user_id } => {
            let row = user(tx, &contract, &user_id).await?;
            let row = row.ok_or_else(|| missing("user", &user_id))?;
            close_user(tx, &row).await
        }
        _ => Err(lacking("a contract or a user")),
    }
}

async fn save_user(tx: &mut Tx, contract: &str, columns: &Columns) -> Result<i64, Fault> {
    let id = contracts::id_of(tx, contract).await?;
    let id = id.ok_or_else(|| missing("contract", contract))?;
    let row = user_of(columns).map_err(unsound("a user"))?;
    users::save(tx, &User { contract_id: id, ..row }).await?;
    Ok(id)
}

/// Whoever is signed in is so no longer; the users stay, in case the closing was a mistake.
async fn close_contract(tx: &mut Tx, number: &str) -> Result<(), Fault> {
    let row = contracts::find(tx, number).await?.ok_or_else(|| missing("contract", number))?;
    contracts::save(tx, &Contract { status: CLOSED.to_owned(), ..row }).await?;
    let id = contracts::id_of(tx, number).await?.unwrap_or_default();
    for one in users::of_contract(tx, id).await? {
        if let Some(user) = users::id_of(tx, id, &one.user_id).await? {
            sessions::end_all(tx, user).await?;
        }
    }
    Ok(())
}

async fn close_user(tx: &mut Tx, row: &User) -> Result<(), Fault> {
    users::save(tx, &User { status: DELETED.to_owned(), ..row.clone() }).await?;
    if let Some(user) = users::id_of(tx, row.contract_id, &row.user_id).await? {
        sessions::end_all(tx, user).await?;
    }
    Ok(())
}
