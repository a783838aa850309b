//! A form on the desk: what it says, what the ledger says, what the machine has found, and who did
//! what so far. Looking at it is an entry of its history.

use engine::case::CaseRow;
use engine::history::{self, Details, Entry};
use engine::{CaseId, Fault, Moment};
use forms::{FormData, Variant};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use workflows::terms::Role;

use super::AtWork;
use super::fields::Sources;
use crate::app::App;
use crate::customer::Declined;
use crate::intake::Contents;
use crate::policy::{Matter, Viewer, may_see};
use crate::reader::{FileRead, PageRead};
use crate::store::addresses::Address;
use crate::store::claims::Claim;
use crate::store::contracts::Contract;
use crate::store::impressions::Reuse;
use crate::store::reissues::{Change, Reissue};
use crate::store::submissions::{PageRow, SubmissionRow};
use crate::store::users::User;
use crate::store::{
    addresses, cases, claims, contracts, impressions, letters, reissues, standing, submissions,
    users,
};

/// A page of the form as it was scanned.
#[derive(Debug, Clone)]
pub struct Scanned {
    /// Its place among the form's pages; 0 when it bears no code of the form.
    pub of_form: u8,
    /// SHA-256 of the file.
    pub digest: Vec<u8>,
    /// Its place in the file, from 1.
    pub page: i64,
    /// What was read.
    pub read: PageRead,
}

/// A case with its form.
pub struct OnDesk {
    /// The case.
    pub case: CaseId,
    /// `paper` or `clerical`.
    pub workflow: String,
    /// The state's name.
    pub state_name: String,
    /// Transitions so far: whoever acts says which one they have seen.
    pub version: i64,
    /// When the case was opened.
    pub opened_at: Moment,
    /// When the form came, or its letter came back: from then the clock runs.
    pub waits_since: Moment,
    /// What the case is about.
    pub reissue: Reissue,
    /// The user.
    pub user: User,
    /// The contract.
    pub contract: Contract,
    /// The registered address.
    pub address: Option<Address>,
    /// The envelope.
    pub submission: SubmissionRow,
    /// What its pages say together.
    pub contents: Contents,
    /// What was printed into the form.
    pub printed: Option<FormData>,
    /// The user's row on the form, from 1.
    pub row: u8,
    /// What is asked for, as the form names it.
    pub request: String,
    /// The pages.
    pub pages: Vec<Scanned>,
    /// The specimen that is valid on the form's date: its row, and since when it is registered.
    pub specimen: Option<(i64, String)>,
    /// The masks that lie on the page with the seal.
    pub masks: Vec<i64>,
    /// With how many other forms of the contract the impression was compared; none before it was.
    pub compared: Option<i64>,
    /// The other forms that bear the same impression.
    pub reuses: Vec<Reuse>,
    /// Other open reissues of the same user.
    pub others: Vec<(CaseId, Moment)>,
    /// Who has it in hand.
    pub claim: Option<Claim>,
    /// Its history, oldest first.
    pub entries: Vec<Entry>,
    /// The names of the people in it, by actor.
    pub names: Vec<(String, String)>,
    /// What the last clerk noted when handing it on.
    pub checked: Option<Checked>,
    /// What the last approver wrote when sending it back.
    pub sent_back: Option<SentBack>,
    /// Now.
    pub now: Moment,
}

impl OnDesk {
    /// Which form.
    pub fn variant(&self) -> Variant {
        self.submission.variant.parse().unwrap_or(Variant::BizStation)
    }

    /// The pages with their places on the form.
    pub fn form_pages(&self) -> Vec<(u8, &PageRead)> {
        self.pages.iter().map(|page| (page.of_form, &page.read)).collect()
    }

    /// The seal, and what it is compared with.
    pub fn stamped(&self) -> Option<Stamped<'_>> {
        let specimen = self.specimen.as_ref().map(|(id, _)| *id);
        Stamped::of(&self.pages, specimen, &self.masks)
    }

    /// What the fields are made from.
    pub fn sources<'a>(&'a self, pages: &'a [(u8, &'a PageRead)]) -> Sources<'a> {
        Sources {
            variant: self.variant(),
            row: self.row,
            pages,
            printed: self.printed.as_ref(),
            contents: &self.contents,
            contract: &self.contract,
            address: self.address.as_ref().map_or("", |address| address.address.as_str()),
            user: &self.user,
        }
    }
}

