//! The customers' pages: both online paths, the retrieval of the certificate, cases, Form 3.
//!
//! One set of pages serves two sites: the customers' site, where a password signs in, and the
//! certificate site, where the session is bound to the certificate that the browser presents.
//! Every rule is a workflow's: a page shows what the operations of [`crate::customer`] answer.

mod account;
mod call_back;
mod cases;
mod code;
mod colleague;
mod enrol;
mod form3;
mod guides;
mod locked;
mod own;
mod replies;
mod retrieval;
mod sign_in;
mod start;
mod throttle;
mod visitor;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;
use tower_http::csrf::CsrfLayer;
use workflows::credential::Kind;

use super::error::Problem;
use super::page::{Frame, Visit, framed};
use crate::app::App;
use crate::customer::kind_name;
use crate::text::{Language, Texts};

use replies::above;
pub(super) use replies::{case_named, from_elsewhere};
pub(super) use sign_in::back_or;
pub use throttle::Throttle;
pub(super) use visitor::{Signed, cookie, place_of, set as set_cookie, take_back};

/// The largest form that is read; photos of Form 3 have a limit of their own.
const LARGEST_FORM: usize = 64 * 1024;

/// Which of the two sites a router serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The customers' site: signed in with a password alone.
    Password,
    /// The certificate site: the session is bound to the certificate presented.
    Certificate,
}

/// What the customers' pages are made from.
pub struct Customers {
    /// The application.
    pub app: App,
    /// What surrounds the pages.
    pub frame: Frame,
    /// Which site.
    pub audience: Audience,
    /// Where the customers' site is reached; `None` when no node of this configuration serves it.
    pub customer_url: Option<String>,
    /// Where the certificate site is reached.
    pub certificate_url: Option<String>,
    /// Slows down whoever tries many sign-ins.
    pub throttle: Arc<Throttle>,
}

pub(super) type Shared = Arc<Customers>;

/// The pages of one site.
pub fn router(customers: Customers) -> Router {
    let around = customers.surroundings();
    let layout = context! { layout => "customer/layout.html", me => (), ..around };
    let frame = Frame { layout, ..customers.frame.clone() };
    let shared = Arc::new(customers);
    let pages = match shared.audience {
        Audience::Password => on_the_customers_site(),
        Audience::Certificate => on_the_certificate_site(),
    };
    let router = pages
        .merge(for_everybody())
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        // Photos of a form are larger than any other form.
        .merge(form3::check_routes())
        .layer(CsrfLayer::new().with_rejection_response(replies::from_elsewhere))
        .with_state(shared);
    framed(router, frame)
}

fn for_everybody() -> Router<Shared> {
    Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-out", post(sign_in::leave))
        .route("/session", post(sign_in::go_on))
        .route("/cases", get(cases::list))
        .route("/cases/{case}", get(cases::show))
        .route("/cases/{case}/withdraw", get(cases::ask_withdraw).post(cases::withdraw))
        .route("/cases/{case}/not-me", get(cases::ask_disown).post(cases::disown))
        .route("/guides", get(guides::show))
        .route("/locked/{kind}", get(locked::show))
}

fn on_the_customers_site() -> Router<Shared> {
    Router::new()
        .route("/", get(start::show))
        .route("/way", get(start::way))
        .route("/call-back", get(call_back::ask).post(call_back::request))
        .route("/call-back/done", get(call_back::done))
        .route("/enrol", get(enrol::ask).post(enrol::enter))
        .route("/enrol/secrets", get(enrol::secrets))
        .route("/enrol/secrets/card", get(above).post(enrol::register_card))
        .route("/enrol/secrets/finish", get(above).post(enrol::finish))
        .route("/enrol/secrets/{kind}", get(above).post(enrol::set_password))
        .route("/account", get(account::show))
        .route("/account/card", get(above).post(account::replace_card))
        .route("/account/{kind}", get(above).post(account::change_password))
        .route("/stop", get(account::ask_stop).post(account::stop))
        .route("/certificate", get(retrieval::show).post(retrieval::claim))
        .route("/certificate/{case}", get(retrieval::fetch_page))
        .route("/certificate/{case}/file", get(above).post(retrieval::file))
        .route("/certificate/{case}/chain", get(retrieval::chain))
        .route("/certificate/{case}/refetch", post(retrieval::refetch))
        .route("/reissue", get(own::ask_reason).post(own::begin))
        .route("/reissue/{case}", get(own::show))
        .route("/reissue/{case}/one-time-password", get(above).post(own::one_time_password))
        .route("/reissue/{case}/password", get(own::password).post(own::issue))
        .route("/reissue/{case}/noted", post(own::noted))
        .route("/reissue/{case}/cancel", post(own::cancel))
        .route("/form", get(form3::choose).post(form3::print))
        .route("/form/plain", get(form3::plain))
}

