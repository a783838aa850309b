//! What can be proposed, and who may propose and approve it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::terms::Role;

/// What shall be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// A new account for a member of staff.
    OpenAccount,
    /// Other roles of an account.
    ChangeRoles,
    /// An account with which nobody shall sign in any more.
    CloseAccount,
    /// A lost card or a forgotten password.
    RenewSecrets,
    /// A new account with which one signs in at the bank's identity provider only.
    OpenLinkedAccount,
    /// Whom the identity provider knows as an account.
    LinkSubject,
    /// The registered address of a contract.
    Address,
    /// The specimen of a contract's seal.
    Specimen,
    /// A new contract.
    AddContract,
    /// Other entries of a contract.
    ChangeContract,
    /// A contract that ends.
    CloseContract,
    /// A new user of a contract.
    AddUser,
    /// Other entries of a user.
    ChangeUser,
    /// A user who is no longer one.
    CloseUser,
    /// A day on which nobody works, besides those by law.
    AddHoliday,
    /// Such a day no longer.
    RemoveHoliday,
    /// A case of which nothing may be deleted until the hold is lifted.
    PlaceHold,
    /// Such a hold no longer.
    LiftHold,
}

impl Matter {
    /// Every matter.
    pub const ALL: [Self; 18] = [
        Self::OpenAccount,
        Self::ChangeRoles,
        Self::CloseAccount,
        Self::RenewSecrets,
        Self::OpenLinkedAccount,
        Self::LinkSubject,
        Self::Address,
        Self::Specimen,
        Self::AddContract,
        Self::ChangeContract,
        Self::CloseContract,
        Self::AddUser,
        Self::ChangeUser,
        Self::CloseUser,
        Self::AddHoliday,
        Self::RemoveHoliday,
        Self::PlaceHold,
        Self::LiftHold,
    ];

    /// It concerns the account of a member of staff.
    pub const fn is_account(self) -> bool {
        matches!(
            self,
            Self::OpenAccount
                | Self::ChangeRoles
                | Self::CloseAccount
                | Self::RenewSecrets
                | Self::OpenLinkedAccount
                | Self::LinkSubject
        )
    }

    /// It keeps what belongs to a case, or lets it go.
    pub const fn is_hold(self) -> bool {
        matches!(self, Self::PlaceHold | Self::LiftHold)
    }

    /// A fresh password and a fresh card are handed out afterwards.
    pub const fn has_secrets(self) -> bool {
        matches!(self, Self::OpenAccount | Self::RenewSecrets)
    }

    /// Whoever is signed in with the account signs in again afterwards.
    pub const fn ends_sessions(self) -> bool {
        matches!(self, Self::CloseAccount | Self::ChangeRoles | Self::LinkSubject)
    }

    /// Who may propose it.
    pub const fn proposers(self) -> &'static [Role] {
        if self.is_account() {
            &[Role::SystemAdministrator]
        } else if self.is_hold() {
            &[Role::Supervisor]
        } else {
            &[Role::Clerk, Role::Supervisor]
        }
    }

    /// Who may approve or reject it.
    pub const fn approvers(self) -> &'static [Role] {
        if self.is_account() {
            &[Role::SystemAdministrator]
        } else {
            &[Role::Approver, Role::Supervisor]
        }
    }
}

/// Entries of the ledger by the columns of its lists.
pub type Columns = BTreeMap<String, String>;

