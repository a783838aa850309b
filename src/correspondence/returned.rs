//! The letter that returns a form: every defect of an envelope at once, with a fresh form.

use std::collections::BTreeSet;
use std::time::UNIX_EPOCH;

use engine::{CaseId, Fault, Tx};
use forms::letters::{DefectLetter, FreshForm, ReturnItem, ReturnReason};
use forms::{Copy, FormData, PagePicture, Part, SubmissionNumber, UserRow, Variant};

use super::foresight::Foreseen;
use super::{Drawn, Ground, LetterKey, dated};
use crate::app::App;
use crate::backoffice::{AtWork, GivenOut, masks, open_scan, pages_of};
use crate::customer::Declined;
use crate::letter::last_four;
use crate::prefill;
use crate::store::letters::{self, LetterDueRow};
use crate::store::submissions::{self, PageRow, SubmissionRow};
use crate::store::{addresses, reissues, users};

const DEFECTIVE: &str = "defective";
const PAGES_MISSING: &str = "pages_missing";
/// What the numbers of forms in letters are made for.
const FRESH_FORM: &str = "form in a returning letter";

/// Whether the notice is answered by a returned form.
pub(super) fn is_return(about: &str) -> bool {
    matches!(about, DEFECTIVE | PAGES_MISSING)
}

/// The form that goes along in a letter under a number of its own.
pub(super) struct FreshlyPrinted {
    number: SubmissionNumber,
    variant: String,
    contract: i64,
    data: FormData,
}

/// What is wrong with the form of one envelope.
struct Matter {
    /// The notices that this letter answers.
    covers: Vec<LetterKey>,
    items: Vec<ReturnItem>,
    /// The cases whose users the fresh form names; none means every user of the form.
    users: BTreeSet<i64>,
}

impl App {
    /// One letter for all defects of an envelope; the keys say which notices it answers.
    pub(super) async fn return_letter(
        &self,
        row: LetterDueRow,
        foreseen: &[Foreseen],
    ) -> Result<Drawn, Fault> {
        let form = self.form_of(CaseId(row.case_id)).await?;
        let matter = self.matter(&row, form.as_ref(), foreseen).await?;
        let ground = self.ground(row).await?;
        let pictures = match &form {
            Some(form) => self.pictures(form).await?,
            None => Vec::new(),
        };
        // Missing pages belong to the form that lacks them; whatever else is wrong, a new form comes.
        let is_new = ground.row.about != PAGES_MISSING;
        let number = match &form {
            Some(form) if !is_new => number_of(form),
            Some(form) => Some(self.number_after(form)?),
            None => None,
        };
        let fresh = match &form {
            Some(form) => Some(self.fresh(form, number, &matter.users, &ground).await?),
            None => None,
        };
        let days = u64::from(self.tools.rules.defect_reply_days);
        let reply_by = dated(ground.written_on() + chrono::Days::new(days));
        let (addressee, written_on) = (ground.addressee(), dated(ground.written_on()));
        let last_four = last_four(&ground.contract.number);
        let head = ground.head(self, &addressee, &written_on, &last_four);
        let key = self.code_key()?;
        let job = forms::Job {
            variant: ground.contract.variant.parse().unwrap_or(Variant::BizStation),
            house: head.house,
            key: &key,
            made_at: UNIX_EPOCH + std::time::Duration::from_micros(ground.now.0.unsigned_abs()),
        };
        let letter = DefectLetter {
            receipt: form.as_ref().map_or("", |form| form.receipt.as_str()),
            items: &matter.items,
            reply_by: &reply_by,
            pictures: &pictures,
            form: fresh.as_ref().map(|copy| FreshForm { job: &job, copy }),
        };
        let pdf = self.tools.press.defect_letter(&head, &letter);
        let pdf = pdf.map_err(Fault::host("print a letter"))?;
        let fresh = fresh.filter(|_| is_new).zip(number).map(|(copy, number)| FreshlyPrinted {
            number,
            variant: ground.contract.variant.clone(),
            contract: ground.row.contract_id,
            data: copy.data,
        });
        Ok(Drawn { pdf, covers: matter.covers, fresh })
    }

