//! The sections of the configuration that belong to this crate.

use std::fmt::{self, Debug};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use chrono::NaiveDate;
use engine::Moment;
use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};

use super::{ConfigFault, senseless};
use crate::secret::HashCost;

/// Where files lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// The directory of the embedded database, keys, checkpoint, outbox folder and socket.
    /// Relative to the working directory.
    pub dir: PathBuf,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://user@host:port/database`; empty for the embedded database in `data.dir`.
    pub url: DatabaseUrl,
    /// Connections to the server at most; the embedded database does not use it.
    pub connections: u32,
}

/// A database address; may hold a password and so does not show itself.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(pub String);

/// How e-mail leaves the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// The SMTP server's host name or address; empty writes `.eml` files into `outbox_dir`.
    pub host: String,
    /// The SMTP server's port.
    pub port: u16,
    /// `none` (loopback only), `starttls` (demanded, not merely offered) or `tls` (from the
    /// first byte).
    pub tls: TlsMode,
    /// The name to log in with; empty for no login.
    pub user: String,
    /// The file whose first line is the password to log in with; empty for no login.
    pub password_file: PathBuf,
    /// The sender: `Name <address>` or an address.
    pub from: String,
    /// Seconds after which a whole send is given up and tried again later.
    pub send_timeout_s: u64,
    /// Connections to the SMTP server at most.
    pub connections: u32,
    /// Where `.eml` files go while `host` is empty; empty for `outbox` in `data.dir`.
    pub outbox_dir: PathBuf,
}

/// How the connection to the SMTP server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsMode {
    /// Not at all.
    None,
    /// After a greeting in the clear; refused when the server does not offer it.
    Starttls,
    /// From the first byte.
    Tls,
}

/// What all sites of this node share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// The local socket through which other commands reach a running server; empty for
    /// `saihakko.sock` in `data.dir`.
    pub socket: PathBuf,
    /// Addresses of proxies in front of the sites; only these are believed when they say, in
    /// `X-Forwarded-For`, from where a request comes.
    pub trusted_proxies: Vec<IpAddr>,
}

/// One site: a listener of its own with its own host name and certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Whether this node serves it.
    pub serve: bool,
    /// Address and port on which it listens.
    pub address: SocketAddr,
    /// The host name under which it is reached, with the port where it is not the usual one and
    /// differs from the listener's; other names are refused.
    pub host: String,
    /// A file with its certificate chain in PEM, leaf first; empty for a certificate that the
    /// bank's own authority makes at every start.
    pub certificate: PathBuf,
    /// The file with that certificate's key in PEM; goes with `certificate`.
    pub key: PathBuf,
    /// Connections at once; further ones wait.
    pub connections: usize,
}

/// What the certificate authority writes into certificates and lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Certificates {
    /// Years for which a client certificate is valid.
    pub validity_years: u32,
    /// Where the revocation list is fetched; written into every certificate.
    pub revocation_list_url: String,
    /// Hours after which a revocation list says that a newer one is due.
    pub revocation_list_hours: u32,
}

/// The fonts of forms and letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fonts {
    /// A font file for names and addresses; empty for the system's Noto Sans CJK JP or
    /// `IPAexGothic`, and the embedded M PLUS 1 where they are missing.
    pub font: PathBuf,
}

/// Business days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BusinessDays {
    /// Days besides weekends and national holidays on which nobody works, as `2026-11-24`.
    pub extra_holidays: Vec<Day>,
    /// Holidays on which people work all the same, as `2026-11-23`; weekends stay weekends.
    pub extra_working_days: Vec<Day>,
    /// The first day of the bank's closure at the turn of the year, as month and day.
    pub bank_closed_from: MonthDay,
    /// The last day of that closure, as month and day.
    pub bank_closed_to: MonthDay,
}

/// A day, written as an ISO date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(pub NaiveDate);

/// A day of every year, written as `12-31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MonthDay {
    /// From 1.
    pub month: u32,
    /// From 1.
    pub day: u32,
}

/// The hours and the patience of the back office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Office {
    /// The hour at which work begins on business days.
    pub opens_hour: u32,
    /// The hour at which it ends.
    pub closes_hour: u32,
    /// Office hours within which a form that has come is to be approved.
    pub target_hours: u32,
    /// Minutes for which a case stays in one person's hands without anything being done.
    pub claim_minutes: u32,
}

