//! The configuration: defaults, then one TOML file, then the environment.
//!
//! An environment variable names its key: `SAIHAKKO__MAIL__HOST` is `host` in `[mail]`. Unknown
//! keys are refused with the place they came from. `docs/configuration.md` lists every key; a test
//! holds it against the structures here.

mod identity;
mod intake;
mod sections;

use std::path::{Path, PathBuf};

use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::{Deserialize, Serialize};

use engine::schedule::{CatchUp, Schedule};

pub use identity::StaffIdentity;
pub(crate) use identity::is_protected;
pub use intake::Intake;
pub use sections::{
    BusinessDays, Certificates, Data, Database, DatabaseUrl, Day, Fonts, Listen, Log, LogFormat,
    Mail, MonthDay, Office, Schedules, Security, Site, TlsMode,
};

/// Everything that whoever operates the program may set. Each key has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The bank as it names itself.
    pub house: forms::House,
    /// Where files lie.
    pub data: Data,
    /// The database.
    pub database: Database,
    /// The numbers of the workflows.
    pub rules: workflows::terms::Rules,
    /// How patiently messages and jobs are tried.
    pub retry: engine::outbox::Retry,
    /// How e-mail leaves the house.
    pub mail: Mail,
    /// What all sites of this node share.
    pub listen: Listen,
    /// The customers' site: reissue, retrieval, the customer's cases, Form 3 (HTTPS).
    pub customer_site: Site,
    /// The site that asks for a client certificate: certificate login, and the reissue for
    /// colleagues (HTTPS).
    pub certificate_site: Site,
    /// The operators' and staff's site (HTTPS).
    pub staff_site: Site,
    /// Figures for a monitoring system (plain HTTP, unless a certificate is configured).
    pub metrics_site: Site,
    /// The revocation list (plain HTTP, as its readers expect).
    pub revocation_list_site: Site,
    /// What the certificate authority writes into certificates and lists.
    pub certificates: Certificates,
    /// The fonts of forms and letters.
    pub forms: Fonts,
    /// Business days.
    pub calendar: BusinessDays,
    /// The hours and the patience of the back office.
    pub office: Office,
    /// What scanners drop into a folder.
    pub intake: Intake,
    /// Sign-in of staff at the bank's own identity provider (`OpenID` Connect).
    pub staff_identity: StaffIdentity,
    /// When recurring work is done.
    pub schedules: Schedules,
    /// The cost of hashes and the life of sessions.
    pub security: Security,
    /// What is logged, and how.
    pub log: Log,
}

/// Why the configuration is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFault {
    /// A file that is not there or not TOML, an unknown key, or a value of the wrong kind.
    #[error("configuration is not accepted")]
    Refused {
        /// Names the key and the file or variable it stands in.
        source: Box<figment::Error>,
    },
    /// A value of the right kind that makes no sense.
    #[error("configuration key {key} {problem}")]
    Senseless {
        /// Section and key.
        key: &'static str,
        /// What is wrong, as the rest of the sentence.
        problem: String,
    },
}

/// The file that is read when none is named and it exists in the working directory.
pub const DEFAULT_FILE: &str = "saihakko.toml";
/// What the names of environment variables begin with.
pub const PREFIX: &str = "SAIHAKKO__";

impl Default for Config {
    fn default() -> Self {
        Self {
            house: forms::House::default(),
            data: Data::default(),
            database: Database::default(),
            rules: workflows::terms::Rules::default(),
            retry: engine::outbox::Retry::default(),
            mail: Mail::default(),
            listen: Listen::default(),
            customer_site: Site::on_loopback(8443, "localhost"),
            certificate_site: Site::on_loopback(8444, "certificate.localhost"),
            staff_site: Site::on_loopback(8445, "staff.localhost"),
            metrics_site: Site::on_loopback(8446, "localhost"),
            revocation_list_site: Site::on_loopback(8480, "localhost"),
            certificates: Certificates::default(),
            forms: Fonts::default(),
            calendar: BusinessDays::default(),
            office: Office::default(),
            intake: Intake::default(),
            staff_identity: StaffIdentity::default(),
            schedules: Schedules::default(),
            security: Security::default(),
            log: Log::default(),
        }
    }
}

