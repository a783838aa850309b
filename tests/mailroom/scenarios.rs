//! Scenarios of the domain that happen between the envelope and the certificate; which of them is tested
//! where stands in `docs/scenarios.md`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::CaseId;
use saihakko::backoffice::Verdict;
use saihakko::backoffice::dispatch::Mismatch;
use saihakko::customer::Declined;
use saihakko::letter;
use saihakko::secret::StationKey;
use saihakko::store::letters;
use workflows::paper::Command;
use workflows::terms::{DefectCode, Role};

use crate::house::{AOBA, House, SUZUKI, YAMADA, refusal, stories};
use crate::room::{Form, of_kind, page, plain, row};

stories!(
    s5_the_user_is_deleted_while_the_form_is_in_the_mail,
    s6_the_contract_is_closed_between_approval_and_print,
    s8_a_letter_comes_back_after_the_customer_has_used_it,
    s9_of_three_users_one_row_is_bad,
    s12_the_specimen_changed_the_day_before,
    s17_a_mail_bounces,
    s19_a_spoiled_letter_is_made_anew_and_the_batch_agrees,
    a_letter_that_came_back_is_made_anew_from_the_desk,
    what_is_no_form_is_put_aside,
);

const TRACKING: &str = "12345678903";

/// Somebody of the bank does something to a paper case.
pub(crate) async fn act(
    house: &House,
    who: (&str, Role),
    case: CaseId,
    command: Command,
) -> String {
    let by = house.app.at_work(who.0, who.1).await.unwrap();
    let id = format!("{}-{case}-{command:?}-{}", who.0, house.now().0);
    refusal(house.app.with_paper(&by, case, command, id).await.map(drop))
}

pub(crate) const CLERK: (&str, Role) = ("clerk1", Role::Clerk);
const APPROVER: (&str, Role) = ("approver1", Role::Approver);
const DISPATCH: (&str, Role) = ("hassou", Role::Dispatch);

pub(crate) async fn look(house: &House, who: (&str, Role), case: CaseId) {
    let by = house.app.at_work(who.0, who.1).await.unwrap();
    house.app.view_case(&by, case).await.unwrap();
}

/// The envelope of a form comes and is scanned; gives its cases.
pub(crate) async fn arrives(house: &House, form: Form, scan: &[u8]) -> Vec<CaseId> {
    house.drop_file(&format!("{}.pdf", form.number), scan);
    house.settle_down().await;
    assert_eq!(house.state(form.case).await, "Opened");
    house.app.cases_of(form.number).await.unwrap()
}

/// One form for 山田, up to the clerk's desk.
async fn on_desk(house: &House) -> CaseId {
    let form = house.received(1).await;
    let cases = arrives(house, form, &plain(&[page(Some(form.number), "1/1")])).await;
    assert_eq!(cases.len(), 1);
    cases[0]
}

pub(crate) async fn checked(house: &House, case: CaseId) {
    look(house, CLERK, case).await;
    assert_eq!(act(house, CLERK, case, Command::Check).await, "accepted");
    assert_eq!(act(house, CLERK, case, Command::MatchSeal).await, "accepted");
}

async fn approved(house: &House, case: CaseId) {
    checked(house, case).await;
    look(house, APPROVER, case).await;
    assert_eq!(act(house, APPROVER, case, Command::Approve).await, "accepted");
}

/// The digits in the newest letter of a case, as the print station reads them.
async fn digits(house: &House, case: CaseId) -> String {
    let station = house.dir.path().join("data/keys/print-station.key");
    let station = StationKey::load(&station).unwrap();
    let mut tx = house.app.tools.db.read().await.unwrap();
    let row = letters::newest(&mut tx, case).await.unwrap().unwrap();
    let opened = letter::open(&station, case, row.address_version, &row.sealed).unwrap();
    String::from_utf8(opened.digits.expose_ascii().to_vec()).unwrap()
}

