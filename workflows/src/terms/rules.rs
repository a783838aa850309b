//! Every number that a bank may want to change.

use engine::Span;
use serde::{Deserialize, Serialize};

use super::Channel;

/// The configuration of all workflows; the unit is the last word of a name. Unknown keys are
/// refused, missing ones take the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Wrong login entries after which delays begin. ANNEX B, RULINGS 17. Default 5.
    pub login_delay_from_wrong: u8,
    /// Wrong login entries within `login_window_hours` that lock. RULINGS 17. Default 20.
    pub login_max_wrong: u8,
    /// Hours after the first wrong login entry until the count is forgotten. RULINGS 17. Default 24.
    pub login_window_hours: u32,
    /// Wrong one-time passwords that lock. ANNEX B. Default 5.
    pub otp_max_wrong: u8,
    /// Wrong transaction passwords that lock. ANNEX B. Default 5.
    pub transaction_max_wrong: u8,
    /// Wrong retrieval passwords that lock; the manual says "several". ANNEX B. Default 5.
    pub retrieval_max_wrong: u8,
    /// Days for which an enrolment code can be used. SECURITY 1. Default 30.
    pub enrolment_code_days: u32,
    /// Wrong enrolment codes that lock. RULINGS 2. Default 5.
    pub enrolment_max_wrong: u8,
    /// Minutes for which an enrolment stays open after the code was entered. SECURITY 3. Default 60.
    pub enrolment_window_minutes: u32,
    /// Days before the expiry of a certificate at which its holder is told. ANNEX B. Default 28, 10, 3.
    pub certificate_notice_days: Vec<u16>,
    /// Seconds after which an attempt that was charged and never settled counts as wrong. RULINGS 2. Default 60.
    pub charge_settle_seconds: u32,
    /// Minutes for which a reload shows the same digits. ANNEX B. Default 15.
    pub reveal_window_minutes: u32,
    /// Hours of validity after self-service. ANNEX B. Default 24.
    pub password_valid_self_hours: u32,
    /// Days of validity after a colleague's reissue. ANNEX B. Default 7.
    pub password_valid_delegated_days: u32,
    /// Days of validity from dispatch of the letter. ANNEX B. Default 30.
    pub password_valid_paper_days: u32,
    /// Expiry notices due within so many hours of the issue are skipped. RULINGS 18. Default 6.
    pub notice_quiet_hours: u32,
    /// Minutes for making the certificate, and then for fetching it again. ANNEX B. Default 60.
    pub certificate_refetch_minutes: u32,
    /// Days after the certificate until the reminder to use it. ANNEX B. Default 7.
    pub first_login_reminder_days: u32,
    /// Days after the certificate until the case closes unused. ANNEX B. Default 30.
    pub first_login_close_days: u32,
    /// Days after which a locked case closes when no other case cured it. DOMAIN (d) Tail. Default 30.
    pub locked_close_days: u32,
    /// Days after which a stopped case closes when nobody settled the suspicion. DOMAIN (d) Router 2. Default 30.
    pub stopped_close_days: u32,
    /// Minutes after which an unfinished online case is abandoned. SECURITY 3. Default 30.
    pub online_idle_minutes: u32,
    /// Passwords for one user in one day, over all paths online. RULINGS 18. Default 3.
    pub reissues_per_user_per_day: u32,
    /// Passwords one administrator issues for others in one day. RULINGS 18. Default 20.
    pub reissues_per_administrator_per_day: u32,
    /// Days until the first reminder to post a draft. ANNEX B. Default 14.
    pub draft_first_reminder_days: u32,
    /// Days until the second. ANNEX B. Default 28.
    pub draft_second_reminder_days: u32,
    /// Days until a draft closes silently. ANNEX B. Default 60.
    pub draft_close_days: u32,
    /// Business days until an envelope nobody could match goes back. DOMAIN (d) Paper. Default 10.
    pub unidentified_return_business_days: u32,
    /// Days for the answer that the return letter names. ANNEX B. Default 14.
    pub defect_reply_days: u32,
    /// Days until the reminder to send the corrected form. ANNEX B. Default 10.
    pub defect_reminder_days: u32,
    /// Days until a defective case closes without an answer. ANNEX B. Default 30.
    pub defect_close_days: u32,
    /// Submissions after which the supervisor calls instead of another letter. DOMAIN (d) Defect loop. Default 3.
    pub defect_max_attempts: u8,
    /// Fresh letters after returned ones. ANNEX B. Default 2.
    pub undelivered_resends: u8,
    /// Days after a change of address during which no secret goes there unconfirmed. ANNEX B. Default 30.
    pub address_hold_days: u32,
    /// Days after which a case held for a call back closes. DOMAIN (d) Router 2. Default 30.
    pub danger_hold_days: u32,
    /// Days that the date on a form may lie back (three months). ANNEX B. Default 92.
    pub form_max_age_days: u32,
    /// Days after the date of the form within which an expired letter may be sent again. DOMAIN (d) Tail. Default 90.
    pub remail_within_days: u32,
    /// Business days from receipt to dispatch; shown, not enforced. ANNEX B. Default 3.
    pub paper_sla_business_days: u32,
    /// Days after which a case that nobody moves on lapses. RULINGS 3 demands an end. Default 60.
    pub paper_lapse_days: u32,
    /// Days after which a clerical case that nobody moves on lapses. RULINGS 10. Default 60.
    pub clerical_lapse_days: u32,
    /// Days after which people take over what the bank's own system did not answer. RULINGS 10.
    /// Default 1.
    pub bank_answer_days: u32,
    /// Business days until a task is overdue and the supervisor is told. RULINGS 19. Default 1.
    pub task_due_business_days: u32,
    /// Days after which an overdue task is given up, on record. RULINGS 19. Default 30.
    pub task_close_days: u32,
    /// Days within which a second person decides about a proposal. DOMAIN (b). Default 7.
    pub proposal_days: u32,
    /// Days within which a fresh password and card of staff are taken. DOMAIN (b). Default 3.
    pub hand_out_days: u32,
    /// Minutes for which two people may look at what lies under a mask. DOMAIN (e). Default 15.
    pub mask_shown_minutes: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            login_delay_from_wrong: 5,
            login_max_wrong: 20,
            login_window_hours: 24,
            otp_max_wrong: 5,
            transaction_max_wrong: 5,
            retrieval_max_wrong: 5,
            enrolment_code_days: 30,
            enrolment_max_wrong: 5,
            enrolment_window_minutes: 60,
            certificate_notice_days: vec![28, 10, 3],
            charge_settle_seconds: 60,
            reveal_window_minutes: 15,
            password_valid_self_hours: 24,
            password_valid_delegated_days: 7,
            password_valid_paper_days: 30,
            notice_quiet_hours: 6,
            certificate_refetch_minutes: 60,
            first_login_reminder_days: 7,
            first_login_close_days: 30,
            locked_close_days: 30,
            stopped_close_days: 30,
            online_idle_minutes: 30,
            reissues_per_user_per_day: 3,
            reissues_per_administrator_per_day: 20,
            draft_first_reminder_days: 14,
            draft_second_reminder_days: 28,
            draft_close_days: 60,
            unidentified_return_business_days: 10,
            defect_reply_days: 14,
            defect_reminder_days: 10,
            defect_close_days: 30,
            defect_max_attempts: 3,
            undelivered_resends: 2,
            address_hold_days: 30,
            danger_hold_days: 30,
            form_max_age_days: 92,
            remail_within_days: 90,
            paper_sla_business_days: 3,
            paper_lapse_days: 60,
            clerical_lapse_days: 60,
            bank_answer_days: 1,
            task_due_business_days: 1,
            task_close_days: 30,
            proposal_days: 7,
            hand_out_days: 3,
            mask_shown_minutes: 15,
        }
    }
}

