//! What the bank's people do: register envelopes, scan, check, compare seals, approve, dispatch.
//! Every rule behind it is a workflow's; who may see is [`crate::policy`]'s.

mod claims;
pub mod dating;
mod desk;
pub mod dispatch;
pub mod errands;
pub mod fields;
pub mod figures;
pub mod help;
pub mod hours;
pub(crate) mod impressions;
pub mod mailroom;
pub mod masks;
mod pictures;
mod search;
mod verdict;

pub use claims::Holder;
pub(crate) use desk::pages_of;
pub use desk::{Checked, OnDesk, OnPaper, Remark, Scanned, SentBack, Stamped};
pub use verdict::Verdict;

use engine::{Actor, ActorId, CaseId, Desk, Fault, Hand, Host, Origin, Submission, Workflow};
use forms::{FormData, SubmissionNumber, Variant};
use sha2::{Digest, Sha256};
use workflows::enrolment;
use workflows::paper::{self, Paper};
use workflows::submission as envelope;
use workflows::terms::Role;

use crate::app::App;
use crate::customer::{Declined, Session, accepted};
use crate::host::{Attachment, CodeAttachment};
use crate::intake::number_text;
use crate::reader::FileRead;
use crate::secret::Keys;
use crate::store::submissions::{self, EnvelopeLine, PageRow, SubmissionRow};
use crate::store::{letters, staff, standing};

/// Scans are sealed for this purpose.
const SCAN: &str = "scan";

/// A member of staff at work in one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtWork {
    /// The person: two accounts of one person are one.
    person: String,
    /// The role of this moment.
    role: Role,
    /// The account and terminal.
    place: String,
    /// How the person was authenticated.
    auth: String,
}

/// The first of several roles of a person in which a command would be accepted now.
pub(crate) async fn able<'a, W: Workflow<Role = Role>, H: Host<W>>(
    desk: &Desk<W, H>,
    case: CaseId,
    command: &W::Command,
    viewers: &'a [AtWork],
) -> Result<Option<&'a AtWork>, Fault> {
    for one in viewers {
        if desk.ask(case, command, &one.actor(), &one.origin()).await?.is_ok() {
            return Ok(Some(one));
        }
    }
    Ok(None)
}

impl AtWork {
    /// Somebody who signed in, by the means that their session knows.
    pub(crate) fn signed_in(person: &str, role: Role, place: String, means: &str) -> Self {
        Self { person: person.to_owned(), role, place, auth: means.to_owned() }
    }

    /// Nobody: what a scanner dropped into its folder is taken in by the machine.
    pub(crate) fn machine(place: String) -> Self {
        Self { person: String::new(), role: Role::Worker, place, auth: "none".to_owned() }
    }

    /// The person: two accounts of one person are one.
    pub fn person(&self) -> &str {
        &self.person
    }

    /// The role of this moment.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The person as an actor.
    pub fn actor(&self) -> Actor<Role> {
        if self.role == Role::Worker {
            return Actor::worker();
        }
        Actor { id: ActorId(format!("staff-{}", self.person)), role: self.role }
    }

    /// From where.
    pub fn origin(&self) -> Origin {
        Origin { auth: self.auth.clone(), place: self.place.clone() }
    }

    /// As the engine's notes want it.
    pub fn hand(&self) -> Hand {
        let role = engine::Role::name(self.role).to_owned();
        Hand { actor: self.actor().id, role, origin: self.origin() }
    }
}

/// A prefilled form on its way to the customer.
pub struct Draft {
    /// Its number.
    pub number: SubmissionNumber,
    /// The form.
    pub pdf: Vec<u8>,
}

/// A form that is given out.
pub(crate) struct GivenOut<'a> {
    /// Its number.
    pub(crate) number: SubmissionNumber,
    /// `bizstation` or `light`.
    pub(crate) variant: String,
    /// For which contract, by its row.
    pub(crate) contract: i64,
    /// What is printed into it.
    pub(crate) data: &'a FormData,
}

