//! The small worlds in which the workflows are walked, and the walks, each made once.
//!
//! Longer than 500 lines because every workflow has its world here, one beside the other.

use std::sync::OnceLock;

use engine::{Actor, CaseId, Graph, Universe, Workflow, explore};
use workflows::terms::{
    Channel, DefectCode, Facts, KeyOrigin, Neighbour, Reason, Role, Rules, SubmissionRef, TaskKind,
    UserRef,
};
use workflows::{
    account, clerical, credential, delegated, enrolment, expiry, mask, paper, proposal,
    self_service, submission, tail, task,
};

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

pub(crate) fn submission_world(starts: Vec<submission::State>) -> Universe<submission::Submission> {
    use submission::Command as C;
    let mut all = Vec::new();
    for bits in 0..16_u8 {
        all.push(submission::Facts {
            contract_found: bits & 1 != 0,
            pages_complete: bits & 2 != 0,
            actor_of_contract: bits & 4 != 0,
            count_agrees: bits & 8 != 0,
        });
    }
    let mut actors = people(&[
        ("yamada", Role::User),
        ("mail", Role::MailRoom),
        ("clerk-a", Role::Clerk),
        ("chief", Role::Supervisor),
    ]);
    actors.extend(people(&ONLOOKERS));
    let receive = |pages| C::Receive { carrier: "registered".to_owned(), pages };
    let commands = vec![
        C::Prefill,
        receive(0),
        receive(2),
        C::Scan,
        C::Identify,
        C::MarkUnidentified,
        C::MarkIncomplete,
        C::Detach { page: 2 },
        C::AddPages { pages: 0 },
        C::AddPages { pages: 1 },
        C::Match,
        C::ReadAgain,
        C::SendBack,
        C::ItemsOpened { count: 3 },
        C::Archive,
        C::Remind,
        C::Close,
    ];
    Universe { starts, commands, actors, facts: all, rules: small_rules() }
}

pub(crate) fn clerical_calm() -> clerical::Facts {
    clerical::Facts {
        contract_active: true,
        user_active: true,
        fits: true,
        specimen_valid: true,
        form_age_days: Some(10),
        address_fresh: false,
        danger: false,
        bank_connected: true,
        actor_of_customer: true,
        credential: Some(CREDENTIAL),
    }
}

pub(crate) fn clerical_world(starts: Vec<clerical::State>) -> Universe<clerical::Clerical> {
    use clerical::{Command as C, Request};
    let changes: &[fn(&mut clerical::Facts)] = &[
        |f| f.contract_active = false,
        |f| f.user_active = false,
        |f| f.fits = false,
        |f| f.specimen_valid = false,
        |f| f.form_age_days = None,
        |f| f.form_age_days = Some(93),
        |f| f.address_fresh = true,
        |f| f.danger = true,
        |f| f.bank_connected = false,
        |f| f.actor_of_customer = false,
        |f| f.credential = None,
    ];
    let mut all = vec![clerical_calm()];
    all.extend(changes.iter().map(|change| {
        let mut facts = clerical_calm();
        change(&mut facts);
        facts
    }));
    let (user, submission) = (UserRef(1), SubmissionRef(1));
    let mut commands: Vec<C> =
        Request::ALL.map(|request| C::Open { user, submission, request }).to_vec();
    commands.extend([
        C::Check,
        C::Approve,
        C::SendBack,
        C::Refuse { codes: vec![] },
        C::Refuse { codes: vec![DefectCode::Name] },
        C::Carried,
        C::NotCarried,
        C::Confirm,
        C::Withdraw,
        C::TakeOver,
        C::Lapse,
    ]);
    let mut actors = people(&[
        ("yamada", Role::User),
        ("clerk-a", Role::Clerk),
        ("clerk-b", Role::Clerk),
        ("clerk-a", Role::Approver),
        ("approver", Role::Approver),
    ]);
    actors.extend(people(&ONLOOKERS));
    Universe { starts, commands, actors, facts: all, rules: small_rules() }
}