impl Rules {
    /// How long a password lives from its issue (on paper: from dispatch).
    pub const fn validity(&self, channel: Channel) -> Span {
        Span::hours(self.validity_hours(channel))
    }

    /// After how many hours half of the validity is over; `None` when that is too soon after the
    /// issue to be worth a message.
    pub const fn halfway_hours(&self, channel: Channel) -> Option<u64> {
        let hours = self.validity_hours(channel) / 2;
        if hours >= self.notice_quiet_hours as u64 { Some(hours) } else { None }
    }

    /// After how many hours one day is left; `None` when that is too soon after the issue or not
    /// after the halfway notice.
    pub const fn last_day_hours(&self, channel: Channel) -> Option<u64> {
        let whole = self.validity_hours(channel);
        let hours = whole.saturating_sub(24);
        if hours >= self.notice_quiet_hours as u64 && hours > whole / 2 {
            Some(hours)
        } else {
            None
        }
    }

    const fn validity_hours(&self, channel: Channel) -> u64 {
        match channel {
            Channel::SelfService => self.password_valid_self_hours as u64,
            Channel::Delegated => 24 * self.password_valid_delegated_days as u64,
            Channel::Paper => 24 * self.password_valid_paper_days as u64,
        }
    }
}

/// So many days, from a configured number.
pub(crate) const fn days(count: u32) -> Span {
    Span::days(count as u64)
}

/// So many minutes, from a configured number.
pub(crate) const fn minutes(count: u32) -> Span {
    Span::minutes(count as u64)
}
