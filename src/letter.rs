//! Sealed letters that carry a password or an enrolment code by mail: made in memory, sealed at
//! once.

use std::time::{Duration, UNIX_EPOCH};

use engine::{CaseId, Fault, Moment};
use forms::{Addressee, CodeLetter, PasswordLetter};
use zeroize::Zeroizing;

use crate::dates;
use crate::host::{Tools, letter_place};
use crate::secret::{EnrolmentCode, RetrievalPassword, SecretFault, StationKey};
use crate::store::addresses::Address;
use crate::store::contracts::Contract;
use crate::store::users::User;
use crate::store::{addresses, contracts, users};
use crate::text::Language;

/// How many digits or characters stand in front of a sealed page.
const DIGITS: usize = 16;

/// A letter that nobody but the print station can read.
pub(crate) struct Made {
    /// Sealed to the print station.
    pub(crate) sealed: Vec<u8>,
    /// The same page with ● for every digit or character.
    pub(crate) specimen: Vec<u8>,
    /// Where it goes.
    pub(crate) address_version: i64,
}

/// What the ledger knows of the recipient.
struct Recipient {
    user: User,
    contract: Contract,
    address: Address,
}

/// The ledger lacks what a letter needs.
#[derive(Debug, thiserror::Error)]
#[error("the ledger has no {what} for user {user}")]
struct Incomplete {
    what: &'static str,
    user: i64,
}

/// Makes the letter with these digits; the clear page lives only in here.
pub(crate) async fn make(
    tools: &Tools,
    case: CaseId,
    user: i64,
    now: Moment,
    digits: &RetrievalPassword,
) -> Result<Made, Fault> {
    let recipient = recipient(tools, user).await?;
    let days = tools.rules.password_valid_paper_days;
    let texts = Texts::new(case, &recipient, now, days);
    let letter = texts.letter(tools, &recipient, now);
    let print = Fault::host("print a letter");
    let specimen = tools.press.password_letter(&letter).map_err(&print)?;
    let with_digits = PasswordLetter { digits: Some(digits.expose()), ..letter };
    let page = tools.press.password_letter(&with_digits).map_err(&print)?;
    sealed(tools, case, &recipient, &digits.expose_ascii(), &page, specimen.to_vec())
}

/// Makes the letter with this enrolment code; the clear page lives only in here.
pub(crate) async fn make_code(
    tools: &Tools,
    case: CaseId,
    user: i64,
    now: Moment,
    code: &EnrolmentCode,
) -> Result<Made, Fault> {
    let recipient = recipient(tools, user).await?;
    let texts = Texts::new(case, &recipient, now, tools.rules.enrolment_code_days);
    let letter = texts.code_letter(tools, &recipient, now);
    let print = Fault::host("print a letter");
    let specimen = tools.press.code_letter(&letter).map_err(&print)?;
    let characters = code.expose_ascii();
    let with_characters = CodeLetter { characters: Some(&*characters), ..letter };
    let page = tools.press.code_letter(&with_characters).map_err(&print)?;
    sealed(tools, case, &recipient, &characters, &page, specimen.to_vec())
}

/// What is sealed: the 16 digits or characters in ASCII, then the page. On the page they are
/// shapes; a station that prints on pressure-sealed paper sets them itself.
fn sealed(
    tools: &Tools,
    case: CaseId,
    to: &Recipient,
    secret: &[u8; DIGITS],
    page: &[u8],
    specimen: Vec<u8>,
) -> Result<Made, Fault> {
    let mut clear = Zeroizing::new(Vec::with_capacity(DIGITS + page.len()));
    clear.extend_from_slice(secret);
    clear.extend_from_slice(page);
    let address_version = to.address.version;
    let place = letter_place(case, address_version);
    let sealed = tools.station.seal(&tools.entropy, &place, &clear);
    let sealed = sealed.map_err(Fault::host("seal a letter"))?;
    Ok(Made { sealed, specimen, address_version })
}

/// A letter as the print station sees it, in memory.
pub struct OpenedLetter {
    /// The digits.
    pub digits: RetrievalPassword,
    /// The page, a PDF.
    pub page: Zeroizing<Vec<u8>>,
}

/// Opens a sealed letter at the print station.
pub fn open(
    station: &StationKey,
    case: CaseId,
    address_version: i64,
    sealed: &[u8],
) -> Result<OpenedLetter, SecretFault> {
    let clear = station.open(&letter_place(case, address_version), sealed)?;
    let unreadable = || SecretFault::Unopenable { purpose: "letter" };
    let (digits, page) = clear.split_at_checked(DIGITS).ok_or_else(unreadable)?;
    let digits = std::str::from_utf8(digits).map_err(|_| unreadable())?;
    let digits = RetrievalPassword::parse(digits).map_err(|_| unreadable())?;
    Ok(OpenedLetter { digits, page: Zeroizing::new(page.to_vec()) })
}

