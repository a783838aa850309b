//! The small worlds in which the workflows are walked, and the walks, each made once. Here are those of
//! the three paths and what all worlds share.

mod credentials;
mod desk;
mod staff;

use std::sync::OnceLock;

use engine::{Actor, CaseId, Graph, Universe, Workflow, explore};
use workflows::terms::{
    Channel, DefectCode, Facts, KeyOrigin, Neighbour, Reason, Role, Rules, SubmissionRef, UserRef,
};
use workflows::{
    account, clerical, credential, delegated, enrolment, expiry, mask, paper, proposal,
    self_service, submission, tail, task,
};

pub(crate) use self::credentials::{
    credential_calm, credential_world, enrolment_world, expiry_world,
};
pub(crate) use self::desk::{clerical_world, submission_world, task_world};
pub(crate) use self::staff::{account_calm, account_world, changes, mask_world, proposal_world};

/// Two attempts, one fresh letter, two wrong entries: small numbers walk the same ways.
pub(crate) fn small_rules() -> Rules {
    Rules {
        defect_max_attempts: 2,
        undelivered_resends: 1,
        login_delay_from_wrong: 2,
        login_max_wrong: 4,
        otp_max_wrong: 2,
        transaction_max_wrong: 2,
        retrieval_max_wrong: 3,
        enrolment_max_wrong: 2,
        ..Rules::default()
    }
}

pub(crate) const SELF_CASE: Neighbour =
    Neighbour { case: CaseId(7), channel: Channel::SelfService };
pub(crate) const DELEGATED_CASE: Neighbour =
    Neighbour { case: CaseId(8), channel: Channel::Delegated };
pub(crate) const PAPER_CASE: Neighbour = Neighbour { case: CaseId(9), channel: Channel::Paper };
pub(crate) const CREDENTIAL: CaseId = CaseId(5);

/// Everything is in order: the user is the actor, holds the authority and is vouched for.
pub(crate) fn calm() -> Facts {
    Facts {
        contract_active: true,
        user_active: true,
        certificate_needed: true,
        renewable: false,
        reason: Reason::Expired,
        danger: false,
        user_authority: true,
        login_unlocked: true,
        otp_usable: true,
        retrieval_unlocked: true,
        colleague_can_log_in: false,
        colleague_qualifies: false,
        actor_is_user: true,
        same_contract: true,
        actor_authority: true,
        actor_certificate_active: true,
        actor_prepared: false,
        otp_vouched: true,
        transaction_vouched: true,
        user_reissues_today: 0,
        actor_reissues_today: 0,
        target_only_reveal: false,
        still_needed: true,
        address_fresh: false,
        specimen_valid: true,
        form_age_days: Some(10),
        batch_reconciled: true,
        remailed: false,
        password_used: false,
        open_cases: Vec::new(),
        siblings: Vec::new(),
        retrieval_credential: Some(CREDENTIAL),
    }
}

type Change = fn(&mut Facts);

/// The base and, one at a time, everything that may differ from it.
fn varied(base: &Facts, changes: &[Change]) -> Vec<Facts> {
    let changed = |change: &Change| {
        let mut facts = base.clone();
        change(&mut facts);
        facts
    };
    std::iter::once(base.clone()).chain(changes.iter().map(changed)).collect()
}

const EVERYWHERE: &[Change] = &[
    |f| f.contract_active = false,
    |f| f.user_active = false,
    |f| f.danger = true,
    |f| f.reason = Reason::Lost,
    |f| f.actor_is_user = false,
    |f| (f.actor_is_user, f.same_contract) = (false, false),
    |f| (f.actor_is_user, f.actor_authority) = (false, false),
    |f| f.password_used = true,
    |f| f.open_cases = vec![DELEGATED_CASE],
    |f| f.retrieval_credential = None,
];

const ONLINE: &[Change] = &[
    |f| f.renewable = true,
    |f| f.certificate_needed = false,
    |f| f.user_authority = false,
    |f| f.login_unlocked = false,
    |f| f.otp_usable = false,
    |f| f.retrieval_unlocked = false,
    |f| (f.user_authority, f.colleague_can_log_in) = (false, true),
    |f| (f.user_authority, f.colleague_qualifies) = (false, true),
    |f| f.actor_certificate_active = false,
    |f| f.otp_vouched = false,
    |f| f.transaction_vouched = false,
    |f| f.user_reissues_today = 3,
    |f| f.actor_reissues_today = 20,
    |f| f.target_only_reveal = true,
    |f| f.open_cases = vec![SELF_CASE, PAPER_CASE],
];

