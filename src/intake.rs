//! From an envelope to cases: what its pages say, whose it is, and what is asked for whom.

use std::collections::BTreeSet;

use engine::{Actor, CaseId, Engine, Failure, Fault, Outcome, Submission as Command};
use forms::{FormData, Request};
use serde::{Deserialize, Serialize};
use workflows::clerical::{self, Clerical};
use workflows::paper::{self, Paper};
use workflows::submission;
use workflows::terms::{Reason, SubmissionRef, TaskKind, UserRef};

use crate::host::{Attachment, ItemDesks, Tools};
use crate::reader::{FileRead, PageRead};
use crate::store::submissions::{self, SubmissionRow};
use crate::store::{contracts, reissues, users};

/// What the pages of a submission say together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The contract number, proven against what was printed into the form where it was.
    pub contract_number: String,
    /// The date of the form, ISO.
    pub date: Option<String>,
    /// Pages that the form has.
    pub pages_expected: u8,
    /// Pages that were seen.
    pub pages_seen: BTreeSet<u8>,
    /// Pages that belong elsewhere or say nothing.
    pub foreign: usize,
    /// There is an impression in the seal box.
    pub seal_found: bool,
    /// The users on the form.
    pub users: Vec<ContentsRow>,
    /// Fields that a person has to look at.
    pub doubts: BTreeSet<String>,
}

/// A user's row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentsRow {
    /// From 1.
    pub row: u8,
    /// The user ID as read or as printed.
    pub user_id: String,
    /// Whom it names, when there is such a user in the contract.
    pub user: Option<i64>,
    /// What is asked for.
    pub requests: BTreeSet<Request>,
    /// Why.
    pub reasons: BTreeSet<forms::Reason>,
}

impl Contents {
    /// Reads the stored form; `None` before the pages were read.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Every page is there and none belongs elsewhere.
    pub fn is_complete(&self) -> bool {
        self.pages_expected > 0
            && self.foreign == 0
            && (1..=self.pages_expected).all(|page| self.pages_seen.contains(&page))
    }

    fn row_of(&self, user: i64) -> Option<&ContentsRow> {
        self.users.iter().find(|row| row.user == Some(user))
    }
}

/// Why the user asks, by the stored reading. Danger wins over everything else that is ticked;
/// nothing ticked counts as forgotten.
pub fn reason_on_form(reading: &str, user: i64) -> Reason {
    let contents = Contents::read(reading).unwrap_or_default();
    let ticked = contents.row_of(user).map(|row| row.reasons.clone()).unwrap_or_default();
    let order = [
        (forms::Reason::Vanished, Reason::Vanished),
        (forms::Reason::Lost, Reason::Lost),
        (forms::Reason::Mistyped, Reason::Mistyped),
        (forms::Reason::NewPc, Reason::NewPc),
        (forms::Reason::Expired, Reason::Expired),
    ];
    let found = order.into_iter().find(|(tick, _)| ticked.contains(tick));
    found.map_or(Reason::Forgotten, |(_, reason)| reason)
}

/// The date of the form, ISO, by the stored reading.
pub fn date_on_form(reading: &str) -> Option<String> {
    Contents::read(reading)?.date
}

/// Puts together what the files of a submission say, against what was printed into the form.
pub fn contents(number: &str, printed: Option<&FormData>, files: &[FileRead]) -> Contents {
    let mut contents = Contents::default();
    let pages = files.iter().flat_map(|file| &file.pages).filter(|page| page.kind != "blank");
    for page in pages {
        // A form from the web that was filled in by hand bears no number; it belongs to the envelope
        // that was opened for it, and to no form that was given out.
        let is_named = page.case_id.as_deref().map_or(printed.is_none(), |named| named == number);
        match page.page_of.as_deref().and_then(page_of) {
            Some((no, of)) if is_named && page.registered => {
                contents.pages_expected = of;
                contents.pages_seen.insert(no);
                take_page(&mut contents, page, printed);
            }
            _ => contents.foreign += 1,
        }
    }
    contents.users.retain(|row| !row.requests.is_empty() || !row.user_id.is_empty());
    contents
}

