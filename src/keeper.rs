//! What lies in the data folder beside the database: keys, authority, revocation list, checkpoint.

use std::path::{Path, PathBuf};

use engine::calendar::Calendar;
use engine::schedule::{CatchUp, Schedule, TickHandler};
use engine::verify::Checkpoint;
use engine::{Db, Entropy, Failure, Fault, Moment};
use pki::{Authority, Certificate, Foundation, Serial, Subject, Validity};

use crate::app::{App, OpeningFault};
use crate::config::Config;
use crate::holidays;
use crate::secret::{Keys, StationKey, StationPublicKey};
use crate::store::certificates;

/// What was found in the data folder, or made there on the first start.
pub(crate) struct Kept {
    pub(crate) keys: Keys,
    pub(crate) authority: Authority,
    pub(crate) station: StationPublicKey,
}

/// The audit key's purpose.
const CHECKPOINT: &str = "checkpoint";
/// The form code key's purpose.
const FORM_CODE: &str = "form-code";
/// How long root and issuing authority are trusted, in years.
const ROOT_YEARS: u16 = 20;
const ISSUING_YEARS: u16 = 10;

/// Opens the data folder; what is missing is made.
pub(crate) fn open(config: &Config, entropy: &Entropy, now: Moment) -> Result<Kept, OpeningFault> {
    let dir = config.keys_dir();
    std::fs::create_dir_all(&dir).map_err(OpeningFault::part("key folder"))?;
    let path = dir.join("keys.json");
    if !path.exists() {
        Keys::create(&path, entropy).map_err(OpeningFault::part("keys"))?;
    }
    let keys = Keys::load(&path, entropy.clone()).map_err(OpeningFault::part("keys"))?;
    let authority = authority(config, &keys, &dir, entropy, now)?;
    let station = station(&dir, entropy)?;
    Ok(Kept { keys, authority, station })
}

/// The print station's public key. On the first start a pair is made beside it: move the private
/// half to the station and keep only the public one here.
fn station(dir: &Path, entropy: &Entropy) -> Result<StationPublicKey, OpeningFault> {
    let part = "print station's key";
    let path = dir.join("print-station.pub");
    if !path.exists() {
        let public = StationKey::create(&dir.join("print-station.key"), entropy)
            .map_err(OpeningFault::part(part))?;
        std::fs::write(&path, public.to_text()).map_err(OpeningFault::part(part))?;
    }
    let text = std::fs::read_to_string(&path).map_err(OpeningFault::part(part))?;
    StationPublicKey::parse(&text).map_err(OpeningFault::part(part))
}

/// The issuing authority, its key sealed under the bank's keys; the root's key lies sealed beside
/// it and is needed only to found another one.
fn authority(
    config: &Config,
    keys: &Keys,
    dir: &Path,
    entropy: &Entropy,
    now: Moment,
) -> Result<Authority, OpeningFault> {
    let part = "certificate authority";
    let at = |name: &str| dir.join(name);
    if !at("issuing.pem").exists() {
        found(config, keys, dir, entropy, now).map_err(OpeningFault::part(part))?;
    }
    let text = |name| std::fs::read_to_string(at(name)).map_err(OpeningFault::part(part));
    let sealed = std::fs::read(at("issuing.key.sealed")).map_err(OpeningFault::part(part))?;
    let key = keys.open("authority", b"issuing", &sealed).map_err(OpeningFault::part(part))?;
    let key = std::str::from_utf8(&key).map_err(OpeningFault::part(part))?;
    Authority::load(&text("root.pem")?, &text("issuing.pem")?, key)
        .map_err(OpeningFault::part(part))
}

type Anything = Box<dyn std::error::Error + Send + Sync>;

