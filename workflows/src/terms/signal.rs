//! What cases tell each other.

use engine::{CaseId, Speaker};

use super::{Channel, DefectCode, Neighbour};
use crate::{account, clerical, credential, delegated, paper, self_service, tail};

/// What one case tells another; it enters the other's inbox in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Signal {
    /// This case has issued: the other one ends.
    Supersede {
        /// The other one.
        to: Neighbour,
    },
    /// This case got a certificate: the other one is not needed.
    NotNeeded {
        /// The other one.
        to: Neighbour,
    },
    /// The password was entered rightly.
    Claim {
        /// The case that issued it.
        to: Neighbour,
        /// PKCS#10 in PEM when the key was made in the browser.
        csr: Option<String>,
    },
    /// The password was entered wrongly too often.
    RetrievalLocked {
        /// The case that issued it.
        to: Neighbour,
    },
    /// The one-time password locked while a self-service case was open.
    OtpLocked {
        /// That case.
        case: CaseId,
    },
    /// The transaction password locked while a delegated case was open.
    TransactionLocked {
        /// That case.
        case: CaseId,
    },
    /// A new retrieval password is live: count from zero.
    Arm {
        /// The retrieval credential.
        credential: CaseId,
    },
    /// The retrieval password is void or expired.
    Disarm {
        /// The retrieval credential.
        credential: CaseId,
    },
    /// The bank released a lock.
    Unlock {
        /// The credential concerned.
        credential: CaseId,
    },
    /// The bank reset a password.
    Reset {
        /// The credential concerned.
        credential: CaseId,
    },
    /// An account has a fresh password and card: count from zero.
    Forget {
        /// The account.
        account: CaseId,
    },
    /// The one seal of the form is defective: so is every case that came with it.
    SealDefect {
        /// A paper case from the same envelope.
        case: CaseId,
        /// Only codes that concern the seal.
        codes: Vec<DefectCode>,
    },
    /// What somebody recorded in a task says this about the paper case that the task is about. It
    /// is heard there as that person's own act, since the same eyes count there.
    Recorded {
        /// The paper case.
        case: CaseId,
        /// What it means there.
        command: paper::Command,
    },
    /// Somebody recorded in a task that the request was carried out by hand; heard as that person's
    /// own act, for two are needed.
    DoneByHand {
        /// The clerical case.
        case: CaseId,
    },
    /// Two people recorded that it cannot be carried out.
    CannotBeDone {
        /// The clerical case.
        case: CaseId,
    },
}

/// A command of one of the workflows that receive signals, ready to be put into an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addressed {
    /// For a self-service case.
    SelfService(self_service::Command),
    /// For a delegated case.
    Delegated(delegated::Command),
    /// For a paper case.
    Paper(paper::Command),
    /// For one of the form's other requests.
    Clerical(clerical::Command),
    /// For a credential.
    Credential(credential::Command),
    /// For an account of staff.
    Account(account::Command),
}

impl Addressed {
    /// The stored name of the receiving workflow.
    pub const fn workflow(&self) -> &'static str {
        match self {
            Self::SelfService(_) => self_service::NAME,
            Self::Delegated(_) => delegated::NAME,
            Self::Paper(_) => paper::NAME,
            Self::Clerical(_) => clerical::NAME,
            Self::Credential(_) => credential::NAME,
            Self::Account(_) => account::NAME,
        }
    }
}

impl Signal {
    /// Where the signal goes and which command it is there.
    pub fn address(&self) -> (CaseId, Addressed) {
        let tail = |to: &Neighbour, command| (to.case, in_tail(to.channel, command));
        let credential = |case: CaseId, command| (case, Addressed::Credential(command));
        match self {
            Self::Supersede { to } => tail(to, tail::Command::Supersede),
            Self::NotNeeded { to } => tail(to, tail::Command::NotNeeded),
            Self::Claim { to, csr } => tail(to, tail::Command::Claim { csr: csr.clone() }),
            Self::RetrievalLocked { to } => tail(to, tail::Command::RetrievalLocked),
            Self::OtpLocked { case } => {
                (*case, Addressed::SelfService(self_service::Command::OtpLocked))
            }
            Self::TransactionLocked { case } => {
                (*case, Addressed::Delegated(delegated::Command::TransactionLocked))
            }
            Self::Arm { credential: case } => credential(*case, credential::Command::Arm),
            Self::Disarm { credential: case } => credential(*case, credential::Command::Disarm),
            Self::Unlock { credential: case } => credential(*case, credential::Command::Unlock),
            Self::Reset { credential: case } => credential(*case, credential::Command::Reset),
            Self::Forget { account: case } => (*case, Addressed::Account(account::Command::Forget)),
            Self::SealDefect { case, codes } => {
                (*case, Addressed::Paper(paper::Command::Defect { codes: codes.clone() }))
            }
            Self::Recorded { case, command } => (*case, Addressed::Paper(command.clone())),
            Self::DoneByHand { case } => (*case, Addressed::Clerical(clerical::Command::Confirm)),
            Self::CannotBeDone { case } => (*case, Addressed::Clerical(clerical::Command::GiveUp)),
        }
    }

    /// In whose name the other case hears it.
    pub const fn speaker(&self) -> Speaker {
        match self {
            Self::Recorded { .. } | Self::DoneByHand { .. } => Speaker::Actor,
            _ => Speaker::Case,
        }
    }
}

fn in_tail(channel: Channel, command: tail::Command) -> Addressed {
    match channel {
        Channel::SelfService => Addressed::SelfService(self_service::Command::Tail(command)),
        Channel::Delegated => Addressed::Delegated(delegated::Command::Tail(command)),
        Channel::Paper => Addressed::Paper(paper::Command::Tail(command)),
    }
}
