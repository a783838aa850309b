//! Signing in at the bank's own identity provider: the way there, and the way back.

use std::time::Instant;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use engine::Moment;
use minijinja::context;
use workflows::account::Answer;

use super::sign_in::{self, Typed};
use super::visitor::{Arrival, with_token};
use super::{Shared, Staff};
use crate::identity::{LIFE, Passage, Provider};
use crate::staffing::{Returned, Turned};
use crate::web::customer::{Mistake, back_or, cookie, see};
use crate::web::error::Problem;
use crate::web::page::Visit;

/// What the browser keeps while it is at the provider, one for each window that is under way; few,
/// so that no browser carries a long train of them.
const COOKIES: [&str; 4] =
    ["__Host-staff-way", "__Host-staff-way-2", "__Host-staff-way-3", "__Host-staff-way-4"];
/// Nobody signs in from a page with a longer address.
const LONGEST_BACK: usize = 512;

/// The provider, and where it sends people back to; `None` where there is none.
fn door(staff: &Staff) -> Option<(&Provider, String)> {
    let provider = staff.app.tools.provider.as_ref()?;
    let configured = &staff.app.tools.config.staff_identity.redirect_address;
    let redirect =
        if configured.is_empty() { format!("{}{BACK}", staff.url) } else { configured.clone() };
    Some((provider, redirect))
}

/// Where the provider sends people back to.
const BACK: &str = "/sign-in/provider/back";

/// Where one signs out at the provider too.
pub(super) async fn leaving(staff: &Staff) -> Option<String> {
    let (provider, redirect) = door(staff)?;
    let after = redirect.strip_suffix("/provider/back")?;
    provider.leaving(after).await
}

/// Sends the browser to the provider; what it keeps meanwhile belongs to this one sign-in.
pub(super) async fn begin(
    State(shared): State<Shared>,
    Arrival(place): Arrival,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Response, Problem> {
    let (provider, redirect) = door(&shared).ok_or(Problem::NotFound)?;
    slow_down(&shared, &place)?;
    let back = back_or(visit.asked("back"), "/");
    let back = if back.len() > LONGEST_BACK { "/" } else { back };
    let tools = &shared.app.tools;
    let now = tools.db.now().await?;
    let begun = provider.begin(&redirect, back, visit.lang, now, &tools.entropy).await;
    let departure = match begun {
        Ok(departure) => departure,
        Err(fault) => {
            tracing::error!(error = %engine::chain(&fault), "the identity provider");
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return again(&shared, &visit, back, "provider_down", status).await;
        }
    };
    let sealed = departure.passage.seal(&tools.keys).map_err(engine::Fault::host("seal a way"))?;
    let mut response = see(&departure.address);
    keep(&mut response, free(&shared, &headers, now), &sealed, LIFE.as_secs());
    Ok(response)
}

/// The first name under which no other window is under way; where all are, the first again.
fn free(shared: &Shared, headers: &HeaderMap, now: Moment) -> &'static str {
    let used = under_way(shared, headers, now);
    let is_free = |name: &&&str| used.iter().all(|(used, _)| *used != **name);
    COOKIES.iter().find(is_free).unwrap_or(&COOKIES[0])
}

/// What this browser keeps of its ways to the provider.
fn under_way(shared: &Shared, headers: &HeaderMap, now: Moment) -> Vec<(&'static str, Passage)> {
    let keys = &shared.app.tools.keys;
    let kept = |name| Some((name, Passage::open(keys, cookie(headers, name)?, now)?));
    COOKIES.into_iter().filter_map(kept).collect()
}

fn slow_down(shared: &Shared, place: &str) -> Result<(), Problem> {
    let most = shared.app.tools.config.security.sign_ins_per_minute;
    if shared.throttle.allows(place, most, Instant::now()) { Ok(()) } else { Err(Problem::TooMany) }
}

/// The browser comes from another site, and brings a cookie then only with this word.
fn keep(response: &mut Response, name: &str, value: &str, seconds: u64) {
    let cookie =
        format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
        cookie.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Back from the provider. Whatever comes of it, what the browser kept for this way is used up.
pub(super) async fn back(
    State(shared): State<Shared>,
    Arrival(place): Arrival,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Response, Problem> {
    let (provider, redirect) = door(&shared).ok_or(Problem::NotFound)?;
    slow_down(&shared, &place)?;
    let tools = &shared.app.tools;
    let now = tools.db.now().await?;
    let state = visit.asked("state");
    let mut ways = under_way(&shared, &headers, now);
    // Where no window asked for this answer, one of them is told off, and the attempt is kept.
    let at = ways.iter().position(|(_, way)| way.is_answered_by(state)).unwrap_or(0);
    if ways.is_empty() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return again(&shared, &visit, "", "provider_over", status).await;
    }
    let (name, passage) = ways.swap_remove(at);
    let returned =
        Returned { state: state.to_owned(), code: visit.asked("code").to_owned(), place };
    let entered = shared.app.staff_enter(provider, &redirect, &passage, &returned).await;
    let mut response = match entered {
        // The session's cookie goes along only when the next page is asked for by our own.
        Ok(token) => {
            let values = context! { to => back_or(passage.back(), "/") };
            let page = shared.open_page(&visit, "staff/entered.html", values)?;
            with_token(page, &token)
        }
        Err(turned) => turned_away(&shared, &visit, passage.back(), turned).await?,
    };
    keep(&mut response, name, "", 0);
    Ok(response)
}

async fn turned_away(
    shared: &Shared,
    visit: &Visit,
    back: &str,
    turned: Turned,
) -> Result<Response, Problem> {
    match turned {
        Turned::Down(fault) => {
            tracing::error!(error = %engine::chain(&fault), "the identity provider");
            again(shared, visit, back, "provider_down", StatusCode::SERVICE_UNAVAILABLE).await
        }
        Turned::Away(answer) => {
            let key = match answer {
                Answer::Denied => "provider_denied",
                Answer::OneFactor => "provider_factor",
                Answer::Stale => "provider_stale",
                Answer::Unlinked => "provider_unlinked",
                _ => "provider_refused",
            };
            again(shared, visit, back, key, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Turned::Broken(declined) => Err(declined.into()),
    }
}

/// The door once more, with what was wrong.
async fn again(
    shared: &Shared,
    visit: &Visit,
    back: &str,
    key: &str,
    status: StatusCode,
) -> Result<Response, Problem> {
    let text = shared.text(visit.lang, &format!("sign_in.{key}"));
    let wrong = [Mistake { field: "", text }];
    // What the provider has sent does not stand in the addresses of this page.
    let mut visit = visit.clone();
    visit.query.clear();
    super::visitor::DOOR.clone_into(&mut visit.here);
    sign_in::form(shared, &visit, &Typed::returning_to(back), &wrong, status).await
}
