//! The host of changes that two people make: what they change stands in the ledger.

use std::sync::Arc;

use chrono::NaiveDate;
use data_encoding::HEXLOWER;
use engine::{
    ActorId, Addressed, Answer, Ask, CaseId, Engine, Failure, Fault, Hand, Host, Note, Origin,
    Parcel, Tx, Write,
};
use workflows::proposal::{Change, Command, Effect, Facts, Job, Matter, Notice, Proposal, State};
use workflows::terms::{Role, Rules, Signal};

use super::account::{is_administrator, login_of_subject};
use super::{Missing, Tools, reissue};
use crate::staffing::{Fresh, KeptSecrets, fresh_secrets, roles_of};
use crate::store::addresses::{self, Address};
use crate::store::holds::{self, HoldRow};
use crate::store::holidays::{self, Holiday};
use crate::store::proposals::{self, Kept, ProposalRow};
use crate::store::specimens::{self, Specimen};
use crate::store::{contracts, enrolment, sign_ins, staff, staff_sessions};

mod ledger;

use ledger::{found, present};

/// Serves the proposals.
pub struct ProposalHost {
    tools: Arc<Tools>,
    engine: Engine,
}

/// The picture of a specimen that is proposed, as it came.
pub type Picture = Option<Vec<u8>>;

/// What is made before a transition.
#[derive(Default)]
pub struct Made {
    picture: Option<Vec<u8>>,
    secrets: Option<KeptSecrets>,
    sealed_password: Vec<u8>,
    sealed_seed: Vec<u8>,
    /// For the cases of a new user's credentials.
    numbers: Vec<CaseId>,
}

/// What the halves of fresh secrets are sealed for.
pub(crate) const PASSWORD_HALF: &str = "staff password to be taken";
/// See [`PASSWORD_HALF`].
pub(crate) const SEED_HALF: &str = "staff card to be taken";

/// What a half is bound to.
pub(crate) fn half_place(case: CaseId) -> Vec<u8> {
    format!("proposal-{case}").into_bytes()
}

/// The stored name of a matter.
pub(crate) fn matter_name(matter: Matter) -> String {
    serde_json::to_value(matter)
        .ok()
        .and_then(|value| value.as_str().map(ToOwned::to_owned))
        .unwrap_or_default()
}

/// What was proposed, as it was written down.
pub(crate) fn read_change(row: &ProposalRow) -> Result<Change, Fault> {
    let case = CaseId(row.case_id);
    serde_json::from_str(&row.change).map_err(|_| Fault::Unreadable { case, what: "change" })
}

fn missing(what: &'static str, subject: &str) -> Fault {
    let subject = subject.to_owned();
    Fault::host("carry out a proposal")(Missing::Subject { what, subject })
}

fn lacking(what: &'static str) -> Fault {
    Fault::host("carry out a proposal")(Missing::Prepared { what })
}

impl ProposalHost {
    /// A host.
    pub fn new(tools: Arc<Tools>, engine: Engine) -> Self {
        Self { tools, engine }
    }

    /// Writes into the history of a case that it is held, or no longer, by whoever approved it.
    /// Asked again, it is written once.
    async fn note_hold(&self, proposal: CaseId) -> Result<(), Fault> {
        let mut tx = self.tools.db.read().await?;
        let row = proposals::find(&mut tx, proposal).await?;
        let row = row.ok_or_else(|| missing("proposal", &proposal.to_string()))?;
        let (held, what) = match read_change(&row)? {
            Change::PlaceHold { case, .. } => (CaseId(case), "PlaceHold"),
            Change::LiftHold { case, .. } => (CaseId(case), "LiftHold"),
            _ => return Ok(()),
        };
        let outcome = format!("proposal-{proposal}");
        let told = engine::history::entries(&mut tx, held).await?;
        if told.iter().any(|entry| entry.command == what && entry.outcome == outcome) {
            return Ok(());
        }
        let decided = engine::history::entries(&mut tx, proposal).await?;
        drop(tx);
        let approval = decided.into_iter().rfind(|entry| entry.command == "Approve");
        let approval = approval.ok_or_else(|| missing("approval", &row.subject))?;
        let by = Hand {
            actor: ActorId(approval.actor),
            role: approval.role,
            origin: Origin { auth: approval.auth, place: approval.place },
        };
        let note = Note { case: held, what, outcome: &outcome, by: &by };
        self.engine.note(note).await
    }

