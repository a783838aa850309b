//! Contracts and their users: what the ledger has of them, and what one person proposes to another. A
//! proposal is held to the rules of the lists that are imported.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use engine::Moment;
use minijinja::context;
use minijinja::value::Value;
use serde::Serialize;
use workflows::proposal::{Change, Columns};
use workflows::terms::Role;

use super::accounts::key_of;
use super::desk::Typed;
use super::proposals::Row;
use super::{Shared, Signed, proposals};
use crate::import::{Problem as Slip, columns_of_contract, columns_of_user, contract_of, user_of};
use crate::policy::Room;
use crate::store::users::User;
use crate::store::{contracts, overview, users};
use crate::text::Language;
use crate::web::customer::{Mistake, given, see};
use crate::web::error::Problem;
use crate::web::when;

/// Roles in which changes are proposed; the first one that the account holds acts.
const ROLES: [Role; 2] = [Role::Clerk, Role::Supervisor];
/// What stands in an address for one that is not there yet.
const NEW: &str = "new";

/// A column: its name, the words it can be, and whether it may be empty.
type Column = (&'static str, &'static [&'static str], bool);

const YES_NO: &[&str] = &["true", "false"];
/// The columns of a contract in the order of the form; the number comes first in a new one.
const CONTRACT: [Column; 13] = [
    ("number", &[], true),
    ("variant", &["bizstation", "light"], true),
    ("status", &["active", "suspended"], true),
    ("company", &[], true),
    ("company_kana", &[], true),
    ("representative", &[], true),
    ("branch", &[], true),
    ("account_type", &["ordinary", "current"], true),
    ("account_number", &[], true),
    ("phone", &[], true),
    ("language", &["ja", "en"], true),
    ("phrase", &[], false),
    ("target_only_reveal", &["false", "true"], true),
];
/// The same of a user.
const USER: [Column; 9] = [
    ("user_id", &[], true),
    ("name", &[], true),
    ("kana", &[], true),
    ("department", &[], false),
    ("title", &[], false),
    ("email", &[], false),
    ("language", &["ja", "en"], true),
    ("reissue_authority", &["false", "true"], true),
    ("certificate_required", YES_NO, true),
];

/// A column of the form.
#[derive(Serialize)]
struct Field {
    name: &'static str,
    choices: &'static [&'static str],
    is_needed: bool,
    value: String,
}

/// What a change touches, named before anybody decides.
#[derive(Serialize)]
pub(super) struct Effects {
    users: i64,
    cases: Vec<Named>,
    certificates: i64,
    sessions: i64,
    closes: bool,
}

/// An open case.
#[derive(Serialize)]
struct Named {
    id: i64,
    number: String,
}

/// A user in the list of a contract.
#[derive(Serialize)]
struct Listed {
    user_id: String,
    name: String,
    kana: String,
    status: String,
    authority: &'static str,
    is_active: bool,
}

impl Listed {
    fn of(row: User) -> Self {
        let is_active = row.status == "active";
        let authority = if row.reissue_authority { "true" } else { "false" };
        let (user_id, name, kana) = (row.user_id, row.name, row.kana);
        Self { user_id, name, kana, status: row.status, authority, is_active }
    }
}

/// Which row a page is about.
struct About {
    contract: String,
    /// Empty for the contract itself.
    user_id: String,
    is_user: bool,
    is_new: bool,
}

/// What a change of a contract or a user touches; `None` for anything else, and for what is new.
pub(super) async fn effects(shared: &Shared, change: &Change) -> Result<Option<Effects>, Problem> {
    let (contract, user_id, closes) = match change {
        Change::ChangeContract { contract, .. } => (contract, "", false),
        Change::CloseContract { contract } => (contract, "", true),
        Change::ChangeUser { contract, user_id, .. } => (contract, user_id.as_str(), false),
        Change::CloseUser { contract, user_id } => (contract, user_id.as_str(), true),
        _ => return Ok(None),
    };
    hanging(shared, contract, user_id, closes).await.map(Some)
}

async fn hanging(
    shared: &Shared,
    contract: &str,
    user_id: &str,
    closes: bool,
) -> Result<Effects, Problem> {
    let mut tx = shared.app.tools.db.read().await?;
    let found = overview::hanging(&mut tx, contract, user_id).await?;
    let named =
        |(id, opened): (i64, i64)| Named { id, number: when::case_number(id, Moment(opened)) };
    Ok(Effects {
        users: found.users,
        cases: found.cases.into_iter().map(named).collect(),
        certificates: found.certificates,
        sessions: found.sessions,
        closes,
    })
}

/// The rows of a proposal: every column, what is other in bold.
pub(super) fn rows(
    shared: &Shared,
    lang: Language,
    was: &serde_json::Value,
    shall: &Columns,
) -> Vec<Row> {
    let row = |(key, choices, _): &Column| {
        let text = |value: &str| word(shared, lang, key, choices, value);
        let was = text(was.get(*key).and_then(|value| value.as_str()).unwrap_or_default());
        let shall = text(shall.get(*key).map(String::as_str).unwrap_or_default());
        Row { key, is_other: was != shall, was, shall }
    };
    columns(shall.contains_key("user_id")).iter().map(row).collect()
}

/// The rows of a proposal that ends one.
pub(super) fn closing(shared: &Shared, lang: Language, was: &serde_json::Value) -> Vec<Row> {
    let is_user = was.get("user_id").is_some();
    let (name, end) = if is_user { ("name", "deleted") } else { ("company", "closed") };
    let text = |key: &str| was.get(key).and_then(|value| value.as_str()).unwrap_or_default();
    let status = |value: &str| word(shared, lang, "status", &["active"], value);
    vec![
        Row { key: name, was: text(name).into(), shall: text(name).into(), is_other: false },
        Row { key: "status", was: status(text("status")), shall: status(end), is_other: true },
    ]
}

/// A value in the reader's words, where it is one of a few.
fn word(shared: &Shared, lang: Language, key: &str, choices: &[&str], value: &str) -> String {
    if choices.is_empty() || value.is_empty() {
        value.to_owned()
    } else {
        shared.text(lang, &format!("ledger.{key}_{value}"))
    }
}

const fn columns(is_user: bool) -> &'static [Column] {
    if is_user { &USER } else { &CONTRACT }
}