    /// The form that goes along in a returning letter is awaited under its own number; drawn again, the
    /// letter carries the same one.
    pub(super) async fn give_out_once(
        &self,
        by: &AtWork,
        form: &FreshlyPrinted,
    ) -> Result<(), Declined> {
        if self.envelope(form.number).await?.is_some() {
            return Ok(());
        }
        let FreshlyPrinted { number, variant, contract, data } = form;
        let (number, contract) = (*number, *contract);
        let form = GivenOut { number, variant: variant.clone(), contract, data };
        self.give_out(by.actor(), by.origin(), &form).await
    }

    /// The number of the form that follows one which went back: the same each time that the letter is
    /// drawn or looked at, and nobody's guess.
    fn number_after(&self, form: &SubmissionRow) -> Result<SubmissionNumber, Fault> {
        let mac = self.tools.keys.mac(FRESH_FORM, format!("{:012}", form.number).as_bytes());
        let mac = mac.map_err(Fault::host("number a form"))?;
        let bytes: [u8; 8] = std::array::from_fn(|at| mac.get(at).copied().unwrap_or_default());
        Ok(SubmissionNumber::from_random(bytes))
    }

    /// The form that a case came with, or whose envelope the case is.
    async fn form_of(&self, case: CaseId) -> Result<Option<SubmissionRow>, Fault> {
        let mut tx = self.tools.db.read().await?;
        if let Some(reissue) = reissues::find(&mut tx, case).await? {
            return match reissue.submission {
                Some(number) => submissions::find(&mut tx, number).await,
                None => Ok(None),
            };
        }
        submissions::of_case(&mut tx, case).await
    }

    /// The defects of every case of the same form whose letter waits as well.
    async fn matter(
        &self,
        row: &LetterDueRow,
        form: Option<&SubmissionRow>,
        foreseen: &[Foreseen],
    ) -> Result<Matter, Fault> {
        let mut matter = Matter {
            covers: vec![LetterKey::from(row)],
            items: Vec::new(),
            users: BTreeSet::new(),
        };
        if row.about == PAGES_MISSING {
            matter.items.push(ReturnItem::of(ReturnReason::Page));
            return Ok(matter);
        }
        let mut tx = self.tools.db.read().await?;
        let items = match form {
            Some(form) => submissions::items(&mut tx, form.number).await?,
            None => Vec::new(),
        };
        let cases: BTreeSet<i64> = items.iter().map(|(_, _, case)| *case).collect();
        let mut waiting = vec![row.clone()];
        for case in cases {
            let due = letters::due_of_case(&mut tx, CaseId(case)).await?;
            waiting.extend(due.into_iter().filter(|due| due.about == DEFECTIVE && due != row));
        }
        waiting.extend(foreseen.iter().map(|one| one.row.clone()).filter(|due| due != row));
        for due in &waiting {
            if due != row {
                matter.covers.push(LetterKey::from(due));
            }
            matter.users.extend(due.user_id);
            let codes = match foreseen.iter().find(|one| one.row == *due) {
                Some(one) => one.codes.clone(),
                None => defects_of(&mut tx, CaseId(due.case_id)).await?,
            };
            let place = items.iter().find(|(_, _, case)| *case == due.case_id);
            let place = place.and_then(|(row, _, _)| u8::try_from(*row).ok());
            for reason in codes.split(',').filter_map(ReturnReason::from_code) {
                let of_row = matches!(reason, ReturnReason::User | ReturnReason::NoRequest);
                let row = place.filter(|_| of_row);
                let item = ReturnItem { row, ..ReturnItem::of(reason) };
                if !matter.items.contains(&item) {
                    matter.items.push(item);
                }
            }
        }
        if matter.items.is_empty() {
            matter.items.push(ReturnItem::of(ReturnReason::Other));
        }
        matter.items.sort_by_key(|item| (item.reason, item.row));
        Ok(matter)
    }

