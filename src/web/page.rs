//! Values into pages: templates, texts, styles, languages, and the headers of every response.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, MatchedPath, Path, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use minijinja::value::{Kwargs, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, context};

use super::assets::Assets;
use super::error::{self, Problem};
use crate::embedded::TEMPLATES;
use crate::text::{Language, Texts};

/// The language of a tag such as `en-GB`.
fn from_tag(tag: &str) -> Option<Language> {
    Language::from_code(&tag.trim().get(..2)?.to_ascii_lowercase())
}

/// The text under a key with its placeholders filled; `None` when there is none.
pub fn told(texts: &Texts, lang: Language, key: &str, values: &[(&str, String)]) -> Option<String> {
    let mut text = texts.find(lang, key)?.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    Some(text)
}

/// The name of a state, command, refusal or the like: from the workflow's own section, then from
/// the section of the tail or the reissues that it shares, then its own last word.
pub fn name(texts: &Texts, lang: Language, section: &str, workflow: &str, label: &str) -> String {
    let short = label.rsplit('.').next().unwrap_or(label);
    let tries = [
        format!("{section}.{workflow}.{label}"),
        format!("{section}.{workflow}.{short}"),
        format!("{section}.tail.{short}"),
        format!("{section}.reissue.{short}"),
        format!("{section}.{short}"),
        format!("web.{section}.{short}"),
    ];
    let found = tries.iter().find_map(|key| texts.find(lang, key));
    found.unwrap_or(short).to_owned()
}

/// How somebody proved who they are, `password+otp` in words; nothing for who proved nothing.
pub fn proofs(texts: &Texts, lang: Language, auth: &str) -> String {
    let told = auth.split('+').filter(|part| !matches!(*part, "" | "none"));
    told.map(|part| name(texts, lang, "auth", "", part)).collect::<Vec<_>>().join(" + ")
}

/// What every page needs: templates, texts and the bank's names.
pub struct Pages {
    environment: Environment<'static>,
    texts: Arc<Texts>,
    house: forms::House,
    assets: Assets,
}

impl Pages {
    /// Reads the embedded templates.
    ///
    /// # Errors
    /// When a template cannot be parsed.
    pub fn new(texts: Arc<Texts>, house: forms::House) -> Result<Self, Error> {
        let mut environment = Environment::new();
        // By default the file's ending decides; nothing here may ever go out unescaped.
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let assets = Assets::gather();
        let own = texts.clone();
        environment.add_function(
            "t",
            move |state: &minijinja::State, key: &str, values: Kwargs| {
                let lang = state.lookup("lang").and_then(|lang| from_tag(lang.as_str()?));
                let mut filled = Vec::new();
                for name in values.args() {
                    filled.push((name, values.get::<Value>(name)?.to_string()));
                }
                told(&own, lang.unwrap_or(Language::Japanese), key, &filled).ok_or_else(|| {
                    Error::new(ErrorKind::InvalidOperation, format!("no text under {key}"))
                })
            },
        );
        let href = assets.icons.address();
        environment.add_function("icon", move |name: &str| {
            // Names come from the code's own table; escaping them would change none.
            let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
            Value::from_safe_string(format!(
                "<svg class=\"i\" aria-hidden=\"true\" focusable=\"false\">\
                 <use href=\"{href}#{name}\"/></svg>"
            ))
        });
        let scripts: BTreeMap<&str, String> =
            assets.scripts.iter().map(|(stem, asset)| (*stem, asset.address())).collect();
        environment.add_function("script", move |stem: &str| scripts.get(stem).cloned());
        for (name, text) in TEMPLATES {
            environment.add_template(name, text)?;
        }
        Ok(Self { environment, texts, house, assets })
    }

    /// The texts.
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// Fills a template; `values` are added to what every page has.
    ///
    /// # Errors
    /// [`Problem::Template`].
    pub fn render(&self, visit: &Visit, template: &str, values: Value) -> Result<String, Problem> {
        let all = context! {
            lang => visit.lang.code(),
            here => &visit.here,
            other_lang => visit.with("lang", if visit.lang == Language::Japanese { "en" } else { "ja" }),
            style => self.assets.style.address(),
            mark => self.assets.mark.address(),
            bank => &self.house.bank,
            telephone => &self.house.telephone,
            ..values
        };
        let fault = |source| Problem::Template { template: template.to_owned(), source };
        self.environment.get_template(template).map_err(fault)?.render(all).map_err(fault)
    }

