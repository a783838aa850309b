//! Who may see what. Who may *do* something is decided by the workflows alone.

use workflows::terms::Role;

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Viewer {
    /// Nobody in particular, at pages that no server serves: tests and the example that draws them.
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
    /// How members of staff signed in: the histories of their accounts.
    SignIns,
    /// A password, key or code, in any form.
    Secret,
}

impl Matter {
    /// Every matter, in the order of the table.
    pub const ALL: [Self; 12] = [
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
        Self::SignIns,
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
                !matches!(matter, M::Place | M::FailureText | M::SignIns)
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

/// A part of the staff's site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Room {
    /// What waits to be checked.
    Checking,
    /// What waits to be approved.
    Approving,
    /// A form with its fields, its seal and the ledger beside it.
    Desk,
    /// Envelopes and scans.
    Intake,
    /// Forms of which nobody knows yet whose they are.
    Matching,
    /// Letters on their way out.
    Dispatch,
    /// What people do by phone or by hand.
    Tasks,
    /// Cases by names and numbers.
    Search,
    /// How the work goes.
    Dashboard,
    /// Every case with its history.
    Audit,
    /// Staff's accounts, and what is proposed about them.
    Accounts,
    /// Addresses, seals and holidays, and what is proposed about them.
    Upkeep,
    /// How staff signed in.
    SignIns,
    /// Customers on the phone: where their cases stand.
    Help,
    /// Cases of which nothing may be deleted.
    Holds,
}

impl Room {
    /// Every room, in the order of the menu.
    pub const ALL: [Self; 15] = [
        Self::Checking,
        Self::Approving,
        Self::Desk,
        Self::Intake,
        Self::Matching,
        Self::Dispatch,
        Self::Tasks,
        Self::Search,
        Self::Dashboard,
        Self::Audit,
        Self::Accounts,
        Self::Upkeep,
        Self::SignIns,
        Self::Help,
        Self::Holds,
    ];
}

/// Whether a role may enter a part of the staff's site. What may be done there is decided by the
/// workflows.
pub const fn may_enter(role: Role, room: Room) -> bool {
    use Role as R;
    match room {
        Room::Checking => matches!(role, R::Clerk | R::Supervisor),
        Room::Approving => matches!(role, R::Approver | R::Supervisor),
        Room::Desk => matches!(role, R::Clerk | R::Approver | R::Supervisor | R::Auditor),
        Room::Intake => matches!(role, R::MailRoom | R::Supervisor),
        Room::Matching => matches!(role, R::Clerk | R::Supervisor),
        Room::Dispatch => matches!(role, R::Dispatch),
        Room::Tasks => matches!(role, R::Clerk | R::Approver | R::HelpDesk | R::Supervisor),
        Room::Search => may_see(Viewer::Signed(role), Matter::CustomerName),
        Room::Dashboard => matches!(role, R::Supervisor | R::Auditor | R::SystemAdministrator),
        Room::Audit => may_see(Viewer::Signed(role), Matter::History),
        Room::Accounts => matches!(role, R::SystemAdministrator | R::Auditor),
        Room::Upkeep => matches!(role, R::Clerk | R::Approver | R::Supervisor | R::Auditor),
        Room::SignIns => matches!(role, R::Auditor),
        Room::Help => matches!(role, R::HelpDesk),
        Room::Holds => matches!(role, R::Supervisor | R::Approver | R::Auditor),
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
        Operator: Standing History Person StaffName Place Outbox FailureText Proof SignIns
        Signed(User): 
        Signed(AuthorityHolder): 
        Signed(MailRoom): Standing CustomerName
        Signed(Clerk): Standing History Person StaffName CustomerName Details Outbox Proof
        Signed(Approver): Standing History Person StaffName CustomerName Details Outbox Proof
        Signed(Dispatch): Standing CustomerName
        Signed(HelpDesk): Standing History CustomerName
        Signed(Auditor): Standing History Person StaffName CustomerName Place Details Outbox FailureText Proof SignIns
        Signed(SystemAdministrator): Standing History Person Outbox FailureText Proof
        Signed(Supervisor): Standing History Person StaffName CustomerName Details Outbox Proof
        Signed(Clock): 
        Signed(Worker): 
        Signed(Peer): 
        ");
    }

    /// The same of the rooms.
    #[test]
    fn the_rooms_are_open_to_the_reviewed_roles() {
        let mut table = String::new();
        for room in Room::ALL {
            let open = Role::ALL.into_iter().filter(|role| may_enter(*role, room));
            let open: Vec<String> = open.map(|role| format!("{role:?}")).collect();
            let _ = writeln!(table, "{room:?}: {}", open.join(" "));
        }
        insta::assert_snapshot!(table, @r"
        Checking: Clerk Supervisor
        Approving: Approver Supervisor
        Desk: Clerk Approver Auditor Supervisor
        Intake: MailRoom Supervisor
        Matching: Clerk Supervisor
        Dispatch: Dispatch
        Tasks: Clerk Approver HelpDesk Supervisor
        Search: MailRoom Clerk Approver Dispatch HelpDesk Auditor Supervisor
        Dashboard: Auditor SystemAdministrator Supervisor
        Audit: Clerk Approver HelpDesk Auditor SystemAdministrator Supervisor
        Accounts: Auditor SystemAdministrator
        Upkeep: Clerk Approver Auditor Supervisor
        SignIns: Auditor
        Help: HelpDesk
        Holds: Approver Auditor Supervisor
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
