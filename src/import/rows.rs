//! Rows by themselves: each brought to its form, repeats found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use engine::Role as _;
use workflows::terms::Role;
use zeroize::Zeroizing;

use super::Problem;
use super::fields::Taker;
use super::files::{Kind, Raw};
use crate::customer::cards::serial_form;
use crate::secret::EnrolmentCode;
use crate::store::contracts::Contract;
use crate::store::users::User;

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    pub(super) line: u64,
}

/// A row with its place.
#[derive(Debug, Clone)]
pub(super) struct Placed<T> {
    pub(super) place: Place,
    pub(super) row: T,
}

/// An address of a contract, by the contract's number.
#[derive(Debug, Clone)]
pub(super) struct AddressRow {
    pub(super) contract: String,
    pub(super) postal_code: String,
    pub(super) address: String,
    pub(super) changed_on: NaiveDate,
}

/// A user by the contract's number; the contract's row is not known yet.
#[derive(Debug, Clone)]
pub(super) struct UserRow {
    pub(super) contract: String,
    pub(super) user: User,
}

/// A seal.
#[derive(Debug, Clone)]
pub(super) struct SpecimenRow {
    pub(super) contract: String,
    pub(super) valid_from: NaiveDate,
    pub(super) valid_to: Option<NaiveDate>,
    pub(super) picture: Vec<u8>,
}

/// A member of staff, with what the account proves itself with where the list says so.
#[derive(Clone)]
pub(super) struct StaffRow {
    pub(super) person: String,
    pub(super) login: String,
    pub(super) name: String,
    pub(super) roles: String,
    /// PHC string of the password, and the card's seed.
    pub(super) secrets: Option<(Zeroizing<String>, Zeroizing<Vec<u8>>)>,
    /// The identity provider that knows the account, and as whom.
    pub(super) link: Option<(String, String)>,
}

/// The secret of a credential.
#[derive(Clone)]
pub(super) enum Secret {
    /// PHC string.
    Hash(Zeroizing<String>),
    /// Of a card.
    Seed(Zeroizing<Vec<u8>>),
    /// An enrolment code.
    Code(EnrolmentCode),
}

/// A credential, by contract and user.
#[derive(Clone)]
pub(super) struct CredentialRow {
    pub(super) contract: String,
    pub(super) user_id: String,
    pub(super) kind: &'static str,
    pub(super) secret: Secret,
}

/// A card in stock.
#[derive(Clone)]
pub(super) struct CardRow {
    pub(super) serial: String,
    pub(super) seed: Zeroizing<Vec<u8>>,
}

/// All rows of all files.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) contracts: Vec<Placed<Contract>>,
    pub(super) addresses: Vec<Placed<AddressRow>>,
    pub(super) users: Vec<Placed<UserRow>>,
    pub(super) specimens: Vec<Placed<SpecimenRow>>,
    pub(super) staff: Vec<Placed<StaffRow>>,
    pub(super) holidays: Vec<Placed<(NaiveDate, String)>>,
    pub(super) credentials: Vec<Placed<CredentialRow>>,
    pub(super) cards: Vec<Placed<CardRow>>,
    /// Where each key was first met.
    seen: BTreeMap<(Kind, String), Place>,
}

/// The staff's roles; customers and the machinery are none of them.
const STAFF_ROLES: [Role; 8] = [
    Role::MailRoom,
    Role::Clerk,
    Role::Approver,
    Role::Dispatch,
    Role::HelpDesk,
    Role::Auditor,
    Role::SystemAdministrator,
    Role::Supervisor,
];

impl Ledger {
    /// Takes the rows of a file; every bad row is a problem.
    pub(super) fn take(
        &mut self,
        kind: Kind,
        file: &Path,
        rows: Vec<Raw>,
        problems: &mut Vec<Problem>,
    ) {
        for raw in rows {
            let place = Place { file: file.to_owned(), line: raw.line };
            let mut taker = Taker { file, raw: &raw, problems };
            let key = self.take_row(kind, &mut taker, &place);
            if let Some(key) = key {
                self.note(kind, key, place, problems);
            }
        }
    }