fn found(
    config: &Config,
    keys: &Keys,
    dir: &Path,
    entropy: &Entropy,
    now: Moment,
) -> Result<(), Anything> {
    let serial = || {
        let mut octets = [0; 16];
        entropy(&mut octets);
        Serial::from_random(octets)
    };
    // A day earlier, so that a client whose clock is slow can already use it.
    let since = now.seconds() - 86_400;
    let bank = &config.house.bank;
    let foundation = Foundation {
        root_subject: Subject::new(&format!("{bank} Root CA"))?,
        root_validity: Validity::years(since, ROOT_YEARS)?,
        root_serial: serial(),
        issuing_subject: Subject::new(&format!("{bank} Client CA"))?,
        issuing_validity: Validity::years(since, ISSUING_YEARS)?,
        issuing_serial: serial(),
        root_revocation_url: None,
    };
    let (root, issuing) = Authority::create(&foundation)?;
    let sealed_root = keys.seal("authority", b"root", root.key_pem().as_bytes())?;
    let sealed_issuing = keys.seal("authority", b"issuing", issuing.key_pem().as_bytes())?;
    std::fs::write(dir.join("root.key.sealed"), sealed_root)?;
    std::fs::write(dir.join("issuing.key.sealed"), sealed_issuing)?;
    std::fs::write(dir.join("root.pem"), root.certificate().to_pem())?;
    // Last, because its presence says that everything else is there.
    std::fs::write(dir.join("issuing.pem"), issuing.certificate().to_pem())?;
    Ok(())
}

/// The business days in force: the law's holidays, the bank's closed days, the ledger's additions.
pub(crate) async fn calendar(config: &Config, db: &Db) -> Result<Calendar, OpeningFault> {
    let part = "calendar";
    let mut tx = db.read().await.map_err(OpeningFault::part(part))?;
    let added = crate::store::holidays::all(&mut tx).await.map_err(OpeningFault::part(part))?;
    Ok(holidays::calendar(&config.calendar, added.into_iter().map(|(day, _)| day)))
}

impl App {
    /// The file of checkpoints, kept outside the database.
    pub fn checkpoint_path(&self) -> PathBuf {
        self.tools.config.checkpoint_file()
    }

    /// The key of the codes on forms.
    pub fn code_key(&self) -> Result<forms::CodeKey, Fault> {
        let key = self.tools.keys.derive(FORM_CODE);
        Ok(forms::CodeKey::new(*key.map_err(Fault::host("derive the code key"))?))
    }

    /// The bytes of the key of the codes, for a reading child.
    pub(crate) fn code_key_bytes(&self) -> Result<zeroize::Zeroizing<[u8; 32]>, Fault> {
        self.tools.keys.derive(FORM_CODE).map_err(Fault::host("derive the code key"))
    }

