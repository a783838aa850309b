//! The worlds of envelopes, of what clerks do by hand, and of tasks.

use engine::{CaseId, Universe};
use workflows::terms::{DefectCode, Role, SubmissionRef, TaskKind, UserRef};
use workflows::{clerical, submission, task};

use super::{CREDENTIAL, ONLOOKERS, people, small_rules};

pub(crate) fn submission_world(starts: Vec<submission::State>) -> Universe<submission::Submission> {
    use submission::Command as C;
    let mut all = Vec::new();
    for bits in 0..32_u8 {
        all.push(submission::Facts {
            contract_found: bits & 1 != 0,
            pages_complete: bits & 2 != 0,
            actor_of_contract: bits & 4 != 0,
            count_agrees: bits & 8 != 0,
            is_form: bits & 16 != 0,
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
        C::Recount { carrier: "post".to_owned(), pages: 0 },
        C::Recount { carrier: "post".to_owned(), pages: 2 },
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

fn clerical_calm() -> clerical::Facts {
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
        C::GiveUp,
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
    let about = Some(CaseId(3));
    let facts = vec![
        task::Facts::default(),
        task::Facts { paper: about, clerical: None },
        task::Facts { paper: None, clerical: about },
    ];
    Universe { starts, commands, actors, facts, rules: small_rules() }
}