/// What exactly shall be changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "matter", rename_all = "snake_case")]
pub enum Change {
    /// A new account.
    OpenAccount {
        /// Its name.
        login: String,
        /// Whose: two accounts of one person have the same.
        person: String,
        /// The person's name.
        name: String,
        /// With commas between.
        roles: String,
    },
    /// Other roles.
    ChangeRoles {
        /// The account.
        login: String,
        /// With commas between.
        roles: String,
    },
    /// No more sign-ins.
    CloseAccount {
        /// The account.
        login: String,
    },
    /// Fresh password and card.
    RenewSecrets {
        /// The account.
        login: String,
    },
    /// A new account without a password of its own.
    OpenLinkedAccount {
        /// Its name.
        login: String,
        /// Whose: two accounts of one person have the same.
        person: String,
        /// The person's name.
        name: String,
        /// With commas between.
        roles: String,
        /// The identity provider.
        issuer: String,
        /// Whom it means.
        subject: String,
    },
    /// Whom the identity provider knows as an account.
    LinkSubject {
        /// The account.
        login: String,
        /// The identity provider.
        issuer: String,
        /// Whom it means; empty for nobody.
        subject: String,
    },
    /// Another registered address.
    Address {
        /// The contract's number.
        contract: String,
        /// Seven digits.
        postal_code: String,
        /// In full, on one line.
        address: String,
    },
    /// Another specimen of the seal.
    Specimen {
        /// The contract's number.
        contract: String,
        /// ISO date from which it is valid.
        valid_from: String,
        /// SHA-256 of the picture, hexadecimal.
        digest: String,
    },
    /// A new contract.
    AddContract {
        /// Its number.
        contract: String,
        /// Its entries.
        columns: Columns,
    },
    /// Other entries of a contract.
    ChangeContract {
        /// Its number.
        contract: String,
        /// All its entries as they shall be.
        columns: Columns,
    },
    /// The contract ends.
    CloseContract {
        /// Its number.
        contract: String,
    },
    /// A new user.
    AddUser {
        /// The contract's number.
        contract: String,
        /// The user's, never used before in it.
        user_id: String,
        /// The entries.
        columns: Columns,
    },
    /// Other entries of a user.
    ChangeUser {
        /// The contract's number.
        contract: String,
        /// The user's.
        user_id: String,
        /// All entries as they shall be.
        columns: Columns,
    },
    /// Somebody is a user no longer.
    CloseUser {
        /// The contract's number.
        contract: String,
        /// The user's.
        user_id: String,
    },
    /// One more holiday.
    AddHoliday {
        /// ISO date.
        day: String,
        /// How it is called.
        name: String,
        /// Where it was announced.
        source: String,
    },
    /// One holiday less.
    RemoveHoliday {
        /// ISO date.
        day: String,
    },
    /// Nothing of a case may be deleted.
    PlaceHold {
        /// Its number.
        case: i64,
        /// The number of the dispute or request; a case may be held for several.
        reference: String,
        /// Why.
        reason: String,
    },
    /// What was held for that reference may go the usual way.
    LiftHold {
        /// The number of the case.
        case: i64,
        /// As it was placed.
        reference: String,
        /// Why it is no longer needed.
        reason: String,
    },
}

impl Change {
    /// Its kind.
    pub const fn matter(&self) -> Matter {
        match self {
            Self::OpenAccount { .. } => Matter::OpenAccount,
            Self::ChangeRoles { .. } => Matter::ChangeRoles,
            Self::CloseAccount { .. } => Matter::CloseAccount,
            Self::RenewSecrets { .. } => Matter::RenewSecrets,
            Self::OpenLinkedAccount { .. } => Matter::OpenLinkedAccount,
            Self::LinkSubject { .. } => Matter::LinkSubject,
            Self::Address { .. } => Matter::Address,
            Self::Specimen { .. } => Matter::Specimen,
            Self::AddContract { .. } => Matter::AddContract,
            Self::ChangeContract { .. } => Matter::ChangeContract,
            Self::CloseContract { .. } => Matter::CloseContract,
            Self::AddUser { .. } => Matter::AddUser,
            Self::ChangeUser { .. } => Matter::ChangeUser,
            Self::CloseUser { .. } => Matter::CloseUser,
            Self::AddHoliday { .. } => Matter::AddHoliday,
            Self::RemoveHoliday { .. } => Matter::RemoveHoliday,
            Self::PlaceHold { .. } => Matter::PlaceHold,
            Self::LiftHold { .. } => Matter::LiftHold,
        }
    }

    /// What the case is about.
    pub fn subject(&self) -> String {
        match self {
            Self::OpenAccount { login, .. }
            | Self::ChangeRoles { login, .. }
            | Self::CloseAccount { login }
            | Self::RenewSecrets { login }
            | Self::OpenLinkedAccount { login, .. }
            | Self::LinkSubject { login, .. } => crate::account::subject(login),
            Self::Address { contract, .. }
            | Self::Specimen { contract, .. }
            | Self::AddContract { contract, .. }
            | Self::ChangeContract { contract, .. }
            | Self::CloseContract { contract } => format!("contract-{contract}"),
            Self::AddUser { contract, user_id, .. }
            | Self::ChangeUser { contract, user_id, .. }
            | Self::CloseUser { contract, user_id } => format!("contract-{contract}/{user_id}"),
            Self::AddHoliday { day, .. } | Self::RemoveHoliday { day } => format!("day-{day}"),
            Self::PlaceHold { case, .. } | Self::LiftHold { case, .. } => format!("case-{case}"),
        }
    }
}
