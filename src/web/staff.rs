//! The staff's pages: sign-in, queues, the desk where a form is checked, intake, dispatch, tasks.
//!
//! Every page wants somebody who has signed in, and a role that may enter its room; whoever may not
//! is answered as if there were nothing. What is done there is decided by the workflows.

mod accounts;
mod charts;
mod compared;
mod dashboard;
mod desk;
mod dispatch;
mod filter;
mod help;
mod holds;
mod intake;
mod ledger;
mod left;
mod masks;
mod matching;
mod proposals;
mod provider;
mod queue;
mod search;
mod sign_in;
mod sign_ins;
mod tasks;
mod upkeep;
mod visitor;

pub use compared::Comparisons;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use engine::Moment;
use minijinja::context;
use minijinja::value::Value;
use tower_http::csrf::CsrfLayer;

use super::customer::{self, Mistake, Throttle, given};
use super::error::Problem;
use super::face::{self, Face};
use super::page::{self, Frame, Visit, framed};
use super::start::{self, CheckpointSource};
use super::when;
use crate::app::App;
use crate::policy::{Room, may_enter};
use crate::store::queue::CaseHead;
use crate::text::{Language, Texts};

pub(super) use visitor::Signed;

/// The largest form that is read; scans have a limit of their own.
const LARGEST_FORM: usize = 256 * 1024;
/// The largest batch of scans that is taken in at once.
const LARGEST_BATCH: usize = 512 * 1024 * 1024;

/// What the staff's pages are made from.
pub struct Staff {
    /// The application.
    pub app: App,
    /// What surrounds the pages.
    pub frame: Frame,
    /// Slows down whoever tries many sign-ins.
    pub throttle: Arc<Throttle>,
    /// Where it is reached, without a slash at the end.
    pub url: String,
    /// For verification against the outside.
    pub checkpoint: CheckpointSource,
    /// The seals of the forms that are looked at, compared once each.
    pub compared: Comparisons,
}

pub(super) type Shared = Arc<Staff>;

/// The pages of the staff's site.
pub fn router(staff: Staff) -> Router {
    let frame = staff.frame.clone();
    let shared = Arc::new(staff);
    let histories = start::Shared {
        db: shared.app.tools.db.clone(),
        pages: frame.pages.clone(),
        checkpoint: shared.checkpoint.clone(),
        notes: Some(shared.app.clone()),
    };
    let histories = start::routes(histories)
        .layer(middleware::from_fn_with_state(shared.clone(), visitor::let_in));
    let router = routes()
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        // Scans are larger than any other form.
        .merge(scan_routes())
        .layer(CsrfLayer::new().with_rejection_response(customer::from_elsewhere))
        .with_state(shared)
        .merge(histories);
    framed(router, frame)
}

fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(home))
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-in/provider", get(provider::begin))
        .route("/sign-in/provider/back", get(provider::back))
        .route("/sign-out", post(sign_in::leave))
        .route("/session", post(sign_in::go_on))
        .route("/queue/{queue}", get(queue::show))
        .route("/queue/{queue}/next", post(queue::take_next))
        .route("/queue/{queue}/take/{case}", post(queue::take))
        .route("/queue/{queue}/release/{case}", post(queue::release))
        .route("/queue/{queue}/filters", post(filter::keep))
        .route("/help", get(help::find))
        .route("/help/{user}", get(help::show).post(help::act))
        .route("/search", get(search::show))
        .route("/desk/{case}", get(desk::show))
        .route("/desk/{case}/warm", get(desk::warm))
        .route("/desk/{case}/page/{place}", get(desk::picture))
        .route("/desk/{case}/seal/{view}", get(desk::seal))
        .route("/desk/{case}/hand-on", post(desk::hand_on))
        .route("/desk/{case}/decide", post(desk::decide))
        .route("/desk/{case}/back", get(desk::ask_why))
        .route("/desk/{case}/return", get(desk::defects).post(desk::send_back))
        .route("/desk/{case}/return/look", get(desk::look))
        .route("/desk/{case}/return/letter/{kind}", get(desk::letter))
        .route("/masks", get(masks::list))
        .route("/masks/{case}/{place}", get(masks::page).post(masks::lay))
        .route("/mask/{case}", get(masks::show).post(masks::act))
        .route("/mask/{case}/original", get(masks::original))
        .route("/intake", get(intake::show))
        .route("/intake/register", post(intake::register))
        .route("/intake/files", post(intake::files))
        .route("/matching", get(matching::list))
        .route("/matching/{case}", get(matching::show).post(matching::matched))
        .route("/matching/{case}/page/{place}", get(matching::picture))
        .route("/dispatch", get(dispatch::show))
        .route("/dispatch/post", post(dispatch::post))
        .route("/dispatch/settle", post(dispatch::settle))
        .route("/dispatch/spoil/{case}", post(dispatch::spoil))
        .route("/dashboard", get(dashboard::show))
        .route("/dashboard/csv/{plot}", get(dashboard::csv))
        .route("/tasks", get(tasks::show))
        .route("/tasks/{case}", post(tasks::act))
        .route("/accounts", get(accounts::show))
        .route("/accounts/propose", post(accounts::propose))
        .route("/accounts/{login}", get(accounts::one))
        .route("/proposals/{case}", get(proposals::show).post(proposals::act))
        .route("/proposals/{case}/picture", get(proposals::picture))
        .route("/upkeep", get(upkeep::show))
        .route("/upkeep/propose", post(upkeep::propose))
        .route("/upkeep/contracts/{number}", get(ledger::contract))
        .route("/upkeep/contracts/{number}/users/{user_id}", get(ledger::user))
        .route("/upkeep/rows", post(ledger::propose))
        .route("/holds", get(holds::show))
        .route("/holds/propose", post(holds::propose))
        .route("/sign-ins", get(sign_ins::show))
        .route("/sign-ins.csv", get(sign_ins::csv))
}

fn scan_routes() -> Router<Shared> {
    Router::new()
        .route("/intake/scan", post(intake::upload))
        .route("/upkeep/specimen", post(upkeep::specimen))
        .layer(DefaultBodyLimit::max(LARGEST_BATCH))
}

/// The first room that is open to whoever comes.
async fn home(signed: Signed) -> Response {
    let menu = menu(&signed, "");
    let first = menu.first().map_or("/sign-in", |item| item.href);
    axum::response::Redirect::to(first).into_response()
}

/// A case as the lists name it.
#[derive(Debug, Clone, serde::Serialize)]
pub(super) struct Named {
    id: i64,
    number: String,
    company: String,
    name: String,
    user_id: String,
    kind: String,
    state: String,
    face: Face,
}

impl Named {
    fn of(head: &CaseHead, texts: &Texts, lang: Language) -> Self {
        Self {
            id: head.id,
            number: when::case_number(head.id, Moment(head.opened_at)),
            company: head.company.clone(),
            name: head.name.clone(),
            user_id: head.user_id.clone(),
            kind: page::name(texts, lang, "workflow", "", &head.workflow),
            state: page::name(texts, lang, "state", &head.workflow, &head.state_name),
            face: face::of_state(&head.state_name),
        }
    }
}

/// An item of the menu.
#[derive(serde::Serialize)]
pub(super) struct Item {
    href: &'static str,
    icon: &'static str,
    key: &'static str,
    is_here: bool,
}

/// The rooms that stand in the menu; the others are reached from a list.
const MENU: [(Room, &str, &str, &str); 14] = [
    (Room::Help, "/help", "people", "help"),
    (Room::Checking, "/queue/check", "inbox", "checking"),
    (Room::Approving, "/queue/approve", "stamp", "approving"),
    (Room::Intake, "/intake", "mail", "intake"),
    (Room::Matching, "/matching", "alert", "matching"),
    (Room::Dispatch, "/dispatch", "printer", "dispatch"),
    (Room::Tasks, "/tasks", "hand", "tasks"),
    (Room::Search, "/search", "search", "search"),
    (Room::Dashboard, "/dashboard", "table", "dashboard"),
    (Room::Upkeep, "/upkeep", "pen", "upkeep"),
    (Room::Accounts, "/accounts", "person", "accounts"),
    (Room::SignIns, "/sign-ins", "key", "sign_ins"),
    (Room::Holds, "/holds", "archive", "holds"),
    (Room::Audit, "/audit", "shield", "audit"),
];

