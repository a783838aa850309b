//! Rows against each other and the ledger, written in one transaction.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use engine::{CaseId, Fault, Moment, Tx};
use sha2::{Digest, Sha256};

use super::codes::Hashed;
use super::files::Kind;
use super::rows::{
    CardRow, CredentialRow, Ledger, Place, Placed, Secret, SpecimenRow, StaffRow, UserRow,
};
use super::{Counts, ImportFault, Problem};
use crate::dates::JAPAN;
use crate::secret::Keys;
use crate::staffing::SEED_PURPOSE;
use crate::store::addresses::{self, Address};
use crate::store::codes::NewCode;
use crate::store::saved::Saved;
use crate::store::specimens::{self, Specimen};
use crate::store::users::User;
use crate::store::{cards, codes, contracts, enrolment, holidays, staff, users};

/// Writes a ledger into an open transaction.
pub(super) struct Writer<'k> {
    keys: &'k Keys,
    numbers: Vec<CaseId>,
    /// The enrolment codes among the credentials, by their place in the list.
    hashed: &'k BTreeMap<usize, Hashed>,
    /// How many case numbers were missing; nothing may be committed unless it is zero.
    pub(super) lacking: u64,
    pub(super) counts: BTreeMap<&'static str, Counts>,
    pub(super) problems: Vec<Problem>,
}

fn ledger(source: Fault) -> ImportFault {
    ImportFault::Ledger { source }
}

impl<'k> Writer<'k> {
    pub(super) fn new(
        keys: &'k Keys,
        numbers: Vec<CaseId>,
        hashed: &'k BTreeMap<usize, Hashed>,
    ) -> Self {
        let (counts, problems) = (BTreeMap::new(), Vec::new());
        Self { keys, numbers, hashed, lacking: 0, counts, problems }
    }

    /// Brings every row to its place, in the order in which they refer to each other.
    pub(super) async fn write(&mut self, tx: &mut Tx, rows: &Ledger) -> Result<(), ImportFault> {
        for one in &rows.contracts {
            let saved = contracts::save(tx, &one.row).await.map_err(ledger)?;
            self.count(Kind::Contracts, saved);
        }
        for one in &rows.addresses {
            let Some(contract_id) = self.contract(tx, &one.row.contract, &one.place).await? else {
                continue;
            };
            let row = Address {
                contract_id,
                version: 0,
                postal_code: one.row.postal_code.clone(),
                address: one.row.address.clone(),
                changed_at: midnight(one.row.changed_on).0,
            };
            let saved = addresses::save(tx, &row).await.map_err(ledger)?;
            self.count(Kind::Addresses, saved);
        }
        for one in &rows.users {
            let contract = &one.row.contract;
            let Some(contract_id) = self.contract(tx, contract, &one.place).await? else {
                continue;
            };
            let row = User { contract_id, ..one.row.user.clone() };
            let saved = users::save(tx, &row).await.map_err(ledger)?;
            self.count(Kind::Users, saved);
            if let Some(user) = users::id_of(tx, contract_id, &row.user_id).await.map_err(ledger)? {
                // The retrieval password comes later; what counts its entries is there from now.
                self.enrol(tx, user, "retrieval", None).await?;
            }
        }
        for one in &rows.specimens {
            self.specimen(tx, one).await?;
        }
        for one in &rows.staff {
            self.staff(tx, &one.row).await?;
        }
        for one in &rows.holidays {
            let saved = holidays::save(tx, one.row.0, &one.row.1).await.map_err(ledger)?;
            self.count(Kind::Holidays, saved);
        }
        for (index, one) in rows.credentials.iter().enumerate() {
            self.credential(tx, index, one).await?;
        }
        for one in &rows.users {
            self.await_enrolment(tx, one).await?;
        }
        for one in &rows.cards {
            self.card(tx, one).await?;
        }
        Ok(())
    }

    /// What the lists do not bring, the user enrols: what counts its entries is there from now.
    async fn await_enrolment(
        &mut self,
        tx: &mut Tx,
        one: &Placed<UserRow>,
    ) -> Result<(), ImportFault> {
        let number = &one.row.contract;
        let Some(contract) = contracts::id_of(tx, number).await.map_err(ledger)? else {
            return Ok(());
        };
        let user_id = &one.row.user.user_id;
        if let Some(user) = users::id_of(tx, contract, user_id).await.map_err(ledger)? {
            for kind in ["login", "transaction", "one_time_password"] {
                self.enrol(tx, user, kind, None).await?;
            }
        }
        Ok(())
    }

