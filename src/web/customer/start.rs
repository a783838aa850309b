//! The first page of the customers' site, and the questions that find the way.

use axum::extract::State;
use axum::response::Response;
use minijinja::context;
use workflows::router::{Advice, Answers, Next, Question, next};

use super::Shared;
use crate::web::error::Problem;
use crate::web::page::{Visit, address};

pub(super) async fn show(State(shared): State<Shared>, visit: Visit) -> Result<Response, Problem> {
    shared.open_page(&visit, "customer/start.html", context! {})
}

/// The name of a question in addresses and texts.
const fn name_of(question: Question) -> &'static str {
    match question {
        Question::Danger => "danger",
        Question::CertificateNeeded => "needed",
        Question::Renewable => "renewable",
        Question::Authority => "authority",
        Question::LoginUnlocked => "login",
        Question::OtpUsable => "card",
        Question::RetrievalUnlocked => "retrieval",
        Question::ColleagueCanLogIn => "colleague",
        Question::ColleagueQualifies => "chain",
    }
}

/// The answers stand in the address: going back takes one back, and nothing is kept.
fn answers(visit: &Visit) -> Answers {
    let answer = |question| match visit.asked(name_of(question)) {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    Answers {
        danger: answer(Question::Danger),
        certificate_needed: answer(Question::CertificateNeeded),
        renewable: answer(Question::Renewable),
        authority: answer(Question::Authority),
        login_unlocked: answer(Question::LoginUnlocked),
        otp_usable: answer(Question::OtpUsable),
        retrieval_unlocked: answer(Question::RetrievalUnlocked),
        colleague_can_log_in: answer(Question::ColleagueCanLogIn),
        colleague_qualifies: answer(Question::ColleagueQualifies),
    }
}

const QUESTIONS: [Question; 9] = [
    Question::Danger,
    Question::CertificateNeeded,
    Question::Renewable,
    Question::Authority,
    Question::LoginUnlocked,
    Question::OtpUsable,
    Question::RetrievalUnlocked,
    Question::ColleagueCanLogIn,
    Question::ColleagueQualifies,
];

/// One question a page, or the advice. Nothing is looked up, so nothing is revealed.
pub(super) async fn way(State(shared): State<Shared>, visit: Visit) -> Result<Response, Problem> {
    let given: Vec<(&str, bool)> = QUESTIONS
        .into_iter()
        .filter_map(|question| match visit.asked(name_of(question)) {
            "yes" => Some((name_of(question), true)),
            "no" => Some((name_of(question), false)),
            _ => None,
        })
        .collect();
    let mut earlier = visit.query.clone();
    earlier.retain(|name, _| name != "lang");
    let back = given.last().map(|(last, _)| {
        let mut without = earlier.clone();
        without.remove(*last);
        address("/way", &without)
    });
    let (question, advice) = match next(&answers(&visit)) {
        Next::Ask(question) => (Some(name_of(question)), None),
        Next::Say(advice) => (None, Some(advice)),
    };
    let values = context! {
        question,
        yes => question.map(|question| visit.with(question, "yes")),
        no => question.map(|question| visit.with(question, "no")),
        given,
        back,
        advice => advice.map(Advice::code),
        reason => advice.map(reason),
    };
    shared.open_page(&visit, "customer/way.html", values)
}

/// The key of the sentence that says why.
pub(super) const fn reason(advice: Advice) -> &'static str {
    match advice {
        Advice::Closed => "closed",
        Advice::Stop => "stop",
        Advice::NotNeeded => "not_needed",
        Advice::Renew => "renew",
        Advice::OwnReissue => "own",
        Advice::Colleague => "colleague",
        Advice::Chain => "chain",
        Advice::Paper => "paper",
    }
}
