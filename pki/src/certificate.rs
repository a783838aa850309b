//! Certificates: what may be issued, issuing it, and reading one back in a few lines.

use std::net::IpAddr;
use std::str::FromStr;

use rcgen::{ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, PublicKeyData, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, DnsName};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::authority::{Authority, explicit_params};
use crate::{
    Fault, Fingerprint, PrivateKey, PublicKey, Refusal, RevocationUrl, Serial, Subject, Validity,
    pem,
};

/// A certificate that says who may log in. Nothing in it comes from the request but the key.
#[derive(Clone, Debug)]
pub struct ClientSpecification {
    /// Whom it names.
    pub subject: Subject,
    /// From when to when, by the house's rule one year.
    pub validity: Validity,
    /// Its number, unique for the issuing authority.
    pub serial: Serial,
    /// Where the issuing authority's revocation list is fetched.
    pub revocation_url: RevocationUrl,
}

/// A certificate for a TLS server.
#[derive(Clone, Debug)]
pub struct ServerSpecification {
    /// Whom it names; the names that count are `names`.
    pub subject: Subject,
    /// From when to when.
    pub validity: Validity,
    /// Its number, unique for the issuing authority.
    pub serial: Serial,
    /// Under which names and addresses the server is reached; at least one.
    pub names: Vec<ServerName>,
    /// Where the issuing authority's revocation list is fetched, when clients should look.
    pub revocation_url: Option<RevocationUrl>,
}

/// A name under which a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerName {
    /// A host name such as `www.example.jp`, in ASCII; no wildcard.
    Dns(String),
    /// An address such as `127.0.0.1` or `::1`.
    Address(IpAddr),
}

impl FromStr for ServerName {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        match DnsName::try_from(text) {
            Ok(name) => Ok(Self::Dns(name.as_ref().to_ascii_lowercase())),
            Err(_) => Err(Refusal::ServerName { name: text.to_owned() }),
        }
    }
}

impl ServerName {
    fn to_rcgen(&self) -> Result<SanType, rcgen::Error> {
        match self {
            Self::Dns(name) => name.as_str().try_into().map(SanType::DnsName),
            Self::Address(address) => Ok(SanType::IpAddress(*address)),
        }
    }
}

impl Authority {
    /// Issues a client certificate for a key whose possession was proven.
    ///
    /// Extensions: basicConstraints CA:FALSE (critical), keyUsage digitalSignature (critical),
    /// extendedKeyUsage clientAuth, both key identifiers, the revocation list's address.
    ///
    /// # Errors
    /// [`Fault::OutlivesIssuer`] or [`Fault::Signing`].
    pub fn issue_client(
        &self,
        specification: &ClientSpecification,
        public_key: &PublicKey,
    ) -> Result<Certificate, Fault> {
        let ClientSpecification { subject, validity, serial, revocation_url } = specification;
        let mut params = explicit_params(subject, *validity, serial)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.crl_distribution_points = vec![revocation_url.to_rcgen()];
        self.signatory().sign("a client certificate", &params, public_key)
    }

    /// Issues a server certificate: as a client's, but serverAuth and the names.
    ///
    /// # Errors
    /// [`Fault::NoServerName`], [`Fault::OutlivesIssuer`] or [`Fault::Signing`].
    pub fn issue_server(
        &self,
        specification: &ServerSpecification,
        public_key: &PublicKey,
    ) -> Result<Certificate, Fault> {
        let ServerSpecification { subject, validity, serial, names, revocation_url } =
            specification;
        if names.is_empty() {
            return Err(Fault::NoServerName);
        }
        let what = "a server certificate";
        let mut params = explicit_params(subject, *validity, serial)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.subject_alt_names = names
            .iter()
            .map(ServerName::to_rcgen)
            .collect::<Result<_, _>>()
            .map_err(|source| Fault::Signing { what, source })?;
        params.crl_distribution_points =
            revocation_url.iter().map(RevocationUrl::to_rcgen).collect();
        self.signatory().sign(what, &params, public_key)
    }
}

/// A certificate of ours, in DER, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    summary: Summary,
}

impl Certificate {
    /// Reads a certificate in DER, such as one kept in a database.
    ///
    /// # Errors
    /// [`Refusal::CertificateMalformed`] or [`Refusal::Serial`].
    pub fn from_der(der: Vec<u8>) -> Result<Self, Refusal> {
        let summary = summary(&der)?;
        Ok(Self { der, summary })
    }

    /// Reads the first certificate of a PEM text; `owner` names it in the fault.
    ///
    /// # Errors
    /// [`Fault::Pem`] or [`Fault::Certificate`].
    pub fn from_pem(owner: &'static str, text: &str) -> Result<Self, Fault> {
        let der = CertificateDer::from_pem_slice(text.as_bytes())
            .map_err(|source| Fault::Pem { what: owner, source })?;
        Self::of_ours(owner, der.to_vec())
    }

    pub(crate) fn of_ours(owner: &'static str, der: Vec<u8>) -> Result<Self, Fault> {
        Self::from_der(der).map_err(|source| Fault::Certificate { owner, source })
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate in PEM.
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der).to_string()
    }

    /// Whether the certificate is for the public half of this key.
    pub fn certifies(&self, key: &PrivateKey) -> bool {
        X509Certificate::from_der(&self.der).is_ok_and(|(_, parsed)| {
            parsed.public_key().subject_public_key.data.as_ref() == key.der_bytes()
        })
    }

    /// What the certificate says.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }
}

/// What a certificate says, as far as the house needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// SHA-256 over the whole certificate: its identity.
    pub fingerprint: Fingerprint,
    /// The serial number, unique for its issuer only.
    pub serial: Serial,
    /// Beginning of validity, Unix seconds.
    pub not_before: i64,
    /// Last second of validity, Unix seconds.
    pub not_after: i64,
    /// The subject's first common name; a text for people, never an identity.
    pub common_name: Option<String>,
    /// The issuer's name in one line; a text for people, never an identity.
    pub issuer: String,
}

/// Reads what a certificate in DER says, without judging it: anybody can present anything.
///
/// # Errors
/// [`Refusal::CertificateMalformed`] for other bytes, [`Refusal::Serial`] for a number that no
/// authority following RFC 5280 gives.
pub fn summary(der: &[u8]) -> Result<Summary, Refusal> {
    let (rest, certificate) =
        X509Certificate::from_der(der).map_err(|_| Refusal::CertificateMalformed)?;
    if !rest.is_empty() {
        return Err(Refusal::CertificateMalformed);
    }
    let common_name = certificate.subject().iter_common_name().next();
    Ok(Summary {
        fingerprint: Fingerprint::of(der),
        serial: Serial::from_der_octets(certificate.raw_serial())?,
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
        common_name: common_name.and_then(|name| name.as_str().ok()).map(str::to_owned),
        issuer: certificate.issuer().to_string(),
    })
}
