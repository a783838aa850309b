//! Why a form goes back: each defect in plain words, how to mend it, and where it stands.

use crate::form3::{BoxMm, PageLayout};

/// A defect of a form, as a letter explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReturnReason {
    /// The impression could not be matched.
    SealMismatch,
    /// The impression cannot be judged.
    SealUnclear,
    /// No impression.
    SealMissing,
    /// No seal was registered on the date of the form.
    SealNotRegistered,
    /// Company or representative.
    Name,
    /// The address.
    Address,
    /// The account.
    Account,
    /// No such user.
    User,
    /// Nothing is ticked.
    NoRequest,
    /// The date.
    Date,
    /// A correction was not made properly.
    Correction,
    /// A copy or fax.
    Copy,
    /// A page is missing or belongs elsewhere.
    Page,
    /// The form of the other service.
    Variant,
    /// It cannot be read.
    Illegible,
    /// A password is written on it.
    SecretWritten,
    /// Anything else.
    Other,
}

/// What is said of one reason.
pub(super) struct Words {
    pub(super) what: &'static str,
    pub(super) how: &'static str,
    pub(super) english: &'static str,
}

const fn words(what: &'static str, how: &'static str, english: &'static str) -> Words {
    Words { what, how, english }
}

impl ReturnReason {
    /// Every reason, in the order of the checklist.
    pub const ALL: [Self; 17] = [
        Self::SealMismatch,
        Self::SealUnclear,
        Self::SealMissing,
        Self::SealNotRegistered,
        Self::Name,
        Self::Address,
        Self::Account,
        Self::User,
        Self::NoRequest,
        Self::Date,
        Self::Correction,
        Self::Copy,
        Self::Page,
        Self::Variant,
        Self::Illegible,
        Self::SecretWritten,
        Self::Other,
    ];

    /// The code on the paper, such as `SEAL_MISSING`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SealMismatch => "SEAL_MISMATCH",
            Self::SealUnclear => "SEAL_UNCLEAR",
            Self::SealMissing => "SEAL_MISSING",
            Self::SealNotRegistered => "SEAL_NOT_REGISTERED",
            Self::Name => "NAME",
            Self::Address => "ADDRESS",
            Self::Account => "ACCOUNT",
            Self::User => "USER",
            Self::NoRequest => "NO_REQUEST",
            Self::Date => "DATE",
            Self::Correction => "CORRECTION",
            Self::Copy => "COPY",
            Self::Page => "PAGE",
            Self::Variant => "VARIANT",
            Self::Illegible => "ILLEGIBLE",
            Self::SecretWritten => "SECRET_WRITTEN",
            Self::Other => "OTHER",
        }
    }

    /// The reason of that code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The boxes that are ringed on a page: of one user's row, or of the whole page. Empty where the
    /// reason has no place of its own.
    pub fn places(self, page: &PageLayout, row: Option<u8>) -> Vec<BoxMm> {
        let names = self.fields();
        let wanted = |id: &str| match row_of(id) {
            Some((number, name)) => names.contains(&name) && row.is_none_or(|row| number == row),
            None => names.contains(&id),
        };
        let boxes = page.texts.iter().chain(&page.checkboxes).chain(&page.seals);
        let boxes = boxes.filter(|field| wanted(&field.id)).map(|f| (f.id.as_str(), f.area));
        let rows = page.digits.iter().filter(|field| wanted(&field.id));
        let all = boxes.chain(rows.map(|field| (field.id.as_str(), field.area())));
        joined(all.collect())
    }

    /// The fields that it is about, without the prefix of a user's row.
    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::SealMismatch
            | Self::SealUnclear
            | Self::SealMissing
            | Self::SealNotRegistered => &["registered_seal"],
            Self::Name => {
                &["company_kana", "company_name", "representative_title", "representative_name"]
            }
            Self::Address => &["registered_address"],
            Self::Account => &[
                "branch_number",
                "account_type_ordinary",
                "account_type_current",
                "account_number",
            ],
            Self::User => &["user_id", "kana", "name"],
            Self::NoRequest => &[
                "retrieval_reissue",
                "retrieval_unlock",
                "login_reset",
                "login_unlock",
                "transaction_reset",
                "transaction_unlock",
                "id_inquiry",
            ],
            Self::Date => &["date_year", "date_month", "date_day"],
            _ => &[],
        }
    }

    pub(super) fn words(self) -> Words {
        match self {
            Self::SealMismatch => words(
                "お届け印の確認ができませんでした。",
                "代表口座のお届け印を、枠の中央に鮮明に押してください。お届け印を変更・紛失されたときは、先にお取引店で改印のお手続きをお願いします。",
                "The registered seal could not be confirmed. Put the seal registered for the \
                 representative account in the middle of the box. If it was changed or lost, please \
                 register a new one at your branch first.",
            ),
            Self::SealUnclear => words(
                "印影が不鮮明です。",
                "お届け印を、朱肉で、枠の中央に1回だけ押してください。欠け・かすれ・二重押しのないようにお願いします。",
                "The seal impression is unclear. Put the seal once, with red ink, in the middle of \
                 the box.",
            ),
            Self::SealMissing => words(
                "お届け印が押されていません。",
                "代表口座のお届け印を、枠の中央に朱肉で押してください。",
                "The registered seal is missing. Put it in the middle of the box with red ink.",
            ),
            Self::SealNotRegistered => words(
                "届出日に有効なお届け印の登録がありません。",
                "先にお取引店でお届け印の登録をお願いします。そのあとの日付で届出書をご記入ください。",
                "No seal was registered on the date of the form. Please register one at your branch \
                 first and date the form after that.",
            ),
            Self::Name => words(
                "会社名または代表者名が、登録の内容と異なります。",
                "銀行にお届けのとおりにご記入ください。変更があったときは、先にお取引店で変更のお手続きをお願いします。",
                "The company or its representative differs from our record. Write both as they are \
                 registered; if they have changed, please have the record changed at your branch first.",
            ),
            Self::Address => words(
                "住所が、登録の内容と異なります。",
                "銀行にお届けのとおりにご記入ください。移転されたときは、先にお取引店で住所変更のお手続きをお願いします。",
                "The address differs from our record. Write it as it is registered; if you have \
                 moved, please have it changed at your branch first.",
            ),
            Self::Account => words(
                "代表口座の記入が、登録の内容と異なります。",
                "店番・預金種目・口座番号を、代表口座のとおりにご記入ください。",
                "The account differs from our record. Write branch, type and number of the \
                 representative account.",
            ),
            Self::User => words(
                "該当する利用者が見つかりません。",
                "利用者IDと氏名をお確かめください。利用者IDが不明のときは、「利用者ID照会」に印を付けてください。",
                "No such user was found. Please check user ID and name; if the ID is not known, tick \
                 the ID inquiry.",
            ),
            Self::NoRequest => words(
                "ご依頼の項目に印がありません。",
                "ご希望の項目の枠に印を付けてください。再発行のときは、理由にも印を付けてください。",
                "No request is ticked. Tick what you ask for; for a reissue tick the reason too.",
            ),
            Self::Date => words(
                "届出日の記入がないか、有効な期間を過ぎています。",
                "ご記入になる日の日付を、令和でご記入ください。",
                "The date is missing or out of range. Write the day on which you complete the form.",
            ),
            Self::Correction => words(
                "訂正の方法に不備があります。",
                "消せるペンや修正液は使えません。訂正は二重線とお届け印でお願いします。利用者IDとお届け印の枠は訂正できませんので、新しい書式にご記入ください。",
                "A correction was not made properly. Use no erasable ink or correction fluid; strike \
                 out with two lines and put the registered seal there. User IDs and the seal box \
                 cannot be corrected: use the new form.",
            ),
            Self::Copy => words(
                "原本ではありません。",
                "コピーやファクスは受け付けられません。お届け印を押した原本をお送りください。",
                "It is a copy or a fax. Please send the original with the seal on it.",
            ),
            Self::Page => words(
                "ページが足りないか、別の書類が混ざっています。",
                "同封の書式のすべてのページを、そろえてお送りください。",
                "A page is missing or belongs elsewhere. Please send every page of the enclosed form.",
            ),
            Self::Variant => words(
                "ご契約と異なるサービスの書式です。",
                "同封の書式にご記入ください。",
                "It is the form of the other service. Please use the enclosed one.",
            ),
            Self::Illegible => words(
                "読み取れない箇所があります。",
                "黒のペンで、枠の中に1字ずつはっきりとご記入ください。",
                "Part of it cannot be read. Write one character in each box with a black pen.",
            ),
            Self::SecretWritten => words(
                "パスワードが書かれていました。",
                "書かれたパスワードは使わず、画面から変更してください。届出書のどの欄にも、パスワードは記入しないでください。",
                "A password was written on it. Stop using that password and change it on the site. \
                 Never write a password on the form.",
            ),
            Self::Other => words(
                "そのほかの不備があります。",
                "くわしくは、下記のヘルプデスクへお電話ください。",
                "There is another defect. Please call the help desk for details.",
            ),
        }
    }
}

