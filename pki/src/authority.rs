//! The two authorities: a root, whose key may rest offline, and the issuing authority it
//! certifies, which signs certificates and revocation lists.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyUsagePurpose};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::terms::date;
use crate::{Fault, PrivateKey, PublicKey, RevocationUrl, Serial, Subject, Validity};

const ROOT: &str = "the root authority";
const ISSUING: &str = "the issuing authority";

/// Everything that is decided once, when root and issuing authority are founded together.
#[derive(Clone, Debug)]
pub struct Foundation {
    /// The root's name.
    pub root_subject: Subject,
    /// How long the root is trusted.
    pub root_validity: Validity,
    /// The root's own serial number.
    pub root_serial: Serial,
    /// The issuing authority's name, different from the root's.
    pub issuing_subject: Subject,
    /// How long the issuing authority is trusted, not longer than the root.
    pub issuing_validity: Validity,
    /// The issuing authority's serial number.
    pub issuing_serial: Serial,
    /// Where the root's own revocation list is fetched, when there is one.
    pub root_revocation_url: Option<RevocationUrl>,
}

/// The root authority: certifies issuing authorities and nothing else.
#[derive(Debug)]
pub struct Root {
    signatory: Signatory,
}

impl Root {
    /// Generates a key and a self-signed certificate, which allows one level of authorities below.
    ///
    /// # Errors
    /// [`Fault::KeyGeneration`] or [`Fault::Signing`].
    pub fn create(subject: &Subject, validity: Validity, serial: &Serial) -> Result<Self, Fault> {
        let key = PrivateKey::generate()?;
        let params = authority_params(subject, validity, serial, 1)?;
        let signed = params
            .self_signed(&key)
            .map_err(|source| Fault::Signing { what: "the root's certificate", source })?;
        let certificate = Certificate::of_ours(ROOT, signed.der().to_vec())?;
        Ok(Self { signatory: Signatory::assemble(ROOT, certificate, key)? })
    }

    /// Takes up a root from its certificate and key, both PEM.
    ///
    /// # Errors
    /// [`Fault`] when a text cannot be read, the two do not belong together or the certificate is
    /// no authority's.
    pub fn load(certificate_pem: &str, key_pem: &str) -> Result<Self, Fault> {
        let certificate = Certificate::from_pem(ROOT, certificate_pem)?;
        let key = PrivateKey::from_pem(ROOT, key_pem)?;
        Ok(Self { signatory: Signatory::assemble(ROOT, certificate, key)? })
    }

    /// Certifies a new issuing authority with a fresh key.
    ///
    /// # Errors
    /// [`Fault::OutlivesIssuer`], [`Fault::KeyGeneration`] or [`Fault::Signing`].
    pub fn found(
        &self,
        subject: &Subject,
        validity: Validity,
        serial: &Serial,
        revocation_url: Option<&RevocationUrl>,
    ) -> Result<Authority, Fault> {
        let key = PrivateKey::generate()?;
        let mut params = authority_params(subject, validity, serial, 0)?;
        params.use_authority_key_identifier_extension = true;
        params.crl_distribution_points =
            revocation_url.iter().map(|address| address.to_rcgen()).collect();
        let certificate = self.signatory.sign(
            "the issuing authority's certificate",
            &params,
            key.public_key(),
        )?;
        let signatory = Signatory::assemble(ISSUING, certificate, key)?;
        Ok(Authority { root: self.certificate().clone(), signatory })
    }

    /// The root's certificate, which relying parties trust.
    pub fn certificate(&self) -> &Certificate {
        &self.signatory.certificate
    }

    /// The root's key in PKCS#8 PEM, to be kept away from the server. Secret.
    pub fn key_pem(&self) -> Zeroizing<String> {
        self.signatory.key().to_pem()
    }

    pub(crate) fn signatory(&self) -> &Signatory {
        &self.signatory
    }
}

/// The issuing authority: signs client and server certificates and the revocation list.
#[derive(Debug)]
pub struct Authority {
    root: Certificate,
    signatory: Signatory,
}

impl Authority {
    /// Founds root and issuing authority in one step, both with fresh keys.
    ///
    /// # Errors
    /// As [`Root::create`] and [`Root::found`].
    pub fn create(foundation: &Foundation) -> Result<(Root, Self), Fault> {
        let root = Root::create(
            &foundation.root_subject,
            foundation.root_validity,
            &foundation.root_serial,
        )?;
        let authority = root.found(
            &foundation.issuing_subject,
            foundation.issuing_validity,
            &foundation.issuing_serial,
            foundation.root_revocation_url.as_ref(),
        )?;
        Ok((root, authority))
    }

    /// Takes up the issuing authority from the root's certificate, its own certificate and its
    /// key, all PEM. The root's key is not needed.
    ///
    /// # Errors
    /// [`Fault`] when a text cannot be read, key and certificate do not belong together, the
    /// certificate is no authority's or was not signed by this root.
    pub fn load(
        root_certificate_pem: &str,
        certificate_pem: &str,
        key_pem: &str,
    ) -> Result<Self, Fault> {
        let root = Certificate::from_pem(ROOT, root_certificate_pem)?;
        let certificate = Certificate::from_pem(ISSUING, certificate_pem)?;
        let key = PrivateKey::from_pem(ISSUING, key_pem)?;
        let signatory = Signatory::assemble(ISSUING, certificate, key)?;
        if !is_signed_by(signatory.certificate.der(), root.der()) {
            return Err(Fault::ForeignRoot);
        }
        Ok(Self { root, signatory })
    }