pub(crate) fn task_world(starts: Vec<task::State>) -> Universe<task::Task> {
    use task::{Command as C, Outcome};
    let mut commands: Vec<C> =
        TaskKind::ALL.map(|kind| C::Open { kind, about: CaseId(3) }).to_vec();
    commands.extend([
        C::Take,
        C::Release,
        C::Record { outcome: Outcome::Settled },
        C::Record { outcome: Outcome::Denied },
        C::Record { outcome: Outcome::Unreached },
        C::Dispute,
        C::Drop,
        C::Remind,
        C::GiveUp,
    ]);
    let mut actors = people(&[
        ("clerk-a", Role::Clerk),
        ("clerk-b", Role::Clerk),
        ("approver", Role::Approver),
        ("help", Role::HelpDesk),
        ("chief", Role::Supervisor),
        ("yamada", Role::User),
    ]);
    actors.extend(people(&ONLOOKERS));
    let facts = vec![task::Facts { paper: None }, task::Facts { paper: Some(CaseId(3)) }];
    Universe { starts, commands, actors, facts, rules: small_rules() }
}

pub(crate) fn credential_calm() -> credential::Facts {
    credential::Facts {
        user_active: true,
        delay_over: true,
        enrolling: true,
        set_here: false,
        password_live: true,
        issuing: Some(PAPER_CASE),
        self_service_case: Some(CaseId(7)),
        delegated_case: Some(CaseId(8)),
    }
}

pub(crate) fn credential_world(starts: Vec<credential::State>) -> Universe<credential::Credential> {
    use credential::{Command as C, Facts, Kind};
    let calm = credential_calm();
    let all = vec![
        calm.clone(),
        Facts { user_active: false, ..calm.clone() },
        Facts { delay_over: false, ..calm.clone() },
        Facts { enrolling: false, ..calm.clone() },
        Facts { set_here: true, ..calm.clone() },
        Facts { password_live: false, ..calm.clone() },
        Facts { issuing: None, self_service_case: None, delegated_case: None, ..calm },
    ];
    let redeem =
        |csr: Option<&str>| C::Redeem { session: "digest".to_owned(), csr: csr.map(str::to_owned) };
    let mut commands: Vec<C> = Kind::ALL.map(|kind| C::Enrol { kind }).to_vec();
    commands.extend(Kind::ALL.map(|kind| C::Prepare { kind }));
    commands.extend([
        C::ChargeAttempt,
        C::Change { session: "7".to_owned() },
        redeem(None),
        redeem(Some("csr")),
        C::Miss,
        C::Settle,
        C::ForgetWrong,
        C::Lock,
        C::Guide,
        C::Unlock,
        C::Reset,
        C::Arm,
        C::Disarm,
    ]);
    let mut actors = people(&[("yamada", Role::User), ("help", Role::HelpDesk)]);
    actors.extend(people(&ONLOOKERS));
    Universe { starts, commands, actors, facts: all, rules: small_rules() }
}

pub(crate) fn enrolment_calm() -> enrolment::Facts {
    enrolment::Facts {
        contract_active: true,
        user_active: true,
        code_live: true,
        address_fresh: false,
        danger: false,
        batch_reconciled: true,
        actor_is_user: false,
        same_contract: true,
        actor_authority: true,
        actor_certificate_active: true,
        transaction_vouched: true,
        actor_codes_today: 0,
    }
}