/// `u3_user_id` is row 3 and `user_id`.
fn row_of(id: &str) -> Option<(u8, &str)> {
    let (row, name) = id.strip_prefix('u')?.split_once('_')?;
    Some((row.parse().ok()?, name))
}

/// Boxes of the same row or of the head of the page as one, so that one ring goes around them.
fn joined(boxes: Vec<(&str, BoxMm)>) -> Vec<BoxMm> {
    let mut groups: Vec<(Option<u8>, BoxMm)> = Vec::new();
    for (id, area) in boxes {
        let row = row_of(id).map(|(row, _)| row);
        match groups.iter_mut().find(|(other, _)| *other == row) {
            Some((_, all)) => *all = all.with(area),
            None => groups.push((row, area)),
        }
    }
    groups.into_iter().map(|(_, area)| area).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form3::{Variant, Version, layout};

    #[test]
    fn codes_are_read_back() {
        for reason in ReturnReason::ALL {
            assert_eq!(ReturnReason::from_code(reason.code()), Some(reason));
        }
        assert_eq!(ReturnReason::from_code("NONE"), None);
    }

    /// A field that is renamed in a layout would silently lose its ring.
    #[test]
    fn every_field_of_a_reason_is_on_the_form() {
        let layout = layout(Version::One, Variant::BizStation);
        for reason in ReturnReason::ALL {
            for name in reason.fields() {
                let has = |id: &String| row_of(id).map_or(id.as_str(), |(_, name)| name) == *name;
                let found = layout.pages.iter().any(|page| {
                    let fields = page.texts.iter().chain(&page.checkboxes).chain(&page.seals);
                    fields.map(|f| &f.id).chain(page.digits.iter().map(|f| &f.id)).any(has)
                });
                assert!(found, "{reason:?}: {name}");
            }
        }
    }

    #[test]
    fn a_row_is_ringed_alone() {
        let page = layout(Version::One, Variant::BizStation).page(1).unwrap();
        assert_eq!(ReturnReason::User.places(page, None).len(), 2);
        let [second] = ReturnReason::User.places(page, Some(2))[..] else { panic!("one ring") };
        assert!(second.y > 190.0, "{second:?}");
        assert_eq!(ReturnReason::SealMissing.places(page, None).len(), 1);
        assert!(ReturnReason::Copy.places(page, None).is_empty());
    }
}