    async fn facts_of(&self, tx: &mut Tx, ask: &Ask<'_, Proposal>) -> Result<Facts, Fault> {
        let row = proposals::find(tx, ask.case).await?;
        let change = match (ask.command, &row) {
            (Command::Propose { change }, _) => change.clone(),
            (_, Some(row)) => read_change(row)?,
            // A refused proposal has written nothing down.
            (_, None) => return Ok(nothing()),
        };
        let now = present(tx, &change).await?;
        let was = row.as_ref().and_then(|row| serde_json::from_str(&row.was).ok());
        let about = self.about(tx, &change, &ask.actor.id.0).await?;
        Ok(Facts {
            target_found: about.found,
            actor_is_target: about.is_actor,
            unchanged: was.is_none_or(|was: serde_json::Value| was == now),
            takes_administration: about.takes_administration,
            others_administer: about.others_administer,
            subject_taken: about.subject_taken,
            already_proposed: proposals::is_open(tx, ask.subject, ask.case).await?,
            account: sign_ins::case_of(tx, ask.subject).await?,
        })
    }

    async fn about(&self, tx: &mut Tx, change: &Change, actor: &str) -> Result<About, Fault> {
        let subject = change.subject();
        let Some(login) = login_of_subject(&subject) else {
            return Ok(About { found: found(tx, change).await?, ..About::default() });
        };
        let row = staff::find(tx, login).await?;
        let subject_taken = subject_taken(tx, change, login).await?;
        if let Change::OpenAccount { person, roles, .. }
        | Change::OpenLinkedAccount { person, roles, .. } = change
        {
            let found = row.is_none() && !login.is_empty() && !roles_of(roles).is_empty();
            let is_actor = actor == format!("staff-{person}");
            let about = About { others_administer: true, ..About::default() };
            return Ok(About { found, is_actor, subject_taken, ..about });
        }
        let Some(row) = row.filter(|row| row.active) else { return Ok(About::default()) };
        let (found, stays) = match change {
            Change::ChangeRoles { roles, .. } => {
                let (held, wanted) = (roles_of(&row.roles), roles_of(roles));
                let stays = wanted.contains(&Role::SystemAdministrator);
                (!wanted.is_empty() && held != wanted, stays)
            }
            Change::CloseAccount { .. } => (true, false),
            Change::LinkSubject { issuer, subject, .. } => {
                let is_same =
                    row.subject == *subject && (subject.is_empty() || row.issuer == *issuer);
                (!is_same, true)
            }
            _ => (true, true),
        };
        Ok(About {
            found,
            is_actor: actor == format!("staff-{}", row.person),
            takes_administration: is_administrator(&row) && !stays,
            others_administer: staff::others_administer(tx, &row.person).await?,
            subject_taken,
        })
    }

    /// Fresh secrets, and each half sealed for whoever takes it.
    async fn secrets(&self, ask: &Ask<'_, Proposal>) -> Result<Made, Fault> {
        let login = login_of_subject(ask.subject).unwrap_or_default();
        let Fresh { new, kept } = fresh_secrets(&self.tools, login).await?;
        let place = half_place(ask.case);
        let seal = |purpose, secret: &str| {
            let sealed = self.tools.keys.seal(purpose, &place, secret.as_bytes());
            sealed.map_err(Fault::host("seal a secret"))
        };
        Ok(Made {
            sealed_password: seal(PASSWORD_HALF, &new.password)?,
            sealed_seed: seal(SEED_HALF, &new.seed)?,
            secrets: Some(kept),
            ..Made::default()
        })
    }

    async fn write(&self, tx: &mut Tx, write: &Write<'_, Proposal, Made>) -> Result<(), Fault> {
        for effect in write.effects {
            match effect {
                Effect::KeepChange => keep(tx, write).await?,
                Effect::Carry { .. } => carry(tx, write).await?,
                Effect::KeepSecrets => {
                    let (password, seed) =
                        (&write.prepared.sealed_password, &write.prepared.sealed_seed);
                    proposals::keep_secrets(tx, write.case, password, seed).await?;
                }
                Effect::DestroyPassword => {
                    proposals::destroy(tx, write.case, Kept::Password).await?;
                }
                Effect::DestroySeed => proposals::destroy(tx, write.case, Kept::Seed).await?,
                Effect::DropPicture => proposals::destroy(tx, write.case, Kept::Picture).await?,
                Effect::EndSessions => {
                    let login = login_of_subject(write.subject).unwrap_or_default();
                    staff_sessions::end_all(tx, login).await?;
                }
            }
        }
        Ok(())
    }
}

