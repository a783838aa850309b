//! The ledger's upkeep by two people: registered addresses, specimens of seals, the bank's holidays.

use axum::Form;
use axum::extract::{Multipart, State};
use axum::response::Response;
use chrono::{Datelike, NaiveDate};
use minijinja::context;
use serde::Serialize;
use workflows::proposal::Change;
use workflows::terms::Role;

use super::accounts::key_of;
use super::desk::Typed;
use super::{Shared, Signed, proposals};
use crate::holidays::national;
use crate::policy::Room;
use crate::staffing::proposing::digest_of;
use crate::store::{addresses, contracts, holidays, specimens};
use crate::text::to_half_width;
use crate::web::customer::{Mistake, given, see};
use crate::web::error::Problem;

/// Roles in which changes are proposed; the first one that the account holds acts.
const ROLES: [Role; 2] = [Role::Clerk, Role::Supervisor];
/// The largest picture of a seal.
const LARGEST: usize = 4 << 20;
const PNG: &[u8] = b"\x89PNG\r\n\x1A\n";

/// A day on which nobody works.
#[derive(Serialize)]
struct Closure {
    day: String,
    name: String,
    source: String,
    /// By law, by the configuration, or in the ledger.
    kind: &'static str,
}

/// What the ledger has of a contract.
#[derive(Serialize)]
struct Known {
    number: String,
    company: String,
    postal_code: String,
    address: String,
    specimens: Vec<(String, Option<String>)>,
}

fn digits(text: &str) -> String {
    to_half_width(text).chars().filter(char::is_ascii_digit).collect()
}

pub(super) async fn show(
    State(shared): State<Shared>,
    signed: Signed,
) -> Result<Response, Problem> {
    signed.enter(Room::Upkeep)?;
    let contract = digits(signed.visit.asked("contract"));
    let mut wrong = Vec::new();
    let known = known(&shared, &contract).await?;
    if known.is_none() && !signed.visit.asked("contract").is_empty() {
        wrong.push(slip(&shared, &signed, "contract", "contract_slip"));
    }
    room(&shared, &signed, &Typed::new(), known, &wrong).await
}

fn slip(shared: &Shared, signed: &Signed, field: &'static str, key: &str) -> Mistake {
    Mistake { field, text: shared.text(signed.visit.lang, &format!("upkeep.{key}")) }
}

async fn known(shared: &Shared, number: &str) -> Result<Option<Known>, Problem> {
    let mut tx = shared.app.tools.db.read().await?;
    let Some(row) = contracts::find(&mut tx, number).await? else { return Ok(None) };
    let id = contracts::id_of(&mut tx, number).await?.unwrap_or_default();
    let address = addresses::current(&mut tx, id).await?;
    let seals = specimens::of_contract(&mut tx, id).await?;
    let (postal_code, address) =
        address.map(|row| (row.postal_code, row.address)).unwrap_or_default();
    Ok(Some(Known {
        number: row.number,
        company: row.company,
        postal_code,
        address,
        specimens: seals.into_iter().map(|(from, to, _)| (from, to)).collect(),
    }))
}

/// The days of this year and the next, by where they come from.
async fn days(shared: &Shared) -> Result<Vec<Closure>, Problem> {
    let now = shared.app.tools.db.now().await?;
    let year = crate::dates::japan(now).year();
    let mut tx = shared.app.tools.db.read().await?;
    let kept = holidays::from(&mut tx, &format!("{year}-01-01")).await?;
    drop(tx);
    let config = &shared.app.tools.config.calendar;
    let mut all: Vec<Closure> = kept
        .into_iter()
        .map(|row| Closure { day: row.day, name: row.name, source: row.source, kind: "ledger" })
        .collect();
    let plain = |day: NaiveDate, kind| Closure {
        day: day.to_string(),
        name: String::new(),
        source: String::new(),
        kind,
    };
    all.extend((year..=year + 1).flat_map(national).map(|day| plain(day, "law")));
    let extra = config.extra_holidays.iter().map(|day| day.0);
    all.extend(extra.filter(|day| day.year() >= year).map(|day| plain(day, "configuration")));
    all.sort_by(|one, other| one.day.cmp(&other.day));
    Ok(all)
}

async fn room(
    shared: &Shared,
    signed: &Signed,
    typed: &Typed,
    known: Option<Known>,
    wrong: &[Mistake],
) -> Result<Response, Problem> {
    let values = context! {
        contract => known.as_ref().map_or_else(
            || signed.visit.asked("contract").to_owned(), |known| known.number.clone()),
        known => given(known),
        days => given(days(shared).await?),
        proposals => given(proposals::lines(shared, signed, Room::Upkeep).await?),
        typed => given(typed.clone()),
        key => shared.app.nonce(),
        works => ROLES.iter().any(|role| signed.member.roles.contains(role)),
    };
    shared.page_with(signed, "staff/upkeep.html", wrong, values)
}

