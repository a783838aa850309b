//! Revocation lists (RFC 5280, 5): always the whole list, signed by the authority that issued the
//! certificates on it.

use std::collections::BTreeSet;

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams};

use crate::authority::{Authority, Root, Signatory};
use crate::terms::date;
use crate::{Fault, Serial, Validity, pem};

/// Why a certificate is on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Not said. The list then carries no reason at all, as RFC 5280, 5.3.1 wishes.
    Unspecified,
    /// The key is lost, or others may have it.
    KeyCompromise,
    /// The holder has left, or belongs elsewhere now.
    AffiliationChanged,
    /// A newer certificate took its place.
    Superseded,
    /// The contract ended.
    CessationOfOperation,
    /// On hold: the one reason from which a certificate returns.
    CertificateHold,
    /// The right to use it was withdrawn.
    PrivilegeWithdrawn,
}

impl Reason {
    fn to_rcgen(self) -> Option<RevocationReason> {
        match self {
            Self::Unspecified => None,
            Self::KeyCompromise => Some(RevocationReason::KeyCompromise),
            Self::AffiliationChanged => Some(RevocationReason::AffiliationChanged),
            Self::Superseded => Some(RevocationReason::Superseded),
            Self::CessationOfOperation => Some(RevocationReason::CessationOfOperation),
            Self::CertificateHold => Some(RevocationReason::CertificateHold),
            Self::PrivilegeWithdrawn => Some(RevocationReason::PrivilegeWithdrawn),
        }
    }
}

/// One certificate that must not be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Its serial number.
    pub serial: Serial,
    /// When it was revoked or put on hold, Unix seconds.
    pub revoked_at: i64,
    /// Why.
    pub reason: Reason,
}

/// A list to be signed: everything revoked or on hold at this moment.
///
/// A certificate released from hold is simply not given any more; `removeFromCRL` belongs to
/// delta lists, which are not made here. A revoked one stays until a list made after its expiry
/// has carried it (RFC 5280, 3.3); from then on the caller may leave it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// The list's number, higher than that of every list before it.
    pub number: u64,
    /// When it is made and until when the next one will be there.
    pub window: Validity,
    /// What is revoked, in any order.
    pub revocations: Vec<Revocation>,
}

/// A signed list, to be served as `application/pkix-crl` in DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRevocationList {
    der: Vec<u8>,
}

impl SignedRevocationList {
    /// The list in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The list in PEM (`X509 CRL`).
    pub fn to_pem(&self) -> String {
        pem::encode("X509 CRL", &self.der).to_string()
    }
}

impl Authority {
    /// Signs the list of revoked client and server certificates.
    ///
    /// # Errors
    /// [`Fault::RevokedTwice`], [`Fault::Date`] or [`Fault::Signing`].
    pub fn revocation_list(&self, list: &RevocationList) -> Result<SignedRevocationList, Fault> {
        sign(self.signatory(), list)
    }
}

impl Root {
    /// Signs the list of revoked issuing authorities, which a full check of the chain asks for.
    ///
    /// # Errors
    /// As [`Authority::revocation_list`].
    pub fn revocation_list(&self, list: &RevocationList) -> Result<SignedRevocationList, Fault> {
        sign(self.signatory(), list)
    }
}

fn sign(signatory: &Signatory, list: &RevocationList) -> Result<SignedRevocationList, Fault> {
    let what = "a revocation list";
    let params = CertificateRevocationListParams {
        this_update: date(list.window.not_before())?,
        next_update: date(list.window.not_after())?,
        crl_number: list.number.into(),
        issuing_distribution_point: None,
        revoked_certs: entries(&list.revocations)?,
        // The identifier in the authority's certificate, even where another program made that.
        key_identifier_method: KeyIdMethod::PreSpecified(signatory.key_identifier.clone()),
    };
    let signed =
        params.signed_by(signatory.issuer()).map_err(|source| Fault::Signing { what, source })?;
    Ok(SignedRevocationList { der: signed.der().to_vec() })
}

/// Sorts the entries by serial number, so that equal facts give equal lists.
fn entries(revocations: &[Revocation]) -> Result<Vec<RevokedCertParams>, Fault> {
    let mut sorted: Vec<&Revocation> = revocations.iter().collect();
    sorted.sort_by(|left, right| left.serial.cmp(&right.serial));
    let mut seen = BTreeSet::new();
    let entry = |revocation: &Revocation| {
        if !seen.insert(revocation.serial.clone()) {
            return Err(Fault::RevokedTwice { serial: revocation.serial.clone() });
        }
        Ok(RevokedCertParams {
            serial_number: revocation.serial.to_rcgen(),
            revocation_time: date(revocation.revoked_at)?,
            reason_code: revocation.reason.to_rcgen(),
            invalidity_date: None,
        })
    };
    sorted.into_iter().map(entry).collect()
}
