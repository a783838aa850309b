//! A prefilled Form 3 out of the ledger, so that a customer types nothing the bank knows.

use engine::{Fault, Moment};
use forms::{AccountType, FormData, ReiwaDate, UserRow};

use workflows::router::Advice;
use workflows::terms::Reason;

use crate::app::App;
use crate::customer::{Declined, Session};
use crate::dates;
use crate::store::addresses::{self, Address};
use crate::store::contracts::{self, Contract};
use crate::store::{standing, users};

/// What is asked for one user.
pub struct Wish {
    /// Nine digits.
    pub user_id: String,
    /// The ticks of the row.
    pub requests: Vec<forms::Request>,
    /// Why.
    pub reasons: Vec<forms::Reason>,
}

impl App {
    /// The form for the contract of this session: company, account and users as registered, the
    /// requests as wished.
    pub async fn prefill(&self, session: &Session, wishes: &[Wish]) -> Result<FormData, Declined> {
        // The bank relies on this tick, so it says what the router would say.
        let advice = self.overview(session, Some(Reason::NewPc)).await?.advice;
        let mut tx = self.tools.db.read().await?;
        let own = standing::find(&mut tx, session.user).await?.ok_or(Declined::NotFound)?;
        let contract = contracts::by_id(&mut tx, own.contract).await?.ok_or(Declined::NotFound)?;
        let address = addresses::current(&mut tx, own.contract).await?;
        let mut rows = Vec::with_capacity(wishes.len());
        for wish in wishes {
            let user = users::find(&mut tx, own.contract, &wish.user_id).await?;
            let user = user.ok_or(Declined::NotFound)?;
            rows.push(UserRow {
                user_id: user.user_id,
                kana: user.kana,
                name: user.name,
                department: user.department,
                requests: wish.requests.iter().copied().collect(),
                reasons: wish.reasons.iter().copied().collect(),
            });
        }
        let known = of_contract(&contract, address);
        Ok(FormData {
            date: reiwa(tx.now()),
            no_authority_online: advice == Advice::Paper,
            users: rows,
            ..known
        })
    }
}

/// What the ledger knows of a company, without a date and without users.
pub(crate) fn of_contract(contract: &Contract, address: Option<Address>) -> FormData {
    let (title, name) = contract.representative.split_once(' ').unwrap_or_default();
    FormData {
        registered_address: address.map(|address| address.address).unwrap_or_default(),
        company_name: contract.company.clone(),
        company_kana: contract.company_kana.clone(),
        representative_title: title.to_owned(),
        representative_name: name.to_owned(),
        contract_number: contract.number.clone(),
        branch_number: contract.branch.clone(),
        account_type: account_type(&contract.account_type),
        account_number: contract.account_number.clone(),
        phone: contract.phone.chars().filter(char::is_ascii_digit).collect(),
        ..FormData::default()
    }
}

fn account_type(stored: &str) -> Option<AccountType> {
    match stored {
        "ordinary" => Some(AccountType::Ordinary),
        "current" => Some(AccountType::Current),
        _ => None,
    }
}

/// Today in Japan as the form's boxes say it; `None` before 2019.
fn reiwa(now: Moment) -> Option<ReiwaDate> {
    use chrono::Datelike;
    let today = dates::japan(now).date_naive();
    Some(ReiwaDate {
        year: u8::try_from(today.year().checked_sub(2018)?).ok()?,
        month: u8::try_from(today.month()).ok()?,
        day: u8::try_from(today.day()).ok()?,
    })
}

impl App {
    /// A blank or fillable form from the web: it names no case.
    pub fn plain_form(
        &self,
        variant: forms::Variant,
        fillable: bool,
        now: Moment,
    ) -> Result<Vec<u8>, Fault> {
        let key = self.code_key()?;
        let micros = u64::try_from(now.0).unwrap_or_default();
        let made_at = std::time::UNIX_EPOCH + std::time::Duration::from_micros(micros);
        let house = &self.tools.config.house;
        let job = forms::Job { variant, house, key: &key, made_at };
        let copy = forms::Copy::default();
        let press = &self.tools.press;
        let made = if fillable { press.fillable(&job, &copy) } else { press.form3(&job, &copy) };
        made.map_err(Fault::host("print a form"))
    }
}

/// What the sample customer would order: for specimens of the command line.
pub fn sample() -> FormData {
    FormData {
        date: Some(ReiwaDate { year: 8, month: 11, day: 20 }),
        registered_address: "東京都千代田区見本町二丁目3番4号".to_owned(),
        company_name: "株式会社 青葉製作所".to_owned(),
        company_kana: "カブシキガイシャ アオバセイサクショ".to_owned(),
        representative_title: "代表取締役".to_owned(),
        representative_name: "青葉 茂".to_owned(),
        contract_number: "0104212345".to_owned(),
        branch_number: "042".to_owned(),
        account_type: Some(AccountType::Ordinary),
        account_number: "1042913".to_owned(),
        contact_name: "佐藤 花子".to_owned(),
        phone: "0300000101".to_owned(),
        no_authority_online: true,
        users: vec![UserRow {
            user_id: "010429003".to_owned(),
            kana: "ヤマダ タロウ".to_owned(),
            name: "山田 太郎".to_owned(),
            department: "材料部".to_owned(),
            requests: [forms::Request::RetrievalReissue].into(),
            reasons: [forms::Reason::Expired].into(),
        }],
    }
}
