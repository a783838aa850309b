//! Who may see what. Who may *do* something is decided by the workflows alone.

use workflows::terms::Role;

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Viewer {
    /// Whoever sits at the machine and started the demonstration: the page is bound to loopback.
    Operator,
    /// Somebody who signed in.
    Signed(Role),
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// Number, kind, state and times of any case.
    Standing,
    /// The history of any case: what was asked, in which role, with which outcome.
    History,
    /// The person behind an act, as the number used in histories.
    Person,
    /// The name of a member of staff.
    StaffName,
    /// The name of a customer's user or company.
    CustomerName,
    /// Network addresses and terminals.
    Place,
    /// Personal details that stand beside entries.
    Details,
    /// Messages and jobs of a case: kind, attempts, times.
    Outbox,
    /// Why a message or job failed, as the machinery says it.
    FailureText,
    /// What the engine verified.
    Proof,
    /// A password, key or code, in any form.
    Secret,
}

impl Matter {
    /// Every matter, in the order of the table.
    pub const ALL: [Self; 11] = [
        Self::Standing,
        Self::History,
        Self::Person,
        Self::StaffName,
        Self::CustomerName,
        Self::Place,
        Self::Details,
        Self::Outbox,
        Self::FailureText,
        Self::Proof,
        Self::Secret,
    ];
}

/// Whether a viewer may see a matter of *any* case. What a person may see of their own case comes
/// with the session and is asked where the session is known.
pub const fn may_see(viewer: Viewer, matter: Matter) -> bool {
    use Matter as M;
    match (viewer, matter) {
        // Nobody, ever: secrets are shown once to their holder by the page that made them.
        (_, M::Secret) => false,
        (Viewer::Operator, matter) => !matches!(matter, M::CustomerName | M::Details),
        (Viewer::Signed(role), matter) => match role {
            Role::Auditor => true,
            Role::Clerk | Role::Approver | Role::Supervisor => {
                !matches!(matter, M::Place | M::FailureText)
            }
            Role::MailRoom | Role::Dispatch => matches!(matter, M::Standing | M::CustomerName),
            Role::HelpDesk => matches!(matter, M::Standing | M::History | M::CustomerName),
            Role::SystemAdministrator => matches!(
                matter,
                M::Standing | M::History | M::Person | M::Outbox | M::FailureText | M::Proof
            ),
            Role::User | Role::AuthorityHolder | Role::Clock | Role::Worker | Role::Peer => false,
        },
    }
}

/// How a customer stands to a reissue case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent answer")]
pub struct Relation {
    /// It is about them.
    pub is_holder: bool,
    /// They opened it.
    pub is_opener: bool,
    /// It is about somebody of their contract.
    pub same_contract: bool,
    /// They hold the reissue authority.
    pub has_authority: bool,
}

/// Whether a customer may follow a case: its holder may, and whoever holds the authority in the
/// same contract. Who opened it and has lost the authority since may not.
pub const fn may_follow(relation: Relation) -> bool {
    relation.is_holder || (relation.same_contract && relation.has_authority)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// Changing what somebody may see changes this table, which a reviewer then sees.
    #[test]
    fn the_table_is_the_reviewed_one() {
        let mut viewers = vec![Viewer::Operator];
        viewers.extend(Role::ALL.map(Viewer::Signed));
        let mut table = String::new();
        for viewer in viewers {
            let seen = Matter::ALL.iter().filter(|matter| may_see(viewer, **matter));
            let seen: Vec<String> = seen.map(|matter| format!("{matter:?}")).collect();
            let _ = writeln!(table, "{viewer:?}: {}", seen.join(" "));
        }
        insta::assert_snapshot!(table, @r"
        Operator: Standing History Person StaffName Place Outbox FailureText Proof
        Signed(User): 
        Signed(AuthorityHolder): 
        Signed(MailRoom): Standing CustomerName
        Signed(Clerk): Standing History Person StaffName CustomerName Details Outbox Proof
        Signed(Approver): Standing History Person StaffName CustomerName Details Outbox Proof
        Signed(Dispatch): Standing CustomerName
        Signed(HelpDesk): Standing History CustomerName
        Signed(Auditor): Standing History Person StaffName CustomerName Place Details Outbox FailureText Proof
        Signed(SystemAdministrator): Standing History Person Outbox FailureText Proof
        Signed(Supervisor): Standing History Person StaffName CustomerName Details Outbox Proof
        Signed(Clock): 
        Signed(Worker): 
        Signed(Peer): 
        ");
    }

    #[test]
    fn a_case_is_followed_by_its_holder_and_by_administrators_of_the_contract() {
        for bits in 0..16_u8 {
            let bit = |at: u8| bits & (1 << at) != 0;
            let relation = Relation {
                is_holder: bit(0),
                is_opener: bit(1),
                same_contract: bit(2),
                has_authority: bit(3),
            };
            let expected = bit(0) || (bit(2) && bit(3));
            assert_eq!(may_follow(relation), expected, "{relation:?}");
        }
    }

    #[test]
    fn nobody_sees_a_secret() {
        for role in Role::ALL {
            assert!(!may_see(Viewer::Signed(role), Matter::Secret));
        }
        assert!(!may_see(Viewer::Operator, Matter::Secret));
    }
}