/// A letter with an enrolment code as the print station sees it, in memory.
pub struct OpenedCode {
    /// The code.
    pub code: EnrolmentCode,
    /// The page, a PDF.
    pub page: Zeroizing<Vec<u8>>,
}

/// Opens a sealed letter with an enrolment code at the print station.
pub fn open_code(
    station: &StationKey,
    case: CaseId,
    address_version: i64,
    sealed: &[u8],
) -> Result<OpenedCode, SecretFault> {
    let clear = station.open(&letter_place(case, address_version), sealed)?;
    let unreadable = || SecretFault::Unopenable { purpose: "letter" };
    let (code, page) = clear.split_at_checked(DIGITS).ok_or_else(unreadable)?;
    let code = std::str::from_utf8(code).map_err(|_| unreadable())?;
    let code = EnrolmentCode::parse(code).map_err(|_| unreadable())?;
    Ok(OpenedCode { code, page: Zeroizing::new(page.to_vec()) })
}

async fn recipient(tools: &Tools, user: i64) -> Result<Recipient, Fault> {
    let lacks = |what| move || Fault::host("address a letter")(Incomplete { what, user });
    let mut tx = tools.db.read().await?;
    let row = users::by_id(&mut tx, user).await?.ok_or_else(lacks("user"))?;
    let contract =
        contracts::by_id(&mut tx, row.contract_id).await?.ok_or_else(lacks("contract"))?;
    let address =
        addresses::current(&mut tx, row.contract_id).await?.ok_or_else(lacks("address"))?;
    Ok(Recipient { user: row, contract, address })
}

/// The words of a letter that have to live as long as it.
struct Texts {
    addressee: Addressee,
    issued_on: String,
    valid_until: String,
    last_four: String,
    reference: String,
}

impl Texts {
    fn new(case: CaseId, to: &Recipient, now: Moment, valid_days: u32) -> Self {
        let until = now.plus(Duration::from_secs(86_400 * u64::from(valid_days)));
        let day = |at| dates::day(Language::Japanese, dates::japan(at).date_naive());
        let last_four = last_four(&to.contract.number);
        Self {
            addressee: Addressee {
                postal_code: postal(&to.address.postal_code),
                address: vec![to.address.address.clone()],
                company: to.contract.company.clone(),
                department: to.user.department.clone(),
                name: to.user.name.clone(),
            },
            issued_on: day(now),
            valid_until: day(until),
            last_four,
            reference: dates::numbered(now, case.0),
        }
    }

    fn letter<'a>(
        &'a self,
        tools: &'a Tools,
        to: &'a Recipient,
        now: Moment,
    ) -> PasswordLetter<'a> {
        let micros = u64::try_from(now.0).unwrap_or_default();
        PasswordLetter {
            house: &tools.config.house,
            addressee: &self.addressee,
            issued_on: &self.issued_on,
            valid_until: &self.valid_until,
            contract_last_four: &self.last_four,
            user_name: &to.user.name,
            reference: &self.reference,
            wrong_entries: tools.rules.retrieval_max_wrong,
            digits: None,
            made_at: UNIX_EPOCH + Duration::from_micros(micros),
        }
    }

    fn code_letter<'a>(
        &'a self,
        tools: &'a Tools,
        to: &'a Recipient,
        now: Moment,
    ) -> CodeLetter<'a> {
        let micros = u64::try_from(now.0).unwrap_or_default();
        CodeLetter {
            house: &tools.config.house,
            addressee: &self.addressee,
            issued_on: &self.issued_on,
            valid_until: &self.valid_until,
            contract_last_four: &self.last_four,
            user_name: &to.user.name,
            reference: &self.reference,
            wrong_entries: tools.rules.enrolment_max_wrong,
            characters: None,
            made_at: UNIX_EPOCH + Duration::from_micros(micros),
        }
    }
}

/// The end of a contract number: all of it that a letter may show.
pub(crate) fn last_four(number: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    digits.iter().skip(digits.len().saturating_sub(4)).collect()
}

/// Seven digits as they are printed.
pub(crate) fn postal(digits: &str) -> String {
    match digits.split_at_checked(3) {
        Some((first, rest)) if rest.chars().all(|c| c.is_ascii_digit()) => {
            format!("{first}-{rest}")
        }
        _ => digits.to_owned(),
    }
}