fn page_of(text: &str) -> Option<(u8, u8)> {
    let (no, of) = text.split_once('/')?;
    Some((no.parse().ok()?, of.parse().ok()?))
}

fn take_page(contents: &mut Contents, page: &PageRead, printed: Option<&FormData>) {
    contents.seal_found |= page.seals.values().any(|seal| seal.found);
    let number = field(contents, page, "contract_number", printed.map(|p| &p.contract_number));
    if !number.is_empty() {
        contents.contract_number = number;
    }
    if page.digits.contains_key("date_year") {
        contents.date = date(contents, page, printed);
    }
    let rows: BTreeSet<u8> = page.checks.keys().filter_map(|name| row_of(name)).collect();
    for row in rows {
        let printed_row = printed.and_then(|p| p.users.get(usize::from(row) - 1));
        let name = format!("u{row}_user_id");
        let user_id = field(contents, page, &name, printed_row.map(|p| &p.user_id));
        let mut found = ContentsRow { row, user_id, ..ContentsRow::default() };
        for request in Request::ALL {
            if ticked(contents, page, &format!("u{row}_{}", request.field())) {
                found.requests.insert(request);
            }
        }
        for reason in forms::Reason::ALL {
            if ticked(contents, page, &format!("u{row}_{}", reason.field())) {
                found.reasons.insert(reason);
            }
        }
        contents.users.push(found);
    }
}

/// The row that a box belongs to: `u3_login_reset` is row 3.
fn row_of(name: &str) -> Option<u8> {
    name.strip_prefix('u')?.split_once('_')?.0.parse().ok().filter(|row| *row > 0)
}

/// A row of digits. Where the form was prefilled, what was printed is the value and the reading is
/// its proof: a clear contradiction is a doubt.
fn field(contents: &mut Contents, page: &PageRead, name: &str, printed: Option<&String>) -> String {
    let Some(read) = page.digits.get(name).map(|digits| digits.v.trim()) else {
        return String::new();
    };
    match printed.filter(|printed| !printed.is_empty()) {
        Some(printed) => {
            if !agrees(read, printed) {
                contents.doubts.insert(name.to_owned());
            }
            printed.clone()
        }
        None => {
            if read.contains('?') {
                contents.doubts.insert(name.to_owned());
            }
            read.to_owned()
        }
    }
}

fn agrees(read: &str, printed: &str) -> bool {
    read.chars().count() == printed.chars().count()
        && read.chars().zip(printed.chars()).all(|(a, b)| a == '?' || a == b)
}

fn ticked(contents: &mut Contents, page: &PageRead, name: &str) -> bool {
    match page.checks.get(name).map(|check| check.v) {
        Some(Some(ticked)) => ticked,
        Some(None) => {
            contents.doubts.insert(name.to_owned());
            false
        }
        None => false,
    }
}

fn date(contents: &mut Contents, page: &PageRead, printed: Option<&FormData>) -> Option<String> {
    let printed = printed.and_then(|printed| printed.date);
    let part = |name: &str| page.digits.get(name).map(|d| d.v.trim().to_owned());
    let read = forms::ReiwaDate::from_digits(
        &part("date_year")?,
        &part("date_month")?,
        &part("date_day")?,
    );
    let date = printed.or(read);
    if date.is_none() {
        contents.doubts.insert("date".to_owned());
    }
    Some(crate::dates::of_reiwa(date?)?.to_string())
}

/// The answer to a reading job: whose the pages are, and whether they are all there.
pub(crate) async fn read_pages(
    tools: &Tools,
    case: CaseId,
) -> Result<submission::Command, Failure> {
    keep_contents(tools, case).await.map_err(|fault| Failure::passing(engine::chain(&fault)))
}