impl Config {
    /// Reads the defaults, the file (or [`DEFAULT_FILE`] when there is one) and this process's
    /// environment, later ones winning.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigFault> {
        let default = Path::new(DEFAULT_FILE);
        let path = path.or_else(|| default.exists().then_some(default));
        Self::read(
            path,
            std::env::vars_os().filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.into_string().ok()?))
            }),
        )
    }

    /// The same with an environment given; variables without [`PREFIX`] are not looked at.
    pub fn read(
        path: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigFault> {
        let defaults = Figment::from(Serialized::defaults(Self::default()));
        let mut figment = defaults.clone();
        if let Some(path) = path {
            figment = figment.merge(Toml::file_exact(path));
        }
        for (name, value) in environment {
            if let Some(variable) = Variable::new(name, &value, &defaults) {
                figment = figment.merge(variable);
            }
        }
        let config: Self = figment
            .extract()
            .map_err(|source| ConfigFault::Refused { source: Box::new(source) })?;
        config.check()?;
        Ok(config)
    }

    /// The defaults with everything under `dir`: for the demonstration and for tests.
    pub fn for_demo(dir: &Path) -> Self {
        Self { data: Data { dir: dir.to_owned() }, ..Self::default() }
    }

    /// Every site of this node, as it is configured.
    pub fn sites_mut(&mut self) -> [&mut Site; 5] {
        [
            &mut self.customer_site,
            &mut self.certificate_site,
            &mut self.staff_site,
            &mut self.metrics_site,
            &mut self.revocation_list_site,
        ]
    }

    /// The embedded database's file, unless `database.url` names a server.
    pub fn database_file(&self) -> PathBuf {
        self.data.dir.join("saihakko.db")
    }

    /// Where keys lie, each in a file only its owner may read.
    pub fn keys_dir(&self) -> PathBuf {
        self.data.dir.join("keys")
    }

    /// The checkpoint of all histories, kept outside the database.
    pub fn checkpoint_file(&self) -> PathBuf {
        self.data.dir.join("checkpoint.json")
    }

    /// Where messages lie as `.eml` files while no mail server is configured.
    pub fn outbox_dir(&self) -> PathBuf {
        or_under(&self.mail.outbox_dir, &self.data.dir, "outbox")
    }

    /// Through which other commands reach a running server.
    pub fn socket_file(&self) -> PathBuf {
        or_under(&self.listen.socket, &self.data.dir, "saihakko.sock")
    }

    /// Refuses values that fit their type but make no sense.
    fn check(&self) -> Result<(), ConfigFault> {
        self.mail.check()?;
        intake::check_permit(&self.house)?;
        if self.retry.lease_s <= self.mail.send_timeout_s {
            return Err(senseless("retry.lease_s", "must exceed mail.send_timeout_s"));
        }
        if self.retry.attempts < 1 {
            return Err(senseless("retry.attempts", "must be at least 1"));
        }
        self.database.check()?;
        self.certificates.check()?;
        self.customer_site.check("customer_site.certificate")?;
        self.certificate_site.check("certificate_site.certificate")?;
        self.staff_site.check("staff_site.certificate")?;
        self.metrics_site.check("metrics_site.certificate")?;
        self.revocation_list_site.check("revocation_list_site.certificate")?;
        self.office.check()?;
        self.intake.check()?;
        self.staff_identity.check()?;
        self.security.check()?;
        for (key, name, expression) in self.schedules.each() {
            Schedule::new(name, expression, crate::dates::JAPAN, CatchUp::Latest).map_err(
                |fault| {
                    senseless(key, format!("is no cron expression of six or seven fields: {fault}"))
                },
            )?;
        }
        Ok(())
    }
}

fn senseless(key: &'static str, problem: impl Into<String>) -> ConfigFault {
    ConfigFault::Senseless { key, problem: problem.into() }
}

fn or_under(configured: &Path, dir: &Path, name: &str) -> PathBuf {
    if configured.as_os_str().is_empty() { dir.join(name) } else { configured.to_owned() }
}

/// One environment variable as a source of its own, so that an error can name it.
struct Variable {
    name: String,
    value: Value,
}

impl Variable {
    /// `None` when the name does not begin with [`PREFIX`]. A key that is text stays text: a
    /// telephone number must not lose its leading zero to a guess that it is a number.
    fn new(name: String, text: &str, defaults: &Figment) -> Option<Self> {
        let path = name.strip_prefix(PREFIX)?.to_lowercase().replace("__", ".");
        let is_text = matches!(defaults.find_value(&path), Ok(Value::String(..)));
        let value = if is_text {
            Value::from(text)
        } else {
            text.parse().unwrap_or_else(|never| match never {})
        };
        Some(Self { value: figment::util::nest(&path, value), name })
    }
}

impl Provider for Variable {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("environment variable {}", self.name))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let dict = self.value.clone().into_dict().unwrap_or_default();
        Ok(Map::from([(Profile::Default, dict)]))
    }
}

#[cfg(test)]
mod tests;
