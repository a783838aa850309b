//! What the letters say, in both languages.

use super::{Closure, Inquiry, Letter, LetterHead, Locked};

/// The words of one letter.
pub(super) struct Wording<'a> {
    pub(super) title: &'a str,
    pub(super) paragraphs: Vec<String>,
    /// Under 記.
    pub(super) facts: Vec<(&'static str, String)>,
    /// Points at the end.
    pub(super) notes: Vec<String>,
    pub(super) english_title: &'a str,
    pub(super) english: Vec<String>,
}

impl Wording<'_> {
    pub(super) fn of(head: &LetterHead<'_>, letter: &Letter<'_>) -> Self {
        let mut wording = match letter {
            Letter::Closure(why) => closure(head, *why),
            Letter::Lock(what) => lock(head, *what),
            Letter::Undelivered => undelivered(head),
            Letter::UserId { user_id } => forgotten_id(head, user_id),
            Letter::AddressInquiry(inquiry) => return address(head, inquiry),
        };
        wording.notes.push(NEVER_ASKED.to_owned());
        wording
    }
}

/// What the house says in every letter.
pub(super) const NEVER_ASKED: &str =
    "当行が電話やメールでパスワードをお尋ねしたり、更新を求めたりすることはありません。";

/// The facts under 記 that every letter has.
pub(super) fn common_facts(head: &LetterHead<'_>) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("お問い合わせ番号", head.reference.to_owned()),
        ("契約者番号", format!("下4桁 {}", head.contract_last_four)),
    ];
    facts.extend(head.user_name.map(|name| ("利用者名", format!("{name} 様"))));
    facts
}

/// 「山田 太郎 様の」, or nothing for a letter about no user.
pub(super) fn of_user(head: &LetterHead<'_>) -> String {
    head.user_name.map_or_else(String::new, |name| format!("{name} 様の"))
}

fn english_user(head: &LetterHead<'_>) -> String {
    head.user_name.map_or_else(String::new, |name| format!(" for {name}"))
}

fn closure<'a>(head: &LetterHead<'_>, why: Closure) -> Wording<'a> {
    let who = of_user(head);
    let (what, next, english) = match why {
        Closure::NoResponse => (
            "訂正した届出書が期限までに届きませんでしたので、お手続きを終わりました。パスワードは発行しておりません。",
            "引き続き再発行をご希望のときは、新しい届出書でお申し込みください。",
            "The corrected form did not reach us in time, so the procedure has ended. No password was \
             issued. To go on, please send a new form.",
        ),
        Closure::Undeliverable => (
            "お送りした書面をお届けできませんでしたので、お手続きを終わりました。発行したパスワードは無効にしました。",
            "お届けの住所をお確かめのうえ、あらためてお申し込みください。",
            "Our letters could not be delivered, so the procedure has ended and the password that was \
             issued is void. Please check the registered address and apply again.",
        ),
        Closure::Lapsed => (
            "定めた期間のうちにお手続きが終わりませんでしたので、取りやめといたしました。使えるパスワードは残っていません。",
            "引き続きご希望のときは、あらためてお申し込みください。",
            "The procedure was not finished in time and has been ended. No usable password is left. \
             To go on, please apply again.",
        ),
        Closure::Rejected => (
            "お申し込みを承ることができませんでしたので、届出書をお返しします。パスワードは発行しておりません。",
            "ご不明の点は、下記のヘルプデスクへお電話ください。",
            "We could not accept the application and return the form. No password was issued. Please \
             call the help desk if anything is unclear.",
        ),
        Closure::NotNeeded => (
            "お手続きの間に電子証明書を取得されましたので、書面でのお手続きを終わりました。",
            "取得された電子証明書は、そのままお使いいただけます。",
            "A certificate was obtained in the meantime, so the procedure on paper has ended. The \
             certificate can be used as it is.",
        ),
        Closure::Duplicate => (
            "同じお申し込みをすでに承っておりますので、あとから届いたお申し込みのお手続きを終わりました。",
            "先に承ったお申し込みのお手続きを進めています。",
            "The same application is under way already, so the one that came later has been closed. \
             The first one is being worked on.",
        ),
        Closure::FormReturned => (
            "お送りいただいた届出書では、お手続きを進めることができませんでした。届出書をお返しします。",
            "新しい届出書をご用意のうえ、あらためてお申し込みください。",
            "We cannot work on the form that you sent and return it. Please prepare a new form and \
             apply again.",
        ),
        Closure::Withdrawn => (
            "お申し出により、お手続きを取りやめました。使えるパスワードは残っていません。",
            "お申し出にお心当たりがないときは、すぐに下記のヘルプデスクへお電話ください。",
            "The procedure was withdrawn as you asked. No usable password is left. Please call the \
             help desk at once if you did not ask for this.",
        ),
    };
    Wording {
        title: "お手続き終了のお知らせ",
        paragraphs: vec![format!(
            "さて、書面でお申し込みいただきました{who}パスワードに関するお手続きについて、次のとおりお知らせします。{what}{next}"
        )],
        facts: common_facts(head),
        notes: vec!["お取引の内容と、いまお使いの電子証明書には影響しません。".to_owned()],
        english_title: "The procedure has ended",
        english: vec![format!(
            "Re: passwords{}, reference {}. {english}",
            english_user(head),
            head.reference
        )],
    }
}

