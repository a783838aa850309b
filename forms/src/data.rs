//! What a form may carry when it is printed: the house that issues it and the values of its fields.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::form3::Variant;

/// The bank as it names itself on paper; configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct House {
    /// The bank's name.
    pub bank: String,
    /// The name of the full service.
    pub bizstation: String,
    /// The name of the small service.
    pub light: String,
    /// Where customers send the form: postal code, address lines, office; top to bottom.
    pub reply_address: Vec<String>,
    /// The permit under which the bank pays for replies (料金受取人払), such as 麹町局承認 1234; empty
    /// for none.
    pub reply_permit: String,
    /// The last day of that permit, as `2027-03-31`. No sheet that shows it is printed afterwards.
    pub reply_permit_until: String,
    /// The help desk's telephone number.
    pub telephone: String,
    /// Whether 見本 is printed on everything.
    pub specimen: bool,
}

impl Default for House {
    fn default() -> Self {
        Self::sample()
    }
}

impl House {
    /// The sample bank of specimens and of the command line without configuration.
    pub fn sample() -> Self {
        Self {
            bank: "サンプル銀行".to_owned(),
            bizstation: "BizSTATION".to_owned(),
            light: "BizSTATION Light".to_owned(),
            reply_address: vec![
                "100-0000".to_owned(),
                "東京都千代田区見本町一丁目1番1号".to_owned(),
                "サンプル銀行 事務センター".to_owned(),
                "諸届受付係 行".to_owned(),
            ],
            reply_permit: String::new(),
            reply_permit_until: String::new(),
            telephone: "0120-000-000".to_owned(),
            specimen: true,
        }
    }

    /// Whether the permit for replies has ended before that day, both as ISO dates.
    pub fn permit_has_ended(&self, today: &str) -> bool {
        !self.reply_permit.is_empty() && self.reply_permit_until.as_str() < today
    }

    /// The name of the service that the variant belongs to.
    pub fn service(&self, variant: Variant) -> &str {
        match variant {
            Variant::BizStation => &self.bizstation,
            Variant::Light => &self.light,
        }
    }
}

/// A date of the era 令和, in digits as on the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReiwaDate {
    /// The year of the era, from 1.
    pub year: u8,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day, 1 to 31.
    pub day: u8,
}

impl ReiwaDate {
    /// The date as the digits of the form say it, when there is such a day (令和1 began on 1 May).
    pub fn from_digits(year: &str, month: &str, day: &str) -> Option<Self> {
        let date = Self {
            year: year.trim().parse().ok()?,
            month: month.trim().parse().ok()?,
            day: day.trim().parse().ok()?,
        };
        date.exists().then_some(date)
    }

    fn exists(self) -> bool {
        let year = 2018 + u16::from(self.year);
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match self.month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return false,
        };
        let in_era = self.year > 1 || (self.year == 1 && self.month >= 5);
        in_era && (1..=days).contains(&self.day)
    }
}

/// The kind of the representative account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    /// 普通.
    Ordinary,
    /// 当座.
    Current,
}

impl AccountType {
    /// The name of its tick box.
    pub fn field(self) -> &'static str {
        match self {
            Self::Ordinary => "account_type_ordinary",
            Self::Current => "account_type_current",
        }
    }
}

/// What can be asked for one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// A new certificate retrieval password.
    RetrievalReissue,
    /// Release of the retrieval password's lock.
    RetrievalUnlock,
    /// A new login password.
    LoginReset,
    /// Release of the login lock.
    LoginUnlock,
    /// A new transaction password.
    TransactionReset,
    /// Release of the transaction password's lock.
    TransactionUnlock,
    /// The user's forgotten ID.
    IdInquiry,
}

impl Request {
    /// All requests in the order of the form.
    pub const ALL: [Self; 7] = [
        Self::RetrievalReissue,
        Self::RetrievalUnlock,
        Self::LoginReset,
        Self::LoginUnlock,
        Self::TransactionReset,
        Self::TransactionUnlock,
        Self::IdInquiry,
    ];

    /// The name of its tick box without the user's prefix.
    pub fn field(self) -> &'static str {
        match self {
            Self::RetrievalReissue => "retrieval_reissue",
            Self::RetrievalUnlock => "retrieval_unlock",
            Self::LoginReset => "login_reset",
            Self::LoginUnlock => "login_unlock",
            Self::TransactionReset => "transaction_reset",
            Self::TransactionUnlock => "transaction_unlock",
            Self::IdInquiry => "id_inquiry",
        }
    }
}

/// Why a retrieval password is needed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The certificate expired.
    Expired,
    /// A new computer.
    NewPc,
    /// Lost or stolen.
    Lost,
    /// The password was mistyped until it locked.
    Mistyped,
    /// The password was forgotten.
    Forgotten,
    /// The certificate vanished unexpectedly.
    Vanished,
}

impl Reason {
    /// All reasons in the order of the form.
    pub const ALL: [Self; 6] =
        [Self::Expired, Self::NewPc, Self::Lost, Self::Mistyped, Self::Forgotten, Self::Vanished];

