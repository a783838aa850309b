//! What people record in a task reaches the form that the task is about, in their own names.

use engine::CaseId;
use saihakko::backoffice::{AtWork, Verdict};
use workflows::task::{Command, Outcome};
use workflows::terms::{DefectCode, Role};

use crate::desk::{form_arrives, state};
use crate::house::House;

/// A form without its date, and the task to ask the customer about it.
async fn asked_by_phone(house: &House, clerk: &AtWork) -> (CaseId, CaseId) {
    let case = form_arrives(house).await;
    let (_, version) = state(house, case).await;
    let verdict = Verdict::Defect(vec![DefectCode::Date]);
    house.app.decide_on(clerk, case, version, &verdict).await.unwrap();
    house.wait(1).await;
    let errands = house.app.errands().await.unwrap();
    let [errand] = errands.as_slice() else { panic!("{} tasks", errands.len()) };
    assert_eq!((errand.line.about_case, errand.line.kind.as_str()), (case.0, "CureByPhone"));
    (case, CaseId(errand.line.case_id))
}

async fn clerks(house: &House) -> [AtWork; 2] {
    let one = house.app.at_work("clerk1", Role::Clerk).await.unwrap();
    let other = house.app.at_work("clerk2", Role::Clerk).await.unwrap();
    [one, other]
}

async fn record(house: &House, by: &AtWork, task: CaseId, outcome: Outcome) {
    house.app.with_task(std::slice::from_ref(by), task, Command::Record { outcome }).await.unwrap();
    house.wait(1).await;
}

/// Who cured the form, by its own history.
async fn cured_by(house: &House, case: CaseId) -> Vec<(String, String)> {
    let mut tx = house.app.tools.db.read().await.unwrap();
    let entries = engine::history::entries(&mut tx, case).await.unwrap();
    let cures = entries.into_iter().filter(|entry| entry.command == "CureByPhone");
    cures.map(|entry| (entry.actor, entry.role)).collect()
}

#[tokio::test]
async fn two_people_who_heard_the_customer_mend_the_form() {
    let house = House::new().await;
    let [one, other] = clerks(&house).await;
    let (case, task) = asked_by_phone(&house, &one).await;
    house.app.with_task(std::slice::from_ref(&one), task, Command::Take).await.unwrap();
    record(&house, &one, task, Outcome::Settled).await;
    assert_eq!(state(&house, case).await.0, "Defect", "one person is not enough");
    record(&house, &other, task, Outcome::Settled).await;
    assert_eq!(state(&house, case).await.0, "Identified");
    let names = [&one, &other].map(|by| (by.actor().id.0, "clerk".to_owned()));
    assert_eq!(cured_by(&house, case).await, names);
}

#[tokio::test]
async fn what_the_customer_denies_sends_the_form_back() {
    let house = House::new().await;
    let [one, other] = clerks(&house).await;
    let (case, task) = asked_by_phone(&house, &one).await;
    house.app.with_task(std::slice::from_ref(&one), task, Command::Take).await.unwrap();
    record(&house, &one, task, Outcome::Unreached).await;
    record(&house, &other, task, Outcome::Unreached).await;
    assert_eq!(state(&house, case).await.0, "Returned");
    assert!(cured_by(&house, case).await.is_empty());
}