impl App {
    /// A member of staff takes up a role that the account holds, at the machine itself.
    pub async fn at_work(&self, login: &str, role: Role) -> Result<AtWork, Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = staff::find(&mut tx, login).await?.ok_or(Declined::NotFound)?;
        let name = engine::Role::name(role);
        if !row.active || !row.roles.split(',').any(|held| held.trim() == name) {
            return Err(Declined::NotFound);
        }
        Ok(AtWork {
            person: row.person,
            role,
            place: format!("desk {login}"),
            auth: "local".to_owned(),
        })
    }

    /// Makes a prefilled form for a customer's contract and awaits it.
    pub async fn draft_form(
        &self,
        session: &Session,
        variant: Variant,
        data: &FormData,
    ) -> Result<Draft, Declined> {
        let mut bytes = [0; 8];
        (self.tools.entropy)(&mut bytes);
        let number = SubmissionNumber::from_random(bytes);
        let mut tx = self.tools.db.read().await?;
        let own = standing::find(&mut tx, session.user).await?.ok_or(Declined::NotFound)?;
        let now = tx.now();
        drop(tx);
        let made_at = std::time::UNIX_EPOCH
            + std::time::Duration::from_micros(u64::try_from(now.0).unwrap_or_default());
        let key = self.code_key()?;
        let house = &self.tools.config.house;
        let job = forms::Job { variant, house, key: &key, made_at };
        let copy = forms::Copy { submission: Some(number), data: data.clone() };
        let pdf = self.tools.press.form3(&job, &copy).map_err(Fault::host("print a form"))?;
        let form = GivenOut { number, variant: variant.to_string(), contract: own.contract, data };
        self.give_out(session.actor(), session.origin(), &form).await?;
        Ok(Draft { number, pdf })
    }

    /// Opens the case of a form that is given out: it is awaited under its number from now on.
    pub(crate) async fn give_out(
        &self,
        by: Actor<Role>,
        from: Origin,
        form: &GivenOut<'_>,
    ) -> Result<(), Declined> {
        let case = self.engine.next_case().await?;
        let number = form.number;
        let row = SubmissionRow {
            number: stored(number),
            case_id: case.0,
            variant: form.variant.clone(),
            contract_id: Some(form.contract),
            receipt: String::new(),
            carrier: String::new(),
            counted: 0,
            prefilled: serde_json::to_string(form.data)
                .map_err(|source| Fault::Unwritable { what: "form", source })?,
            reading: String::new(),
        };
        let (subject, id) = (format!("submission-{number}"), format!("prefill-{number}"));
        let command = envelope::Command::Prefill;
        let opening = Submission::opening(case, subject, command, by, id).from(from);
        accepted(self.desks.submission.submit(opening, Some(row)).await?).map(drop)
    }

    /// The mail room registers an envelope.
    pub async fn receive(
        &self,
        by: &AtWork,
        number: SubmissionNumber,
        carrier: &str,
        pages: u16,
    ) -> Result<CaseId, Declined> {
        let case = self.submission_case(number).await?;
        let row = self.case_row(case).await?;
        let carrier = carrier.to_owned();
        let (command, id) = if row.state_name == "Received" {
            let command = envelope::Command::Recount { carrier, pages };
            (command, format!("recount-{number}-{}", row.version))
        } else {
            (envelope::Command::Receive { carrier, pages }, format!("receive-{number}"))
        };
        self.with_submission(by, case, command, id).await?;
        // Its pages may have been scanned before the envelope was counted.
        self.scan_when_counted(by, stored(number), case).await?;
        Ok(case)
    }

    /// Where the envelope of a form stands.
    pub async fn envelope(&self, number: SubmissionNumber) -> Result<Option<EnvelopeLine>, Fault> {
        let mut tx = self.tools.db.read().await?;
        submissions::envelope(&mut tx, stored(number)).await
    }

    async fn submission_case(&self, number: SubmissionNumber) -> Result<CaseId, Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = submissions::find(&mut tx, stored(number)).await?;
        row.map(|row| CaseId(row.case_id)).ok_or(Declined::NotFound)
    }

    /// A command about an envelope.
    pub async fn with_submission(
        &self,
        by: &AtWork,
        case: CaseId,
        command: envelope::Command,
        id: String,
    ) -> Result<(), Declined> {
        let submission = Submission::new(case, command, by.actor(), id).from(by.origin());
        accepted(self.desks.submission.submit(submission, None).await?).map(drop)
    }

    /// The mail room scans the pages of an envelope: each file is read at once in a child process
    /// and kept sealed; then the envelope goes on. Scanned again, the same file is kept once, and
    /// read once more where its first reading had failed.
    pub async fn scan(
        &self,
        by: &AtWork,
        number: SubmissionNumber,
        files: &[Vec<u8>],
    ) -> Result<Vec<FileRead>, Declined> {
        let case = self.submission_case(number).await?;
        let mut read = Vec::with_capacity(files.len());
        let mut is_mended = false;
        for (no, bytes) in (1_i64..).zip(files) {
            let answer = self.read_scan(bytes).await?;
            let page = page_row(stored(number), no, bytes, &answer)?;
            is_mended |= self.keep_scan(&page, bytes, &answer).await?;
            read.push(answer);
        }
        self.with_submission(by, case, envelope::Command::Scan, format!("scan-{number}")).await?;
        if is_mended {
            self.read_again(by, stored(number), case).await?;
        }
        Ok(read)
    }

    /// Keeps a scanned file at its place; true when it took the place of a reading that had failed.
    async fn keep_scan(
        &self,
        page: &PageRow,
        bytes: &[u8],
        read: &FileRead,
    ) -> Result<bool, Fault> {
        let sealed = self.seal_scan(page.submission, bytes)?;
        let mut tx = self.tools.db.write().await?;
        let files = submissions::pages(&mut tx, page.submission).await?;
        let earlier = files.iter().find(|file| file.no == page.no && file.digest == page.digest);
        let has_failed = earlier.is_some_and(|file| mailroom::has_failed(&file.reading));
        let is_mended = has_failed && !read.is_failed();
        if is_mended {
            let (number, no, count) = (page.submission, page.no, page.page_count);
            submissions::read_anew(&mut tx, number, no, count, &page.reading, None).await?;
        } else {
            submissions::add_page(&mut tx, page, &sealed).await?;
        }
        tx.commit().await?;
        Ok(is_mended)
    }

    /// Reads a scanned file in a child and keeps the pictures of its pages. One that cannot be read
    /// is an answer without pages: it is kept all the same, for a person to look at.
    async fn read_scan(&self, bytes: &[u8]) -> Result<FileRead, Fault> {
        let key = self.code_key_bytes()?;
        let (mut read, shown) =
            self.reader.read_and_draw(&key, bytes).await.unwrap_or_else(|fault| {
                (FileRead { pages: Vec::new(), error: Some(engine::chain(&fault)) }, Vec::new())
            });
        for (page, shown) in read.pages.iter_mut().zip(&shown) {
            // Whatever is decoded is drawn: of a page that died there is no picture.
            page.is_lost = page.kind == "unknown" && shown.page.is_empty();
        }
        self.keep_pictures(bytes, &shown).await?;
        Ok(read)
    }

    /// A scanned file as it is kept.
    fn seal_scan(&self, submission: i64, bytes: &[u8]) -> Result<Vec<u8>, Fault> {
        let place = number_text(submission);
        let sealed = self.tools.keys.seal(SCAN, place.as_bytes(), bytes);
        sealed.map_err(Fault::host("seal a scan"))
    }

    /// A command about a paper case.
    pub async fn with_paper(
        &self,
        by: &AtWork,
        case: CaseId,
        command: paper::Command,
        id: String,
    ) -> Result<paper::State, Declined> {
        let submission = Submission::<Paper>::new(case, command, by.actor(), id).from(by.origin());
        let outcome = self.desks.paper.submit(submission, Attachment::default()).await?;
        accepted(outcome).map(|(_, state)| state)
    }

    /// A command about an enrolment code, such as the posting of its letter.
    pub async fn with_enrolment(
        &self,
        by: &AtWork,
        case: CaseId,
        command: enrolment::Command,
        id: String,
    ) -> Result<enrolment::State, Declined> {
        let submission = Submission::new(case, command, by.actor(), id).from(by.origin());
        let outcome = self.desks.enrolment.submit(submission, CodeAttachment::default()).await?;
        accepted(outcome).map(|(_, state)| state)
    }

    /// Dispatch counted the batch of these cases' letters and it agrees.
    pub async fn reconcile(&self, by: &AtWork, cases: &[CaseId]) -> Result<(), Declined> {
        let mut cases = cases.to_vec();
        cases.sort_unstable();
        let mut tx = self.tools.db.write().await?;
        for case in &cases {
            self.note_in(&mut tx, by, *case, "ReconcileBatch").await?;
        }
        for case in cases {
            if !letters::reconcile(&mut tx, case).await? {
                return Err(Declined::Refused { code: "desk.Unprinted".to_owned() });
            }
        }
        Ok(tx.commit().await?)
    }

    /// The paper cases that came out of a submission.
    pub async fn cases_of(&self, number: SubmissionNumber) -> Result<Vec<CaseId>, Fault> {
        let mut tx = self.tools.db.read().await?;
        let items = submissions::items(&mut tx, stored(number)).await?;
        Ok(items.into_iter().map(|(_, _, case)| CaseId(case)).collect())
    }
}

/// A scanned file as it came.
pub(crate) fn open_scan(
    keys: &Keys,
    number: SubmissionNumber,
    sealed: &[u8],
) -> Result<zeroize::Zeroizing<Vec<u8>>, Fault> {
    let place = number.to_string();
    keys.open(SCAN, place.as_bytes(), sealed).map_err(Fault::host("open a scan"))
}

/// What is kept of a scanned file beside the file.
fn page_row(submission: i64, no: i64, bytes: &[u8], read: &FileRead) -> Result<PageRow, Fault> {
    Ok(PageRow {
        submission,
        no,
        page_count: i64::try_from(read.pages.len().max(1)).unwrap_or(i64::MAX),
        digest: Sha256::digest(bytes).to_vec(),
        reading: serde_json::to_string(read)
            .map_err(|source| Fault::Unwritable { what: "reading", source })?,
        arrival: None,
    })
}

/// A submission's number as the database keeps it.
fn stored(number: SubmissionNumber) -> i64 {
    number.to_string().parse().unwrap_or_default()
}
