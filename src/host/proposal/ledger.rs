//! What the ledger says of what shall be changed.

use chrono::NaiveDate;
use data_encoding::HEXLOWER;
use engine::{CaseId, Fault, Tx};
use serde_json::json;
use workflows::proposal::Change;

use crate::store::{addresses, contracts, holds, holidays, specimens, staff};

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
        Change::Address { contract, .. } | Change::Specimen { contract, .. } => {
            contracts::find(tx, contract).await?.is_some_and(|row| row.status != "closed")
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