/// Proposes another address, one more holiday or one less.
pub(super) async fn propose(
    State(shared): State<Shared>,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let by = signed.member.acting_as_one_of(&ROLES)?;
    let key = key_of(&typed)?;
    let asked = |name: &str| typed.get(name).map(|text| text.trim().to_owned()).unwrap_or_default();
    let mut wrong = Vec::new();
    let mut demand = |holds: bool, field: &'static str, key: &str| {
        if !holds {
            wrong.push(slip(&shared, &signed, field, key));
        }
    };
    let within = |text: &str, most: usize| (1..=most).contains(&text.chars().count());
    let day = to_half_width(&asked("day")).replace('/', "-");
    let contract = digits(&asked("contract"));
    let is_day = day.parse::<NaiveDate>().is_ok();
    let change = match asked("matter").as_str() {
        "address" => {
            let (postal_code, address) = (digits(&asked("postal_code")), asked("address"));
            demand(postal_code.len() == 7, "postal_code", "postal_code_slip");
            demand(within(&address, 120), "address", "address_slip");
            Change::Address { contract: contract.clone(), postal_code, address }
        }
        "add_holiday" => {
            let (name, source) = (asked("name"), asked("source"));
            demand(is_day, "day", "day_slip");
            let shown = days(&shared).await?;
            demand(!shown.iter().any(|one| one.day == day), "day", "day_known");
            // A day that is over changes nothing, and one beyond the list could not be taken back.
            let today = crate::dates::japan(shared.app.tools.db.now().await?).date_naive();
            let is_ahead = |at: NaiveDate| at >= today && at.year() <= today.year() + 1;
            demand(!is_day || day.parse().is_ok_and(is_ahead), "day", "day_far");
            demand(within(&name, 40), "name", "name_slip");
            demand(within(&source, 80), "source", "source_slip");
            Change::AddHoliday { day, name, source }
        }
        "remove_holiday" if is_day => Change::RemoveHoliday { day },
        _ => return Err(Problem::Unreadable),
    };
    if !wrong.is_empty() {
        let known = known(&shared, &contract).await?;
        return room(&shared, &signed, &typed, known, &wrong).await;
    }
    let nothing = if matches!(change, Change::Address { .. }) { "address" } else { "day" };
    match shared.app.propose(&by, change, None, &key).await {
        Ok(case) => Ok(see(&format!("/proposals/{case}"))),
        Err(why) => {
            let wrong = [proposals::declined(&shared, &signed, why, nothing)?];
            let known = known(&shared, &contract).await?;
            room(&shared, &signed, &typed, known, &wrong).await
        }
    }
}

/// Proposes another specimen of a seal: a picture, and the day from which it is valid.
pub(super) async fn specimen(
    State(shared): State<Shared>,
    signed: Signed,
    mut multipart: Multipart,
) -> Result<Response, Problem> {
    let by = signed.member.acting_as_one_of(&ROLES)?;
    let mut typed = Typed::new();
    let mut picture = Vec::new();
    while let Some(field) = multipart.next_field().await.map_err(|_| Problem::Unreadable)? {
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(|_| Problem::TooLarge)?;
        if name == "picture" {
            picture = bytes.to_vec();
        } else if typed.len() < 8 {
            typed.insert(name, String::from_utf8_lossy(&bytes).trim().to_owned());
        }
    }
    let key = key_of(&typed)?;
    let asked = |name: &str| typed.get(name).cloned().unwrap_or_default();
    let contract = digits(&asked("contract"));
    let day = to_half_width(&asked("valid_from")).replace('/', "-");
    let mut wrong = Vec::new();
    if day.parse::<NaiveDate>().is_err() {
        wrong.push(slip(&shared, &signed, "valid_from", "valid_from_slip"));
    }
    let is_png = picture.starts_with(PNG) && picture.len() <= LARGEST;
    if !is_png {
        wrong.push(slip(&shared, &signed, "picture", "picture_slip"));
    } else if !forms::seal::is_specimen(&picture).unwrap_or(false) {
        wrong.push(slip(&shared, &signed, "picture", "picture_bare"));
    }
    if !wrong.is_empty() {
        let known = known(&shared, &contract).await?;
        return room(&shared, &signed, &typed, known, &wrong).await;
    }
    let digest = digest_of(&picture);
    let change = Change::Specimen { contract: contract.clone(), valid_from: day, digest };
    match shared.app.propose(&by, change, Some(picture), &key).await {
        Ok(case) => Ok(see(&format!("/proposals/{case}"))),
        Err(why) => {
            let wrong = [proposals::declined(&shared, &signed, why, "specimen")?];
            let known = known(&shared, &contract).await?;
            room(&shared, &signed, &typed, known, &wrong).await
        }
    }
}