/// The pages of a form and its specimen, for who asks for a picture of them only.
pub struct OnPaper {
    /// The pages.
    pub pages: Vec<Scanned>,
    /// The specimen that is valid on the form's date.
    pub specimen: Option<i64>,
    masks: Vec<i64>,
}

impl OnPaper {
    /// The seal, and what it is compared with.
    pub fn stamped(&self) -> Option<Stamped<'_>> {
        Stamped::of(&self.pages, self.specimen, &self.masks)
    }
}

/// A seal on a form and the specimen beside it.
#[derive(Debug, Clone, Copy)]
pub struct Stamped<'a> {
    /// The page that bears the seal.
    pub page: &'a Scanned,
    /// The specimen's row.
    pub specimen: i64,
    /// The masks that lie on that page: what was compared before one was laid shows what it hides.
    pub masks: &'a [i64],
}

impl<'a> Stamped<'a> {
    fn of(pages: &'a [Scanned], specimen: Option<i64>, masks: &'a [i64]) -> Option<Self> {
        Some(Self { page: sealed_page(pages)?, specimen: specimen?, masks })
    }
}

/// The page that bears a seal.
pub(super) fn sealed_page(pages: &[Scanned]) -> Option<&Scanned> {
    pages.iter().find(|page| page.read.seals.values().any(|seal| seal.found))
}

/// The masks that lie on the page with the seal, where that is compared with anything.
async fn masks_on(
    tx: &mut engine::Tx,
    pages: &[Scanned],
    is_compared: bool,
) -> Result<Vec<i64>, Fault> {
    match sealed_page(pages).filter(|_| is_compared) {
        Some(page) => super::masks::lying_on(tx, page).await,
        None => Ok(Vec::new()),
    }
}

/// What a clerk found with their own eyes; it stands beside the history as a detail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// The verdict on the seal.
    #[serde(default)]
    pub seal: String,
    /// What was looked at on the paper.
    #[serde(default)]
    pub looked: Vec<String>,
    /// What the machine could not read: field and typed text.
    #[serde(default)]
    pub typed: Vec<(String, String)>,
}

/// Why an approver sent a form back to the check; it stands beside the history as a detail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// In the approver's words.
    pub why: String,
}

/// A form that came back from its approver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentBack {
    /// When.
    pub at: Moment,
    /// By which actor.
    pub actor: String,
    /// Why.
    pub why: String,
}

/// Details as the engine keeps them beside an entry.
#[derive(Deserialize)]
struct Noted<T> {
    details: Option<T>,
}

impl App {
    /// A form is opened on the desk: the look is an entry, and for whoever judges the seal the specimen
    /// shown is remembered.
    pub async fn open_desk(&self, by: &AtWork, desk: &OnDesk) -> Result<(), Declined> {
        if !may_see(Viewer::Signed(by.role()), Matter::Details) {
            return Err(Declined::NotFound);
        }
        let judges = matches!(by.role(), Role::Clerk | Role::Approver);
        let shown = desk.specimen.as_ref().map(|(id, _)| *id);
        let mut tx = self.tools.db.write().await?;
        self.note_in(&mut tx, by, desk.case, "ViewForm").await?;
        if let Some(specimen) = shown.filter(|_| judges && shown != desk.reissue.specimen) {
            let form_date = desk.reissue.form_date.as_deref();
            reissues::change(&mut tx, desk.case, &Change::Seen { specimen, form_date }).await?;
        }
        Ok(tx.commit().await?)
    }