    /// Takes one row and says by what it is known.
    fn take_row(&mut self, kind: Kind, taker: &mut Taker<'_>, place: &Place) -> Option<String> {
        Some(match kind {
            Kind::Contracts => {
                let row = contract(taker)?;
                keep(&mut self.contracts, place, row.number.clone(), row)
            }
            Kind::Addresses => {
                let row = address(taker)?;
                keep(&mut self.addresses, place, row.contract.clone(), row)
            }
            Kind::Users => {
                let row = user(taker)?;
                let key = format!("{}/{}", row.contract, row.user.user_id);
                keep(&mut self.users, place, key, row)
            }
            Kind::Specimens => {
                let row = specimen(taker)?;
                let key = format!("{}/{}", row.contract, row.valid_from);
                keep(&mut self.specimens, place, key, row)
            }
            Kind::Staff => {
                let row = staff(taker)?;
                keep(&mut self.staff, place, row.login.clone(), row)
            }
            Kind::Holidays => {
                let row = (taker.day("day"), taker.needed("name"));
                let row = (row.0?, row.1?);
                keep(&mut self.holidays, place, row.0.to_string(), row)
            }
            Kind::Credentials => {
                let row = credential(taker)?;
                let key = format!("{}/{}/{}", row.contract, row.user_id, row.kind);
                keep(&mut self.credentials, place, key, row)
            }
            Kind::Cards => {
                let row = card(taker)?;
                keep(&mut self.cards, place, row.serial.clone(), row)
            }
        })
    }

    fn note(&mut self, kind: Kind, key: String, place: Place, problems: &mut Vec<Problem>) {
        let Some(first) = self.seen.get(&(kind, key.clone())) else {
            self.seen.insert((kind, key), place);
            return;
        };
        let (name, line) = (first.file.display(), first.line);
        problems.push(Problem {
            ja: format!("{name} の{line}行目と重なっています。どちらかを消してください。"),
            en: format!("the same row stands in {name}, line {line}: remove one of them"),
            file: place.file,
            line: place.line,
            column: String::new(),
        });
    }
}

fn keep<T>(rows: &mut Vec<Placed<T>>, place: &Place, key: String, row: T) -> String {
    rows.push(Placed { place: place.clone(), row });
    key
}

// Every field is taken before any is missed, so that all problems of a row are told at once.

pub(super) fn contract(taker: &mut Taker<'_>) -> Option<Contract> {
    let number = taker.digits("number", 10);
    let variant = taker.choice("variant", &["bizstation", "light"], false);
    let status = taker.choice("status", &["active", "suspended", "closed"], true);
    let company = taker.needed("company");
    let company_kana = taker.kana("company_kana");
    let representative = taker.needed("representative");
    let branch = taker.digits("branch", 3);
    let account_type = taker.choice("account_type", &["ordinary", "current"], false);
    let account_number = taker.digits("account_number", 7);
    let phone = taker.phone("phone");
    let language = taker.choice("language", &["ja", "en"], true);
    let target_only_reveal = taker.yes_no("target_only_reveal", Some(false));
    Some(Contract {
        number: number?,
        variant: variant?,
        status: status?,
        company: company?,
        company_kana: company_kana?,
        representative: representative?,
        branch: branch?,
        account_type: account_type?,
        account_number: account_number?,
        phone: phone?,
        language: language?,
        phrase: taker.optional("phrase"),
        target_only_reveal: target_only_reveal?,
    })
}

fn address(taker: &mut Taker<'_>) -> Option<AddressRow> {
    let contract = taker.digits("contract", 10);
    let postal_code = taker.digits("postal_code", 7);
    let address = taker.needed("address");
    let changed_on = taker.day("changed_on");
    Some(AddressRow {
        contract: contract?,
        postal_code: postal_code?,
        address: address?,
        changed_on: changed_on?,
    })
}