pub(crate) fn enrolment_world(starts: Vec<enrolment::State>) -> Universe<enrolment::Enrolment> {
    use enrolment::Command as C;
    let changes: &[fn(&mut enrolment::Facts)] = &[
        |f| f.actor_is_user = true,
        |f| (f.actor_is_user, f.user_active) = (true, false),
        |f| (f.actor_is_user, f.code_live) = (true, false),
        |f| f.contract_active = false,
        |f| f.user_active = false,
        |f| f.address_fresh = true,
        |f| f.danger = true,
        |f| f.batch_reconciled = false,
        |f| f.same_contract = false,
        |f| f.actor_authority = false,
        |f| f.actor_certificate_active = false,
        |f| f.transaction_vouched = false,
        |f| f.actor_codes_today = 20,
    ];
    let mut all = vec![enrolment_calm()];
    all.extend(changes.iter().map(|change| {
        let mut facts = enrolment_calm();
        change(&mut facts);
        facts
    }));
    let commands = vec![
        C::Begin,
        C::Order,
        C::Print,
        C::Spoil,
        C::Dispatch { tracking: "12345678903".to_owned() },
        C::Dispatch { tracking: "12345678904".to_owned() },
        C::ReturnedMail,
        C::Import,
        C::Issue,
        C::Noted,
        C::ChargeAttempt,
        C::Redeem,
        C::Pass,
        C::Miss,
        C::Finish,
    ];
    let mut actors = people(&[
        ("yamada", Role::User),
        ("sato", Role::AuthorityHolder),
        ("mail", Role::MailRoom),
        ("dispatch", Role::Dispatch),
        ("clerk-a", Role::Clerk),
        ("help", Role::HelpDesk),
    ]);
    actors.extend(people(&ONLOOKERS));
    Universe { starts, commands, actors, facts: all, rules: small_rules() }
}

pub(crate) fn expiry_world(starts: Vec<expiry::State>) -> Universe<expiry::Expiry> {
    let calm = expiry::Facts { user_active: true, active: true, newer: false, days_left: 0 };
    let mut all: Vec<_> = (0..30).map(|days_left| expiry::Facts { days_left, ..calm }).collect();
    all.push(expiry::Facts { user_active: false, ..calm });
    all.push(expiry::Facts { active: false, ..calm });
    all.push(expiry::Facts { newer: true, ..calm });
    let commands = vec![expiry::Command::Tell { serial: "01".to_owned() }];
    let mut actors = people(&[("yamada", Role::User), ("help", Role::HelpDesk)]);
    actors.extend(people(&ONLOOKERS));
    Universe { starts, commands, actors, facts: all, rules: small_rules() }
}

pub(crate) fn account_calm() -> account::Facts {
    account::Facts {
        active: true,
        local: true,
        delay_over: true,
        others_administer: true,
        administers: true,
    }
}

pub(crate) fn account_world(starts: Vec<account::State>) -> Universe<account::Account> {
    use account::{Command as C, Facts};
    let calm = account_calm();
    let all = vec![
        calm.clone(),
        Facts { active: false, ..calm.clone() },
        Facts { local: false, ..calm.clone() },
        Facts { delay_over: false, ..calm.clone() },
        Facts { others_administer: false, ..calm.clone() },
        Facts { others_administer: false, administers: false, ..calm },
    ];
    let mut commands = vec![
        C::Begin,
        C::ChargeAttempt,
        C::Redeem,
        C::Miss,
        C::Leave,
        C::Add,
        C::Renew,
        C::Link,
        C::Close,
        C::Forget,
    ];
    commands.extend(account::Answer::ALL.map(|answer| C::Enter { answer }));
    let mut actors = people(&[
        ("yamada", Role::User),
        ("clerk-a", Role::Clerk),
        (account::COMMAND_LINE, Role::SystemAdministrator),
    ]);
    actors.extend(people(&ONLOOKERS));
    Universe { starts, commands, actors, facts: all, rules: small_rules() }
}

/// One change of each kind.
pub(crate) fn changes() -> Vec<proposal::Change> {
    use proposal::Change as C;
    let text = str::to_owned;
    let (login, contract, day) = (text("mori"), text("0104212345"), text("2026-12-30"));
    let (user_id, columns) = (text("010429001"), proposal::Columns::new());
    vec![
        C::OpenAccount {
            login: login.clone(),
            person: text("S-011"),
            name: text("森 彩"),
            roles: text("clerk"),
        },
        C::ChangeRoles { login: login.clone(), roles: text("auditor") },
        C::CloseAccount { login: login.clone() },
        C::RenewSecrets { login: login.clone() },
        C::OpenLinkedAccount {
            login: login.clone(),
            person: text("S-011"),
            name: text("森 彩"),
            roles: text("clerk"),
            issuer: text("https://id.bank.example"),
            subject: text("248289761001"),
        },
        C::LinkSubject {
            login,
            issuer: text("https://id.bank.example"),
            subject: text("248289761001"),
        },
        C::Address {
            contract: contract.clone(),
            postal_code: text("1000005"),
            address: text("東京都千代田区丸の内2-7-1"),
        },
        C::Specimen {
            contract: contract.clone(),
            valid_from: text("2026-12-01"),
            digest: text("00"),
        },
        C::AddContract { contract: contract.clone(), columns: columns.clone() },
        C::ChangeContract { contract: contract.clone(), columns: columns.clone() },
        C::CloseContract { contract: contract.clone() },
        C::AddUser {
            contract: contract.clone(),
            user_id: user_id.clone(),
            columns: columns.clone(),
        },
        C::ChangeUser { contract: contract.clone(), user_id: user_id.clone(), columns },
        C::CloseUser { contract, user_id },
        C::AddHoliday { day: day.clone(), name: text("創立記念日"), source: text("通達") },
        C::RemoveHoliday { day },
        C::PlaceHold {
            case: 12, reference: text("令和8年(ワ)第1号"), reason: text("照会")
        },
        C::LiftHold { case: 12, reference: text("令和8年(ワ)第1号"), reason: text("終結") },
    ]
}