async fn posted(house: &House, cases: &[CaseId]) {
    let by = house.app.at_work(DISPATCH.0, DISPATCH.1).await.unwrap();
    let uncounted = house.app.reconcile(&by, cases).await.unwrap_err();
    assert!(matches!(uncounted, Declined::Refused { code } if code == "desk.Unprinted"));
    for case in cases {
        let mut tx = house.app.tools.db.read().await.unwrap();
        let row = letters::newest(&mut tx, *case).await.unwrap().unwrap();
        drop(tx);
        house.app.hand_letter(&by, row.id).await.unwrap();
        house.app.hand_letter(&by, row.id).await.map(drop).unwrap_err();
    }
    house.app.reconcile(&by, cases).await.unwrap();
    for case in cases {
        let tracking = TRACKING.to_owned();
        let command = Command::Dispatch { tracking };
        assert_eq!(act(house, DISPATCH, *case, command).await, "accepted");
    }
    house.drain().await;
}

async fn passwords(house: &House, state: &str) -> i64 {
    house.count(&format!("SELECT COUNT(*) FROM retrieval_passwords WHERE state = '{state}'")).await
}

async fn deleted(house: &House, user_id: &str) {
    let text = format!(
        "contract,user_id,name,kana,department,title,email,language,status,reissue_authority,\
         certificate_required\n{AOBA},{user_id},山田 太郎,ヤマダ タロウ,材料部,,,ja,deleted,false,true\n"
    );
    house.import_text("users.csv", &text).await;
}

async fn s5_the_user_is_deleted_while_the_form_is_in_the_mail(house: Arc<House>) {
    let form = house.received(1).await;
    deleted(&house, YAMADA).await;
    let cases = arrives(&house, form, &plain(&[page(Some(form.number), "1/1")])).await;
    let [case] = cases.as_slice() else { panic!("{cases:?}") };
    // Whoever comes to it first is told, and the customer too; nothing is ever issued.
    if house.state(*case).await == "Identified" {
        look(&house, CLERK, *case).await;
        assert_eq!(act(&house, CLERK, *case, Command::Check).await, "accepted");
        house.drain().await;
    }
    assert_eq!(house.state(*case).await, "Rejected");
    assert_eq!(house.notices("Rejected").await, 1);
    assert_eq!(house.count("SELECT COUNT(*) FROM retrieval_passwords").await, 0);
}

async fn s6_the_contract_is_closed_between_approval_and_print(house: Arc<House>) {
    let case = on_desk(&house).await;
    approved(&house, case).await;
    // The letter is asked for, and nobody has made it yet.
    assert_eq!(house.state(case).await, "Approved");
    let contracts = house.dir.path().join("ledger/contracts.csv");
    let text = std::fs::read_to_string(contracts).unwrap();
    let closed = text.replace("bizstation,active", "bizstation,closed");
    assert_ne!(text, closed);
    house.import_text("contracts.csv", &closed).await;
    house.drain().await;
    assert_eq!(house.state(case).await, "Rejected");
    assert_eq!(house.count("SELECT COUNT(*) FROM letters").await, 0);
    assert_eq!(passwords(&house, "pending").await + passwords(&house, "active").await, 0);
    assert_eq!(house.notices("Rejected").await, 1);
}

async fn s8_a_letter_comes_back_after_the_customer_has_used_it(house: Arc<House>) {
    let case = on_desk(&house).await;
    approved(&house, case).await;
    house.drain().await;
    let typed = digits(&house, case).await;
    posted(&house, &[case]).await;
    let (session, _) = house.sign_in(YAMADA).await;
    house.app.claim(&session, &typed, None).await.unwrap();
    house.drain().await;
    let state = house.state(case).await;
    assert_eq!(state, "Tail.CertificateIssued");
    assert_eq!(house.count("SELECT COUNT(*) FROM certificates WHERE state = 'active'").await, 1);
    // Somebody else's letter, or an empty envelope: nothing of the customer's is undone.
    act(&house, DISPATCH, case, Command::ReturnedMail).await;
    house.drain().await;
    assert_eq!(house.state(case).await, state);
    assert_eq!(passwords(&house, "used").await, 1);
    assert_eq!(house.count("SELECT COUNT(*) FROM certificates WHERE state = 'active'").await, 1);
}

