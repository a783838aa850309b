//! Ordinary letters: from the pile that notices make to a page for the print station.
//!
//! They bear no secret, but names, addresses and pictures of forms. So none is stored: a letter is
//! drawn when the station asks for it, and sealed to the station on its way.

mod foresight;
mod returned;

pub use foresight::Outlook;

use std::time::UNIX_EPOCH;

use chrono::NaiveDate;
use data_encoding::BASE64;
use engine::{CaseId, Fault, Moment};
use forms::Addressee;
use forms::letters::{Closure, Day, Inquiry, Letter, LetterHead, Locked};
use serde::{Deserialize, Serialize};
use workflows::terms::Role;

use crate::app::App;
use crate::backoffice::AtWork;
use crate::customer::Declined;
use crate::dates;
use crate::letter::{last_four, postal};
use crate::policy::{Matter, Viewer, may_see};
use crate::store::addresses::Address;
use crate::store::contracts::Contract;
use crate::store::letters::{self, LetterDueRow};
use crate::store::users::User;
use crate::store::{addresses, contracts, credentials, users};
use crate::text::Language;

/// Which letter of the pile: the outbox row of its notice, and the notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterKey {
    /// The outbox row.
    pub outbox_id: i64,
    /// The notice.
    pub about: String,
}

impl From<&LetterDueRow> for LetterKey {
    fn from(row: &LetterDueRow) -> Self {
        Self { outbox_id: row.outbox_id, about: row.about.clone() }
    }
}

/// An ordinary letter on its way to the station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedPage {
    /// What to name when it is printed; several when one letter speaks for all of an envelope.
    pub covers: Vec<LetterKey>,
    /// Sealed to the station under [`page_place`] of the first of them, Base64.
    pub sealed: String,
}

/// The name of an ordinary letter in its seal, so that none can be passed off as another.
pub fn page_place(key: &LetterKey) -> Vec<u8> {
    format!("1/ordinary/{}/{}", key.outbox_id, key.about).into_bytes()
}

/// A notice for which there is no letter.
#[derive(Debug, thiserror::Error)]
#[error("no letter is written for the notice {about}")]
struct Wordless {
    about: String,
}

/// The ledger lacks what a letter needs.
#[derive(Debug, thiserror::Error)]
#[error("the ledger has no {what} for the letter of case {case}")]
struct Incomplete {
    what: &'static str,
    case: i64,
}

/// A letter as it is printed.
struct Drawn {
    pdf: Vec<u8>,
    /// The notices that it answers, its own first.
    covers: Vec<LetterKey>,
    /// The form that goes along under a number of its own.
    fresh: Option<returned::FreshlyPrinted>,
}

/// What the ledger knows of a letter's matter.
struct Ground {
    row: LetterDueRow,
    contract: Contract,
    address: Address,
    user: Option<User>,
    number: String,
    now: Moment,
}

impl App {
    /// The ordinary letters that wait to be printed, the oldest first.
    pub async fn letters_due(&self) -> Result<Vec<LetterDueRow>, Fault> {
        let mut tx = self.tools.db.read().await?;
        letters::pile(&mut tx).await
    }

    /// Draws a letter of the pile and seals it to the print station; the fetch is on record.
    pub async fn ordinary_letter(
        &self,
        by: &AtWork,
        key: &LetterKey,
    ) -> Result<SealedPage, Declined> {
        let row = self.letter_due(key).await?;
        let case = CaseId(row.case_id);
        let Drawn { pdf, covers, fresh } = self.drawn(row, &[]).await?;
        // A form goes out with a number under which it is awaited, or not at all.
        if let Some(form) = fresh {
            self.give_out_once(by, &form).await?;
        }
        let place = covers.first().map(page_place).unwrap_or_default();
        let tools = &self.tools;
        let sealed = tools.station.seal(&tools.entropy, &place, &pdf);
        let sealed = BASE64.encode(&sealed.map_err(Fault::host("seal a letter"))?);
        self.note(by, case, "FetchOrdinaryLetter").await?;
        Ok(SealedPage { covers, sealed })
    }

    /// The station printed these letters: they leave the pile.
    pub async fn letters_printed(&self, keys: &[LetterKey]) -> Result<(), Declined> {
        let mut tx = self.tools.db.write().await?;
        for key in keys {
            letters::take_off(&mut tx, key.outbox_id, &key.about).await?;
        }
        Ok(tx.commit().await?)
    }