    /// The same as a response.
    ///
    /// # Errors
    /// As [`Pages::render`].
    pub fn show(&self, visit: &Visit, template: &str, values: Value) -> Result<Response, Problem> {
        Ok(Html(self.render(visit, template, values)?).into_response())
    }
}

/// A form that came back with a mistake stands at the address it was sent to; whoever opens that address
/// anew, in the other language or from the history, is led to the page that holds the form.
async fn page_above(method: Method, uri: Uri) -> Response {
    let above = uri.path().rsplit_once('/').map(|(above, _)| above).filter(|path| !path.is_empty());
    match above {
        Some(above) if method == Method::GET || method == Method::HEAD => {
            let to = address(above, &pairs(uri.query().unwrap_or_default()));
            let place = HeaderValue::from_str(&to).unwrap_or(HeaderValue::from_static("/"));
            (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
        }
        _ => Problem::MethodNotAllowed.into_response(),
    }
}

/// What a request says about its reader.
#[derive(Debug, Clone)]
pub struct Visit {
    /// By `?lang=`, then the cookie, then `Accept-Language`, then Japanese.
    pub lang: Language,
    /// True when the query chose the language, which is then remembered.
    is_chosen: bool,
    /// The path.
    pub here: String,
    /// The query, decoded; the last of equal names wins.
    pub query: BTreeMap<String, String>,
    /// JSON is preferred to a page.
    pub wants_json: bool,
}

const LANG_COOKIE: &str = "__Host-lang";

impl Visit {
    /// Reads a request's head.
    pub fn of(parts: &Parts) -> Self {
        let query = pairs(parts.uri.query().unwrap_or_default());
        let chosen = query.get("lang").and_then(|tag| from_tag(tag));
        let lang = chosen.or_else(|| cookie_lang(&parts.headers));
        let lang = lang.or_else(|| accepted_lang(&parts.headers)).unwrap_or(Language::Japanese);
        let accept = text(&parts.headers, &header::ACCEPT);
        Self {
            lang,
            is_chosen: chosen.is_some(),
            here: parts.uri.path().to_owned(),
            query,
            wants_json: accept.contains("application/json") && !accept.contains("text/html"),
        }
    }

    /// Of nobody in particular, for what is made outside a request.
    pub fn plain(lang: Language) -> Self {
        let (here, query) = (String::new(), BTreeMap::new());
        Self { lang, is_chosen: false, here, query, wants_json: false }
    }

    /// This address with one part of the query set; an empty value removes it.
    pub fn with(&self, name: &str, value: &str) -> String {
        let mut query = self.query.clone();
        if value.is_empty() {
            query.remove(name);
        } else {
            query.insert(name.to_owned(), value.to_owned());
        }
        address(&self.here, &query)
    }

    /// One part of the query; empty when it is missing.
    pub fn asked(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// True when the page follows a wrong entry of a secret.
    pub fn has_missed(&self) -> bool {
        !self.asked("missed").is_empty()
    }
}

/// A path with a query, encoded.
pub fn address(path: &str, query: &BTreeMap<String, String>) -> String {
    let mut out = path.to_owned();
    for (at, (name, value)) in query.iter().enumerate() {
        let sign = if at == 0 { '?' } else { '&' };
        let _ = write!(out, "{sign}{}={}", encoded(name), encoded(value));
    }
    out
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(name), decoded(value))
    };
    query.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Option<(char, char)> =
                    rest.next().map(char::from).zip(rest.next().map(char::from));
                let value = digits
                    .and_then(|(high, low)| Some(high.to_digit(16)? * 16 + low.to_digit(16)?));
                bytes.push(value.and_then(|value| u8::try_from(value).ok()).unwrap_or(b'?'));
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn cookie_lang(headers: &HeaderMap) -> Option<Language> {
    let cookies = text(headers, &header::COOKIE).split(';');
    let named = cookies.filter_map(|cookie| cookie.trim().split_once('='));
    named.filter(|(name, _)| *name == LANG_COOKIE).find_map(|(_, tag)| from_tag(tag))
}

/// The first of our languages that the browser names; browsers list them by preference.
fn accepted_lang(headers: &HeaderMap) -> Option<Language> {
    text(headers, &header::ACCEPT_LANGUAGE).split(',').find_map(from_tag)
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts))
    }
}