    /// The pages as they came. One that cannot be shown leaves a letter without its picture, not a
    /// customer without a letter.
    async fn pictures(&self, form: &SubmissionRow) -> Result<Vec<PagePicture>, Fault> {
        let Some(number) = number_of(form) else { return Ok(Vec::new()) };
        let mut tx = self.tools.db.read().await?;
        let mut files = Vec::new();
        for page in submissions::pages(&mut tx, form.number).await? {
            let sealed = submissions::file(&mut tx, &page).await?;
            files.extend(sealed.map(|sealed| (page, sealed)));
        }
        drop(tx);
        let key = self.code_key_bytes()?;
        let mut pictures: Vec<PagePicture> = Vec::new();
        for (page, sealed) in files {
            let bytes = open_scan(&self.tools.keys, number, &sealed)?;
            match self.reader.pictures(&key, &number.to_string(), &bytes).await {
                Ok(shown) => pictures.extend(self.hide(&page, shown).await?),
                Err(fault) => tracing::warn!(error = engine::chain(&fault), "a page is not shown"),
            }
        }
        pictures.sort_by_key(|picture| picture.page);
        pictures.dedup_by_key(|picture| picture.page);
        Ok(pictures)
    }

    /// What is masked on a page is not on its picture; a picture of which nobody can say which page it
    /// shows is left out of a file on which anything is masked.
    async fn hide(
        &self,
        file: &PageRow,
        shown: Vec<PagePicture>,
    ) -> Result<Vec<PagePicture>, Fault> {
        let mut tx = self.tools.db.read().await?;
        let pages = pages_of(file);
        let mut lying: Vec<(u8, Vec<Part>)> = Vec::new();
        for page in &pages {
            lying.push((page.of_form, masks::lying(&mut tx, &file.digest, page.page, None).await?));
        }
        let is_masked = masks::lie_on(&mut tx, &file.digest).await?;
        drop(tx);
        if !is_masked {
            return Ok(shown);
        }
        let mut kept = Vec::with_capacity(shown.len());
        for mut picture in shown {
            let own = lying.iter().filter(|(of_form, _)| *of_form == picture.page);
            if own.clone().count() == 0 {
                continue;
            }
            let parts: Vec<Part> = own.flat_map(|(_, parts)| parts.clone()).collect();
            picture.jpeg = masks::painted(picture.jpeg, parts).await?;
            kept.push(picture);
        }
        Ok(kept)
    }

    /// The form again, with what the ledger knows now; the customer dates it.
    async fn fresh(
        &self,
        form: &SubmissionRow,
        number: Option<SubmissionNumber>,
        wanted: &BTreeSet<i64>,
        ground: &Ground,
    ) -> Result<Copy, Fault> {
        let mut tx = self.tools.db.read().await?;
        let printed: FormData = serde_json::from_str(&form.prefilled).unwrap_or_default();
        let current = addresses::current(&mut tx, ground.row.contract_id).await?;
        let mut data = prefill::of_contract(&ground.contract, current);
        data.contact_name = printed.contact_name;
        data.no_authority_online = printed.no_authority_online;
        let items = submissions::items(&mut tx, form.number).await?;
        let mut rows: Vec<(i64, UserRow)> = Vec::new();
        for (row, _, case) in &items {
            let Some(reissue) = reissues::find(&mut tx, CaseId(*case)).await? else { continue };
            let is_wanted = wanted.is_empty() || wanted.contains(&reissue.user_id);
            let Some(user) = users::by_id(&mut tx, reissue.user_id).await? else { continue };
            if is_wanted && !rows.iter().any(|(taken, _)| taken == row) {
                let before = printed.users.iter().find(|old| old.user_id == user.user_id);
                let reasons = before.map(|old| old.reasons.clone()).unwrap_or_default();
                let requests = [forms::Request::RetrievalReissue].into();
                let (user_id, kana) = (user.user_id, user.kana);
                let (name, department) = (user.name, user.department);
                rows.push((*row, UserRow { user_id, kana, name, department, requests, reasons }));
            }
        }
        if rows.is_empty() {
            rows.extend(printed.users.into_iter().map(|user| (0, user)));
        }
        rows.sort_by_key(|(row, _)| *row);
        data.users = rows.into_iter().map(|(_, user)| user).collect();
        Ok(Copy { submission: number, data })
    }
}

/// The defects of a case, by their codes with commas between.
async fn defects_of(tx: &mut Tx, case: CaseId) -> Result<String, Fault> {
    let found = reissues::find(tx, case).await?;
    Ok(found.map(|reissue| reissue.defects).unwrap_or_default())
}

fn number_of(form: &SubmissionRow) -> Option<SubmissionNumber> {
    format!("{:012}", form.number).parse().ok()
}
