//! Invented companies and people, a press, and a small generator of chances.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use forms::{
    AccountType, CodeKey, Copy, FontChoice, FormData, House, Job, Press, Reason, ReiwaDate,
    Request, SubmissionNumber, UserRow, Variant,
};

/// One press with the embedded faces alone, so that results are the same everywhere.
pub(crate) static PRESS: LazyLock<Press> =
    LazyLock::new(|| Press::new(&FontChoice { configured: None, embedded_only: true }).unwrap());

pub(crate) static HOUSE: LazyLock<House> = LazyLock::new(House::sample);
pub(crate) static KEY: LazyLock<CodeKey> = LazyLock::new(CodeKey::sample);

/// 22 November 2026, 09:00 in Japan.
pub(crate) fn made_at() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(498_696)
}

pub(crate) fn job(variant: Variant) -> Job<'static> {
    Job { variant, house: &HOUSE, key: &KEY, made_at: made_at() }
}

/// Numbers that follow from a seed.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 20) % most
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + u8::try_from(self.below(10)).unwrap())).collect()
    }
}

/// A filled form that follows from a seed.
pub(crate) fn copy(variant: Variant, seed: u64) -> Copy {
    let mut chance = Chance::new(seed);
    let users = 1 + usize::try_from(chance.below(variant.user_rows() as u64)).unwrap();
    let data = FormData {
        date: Some(ReiwaDate {
            year: 1 + u8::try_from(chance.below(30)).unwrap(),
            month: 5 + u8::try_from(chance.below(8)).unwrap(),
            day: 1 + u8::try_from(chance.below(28)).unwrap(),
        }),
        registered_address: "東京都千代田区丸の内二丁目7番1号".into(),
        company_name: "株式会社サンプル商事".into(),
        company_kana: "カブシキガイシャ サンプルショウジ".into(),
        representative_title: "代表取締役".into(),
        representative_name: "見本 一郎".into(),
        contract_number: chance.digits(10),
        branch_number: chance.digits(3),
        account_type: Some(if chance.below(2) == 0 {
            AccountType::Ordinary
        } else {
            AccountType::Current
        }),
        account_number: chance.digits(7),
        contact_name: "山田 太郎".into(),
        phone: {
            let count = 10 + usize::try_from(chance.below(2)).unwrap();
            chance.digits(count)
        },
        no_authority_online: chance.below(2) == 0,
        users: (0..users).map(|_| user(&mut chance)).collect(),
    };
    Copy { submission: Some(SubmissionNumber::from_serial(seed).unwrap()), data }
}

fn user(chance: &mut Chance) -> UserRow {
    let mut requests: std::collections::BTreeSet<Request> =
        Request::ALL.into_iter().filter(|_| chance.below(4) == 0).collect();
    if requests.is_empty() {
        requests.insert(Request::RetrievalReissue);
    }
    UserRow {
        user_id: chance.digits(9),
        kana: "ヤマダ タロウ".into(),
        name: "山田 太郎".into(),
        department: "経理部".into(),
        requests,
        reasons: Reason::ALL.into_iter().filter(|_| chance.below(4) == 0).collect(),
    }
}
