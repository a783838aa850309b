//! What must be made ready before a transaction: passwords, letters, certificates.

use engine::{Ask, CaseId, Failure, Fault};
use workflows::terms::KeyOrigin;
use zeroize::Zeroizing;

use super::reissue::Path;
use super::{Missing, Tools, user_of_subject};
use crate::letter;
use crate::secret::{RetrievalPassword, SecretFault, Ticket, hash_password};
use crate::store::certificates::CertificateRow;
use crate::store::{contracts, users};

/// The pepper of retrieval passwords.
pub(crate) const RETRIEVAL_PEPPER: &str = "retrieval-pepper";
/// Display copies are sealed for this purpose.
pub(crate) const DISPLAY: &str = "display-copy";
/// Keys made on the server are sealed for this purpose.
pub(crate) const SERVER_KEY: &str = "server-key";

/// What must be made ready before a command is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preparation {
    /// Nothing.
    Nothing,
    /// A password with its display copy.
    Password,
    /// A password with its sealed letter.
    Letter,
}

/// What accompanies a submission in memory.
#[derive(Default)]
pub struct Attachment {
    /// Opens the display copy that the command makes.
    pub ticket: Option<Ticket>,
    /// The certificate that a job has made.
    pub certificate: Option<MadeCertificate>,
}

/// What was made ready.
#[derive(Default)]
pub enum Prepared {
    /// Nothing was needed.
    #[default]
    Nothing,
    /// A password.
    Password(Box<PreparedPassword>),
    /// A password and its letter.
    Letter(Box<PreparedLetter>),
    /// A certificate.
    Certificate(Box<MadeCertificate>),
}

/// A password without its digits.
pub struct PreparedPassword {
    /// PHC string.
    pub verifier: String,
    /// Id of the pepper's key.
    pub key_id: String,
    /// The display copy, and the digest of the ticket that opens it.
    pub display: Option<(Vec<u8>, [u8; 32])>,
}

/// A letter that nobody but the print station can read.
pub struct PreparedLetter {
    /// Its password.
    pub password: PreparedPassword,
    /// Sealed to the print station.
    pub sealed: Vec<u8>,
    /// The same page with ● for every digit.
    pub specimen: Vec<u8>,
    /// Where it goes.
    pub address_version: i64,
}

/// A certificate that is not stored yet.
#[derive(Clone)]
pub struct MadeCertificate {
    /// As it will be stored.
    pub row: CertificateRow,
    /// Where its key was made.
    pub key: KeyOrigin,
}

/// What binds a display copy to its place: version, user, command.
pub(crate) fn display_place(user: i64, command_id: &str) -> Vec<u8> {
    format!("1/{user}/{command_id}").into_bytes()
}

/// What binds a sealed letter to its place: version, case, address.
pub(crate) fn letter_place(case: CaseId, address_version: i64) -> Vec<u8> {
    format!("1/{case}/{address_version}").into_bytes()
}

/// Makes a password; with a ticket, its display copy as well.
pub(super) async fn password<W: Path>(
    tools: &Tools,
    ask: &Ask<'_, W>,
    attachment: &Attachment,
) -> Result<Prepared, Fault> {
    let user = user(ask.subject)?;
    let digits = RetrievalPassword::generate(&tools.entropy);
    let display = match &attachment.ticket {
        None => None,
        Some(ticket) => {
            let place = display_place(user, ask.command_id);
            let ascii = digits.expose_ascii();
            let bytes = ticket.expose_bytes();
            let sealed = tools.keys.seal_for(DISPLAY, bytes, &place, ascii.as_slice());
            Some((sealed.map_err(Fault::host("seal a password"))?, ticket.digest()))
        }
    };
    let password = hashed(tools, digits, display).await?;
    Ok(Prepared::Password(Box::new(password)))
}

/// Makes a password and its letter. The digits exist only in here.
pub(super) async fn letter<W: Path>(tools: &Tools, ask: &Ask<'_, W>) -> Result<Prepared, Fault> {
    let user = user(ask.subject)?;
    let digits = RetrievalPassword::generate(&tools.entropy);
    let made = letter::make(tools, ask.case, user, ask.now, &digits).await?;
    let password = hashed(tools, digits, None).await?;
    Ok(Prepared::Letter(Box::new(PreparedLetter {
        password,
        sealed: made.sealed,
        specimen: made.specimen,
        address_version: made.address_version,
    })))
}

fn user(subject: &str) -> Result<i64, Fault> {
    user_of_subject(subject).ok_or_else(|| {
        let missing = Missing::Subject { what: "user", subject: subject.to_owned() };
        Fault::host("prepare a password")(missing)
    })
}

