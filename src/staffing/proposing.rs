//! Changes that one person proposes and another one decides.

use chrono::NaiveDate;
use engine::{CaseId, Fault, Submission};
use sha2::{Digest, Sha256};
use workflows::proposal::{Change, Command, Proposal, State};
use zeroize::Zeroizing;

use crate::app::App;
use crate::backoffice::{AtWork, able};
use crate::customer::{Declined, accepted};
use crate::host::{PASSWORD_HALF, SEED_HALF, half_place, read_change};
use crate::store::proposals::{self, List, ProposalLine, ProposalRow};

/// A proposal as somebody looks at it.
pub struct Proposed {
    /// Where it stands.
    pub state: State,
    /// What shall be.
    pub change: Change,
    /// What it replaces.
    pub was: serde_json::Value,
    /// The person who proposed it, as histories name people.
    pub by: String,
    /// When.
    pub at: engine::Moment,
    /// The commands that a rule would let this viewer carry out now.
    pub open_to: Vec<&'static str>,
    /// There is a picture to look at.
    pub has_picture: bool,
}

/// The commands of a page, by name.
const COMMANDS: [(&str, Command); 5] = [
    ("approve", Command::Approve),
    ("reject", Command::Reject),
    ("withdraw", Command::Withdraw),
    ("take_password", Command::TakePassword),
    ("take_seed", Command::TakeSeed),
];

/// The command that a page names.
pub fn command_named(name: &str) -> Option<Command> {
    COMMANDS.iter().find(|(known, _)| *known == name).map(|(_, command)| command.clone())
}

/// What came of a decision.
pub enum Decided {
    /// It stands so now.
    Standing(State),
    /// One half of fresh secrets, shown once.
    Half(Zeroizing<String>),
}

impl App {
    /// Proposes a change; gives its case. The same key proposes once.
    pub async fn propose(
        &self,
        by: &AtWork,
        change: Change,
        picture: Option<Vec<u8>>,
        key: &str,
    ) -> Result<CaseId, Declined> {
        let case = self.engine.next_case().await?;
        let details = serde_json::to_value(&change)
            .map_err(|source| Fault::Unwritable { what: "change", source })?;
        let (subject, id) = (change.subject(), format!("propose-{key}"));
        let command = Command::Propose { change };
        let submission = Submission::<Proposal>::opening(case, subject, command, by.actor(), id)
            .from(by.origin())
            .detailing(details);
        accepted(self.desks.proposal.submit(submission, picture).await?).map(|(case, _)| case)
    }

    /// The proposals that stand in a list.
    pub async fn proposals(&self, list: List) -> Result<Vec<ProposalLine>, Fault> {
        let mut tx = self.tools.db.read().await?;
        proposals::newest(&mut tx, list).await
    }

    async fn proposal_row(&self, case: CaseId) -> Result<ProposalRow, Declined> {
        let mut tx = self.tools.db.read().await?;
        proposals::find(&mut tx, case).await?.ok_or(Declined::NotFound)
    }

    /// A proposal, with what the viewer may do in one of several roles.
    pub async fn proposal(&self, case: CaseId, viewers: &[AtWork]) -> Result<Proposed, Declined> {
        let row = self.proposal_row(case).await?;
        let (head, state) = self.desks.proposal.find(case).await?.ok_or(Declined::NotFound)?;
        let mut open_to = Vec::new();
        for (name, command) in &COMMANDS {
            if able(&self.desks.proposal, case, command, viewers).await?.is_some() {
                open_to.push(*name);
            }
        }
        Ok(Proposed {
            state,
            change: read_change(&row)?,
            was: serde_json::from_str(&row.was)
                .map_err(|_| Fault::Unreadable { case, what: "change" })?,
            by: row.proposed_by,
            at: engine::Moment(head.opened_at),
            open_to,
            has_picture: row.picture.is_some(),
        })
    }

    /// Decides about a proposal, or takes a half of what was made for it.
    pub async fn decide_proposal(
        &self,
        case: CaseId,
        command: Command,
        viewers: &[AtWork],
    ) -> Result<Decided, Declined> {
        let row = self.proposal_row(case).await?;
        let able = able(&self.desks.proposal, case, &command, viewers).await?;
        // What is declined is declined in some role, and stands in the history.
        let by = able.or(viewers.first()).ok_or(Declined::NotFound)?;
        let half = match command {
            Command::TakePassword => self.open_half(case, PASSWORD_HALF, row.sealed_password)?,
            Command::TakeSeed => self.open_half(case, SEED_HALF, row.sealed_seed)?,
            _ => None,
        };
        let is_calendar = row.subject.starts_with("day-") && command == Command::Approve;
        let is_ledger = row.subject.starts_with("contract-") && command == Command::Approve;
        let id = format!("{}-{case}-{}", engine::label(&command), self.nonce());
        let submission = Submission::<Proposal>::new(case, command, by.actor(), id);
        let outcome = self.desks.proposal.submit(submission.from(by.origin()), None).await?;
        let (_, state) = accepted(outcome)?;
        if is_calendar {
            self.reload_calendar().await?;
        }
        if is_ledger {
            // What counts a new user's entries, and what searches look up.
            self.open_missing_credentials().await?;
        }
        Ok(half.map_or(Decided::Standing(state), Decided::Half))
    }

    fn open_half(
        &self,
        case: CaseId,
        purpose: &str,
        sealed: Option<Vec<u8>>,
    ) -> Result<Option<Zeroizing<String>>, Fault> {
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = self.tools.keys.open(purpose, &half_place(case), &sealed);
        let opened = opened.map_err(Fault::host("open a secret"))?;
        let text = String::from_utf8(opened.to_vec()).map_err(Fault::host("read a secret"))?;
        Ok(Some(Zeroizing::new(text)))
    }

    /// The picture of a specimen that is proposed; whoever looks stands in its history.
    pub async fn proposed_specimen(&self, by: &AtWork, case: CaseId) -> Result<Vec<u8>, Declined> {
        let row = self.proposal_row(case).await?;
        let Change::Specimen { contract, digest, .. } = read_change(&row)? else {
            return Err(Declined::NotFound);
        };
        let sealed = row.picture.ok_or(Declined::NotFound)?;
        let hand = by.hand();
        let note = engine::Note { case, what: "ViewSpecimen", outcome: "", by: &hand };
        self.engine.note(note).await?;
        let digest = data_encoding::HEXLOWER.decode(digest.as_bytes()).unwrap_or_default();
        let place = crate::store::specimens::sealing_data(&contract, &digest);
        let opened = self.tools.keys.open(crate::store::specimens::PURPOSE, &place, &sealed);
        Ok(opened.map_err(Fault::host("open a specimen"))?.to_vec())
    }

    /// Puts the holidays of the ledger in force in this process.
    pub async fn reload_calendar(&self) -> Result<(), Fault> {
        let mut tx = self.tools.db.read().await?;
        let kept = crate::store::holidays::all(&mut tx).await?;
        let kept = kept.into_iter().map(|(day, _): (NaiveDate, String)| day);
        self.engine.set_calendar(crate::holidays::calendar(&self.tools.config.calendar, kept));
        Ok(())
    }
}

/// A picture's digest as a change names it.
pub fn digest_of(picture: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(picture))
}
