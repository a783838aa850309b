//! A pile of forms as the mail room has taken them in: printed, stamped, scanned, read.

use anyhow::{Context, Result, ensure};
use engine::CaseId;
use forms::degrade::{Carrier, PaperSheet, Wear, encode};
use forms::seal::Impression;
use forms::{Variant, Version, layout};
use saihakko::app::App;
use saihakko::prefill::Wish;
use workflows::terms::Role;

use super::ground::note;
use super::seed::{Town, enter};

/// Of everybody's seal, as the sample ledger has it: the company's name and the seal's own seed.
const SEAL: (&str, u64) = ("合同会社みずいろ珈琲", 2);
/// What most scanners of offices are set to.
const DPI: f32 = 200.0;

/// Takes in one form of each company until there are so many cases; gives them. A form that somebody
/// has to match by hand is none of them.
pub async fn lay(app: &App, town: &Town, count: usize) -> Result<Vec<CaseId>> {
    let mail_room = app.at_work("mailroom", Role::MailRoom).await?;
    let seal = Impression::company(SEAL.0, SEAL.1)?;
    let (mut cases, mut loose) = (Vec::new(), 0_usize);
    for (sent, user) in (0_u64..).zip(&town.users) {
        if cases.len() >= count {
            break;
        }
        let (session, _) = enter(app, &user.person, None).await?;
        let wish = Wish {
            user_id: user.person.user_id.clone(),
            requests: vec![forms::Request::RetrievalReissue],
            reasons: vec![forms::Reason::Expired],
        };
        let data = app.prefill(&session, &[wish]).await?;
        let draft = app.draft_form(&session, Variant::BizStation, &data).await?;
        let scan = scanned(&draft.pdf, &seal, sent)?;
        app.receive(&mail_room, draft.number, "普通郵便", 2).await?;
        app.scan(&mail_room, draft.number, &[scan]).await?;
        app.engine.drain().await?;
        let came = app.cases_of(draft.number).await?;
        loose += usize::from(came.is_empty());
        cases.extend(came);
        if (sent + 1).is_multiple_of(50) {
            note(format_args!("{} forms are on the pile, {loose} wait to be matched", cases.len()));
        }
    }
    ensure!(cases.len() >= count, "{} companies send no {count} forms", town.users.len());
    Ok(cases)
}

fn scanned(pdf: &[u8], seal: &Impression, seed: u64) -> Result<Vec<u8>> {
    let layout = layout(Version::default(), Variant::BizStation);
    let page = layout.pages.first().context("the form has no page")?;
    let area = page.seals.first().context("the form has no seal box")?.area;
    let mut sheets = PaperSheet::print(pdf, DPI)?;
    sheets.truncate(layout.pages.len());
    sheets.first_mut().context("the form printed no page")?.stamp(seal, area.centre(), 3.0, seed);
    let wear = Wear { skew: 0.8, ..Wear::default() };
    let pictures: Vec<_> = sheets.iter().map(|sheet| sheet.scan(&wear)).collect();
    Ok(encode(&pictures, DPI, Carrier::Pdf)?)
}