async fn keep_contents(tools: &Tools, case: CaseId) -> Result<submission::Command, Fault> {
    let mut tx = tools.db.write().await?;
    let row = find(&mut tx, case).await?;
    let files: Vec<FileRead> = submissions::pages(&mut tx, row.number)
        .await?
        .iter()
        .map(|page| serde_json::from_str(&page.reading).unwrap_or_default())
        .collect();
    let printed: Option<FormData> = serde_json::from_str(&row.prefilled).ok();
    let mut contents = contents(&number_text(row.number), printed.as_ref(), &files);
    let contract = contracts::id_of(&mut tx, &contents.contract_number).await?;
    let contract = contract.or(row.contract_id);
    if let Some(contract) = contract {
        for found in &mut contents.users {
            found.user = users::id_of(&mut tx, contract, &found.user_id).await?;
        }
    }
    let text = serde_json::to_string(&contents)
        .map_err(|source| Fault::Unwritable { what: "reading", source })?;
    submissions::keep_reading(&mut tx, case, contract, &text).await?;
    tx.commit().await?;
    Ok(match (contract, contents.is_complete()) {
        (Some(_), true) => submission::Command::Identify,
        (Some(_), false) if !contents.pages_seen.is_empty() => submission::Command::MarkIncomplete,
        _ => submission::Command::MarkUnidentified,
    })
}

async fn find(tx: &mut engine::Tx, case: CaseId) -> Result<SubmissionRow, Fault> {
    submissions::of_case(tx, case).await?.ok_or(Fault::NoSuchCase { case })
}

/// The number as it stands in codes: twelve digits.
pub fn number_text(number: i64) -> String {
    format!("{number:012}")
}

/// Opens a case for every request on a form, or lets a returned case go on with it. Safe to repeat:
/// every command id follows from the form's number, row and request.
pub(crate) async fn open_items(
    tools: &Tools,
    engine: &Engine,
    desks: &ItemDesks,
    case: CaseId,
    outbox: i64,
) -> Result<u16, Failure> {
    let passing = |fault: Fault| Failure::passing(engine::chain(&fault));
    let mut tx = tools.db.read().await.map_err(passing)?;
    let row = find(&mut tx, case).await.map_err(passing)?;
    drop(tx);
    // Before anybody can have it on a desk.
    crate::backoffice::impressions::compare(tools, row.number).await.map_err(passing)?;
    let contents = Contents::read(&row.reading).unwrap_or_default();
    let mut opened = 0;
    for found in &contents.users {
        let Some(user) = found.user else {
            // Nobody of that ID: a person asks the customer, the other rows go on.
            let kind = TaskKind::CureByPhone;
            crate::host::open_task(engine, &desks.tasks, outbox, case, kind).await?;
            continue;
        };
        for request in &found.requests {
            let item = Item { number: row.number, row: found.row, user, request: *request };
            open_item(tools, engine, desks, &item).await.map_err(passing)?;
            opened += 1;
        }
    }
    Ok(opened)
}

/// One request of one user on a form.
struct Item {
    number: i64,
    row: u8,
    user: i64,
    request: Request,
}

async fn open_item(
    tools: &Tools,
    engine: &Engine,
    desks: &ItemDesks,
    item: &Item,
) -> Result<(), Fault> {
    let id = format!("item-{}-{}-{}", item.number, item.row, item.request.field());
    let subject = format!("user-{}", item.user);
    let (user, submission) = (UserRef(item.user), SubmissionRef(item.number));
    let case = match clerical_request(item.request) {
        None => match returned_case(tools, item.user).await? {
            Some(case) => {
                let command = paper::Command::Resubmit { submission };
                let command = Command::<Paper>::new(case, command, Actor::worker(), id);
                accepted_case(desks.paper.submit(command, Attachment::default()).await?)
            }
            None => {
                let case = engine.next_case().await?;
                let command = paper::Command::Open { user, submission };
                let command =
                    Command::<Paper>::opening(case, subject, command, Actor::worker(), id);
                accepted_case(desks.paper.submit(command, Attachment::default()).await?)
            }
        },
        Some(request) => {
            let case = engine.next_case().await?;
            let command = clerical::Command::Open { user, submission, request };
            let command = Command::<Clerical>::opening(case, subject, command, Actor::worker(), id);
            accepted_case(desks.clerical.submit(command, ()).await?)
        }
    };
    let Some(case) = case else { return Ok(()) };
    let mut tx = tools.db.write().await?;
    let (number, row) = (item.number, i64::from(item.row));
    submissions::add_item(&mut tx, number, row, item.request.field(), item.user, case).await?;
    tx.commit().await
}

