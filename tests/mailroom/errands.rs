//! What people do outside the system ends what waited for it.

use std::sync::Arc;

use engine::CaseId;
use saihakko::backoffice::{AtWork, Checked, Verdict};
use saihakko::reader::Check;
use workflows::task::{Command, Outcome};
use workflows::terms::Role;

use crate::house::{House, refusal, stories};
use crate::room::{page, plain};
use crate::scenarios::{arrives, look};

stories!(
    two_people_end_what_the_banks_system_did_not,
    what_two_people_could_not_do_goes_back,
    a_supervisor_confirms_what_a_call_back_brought_out,
    what_the_customer_denies_is_refused,
);

async fn at_work(house: &House, login: &str, role: Role) -> AtWork {
    house.app.at_work(login, role).await.unwrap()
}

/// One form for 山田 with that tick; gives its case.
async fn asks_for(house: &House, ticks: &[&str]) -> CaseId {
    let form = house.received(1).await;
    let mut first = page(Some(form.number), "1/1");
    let tick = |name: &&str| ((*name).to_owned(), Check { v: Some(true) });
    first.checks = ticks.iter().map(tick).collect();
    let cases = arrives(house, form, &plain(&[first])).await;
    assert_eq!(cases.len(), 1);
    cases[0]
}

async fn version(house: &House, case: CaseId) -> i64 {
    let mut tx = house.app.tools.db.read().await.unwrap();
    engine::case::find(&mut tx, case).await.unwrap().unwrap().version
}

/// The tasks that are open, their numbers and kinds; mails are refused in this house, which is another
/// story.
async fn errands(house: &House) -> Vec<(CaseId, String)> {
    let all = house.app.errands().await.unwrap().into_iter();
    all.filter(|one| one.line.kind != "BouncedMail")
        .map(|one| (CaseId(one.line.case_id), one.line.kind))
        .collect()
}

/// The only one.
async fn errand(house: &House) -> (CaseId, String) {
    let all = errands(house).await;
    let [one] = all.as_slice() else { panic!("{all:?}") };
    one.clone()
}

async fn record(house: &House, by: &AtWork, task: CaseId, outcome: Outcome) -> String {
    let command = Command::Record { outcome };
    let done = house.app.with_task(std::slice::from_ref(by), task, command).await;
    house.drain().await;
    refusal(done.map(drop))
}

async fn take(house: &House, by: &AtWork, task: CaseId) {
    house.app.with_task(std::slice::from_ref(by), task, Command::Take).await.unwrap();
}

/// A reset of the login password, approved; the bank has no system that could be asked.
async fn by_hand(house: &House) -> CaseId {
    let case = asks_for(house, &["u1_login_reset"]).await;
    let clerk = at_work(house, "clerk1", Role::Clerk).await;
    let approver = at_work(house, "approver1", Role::Approver).await;
    assert_eq!(house.app.misfit(&clerk, case).await.unwrap(), None);
    look(house, ("clerk1", Role::Clerk), case).await;
    let found = Checked::default();
    house.app.hand_on(&clerk, case, version(house, case).await, &found).await.unwrap();
    look(house, ("approver1", Role::Approver), case).await;
    let seen = version(house, case).await;
    house.app.decide_on(&approver, case, seen, &Verdict::Approve).await.unwrap();
    house.drain().await;
    assert_eq!(house.state(case).await, "ByHand");
    case
}

async fn two_people_end_what_the_banks_system_did_not(house: Arc<House>) {
    let case = by_hand(&house).await;
    let (task, kind) = errand(&house).await;
    assert_eq!(kind, "BankSystem");
    let clerk = at_work(&house, "clerk1", Role::Clerk).await;
    let approver = at_work(&house, "approver1", Role::Approver).await;
    let desk = at_work(&house, "helpdesk", Role::HelpDesk).await;
    let refused = house.app.with_task(&[desk], task, Command::Take).await;
    assert_eq!(refusal(refused.map(drop)), "task.NotAllowed");
    take(&house, &clerk, task).await;
    assert_eq!(record(&house, &clerk, task, Outcome::Unreached).await, "accepted");
    assert_eq!(errand(&house).await.0, task, "not now is no end");
    take(&house, &clerk, task).await;
    assert_eq!(record(&house, &clerk, task, Outcome::Settled).await, "accepted");
    assert_eq!(house.state(case).await, "ByHand", "one person is not enough");
    assert_eq!(record(&house, &clerk, task, Outcome::Settled).await, "task.SecondPerson");
    assert_eq!(record(&house, &approver, task, Outcome::Settled).await, "accepted");
    assert_eq!(house.state(case).await, "Done");
    assert_eq!(errands(&house).await, []);
}

async fn what_two_people_could_not_do_goes_back(house: Arc<House>) {
    let case = by_hand(&house).await;
    let (task, _) = errand(&house).await;
    let one = at_work(&house, "clerk1", Role::Clerk).await;
    let other = at_work(&house, "clerk2", Role::Clerk).await;
    take(&house, &one, task).await;
    assert_eq!(record(&house, &one, task, Outcome::Denied).await, "accepted");
    assert_eq!(house.state(case).await, "ByHand", "one person is not enough");
    assert_eq!(record(&house, &other, task, Outcome::Denied).await, "accepted");
    assert_eq!(house.state(case).await, "Refused");
}

const LOST: [&str; 2] = ["u1_retrieval_reissue", "u1_reason_lost"];

async fn a_supervisor_confirms_what_a_call_back_brought_out(house: Arc<House>) {
    let case = asks_for(&house, &LOST).await;
    assert_eq!(house.state(case).await, "DangerHold");
    let (task, kind) = errand(&house).await;
    assert_eq!(kind, "CallBack");
    let desk = at_work(&house, "helpdesk", Role::HelpDesk).await;
    let clerk = at_work(&house, "clerk1", Role::Clerk).await;
    let chief = at_work(&house, "supervisor", Role::Supervisor).await;
    take(&house, &desk, task).await;
    assert_eq!(record(&house, &desk, task, Outcome::Unreached).await, "accepted");
    take(&house, &desk, task).await;
    assert_eq!(record(&house, &desk, task, Outcome::Settled).await, "accepted");
    assert_eq!(house.state(case).await, "DangerHold", "nobody but a supervisor lifts a danger");
    assert_eq!(record(&house, &clerk, task, Outcome::Settled).await, "task.NotAllowed");
    assert_eq!(record(&house, &chief, task, Outcome::Settled).await, "accepted");
    assert_eq!(house.state(case).await, "Identified");
    assert_eq!(errands(&house).await, []);
    // Stopped once more after it was let go on, the case stops once more.
    let user = house.user(crate::house::YAMADA).await;
    for _ in 0..2 {
        house.app.halt(&desk, user).await.unwrap();
        house.drain().await;
        assert_eq!(house.state(case).await, "DangerHold");
    }
    let (task, _) = errand(&house).await;
    take(&house, &chief, task).await;
    assert_eq!(record(&house, &chief, task, Outcome::Settled).await, "accepted");
    assert_eq!(house.state(case).await, "Identified");
    house.app.halt(&desk, user).await.unwrap();
    assert_eq!(house.state(case).await, "DangerHold");
}

async fn what_the_customer_denies_is_refused(house: Arc<House>) {
    let case = asks_for(&house, &LOST).await;
    let (task, _) = errand(&house).await;
    let chief = at_work(&house, "supervisor", Role::Supervisor).await;
    take(&house, &chief, task).await;
    assert_eq!(record(&house, &chief, task, Outcome::Denied).await, "accepted");
    assert_eq!(house.state(case).await, "Rejected");
}