async fn s9_of_three_users_one_row_is_bad(house: Arc<House>) {
    let form = house.received_for(1, &[YAMADA, SUZUKI, "010429999"]).await;
    let mut first = page(Some(form.number), "1/1");
    for (no, user_id) in [(2, SUZUKI), (3, "010429999")] {
        row(&mut first, no, user_id);
    }
    let cases = arrives(&house, form, &plain(&[first])).await;
    assert_eq!(cases.len(), 2, "nobody is called 010429999");
    let tasks = "SELECT COUNT(*) FROM tasks WHERE kind = 'CureByPhone'";
    assert_eq!(house.count(tasks).await, 1, "somebody calls about the third row");
    // A defect of a row blocks that row alone.
    let codes = vec![DefectCode::User];
    look(&house, CLERK, cases[0]).await;
    assert_eq!(act(&house, CLERK, cases[0], Command::Defect { codes }).await, "accepted");
    house.drain().await;
    approved(&house, cases[1]).await;
    house.drain().await;
    assert_eq!(house.state(cases[0]).await, "Returned");
    assert_eq!(house.state(cases[1]).await, "Printed");
}

async fn s12_the_specimen_changed_the_day_before(house: Arc<House>) {
    let case = on_desk(&house).await;
    checked(&house, case).await;
    let shown = "SELECT valid_from FROM specimens WHERE id = (SELECT specimen FROM reissues \
         WHERE specimen IS NOT NULL)";
    assert_eq!(house.text(shown).await, "2018-04-01");
    // The company's new seal counts from the day before the form was dated: the ledger says so only
    // now, between the two pairs of eyes.
    let seal = std::fs::read(house.dir.path().join("ledger/seal-mizuiro.png")).unwrap();
    std::fs::write(house.dir.path().join("seal-new.png"), seal).unwrap();
    let text = format!(
        "contract,valid_from,valid_to,picture\n{AOBA},2018-04-01,2026-11-29,ledger/seal-aoba.png\n\
         {AOBA},2026-11-30,,seal-new.png\n"
    );
    house.import_text("specimens.csv", &text).await;
    assert_eq!(act(&house, APPROVER, case, Command::Approve).await, "paper.SpecimenChanged");
    assert_eq!(house.state(case).await, "SealOk");
    look(&house, APPROVER, case).await;
    assert_eq!(house.text(shown).await, "2026-11-30", "the one that counted on the form's date");
    assert_eq!(act(&house, APPROVER, case, Command::SendBack).await, "accepted");
}

async fn s17_a_mail_bounces(house: Arc<House>) {
    let case = on_desk(&house).await;
    approved(&house, case).await;
    house.drain().await;
    let dead = "SELECT COUNT(*) FROM outbox WHERE kind = 'notice' AND status = 'dead'";
    let bounced = house.count(dead).await;
    assert!(bounced > 0, "no mail was refused");
    let tasks = "SELECT COUNT(*) FROM tasks WHERE kind = 'BouncedMail'";
    assert_eq!(house.count(tasks).await, bounced, "a task for every mail that nobody got");
    // The case goes on: a mail is no condition of anything.
    assert_eq!(house.state(case).await, "Printed");
    house.wait(Duration::from_hours(1)).await;
    assert_eq!(house.count(tasks).await, bounced, "it is not sent again and again");
}

