//! The message on the wire: headers, identity, and the two alternatives.

use std::time::{Duration, UNIX_EPOCH};

use engine::Moment;
use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use sha2::{Digest, Sha256};

use super::{Content, MailFault, one_line};

/// Whom a message goes to.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Stays the same for the person: `user-<id>`; becomes part of the Message-ID.
    pub key: String,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

/// A message ready to go.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// With angle brackets; the same for every attempt.
    pub message_id: String,
    /// Headers and body.
    pub message: Message,
}

/// Turns contents into messages from one sender.
#[derive(Debug, Clone)]
pub struct MessageBuilder {
    from: Mailbox,
}

impl MessageBuilder {
    /// From `Name <address>` or an address.
    pub fn new(from: &str) -> Result<Self, MailFault> {
        Ok(Self { from: from.parse().map_err(|source| MailFault::From { source })? })
    }

    /// The Message-ID of the mail of an outbox row to somebody.
    pub fn message_id(&self, outbox: i64, recipient: &str) -> String {
        format!("<outbox-{outbox}-{recipient}@{}>", self.from.email.domain())
    }

    /// Builds the message. The same arguments give the same bytes, so a repeat is a repeat and
    /// not a second message.
    pub fn build(
        &self,
        outbox: i64,
        recipient: &Recipient,
        content: &Content,
        at: Moment,
    ) -> Result<Outgoing, MailFault> {
        let message_id = self.message_id(outbox, &recipient.key);
        let name = one_line(&recipient.name);
        let to = Mailbox::new((!name.is_empty()).then_some(name), address(&recipient.email)?);
        let since = Duration::from_micros(u64::try_from(at.0).unwrap_or_default());
        let alternatives = MultiPart::alternative()
            .boundary(boundary(&message_id))
            .singlepart(part(ContentType::TEXT_PLAIN, &content.text))
            .singlepart(part(ContentType::TEXT_HTML, &content.html));
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(one_line(&content.subject))
            .date(UNIX_EPOCH + since)
            .message_id(Some(message_id.clone()))
            .multipart(alternatives)
            .map_err(|source| MailFault::Build { source })?;
        let list = format!("<notices.{}>", self.from.email.domain());
        for (header, value) in [
            ("Auto-Submitted", "auto-generated"),
            ("X-Auto-Response-Suppress", "All"),
            ("List-Id", list.as_str()),
        ] {
            let name = HeaderName::new_from_ascii(header.to_owned());
            let name = name.map_err(|_| MailFault::Header)?;
            message.headers_mut().insert_raw(HeaderValue::new(name, value.to_owned()));
        }
        Ok(Outgoing { message_id, message })
    }
}

/// An address that can stand in a header and in an SMTP command without any quoting.
pub(crate) fn address(text: &str) -> Result<Address, MailFault> {
    let plain = text.chars().all(|letter| {
        letter.is_ascii_graphic()
            && !matches!(letter, '"' | '<' | '>' | '(' | ')' | ',' | ';' | '\\')
    });
    if !plain || text.len() > 254 || text.matches('@').count() != 1 {
        return Err(MailFault::Address);
    }
    text.parse().map_err(|_| MailFault::Address)
}

fn part(kind: ContentType, body: &str) -> SinglePart {
    SinglePart::builder().header(kind).body(body.to_owned())
}

/// Only letters, so that no row of digits stands in it by chance.
fn boundary(message_id: &str) -> String {
    Sha256::digest(message_id.as_bytes())
        .iter()
        .take(16)
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from(b'a' + half))
        .collect()
}

#[cfg(test)]
mod tests;
