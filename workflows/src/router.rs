//! Which way is open to a user, and why; the first rule that matches wins.

use crate::terms::Facts;

/// What the router says, in the order of its rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Advice {
    /// Rule 1: the contract is not in force.
    Closed,
    /// Rule 2: a danger sign; stop and call.
    Stop,
    /// Rule 3: no certificate is needed.
    NotNeeded,
    /// Rule 3: renew instead.
    Renew,
    /// Rule 4: reissue for yourself.
    OwnReissue,
    /// Rule 5: ask a colleague who holds the authority.
    Colleague,
    /// Rule 6: a colleague reissues for themselves, then for you.
    Chain,
    /// Rule 7: the form.
    Paper,
}

impl Advice {
    /// Every advice, in the order of the rules.
    pub const ALL: [Self; 8] = [
        Self::Closed,
        Self::Stop,
        Self::NotNeeded,
        Self::Renew,
        Self::OwnReissue,
        Self::Colleague,
        Self::Chain,
        Self::Paper,
    ];

    /// The code under which the message stands in the texts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Closed => "R_CLOSED",
            Self::Stop => "R_STOP",
            Self::NotNeeded => "R_NOT_NEEDED",
            Self::Renew => "R_RENEW",
            Self::OwnReissue => "R_SELF",
            Self::Colleague => "R_ADMIN",
            Self::Chain => "R_CHAIN",
            Self::Paper => "R_PAPER",
        }
    }
}

/// What is known after login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent answer")]
pub struct Known {
    /// The contract is in force.
    pub contract_active: bool,
    /// The certificate vanished, the computer is lost, or somebody urged a "renewal".
    pub danger: bool,
    /// The user needs a certificate at all.
    pub certificate_needed: bool,
    /// The certificate is still there and can be renewed.
    pub renewable: bool,
    /// The user holds the reissue authority.
    pub authority: bool,
    /// The login password is not locked.
    pub login_unlocked: bool,
    /// The one-time-password card can be used.
    pub otp_usable: bool,
    /// The retrieval password is not locked.
    pub retrieval_unlocked: bool,
    /// Another holder of the authority can log in.
    pub colleague_can_log_in: bool,
    /// Another holder of the authority could reissue for themselves.
    pub colleague_qualifies: bool,
}

impl From<&Facts> for Known {
    fn from(facts: &Facts) -> Self {
        Self {
            contract_active: facts.contract_active,
            danger: facts.danger,
            certificate_needed: facts.certificate_needed,
            renewable: facts.renewable,
            authority: facts.user_authority,
            login_unlocked: facts.login_unlocked,
            otp_usable: facts.otp_usable,
            retrieval_unlocked: facts.retrieval_unlocked,
            colleague_can_log_in: facts.colleague_can_log_in,
            colleague_qualifies: facts.colleague_qualifies,
        }
    }
}

/// The advice for what is known.
pub const fn advise(known: &Known) -> Advice {
    if !known.contract_active {
        Advice::Closed
    } else if known.danger {
        Advice::Stop
    } else if !known.certificate_needed {
        Advice::NotNeeded
    } else if known.renewable {
        Advice::Renew
    } else if known.authority
        && known.login_unlocked
        && known.otp_usable
        && known.retrieval_unlocked
    {
        Advice::OwnReissue
    } else if known.colleague_can_log_in {
        Advice::Colleague
    } else if known.colleague_qualifies {
        Advice::Chain
    } else {
        Advice::Paper
    }
}

/// A question before login; yes and no are the only answers. Nothing is looked up, so nothing is
/// revealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Question {
    /// Did the certificate vanish, is the computer lost, did somebody urge you?
    Danger,
    /// Do you need a certificate at all?
    CertificateNeeded,
    /// Is the certificate still there and not expired?
    Renewable,
    /// Do you hold the reissue authority?
    Authority,
    /// Can you log in with your password?
    LoginUnlocked,
    /// Is your one-time-password card at hand and working?
    OtpUsable,
    /// Is the retrieval password free of a lock?
    RetrievalUnlocked,
    /// Can a colleague with the authority log in?
    ColleagueCanLogIn,
    /// Could a colleague with the authority reissue for themselves?
    ColleagueQualifies,
}

/// The answers so far; `None` was not asked yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Answers {
    /// To [`Question::Danger`].
    pub danger: Option<bool>,
    /// To [`Question::CertificateNeeded`].
    pub certificate_needed: Option<bool>,
    /// To [`Question::Renewable`].
    pub renewable: Option<bool>,
    /// To [`Question::Authority`].
    pub authority: Option<bool>,
    /// To [`Question::LoginUnlocked`].
    pub login_unlocked: Option<bool>,
    /// To [`Question::OtpUsable`].
    pub otp_usable: Option<bool>,
    /// To [`Question::RetrievalUnlocked`].
    pub retrieval_unlocked: Option<bool>,
    /// To [`Question::ColleagueCanLogIn`].
    pub colleague_can_log_in: Option<bool>,
    /// To [`Question::ColleagueQualifies`].
    pub colleague_qualifies: Option<bool>,
}

/// What the page before login shows next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Next {
    /// This question.
    Ask(Question),
    /// The advice.
    Say(Advice),
}

/// The next question, or the advice once the answers decide it. Danger is asked first, and no
/// question is asked that can no longer change the advice.
pub fn next(answers: &Answers) -> Next {
    match follow(answers) {
        Ok(advice) => Next::Say(advice),
        Err(question) => Next::Ask(question),
    }
}

fn follow(answers: &Answers) -> Result<Advice, Question> {
    if answers.danger.ok_or(Question::Danger)? {
        return Ok(Advice::Stop);
    }
    if !answers.certificate_needed.ok_or(Question::CertificateNeeded)? {
        return Ok(Advice::NotNeeded);
    }
    if answers.renewable.ok_or(Question::Renewable)? {
        return Ok(Advice::Renew);
    }
    if answers.authority.ok_or(Question::Authority)?
        && answers.login_unlocked.ok_or(Question::LoginUnlocked)?
        && answers.otp_usable.ok_or(Question::OtpUsable)?
        && answers.retrieval_unlocked.ok_or(Question::RetrievalUnlocked)?
    {
        return Ok(Advice::OwnReissue);
    }
    if answers.colleague_can_log_in.ok_or(Question::ColleagueCanLogIn)? {
        return Ok(Advice::Colleague);
    }
    if answers.colleague_qualifies.ok_or(Question::ColleagueQualifies)? {
        return Ok(Advice::Chain);
    }
    Ok(Advice::Paper)
}