    /// What stands on the desk. It is no look yet: whoever shows it notes one.
    pub async fn read_desk(&self, case: CaseId) -> Result<OnDesk, Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = engine::case::find(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        let reissue = reissues::find(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        let number = reissue.submission.ok_or(Declined::NotFound)?;
        let user = users::by_id(&mut tx, reissue.user_id).await?.ok_or(Declined::NotFound)?;
        let contract = contracts::by_id(&mut tx, user.contract_id).await?;
        let contract = contract.ok_or(Declined::NotFound)?;
        let address = addresses::current(&mut tx, user.contract_id).await?;
        let submission = submissions::find(&mut tx, number).await?.ok_or(Declined::NotFound)?;
        let items = submissions::items(&mut tx, number).await?;
        let own = items.into_iter().find(|(_, _, item)| *item == case.0);
        let (form_row, request, _) = own.unwrap_or((1, String::new(), case.0));
        let pages = scanned(&mut tx, number).await?;
        let form_date = reissue.form_date.as_deref();
        let specimen = specimen_of(&mut tx, user.contract_id, form_date).await?;
        let masks = masks_on(&mut tx, &pages, specimen.is_some()).await?;
        let compared = impressions::compared(&mut tx, number).await?;
        let reuses = impressions::reuses(&mut tx, number).await?;
        // What else was asked for on the same form is the same procedure.
        let others = reissues::open_elsewhere(&mut tx, reissue.user_id, case, number).await?;
        let others = others.into_iter().map(|(id, at)| (CaseId(id), Moment(at))).collect();
        let claim = claims::find(&mut tx, case).await?;
        let waits_since = waits_since(&mut tx, &row, &reissue).await?;
        let entries = history::entries(&mut tx, case).await?;
        let names = names(&mut tx, &entries).await?;
        let details = history::details(&mut tx, case).await?;
        let checked = last(&entries, "Check").and_then(|entry| noted(&details, entry));
        let sent_back = sent_back(&entries, &details);
        Ok(OnDesk {
            case,
            workflow: row.workflow.clone(),
            state_name: row.state_name.clone(),
            version: row.version,
            opened_at: Moment(row.opened_at),
            waits_since,
            contents: Contents::read(&submission.reading).unwrap_or_default(),
            printed: serde_json::from_str(&submission.prefilled).ok(),
            row: u8::try_from(form_row).unwrap_or(1),
            request,
            others,
            reissue,
            user,
            contract,
            address,
            submission,
            pages,
            specimen,
            masks,
            compared,
            reuses,
            claim,
            entries,
            names,
            checked,
            sent_back,
            now: tx.now(),
        })
    }

    /// What the pictures of a form are made from. It notes nothing: whoever hands out one does.
    pub async fn on_paper(&self, case: CaseId) -> Result<OnPaper, Declined> {
        let mut tx = self.tools.db.read().await?;
        let reissue = reissues::find(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        let number = reissue.submission.ok_or(Declined::NotFound)?;
        let user = users::by_id(&mut tx, reissue.user_id).await?.ok_or(Declined::NotFound)?;
        let form_date = reissue.form_date.as_deref();
        let specimen = specimen_of(&mut tx, user.contract_id, form_date).await?;
        let pages = scanned(&mut tx, number).await?;
        let masks = masks_on(&mut tx, &pages, specimen.is_some()).await?;
        Ok(OnPaper { pages, specimen: specimen.map(|(id, _)| id), masks })
    }

    /// Where a case stands.
    pub(crate) async fn case_row(&self, case: CaseId) -> Result<engine::case::CaseRow, Declined> {
        let mut tx = self.tools.db.read().await?;
        engine::case::find(&mut tx, case).await?.ok_or(Declined::NotFound)
    }

    /// A form is looked at away from the desk: the same entry, and the same specimen is remembered.
    pub async fn view_case(&self, by: &AtWork, case: CaseId) -> Result<(), Declined> {
        let desk = self.read_desk(case).await?;
        self.open_desk(by, &desk).await
    }
}

/// From when the clock of a case runs.
async fn waits_since(
    tx: &mut engine::Tx,
    row: &CaseRow,
    reissue: &Reissue,
) -> Result<Moment, Fault> {
    let came_back = match row.state_name.as_str() {
        "Undelivered" => letters::newest(tx, CaseId(row.id)).await?.and_then(|one| one.settled_at),
        _ => None,
    };
    Ok(Moment(came_back.unwrap_or(reissue.received_at)))
}

/// The specimen that is valid on the date of a form, or today where the form has none: its row, and
/// since when.
pub(super) async fn specimen_of(
    tx: &mut engine::Tx,
    contract: i64,
    form_date: Option<&str>,
) -> Result<Option<(i64, String)>, Fault> {
    let today = crate::dates::iso_day(tx.now());
    standing::valid_specimen(tx, contract, form_date.unwrap_or(&today)).await
}

/// The pages of a form in the order of the scan, each with its place on the form.
pub(super) async fn scanned(tx: &mut engine::Tx, number: i64) -> Result<Vec<Scanned>, Fault> {
    Ok(submissions::pages(tx, number).await?.iter().flat_map(pages_of).collect())
}

/// The pages that a file brought into its envelope.
pub(crate) fn pages_of(file: &PageRow) -> Vec<Scanned> {
    let read: FileRead = serde_json::from_str(&file.reading).unwrap_or_default();
    let scanned = |(index, read): (usize, PageRead)| {
        let of_form = read.page_of.as_deref().and_then(|text| text.split_once('/'));
        let of_form = of_form.and_then(|(no, _)| no.parse().ok()).unwrap_or(0);
        let at = if read.page == 0 { index + 1 } else { read.page };
        let page = i64::try_from(at).unwrap_or(0);
        Scanned { of_form, digest: file.digest.clone(), page, read }
    };
    read.pages.into_iter().enumerate().map(scanned).collect()
}

/// The names of everybody who moved the case.
async fn names(tx: &mut engine::Tx, entries: &[Entry]) -> Result<Vec<(String, String)>, Fault> {
    let moves = entries.iter().filter(|entry| entry.kind == "transition");
    let mut persons: Vec<&str> = moves.map(|entry| entry.actor.as_str()).collect();
    persons.sort_unstable();
    persons.dedup();
    cases::staff_names(tx, &persons).await
}

/// The last time that a command moved the case.
fn last<'e>(entries: &'e [Entry], command: &str) -> Option<&'e Entry> {
    entries.iter().rev().find(|entry| entry.kind == "transition" && entry.command == command)
}