/// Hashes where blocking is allowed.
async fn hashed(
    tools: &Tools,
    digits: RetrievalPassword,
    display: Option<(Vec<u8>, [u8; 32])>,
) -> Result<PreparedPassword, Fault> {
    let (keys, cost) = (tools.keys.clone(), tools.hash_cost());
    let key_id = keys.current_id().to_owned();
    let hash = move || {
        let pepper = Some((&keys, RETRIEVAL_PEPPER));
        hash_password(keys.entropy(), pepper, digits.expose_ascii().as_slice(), cost)
    };
    let verifier = tools.hashed("hash a password", hash).await?;
    Ok(PreparedPassword { verifier, key_id, display })
}

/// Why no certificate was made.
pub(super) enum CertificateFailure {
    /// The request is not usable; the customer may send another.
    Refused,
    /// Something broke.
    Fault(Failure),
}

/// Issues a certificate for the user of a case. Subject and extensions come from the ledger; the
/// request gives only its key. Without a request the key is made here and sealed.
pub(super) async fn certificate(
    tools: &Tools,
    subject: &str,
    case: CaseId,
    csr: Option<&str>,
) -> Result<MadeCertificate, CertificateFailure> {
    let passing = |fault: &dyn std::error::Error| {
        CertificateFailure::Fault(Failure::passing(engine::chain(fault)))
    };
    let user = user(subject).map_err(|fault| passing(&fault))?;
    let request = match csr {
        None => None,
        Some(text) => {
            let request = pki::Request::from_pem(text);
            Some(request.map_err(|_| CertificateFailure::Refused)?)
        }
    };
    let names = names(tools, user).await.map_err(|fault| passing(&fault))?;
    let now = tools.db.now().await.map_err(|fault| passing(&fault))?.seconds();
    sign(tools, user, case, &names, now, request.as_ref()).map_err(|fault| passing(&fault))
}

struct Names {
    user_id: String,
    company: String,
}

async fn names(tools: &Tools, user: i64) -> Result<Names, Fault> {
    let mut tx = tools.db.read().await?;
    let subject = || Missing::Subject { what: "user", subject: format!("user-{user}") };
    let row = users::by_id(&mut tx, user).await?;
    let row = row.ok_or_else(|| Fault::host("name a certificate")(subject()))?;
    let contract = contracts::by_id(&mut tx, row.contract_id).await?;
    let contract = contract.ok_or_else(|| Fault::host("name a certificate")(subject()))?;
    Ok(Names { user_id: row.user_id, company: contract.company })
}

/// What goes wrong while a certificate is signed.
#[derive(Debug, thiserror::Error)]
enum SigningFault {
    #[error("the certificate cannot be specified")]
    Specification { source: pki::Refusal },
    #[error("the certificate cannot be signed")]
    Signing { source: pki::Fault },
    #[error("the certificate's key cannot be sealed")]
    Sealing { source: SecretFault },
}

fn sign(
    tools: &Tools,
    user: i64,
    case: CaseId,
    names: &Names,
    now: i64,
    request: Option<&pki::Request>,
) -> Result<MadeCertificate, SigningFault> {
    let unspecified = |source| SigningFault::Specification { source };
    let unsigned = |source| SigningFault::Signing { source };
    let mut serial = [0; 16];
    (tools.entropy)(&mut serial);
    let serial = pki::Serial::from_random(serial);
    let settings = &tools.config.certificates;
    // X.520 allows an organization name of 64 characters.
    let company: String = names.company.chars().take(64).collect();
    let specification = pki::ClientSpecification {
        subject: pki::Subject::new(&names.user_id)
            .and_then(|subject| subject.with_organization(&company))
            .map_err(unspecified)?,
        validity: pki::Validity::years(now, u16::try_from(settings.validity_years).unwrap_or(1))
            .map_err(unspecified)?,
        serial: serial.clone(),
        revocation_url: pki::RevocationUrl::new(&settings.revocation_list_url)
            .map_err(unspecified)?,
    };
    let (public, own_key) = match request {
        Some(request) => (request.public_key().clone(), None),
        None => {
            let key = pki::PrivateKey::generate().map_err(unsigned)?;
            (key.public_key().clone(), Some(key))
        }
    };
    let certificate = tools.authority.issue_client(&specification, &public).map_err(unsigned)?;
    let serial = serial.to_string();
    let sealed_key = match &own_key {
        None => None,
        Some(key) => {
            let plain = Zeroizing::new(key.pkcs8().to_vec());
            let sealed = tools.keys.seal(SERVER_KEY, serial.as_bytes(), &plain);
            Some(sealed.map_err(|source| SigningFault::Sealing { source })?)
        }
    };
    Ok(MadeCertificate {
        row: CertificateRow {
            serial,
            fingerprint: pki::Fingerprint::of(certificate.der()).as_octets().to_vec(),
            user_id: user,
            case_id: Some(case.0),
            der: certificate.der().to_vec(),
            not_before: specification.validity.not_before(),
            not_after: specification.validity.not_after(),
            state: "active".to_owned(),
            held_by: None,
            why: String::new(),
            changed_at: 0,
            unused: false,
            sealed_key,
        },
        key: if request.is_some() { KeyOrigin::Browser } else { KeyOrigin::Server },
    })
}