fn lock<'a>(head: &LetterHead<'_>, what: Locked) -> Wording<'a> {
    let (name, english_name) = match what {
        Locked::Retrieval { .. } => ("証明書取得用パスワード", "certificate retrieval password"),
        Locked::Login => ("ログインパスワード", "login password"),
        Locked::Transaction => ("取引実行パスワード", "transaction password"),
        Locked::OneTimePassword => ("ワンタイムパスワードカード", "one-time-password card"),
        Locked::EnrolmentCode => ("登録コード", "enrolment code"),
    };
    let (cause, english_cause) = match what {
        Locked::Retrieval { wrong_entries } => (
            format!("続けて{wrong_entries}回誤って入力されました"),
            format!("was entered wrongly {wrong_entries} times in a row"),
        ),
        _ => (
            "誤って入力された回数が限度に達した、または当行が操作しました".to_owned(),
            "reached the limit of wrong entries, or the bank locked it".to_owned(),
        ),
    };
    let (way, english_way) = match what {
        Locked::Retrieval { .. } => (
            "このパスワードは無効です。再発行の実行権限をお持ちのほかの方が利用者登録の画面から再発行するか、書面でお申し込みください。ご本人の画面からは再開できません。",
            "It is void. Another holder of the reissue authority can reissue it on the user \
             registration page, or you can apply on paper. You cannot reissue it yourself.",
        ),
        Locked::EnrolmentCode => (
            "この登録コードは使えなくなりました。再発行の実行権限をお持ちの方が新しい登録コードを発行するか、書面でお申し込みください。",
            "It cannot be used any more. A holder of the reissue authority can issue a new one, or \
             you can apply on paper.",
        ),
        _ => (
            "解除をご希望のときは、書面([書式3] パスワードに関する諸届)でお申し込みください。書式は画面の「お困りのときは」から印刷できます。",
            "To have it released, please apply on paper with Form 3, which you can print from the \
             page \"Need help?\".",
        ),
    };
    Wording {
        title: "ロックのお知らせ",
        paragraphs: vec![format!(
            "さて、{}{name}が{cause}ので、入力を受け付けないようにしました。{way}",
            of_user(head)
        )],
        facts: common_facts(head),
        notes: vec![
            "お心当たりのない入力があったときは、不正の可能性があります。すぐに下記のヘルプデスクへお電話ください。"
                .to_owned(),
        ],
        english_title: "Notice of a lock",
        english: vec![format!(
            "Re: {english_name}{}. It {english_cause}, and is not accepted any more. {english_way} \
             If you do not know of these entries, call the help desk at once.",
            english_user(head)
        )],
    }
}