    async fn card(&mut self, tx: &mut Tx, one: &Placed<CardRow>) -> Result<(), ImportFault> {
        let row = &one.row;
        let (purpose, bound_to) = (cards::STOCK_PURPOSE, row.serial.as_bytes());
        let found = cards::find(tx, &row.serial).await.map_err(ledger)?;
        let saved = match &found {
            None => Saved::New,
            Some(card) => match self.keys.open(purpose, bound_to, &card.sealed) {
                Ok(seed) if seed == row.seed => Saved::Same,
                _ => Saved::Changed,
            },
        };
        if saved == Saved::Changed && found.is_some_and(|card| card.user_id.is_some()) {
            self.refuse(
                &one.place,
                "seed",
                "このカードは登録済みです。別の種にすることはできません。",
                "this card is registered: its seed cannot be changed",
            );
            return Ok(());
        }
        let sealed = self.keys.seal(purpose, bound_to, &row.seed);
        let sealed = sealed.map_err(|source| ImportFault::Seal { source })?;
        cards::save(tx, &row.serial, &sealed, saved).await.map_err(ledger)?;
        self.count(Kind::Cards, saved);
        Ok(())
    }

    /// Secrets follow the account; the same password again leaves both as they are.
    async fn staff(&mut self, tx: &mut Tx, row: &StaffRow) -> Result<(), ImportFault> {
        let saved = enrolment::save_staff(tx, &row.person, &row.login, &row.name, &row.roles);
        let mut saved = saved.await.map_err(ledger)?;
        if let Some((password, seed)) = &row.secrets {
            let found = staff::secrets(tx, &row.login).await.map_err(ledger)?;
            if found.is_none_or(|found| found.password != **password) {
                let sealed = self.keys.seal(SEED_PURPOSE, row.login.as_bytes(), seed);
                let sealed = sealed.map_err(|source| ImportFault::Seal { source })?;
                let seed = BASE64.encode(&sealed);
                staff::keep_secrets(tx, &row.login, password, &seed).await.map_err(ledger)?;
                if saved == Saved::Same {
                    saved = Saved::Changed;
                }
            }
        }
        if let Some((issuer, subject)) = &row.link
            && self.link(tx, &row.login, issuer, subject).await?
            && saved == Saved::Same
        {
            saved = Saved::Changed;
        }
        self.count(Kind::Staff, saved);
        Ok(())
    }

    /// One person of the identity provider is one account.
    async fn link(
        &self,
        tx: &mut Tx,
        login: &str,
        issuer: &str,
        subject: &str,
    ) -> Result<bool, ImportFault> {
        match staff::linked(tx, issuer, subject).await.map_err(ledger)? {
            Some(holder) if holder.login == login => Ok(false),
            Some(holder) => {
                let (login, holder) = (login.to_owned(), holder.login);
                Err(ImportFault::Linked { login, holder })
            }
            None => {
                staff::link(tx, login, issuer, subject).await.map_err(ledger)?;
                Ok(true)
            }
        }
    }

    /// A code waits until whoever serves the enrolments makes it live.
    async fn code(&mut self, tx: &mut Tx, index: usize, user: i64) -> Result<Saved, ImportFault> {
        match self.hashed.get(&index) {
            None | Some(Hashed::Known) => Ok(Saved::Same),
            Some(Hashed::New { verifier, key_id, command_id }) => {
                let new = NewCode {
                    user,
                    command_id,
                    issued_by: "import",
                    source: "imported",
                    state: "taken",
                    verifier,
                    key_id,
                    display: None,
                };
                codes::insert(tx, &new).await.map_err(ledger)?;
                Ok(Saved::New)
            }
        }
    }

    async fn specimen(
        &mut self,
        tx: &mut Tx,
        one: &Placed<SpecimenRow>,
    ) -> Result<(), ImportFault> {
        let row = &one.row;
        let Some(contract_id) = self.contract(tx, &row.contract, &one.place).await? else {
            return Ok(());
        };
        let digest = Sha256::digest(&row.picture).to_vec();
        let bound_to = specimens::sealing_data(&row.contract, &digest);
        let picture = self
            .keys
            .seal(specimens::PURPOSE, &bound_to, &row.picture)
            .map_err(|source| ImportFault::Seal { source })?;
        let specimen = Specimen {
            contract_id,
            valid_from: row.valid_from.to_string(),
            valid_to: row.valid_to.map(|day| day.to_string()),
            digest,
            picture,
        };
        let saved = specimens::save(tx, &specimen).await.map_err(ledger)?;
        self.count(Kind::Specimens, saved);
        Ok(())
    }

