//! The router: a total function, before and after login alike.

use std::collections::BTreeSet;
use std::fmt::Write;

use workflows::router::{Advice, Answers, Known, Next, Question, advise, next};

fn known(bits: u16) -> Known {
    let bit = |place: u16| bits & (1 << place) != 0;
    Known {
        contract_active: bit(0),
        danger: bit(1),
        certificate_needed: bit(2),
        renewable: bit(3),
        authority: bit(4),
        login_unlocked: bit(5),
        otp_usable: bit(6),
        retrieval_unlocked: bit(7),
        colleague_can_log_in: bit(8),
        colleague_qualifies: bit(9),
    }
}

fn all() -> impl Iterator<Item = Known> {
    (0..1024).map(known)
}

/// The rules of the domain, each stated for itself, in their order.
fn by_the_book(k: &Known) -> Advice {
    let own = k.authority && k.login_unlocked && k.otp_usable && k.retrieval_unlocked;
    let rules = [
        (!k.contract_active, Advice::Closed),
        (k.danger, Advice::Stop),
        (!k.certificate_needed, Advice::NotNeeded),
        (k.renewable, Advice::Renew),
        (own, Advice::OwnReissue),
        (k.colleague_can_log_in, Advice::Colleague),
        (k.colleague_qualifies, Advice::Chain),
        (true, Advice::Paper),
    ];
    rules.into_iter().find(|(applies, _)| *applies).expect("the last one applies").1
}

#[test]
fn the_first_rule_that_matches_wins() {
    let mut seen = BTreeSet::new();
    for known in all() {
        assert_eq!(advise(&known), by_the_book(&known), "{known:?}");
        seen.insert(advise(&known));
    }
    assert_eq!(seen, BTreeSet::from(Advice::ALL));
}

fn answer(answers: &mut Answers, question: Question, known: &Known) {
    let (slot, truth) = match question {
        Question::Danger => (&mut answers.danger, known.danger),
        Question::CertificateNeeded => (&mut answers.certificate_needed, known.certificate_needed),
        Question::Renewable => (&mut answers.renewable, known.renewable),
        Question::Authority => (&mut answers.authority, known.authority),
        Question::LoginUnlocked => (&mut answers.login_unlocked, known.login_unlocked),
        Question::OtpUsable => (&mut answers.otp_usable, known.otp_usable),
        Question::RetrievalUnlocked => (&mut answers.retrieval_unlocked, known.retrieval_unlocked),
        Question::ColleagueCanLogIn => {
            (&mut answers.colleague_can_log_in, known.colleague_can_log_in)
        }
        Question::ColleagueQualifies => {
            (&mut answers.colleague_qualifies, known.colleague_qualifies)
        }
    };
    assert!(slot.is_none(), "{question:?} is asked twice");
    *slot = Some(truth);
}

#[test]
fn honest_answers_lead_to_the_advice_after_login() {
    for known in all().filter(|known| known.contract_active) {
        let mut answers = Answers::default();
        assert_eq!(next(&answers), Next::Ask(Question::Danger), "danger is asked first");
        let advice = loop {
            match next(&answers) {
                Next::Say(advice) => break advice,
                Next::Ask(question) => answer(&mut answers, question, &known),
            }
        };
        assert_eq!(advice, advise(&known), "{known:?}");
    }
}

#[test]
fn the_table_is_the_one_reviewed() {
    let mut table = String::new();
    for known in all() {
        let line = [
            ("contract", known.contract_active),
            ("danger", known.danger),
            ("needed", known.certificate_needed),
            ("renewable", known.renewable),
            ("authority", known.authority),
            ("login", known.login_unlocked),
            ("otp", known.otp_usable),
            ("retrieval", known.retrieval_unlocked),
            ("colleague", known.colleague_can_log_in),
            ("chain", known.colleague_qualifies),
        ];
        // Danger, need and renewal decide alone, so they are shown once each.
        let decided_early =
            !known.contract_active || known.danger || !known.certificate_needed || known.renewable;
        let others = line.iter().skip(4).any(|(_, value)| *value);
        let simple = usize::from(!known.contract_active)
            + usize::from(known.danger)
            + usize::from(!known.certificate_needed)
            + usize::from(known.renewable);
        if decided_early && (others || simple > 1) {
            continue;
        }
        let shown: Vec<&str> =
            line.iter().filter(|(_, value)| *value).map(|(name, _)| *name).collect();
        let _ = writeln!(table, "{:<12} {}", advise(&known).code(), shown.join(" "));
    }
    insta::assert_snapshot!("router_table", table);
    crate::documents::agree(
        "router.md",
        &format!(
            "# router\n\nWhat holds, and the advice that follows; the first rule that matches wins. \
         A closed contract, a danger sign, no need and a possible renewal each decide alone. \
         Generated (`UPDATE_STATES=1 cargo test -p workflows`).\n\n```text\n{table}```\n"
        ),
    );
}