/// What the ledger says of the account that a change is about.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent answer")]
struct About {
    found: bool,
    is_actor: bool,
    takes_administration: bool,
    others_administer: bool,
    subject_taken: bool,
}

/// Whether the identity provider's person belongs to another account.
async fn subject_taken(tx: &mut Tx, change: &Change, login: &str) -> Result<bool, Fault> {
    let (Change::OpenLinkedAccount { issuer, subject, .. }
    | Change::LinkSubject { issuer, subject, .. }) = change
    else {
        return Ok(false);
    };
    let holder = staff::linked(tx, issuer, subject).await?;
    Ok(holder.is_some_and(|row| row.login != login))
}

fn nothing() -> Facts {
    Facts {
        target_found: false,
        actor_is_target: false,
        unchanged: false,
        takes_administration: false,
        others_administer: true,
        subject_taken: false,
        already_proposed: false,
        account: None,
    }
}

async fn keep(tx: &mut Tx, write: &Write<'_, Proposal, Made>) -> Result<(), Fault> {
    let Command::Propose { change } = write.command else { return Err(lacking("a change")) };
    let text = |value: serde_json::Result<String>| {
        value.map_err(|source| Fault::Unwritable { what: "change", source })
    };
    let was = present(tx, change).await?;
    let row = ProposalRow {
        case_id: write.case.0,
        subject: write.subject.to_owned(),
        change: text(serde_json::to_string(change))?,
        was: text(serde_json::to_string(&was))?,
        proposed_by: write.actor.id.0.clone(),
        picture: write.prepared.picture.clone(),
        sealed_password: None,
        sealed_seed: None,
    };
    proposals::insert(tx, &matter_name(change.matter()), &row).await
}

async fn carry(tx: &mut Tx, write: &Write<'_, Proposal, Made>) -> Result<(), Fault> {
    let row = proposals::find(tx, write.case).await?;
    let row = row.ok_or_else(|| missing("proposal", write.subject))?;
    let change = read_change(&row)?;
    let secrets = write.prepared.secrets.as_ref();
    match change {
        Change::OpenAccount { login, person, name, roles } => {
            enrolment::save_staff(tx, &person, &login, &name, &roles).await?;
            store_secrets(tx, &login, secrets).await
        }
        Change::ChangeRoles { login, roles } => {
            let row = staff::find(tx, &login).await?.ok_or_else(|| missing("account", &login))?;
            enrolment::save_staff(tx, &row.person, &login, &row.name, &roles).await.map(drop)
        }
        Change::CloseAccount { login } => staff::set_active(tx, &login, false).await,
        Change::RenewSecrets { login } => {
            store_secrets(tx, &login, secrets).await?;
            staff_sessions::end_all(tx, &login).await
        }
        Change::OpenLinkedAccount { login, person, name, roles, issuer, subject } => {
            enrolment::save_staff(tx, &person, &login, &name, &roles).await?;
            staff::link(tx, &login, &issuer, &subject).await
        }
        Change::LinkSubject { login, issuer, subject } => {
            staff::link(tx, &login, &issuer, &subject).await
        }
        Change::Address { contract, postal_code, address } => {
            let contract_id = contract_id(tx, &contract).await?;
            let changed_at = write.now.0;
            let row = Address { contract_id, version: 0, postal_code, address, changed_at };
            addresses::save(tx, &row).await.map(drop)
        }
        Change::Specimen { contract, valid_from, digest } => {
            let contract_id = contract_id(tx, &contract).await?;
            let picture = row.picture.ok_or_else(|| lacking("the picture of a specimen"))?;
            let digest = HEXLOWER.decode(digest.as_bytes()).unwrap_or_default();
            end_earlier(tx, contract_id, &valid_from).await?;
            let row = Specimen { contract_id, valid_from, valid_to: None, digest, picture };
            specimens::save(tx, &row).await?;
            proposals::destroy(tx, write.case, Kept::Picture).await
        }
        change @ (Change::AddContract { .. }
        | Change::ChangeContract { .. }
        | Change::CloseContract { .. }
        | Change::AddUser { .. }
        | Change::ChangeUser { .. }
        | Change::CloseUser { .. }) => ledger::carry(tx, change, write.prepared).await,
        Change::AddHoliday { day, name, source } => {
            holidays::add(tx, &Holiday { day, name, source }).await
        }
        Change::RemoveHoliday { day } => holidays::remove(tx, &day).await,
        Change::PlaceHold { case, reference, reason } => {
            let hold = HoldRow {
                id: 0,
                case_id: case,
                reference,
                reason,
                placed_by: row.proposed_by,
                approved_by: write.actor.id.0.clone(),
                placed_at: write.now.0,
                proposal: write.case.0,
                lifted_at: None,
                lift_proposal: None,
            };
            holds::place(tx, &hold).await
        }
        Change::LiftHold { case, reference, .. } => {
            let is_lifted = holds::lift(tx, case, &reference, write.case, write.now).await?;
            if is_lifted { Ok(()) } else { Err(missing("hold", &reference)) }
        }
    }
}