/// What surrounds every router of the application.
#[derive(Clone)]
pub struct Frame {
    /// Draws the pages.
    pub pages: Arc<Pages>,
    /// The host names (with port, where it is not the usual one) under which it is reached.
    pub hosts: Arc<[String]>,
    /// For reference numbers.
    pub entropy: engine::Entropy,
    /// What the error pages need: the name of their `layout`, and what that asks for.
    pub layout: Value,
}

impl Frame {
    /// The layout of error pages inside the house.
    pub fn of_staff() -> Value {
        context! { layout => "layout.html", me => (), menu => (), mistakes => () }
    }
}

/// Adds static files, error pages, the Host check and the headers of every response.
pub fn framed(router: Router, frame: Frame) -> Router {
    router
        .route("/static/{name}", get(asset).with_state(frame.pages.clone()))
        .fallback(|| async { Problem::NotFound.into_response() })
        .method_not_allowed_fallback(page_above)
        .layer(middleware::from_fn_with_state(frame.clone(), error::shown))
        .layer(middleware::from_fn_with_state(frame, around))
}

async fn asset(
    State(pages): State<Arc<Pages>>,
    Path(name): Path<String>,
    asked: HeaderMap,
) -> Response {
    match pages.assets.find(&name) {
        Some(asset) => asset.response(&asked),
        None => Problem::NotFound.into_response(),
    }
}

/// Nothing from elsewhere, nothing inline; scripts only from our own files.
const CONTENT_SECURITY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
     script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Whatever comes out, even an error, bears the headers; whatever comes in names our host.
async fn around(State(frame): State<Frame>, request: Request, next: Next) -> Response {
    let begun = std::time::Instant::now();
    let (parts, body) = request.into_parts();
    let route = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let visit = Visit::of(&parts);
    let host = parts
        .uri
        .host()
        .map_or_else(|| text(&parts.headers, &header::HOST).to_owned(), str::to_owned);
    let mut response = if frame.hosts.iter().any(|known| known.eq_ignore_ascii_case(&host)) {
        next.run(Request::from_parts(parts, body)).await
    } else {
        error::page(&frame, &visit, &Problem::Misdirected)
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let vary = "Accept, Accept-Language, Cookie";
    headers.entry(header::VARY).or_insert(HeaderValue::from_static(vary));
    if visit.is_chosen
        && let Ok(cookie) = HeaderValue::from_str(&format!(
            "{LANG_COOKIE}={}; Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax",
            visit.lang.code()
        ))
    {
        headers.append(header::SET_COOKIE, cookie);
    }
    let route = route.as_deref().unwrap_or("none");
    super::metrics::answered(route, response.status().as_u16(), begun.elapsed());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(uri: &str, headers: &[(&str, &str)]) -> Visit {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Visit::of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn the_query_beats_the_cookie_beats_the_browser() {
        let browser = ("accept-language", "fr-FR, en-GB;q=0.8, ja;q=0.5");
        let cookie = ("cookie", "a=b; __Host-lang=ja");
        assert_eq!(visit("/", &[]).lang, Language::Japanese);
        assert_eq!(visit("/", &[browser]).lang, Language::English);
        assert_eq!(visit("/", &[browser, cookie]).lang, Language::Japanese);
        assert_eq!(visit("/?lang=en", &[browser, cookie]).lang, Language::English);
        assert_eq!(visit("/?lang=%E3%81%82", &[cookie]).lang, Language::Japanese);
    }

    #[test]
    fn addresses_are_encoded_and_read_back() {
        let visit = visit("/cases?state=Tail.Waiting&x=%E7%8A%B6+%26&lang=en", &[]);
        assert_eq!(visit.asked("x"), "状 &");
        let again = visit.with("lang", "ja");
        assert_eq!(again, "/cases?lang=ja&state=Tail.Waiting&x=%E7%8A%B6%20%26");
        assert_eq!(visit.with("x", ""), "/cases?lang=en&state=Tail.Waiting");
        assert_eq!(
            pairs("a=%zz&b=%"),
            BTreeMap::from([("a".into(), "?".into()), ("b".into(), "?".into())])
        );
    }
}