async fn s19_a_spoiled_letter_is_made_anew_and_the_batch_agrees(house: Arc<House>) {
    let form = house.received_for(1, &[YAMADA, SUZUKI]).await;
    let mut first = page(Some(form.number), "1/1");
    row(&mut first, 2, SUZUKI);
    let cases = arrives(&house, form, &plain(&[first])).await;
    for case in &cases {
        approved(&house, *case).await;
    }
    house.drain().await;
    let before = digits(&house, cases[0]).await;
    let by = house.app.at_work(DISPATCH.0, DISPATCH.1).await.unwrap();
    house.app.spoil_letter(&by, cases[0]).await.unwrap();
    house.drain().await;
    let after = digits(&house, cases[0]).await;
    assert_ne!(before, after, "the same secret is never printed twice");
    assert_eq!(passwords(&house, "pending").await, 2);
    // Two envelopes lie there, and the count that is asked for is two.
    let numbered: Vec<(CaseId, String)> =
        vec![(cases[0], TRACKING.to_owned()), (cases[1], "12345678914".to_owned())];
    let unprinted = house.app.post_batch(&by, 2, &numbered).await.unwrap();
    assert!(
        matches!(unprinted, Err(Mismatch::Unprinted { .. })),
        "nothing lies there to be posted"
    );
    let mut tx = house.app.tools.db.write().await.unwrap();
    for letter in letters::waiting(&mut tx).await.unwrap() {
        letters::hand(&mut tx, letter.id).await.unwrap().unwrap();
    }
    tx.commit().await.unwrap();
    assert!(house.app.post_batch(&by, 3, &numbered).await.unwrap().is_err());
    let done = house.app.post_batch(&by, 2, &numbered).await.unwrap();
    assert!(done.is_ok_and(|done| done.posted == 2));
    house.drain().await;
    let (session, _) = house.sign_in(YAMADA).await;
    let old = house.app.claim(&session, &before, None).await.map(drop);
    assert!(matches!(old, Err(Declined::Wrong)), "{old:?}");
    house.app.claim(&session, &after, None).await.unwrap();
}

async fn a_letter_that_came_back_is_made_anew_from_the_desk(house: Arc<House>) {
    let case = on_desk(&house).await;
    approved(&house, case).await;
    house.drain().await;
    let before = digits(&house, case).await;
    posted(&house, &[case]).await;
    assert_eq!(act(&house, DISPATCH, case, Command::ReturnedMail).await, "accepted");
    house.drain().await;
    assert_eq!(house.state(case).await, "Undelivered");
    let version = house.app.read_desk(case).await.unwrap().version;
    let clerk = house.app.at_work(CLERK.0, CLERK.1).await.unwrap();
    let refused = house.app.decide_on(&clerk, case, version, &Verdict::Resend).await;
    assert_eq!(refusal(refused), "paper.NotAllowed", "an approver decides");
    let approver = house.app.at_work(APPROVER.0, APPROVER.1).await.unwrap();
    house.app.decide_on(&approver, case, version, &Verdict::Resend).await.unwrap();
    house.drain().await;
    assert_eq!(house.state(case).await, "Printed");
    assert_ne!(digits(&house, case).await, before, "never the same digits twice");
}

async fn what_is_no_form_is_put_aside(house: Arc<House>) {
    house.drop_file("guide.pdf", &plain(&[of_kind("other")]));
    house.settle_down().await;
    let found = house.app.envelopes(&["Unidentified"]).await.unwrap();
    let [envelope] = found.as_slice() else { panic!("{found:?}") };
    let case = CaseId(envelope.case_id);
    let by = house.app.at_work(CLERK.0, CLERK.1).await.unwrap();
    // Nothing is linked that has no page of a form, and nothing is written in trying.
    let linked = house.app.match_form(&by, case, AOBA, &BTreeMap::new()).await.map(drop);
    assert_eq!(refusal(linked), "submission.PagesIncomplete");
    let company = house.app.envelopes(&["Unidentified"]).await.unwrap()[0].company.clone();
    assert_eq!(company, "");
    house.app.put_aside(&by, case).await.unwrap();
    assert_eq!(house.state(case).await, "Archived");
}
