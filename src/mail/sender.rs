//! The way out: an SMTP server, or a folder of `.eml` files until there is one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::Failure;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::{MailFault, Outgoing};
use crate::config::{Config, Mail, TlsMode};

/// Hands messages over.
#[derive(Debug, Clone)]
pub enum Sender {
    /// To an SMTP server, over a few connections that are kept.
    Smtp {
        /// The connections.
        transport: AsyncSmtpTransport<Tokio1Executor>,
        /// For one whole send.
        timeout: Duration,
    },
    /// Into a folder, one file a message.
    Folder {
        /// The folder.
        dir: PathBuf,
    },
}

/// SMTP answers that speak of our login and not of the message: worth another attempt, because a
/// person mends them while the message waits.
const LOGIN_REFUSED: [u16; 4] = [530, 534, 535, 538];

impl Sender {
    /// The way out that the configuration names.
    pub fn new(config: &Config) -> Result<Self, MailFault> {
        if config.mail.host.is_empty() {
            return Ok(Self::Folder { dir: config.outbox_dir() });
        }
        let timeout = Duration::from_secs(config.mail.send_timeout_s);
        Ok(Self::Smtp { transport: transport(&config.mail, timeout)?, timeout })
    }

    /// Hands one message over. A broken connection leaves the outcome unknown: the message is
    /// tried again under its Message-ID, which lets the receiving side see the repeat.
    pub async fn send(&self, outgoing: &Outgoing) -> Result<(), Failure> {
        match self {
            Self::Smtp { transport, timeout } => {
                let sending = transport.send(outgoing.message.clone());
                match tokio::time::timeout(*timeout, sending).await {
                    Err(_) => Err(Failure::passing("the mail server did not answer in time")),
                    Ok(Err(error)) => Err(judge(&error)),
                    Ok(Ok(_)) => Ok(()),
                }
            }
            Self::Folder { dir } => {
                let path = dir.join(file_name(&outgoing.message_id));
                let bytes = outgoing.message.formatted();
                let dir = dir.clone();
                tokio::task::spawn_blocking(move || write_whole(&dir, &path, &bytes))
                    .await
                    .map_err(|_| Failure::passing("the outbox folder's writer ended early"))?
                    .map_err(|error| {
                        Failure::passing(format!("the outbox folder: {}", error.kind()))
                    })
            }
        }
    }

    /// Sees whether messages could be handed over now; sends nothing.
    pub async fn check(&self) -> Result<(), Failure> {
        match self {
            Self::Smtp { transport, timeout } => {
                match tokio::time::timeout(*timeout, transport.test_connection()).await {
                    Err(_) => Err(Failure::passing("the mail server did not answer in time")),
                    Ok(Err(error)) => Err(judge(&error)),
                    Ok(Ok(true)) => Ok(()),
                    Ok(Ok(false)) => Err(Failure::passing("the mail server is not ready")),
                }
            }
            Self::Folder { dir } => {
                let probe = dir.join(".probe");
                let tried = write_whole(dir, &probe, b"").and_then(|()| fs::remove_file(&probe));
                tried.map_err(|error| {
                    Failure::passing(format!("the outbox folder: {}", error.kind()))
                })
            }
        }
    }
}

fn transport(
    mail: &Mail,
    timeout: Duration,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailFault> {
    let parameters =
        || TlsParameters::new(mail.host.clone()).map_err(|source| MailFault::Transport { source });
    let tls = match mail.tls {
        TlsMode::None => Tls::None,
        TlsMode::Starttls => Tls::Required(parameters()?),
        TlsMode::Tls => Tls::Wrapper(parameters()?),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(mail.host.clone())
        .port(mail.port)
        .tls(tls)
        .timeout(Some(timeout))
        .pool_config(PoolConfig::new().max_size(mail.connections));
    if !mail.user.is_empty() {
        let path = &mail.password_file;
        let unreadable = |source| MailFault::Password { path: path.clone(), source };
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let password = text.lines().next().unwrap_or_default().to_owned();
        builder = builder.credentials(Credentials::new(mail.user.clone(), password));
    }
    Ok(builder.build())
}

/// Whether trying again helps. The server's own words may hold an address and are left out.
fn judge(error: &lettre::transport::smtp::Error) -> Failure {
    let Some(code) = error.status().map(u16::from) else {
        let what = if error.is_timeout() { "did not answer in time" } else { "broke off" };
        return Failure::passing(format!("the connection to the mail server {what}"));
    };
    let reason = format!("the mail server answered {code}");
    if error.is_permanent() && !LOGIN_REFUSED.contains(&code) {
        Failure::permanent(reason)
    } else {
        Failure::passing(reason)
    }
}

/// The file of a message: the same for every attempt, so that a repeat takes its own place.
pub(super) fn file_name(message_id: &str) -> String {
    let safe = |letter: char| {
        if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '@') {
            letter
        } else {
            '_'
        }
    };
    let name: String =
        message_id.trim_matches(['<', '>']).trim_start_matches('.').chars().map(safe).collect();
    format!("{name}.eml")
}

/// Writes a file that is whole or not there, and is still there after the power came back.
fn write_whole(dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let draft = path.with_extension("part");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests;
