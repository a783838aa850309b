//! Form 3 from the web: prefilled for the contract, blank, or fillable; and a check of a photo
//! before it is posted.

use std::collections::BTreeSet;

use axum::Form;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use forms::{Reason, Request, Variant};
use minijinja::{Value, context};
use serde::de::DeserializeOwned;

use super::{Customers, Mistake, Shared, Signed};
use crate::customer::Declined;
use crate::prefill::Wish;
use crate::reader::{FileRead, ReaderFault};
use crate::web::assets::packed_page;
use crate::web::error::Problem;
use crate::web::page::Visit;

/// The largest photo or scan that is checked.
const LARGEST_PHOTO: usize = 24 << 20;
/// Photos checked at once by the whole site: reading takes a processor for a moment.
static CHECKING: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(2);

/// The check takes more bytes than any other form; it needs no login and keeps nothing.
pub(super) fn check_routes() -> Router<Shared> {
    Router::new()
        .route("/form/check", get(ask).post(check))
        .layer(DefaultBodyLimit::max(LARGEST_PHOTO))
}

fn variant_of(signed: &Signed) -> Variant {
    if signed.head.variant == "light" { Variant::Light } else { Variant::BizStation }
}

/// How many users fit on the form.
const fn rows(variant: Variant) -> usize {
    match variant {
        Variant::BizStation => 5,
        Variant::Light => 2,
    }
}

pub(super) async fn choose(
    State(shared): State<Shared>,
    signed: Signed,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let page = choosing(&shared, &signed, &BTreeSet::new(), &[], StatusCode::OK).await?;
    // All colleagues with all they may ask for. A query would come back in the page's own links.
    if signed.visit.query.is_empty() { Ok(packed_page(page, &asked).await) } else { Ok(page) }
}