    /// Reads the checkpoint that stands beside the database; an absent one is empty.
    pub fn read_checkpoint(&self) -> Result<Checkpoint, Fault> {
        let key = self.tools.keys.derive(CHECKPOINT);
        let key = key.map_err(Fault::host("derive the checkpoint's key"))?;
        match std::fs::read_to_string(self.checkpoint_path()) {
            Ok(text) => Ok(Checkpoint::read(&text, key.as_slice())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Checkpoint::read("", key.as_slice()))
            }
            Err(error) => Err(Fault::host("read the checkpoint")(error)),
        }
    }

    /// Appends what changed since the last checkpoint.
    pub async fn take_checkpoint(&self) -> Result<(), Fault> {
        // Two at a time, in this process or another, would each continue what the other has not
        // written yet. The lock goes with the file.
        let path = self.checkpoint_path().with_extension("lock");
        let _alone = tokio::task::spawn_blocking(move || locked(&path))
            .await
            .map_err(Fault::host("wait for another checkpoint"))?
            .map_err(Fault::host("wait for another checkpoint"))?;
        let key = self.tools.keys.derive(CHECKPOINT);
        let key = key.map_err(Fault::host("derive the checkpoint's key"))?;
        // The file grows with every case: reading it is not for a thread that serves pages.
        let app = self.clone();
        let mut checkpoint = tokio::task::spawn_blocking(move || app.read_checkpoint())
            .await
            .map_err(Fault::host("read the checkpoint"))??;
        let lines = checkpoint.extend(&self.tools.db, key.as_slice()).await?;
        append(&self.checkpoint_path(), &lines).map_err(Fault::host("write the checkpoint"))?;
        checkpoint.confirm(&self.tools.db).await
    }

    /// The revocation list of this moment, in DER.
    pub async fn revocation_list(&self) -> Result<Vec<u8>, Fault> {
        let number = self.engine.next_number("revocation-list").await?;
        let mut tx = self.tools.db.read().await?;
        let now = tx.now().seconds();
        let rows = certificates::not_active(&mut tx, now).await?;
        drop(tx);
        let sign = Fault::host("sign the revocation list");
        let mut revocations = Vec::with_capacity(rows.len());
        for row in rows {
            let certificate = Certificate::from_der(row.der.clone()).map_err(&sign)?;
            revocations.push(pki::Revocation {
                serial: certificate.summary().serial.clone(),
                revoked_at: Moment(row.changed_at).seconds(),
                reason: reason(&row.state, &row.why),
            });
        }
        let hours = i64::from(self.tools.config.certificates.revocation_list_hours);
        let list = pki::RevocationList {
            number: u64::try_from(number).unwrap_or_default(),
            window: Validity::new(now, now + 3600 * hours).map_err(Fault::host("date a list"))?,
            revocations,
        };
        let signed = self.tools.authority.revocation_list(&list);
        Ok(signed.map_err(Fault::host("sign the revocation list"))?.der().to_vec())
    }

    /// Registers the recurring work.
    pub(crate) fn register_schedules(&self) -> Result<(), Fault> {
        for (_, name, expression) in self.tools.config.schedules.each() {
            let schedule = Schedule::new(name, expression, crate::dates::JAPAN, CatchUp::Latest)?;
            let (app, name) = (self.clone(), name.to_owned());
            let handler: TickHandler = std::sync::Arc::new(move |tick| {
                let (app, name) = (app.clone(), name.clone());
                Box::pin(async move { app.on_tick(&name, tick).await })
            });
            self.engine.schedule(schedule, handler);
        }
        Ok(())
    }

    async fn on_tick(&self, name: &str, tick: Moment) -> Result<(), Failure> {
        let done = match name {
            "checkpoint" => self.take_checkpoint().await,
            "revocation_list" => self.publish_revocation_list().await,
            "session_cleanup" => self.sweep_sessions(tick).await,
            "expiry_notices" => self.tell_of_expiries().await,
            "log_checkpoint" => self.tools.db.checkpoint_log().await,
            other => return Err(Failure::permanent(format!("nothing is done at {other}"))),
        };
        done.map_err(|fault| Failure::passing(engine::chain(&fault)))
    }

    /// Where the published revocation list lies.
    pub fn revocation_list_path(&self) -> PathBuf {
        self.tools.config.data.dir.join("issuing.crl")
    }

    /// Signs the list and puts it where it is served from.
    pub async fn publish_revocation_list(&self) -> Result<(), Fault> {
        let der = self.revocation_list().await?;
        let path = self.revocation_list_path();
        let fresh = path.with_extension("crl.new");
        std::fs::write(&fresh, der)
            .and_then(|()| std::fs::rename(&fresh, &path))
            .map_err(Fault::host("publish the revocation list"))
    }

    async fn sweep_sessions(&self, now: Moment) -> Result<(), Fault> {
        let minutes = u64::from(self.tools.config.security.session_absolute_minutes);
        let before = now.minus(std::time::Duration::from_secs(60 * minutes));
        let mut tx = self.tools.db.write().await?;
        crate::store::sessions::sweep(&mut tx, before).await?;
        crate::store::enrolling::sweep(&mut tx, before).await?;
        tx.commit().await
    }
}

fn reason(state: &str, why: &str) -> pki::Reason {
    match (state, why) {
        ("held", _) => pki::Reason::CertificateHold,
        (_, "key_compromise") => pki::Reason::KeyCompromise,
        (_, "superseded") => pki::Reason::Superseded,
        (_, "cessation_of_operation") => pki::Reason::CessationOfOperation,
        _ => pki::Reason::Unspecified,
    }
}

/// Waits until nobody else holds this file.
fn locked(path: &Path) -> std::io::Result<std::fs::File> {
    let file = std::fs::File::create(path)?;
    file.lock()?;
    Ok(file)
}

/// Appends durably; nothing is done for nothing.
fn append(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    if text.is_empty() {
        return Ok(());
    }
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