const ON_PAPER: &[Change] = &[
    |f| f.actor_prepared = true,
    |f| f.still_needed = false,
    |f| f.address_fresh = true,
    |f| f.specimen_valid = false,
    |f| f.form_age_days = None,
    |f| f.form_age_days = Some(91),
    |f| f.form_age_days = Some(93),
    |f| f.batch_reconciled = false,
    |f| f.remailed = true,
    |f| f.open_cases = vec![SELF_CASE, PAPER_CASE],
    |f| f.siblings = vec![CaseId(21), CaseId(22)],
];

fn facts(base: &Facts, more: &[Change]) -> Vec<Facts> {
    varied(base, &[EVERYWHERE, more].concat())
}

fn people(list: &[(&str, Role)]) -> Vec<Actor<Role>> {
    list.iter().map(|(id, role)| Actor::new(*id, *role)).collect()
}

/// Outsiders to every rule: whatever they are accepted for is a mistake.
const ONLOOKERS: [(&str, Role); 2] =
    [("auditor", Role::Auditor), ("operator", Role::SystemAdministrator)];

fn tail_commands() -> Vec<tail::Command> {
    use tail::Command as C;
    let csr = || Some("csr".to_owned());
    vec![
        C::Noted,
        C::Claim { csr: csr() },
        C::Claim { csr: None },
        C::RetrievalLocked,
        C::CertificateMade { serial: "01".to_owned(), key: KeyOrigin::Browser },
        C::CertificateMade { serial: "01".to_owned(), key: KeyOrigin::Server },
        C::CertificateRefused,
        C::Refetch { csr: csr() },
        C::Refetch { csr: None },
        C::FirstLogin { serial: "01".to_owned() },
        C::FirstLogin { serial: "02".to_owned() },
        C::Supersede,
        C::NotNeeded,
        C::Withdraw,
        C::Disown,
        C::EmergencyStop,
        C::Resolve { innocent: true },
        C::Resolve { innocent: false },
        C::CloseReveal,
        C::RemindHalfway,
        C::RemindLastDay,
        C::Expire,
        C::GiveUp,
        C::CloseRefetch,
        C::RemindFirstLogin,
        C::CloseUnused,
        C::Close,
    ]
}

fn online_people() -> Vec<Actor<Role>> {
    let mut list = vec![
        ("yamada", Role::User),
        ("sato", Role::AuthorityHolder),
        ("suzuki", Role::AuthorityHolder),
        ("help", Role::HelpDesk),
        ("clerk-a", Role::Clerk),
        ("chief", Role::Supervisor),
    ];
    list.extend(ONLOOKERS);
    people(&list)
}

pub(crate) fn walk<W: Workflow>(universe: &Universe<W>) -> Graph<W> {
    explore(universe)
}

pub(crate) fn tail_world(starts: Vec<tail::State>) -> Universe<tail::Tail> {
    Universe {
        starts,
        commands: tail_commands(),
        actors: online_people(),
        facts: facts(&calm(), &[]),
        rules: small_rules(),
    }
}

pub(crate) fn self_service_world(
    starts: Vec<self_service::State>,
) -> Universe<self_service::SelfService> {
    use self_service::Command as C;
    let mut commands = vec![C::PassOtp, C::Issue, C::Cancel, C::OtpLocked, C::Abandon];
    commands
        .extend([Reason::Expired, Reason::Lost].map(|reason| C::Open { user: UserRef(1), reason }));
    commands.extend(tail_commands().into_iter().map(C::Tail));
    Universe {
        starts,
        commands,
        actors: online_people(),
        facts: facts(&calm(), ONLINE),
        rules: small_rules(),
    }
}

