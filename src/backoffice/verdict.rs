//! What is decided at the desk: a checked form goes on, is approved, sent back, or returned.

use engine::{CaseId, Fault, Submission};
use serde_json::Value;
use workflows::clerical::{self, Clerical};
use workflows::paper::{self, Paper};
use workflows::terms::DefectCode;

use super::AtWork;
use super::desk::{Checked, Remark};
use crate::app::App;
use crate::customer::{Declined, accepted};
use crate::host::Attachment;

impl App {
    /// A clerk hands a checked form to approval: checklist and seal in one press, if nobody else was
    /// quicker.
    pub async fn hand_on(
        &self,
        by: &AtWork,
        case: CaseId,
        version: i64,
        found: &Checked,
    ) -> Result<(), Declined> {
        self.demand_free(by, case).await?;
        let details = serde_json::to_value(found)
            .map_err(|source| Fault::Unwritable { what: "findings", source })?;
        let row = self.case_row(case).await?;
        // Of two people who act on the same version, the second has not done what the first did.
        let id = |step: &str| format!("{step}-{case}-{version}-{}", by.person());
        if row.workflow == clerical::NAME {
            let command = clerical::Command::Check;
            let submission = Submission::<Clerical>::new(case, command, by.actor(), id("check"))
                .from(by.origin())
                .detailing(details)
                .expecting(version);
            return accepted(self.desks.clerical.submit(submission, ()).await?).map(drop);
        }
        let mut seen = version;
        if row.state_name == "Identified" {
            let submission =
                Submission::<Paper>::new(case, paper::Command::Check, by.actor(), id("check"))
                    .from(by.origin())
                    .detailing(details.clone())
                    .expecting(version);
            let outcome = self.desks.paper.submit(submission, Attachment::default()).await?;
            let (_, state) = accepted(outcome)?;
            // The check itself may find a danger, or that nothing is needed any more.
            if !matches!(state, paper::State::Checked { .. }) {
                return Ok(());
            }
            seen += 1;
        }
        let submission =
            Submission::<Paper>::new(case, paper::Command::MatchSeal, by.actor(), id("seal"))
                .from(by.origin())
                .detailing(details)
                .expecting(seen);
        accepted(self.desks.paper.submit(submission, Attachment::default()).await?).map(drop)
    }

    /// A command of the desk about a paper case or one of a form's other requests, if the case still
    /// stands where the page showed it.
    pub async fn decide_on(
        &self,
        by: &AtWork,
        case: CaseId,
        version: i64,
        verdict: &Verdict,
    ) -> Result<(), Declined> {
        self.demand_free(by, case).await?;
        let row = self.case_row(case).await?;
        let id = format!("{}-{case}-{version}-{}", verdict.name(), by.person());
        if row.workflow == clerical::NAME {
            let command = verdict.of_clerical().ok_or_else(not_now)?;
            let mut submission = Submission::<Clerical>::new(case, command, by.actor(), id)
                .from(by.origin())
                .expecting(version);
            submission.details = verdict.details()?;
            return accepted(self.desks.clerical.submit(submission, ()).await?).map(drop);
        }
        let mut submission = Submission::<Paper>::new(case, verdict.of_paper(), by.actor(), id)
            .from(by.origin())
            .expecting(version);
        submission.details = verdict.details()?;
        accepted(self.desks.paper.submit(submission, Attachment::default()).await?).map(drop)
    }

    /// Why a verdict would be declined now; `None` when it would not.
    pub async fn would_decline(
        &self,
        by: &AtWork,
        case: CaseId,
        verdict: &Verdict,
    ) -> Result<Option<String>, Declined> {
        let row = self.case_row(case).await?;
        let (actor, origin) = (by.actor(), by.origin());
        if row.workflow == clerical::NAME {
            let command = verdict.of_clerical().ok_or_else(not_now)?;
            let asked = self.desks.clerical.ask(case, &command, &actor, &origin).await?;
            return Ok(asked.err().map(|why| format!("clerical.{}", engine::label(&why))));
        }
        let asked = self.desks.paper.ask(case, &verdict.of_paper(), &actor, &origin).await?;
        Ok(asked.err().map(|why| format!("paper.{}", engine::label(&why))))
    }

    /// Why a request as such cannot be carried out, whatever the form looks like: a clerk need not look
    /// at it any further.
    pub async fn misfit(&self, by: &AtWork, case: CaseId) -> Result<Option<String>, Declined> {
        let (command, actor, origin) = (clerical::Command::Check, by.actor(), by.origin());
        let asked = self.desks.clerical.ask(case, &command, &actor, &origin).await?;
        let why = asked.err().filter(|why| {
            use clerical::Refusal::{ContractInactive, DoesNotFit, UserInactive};
            matches!(why, DoesNotFit | ContractInactive | UserInactive)
        });
        Ok(why.map(|why| format!("clerical.{}", engine::label(&why))))
    }
}

fn not_now() -> Declined {
    Declined::Refused { code: "clerical.NotNow".to_owned() }
}

/// What is decided at the desk, whatever kind of case it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Approved.
    Approve,
    /// Back to the checklist, and why.
    SendBack(Remark),
    /// Not granted.
    Reject,
    /// The letter came back, and a new one goes out.
    Resend,
    /// Something is wrong with the form.
    Defect(Vec<DefectCode>),
}

impl Verdict {
    const fn name(&self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::SendBack(_) => "send-back",
            Self::Reject => "reject",
            Self::Resend => "resend",
            Self::Defect(_) => "defect",
        }
    }

    /// What stands beside the history.
    fn details(&self) -> Result<Option<Value>, Fault> {
        let Self::SendBack(remark) = self else { return Ok(None) };
        let unwritable = |source| Fault::Unwritable { what: "remark", source };
        serde_json::to_value(remark).map(Some).map_err(unwritable)
    }

    pub(crate) fn of_paper(&self) -> paper::Command {
        match self {
            Self::Approve => paper::Command::Approve,
            Self::SendBack(_) => paper::Command::SendBack,
            Self::Reject => paper::Command::Reject,
            Self::Resend => paper::Command::Resend,
            Self::Defect(codes) => paper::Command::Defect { codes: codes.clone() },
        }
    }

    pub(crate) fn of_clerical(&self) -> Option<clerical::Command> {
        Some(match self {
            Self::Approve => clerical::Command::Approve,
            Self::SendBack(_) => clerical::Command::SendBack,
            Self::Defect(codes) => clerical::Command::Refuse { codes: codes.clone() },
            Self::Reject | Self::Resend => return None,
        })
    }
}