fn undelivered<'a>(head: &LetterHead<'_>) -> Wording<'a> {
    Wording {
        title: "お受け取り確認のお願い",
        paragraphs: vec![
            format!(
                "さて、{}証明書取得用パスワードを記した書面を簡易書留でお送りしましたが、お届けできずに当行へ戻りました。安全のため、その書面のパスワードは無効にしました。",
                of_user(head)
            ),
            "ご登録の電話番号へお電話し、お受け取りいただける住所を確かめたうえで、新しいパスワードの書面をお送りします。"
                .to_owned(),
        ],
        facts: common_facts(head),
        notes: vec![
            "住所が変わっているときは、先にお取引店で住所変更のお手続きをお願いします。".to_owned(),
            "簡易書留は転送されません。郵便局での保管は7日間です。".to_owned(),
        ],
        english_title: "A letter came back",
        english: vec![format!(
            "The registered letter with the certificate retrieval password{} could not be delivered \
             and came back. For safety that password is void. We will call the registered telephone \
             number and send a new one. If you have moved, please have your address changed at your \
             branch first.",
            english_user(head)
        )],
    }
}

fn forgotten_id<'a>(head: &LetterHead<'_>, user_id: &str) -> Wording<'a> {
    let mut facts = common_facts(head);
    facts.push(("利用者ID", user_id.to_owned()));
    Wording {
        title: "利用者IDのお知らせ",
        paragraphs: vec![format!(
            "さて、書面でご照会いただきました{}利用者IDは、次のとおりです。",
            of_user(head)
        )],
        facts,
        notes: vec![
            "この書面は、ほかの方の目に触れないように保管してください。".to_owned(),
            "ご照会にお心当たりがないときは、すぐに下記のヘルプデスクへお電話ください。".to_owned(),
        ],
        english_title: "Your user ID",
        english: vec![format!(
            "The user ID{} that you asked for on paper is {user_id}. If you did not ask, please call \
             the help desk at once.",
            english_user(head)
        )],
    }
}

fn address<'a>(head: &LetterHead<'_>, inquiry: &Inquiry<'_>) -> Wording<'a> {
    let phone = &head.house.telephone;
    Wording {
        title: "ご住所の変更についてのお伺い(照会状)",
        paragraphs: vec![
            format!(
                "さて、{}に、貴社のお届け住所の変更を承りました。また、{}証明書取得用パスワードの再発行のお申し込みを承っています。このお伺いは、変更前のお届け住所へお送りしています。",
                inquiry.changed_on.japanese,
                of_user(head)
            ),
            format!(
                "安全のため、ご回答を確かめるまで、パスワードの発行を見合わせています。下の回答書にご記入とお届け印の押印のうえ、{}までにご返送ください。",
                inquiry.answer_by.japanese
            ),
            format!(
                "変更に心当たりがないとき、また貴社と関係のない方がこの書面を受け取られたときは、すぐに {phone} へお電話ください。"
            ),
        ],
        facts: Vec::new(),
        notes: vec![NEVER_ASKED.to_owned()],
        english_title: "Inquiry about a change of address",
        english: vec![
            format!(
                "On {} the registered address of your company was changed, and we were asked to \
                 reissue a certificate retrieval password{}. This inquiry goes to the address before \
                 the change.",
                inquiry.changed_on.english,
                english_user(head)
            ),
            format!(
                "For safety nothing is issued until we have your answer. Please complete the slip on \
                 page 1 (upper box: the change was made by us; lower box: we know of no change, stop \
                 the procedure), put the registered seal on it and return it by {}. If you know of \
                 no change, or have nothing to do with the company, call {phone} at once.",
                inquiry.answer_by.english
            ),
        ],
    }
}