/// When recurring work is done: cron expressions (seconds, minutes, hours, day of month, month,
/// day of week) in Japan time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedules {
    /// When the checkpoint of all histories is written outside the database.
    pub checkpoint: String,
    /// When a fresh revocation list is made.
    pub revocation_list: String,
    /// When ended sessions and their sealed copies are removed.
    pub session_cleanup: String,
    /// When the embedded database's log is written back and emptied.
    pub log_checkpoint: String,
    /// When the holders of expiring certificates are told.
    pub expiry_notices: String,
}

/// The cost of hashes and the life of sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Security {
    /// Memory of one argon2id hash in KiB.
    pub argon2_memory_kib: u32,
    /// Passes of one argon2id hash over its memory.
    pub argon2_passes: u32,
    /// Lanes of one argon2id hash.
    pub argon2_lanes: u32,
    /// Hashes computed at the same time at most; 0 for one a core.
    pub parallel_hashes: usize,
    /// Sign-ins and requests for a call that one network address may try in a minute; 0 for any
    /// number. Many people may share an address.
    pub sign_ins_per_minute: u32,
    /// Minutes without a request after which a session ends.
    pub session_idle_minutes: u32,
    /// Minutes after which a session ends in any case.
    pub session_absolute_minutes: u32,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `text` for people, `json` for machines.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`; also by module, as `info,engine=debug`.
    pub level: String,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Default for Data {
    fn default() -> Self {
        Self { dir: "saihakko-data".into() }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self { url: DatabaseUrl::default(), connections: 16 }
    }
}

impl Database {
    pub(super) fn check(&self) -> Result<(), ConfigFault> {
        let url = &self.url.0;
        if !url.is_empty() && !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(senseless("database.url", "must be empty or begin with postgres://"));
        }
        at_least_one("database.connections", self.connections)
    }
}

impl Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "embedded" } else { "server" })
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 587,
            tls: TlsMode::Starttls,
            user: String::new(),
            password_file: PathBuf::new(),
            from: "サンプル銀行 <no-reply@bank.example>".to_owned(),
            send_timeout_s: 30,
            connections: 4,
            outbox_dir: PathBuf::new(),
        }
    }
}

impl Mail {
    pub(super) fn check(&self) -> Result<(), ConfigFault> {
        if let Err(error) = Mailbox::from_str(&self.from) {
            return Err(senseless("mail.from", format!("is no sender: {error}")));
        }
        if self.send_timeout_s == 0 {
            return Err(senseless("mail.send_timeout_s", "must be at least 1"));
        }
        if self.user.is_empty() != self.password_file.as_os_str().is_empty() {
            return Err(senseless("mail.user", "and mail.password_file go together"));
        }
        let loopback = matches!(self.host.as_str(), "" | "localhost" | "127.0.0.1" | "::1");
        if self.tls == TlsMode::None && !loopback {
            return Err(senseless("mail.tls", "may be none only for a server on loopback"));
        }
        at_least_one("mail.connections", self.connections)
    }
}

impl Site {
    /// On loopback, under a name that every machine knows.
    pub(super) fn on_loopback(port: u16, host: &str) -> Self {
        Self {
            serve: true,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            host: host.to_owned(),
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            connections: 512,
        }
    }

    pub(super) fn check(&self, certificate: &'static str) -> Result<(), ConfigFault> {
        if self.certificate.as_os_str().is_empty() != self.key.as_os_str().is_empty() {
            return Err(senseless(certificate, "and its key go together"));
        }
        if self.connections == 0 {
            return Err(senseless(certificate, "stands beside connections, which is 0"));
        }
        Ok(())
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self {
            validity_years: 1,
            revocation_list_url: "http://localhost:8480/crl/issuing.crl".to_owned(),
            revocation_list_hours: 24,
        }
    }
}

impl Certificates {
    pub(super) fn check(&self) -> Result<(), ConfigFault> {
        if !self.revocation_list_url.starts_with("http://") {
            let why = "must begin with http://: a list behind TLS could not be checked itself";
            return Err(senseless("certificates.revocation_list_url", why));
        }
        at_least_one("certificates.validity_years", self.validity_years)?;
        at_least_one("certificates.revocation_list_hours", self.revocation_list_hours)
    }
}

impl Default for BusinessDays {
    fn default() -> Self {
        Self {
            extra_holidays: Vec::new(),
            extra_working_days: Vec::new(),
            bank_closed_from: MonthDay { month: 12, day: 31 },
            bank_closed_to: MonthDay { month: 1, day: 3 },
        }
    }
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("{text} is no day like 2026-11-24"))
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.0.to_string()
    }
}

impl TryFrom<String> for MonthDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // A leap year, so that 02-29 is a day.
        let date: NaiveDate = format!("2000-{text}")
            .parse()
            .map_err(|_| format!("{text} is no day of the year like 12-31"))?;
        let (month, day) = (chrono::Datelike::month(&date), chrono::Datelike::day(&date));
        Ok(Self { month, day })
    }
}

impl From<MonthDay> for String {
    fn from(day: MonthDay) -> Self {
        format!("{:02}-{:02}", day.month, day.day)
    }
}

impl Default for Schedules {
    fn default() -> Self {
        Self {
            checkpoint: "0 */10 * * * *".to_owned(),
            revocation_list: "0 0 */6 * * *".to_owned(),
            session_cleanup: "0 */5 * * * *".to_owned(),
            log_checkpoint: "30 */5 * * * *".to_owned(),
            expiry_notices: "0 0 9 * * *".to_owned(),
        }
    }
}

impl Schedules {
    /// Key, name and expression of each schedule.
    pub fn each(&self) -> [(&'static str, &'static str, &str); 5] {
        [
            ("schedules.checkpoint", "checkpoint", &self.checkpoint),
            ("schedules.revocation_list", "revocation_list", &self.revocation_list),
            ("schedules.session_cleanup", "session_cleanup", &self.session_cleanup),
            ("schedules.log_checkpoint", "log_checkpoint", &self.log_checkpoint),
            ("schedules.expiry_notices", "expiry_notices", &self.expiry_notices),
        ]
    }
}

impl Default for Office {
    fn default() -> Self {
        Self { opens_hour: 9, closes_hour: 17, target_hours: 8, claim_minutes: 30 }
    }
}

impl Office {
    pub(super) fn check(&self) -> Result<(), ConfigFault> {
        if self.opens_hour >= self.closes_hour || self.closes_hour > 23 {
            return Err(senseless("office.opens_hour", "must lie before office.closes_hour"));
        }
        at_least_one("office.target_hours", self.target_hours)?;
        at_least_one("office.claim_minutes", self.claim_minutes)
    }
}

impl Default for Security {
    fn default() -> Self {
        Self {
            // OWASP's Password Storage Cheat Sheet names five costs of equal strength; on servers of
            // few cores this one is the quickest (decision 0019).
            argon2_memory_kib: 7_168,
            argon2_passes: 5,
            argon2_lanes: 1,
            parallel_hashes: 0,
            sign_ins_per_minute: 60,
            session_idle_minutes: 15,
            session_absolute_minutes: 480,
        }
    }
}

impl Security {
    /// Whether a session that began then, and was last used then, still counts now.
    pub fn session_lives(&self, began: Moment, used: Moment, now: Moment) -> bool {
        let minutes = |count: u32| Duration::from_secs(60 * u64::from(count));
        now.since(used) <= minutes(self.session_idle_minutes)
            && now.since(began) <= minutes(self.session_absolute_minutes)
    }

    /// What one hash costs.
    pub const fn hash_cost(&self) -> HashCost {
        HashCost {
            memory_kib: self.argon2_memory_kib,
            passes: self.argon2_passes,
            lanes: self.argon2_lanes,
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigFault> {
        if let Err(error) =
            argon2::Params::new(self.argon2_memory_kib, self.argon2_passes, self.argon2_lanes, None)
        {
            return Err(senseless("security.argon2_memory_kib", format!("is refused: {error}")));
        }
        at_least_one("security.session_idle_minutes", self.session_idle_minutes)?;
        at_least_one("security.session_absolute_minutes", self.session_absolute_minutes)
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

fn at_least_one(key: &'static str, value: u32) -> Result<(), ConfigFault> {
    if value == 0 { Err(senseless(key, "must be at least 1")) } else { Ok(()) }
}
