//! The two ways in which a call ends without a result: what was given is not acceptable
//! ([`Refusal`]), or something of our own is broken ([`Fault`]).

use rustls::pki_types;

/// What somebody gave us is not acceptable; shown to that person as a translated text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The certificate request is longer than any honest one.
    #[error("the request has {octets} octets, more than {limit}")]
    RequestTooLong {
        /// Octets received.
        octets: usize,
        /// The most that are read.
        limit: usize,
    },
    /// The bytes are no PKCS#10 request, or something follows it.
    #[error("the request is not a PKCS#10 certificate request")]
    RequestMalformed,
    /// The key is neither on the curve P-256 nor RSA.
    #[error("keys of the kind {algorithm} are not accepted")]
    KeyKind {
        /// Object identifier of the algorithm or of the curve.
        algorithm: String,
    },
    /// The RSA modulus is outside 3072 to 8192 bits.
    #[error("an RSA key of {bits} bits is not accepted, 3072 to 8192 are")]
    KeySize {
        /// Bits of the modulus.
        bits: usize,
    },
    /// The RSA exponent is not 65537, or the curve point is not in the uncompressed form.
    #[error("the key is not in the usual form")]
    KeyForm,
    /// The request is signed with an algorithm that proves too little (SHA-1) or is not known.
    #[error("requests signed with {algorithm} are not accepted")]
    SignatureKind {
        /// Object identifier of the signature algorithm.
        algorithm: String,
    },
    /// The request's signature does not fit its key: possession is not proven.
    #[error("the request is not signed by the key it contains")]
    PossessionUnproven,
    /// A part of a subject name is empty, too long, or holds control characters.
    #[error("the {field} of the subject is empty, too long or holds control characters")]
    SubjectField {
        /// `common name`, `organization` or `organizational unit`.
        field: &'static str,
    },
    /// The end does not lie after the beginning, or a date is outside the years 1950 to 9999.
    #[error("a validity from {not_before} to {not_after} is not possible")]
    Validity {
        /// Beginning, Unix seconds.
        not_before: i64,
        /// End, Unix seconds.
        not_after: i64,
    },
    /// A serial number is not a positive number of at most 20 octets (RFC 5280, 4.1.2.2).
    #[error("the serial number is not a positive number of at most 20 octets")]
    Serial,
    /// A fingerprint is not 64 hexadecimal digits.
    #[error("the fingerprint is not 64 hexadecimal digits")]
    Fingerprint,
    /// A revocation list's address is not a plain `http://` or `https://` address.
    #[error("the address of the revocation list is not usable")]
    RevocationUrl,
    /// A host name is neither a DNS name nor an IP address.
    #[error("the server name {name:?} is neither a DNS name nor an IP address")]
    ServerName {
        /// What was given.
        name: String,
    },
    /// The alias is empty, longer than 64 characters, or holds more than printable ASCII.
    #[error("the alias of a bundle is 1 to 64 printable ASCII characters")]
    Alias,
    /// The import password is longer than 64 characters, or holds more than printable ASCII.
    #[error("the import password is up to 64 printable ASCII characters")]
    BundlePassword,
    /// The bytes are no X.509 certificate, or something follows it.
    #[error("not an X.509 certificate")]
    CertificateMalformed,
}

/// Something of our own broke: keys, stored files, configuration or a library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The operating system gave no random octets.
    #[error("no key could be generated")]
    KeyGeneration,
    /// A stored private key is no P-256 key in PKCS#8.
    #[error("the key of {owner} is not a P-256 key in PKCS#8 with its public part")]
    Key {
        /// Whose key.
        owner: &'static str,
    },
    /// A stored text is not PEM of the expected kind.
    #[error("{what} cannot be read from PEM")]
    Pem {
        /// Which text.
        what: &'static str,
        /// What the reader met.
        source: pki_types::pem::Error,
    },
    /// A stored or freshly signed certificate cannot be read.
    #[error("the certificate of {owner} cannot be read")]
    Certificate {
        /// Whose certificate.
        owner: &'static str,
        /// Why.
        source: Refusal,
    },
    /// Certificate and key do not belong together.
    #[error("certificate and key of {owner} do not belong together")]
    KeyMismatch {
        /// Whose.
        owner: &'static str,
    },
    /// The certificate may not sign what an authority signs.
    #[error("the certificate of {owner} lacks {lacking}")]
    NotAnAuthority {
        /// Whose.
        owner: &'static str,
        /// The missing property.
        lacking: &'static str,
    },
    /// The issuing authority's certificate was not signed by the root beside it.
    #[error("the issuing authority was not certified by this root")]
    ForeignRoot,
    /// A certificate would stay valid longer than its issuer.
    #[error("a certificate until {not_after} would outlive its issuer, valid until {issuer}")]
    OutlivesIssuer {
        /// Wanted end, Unix seconds.
        not_after: i64,
        /// The issuer's end, Unix seconds.
        issuer: i64,
    },
    /// A server certificate without any name was asked for.
    #[error("a server certificate needs at least one name")]
    NoServerName,
    /// One serial number stands twice in a revocation list.
    #[error("the serial number {serial} stands twice in the revocation list")]
    RevokedTwice {
        /// The serial number.
        serial: crate::Serial,
    },
    /// A moment cannot be written as a date.
    #[error("{seconds} is not a date between the years 1950 and 9999")]
    Date {
        /// Unix seconds.
        seconds: i64,
    },
    /// The library that encodes and signs certificates and lists declined.
    #[error("{what} could not be signed")]
    Signing {
        /// What was to be signed.
        what: &'static str,
        /// The library's reason.
        source: rcgen::Error,
    },
    /// The library that writes bundles declined.
    #[error("the bundle could not be written")]
    Bundle {
        /// The library's reason.
        source: p12_keystore::error::Error,
    },
    /// The TLS library declined certificate, key or versions.
    #[error("the TLS configuration of the {site} site was declined")]
    Tls {
        /// Which site.
        site: &'static str,
        /// The library's reason.
        source: rustls::Error,
    },
}