    async fn credential(
        &mut self,
        tx: &mut Tx,
        index: usize,
        one: &Placed<CredentialRow>,
    ) -> Result<(), ImportFault> {
        let row = &one.row;
        let Some(contract_id) = self.contract(tx, &row.contract, &one.place).await? else {
            return Ok(());
        };
        let Some(user) = users::id_of(tx, contract_id, &row.user_id).await.map_err(ledger)? else {
            self.refuse(
                &one.place,
                "user_id",
                "この利用者は登録されていません。利用者の一覧に加えてください。",
                "no such user: add them to the list of users",
            );
            return Ok(());
        };
        let saved = match row.secret {
            Secret::Code(_) => self.code(tx, index, user).await?,
            _ => self.enrol(tx, user, row.kind, Some(row)).await?,
        };
        self.count(Kind::Credentials, saved);
        Ok(())
    }

    /// Brings a credential to a secret; without one, sees to it that there is a row.
    async fn enrol(
        &mut self,
        tx: &mut Tx,
        user: i64,
        kind: &str,
        row: Option<&CredentialRow>,
    ) -> Result<Saved, ImportFault> {
        let found = enrolment::secret(tx, user, kind).await.map_err(ledger)?;
        if let Some(found) = found {
            let Some(row) = row.filter(|row| !self.is_same(row, &found)) else {
                return Ok(Saved::Same);
            };
            let secret = self.stored_form(row)?;
            enrolment::replace(tx, user, kind, &secret).await.map_err(ledger)?;
            return Ok(Saved::Changed);
        }
        let Some(case) = self.numbers.pop() else {
            self.lacking += 1;
            return Ok(Saved::New);
        };
        let secret = row.map_or(Ok(String::new()), |row| self.stored_form(row))?;
        enrolment::add(tx, user, kind, case, &secret).await.map_err(ledger)?;
        Ok(Saved::New)
    }

    fn is_same(&self, row: &CredentialRow, stored: &str) -> bool {
        match &row.secret {
            Secret::Hash(hash) => hash.as_str() == stored,
            Secret::Code(_) => false,
            // Sealing differs each time, so the seeds themselves are compared.
            Secret::Seed(seed) => BASE64
                .decode(stored.as_bytes())
                .ok()
                .and_then(|sealed| {
                    let bound_to = enrolment::seed_sealing_data(&row.contract, &row.user_id);
                    self.keys.open(enrolment::SEED_PURPOSE, &bound_to, &sealed).ok()
                })
                .is_some_and(|found| found == *seed),
        }
    }

    fn stored_form(&self, row: &CredentialRow) -> Result<String, ImportFault> {
        match &row.secret {
            Secret::Hash(hash) => Ok(hash.to_string()),
            // Codes are kept by themselves, hashed.
            Secret::Code(_) => Ok(String::new()),
            Secret::Seed(seed) => {
                let bound_to = enrolment::seed_sealing_data(&row.contract, &row.user_id);
                self.keys
                    .seal(enrolment::SEED_PURPOSE, &bound_to, seed)
                    .map(|sealed| BASE64.encode(&sealed))
                    .map_err(|source| ImportFault::Seal { source })
            }
        }
    }

    /// The row of a contract number; a problem when the ledger has none.
    async fn contract(
        &mut self,
        tx: &mut Tx,
        number: &str,
        place: &Place,
    ) -> Result<Option<i64>, ImportFault> {
        let found = contracts::id_of(tx, number).await.map_err(ledger)?;
        if found.is_none() {
            self.refuse(
                place,
                "contract",
                "この契約は登録されていません。契約の一覧に加えてください。",
                "no such contract: add it to the list of contracts",
            );
        }
        Ok(found)
    }

    fn refuse(&mut self, place: &Place, column: &str, ja: &str, en: &str) {
        self.problems.push(Problem {
            file: place.file.clone(),
            line: place.line,
            column: column.to_owned(),
            ja: ja.to_owned(),
            en: en.to_owned(),
        });
    }

    fn count(&mut self, kind: Kind, saved: Saved) {
        self.counts.entry(kind.name()).or_default().add(saved);
    }
}

/// The beginning of a day in Japan.
fn midnight(day: chrono::NaiveDate) -> Moment {
    let at = day.and_time(chrono::NaiveTime::MIN).and_local_timezone(JAPAN).single();
    at.map_or(Moment(0), |at| at.with_timezone(&chrono::Utc).into())
}
