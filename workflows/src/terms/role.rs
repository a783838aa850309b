//! Who may act.

/// What a person or the machinery acts as; one set for all workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A customer's user (利用者) in their own matter.
    User,
    /// A customer's user who may reissue for colleagues (再発行の実行権限).
    AuthorityHolder,
    /// Registers envelopes and scans them (受付).
    MailRoom,
    /// Keys, compares, marks defects, proposes (初検).
    Clerk,
    /// Approves, returns, rejects; never their own work (役席).
    Approver,
    /// Prints batches, inserts, records tracking numbers (発送).
    Dispatch,
    /// Sees the standing without secrets; may stop a case.
    HelpDesk,
    /// Reads everything except secrets; changes nothing.
    Auditor,
    /// Configures; changes no case.
    SystemAdministrator,
    /// Decides what stands outside the routine.
    Supervisor,
    /// The engine's clock.
    Clock,
    /// The engine's worker, answering a job.
    Worker,
    /// Another case.
    Peer,
}

impl Role {
    /// Every role, in the order of the glossary.
    pub const ALL: [Self; 13] = [
        Self::User,
        Self::AuthorityHolder,
        Self::MailRoom,
        Self::Clerk,
        Self::Approver,
        Self::Dispatch,
        Self::HelpDesk,
        Self::Auditor,
        Self::SystemAdministrator,
        Self::Supervisor,
        Self::Clock,
        Self::Worker,
        Self::Peer,
    ];

    /// Whoever works for the bank.
    pub const fn is_staff(self) -> bool {
        matches!(
            self,
            Self::MailRoom
                | Self::Clerk
                | Self::Approver
                | Self::Dispatch
                | Self::HelpDesk
                | Self::Auditor
                | Self::SystemAdministrator
                | Self::Supervisor
        )
    }
}

impl engine::Role for Role {
    const CLOCK: Self = Self::Clock;
    const WORKER: Self = Self::Worker;
    const PEER: Self = Self::Peer;

    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::AuthorityHolder => "authority_holder",
            Self::MailRoom => "mail_room",
            Self::Clerk => "clerk",
            Self::Approver => "approver",
            Self::Dispatch => "dispatch",
            Self::HelpDesk => "help_desk",
            Self::Auditor => "auditor",
            Self::SystemAdministrator => "system_administrator",
            Self::Supervisor => "supervisor",
            Self::Clock => "clock",
            Self::Worker => "worker",
            Self::Peer => "peer",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use engine::Role as _;

    use super::Role;

    #[test]
    fn names_lead_back_to_their_roles() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("janitor"), None);
    }
}