    /// The issuing authority's certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.signatory.certificate
    }

    /// The root's certificate.
    pub fn root_certificate(&self) -> &Certificate {
        &self.root
    }

    /// The chain above an issued certificate: issuing authority, then root.
    pub fn chain(&self) -> [&Certificate; 2] {
        [self.certificate(), self.root_certificate()]
    }

    /// The issuing authority's key in PKCS#8 PEM, for a file that only its owner may read. Secret.
    pub fn key_pem(&self) -> Zeroizing<String> {
        self.signatory.key().to_pem()
    }

    /// Whether this authority signed the certificate in DER; says nothing of dates, revocation or
    /// whether the certificate is active.
    pub fn has_signed(&self, der: &[u8]) -> bool {
        is_signed_by(der, self.certificate().der())
    }

    pub(crate) fn signatory(&self) -> &Signatory {
        &self.signatory
    }
}

/// An authority's certificate and key, proven to belong together.
#[derive(Debug)]
pub(crate) struct Signatory {
    certificate: Certificate,
    issuer: Issuer<'static, PrivateKey>,
    /// The certificate's own subject key identifier, which revocation lists refer to.
    pub(crate) key_identifier: Vec<u8>,
}

impl Signatory {
    fn assemble(
        owner: &'static str,
        certificate: Certificate,
        key: PrivateKey,
    ) -> Result<Self, Fault> {
        if !certificate.certifies(&key) {
            return Err(Fault::KeyMismatch { owner });
        }
        let key_identifier = judge_authority(&certificate)
            .map_err(|lacking| Fault::NotAnAuthority { owner, lacking })?;
        let issuer = Issuer::from_ca_cert_der(&certificate.der().into(), key)
            .map_err(|_| Fault::NotAnAuthority { owner, lacking: "a readable subject" })?;
        Ok(Self { certificate, issuer, key_identifier })
    }

    pub(crate) fn issuer(&self) -> &Issuer<'static, PrivateKey> {
        &self.issuer
    }

    fn key(&self) -> &PrivateKey {
        self.issuer.key()
    }

    /// Signs a certificate for a public key, unless it would outlive the signatory's own.
    pub(crate) fn sign(
        &self,
        what: &'static str,
        params: &CertificateParams,
        public_key: &PublicKey,
    ) -> Result<Certificate, Fault> {
        let not_after = params.not_after.unix_timestamp();
        let issuer = self.certificate.summary().not_after;
        if not_after > issuer {
            return Err(Fault::OutlivesIssuer { not_after, issuer });
        }
        let signed = params
            .signed_by(public_key.data(), &self.issuer)
            .map_err(|source| Fault::Signing { what, source })?;
        Certificate::of_ours(what, signed.der().to_vec())
    }
}

/// Looks for what makes a certificate an authority's, and returns its subject key identifier.
fn judge_authority(certificate: &Certificate) -> Result<Vec<u8>, &'static str> {
    let (_, certificate) =
        X509Certificate::from_der(certificate.der()).map_err(|_| "a readable form")?;
    let authority = matches!(
        certificate.basic_constraints(),
        Ok(Some(constraints)) if constraints.value.ca
    );
    if !authority {
        return Err("the basic constraint CA:TRUE");
    }
    let signs = matches!(
        certificate.key_usage(),
        Ok(Some(usage)) if usage.value.key_cert_sign() && usage.value.crl_sign()
    );
    if !signs {
        return Err("the key usages keyCertSign and cRLSign");
    }
    if certificate.subject().iter_rdn().any(|part| part.iter().count() != 1) {
        return Err("a subject with one attribute to each part");
    }
    let identifier =
        certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.to_vec()),
            _ => None,
        });
    identifier.ok_or("a subject key identifier")
}

fn is_signed_by(der: &[u8], issuer_der: &[u8]) -> bool {
    let (Ok((_, certificate)), Ok((_, issuer))) =
        (X509Certificate::from_der(der), X509Certificate::from_der(issuer_der))
    else {
        return false;
    };
    certificate.issuer().as_raw() == issuer.subject().as_raw()
        && certificate.verify_signature(Some(issuer.public_key())).is_ok()
}

/// What every certificate has: the library's defaults (1975 to 4096, a serial number derived from
/// the key, a subject of its own) are all replaced here.
pub(crate) fn explicit_params(
    subject: &Subject,
    validity: Validity,
    serial: &Serial,
) -> Result<CertificateParams, Fault> {
    let mut params = CertificateParams::default();
    params.not_before = date(validity.not_before())?;
    params.not_after = date(validity.not_after())?;
    params.serial_number = Some(serial.to_rcgen());
    params.distinguished_name = subject.to_rcgen();
    Ok(params)
}

fn authority_params(
    subject: &Subject,
    validity: Validity,
    serial: &Serial,
    authorities_below: u8,
) -> Result<CertificateParams, Fault> {
    let mut params = explicit_params(subject, validity, serial)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(authorities_below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}
