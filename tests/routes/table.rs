//! Who gets what: every route, asked by everybody, as one table that is read when it changes.

use std::collections::BTreeSet;
use std::fmt::Write;

use axum::Router;
use engine::CaseId;

use crate::answer::{Answer, Ask, Visitor};
use crate::house::{CERTIFICATE_SITE, Cases, HANAKO, House, ICHIRO, MISAKI, NAOKO, SITE, TARO};

/// Read with GET. `{case}` stands for each case in turn, `{user_id}` for a colleague and for
/// somebody of the other company.
pub(crate) const READ: [&str; 31] = [
    "/",
    "/way",
    "/call-back",
    "/call-back/done",
    "/enrol",
    "/enrol/secrets",
    "/enrol/secrets/card",
    "/enrol/secrets/finish",
    "/enrol/secrets/{kind}",
    "/account",
    "/account/card",
    "/account/{kind}",
    "/stop",
    "/sign-in",
    "/guides",
    "/locked/{kind}",
    "/locked/nothing",
    "/cases",
    "/cases/{case}",
    "/cases/{case}/withdraw",
    "/cases/{case}/not-me",
    "/certificate",
    "/certificate/{case}",
    "/certificate/{case}/file",
    "/certificate/{case}/chain",
    "/reissue",
    "/reissue/{case}",
    "/reissue/{case}/one-time-password",
    "/reissue/{case}/password",
    "/form",
    "/form/check",
];
/// Sent with POST and a form that says nothing.
pub(crate) const SENT: [&str; 22] = [
    "/sign-in",
    "/call-back",
    "/enrol",
    "/enrol/secrets/card",
    "/enrol/secrets/finish",
    "/enrol/secrets/{kind}",
    "/account/card",
    "/account/{kind}",
    "/session",
    "/form",
    "/form/check",
    "/certificate",
    "/certificate/{case}/file",
    "/certificate/{case}/refetch",
    "/cases/{case}/withdraw",
    "/cases/{case}/not-me",
    "/reissue",
    "/reissue/{case}/one-time-password",
    "/reissue/{case}/password",
    "/reissue/{case}/noted",
    "/reissue/{case}/cancel",
    "/stop",
];
/// The same of the certificate site, as far as its pages are its own.
pub(crate) const READ_WITH_CERTIFICATE: [&str; 16] = [
    "/",
    "/sign-in",
    "/crl/issuing.crl",
    "/guides",
    "/locked/{kind}",
    "/menu",
    "/settings",
    "/settings/users",
    "/settings/users/codes",
    "/settings/users/codes/{user_id}",
    "/settings/users/codes/{user_id}/done",
    "/settings/users/reissue",
    "/settings/users/reissue/{case}",
    "/settings/users/reissue/{case}/done",
    "/cases",
    "/cases/{case}",
];
pub(crate) const SENT_WITH_CERTIFICATE: [&str; 8] = [
    "/sign-in",
    "/session",
    "/settings/users/codes/{user_id}",
    "/settings/users/codes/{user_id}/noted",
    "/settings/users/reissue",
    "/settings/users/reissue/{case}",
    "/settings/users/reissue/{case}/noted",
    "/settings/users/reissue/{case}/cancel",
];
/// Looked at elsewhere: it draws a form for seconds, or ends the session that the table needs.
const ELSEWHERE: [&str; 2] = ["/form/plain", "/sign-out"];

impl Cases {
    /// The cases with their names in the table.
    pub(crate) fn all(&self) -> [(&'static str, CaseId); 4] {
        [
            ("completed", self.completed),
            ("confirming", self.confirming),
            ("issued", self.issued),
            ("begun", self.begun),
        ]
    }
}

/// The routes with each case in its place.
pub(crate) fn addresses(routes: &[&str], cases: &Cases) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for route in routes {
        if route.contains("{case}") {
            for (name, case) in cases.all() {
                let shown = route.replace("{case}", &format!("{{{name}}}"));
                all.push((shown, route.replace("{case}", &case.to_string())));
            }
        } else if route.contains("{user_id}") {
            for (name, user_id) in [("colleague", TARO), ("other company's", NAOKO)] {
                let shown = route.replace("{user_id}", &format!("{{{name}}}"));
                all.push((shown, route.replace("{user_id}", user_id)));
            }
        } else {
            all.push(((*route).to_owned(), route.replace("{kind}", "login")));
        }
    }
    all
}