async fn store_secrets(
    tx: &mut Tx,
    login: &str,
    secrets: Option<&KeptSecrets>,
) -> Result<(), Fault> {
    let secrets = secrets.ok_or_else(|| lacking("a password"))?;
    staff::keep_secrets(tx, login, &secrets.password, &secrets.seed).await
}

async fn contract_id(tx: &mut Tx, number: &str) -> Result<i64, Fault> {
    contracts::id_of(tx, number).await?.ok_or_else(|| missing("contract", number))
}

/// A form is compared with the specimen that was valid on its date: the earlier one ends the day
/// before.
async fn end_earlier(tx: &mut Tx, contract: i64, from: &str) -> Result<(), Fault> {
    let day: Option<NaiveDate> = from.parse().ok();
    let Some(before) = day.and_then(|day| day.pred_opt()) else {
        return Err(missing("day", from));
    };
    specimens::end_before(tx, contract, from, &before.to_string()).await
}

impl Host<Proposal> for ProposalHost {
    type Attachment = Picture;
    type Prepared = Made;

    fn rules(&self) -> Arc<Rules> {
        self.tools.rules.clone()
    }

    async fn prepare(&self, ask: &Ask<'_, Proposal>, picture: &Picture) -> Result<Made, Fault> {
        match (ask.command, ask.state) {
            (Command::Approve, State::Proposed { matter, .. }) if matter.has_secrets() => {
                self.secrets(ask).await
            }
            (Command::Approve, State::Proposed { matter: Matter::AddUser, .. }) => {
                let mut numbers = Vec::new();
                for _ in ledger::ENROLLED {
                    numbers.push(self.engine.next_case().await?);
                }
                Ok(Made { numbers, ..Made::default() })
            }
            (Command::Propose { change: Change::Specimen { contract, digest, .. } }, _) => {
                let picture = picture.as_ref().ok_or_else(|| lacking("a picture"))?;
                let digest = HEXLOWER.decode(digest.as_bytes()).unwrap_or_default();
                let place = specimens::sealing_data(contract, &digest);
                let sealed = self.tools.keys.seal(specimens::PURPOSE, &place, picture);
                let sealed = sealed.map_err(Fault::host("seal a specimen"))?;
                Ok(Made { picture: Some(sealed), ..Made::default() })
            }
            _ => Ok(Made::default()),
        }
    }

    async fn lock(&self, tx: &mut Tx, subjects: &[String]) -> Result<(), Fault> {
        if subjects.iter().any(|subject| login_of_subject(subject).is_some()) {
            proposals::lock_staff(tx).await?;
        }
        for about in subjects.iter().filter_map(|subject| subject.strip_prefix("contract-")) {
            let number = about.split('/').next().unwrap_or_default();
            proposals::lock_contract(tx, number).await?;
        }
        Ok(())
    }

    async fn facts(&self, tx: &mut Tx, asks: &[Ask<'_, Proposal>]) -> Result<Vec<Facts>, Fault> {
        let mut all = Vec::with_capacity(asks.len());
        for ask in asks {
            all.push(self.facts_of(tx, ask).await?);
        }
        Ok(all)
    }

    async fn apply(&self, tx: &mut Tx, writes: &[Write<'_, Proposal, Made>]) -> Result<(), Fault> {
        for write in writes {
            self.write(tx, write).await?;
        }
        Ok(())
    }

    fn address(&self, signal: &Signal) -> Result<Addressed, Fault> {
        reissue::address(signal)
    }

    async fn send(&self, parcel: Parcel<Notice>) -> Result<(), Failure> {
        match parcel.body {}
    }

    async fn perform(
        &self,
        parcel: Parcel<Job>,
    ) -> Result<Option<Answer<Proposal, Picture>>, Failure> {
        match parcel.body {
            Job::NoteHold => {
                let noted = self.note_hold(parcel.case).await;
                noted.map_err(|fault| Failure::passing(engine::chain(&fault)))?;
                Ok(None)
            }
        }
    }
}