fn accepted_case<W: engine::Workflow>(outcome: Outcome<W>) -> Option<CaseId> {
    match outcome {
        Outcome::Accepted(receipt) => Some(receipt.case),
        Outcome::Refused { case, .. } | Outcome::Kept { case, .. } => Some(case),
        Outcome::Moot => None,
    }
}

/// The user's paper case whose form went back to the customer.
async fn returned_case(tools: &Tools, user: i64) -> Result<Option<CaseId>, Fault> {
    let mut tx = tools.db.read().await?;
    reissues::returned(&mut tx, user).await
}

/// The clerical request behind a tick; a reissue has its own way.
fn clerical_request(request: Request) -> Option<clerical::Request> {
    Some(match request {
        Request::RetrievalReissue => return None,
        Request::RetrievalUnlock => clerical::Request::RetrievalRelease,
        Request::LoginReset => clerical::Request::LoginReset,
        Request::LoginUnlock => clerical::Request::LoginRelease,
        Request::TransactionReset => clerical::Request::TransactionReset,
        Request::TransactionUnlock => clerical::Request::TransactionRelease,
        Request::IdInquiry => clerical::Request::IdInquiry,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::{Check, Digits, Seal};

    fn page(number: &str, page_of: &str) -> PageRead {
        PageRead {
            kind: "form".into(),
            case_id: Some(number.into()),
            variant: Some("bizstation".into()),
            page_of: Some(page_of.into()),
            registered: true,
            checks: [("u1_retrieval_reissue", Some(true)), ("u1_reason_expired", Some(true))]
                .map(|(name, v)| (name.to_owned(), Check { v }))
                .into(),
            digits: [
                ("contract_number", "0123456789"),
                ("u1_user_id", "010429003"),
                ("date_year", "8"),
                ("date_month", "11"),
                ("date_day", "20"),
            ]
            .map(|(name, v)| (name.to_owned(), Digits { v: v.into(), ..Digits::default() }))
            .into(),
            seals: [("registered_seal".to_owned(), Seal { found: true, ..Seal::default() })].into(),
            ..PageRead::default()
        }
    }

    fn file(pages: Vec<PageRead>) -> FileRead {
        FileRead { pages, error: None }
    }

    #[test]
    fn a_whole_form_says_who_wants_what_and_why() {
        let contents = contents("7", None, &[file(vec![page("7", "1/1")])]);
        assert!(contents.is_complete() && contents.seal_found && contents.doubts.is_empty());
        assert_eq!(contents.contract_number, "0123456789");
        assert_eq!(contents.date.as_deref(), Some("2026-11-20"));
        let row = &contents.users[0];
        assert_eq!((row.row, row.user_id.as_str()), (1, "010429003"));
        assert!(row.requests.contains(&Request::RetrievalReissue));
    }

    #[test]
    fn a_missing_or_foreign_page_is_never_merged() {
        assert!(!contents("7", None, &[file(vec![page("7", "1/2")])]).is_complete());
        let mixed = contents("7", None, &[file(vec![page("7", "1/1"), page("8", "1/1")])]);
        assert!(!mixed.is_complete());
        assert_eq!(mixed.foreign, 1);
    }

    #[test]
    fn in_a_prefilled_form_digits_are_proof_not_data() {
        let printed = FormData { contract_number: "0123456780".into(), ..FormData::default() };
        let contents = contents("7", Some(&printed), &[file(vec![page("7", "1/1")])]);
        assert_eq!(contents.contract_number, "0123456780");
        assert!(contents.doubts.contains("contract_number"));
    }

    #[test]
    fn a_dangerous_reason_wins() {
        let mut with_both = page("7", "1/1");
        with_both.checks.insert("u1_reason_vanished".into(), Check { v: Some(true) });
        let mut contents = contents("7", None, &[file(vec![with_both])]);
        contents.users[0].user = Some(3);
        let text = serde_json::to_string(&contents).unwrap();
        assert_eq!(reason_on_form(&text, 3), Reason::Vanished);
        assert_eq!(reason_on_form(&text, 4), Reason::Forgotten);
        assert_eq!(reason_on_form("", 3), Reason::Forgotten);
    }
}
