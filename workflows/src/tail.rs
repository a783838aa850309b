//! The common end of all three paths: from a live password to a certificate that logs in.
//!
//! It is walked as a workflow of its own, but never stored as one: each path embeds
//! [`State`] as `State::Tail` and [`Command`] as `Command::Tail`.

use serde::{Deserialize, Serialize};

use crate::terms::{Channel, KeyOrigin};

/// The common tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail;

/// Where a case stands from the issue of its password on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// A live password waits to be used.
    Waiting {
        /// Decides how long it is valid.
        channel: Channel,
        /// A sealed copy for the display page exists.
        copy: bool,
        /// Expiry notices that are no longer due: 0, 1 (halfway) or 2 (last day).
        reminded: u8,
    },
    /// The password was used in the very moment of its expiry; its claim is on its way.
    Redeemed {
        /// As in `Waiting`.
        channel: Channel,
    },
    /// The password is used; the certificate is being made.
    Claimed {
        /// As in `Waiting`.
        channel: Channel,
    },
    /// The certificate exists and was not used yet.
    CertificateIssued {
        /// As in `Waiting`.
        channel: Channel,
        /// Of the certificate, as hexadecimal digits.
        serial: String,
        /// Where its key was made.
        key: KeyOrigin,
        /// It may still be fetched again.
        refetch: bool,
        /// The reminder to use it went out.
        reminded: bool,
    },
    /// Too many wrong entries: the password is void, another case is the cure.
    Locked,
    /// Stopped because of a suspicion; a supervisor settles it.
    Frozen,
    /// End: the new certificate logged in.
    Completed,
    /// End: the new certificate was never used.
    ClosedUnused,
    /// End: locked, and no other case cured it in time.
    ClosedLocked,
    /// End: the password was not used in time.
    Expired,
    /// End: the certificate was not made in time.
    Failed,
    /// End: another case issued.
    Superseded,
    /// End: another case got a certificate.
    NotNeeded,
    /// End: withdrawn by the customer.
    Withdrawn,
    /// End: stopped because of a suspicion.
    Stopped,
}

/// What is asked of a case from the issue of its password on; several also apply before.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// User: the digits are noted, destroy the display copy.
    Noted,
    /// Clock: the display window is over.
    CloseReveal,
    /// Clock: half of the validity is over.
    RemindHalfway,
    /// Clock: one day is left.
    RemindLastDay,
    /// Clock: the validity is over.
    Expire,
    /// Retrieval credential: entered rightly.
    Claim {
        /// PKCS#10 in PEM; `None` asks for a key made on the server.
        csr: Option<String>,
    },
    /// Retrieval credential: entered wrongly too often.
    RetrievalLocked,
    /// Worker: the certificate is made.
    CertificateMade {
        /// As hexadecimal digits.
        serial: String,
        /// Where its key was made.
        key: KeyOrigin,
    },
    /// Worker: the request was not usable; the user may send another one.
    CertificateRefused,
    /// Clock: the certificate was not made in time.
    GiveUp,
    /// User: fetch again; a key made in the browser needs a new request.
    Refetch {
        /// PKCS#10 in PEM.
        csr: Option<String>,
    },
    /// Clock: it can no longer be fetched again.
    CloseRefetch,
    /// User: the first mutual-TLS login with the new certificate.
    FirstLogin {
        /// Of the certificate that logged in.
        serial: String,
    },
    /// Clock: the certificate was not used yet.
    RemindFirstLogin,
    /// Clock: the certificate was never used.
    CloseUnused,
    /// Another case: it has issued.
    Supersede,
    /// Another case: it got a certificate.
    NotNeeded,
    /// Customer, or a clerk holding the sealed letter: stop asking.
    Withdraw,
    /// User: "this was not me".
    Disown,
    /// Help desk, customer or supervisor: stop because of a suspicion.
    EmergencyStop,
    /// Supervisor: the suspicion is settled.
    Resolve {
        /// Nothing was wrong.
        innocent: bool,
    },
    /// Clock: closes what is locked or stopped.
    Close,
}