/// The stored name of a request or reason, as forms send it.
fn name_of(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

async fn choosing(
    shared: &Customers,
    signed: &Signed,
    chosen: &BTreeSet<String>,
    mistakes: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    let variant = variant_of(signed);
    let mut people = vec![context! {
        user_id => &signed.head.user_id,
        name => &signed.head.name,
        department => &signed.head.department,
        is_self => true,
    }];
    if signed.session.has_authority {
        people.extend(shared.app.colleagues(&signed.session).await?.iter().map(|one| {
            context! {
                user_id => &one.user_id,
                name => &one.name,
                department => &one.department,
                is_self => false,
            }
        }));
    }
    let values = context! {
        people,
        rows => rows(variant),
        form_variant => variant.to_string(),
        requests => Request::ALL.iter().map(name_of).collect::<Vec<_>>(),
        reasons => Reason::ALL.iter().map(name_of).collect::<Vec<_>>(),
        chosen => chosen.iter().cloned().collect::<Vec<_>>(),
        mistakes => Customers::mistakes(mistakes),
    };
    Ok((status, shared.page(signed, "customer/form3.html", values)?).into_response())
}

/// What was ticked: `<user ID>.<request>` and `<user ID>.reason.<reason>`.
fn wishes(signed: &Signed, sent: &[(String, String)]) -> Vec<Wish> {
    let mut wishes: Vec<Wish> = Vec::new();
    for (name, _) in sent {
        let Some((user_id, what)) = name.split_once('.') else { continue };
        let known = wishes.iter().position(|wish| wish.user_id == user_id);
        let index = known.unwrap_or_else(|| {
            let user_id = user_id.to_owned();
            wishes.push(Wish { user_id, requests: Vec::new(), reasons: Vec::new() });
            wishes.len() - 1
        });
        let Some(wish) = wishes.get_mut(index) else { continue };
        if let Some(reason) = what.strip_prefix("reason.").and_then(named) {
            wish.reasons.push(reason);
        } else if let Some(request) = named(what) {
            wish.requests.push(request);
        }
    }
    wishes.retain(|wish| !wish.requests.is_empty());
    // Without the authority one asks for oneself alone.
    wishes.retain(|wish| signed.session.has_authority || wish.user_id == signed.head.user_id);
    wishes
}

/// Makes the prefilled form; from now on it is awaited.
pub(super) async fn print(
    State(shared): State<Shared>,
    signed: Signed,
    Form(sent): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let lang = signed.visit.lang;
    let chosen: BTreeSet<String> = sent.iter().map(|(name, _)| name.clone()).collect();
    let variant = variant_of(&signed);
    let wishes = wishes(&signed, &sent);
    let needs_reason =
        |wish: &Wish| wish.requests.contains(&Request::RetrievalReissue) && wish.reasons.is_empty();
    let slip = if wishes.is_empty() {
        Some(shared.text(lang, "form3.nothing_chosen"))
    } else if wishes.len() > rows(variant) {
        Some(shared.counted(lang, "form3.too_many", &rows(variant)))
    } else if wishes.iter().any(needs_reason) {
        Some(shared.text(lang, "form3.reason_missing"))
    } else {
        None
    };
    if let Some(text) = slip {
        let mistakes = [Mistake { field: "people", text }];
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return choosing(&shared, &signed, &chosen, &mistakes, status).await;
    }
    let data = shared.app.prefill(&signed.session, &wishes).await?;
    match shared.app.draft_form(&signed.session, variant, &data).await {
        Ok(draft) => Ok(pdf(&format!("form3-{}.pdf", draft.number), draft.pdf)),
        Err(Declined::Fault(fault)) if missing_letter(&fault).is_some() => {
            let letter = missing_letter(&fault).unwrap_or_default();
            let text = shared.counted(lang, "form3.letter_missing", &letter);
            let mistakes = [Mistake { field: "people", text }];
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            choosing(&shared, &signed, &chosen, &mistakes, status).await
        }
        Err(other) => Err(other.into()),
    }
}

/// The letter that no font has, when that is why a form was not printed.
fn missing_letter(fault: &engine::Fault) -> Option<String> {
    let mut cause: Option<&dyn std::error::Error> = Some(fault);
    while let Some(error) = cause {
        if let Some(forms::PrintFault::MissingGlyph { character, .. }) = error.downcast_ref() {
            return Some(character.to_string());
        }
        cause = error.source();
    }
    None
}

/// Blank or fillable: for whoever cannot sign in.
pub(super) async fn plain(State(shared): State<Shared>, visit: Visit) -> Result<Response, Problem> {
    let variant: Variant = visit.asked("variant").parse().map_err(|_| Problem::NotFound)?;
    let fillable = visit.asked("kind") == "fillable";
    let now = shared.app.tools.db.now().await?;
    let app = shared.app.clone();
    let made = tokio::task::spawn_blocking(move || app.plain_form(variant, fillable, now)).await;
    let made = made.map_err(engine::Fault::host("print a form"))??;
    let kind = if fillable { "fillable" } else { "blank" };
    Ok(pdf(&format!("form3-{variant}-{kind}.pdf"), made))
}

fn pdf(name: &str, bytes: Vec<u8>) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

pub(super) async fn ask(State(shared): State<Shared>, visit: Visit) -> Result<Response, Problem> {
    asking(&shared, &visit, None, &[], StatusCode::OK)
}

fn asking(
    shared: &Customers,
    visit: &Visit,
    found: Option<Value>,
    mistakes: &[Mistake],
    status: StatusCode,
) -> Result<Response, Problem> {
    let values = context! { found, mistakes => Customers::mistakes(mistakes) };
    Ok((status, shared.open_page(visit, "customer/check.html", values)?).into_response())
}

/// Looks at a photo or scan and says what is missing. Nothing is stored.
pub(super) async fn check(
    State(shared): State<Shared>,
    visit: Visit,
    multipart: Multipart,
) -> Result<Response, Problem> {
    let slip = |key: &str| {
        let text = shared.text(visit.lang, key);
        let mistakes = [Mistake { field: "photo", text }];
        asking(&shared, &visit, None, &mistakes, StatusCode::UNPROCESSABLE_ENTITY)
    };
    let files = match photos(multipart).await {
        Ok(files) => files,
        Err(status) if status == StatusCode::PAYLOAD_TOO_LARGE => return Err(Problem::TooLarge),
        Err(_) => return slip("check.unreadable"),
    };
    if files.is_empty() {
        return slip("check.nothing");
    }
    let Ok(_turn) = CHECKING.try_acquire() else { return Err(Problem::TooMany) };
    let key = shared.app.code_key_bytes()?;
    let mut reads = Vec::new();
    for file in &files {
        match shared.app.reader.read(&key, file).await {
            Ok(read) => reads.push(read),
            Err(ReaderFault::Exhausted | ReaderFault::TooLarge) => {
                return slip("check.unreadable");
            }
            Err(fault) => return Err(engine::Fault::host("check a photo")(fault).into()),
        }
    }
    if reads.iter().any(FileRead::is_protected) {
        return slip("check.protected");
    }
    if reads.iter().all(|read| read.pages.is_empty()) {
        return slip("check.unreadable");
    }
    asking(&shared, &visit, Some(verdict(&reads)), &[], StatusCode::OK)
}

/// Takes the files of the form, at most ten.
async fn photos(mut multipart: Multipart) -> Result<Vec<Bytes>, StatusCode> {
    let mut files = Vec::new();
    loop {
        let field = multipart.next_field().await.map_err(|error| error.status())?;
        let Some(field) = field else { return Ok(files) };
        let bytes = field.bytes().await.map_err(|error| error.status())?;
        if !bytes.is_empty() && files.len() < 10 {
            files.push(bytes);
        }
    }
}

/// What the reading comes to, in words that a customer can act on.
fn verdict(reads: &[FileRead]) -> Value {
    let pages: Vec<_> = reads.iter().flat_map(|read| &read.pages).collect();
    let forms: Vec<_> = pages.iter().filter(|page| page.kind == "form").collect();
    let numbers: BTreeSet<&str> = forms.iter().filter_map(|p| p.case_id.as_deref()).collect();
    let of = forms.iter().find_map(|page| page.page_of.as_deref()?.split_once('/'));
    let wanted: usize = of.and_then(|(_, all)| all.parse().ok()).unwrap_or(1);
    let seen: BTreeSet<&str> = forms
        .iter()
        .filter_map(|page| page.page_of.as_deref()?.split_once('/').map(|(page, _)| page))
        .collect();
    let missing: Vec<usize> =
        (1..=wanted).filter(|page| !seen.contains(page.to_string().as_str())).collect();
    let seals: Vec<bool> =
        forms.iter().flat_map(|page| page.seals.values().map(|seal| seal.found)).collect();
    let ticked = forms.iter().flat_map(|page| &page.checks).any(|(name, check)| {
        check.v == Some(true) && Request::ALL.iter().any(|request| name.ends_with(request.field()))
    });
    let registered = forms.iter().all(|page| page.registered);
    context! {
        is_form => !forms.is_empty(),
        variant => forms.iter().find_map(|page| page.variant.clone()),
        mixed => numbers.len() > 1,
        seal => seals.iter().any(|found| *found),
        has_seal_box => !seals.is_empty(),
        ticked,
        registered,
        is_good => !forms.is_empty() && missing.is_empty() && numbers.len() <= 1
            && seals.iter().any(|found| *found) && ticked && registered,
        missing,
    }
}