pub(crate) fn proposal_calm() -> proposal::Facts {
    proposal::Facts {
        target_found: true,
        actor_is_target: false,
        unchanged: true,
        takes_administration: false,
        others_administer: true,
        subject_taken: false,
        already_proposed: false,
        account: Some(CaseId(6)),
    }
}

pub(crate) fn proposal_world(starts: Vec<proposal::State>) -> Universe<proposal::Proposal> {
    use proposal::{Command as C, Facts};
    let calm = proposal_calm();
    let all = vec![
        calm.clone(),
        Facts { target_found: false, ..calm.clone() },
        Facts { actor_is_target: true, ..calm.clone() },
        Facts { unchanged: false, ..calm.clone() },
        Facts { takes_administration: true, ..calm.clone() },
        Facts { takes_administration: true, others_administer: false, ..calm.clone() },
        Facts { others_administer: false, ..calm.clone() },
        Facts { subject_taken: true, ..calm.clone() },
        Facts { already_proposed: true, ..calm.clone() },
        Facts { account: None, ..calm },
    ];
    let mut commands: Vec<C> = changes().into_iter().map(|change| C::Propose { change }).collect();
    commands.extend([C::Approve, C::Reject, C::Withdraw, C::TakePassword, C::TakeSeed]);
    let mut actors = people(&[
        ("yamada", Role::User),
        ("clerk-a", Role::Clerk),
        ("clerk-b", Role::Clerk),
        ("clerk-a", Role::Approver),
        ("approver", Role::Approver),
        ("chief", Role::Supervisor),
        ("help", Role::HelpDesk),
        ("keeper", Role::SystemAdministrator),
    ]);
    actors.extend(people(&ONLOOKERS));
    Universe { starts, commands, actors, facts: all, rules: small_rules() }
}

pub(crate) fn mask_world(starts: Vec<mask::State>) -> Universe<mask::Mask> {
    use mask::{Area, Command as C, Facts, Wish};
    let facts = vec![Facts { page_found: true }, Facts { page_found: false }];
    let area = Area { x: 1_000, y: 2_000, w: 3_000, h: 400 };
    let mut commands: Vec<C> = [
        area,
        Area { w: 10, ..area },
        Area { h: 10, ..area },
        Area { x: 8_000, ..area },
        Area { y: 9_900, ..area },
    ]
    .map(|area| C::Lay { area })
    .to_vec();
    commands.extend(Wish::ALL.map(|wish| C::Ask { wish }));
    commands.extend([C::Allow, C::Refuse, C::Withdraw, C::See]);
    let mut actors = people(&[
        ("yamada", Role::User),
        ("mail", Role::MailRoom),
        ("clerk-a", Role::Clerk),
        ("clerk-b", Role::Clerk),
        ("clerk-a", Role::Approver),
        ("approver", Role::Approver),
        ("chief", Role::Supervisor),
        ("help", Role::HelpDesk),
        ("keeper", Role::SystemAdministrator),
    ]);
    actors.extend(people(&ONLOOKERS));
    Universe { starts, commands, actors, facts, rules: small_rules() }
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