    /// A letter as whoever handles the case may see it before it goes.
    pub async fn preview_letter(&self, by: &AtWork, key: &LetterKey) -> Result<Vec<u8>, Declined> {
        let role: Role = by.actor().role;
        if !may_see(Viewer::Signed(role), Matter::Details) {
            return Err(Declined::NotFound);
        }
        let row = self.letter_due(key).await?;
        self.note(by, CaseId(row.case_id), "ViewLetter").await?;
        Ok(self.drawn(row, &[]).await?.pdf)
    }

    async fn letter_due(&self, key: &LetterKey) -> Result<LetterDueRow, Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = letters::find_due(&mut tx, key.outbox_id, &key.about).await?;
        row.ok_or(Declined::NotFound)
    }

    /// A letter, and the notices that it answers: its own first. What is only foreseen speaks as if
    /// it lay on the pile.
    async fn drawn(
        &self,
        row: LetterDueRow,
        foreseen: &[foresight::Foreseen],
    ) -> Result<Drawn, Fault> {
        if returned::is_return(&row.about) {
            return self.return_letter(row, foreseen).await;
        }
        let covers = vec![LetterKey::from(&row)];
        Ok(Drawn { pdf: self.plain_letter(row).await?, covers, fresh: None })
    }

    async fn plain_letter(&self, row: LetterDueRow) -> Result<Vec<u8>, Fault> {
        let ground = self.ground(row).await?;
        let changed_on = dated(japan_day(Moment(ground.address_changed_at(self).await?)));
        let hold = i64::from(self.tools.rules.address_hold_days);
        let answer_by = dated(ground.written_on() + chrono::Days::new(hold.unsigned_abs() / 2));
        let user_id = ground.user.as_ref().map(|user| user.user_id.clone()).unwrap_or_default();
        let kind = self.locked_kind(&ground.row).await?;
        let letter = match ground.row.about.as_str() {
            "address_inquiry" => {
                Letter::AddressInquiry(Inquiry { changed_on: &changed_on, answer_by: &answer_by })
            }
            "user_id" => Letter::UserId { user_id: &user_id },
            "undelivered" => Letter::Undelivered,
            "retrieval_locked" => Letter::Lock(self.retrieval_lock()),
            "credential_locked" => Letter::Lock(kind),
            "code_locked" => Letter::Lock(Locked::EnrolmentCode),
            about => Letter::Closure(closure(about).ok_or_else(|| {
                Fault::host("write a letter")(Wordless { about: about.to_owned() })
            })?),
        };
        let addressee = ground.addressee();
        let written_on = dated(ground.written_on());
        let last_four = last_four(&ground.contract.number);
        let head = ground.head(self, &addressee, &written_on, &last_four);
        self.tools.press.letter(&head, &letter).map_err(Fault::host("print a letter"))
    }

    fn retrieval_lock(&self) -> Locked {
        Locked::Retrieval { wrong_entries: self.tools.rules.retrieval_max_wrong }
    }

    /// Which secret of a user a notice of a lock is about.
    async fn locked_kind(&self, row: &LetterDueRow) -> Result<Locked, Fault> {
        let mut tx = self.tools.db.read().await?;
        let found = credentials::of_case(&mut tx, CaseId(row.case_id)).await?;
        Ok(match found.as_ref().map(|credential| credential.kind.as_str()) {
            Some("login") => Locked::Login,
            Some("transaction") => Locked::Transaction,
            Some("one_time_password") => Locked::OneTimePassword,
            _ => self.retrieval_lock(),
        })
    }

    async fn ground(&self, row: LetterDueRow) -> Result<Ground, Fault> {
        let case = row.case_id;
        let lacks = |what| move || Fault::host("address a letter")(Incomplete { what, case });
        let mut tx = self.tools.db.read().await?;
        let contract = contracts::by_id(&mut tx, row.contract_id).await?;
        let contract = contract.ok_or_else(lacks("contract"))?;
        let address = addresses::find(&mut tx, row.contract_id, row.address_version).await?;
        let address = address.ok_or_else(lacks("address"))?;
        let user = match row.user_id {
            Some(id) => users::by_id(&mut tx, id).await?,
            None => None,
        };
        let opened = engine::case::find(&mut tx, CaseId(case)).await?.map(|found| found.opened_at);
        let now = tx.now();
        let number = dates::numbered(opened.map_or(now, Moment), case);
        Ok(Ground { row, contract, address, user, number, now })
    }
}

