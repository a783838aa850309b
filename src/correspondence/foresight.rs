//! The letter that a return would send, before anything is returned.
//!
//! The workflow is asked what it would decide, the notices say which letters are due, and the letter
//! is drawn by the hand that draws it later. So what is shown is what goes out; only what somebody
//! else finds on the same form in the meantime joins it.

use engine::{Actor, ActorId, CaseId, Fault, Moment, Origin, Parcel, Transition, Workflow};
use workflows::clerical;
use workflows::paper::{self, Paper};
use workflows::terms::{DefectCode, Job, Role, Signal};

use crate::app::App;
use crate::backoffice::{AtWork, Verdict};
use crate::customer::Declined;
use crate::notify::Announce;
use crate::policy::{Matter, Viewer, may_see};
use crate::store::letters::LetterDueRow;

/// A letter that would be due, and the defects that it would speak of.
pub(super) struct Foreseen {
    pub(super) row: LetterDueRow,
    /// With commas between.
    pub(super) codes: String,
}

/// What would come of a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outlook {
    /// A letter goes out.
    Letter,
    /// Somebody calls, and no letter goes out.
    Call,
    /// People are told by mail alone.
    Mail,
}

impl App {
    /// What a return for these reasons would come to; the workflow says so, or why it would decline.
    pub async fn foresee_return(
        &self,
        by: &AtWork,
        case: CaseId,
        codes: &[DefectCode],
    ) -> Result<Outlook, Declined> {
        let (foreseen, calls) = self.foreseen(by, case, codes).await?;
        Ok(match (foreseen.is_empty(), calls) {
            (false, _) => Outlook::Letter,
            (true, true) => Outlook::Call,
            (true, false) => Outlook::Mail,
        })
    }

    /// The letter that a return for these reasons would send, as PDF; looking at it is an entry.
    pub async fn preview_return(
        &self,
        by: &AtWork,
        case: CaseId,
        codes: &[DefectCode],
    ) -> Result<Vec<u8>, Declined> {
        if !may_see(Viewer::Signed(by.role()), Matter::Details) {
            return Err(Declined::NotFound);
        }
        let (foreseen, _) = self.foreseen(by, case, codes).await?;
        let first = foreseen.first().ok_or(Declined::NotFound)?;
        let pdf = self.drawn(first.row.clone(), &foreseen).await?.pdf;
        self.note(by, case, "PreviewLetter").await?;
        Ok(pdf)
    }

    /// The same as a picture: JPEG.
    pub async fn preview_picture(
        &self,
        by: &AtWork,
        case: CaseId,
        codes: &[DefectCode],
    ) -> Result<Vec<u8>, Declined> {
        let pdf = self.preview_return(by, case, codes).await?;
        let work = tokio::task::spawn_blocking(move || forms::letter_picture(&pdf));
        let picture = work.await.map_err(Fault::host("draw a letter"))?;
        Ok(picture.map_err(Fault::host("draw a letter"))?)
    }

    /// The letters that a return would send, the case's own first, and whether somebody would call.
    async fn foreseen(
        &self,
        by: &AtWork,
        case: CaseId,
        codes: &[DefectCode],
    ) -> Result<(Vec<Foreseen>, bool), Declined> {
        let verdict = Verdict::Defect(codes.to_vec());
        let refused =
            |workflow: &str, why: String| Declined::Refused { code: format!("{workflow}.{why}") };
        let (actor, origin) = (by.actor(), by.origin());
        if self.case_row(case).await?.workflow == clerical::NAME {
            let command = verdict.of_clerical().ok_or(Declined::NotFound)?;
            let asked = self.desks.clerical.foresee(case, &command, &actor, &origin);
            let would = asked.await?.map_err(|why| refused(clerical::NAME, engine::label(&why)))?;
            return Ok((self.letters_of(case, &would, codes).await?, false));
        }
        let command = verdict.of_paper();
        let asked = self.desks.paper.foresee(case, &command, &actor, &origin);
        let would = asked.await?.map_err(|why| refused(paper::NAME, engine::label(&why)))?;
        let calls = would.jobs.iter().any(|job| matches!(job, Job::OpenTask { .. }));
        let mut all = self.letters_of(case, &would, codes).await?;
        for signal in &would.signals {
            if let Signal::SealDefect { case: other, codes } = signal {
                all.extend(self.letters_of_sibling(*other, codes).await?);
            }
        }
        Ok((all, calls))
    }

    /// A defect of the seal holds for everybody on the form: what another case would then send.
    async fn letters_of_sibling(
        &self,
        case: CaseId,
        codes: &[DefectCode],
    ) -> Result<Vec<Foreseen>, Fault> {
        let command = paper::Command::Defect { codes: codes.to_vec() };
        let peer = Actor { id: ActorId("peer".to_owned()), role: Role::Peer };
        let origin = Origin { auth: "none".to_owned(), place: "foresight".to_owned() };
        match self.desks.paper.foresee(case, &command, &peer, &origin).await? {
            Ok(would) => self.letters_of::<Paper>(case, &would, codes).await,
            // A case that has gone on is not stopped by it.
            Err(_) => Ok(Vec::new()),
        }
    }

    /// The letters that the notices of a transition would put on the pile.
    async fn letters_of<W: Workflow>(
        &self,
        case: CaseId,
        would: &Transition<W>,
        codes: &[DefectCode],
    ) -> Result<Vec<Foreseen>, Fault>
    where
        W::Notice: Announce,
    {
        let now: Moment = self.tools.db.now().await?;
        let mut all = Vec::new();
        for notice in &would.notices {
            let body = notice.clone();
            let subject = String::new();
            let parcel =
                Parcel { id: 0, case, subject, entry: 0, queued_at: now, attempt: 1, body };
            let due = self.tools.notifier.letters_due(&notice.announce(), &parcel).await?;
            for letter in due {
                let codes: Vec<&str> = codes.iter().map(|code| code.code()).collect();
                let row = letter.on_pile(&parcel);
                all.push(Foreseen { row, codes: codes.join(",") });
            }
        }
        Ok(all)
    }
}
