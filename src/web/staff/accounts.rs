//! Staff's accounts: who there is, and what one system administrator proposes to another.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use minijinja::context;
use serde::Serialize;
use workflows::proposal::Change;
use workflows::terms::Role;

use super::desk::Typed;
use super::{Shared, Signed, proposals};
use crate::customer::Declined;
use crate::policy::Room;
use crate::staffing::roles_of;
use crate::store::staff::{self, StaffRow};
use crate::web::customer::{Mistake, given, see};
use crate::web::error::Problem;

/// An account in the list.
#[derive(Serialize)]
struct Line {
    login: String,
    name: String,
    person: String,
    roles: Vec<&'static str>,
    is_open: bool,
    subject: String,
}

impl Line {
    fn of(row: &StaffRow) -> Self {
        let roles = roles_of(&row.roles).into_iter().map(engine::Role::name).collect();
        Self {
            login: row.login.clone(),
            name: row.name.clone(),
            person: row.person.clone(),
            roles,
            is_open: row.active,
            subject: row.subject.clone(),
        }
    }
}

/// The names of the roles that an account can hold.
fn roles() -> Vec<&'static str> {
    Role::ALL.into_iter().filter(|role| role.is_staff()).map(engine::Role::name).collect()
}

/// The identity provider where staff sign in; empty where there is none.
fn provider(shared: &Shared) -> &str {
    &shared.app.tools.config.staff_identity.issuer
}

/// Password and card are a way in.
fn is_local(shared: &Shared) -> bool {
    shared.app.tools.config.staff_identity.local_sign_in
}

/// The roles that were ticked.
fn chosen_of(typed: &Typed) -> Vec<String> {
    let ticked = typed.keys().filter_map(|key| key.strip_prefix("role_"));
    ticked.map(ToOwned::to_owned).collect()
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    signed.enter(Room::Accounts)?;
    list(&shared, &signed, &Typed::new(), &[]).await
}

async fn list(
    shared: &Shared,
    signed: &Signed,
    typed: &Typed,
    wrong: &[Mistake],
) -> Result<Response, Problem> {
    let mut tx = shared.app.tools.db.read().await?;
    let all = staff::all(&mut tx).await?;
    drop(tx);
    let lines: Vec<Line> = all.iter().map(Line::of).collect();
    let chosen: Vec<String> = chosen_of(typed);
    let values = context! {
        lines => given(lines),
        proposals => given(proposals::lines(shared, signed, Room::Accounts).await?),
        roles => roles(),
        provider => provider(shared),
        is_local => is_local(shared),
        chosen,
        typed => given(typed.clone()),
        key => shared.app.nonce(),
        works => signed.member.roles.contains(&Role::SystemAdministrator),
    };
    shared.page_with(signed, "staff/accounts.html", wrong, values)
}

/// One account, with what may be proposed about it.
pub(super) async fn one(
    State(shared): State<Shared>,
    signed: Signed,
    Path(login): Path<String>,
) -> Result<Response, Problem> {
    signed.enter(Room::Accounts)?;
    account(&shared, &signed, &login, &[]).await
}

async fn account(
    shared: &Shared,
    signed: &Signed,
    login: &str,
    wrong: &[Mistake],
) -> Result<Response, Problem> {
    let mut tx = shared.app.tools.db.read().await?;
    let row = staff::find(&mut tx, login).await?.ok_or(Problem::NotFound)?;
    drop(tx);
    let values = context! {
        line => given(Line::of(&row)),
        roles => roles(),
        provider => provider(shared),
        key => shared.app.nonce(),
        is_own => row.person == signed.member.account.person,
        works => signed.member.roles.contains(&Role::SystemAdministrator),
    };
    shared.page_with(signed, "staff/account.html", wrong, values)
}

/// A key that a page has given; anything else is a mistake of the sender.
pub(super) fn key_of(typed: &Typed) -> Result<String, Problem> {
    let key = typed.get("key").cloned().unwrap_or_default();
    let is_ours = key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_ours { Ok(key) } else { Err(Problem::Unreadable) }
}

/// Proposes a change of an account.
pub(super) async fn propose(
    State(shared): State<Shared>,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let by = signed.member.acting(Role::SystemAdministrator)?;
    let key = key_of(&typed)?;
    let asked = |name: &str| typed.get(name).map(|text| text.trim().to_owned()).unwrap_or_default();
    let matter = asked("matter");
    let login = asked("login");
    let chosen = chosen_of(&typed);
    let mut names: Vec<&str> =
        roles_of(&chosen.join(",")).into_iter().map(engine::Role::name).collect();
    names.sort_unstable();
    let roles = names.join(",");
    let wrong = mistakes(&shared, &signed, &typed, &roles);
    if !wrong.is_empty() {
        return if is_opening(&matter) {
            list(&shared, &signed, &typed, &wrong).await
        } else {
            account(&shared, &signed, &login, &wrong).await
        };
    }
    let change = match matter.as_str() {
        "open_account" => {
            Change::OpenAccount { login, person: asked("person"), name: asked("name"), roles }
        }
        "open_linked_account" => Change::OpenLinkedAccount {
            login,
            person: asked("person"),
            name: asked("name"),
            roles,
            issuer: provider(&shared).to_owned(),
            subject: asked("subject"),
        },
        "link_subject" => Change::LinkSubject {
            login,
            issuer: provider(&shared).to_owned(),
            subject: asked("subject"),
        },
        "change_roles" => Change::ChangeRoles { login, roles },
        "close_account" => Change::CloseAccount { login },
        "renew_secrets" => Change::RenewSecrets { login },
        _ => return Err(Problem::Unreadable),
    };
    match shared.app.propose(&by, change, None, &key).await {
        Ok(case) => Ok(see(&format!("/proposals/{case}"))),
        Err(why) if is_opening(&matter) => {
            let wrong = [proposals::declined(&shared, &signed, why, "account")?];
            list(&shared, &signed, &typed, &wrong).await
        }
        Err(Declined::Refused { code }) => Err(Problem::Refused { code }),
        Err(other) => Err(other.into()),
    }
}

/// A new account of either kind.
fn is_opening(matter: &str) -> bool {
    matches!(matter, "open_account" | "open_linked_account")
}

fn mistakes(shared: &Shared, signed: &Signed, typed: &Typed, roles: &str) -> Vec<Mistake> {
    let asked = |name: &str| typed.get(name).map_or("", |text| text.trim());
    let plain = |text: &str, most: usize| {
        (2..=most).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let mut wrong = Vec::new();
    let mut miss = |field: &'static str, key: &str| {
        let text = shared.text(signed.visit.lang, &format!("accounts.{key}"));
        wrong.push(Mistake { field, text });
    };
    let matter = asked("matter");
    let is_new = is_opening(matter);
    if is_new && !plain(asked("login"), 32) {
        miss("login", "login_slip");
    }
    if is_new && !(1..=40).contains(&asked("name").chars().count()) {
        miss("name", "name_slip");
    }
    if is_new && !plain(asked("person"), 16) {
        miss("person", "person_slip");
    }
    let subject = asked("subject");
    let is_subject = subject.len() <= 255 && subject.bytes().all(|byte| byte.is_ascii_graphic());
    let is_link = matter == "link_subject" || matter == "open_linked_account";
    if is_link && provider(shared).is_empty() {
        miss("subject", "provider_slip");
    } else if is_link && (!is_subject || (is_new && subject.is_empty())) {
        miss("subject", "subject_slip");
    }
    if (is_new || matter == "change_roles") && roles.is_empty() {
        miss("roles", "roles_slip");
    }
    wrong
}
