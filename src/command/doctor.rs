//! `saihakko doctor`: whether everything is in order.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use engine::Kind;
use saihakko::app::{App, Surroundings};
use serde_json::json;

use super::{Answer, Place, print_json, say};

#[derive(Args)]
pub struct DoctorOptions {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    answer: Answer,
}

/// What was found of one part.
struct Finding {
    part: &'static str,
    good: bool,
    says: String,
}

impl Finding {
    fn good(part: &'static str, says: impl Into<String>) -> Self {
        Self { part, good: true, says: says.into() }
    }

    fn bad(part: &'static str, error: &dyn std::error::Error) -> Self {
        Self { part, good: false, says: engine::chain(error) }
    }
}

/// Looks at every part; the exit code is 5 when one is not in order.
pub async fn run(config: Option<PathBuf>, options: DoctorOptions) -> Result<ExitCode> {
    let config = options.place.config(config.as_deref())?;
    let mut findings = vec![Finding::good("configuration", "every key is known and sensible")];
    match App::open(config, Surroundings::of_this_machine()?).await {
        Ok(app) => examine(&app, &mut findings).await,
        Err(fault) => findings.push(Finding::bad("start", &fault)),
    }
    let is_well = findings.iter().all(|finding| finding.good);
    if options.answer.json {
        let parts: Vec<_> = findings
            .iter()
            .map(|f| json!({ "part": f.part, "good": f.good, "says": f.says }))
            .collect();
        print_json(&json!({ "well": is_well, "parts": parts }))?;
    } else {
        for finding in &findings {
            let mark = if finding.good { "✓" } else { "✗" };
            say(format_args!("{mark} {:<14} {}", finding.part, finding.says));
        }
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(5) })
}

async fn examine(app: &App, findings: &mut Vec<Finding>) {
    let kind = match app.tools.db.kind() {
        Kind::Sqlite => "SQLite, synchronous commits",
        Kind::Postgres => "PostgreSQL, synchronous commits",
    };
    findings.push(Finding::good("database", kind));
    let key = app.tools.keys.current_id();
    findings.push(Finding::good("keys", format!("current key {key}, readable by the owner only")));
    let faces = app.tools.press.face_names().join(", ");
    findings.push(Finding::good("fonts", faces));
    // Characters of names that the embedded font alone lacks.
    match app.tools.press.missing("髙﨑𠮷濵①㈱渡邊邉齋") {
        Ok(missing) if missing.is_empty() => {
            findings.push(Finding::good("names", "髙﨑𠮷濵①㈱ and the like can be printed"));
        }
        Ok(missing) => {
            let missing: String = missing.into_iter().collect();
            let says = format!("cannot be printed: {missing} (install fonts-noto-cjk)");
            findings.push(Finding { part: "names", good: false, says });
        }
        Err(fault) => findings.push(Finding::bad("names", &fault)),
    }
    findings.extend(permit(app).await);
    match app.tools.notifier.sender().check().await {
        Ok(()) => findings.push(Finding::good("mail", "messages can be handed over")),
        Err(fault) => findings.push(Finding::bad("mail", &fault)),
    }
    findings.extend(provider(app).await);
    match stuck(app).await {
        Ok(0) => findings.push(Finding::good("engine", "nothing is stuck, no dead letters")),
        Ok(count) => findings.push(Finding {
            part: "engine",
            good: false,
            says: format!("{count} rows are stuck or dead: see saihakko outbox list --dead"),
        }),
        Err(fault) => findings.push(Finding::bad("engine", &fault)),
    }
    match app.read_checkpoint() {
        Ok(checkpoint) => {
            let says = match checkpoint.at {
                Some(at) => format!("last taken {}", saihakko::dates::iso(at)),
                None => "none taken yet".to_owned(),
            };
            findings.push(Finding::good("checkpoint", says));
        }
        Err(fault) => findings.push(Finding::bad("checkpoint", &fault)),
    }
}

/// Days before its end at which the permit for replies is to be renewed.
const PERMIT_DAYS: u64 = 60;

/// The permit for replies, where there is one: without it no form is printed.
async fn permit(app: &App) -> Option<Finding> {
    let house = &app.tools.config.house;
    if house.reply_permit.is_empty() {
        return None;
    }
    let until = &house.reply_permit_until;
    let now = match app.tools.db.now().await {
        Ok(now) => now,
        Err(fault) => return Some(Finding::bad("reply permit", &fault)),
    };
    let soon = now.plus(std::time::Duration::from_secs(86_400 * PERMIT_DAYS));
    let ends = |at| house.permit_has_ended(&saihakko::dates::iso_day(at));
    Some(if ends(now) {
        let says = format!("ended on {until}: no form is printed");
        Finding { part: "reply permit", good: false, says }
    } else if ends(soon) {
        let says = format!("ends on {until}: renew it");
        Finding { part: "reply permit", good: false, says }
    } else {
        Finding::good("reply permit", format!("until {until}"))
    })
}

/// The identity provider where staff sign in, where there is one.
async fn provider(app: &App) -> Vec<Finding> {
    const PART: &str = "staff sign-in";
    let Some(provider) = &app.tools.provider else { return Vec::new() };
    let config = &app.tools.config;
    let configured = &config.staff_identity.redirect_address;
    let redirect = if configured.is_empty() {
        let site = saihakko::server::configured_url(&config.staff_site);
        format!("{site}/sign-in/provider/back")
    } else {
        configured.clone()
    };
    let found = match provider.examine().await {
        Ok(found) => found,
        Err(fault) => return vec![Finding::bad(PART, &fault)],
    };
    let mut says = vec![format!("{} answers", provider.issuer())];
    says.push(format!("register {redirect} there"));
    says.push(match found.apart {
        None => "its clock is not told".to_owned(),
        Some(apart) => format!("the clocks are {apart} s apart"),
    });
    if !found.missing.is_empty() {
        says.push(format!("it does not offer {}", found.missing.join(", ")));
    }
    if !found.signs_out {
        says.push("one does not sign out there".to_owned());
    }
    vec![Finding { part: PART, good: found.is_well(), says: says.join("; ") }]
}

/// Timers and kept commands that cannot be delivered, and dead letters.
async fn stuck(app: &App) -> Result<usize, engine::Fault> {
    let mut tx = app.tools.db.read().await?;
    let stuck = engine::stuck::list(&mut tx, 100).await?;
    let dead = engine::outbox::list(&mut tx, Some("dead"), 100).await?;
    Ok(stuck.len() + dead.len())
}