    /// The name of its tick box without the user's prefix.
    pub fn field(self) -> &'static str {
        match self {
            Self::Expired => "reason_expired",
            Self::NewPc => "reason_new_pc",
            Self::Lost => "reason_lost",
            Self::Mistyped => "reason_mistyped",
            Self::Forgotten => "reason_forgotten",
            Self::Vanished => "reason_vanished",
        }
    }
}

/// One user row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserRow {
    /// The user's ID, up to nine digits.
    pub user_id: String,
    /// The name's reading in katakana.
    pub kana: String,
    /// The name.
    pub name: String,
    /// The department.
    pub department: String,
    /// What is asked for.
    pub requests: BTreeSet<Request>,
    /// Why, for a retrieval password.
    pub reasons: BTreeSet<Reason>,
}

/// The values of all fields of Form 3; everything empty is a blank form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FormData {
    /// The date of the notification.
    pub date: Option<ReiwaDate>,
    /// The address registered with the bank.
    pub registered_address: String,
    /// The company's name.
    pub company_name: String,
    /// Its reading in katakana.
    pub company_kana: String,
    /// The representative's title.
    pub representative_title: String,
    /// The representative's name.
    pub representative_name: String,
    /// The contract number, up to ten digits.
    pub contract_number: String,
    /// The branch number, three digits.
    pub branch_number: String,
    /// The kind of the representative account.
    pub account_type: Option<AccountType>,
    /// The account number, up to seven digits.
    pub account_number: String,
    /// Whom the bank may ask.
    pub contact_name: String,
    /// The daytime telephone number, up to eleven digits.
    pub phone: String,
    /// No holder of the reissue authority can act online.
    pub no_authority_online: bool,
    /// The users, at most [`Variant::user_rows`].
    pub users: Vec<UserRow>,
}

/// The values by the names of the boxes, as the layout names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FieldValues {
    /// Lines of writing.
    pub texts: BTreeMap<String, String>,
    /// Rows of digits, left aligned.
    pub digits: BTreeMap<String, String>,
    /// The tick boxes that are ticked.
    pub checks: BTreeSet<String>,
}

impl FormData {
    /// The values under the names of the layout; empty ones are left out.
    pub fn values(&self) -> FieldValues {
        let mut values = FieldValues::default();
        if let Some(date) = self.date {
            values.digits("", "date_year", &format!("{:02}", date.year));
            values.digits("", "date_month", &format!("{:02}", date.month));
            values.digits("", "date_day", &format!("{:02}", date.day));
        }
        values.text("", "registered_address", &self.registered_address);
        values.text("", "company_name", &self.company_name);
        values.text("", "company_kana", &self.company_kana);
        values.text("", "representative_title", &self.representative_title);
        values.text("", "representative_name", &self.representative_name);
        values.text("", "contact_name", &self.contact_name);
        values.digits("", "contract_number", &self.contract_number);
        values.digits("", "branch_number", &self.branch_number);
        values.digits("", "account_number", &self.account_number);
        values.digits("", "phone", &self.phone);
        values.check("", self.account_type.map(AccountType::field));
        values.check("", self.no_authority_online.then_some("no_authority_online"));
        for (index, user) in self.users.iter().enumerate() {
            user.values(&format!("u{}_", index + 1), &mut values);
        }
        values
    }
}

impl UserRow {
    fn values(&self, prefix: &str, values: &mut FieldValues) {
        values.digits(prefix, "user_id", &self.user_id);
        values.text(prefix, "kana", &self.kana);
        values.text(prefix, "name", &self.name);
        values.text(prefix, "department", &self.department);
        values.check(prefix, self.requests.iter().map(|request| request.field()));
        values.check(prefix, self.reasons.iter().map(|reason| reason.field()));
    }
}

impl FieldValues {
    fn text(&mut self, prefix: &str, name: &str, value: &str) {
        if !value.is_empty() {
            self.texts.insert(format!("{prefix}{name}"), value.to_owned());
        }
    }

    fn digits(&mut self, prefix: &str, name: &str, value: &str) {
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        if !digits.is_empty() {
            self.digits.insert(format!("{prefix}{name}"), digits);
        }
    }

    fn check<'a>(&mut self, prefix: &str, names: impl IntoIterator<Item = &'a str>) {
        self.checks.extend(names.into_iter().map(|name| format!("{prefix}{name}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist_are_dates() {
        for (year, month, day, sound) in [
            ("08", "11", "22", true),
            ("01", "05", "01", true),
            ("01", "04", "30", false),
            ("06", "02", "29", true),
            ("07", "02", "29", false),
            ("08", "13", "01", false),
            ("08", "04", "31", false),
            ("", "04", "01", false),
            ("0?", "04", "01", false),
            ("00", "06", "01", false),
        ] {
            let date = ReiwaDate::from_digits(year, month, day);
            assert_eq!(date.is_some(), sound, "{year}/{month}/{day}");
        }
    }
}
