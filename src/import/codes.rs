//! Enrolment codes of an import are hashed before the transaction: hashing is slow by design.

use std::collections::BTreeMap;

use engine::{Db, Fault};
use zeroize::Zeroizing;

use super::ImportFault;
use super::rows::{Ledger, Secret};
use crate::host::CODE_PEPPER;
use crate::secret::{EnrolmentCode, HashCost, Keys, hash_password, verify_password};
use crate::store::{codes, contracts, users};

/// A code of the list.
pub(super) enum Hashed {
    /// An import has brought it before, whatever became of it.
    Known,
    /// It is new.
    New {
        /// PHC string.
        verifier: String,
        /// Id of the pepper's key.
        key_id: String,
        /// The command under which it is stored.
        command_id: String,
    },
}

/// Hashes the codes among the credentials, by their place in the list.
pub(super) async fn hash(
    db: &Db,
    keys: &Keys,
    cost: HashCost,
    ledger: &Ledger,
) -> Result<BTreeMap<usize, Hashed>, ImportFault> {
    let mut hashed = BTreeMap::new();
    for (index, one) in ledger.credentials.iter().enumerate() {
        let Secret::Code(code) = &one.row.secret else { continue };
        let (contract, user_id) = (&one.row.contract, &one.row.user_id);
        let before = imported(db, contract, user_id)
            .await
            .map_err(|source| ImportFault::Ledger { source })?;
        hashed.insert(index, judge(keys, cost, code, before).await?);
    }
    Ok(hashed)
}

async fn imported(db: &Db, contract: &str, user_id: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut tx = db.read().await?;
    let Some(contract) = contracts::id_of(&mut tx, contract).await? else { return Ok(Vec::new()) };
    let Some(user) = users::id_of(&mut tx, contract, user_id).await? else {
        return Ok(Vec::new());
    };
    codes::imported(&mut tx, user).await
}

async fn judge(
    keys: &Keys,
    cost: HashCost,
    code: &EnrolmentCode,
    before: Vec<(String, String)>,
) -> Result<Hashed, ImportFault> {
    let (keys, characters) = (keys.clone(), Zeroizing::new(code.expose_ascii().to_vec()));
    let judged = tokio::task::spawn_blocking(move || {
        for (verifier, key_id) in &before {
            let pepper = Some((&keys, key_id.as_str(), CODE_PEPPER));
            if verify_password(pepper, &characters, verifier)? {
                return Ok(Hashed::Known);
            }
        }
        let mut nonce = [0; 16];
        (keys.entropy())(&mut nonce);
        let key_id = keys.current_id().to_owned();
        let verifier =
            hash_password(keys.entropy(), Some((&keys, CODE_PEPPER)), &characters, cost)?;
        let command_id = format!("imported-{}", data_encoding::HEXLOWER.encode(&nonce));
        Ok(Hashed::New { verifier, key_id, command_id })
    });
    let failed = |error| ImportFault::Ledger { source: Fault::host("hash a code")(error) };
    judged.await.map_err(failed)?.map_err(|source| ImportFault::Seal { source })
}