/// The menu of a member of staff.
fn menu(signed: &Signed, here: &str) -> Vec<Item> {
    let open = MENU.into_iter().filter(|(room, ..)| signed.is_in(*room));
    open.map(|(_, href, icon, key)| Item { href, icon, key, is_here: here.starts_with(href) })
        .collect()
}

/// Who is signed in, and the menu, as every page shows them.
pub(super) fn around(staff: &Staff, signed: &Signed) -> Value {
    let roles: Vec<&str> =
        signed.member.roles.iter().map(|role| engine::Role::name(*role)).collect();
    context! {
        me => context! {
            name => &signed.member.account.name,
            login => &signed.member.account.login,
            roles,
            // Sessions are touched at most once a minute: the page warns by the shorter time.
            idle => 60 * staff.app.tools.config.security.session_idle_minutes.saturating_sub(1),
        },
        menu => given(menu(signed, &signed.visit.here)),
        mistakes => Vec::<String>::new(),
    }
}

impl Staff {
    /// The text under a key of the staff's pages.
    pub(super) fn text(&self, lang: Language, key: &str) -> String {
        let key = format!("staff.{key}");
        self.frame.pages.texts().find(lang, &key).unwrap_or(&key).to_owned()
    }

    /// How an envelope came: stored as the counter writes it, told in the reader's language.
    pub(super) fn carrier(&self, lang: Language, carrier: &str) -> String {
        let key = format!("staff.carriers.{carrier}");
        self.frame.pages.texts().find(lang, &key).unwrap_or(carrier).to_owned()
    }

    /// What is asked for, in the words of the form; nothing where nobody knows.
    pub(super) fn request(&self, lang: Language, request: &str) -> String {
        let key = format!("customer.request.{request}");
        self.frame.pages.texts().find(lang, &key).unwrap_or(request).to_owned()
    }

    /// The text with one number or name filled in.
    pub(super) fn filled(
        &self,
        lang: Language,
        key: &str,
        name: &str,
        value: &dyn std::fmt::Display,
    ) -> String {
        self.text(lang, key).replace(&format!("{{{name}}}"), &value.to_string())
    }

    /// A page for somebody who has not signed in.
    pub(super) fn open_page(
        &self,
        visit: &Visit,
        template: &str,
        values: Value,
    ) -> Result<Response, Problem> {
        let values = context! { ..values, ..Frame::of_staff() };
        self.frame.pages.show(visit, template, values)
    }

    /// A page for somebody who has.
    pub(super) fn page(
        &self,
        signed: &Signed,
        template: &str,
        values: Value,
    ) -> Result<Response, Problem> {
        let values = context! { ..values, ..around(self, signed) };
        self.frame.pages.show(&signed.visit, template, values)
    }

    /// A page with a form; with what is wrong, when anything is.
    pub(super) fn page_with(
        &self,
        signed: &Signed,
        template: &str,
        wrong: &[Mistake],
        values: Value,
    ) -> Result<Response, Problem> {
        let status =
            if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        let values = context! { mistakes => mistakes(wrong), ..values };
        Ok((status, self.page(signed, template, values)?).into_response())
    }
}

/// Mistakes as the templates take them.
pub(super) fn mistakes(mistakes: &[Mistake]) -> Value {
    given(mistakes.to_vec())
}

impl Signed {
    /// Whether a role of this account may enter a room.
    pub(super) fn is_in(&self, room: Room) -> bool {
        self.member.roles.iter().any(|role| may_enter(*role, room))
    }

    /// Answers as if there were nothing to whoever may not enter.
    pub(super) fn enter(&self, room: Room) -> Result<(), Problem> {
        if self.is_in(room) { Ok(()) } else { Err(Problem::NotFound) }
    }
}
