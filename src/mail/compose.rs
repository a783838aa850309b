//! The words of a mail, from one template a message and language and one layout a language.
//!
//! The first line of a template is the heading, the rest are paragraphs. Text and HTML are laid
//! out from the same paragraphs and cannot disagree.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::{MailFault, one_line};
use crate::text::Language;

/// The name and both texts of every file: found at compile time, so that none is forgotten.
macro_rules! both {
    ($($name:literal),* $(,)?) => {
        &[$(
            (
                $name,
                include_str!(concat!("../../templates/mail/", $name, ".ja.txt")),
                include_str!(concat!("../../templates/mail/", $name, ".en.txt")),
            ),
        )*]
    };
}

/// Every message: name, Japanese, English.
pub static TEMPLATES: &[(&str, &str, &str)] = both![
    "approved",
    "call_awaited",
    "certificate_expiring",
    "certificate_failed",
    "certificate_ready",
    "clerical_approved",
    "clerical_done",
    "clerical_lapsed",
    "clerical_refused",
    "clerical_withdrawn",
    "closed_locked",
    "closed_no_response",
    "closed_undeliverable",
    "closed_unused",
    "code_expired",
    "code_issued",
    "code_locked",
    "code_posted",
    "completed",
    "credential_changed",
    "credential_enrolled",
    "credential_locked",
    "credential_reset",
    "credential_unlocked",
    "defect_reminder",
    "defective",
    "dispatched",
    "draft_reminder",
    "duplicate",
    "expired",
    "expiry_halfway",
    "expiry_tomorrow",
    "first_login_reminder",
    "granted",
    "guidance",
    "issued",
    "issued_by_colleague",
    "lapsed",
    "not_needed",
    "pages_missing",
    "pages_reminder",
    "rejected",
    "retrieval_locked",
    "stop_settled",
    "stopped",
    "submission_received",
    "submission_returned",
    "superseded",
    "undelivered",
    "withdrawn",
];

/// What templates include, and the layouts in plain text.
static PARTS: &[(&str, &str, &str)] = both!["kind", "layout", "request"];

static LAYOUTS: [(&str, &str); 2] = [
    ("layout.ja.html", include_str!("../../templates/mail/layout.ja.html")),
    ("layout.en.html", include_str!("../../templates/mail/layout.en.html")),
];

/// Everything a mail may speak of. Texts come from people: each is brought to one line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Fields {
    /// The bank's name.
    pub bank: String,
    /// The service's name.
    pub service: String,
    /// The help desk's telephone number.
    pub phone: String,
    /// This is a specimen, and says so.
    pub specimen: bool,
    /// The company.
    pub company: String,
    /// The phrase known to company and bank only; empty when none is agreed.
    pub phrase: String,
    /// The contract number with its first half hidden.
    pub contract: String,
    /// The case's number, as people speak of it.
    pub case: String,
    /// Who reads it.
    pub reader: String,
    /// The user whom the case is about, if it is about one.
    pub user: Option<String>,
    /// That user reads it.
    pub to_self: bool,
    /// Who did what is told, when it was a colleague.
    pub actor: Option<String>,
    /// When it happened, in the reader's words.
    pub at: String,
    /// When the password expires, in the reader's words.
    pub until: Option<String>,
    /// The number of the registered letter, grouped.
    pub tracking: Option<String>,
    /// Wrong entries that lock a retrieval password.
    pub attempts: u8,
    /// Which credential is meant, by its stored name.
    pub kind: Option<&'static str>,
    /// Which of the form's other requests is meant, by its stored name.
    pub request: Option<&'static str>,
}

impl Fields {
    fn cleaned(&self) -> Self {
        let clean = |text: &Option<String>| text.as_deref().map(one_line);
        Self {
            bank: one_line(&self.bank),
            service: one_line(&self.service),
            phone: one_line(&self.phone),
            company: one_line(&self.company),
            phrase: one_line(&self.phrase),
            contract: one_line(&self.contract),
            case: one_line(&self.case),
            reader: one_line(&self.reader),
            user: clean(&self.user),
            actor: clean(&self.actor),
            at: one_line(&self.at),
            until: clean(&self.until),
            tracking: clean(&self.tracking),
            ..self.clone()
        }
    }
}

/// A composed mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// One line.
    pub subject: String,
    /// In plain text.
    pub text: String,
    /// The same in HTML.
    pub html: String,
}

/// Composes mails.
#[derive(Debug)]
pub struct Composer {
    environment: Environment<'static>,
}

impl Composer {
    /// Reads every template; fails at the first that is broken.
    pub fn new() -> Result<Self, MailFault> {
        let mut environment = Environment::new();
        // By the whole name: a template never loses its escaping because of an unusual ending.
        environment.set_auto_escape_callback(|name| {
            if name.strip_suffix(".txt").is_some() { AutoEscape::None } else { AutoEscape::Html }
        });
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // A mail that would say "none" is not sent.
        environment.set_formatter(|out, state, value| {
            if value.is_none() || value.is_undefined() {
                let (kind, said) = (minijinja::ErrorKind::UndefinedError, "a field is missing");
                return Err(minijinja::Error::new(kind, said));
            }
            minijinja::escape_formatter(out, state, value)
        });
        for (name, japanese, english) in TEMPLATES.iter().chain(PARTS) {
            add(&mut environment, format!("{name}.ja.txt"), japanese)?;
            add(&mut environment, format!("{name}.en.txt"), english)?;
        }
        for (name, layout) in LAYOUTS {
            add(&mut environment, name.to_owned(), layout)?;
        }
        Ok(Self { environment })
    }

    /// Composes one message in one language.
    pub fn compose(
        &self,
        template: &str,
        language: Language,
        fields: &Fields,
    ) -> Result<Content, MailFault> {
        let fields = Value::from(Serde(fields.cleaned()));
        let code = language.code();
        let said = self.render(&format!("{template}.{code}.txt"), fields.clone())?;
        let (heading, body) = said.split_once('\n').unwrap_or((&said, ""));
        let paragraphs: Vec<String> =
            body.split("\n\n").map(one_line).filter(|text| !text.is_empty()).collect();
        let heading = one_line(heading);
        let bank = fields.get_attr("bank").unwrap_or_default().to_string();
        let subject = match language {
            Language::Japanese => format!("【{bank}】{heading}"),
            Language::English => format!("[{bank}] {heading}"),
        };
        let whole = context! { heading, paragraphs, ..fields };
        Ok(Content {
            subject,
            text: self.render(&format!("layout.{code}.txt"), whole.clone())?,
            html: self.render(&format!("layout.{code}.html"), whole)?,
        })
    }

    fn render(&self, name: &str, fields: Value) -> Result<String, MailFault> {
        let template = self
            .environment
            .get_template(name)
            .map_err(|_| MailFault::NoTemplate { name: name.to_owned() })?;
        let failed = |source| MailFault::Template { name: name.to_owned(), source };
        template.render(fields).map_err(failed)
    }
}

fn add(
    environment: &mut Environment<'static>,
    name: String,
    source: &'static str,
) -> Result<(), MailFault> {
    let known = name.clone();
    environment
        .add_template_owned(name, source)
        .map_err(|source| MailFault::Template { name: known, source })
}

#[cfg(test)]
mod tests;