pub(crate) fn delegated_world(starts: Vec<delegated::State>) -> Universe<delegated::Delegated> {
    use delegated::Command as C;
    let mut commands = vec![C::Issue, C::Reveal, C::Cancel, C::TransactionLocked, C::Abandon];
    commands.extend(
        [Reason::Expired, Reason::Vanished].map(|reason| C::Open { target: UserRef(1), reason }),
    );
    commands.extend(tail_commands().into_iter().map(C::Tail));
    let colleague = Facts { actor_is_user: false, user_authority: false, ..calm() };
    let mut all = facts(&colleague, ONLINE);
    all.extend(facts(&calm(), &[|f| f.otp_vouched = false]));
    // What is granted must not depend on anything the administrator may or may not have passed.
    all.push(Facts { target_only_reveal: true, otp_vouched: false, ..colleague });
    Universe { starts, commands, actors: online_people(), facts: all, rules: small_rules() }
}

pub(crate) fn paper_world(starts: Vec<paper::State>) -> Universe<paper::Paper> {
    use paper::Command as C;
    let submission = SubmissionRef(1);
    let defect = |codes: &[DefectCode]| C::Defect { codes: codes.to_vec() };
    let mut commands = vec![
        C::Open { user: UserRef(1), submission },
        C::Check,
        C::MatchSeal,
        C::Approve,
        C::SendBack,
        C::Reject,
        defect(&[]),
        defect(&[DefectCode::Date]),
        defect(&[DefectCode::SealMissing, DefectCode::Date]),
        C::CureByPhone,
        C::ReturnForm,
        C::Resubmit { submission },
        C::Readmit,
        C::ConfirmAddress,
        C::ObjectAddress,
        C::ClearDanger,
        C::Print,
        C::Spoil,
        C::Dispatch { tracking: "12345678903".to_owned() },
        C::Dispatch { tracking: "12345678904".to_owned() },
        C::Deliver,
        C::ReturnedMail,
        C::Resend,
        C::Remail,
        C::Remind,
        C::CloseNoResponse,
        C::Lapse,
    ];
    commands.extend(tail_commands().into_iter().map(C::Tail));
    let mut actors = people(&[
        ("yamada", Role::User),
        ("sato", Role::AuthorityHolder),
        ("mail", Role::MailRoom),
        ("clerk-a", Role::Clerk),
        ("clerk-b", Role::Clerk),
        ("clerk-a", Role::Approver),
        ("clerk-b", Role::Approver),
        ("approver", Role::Approver),
        ("dispatch", Role::Dispatch),
        ("help", Role::HelpDesk),
        ("chief", Role::Supervisor),
    ]);
    actors.extend(people(&ONLOOKERS));
    Universe { starts, commands, actors, facts: facts(&calm(), ON_PAPER), rules: small_rules() }
}

macro_rules! walked {
    ($($name:ident: $workflow:ty = $world:ident;)*) => {$(
        /// The complete walk from the beginning, made once.
        pub(crate) fn $name() -> &'static Graph<$workflow> {
            static GRAPH: OnceLock<Graph<$workflow>> = OnceLock::new();
            GRAPH.get_or_init(|| walk(&$world(vec![<$workflow>::start()])))
        }
    )*};
}

/// The tail begins in three ways, one for each path.
pub(crate) fn tail_walk() -> &'static Graph<tail::Tail> {
    static GRAPH: OnceLock<Graph<tail::Tail>> = OnceLock::new();
    let start = |channel, copy| tail::State::Waiting { channel, copy, reminded: 0 };
    GRAPH.get_or_init(|| {
        walk(&tail_world(vec![
            start(Channel::SelfService, true),
            start(Channel::Delegated, true),
            start(Channel::Paper, false),
        ]))
    })
}

walked! {
    self_service_walk: self_service::SelfService = self_service_world;
    delegated_walk: delegated::Delegated = delegated_world;
    paper_walk: paper::Paper = paper_world;
    submission_walk: submission::Submission = submission_world;
    clerical_walk: clerical::Clerical = clerical_world;
    task_walk: task::Task = task_world;
    credential_walk: credential::Credential = credential_world;
    enrolment_walk: enrolment::Enrolment = enrolment_world;
    expiry_walk: expiry::Expiry = expiry_world;
    proposal_walk: proposal::Proposal = proposal_world;
    account_walk: account::Account = account_world;
    mask_walk: mask::Mask = mask_world;
}