impl Ground {
    /// The day of the notice; a letter that is drawn again says the same.
    fn written_on(&self) -> NaiveDate {
        self.row.due_on.parse().unwrap_or_else(|_| japan_day(self.now))
    }

    fn addressee(&self) -> Addressee {
        Addressee {
            postal_code: postal(&self.address.postal_code),
            address: vec![self.address.address.clone()],
            company: self.contract.company.clone(),
            department: self.user.as_ref().map(|user| user.department.clone()).unwrap_or_default(),
            name: self.user.as_ref().map(|user| user.name.clone()).unwrap_or_default(),
        }
    }

    fn head<'a>(
        &'a self,
        app: &'a App,
        addressee: &'a Addressee,
        written_on: &'a Day,
        last_four: &'a str,
    ) -> LetterHead<'a> {
        let language = self.user.as_ref().map_or(&self.contract.language, |user| &user.language);
        let micros = u64::try_from(self.now.0).unwrap_or_default();
        LetterHead {
            house: &app.tools.config.house,
            addressee,
            written_on,
            reference: &self.number,
            contract_last_four: last_four,
            user_name: self.user.as_ref().map(|user| user.name.as_str()),
            english: language == "en",
            made_at: UNIX_EPOCH + std::time::Duration::from_micros(micros),
        }
    }

    /// When the address that follows the one written to came into force.
    async fn address_changed_at(&self, app: &App) -> Result<i64, Fault> {
        let mut tx = app.tools.db.read().await?;
        let next = self.row.address_version.saturating_add(1);
        let next = addresses::find(&mut tx, self.row.contract_id, next).await?;
        Ok(next.as_ref().unwrap_or(&self.address).changed_at)
    }
}

fn closure(about: &str) -> Option<Closure> {
    Some(match about {
        "closed_no_response" => Closure::NoResponse,
        "closed_undeliverable" => Closure::Undeliverable,
        "lapsed" | "clerical_lapsed" => Closure::Lapsed,
        "rejected" | "clerical_refused" => Closure::Rejected,
        "not_needed" => Closure::NotNeeded,
        "duplicate" => Closure::Duplicate,
        "submission_returned" => Closure::FormReturned,
        "withdrawn" | "clerical_withdrawn" => Closure::Withdrawn,
        _ => return None,
    })
}

fn japan_day(moment: Moment) -> NaiveDate {
    dates::japan(moment).date_naive()
}

/// A day in both languages.
fn dated(day: NaiveDate) -> Day {
    Day {
        japanese: dates::day(Language::Japanese, day),
        english: dates::day(Language::English, day),
    }
}

#[cfg(test)]
mod tests {
    use workflows::terms::Notice;
    use workflows::{clerical, credential, enrolment, submission};

    use super::*;
    use crate::notify::{Announce, Announcement};

    /// A notice that goes by letter without words would stay on the pile for ever.
    #[test]
    fn every_notice_that_goes_by_letter_has_one() {
        let reissue: [Notice; 10] = [
            Notice::Defective,
            Notice::AddressInquiry,
            Notice::Undelivered,
            Notice::Rejected,
            Notice::NotNeeded,
            Notice::Duplicate,
            Notice::ClosedNoResponse,
            Notice::ClosedUndeliverable,
            Notice::Lapsed,
            Notice::RetrievalLocked,
        ];
        let locked = credential::Notice::Locked { kind: credential::Kind::Login };
        let envelopes = [submission::Notice::PagesMissing, submission::Notice::Returned];
        let clerks =
            [clerical::Notice::UserId, clerical::Notice::Refused, clerical::Notice::Lapsed];
        let told: Vec<Announcement> = reissue
            .iter()
            .map(Announce::announce)
            .chain([locked.announce(), enrolment::Notice::CodeLocked.announce()])
            .chain(envelopes.iter().map(Announce::announce))
            .chain(clerks.iter().map(Announce::announce))
            .collect();
        let apart = [
            "address_inquiry",
            "user_id",
            "undelivered",
            "retrieval_locked",
            "credential_locked",
            "code_locked",
        ];
        for notice in told {
            assert!(notice.letter || notice.letter_without_mail, "{}", notice.name);
            let worded = apart.contains(&notice.name)
                || returned::is_return(notice.name)
                || closure(notice.name).is_some();
            assert!(worded, "{}", notice.name);
        }
    }
}