pub(super) async fn contract(
    State(shared): State<Shared>,
    signed: Signed,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    signed.enter(Room::Upkeep)?;
    let is_new = number == NEW;
    let about = About { contract: number, user_id: String::new(), is_user: false, is_new };
    page(&shared, &signed, &about, None, &[]).await
}

pub(super) async fn user(
    State(shared): State<Shared>,
    signed: Signed,
    Path((number, user_id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    signed.enter(Room::Upkeep)?;
    let is_new = user_id == NEW;
    let about = About { contract: number, user_id, is_user: true, is_new };
    page(&shared, &signed, &about, None, &[]).await
}

/// What the ledger has of the row; empty for a new one.
async fn present(shared: &Shared, about: &About) -> Result<(Columns, Vec<User>), Problem> {
    let mut tx = shared.app.tools.db.read().await?;
    if about.is_new && !about.is_user {
        return Ok((Columns::new(), Vec::new()));
    }
    let row = contracts::find(&mut tx, &about.contract).await?.ok_or(Problem::NotFound)?;
    let id = contracts::id_of(&mut tx, &about.contract).await?.unwrap_or_default();
    if !about.is_user {
        return Ok((columns_of_contract(&row), users::of_contract(&mut tx, id).await?));
    }
    if about.is_new {
        return Ok((Columns::new(), Vec::new()));
    }
    let found = users::find(&mut tx, id, &about.user_id).await?.ok_or(Problem::NotFound)?;
    Ok((columns_of_user(&about.contract, &found), Vec::new()))
}

async fn page(
    shared: &Shared,
    signed: &Signed,
    about: &About,
    typed: Option<&Typed>,
    wrong: &[Mistake],
) -> Result<Response, Problem> {
    let (has, people) = present(shared, about).await?;
    let lang = signed.visit.lang;
    let value = |name: &str| {
        let typed = typed.and_then(|typed| typed.get(name));
        typed.or_else(|| has.get(name)).cloned().unwrap_or_default()
    };
    let all = columns(about.is_user).iter();
    // By its number it is known: that stays.
    let shown = all.filter(|(name, ..)| about.is_new || !matches!(*name, "number" | "user_id"));
    let fields: Vec<Field> = shown
        .map(|(name, choices, is_needed)| Field {
            name,
            choices,
            is_needed: *is_needed,
            value: value(name),
        })
        .collect();
    let status = has.get("status").map(String::as_str).unwrap_or_default();
    let effects = if about.is_new {
        None
    } else {
        Some(hanging(shared, &about.contract, &about.user_id, false).await?)
    };
    let values = context! {
        title => title(shared, lang, about, &has),
        is_contract => !about.is_user,
        is_new => about.is_new,
        is_ended => matches!(status, "closed" | "deleted"),
        number => &about.contract,
        users => given(people.into_iter().map(Listed::of).collect::<Vec<_>>()),
        fields => given(fields),
        fixed => fixed(about),
        effects => given(effects),
        save => match (about.is_user, about.is_new) {
            (false, true) => "add_contract",
            (false, false) => "change_contract",
            (true, true) => "add_user",
            (true, false) => "change_user",
        },
        close => if about.is_user { "close_user" } else { "close_contract" },
        back => if about.is_user {
            format!("/upkeep/contracts/{}", about.contract)
        } else {
            "/upkeep".to_owned()
        },
        key => shared.app.nonce(),
        works => ROLES.iter().any(|role| signed.member.roles.contains(role)),
    };
    shared.page_with(signed, "staff/contract.html", wrong, values)
}

/// What the form says of the row besides what is typed.
fn fixed(about: &About) -> Value {
    let mut all = Vec::new();
    if about.is_user {
        all.push(("contract", about.contract.clone()));
    } else if !about.is_new {
        all.push(("number", about.contract.clone()));
    }
    if about.is_user && !about.is_new {
        all.push(("user_id", about.user_id.clone()));
    }
    given(all)
}

fn title(shared: &Shared, lang: Language, about: &About, has: &Columns) -> String {
    let named = |key: &str| has.get(key).cloned().unwrap_or_default();
    match (about.is_user, about.is_new) {
        (false, true) => shared.text(lang, "ledger.new_contract"),
        (true, true) => shared.text(lang, "ledger.new_user"),
        (false, false) => format!("{} {}", named("company"), about.contract),
        (true, false) => format!("{} {}", named("name"), about.user_id),
    }
}

/// Proposes a new row, other entries, or the end of one.
pub(super) async fn propose(
    State(shared): State<Shared>,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let by = signed.member.acting_as_one_of(&ROLES)?;
    let key = key_of(&typed)?;
    let asked = |name: &str| typed.get(name).map(|text| text.trim().to_owned()).unwrap_or_default();
    let matter = asked("matter");
    let is_user = matter.ends_with("_user");
    let is_new = matter.starts_with("add_");
    let mut entries: Columns =
        columns(is_user).iter().map(|(name, ..)| ((*name).to_owned(), asked(name))).collect();
    if is_user {
        entries.insert("contract".to_owned(), asked("contract"));
        entries.insert("status".to_owned(), "active".to_owned());
    }
    let contract = if is_user { asked("contract") } else { asked("number") };
    let user_id = asked("user_id");
    let sound = match matter.as_str() {
        "close_contract" => Ok(Change::CloseContract { contract: contract.clone() }),
        "close_user" => {
            Ok(Change::CloseUser { contract: contract.clone(), user_id: user_id.clone() })
        }
        "add_contract" | "change_contract" => contract_change(&entries, is_new),
        "add_user" | "change_user" => user_change(&entries, &contract, is_new),
        _ => return Err(Problem::Unreadable),
    };
    let wrong = match sound {
        Err(slips) => mistakes(&shared, signed.visit.lang, slips, is_user),
        Ok(change) => match shared.app.propose(&by, change, None, &key).await {
            Ok(case) => return Ok(see(&format!("/proposals/{case}"))),
            Err(why) => {
                let nothing = if is_new { "new" } else { "same" };
                vec![proposals::declined(&shared, &signed, why, nothing)?]
            }
        },
    };
    let contract = if is_new && !is_user { NEW.to_owned() } else { contract };
    let user_id = if is_new { NEW.to_owned() } else { user_id };
    let about = About { contract, user_id, is_user, is_new };
    page(&shared, &signed, &about, Some(&typed), &wrong).await
}

fn contract_change(entries: &Columns, is_new: bool) -> Result<Change, Vec<Slip>> {
    let row = contract_of(entries)?;
    let (contract, columns) = (row.number.clone(), columns_of_contract(&row));
    Ok(if is_new {
        Change::AddContract { contract, columns }
    } else {
        Change::ChangeContract { contract, columns }
    })
}

fn user_change(entries: &Columns, contract: &str, is_new: bool) -> Result<Change, Vec<Slip>> {
    let row = user_of(entries)?;
    let (contract, columns) = (contract.to_owned(), columns_of_user(contract, &row));
    let user_id = row.user_id;
    Ok(if is_new {
        Change::AddUser { contract, user_id, columns }
    } else {
        Change::ChangeUser { contract, user_id, columns }
    })
}

/// What is wrong, at the field it is wrong with; above the form the field's name is all that tells
/// one from the other.
fn mistakes(shared: &Shared, lang: Language, slips: Vec<Slip>, is_user: bool) -> Vec<Mistake> {
    let mistake = |slip: Slip| {
        let field = columns(is_user).iter().find(|(name, ..)| *name == slip.column);
        let field = field.map_or("", |(name, ..)| name);
        let name = match field {
            "" => String::new(),
            field => shared.text(lang, &format!("proposal.row_{field}")),
        };
        let text = match lang {
            Language::Japanese if name.is_empty() => slip.ja,
            Language::English if name.is_empty() => slip.en,
            Language::Japanese => format!("{name}：{}", slip.ja),
            Language::English => format!("{name}: {}", slip.en),
        };
        Mistake { field, text }
    };
    slips.into_iter().map(mistake).collect()
}