pub(super) fn user(taker: &mut Taker<'_>) -> Option<UserRow> {
    let contract = taker.digits("contract", 10);
    let user_id = taker.digits("user_id", 9);
    let name = taker.needed("name");
    let kana = taker.kana("kana");
    let email = taker.email("email");
    let language = taker.choice("language", &["ja", "en"], true);
    let status = taker.choice("status", &["active", "deleted"], true);
    let reissue_authority = taker.yes_no("reissue_authority", None);
    let certificate_required = taker.yes_no("certificate_required", Some(true));
    let user = User {
        contract_id: 0,
        user_id: user_id?,
        name: name?,
        kana: kana?,
        department: taker.optional("department"),
        title: taker.optional("title"),
        email: email?,
        language: language?,
        status: status?,
        reissue_authority: reissue_authority?,
        certificate_required: certificate_required?,
    };
    Some(UserRow { contract: contract?, user })
}

fn specimen(taker: &mut Taker<'_>) -> Option<SpecimenRow> {
    let contract = taker.digits("contract", 10);
    let valid_from = taker.day("valid_from");
    let ends = !taker.optional("valid_to").is_empty();
    let valid_to = if ends { taker.day("valid_to").map(Some) } else { Some(None) };
    let picture = taker.picture("picture");
    let (valid_from, valid_to) = (valid_from?, valid_to?);
    if valid_to.is_some_and(|to| to < valid_from) {
        let (ja, en) = ("開始日より後の日付にしてください。", "enter a day after valid_from");
        taker.refuse("valid_to", ja, en);
        return None;
    }
    Some(SpecimenRow { contract: contract?, valid_from, valid_to, picture: picture? })
}

fn staff(taker: &mut Taker<'_>) -> Option<StaffRow> {
    let person = taker.needed("person");
    let login = taker.needed("login");
    let name = taker.needed("name");
    let roles = taker.needed("roles")?;
    let known = |role: &&str| Role::from_name(role).is_some_and(|role| STAFF_ROLES.contains(&role));
    let mut list: Vec<&str> =
        roles.split([',', ';', ' ']).filter(|role| !role.is_empty()).collect();
    if list.is_empty() || !list.iter().all(known) {
        let names = STAFF_ROLES.map(engine::Role::name).join(", ");
        let ja = format!("{names} をコンマで区切って入力してください。");
        taker.refuse("roles", &ja, &format!("enter some of {names}, separated by commas"));
        return None;
    }
    list.sort_unstable();
    list.dedup();
    let roles = list.join(",");
    let has_secrets = !(taker.optional("password") + &taker.optional("seed")).is_empty();
    let secrets = if has_secrets {
        let (password, seed) = (taker.hash("password"), taker.seed("seed"));
        Some((password?, seed?))
    } else {
        None
    };
    let has_link = !(taker.optional("issuer") + &taker.optional("subject")).is_empty();
    let link = if has_link {
        let (issuer, subject) = (taker.needed("issuer"), taker.needed("subject"));
        Some((issuer?, subject?))
    } else {
        None
    };
    Some(StaffRow { person: person?, login: login?, name: name?, roles, secrets, link })
}

fn credential(taker: &mut Taker<'_>) -> Option<CredentialRow> {
    let contract = taker.digits("contract", 10);
    let user_id = taker.digits("user_id", 9);
    let kinds = ["login", "transaction", "one_time_password", "enrolment_code"];
    let kind = taker.choice("kind", &kinds, false)?;
    let kind = kinds.into_iter().find(|known| *known == kind)?;
    let secret = match kind {
        "one_time_password" => taker.seed("secret").map(Secret::Seed),
        "enrolment_code" => taker.code("secret").map(Secret::Code),
        _ => taker.hash("secret").map(Secret::Hash),
    };
    Some(CredentialRow { contract: contract?, user_id: user_id?, kind, secret: secret? })
}

fn card(taker: &mut Taker<'_>) -> Option<CardRow> {
    let serial = taker.needed("serial").map(|typed| serial_form(&typed));
    let seed = taker.seed("seed");
    let serial = serial.filter(|serial| {
        let sound = (4..=30).contains(&serial.len());
        if !sound {
            let ja = "カードの裏面の製造番号(英数字4文字以上)を入力してください。";
            taker.refuse("serial", ja, "enter the serial number: at least 4 letters or digits");
        }
        sound
    });
    Some(CardRow { serial: serial?, seed: seed? })
}