fn on_the_certificate_site() -> Router<Shared> {
    Router::new()
        .route("/", get(sign_in::certificate))
        .route("/crl/issuing.crl", get(sign_in::revocation_list))
        .route("/menu", get(colleague::menu))
        .route("/settings", get(colleague::settings))
        .route("/settings/users", get(colleague::users))
        .route("/settings/users/codes", get(code::list))
        .route("/settings/users/codes/{user_id}", get(code::confirm).post(code::issue))
        .route("/settings/users/codes/{user_id}/done", get(code::done))
        .route("/settings/users/codes/{user_id}/noted", post(code::noted))
        .route("/settings/users/reissue", get(colleague::list).post(colleague::pick))
        .route("/settings/users/reissue/{case}", get(colleague::confirm).post(colleague::reissue))
        .route("/settings/users/reissue/{case}/cancel", post(colleague::cancel))
        .route("/settings/users/reissue/{case}/done", get(colleague::done))
        .route("/settings/users/reissue/{case}/noted", post(colleague::noted))
}

/// A mistake in a field of a form, in the reader's words.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Mistake {
    /// The field's name; empty when it concerns the whole form.
    pub(super) field: &'static str,
    pub(super) text: String,
}

impl Customers {
    /// After a wrong entry, which is counted: the page says so by GET, so that F5 is no further
    /// entry. The last one may end the case as well: its lock comes first.
    pub(super) async fn missed(
        &self,
        signed: &Signed,
        kind: Kind,
        path: &str,
    ) -> Result<Response, Problem> {
        Ok(match self.app.attempts_left(signed.session.user, kind).await? {
            Some(_) => see(&format!("{path}?missed=1")),
            None => see(&format!("/locked/{}", kind_name(kind))),
        })
    }

    pub(super) fn texts(&self) -> &Texts {
        self.frame.pages.texts()
    }

    /// The text under a key of the customers' pages.
    pub(super) fn text(&self, lang: Language, key: &str) -> String {
        let key = format!("customer.{key}");
        self.texts().find(lang, &key).unwrap_or(&key).to_owned()
    }

    /// The text with one number filled in.
    pub(super) fn counted(
        &self,
        lang: Language,
        key: &str,
        count: &dyn std::fmt::Display,
    ) -> String {
        self.text(lang, key).replace("{n}", &count.to_string())
    }

    /// A page for somebody who has not signed in.
    pub(super) fn open_page(
        &self,
        visit: &Visit,
        template: &str,
        values: Value,
    ) -> Result<Response, Problem> {
        let values = context! { ..values, ..self.surroundings(), ..context! { me => () } };
        self.frame.pages.show(visit, template, values)
    }

    /// A page for somebody who has.
    pub(super) fn page(
        &self,
        signed: &Signed,
        template: &str,
        values: Value,
    ) -> Result<Response, Problem> {
        let me = context! {
            user => &signed.head.name,
            user_id => &signed.head.user_id,
            department => &signed.head.department,
            company => &signed.head.company,
            contract => masked(&signed.head.contract_number),
            phrase => &signed.head.phrase,
            authority => signed.session.has_authority,
            // Sessions are touched at most once a minute: the page warns by the shorter time.
            idle => 60 * self.app.tools.config.security.session_idle_minutes.saturating_sub(1),
        };
        let values = context! { ..values, ..self.surroundings(), ..context! { me } };
        self.frame.pages.show(&signed.visit, template, values)
    }

    fn surroundings(&self) -> Value {
        context! {
            on_certificate_site => self.audience == Audience::Certificate,
            customer_url => &self.customer_url,
            certificate_url => &self.certificate_url,
            service => &self.app.tools.config.house.bizstation,
            mistakes => Vec::<String>::new(),
        }
    }

    /// Mistakes as the templates take them.
    pub(super) fn mistakes(mistakes: &[Mistake]) -> Value {
        given(mistakes.to_vec())
    }
}

/// A contract number as pages show it: the last four digits.
pub(super) fn masked(number: &str) -> String {
    let shown: String = number.chars().skip(number.chars().count().saturating_sub(4)).collect();
    format!("******{shown}")
}

/// A response that tells the browser to go elsewhere with GET, as after every act.
pub(super) fn see(path: &str) -> Response {
    axum::response::Redirect::to(path).into_response()
}

/// A value for a template that serializes as it is.
pub(super) fn given<T>(value: T) -> Value
where
    T: Serialize,
{
    Value::from(Serde(value))
}
