//! E-mail: composed from templates, built so that nothing can slip into a header, handed to an
//! SMTP server or into a folder.
//!
//! A mail never bears a secret, a link, an attachment or a whole contract number; it has no place
//! for them, because [`Fields`] has none.

mod compose;
mod message;
mod sender;

pub use compose::{Composer, Content, Fields, TEMPLATES};
pub use message::{MessageBuilder, Outgoing, Recipient};
pub use sender::Sender;

/// Why a mail could not be composed, built or prepared for sending. No address stands in here.
#[derive(Debug, thiserror::Error)]
pub enum MailFault {
    /// A template is broken, or lacks something it wants to say.
    #[error("mail template {name} cannot be rendered")]
    Template {
        /// The template.
        name: String,
        /// The engine's word.
        source: minijinja::Error,
    },
    /// No template of that name.
    #[error("no mail template {name}")]
    NoTemplate {
        /// The name.
        name: String,
    },
    /// The recipient's address is no address.
    #[error("the recipient's address is no e-mail address")]
    Address,
    /// The configured sender is no address.
    #[error("the configured sender is no e-mail address")]
    From {
        /// What is wrong with it.
        source: lettre::address::AddressError,
    },
    /// The message cannot be put together.
    #[error("the message cannot be put together")]
    Build {
        /// The builder's word.
        source: lettre::error::Error,
    },
    /// A header's name is refused.
    #[error("a header's name is refused")]
    Header,
    /// The connection to the SMTP server cannot be prepared.
    #[error("the SMTP transport cannot be set up")]
    Transport {
        /// The transport's word.
        source: lettre::transport::smtp::Error,
    },
    /// The file with the SMTP password cannot be read.
    #[error("the SMTP password cannot be read from {path}")]
    Password {
        /// The file.
        path: std::path::PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
}

/// True for an address that can stand in a header and in an SMTP command without quoting.
pub fn is_address(text: &str) -> bool {
    message::address(text).is_ok()
}

/// The text on one line: whatever could end a line or hide one becomes a space, runs of spaces one.
pub fn one_line(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|letter| if letter.is_control() || is_invisible(letter) { ' ' } else { letter })
        .collect();
    spaced.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Line separators, and marks that turn the direction of writing or take no room.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{2028}' | '\u{2029}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn nothing_ends_a_line() {
        assert_eq!(
            one_line(" 山田\r\nBcc: a@b.example\u{2028}x\u{202E}y  z\t"),
            "山田 Bcc: a@b.example x y z"
        );
    }
}