/// What somebody noted with an entry; nothing when it was noted differently, or is gone by now.
fn noted<T: DeserializeOwned>(details: &[(i64, Details)], entry: &Entry) -> Option<T> {
    let (_, own) = details.iter().find(|(no, _)| *no == entry.no)?;
    serde_json::from_str::<Noted<T>>(&own.text).ok()?.details
}

/// The last word of an approver about this very form: it means nothing for the next one.
fn sent_back(entries: &[Entry], details: &[(i64, Details)]) -> Option<SentBack> {
    let entry = last(entries, "SendBack")?;
    if last(entries, "Resubmit").is_some_and(|newer| newer.no > entry.no) {
        return None;
    }
    let Remark { why } = noted(details, entry)?;
    Some(SentBack { at: entry.at, actor: entry.actor.clone(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A transition with its remark, where there is one.
    fn moved(no: i64, command: &str, why: Option<&str>) -> (Entry, (i64, Details)) {
        let text = |text: &str| text.to_owned();
        let entry = Entry {
            case: CaseId(1),
            no,
            kind: text("transition"),
            at: Moment(no),
            actor: text("staff-S-004"),
            role: text("approver"),
            auth: String::new(),
            place: String::new(),
            command_id: no.to_string(),
            command: text(command),
            from: String::new(),
            to: String::new(),
            outcome: String::new(),
            version: no,
            state_digest: [0; 32],
            details_digest: [0; 32],
            hash: [0; 32],
        };
        let more = why.map_or(
            serde_json::json!({}),
            |why| serde_json::json!({ "command": command, "details": Remark { why: text(why) } }),
        );
        (entry, (no, Details { salt: [0; 16], text: more.to_string() }))
    }

    fn told(moves: &[(&str, Option<&str>)]) -> Option<String> {
        let all = (1..).zip(moves).map(|(no, (command, why))| moved(no, command, *why));
        let (entries, details): (Vec<_>, Vec<_>) = all.unzip();
        sent_back(&entries, &details).map(|back| back.why)
    }

    #[test]
    fn an_approvers_word_is_about_this_form_and_the_last_one_counts() {
        let once = [("Check", None), ("SendBack", Some("the date"))];
        assert_eq!(told(&once).as_deref(), Some("the date"));
        let twice = [once[0], once[1], ("Check", None), ("SendBack", Some("the seal"))];
        assert_eq!(told(&twice).as_deref(), Some("the seal"));
        let anew = [once[0], once[1], ("Resubmit", None), ("Check", None)];
        assert_eq!(told(&anew), None);
        assert_eq!(told(&[("SendBack", None)]), None, "what is gone is not told");
        assert_eq!(told(&[("Check", None)]), None);
    }
}