/// A cell: the status, and where a redirection leads.
fn cell(answer: &Answer, cases: &Cases) -> String {
    let status = answer.status.as_u16();
    if !answer.status.is_redirection() {
        return status.to_string();
    }
    let to = answer.header("location");
    if to.contains("over=1") {
        return "door".to_owned();
    }
    let mut to = to.to_owned();
    for (name, case) in cases.all() {
        let number = case.to_string();
        let named = |part: &str| if part == number { format!("{{{name}}}") } else { part.into() };
        let (path, query) = to.split_once('?').unwrap_or((&to, ""));
        let path = path.split('/').map(named).collect::<Vec<String>>().join("/");
        let sign = if query.is_empty() { "" } else { "?" };
        to = format!("{path}{sign}{query}");
    }
    to
}

struct Site<'a> {
    router: &'a Router,
    host: &'a str,
    visitors: &'a [(&'static str, Visitor)],
}

impl Site<'_> {
    async fn table(&self, read: &[&str], sent: &[&str], cases: &Cases) -> String {
        let mut table = String::new();
        for (method, routes) in [("GET", read), ("POST", sent)] {
            for (shown, path) in addresses(routes, cases) {
                let mut cells = Vec::new();
                for (who, visitor) in self.visitors {
                    let ask = if method == "GET" {
                        Ask::get(self.router, self.host, &path)
                    } else {
                        Ask::post(self.router, self.host, &path, "")
                    };
                    let answer = ask.by(visitor).send().await;
                    assert!(
                        !answer.status.is_server_error(),
                        "{method} {shown} {who}: {}",
                        answer.body
                    );
                    cells.push(format!("{who} {}", cell(&answer, cases)));
                }
                writeln!(table, "{method:<4} {shown:<46} {}", cells.join(" | ")).unwrap();
            }
        }
        table
    }
}

#[tokio::test]
async fn everybody_gets_what_is_theirs_on_the_customers_site() {
    let house = House::new().await;
    let cases = house.with_cases().await;
    // Whoever may least comes first: what they send must change nothing for the next.
    let visitors = [
        ("guest", Visitor::default()),
        ("other company", house.visitor(NAOKO).await),
        ("user", house.visitor(TARO).await),
        ("granted user", house.visitor(MISAKI).await),
        ("holder", house.visitor(ICHIRO).await),
        ("opener", house.visitor(HANAKO).await),
        ("certificate session", cases.holder.clone()),
    ];
    let site = Site { router: &house.site, host: SITE, visitors: &visitors };
    insta::assert_snapshot!("customers_site", site.table(&READ, &SENT, &cases).await);
}

#[tokio::test]
async fn everybody_gets_what_is_theirs_on_the_certificate_site() {
    let house = House::new().await;
    let cases = house.with_cases().await;
    let with = |cookies: &str, certificate| Visitor { cookies: cookies.to_owned(), certificate };
    let certificate = cases.holder.certificate.clone();
    let foreign = Some(std::sync::Arc::from(b"another certificate".as_slice()));
    let password = house.visitor(HANAKO).await;
    let visitors = [
        ("guest", Visitor::default()),
        ("foreign certificate", with(&cases.holder.cookies, foreign)),
        ("session alone", with(&cases.holder.cookies, None)),
        ("certificate alone", with("", certificate.clone())),
        ("password session", with(&password.cookies.replace("session", "member"), certificate)),
        ("holder", cases.holder.clone()),
    ];
    let site =
        Site { router: &house.certificate_site, host: CERTIFICATE_SITE, visitors: &visitors };
    let table = site.table(&READ_WITH_CERTIFICATE, &SENT_WITH_CERTIFICATE, &cases).await;
    insta::assert_snapshot!("certificate_site", table);
}

/// A route that nobody wrote into the table would be looked at by nobody.
#[test]
fn no_route_is_missing_from_the_table() {
    let source = include_str!("../../src/web/customer.rs");
    let check = include_str!("../../src/web/customer/form3.rs");
    let routes = [source, check]
        .into_iter()
        .flat_map(|text| text.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()));
    let known: BTreeSet<&str> = READ
        .iter()
        .chain(&SENT)
        .chain(&READ_WITH_CERTIFICATE)
        .chain(&SENT_WITH_CERTIFICATE)
        .chain(&ELSEWHERE)
        .copied()
        .collect();
    let missing: Vec<&str> = routes.filter(|route| !known.contains(route)).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
}
