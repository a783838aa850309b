//! `saihakko staff`: accounts of the bank's people.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use saihakko::app::App;
use saihakko::staffing::{NewStaff, roles_of};
use saihakko::store::staff::{self, StaffRow};
use workflows::account::Command;

use super::{Answer, Declined, Place, print_json, say};

#[derive(Subcommand)]
pub enum StaffCommand {
    /// Make an account and print its password and card seed once. For the first administrators and
    /// for emergencies: everything else is proposed and approved on the staff's site.
    Add(AddOptions),
    /// Give an account a new password and a new card seed; its sessions end. For emergencies.
    Renew(NameOptions),
    /// Note as whom the identity provider knows an account; its sessions end. For the first
    /// administrators and for emergencies.
    Link(LinkOptions),
    /// Let an account sign in no longer; its sessions end. For emergencies; the last system
    /// administrator stays.
    Close(NameOptions),
    /// List the accounts.
    List(ListOptions),
}

#[derive(Args)]
pub struct AddOptions {
    /// The account.
    login: String,
    /// The name of the person.
    #[arg(long)]
    name: String,
    /// Which person it is; two accounts of one person have the same. The account, when left out.
    #[arg(long)]
    person: Option<String>,
    /// Roles with commas between: `mail_room`, `clerk`, `approver`, `dispatch`, `help_desk`,
    /// `auditor`, `system_administrator`, `supervisor`.
    #[arg(long)]
    roles: String,
    /// As whom the configured identity provider knows the account.
    #[arg(long)]
    subject: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct LinkOptions {
    /// The account.
    login: String,
    /// As whom the configured identity provider knows it; empty for nobody.
    #[arg(long)]
    subject: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct NameOptions {
    /// The account.
    login: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub struct ListOptions {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    answer: Answer,
}

/// Runs a staff command.
pub async fn run(config: Option<PathBuf>, command: StaffCommand) -> Result<ExitCode> {
    match command {
        StaffCommand::Add(options) => add(config, options).await,
        StaffCommand::Renew(options) => change(config, options, Command::Renew).await,
        StaffCommand::Link(options) => link(config, options).await,
        StaffCommand::Close(options) => change(config, options, Command::Close).await,
        StaffCommand::List(options) => list(config, options).await,
    }
}

async fn add(config: Option<PathBuf>, options: AddOptions) -> Result<ExitCode> {
    let roles = roles_of(&options.roles);
    let names: Vec<&str> = roles.iter().map(|role| engine::Role::name(*role)).collect();
    let wanted = options.roles.split(',').filter(|name| !name.trim().is_empty()).count();
    ensure!(
        !names.is_empty() && names.len() == wanted,
        Declined::with_code("--roles names roles of staff, with commas between", 2)
    );
    let (app, _lock) = options.place.open_alone(config).await?;
    let subject = options.subject.unwrap_or_default();
    let issuer = issuer_for(&app, &subject, &options.login).await?;
    ensure!(
        find(&app, &options.login).await?.is_none(),
        Declined::new(format!("there is an account {} already", options.login))
    );
    let row = StaffRow {
        person: options.person.unwrap_or_else(|| options.login.clone()),
        login: options.login,
        name: options.name,
        roles: names.join(","),
        active: true,
        issuer,
        subject,
    };
    keep(&app, Command::Add, &row).await?;
    app.tools.db.close().await;
    Ok(ExitCode::SUCCESS)
}

/// The issuer that goes with a subject, which must be nobody else's.
async fn issuer_for(app: &App, subject: &str, login: &str) -> Result<String> {
    if subject.is_empty() {
        return Ok(String::new());
    }
    let issuer = app.tools.config.staff_identity.issuer.clone();
    ensure!(
        !issuer.is_empty(),
        Declined::new("staff_identity.issuer names no provider".to_owned())
    );
    let mut tx = app.tools.db.read().await?;
    let holder = staff::linked(&mut tx, &issuer, subject).await?;
    let holder = holder.filter(|row| row.login != login);
    if let Some(row) = holder {
        return Err(Declined::new(format!("the subject belongs to account {}", row.login)).into());
    }
    Ok(issuer)
}

async fn link(config: Option<PathBuf>, options: LinkOptions) -> Result<ExitCode> {
    let (app, _lock) = options.place.open_alone(config).await?;
    let issuer = issuer_for(&app, &options.subject, &options.login).await?;
    let Some(row) = find(&app, &options.login).await? else {
        return Err(Declined::new(format!("there is no account {}", options.login)).into());
    };
    let row = StaffRow { issuer, subject: options.subject, ..row };
    keep(&app, Command::Link, &row).await?;
    app.tools.db.close().await;
    Ok(ExitCode::SUCCESS)
}

/// With new secrets, or closed.
async fn change(
    config: Option<PathBuf>,
    options: NameOptions,
    command: Command,
) -> Result<ExitCode> {
    let (app, _lock) = options.place.open_alone(config).await?;
    let found = find(&app, &options.login).await?;
    let Some(row) = found else {
        return Err(Declined::new(format!("there is no account {}", options.login)).into());
    };
    if command == Command::Renew {
        ensure!(row.active, Declined::new(format!("the account {} is closed", options.login)));
    }
    let row = StaffRow { active: command == Command::Renew, ..row };
    keep(&app, command, &row).await?;
    app.tools.db.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Does it, on record; a rule may decline.
async fn keep(app: &App, command: Command, row: &StaffRow) -> Result<()> {
    match app.keep_account(command, row).await {
        Ok(new) => {
            // Where everybody signs in elsewhere, nobody needs to know them.
            tell(row, new.filter(|_| app.tools.config.staff_identity.local_sign_in));
            Ok(())
        }
        Err(saihakko::customer::Declined::Refused { code }) => {
            app.tools.db.close().await;
            Err(Declined::new(format!("declined: {code}")).into())
        }
        Err(other) => Err(other.into()),
    }
}

async fn find(app: &App, login: &str) -> Result<Option<StaffRow>> {
    let mut tx = app.tools.db.read().await?;
    Ok(staff::find(&mut tx, login).await?)
}

/// Secrets are shown here once and nowhere else.
fn tell(row: &StaffRow, new: Option<NewStaff>) {
    let state = if row.active { "open" } else { "closed" };
    say(format_args!("{} {} ({}): {state}", row.login, row.name, row.roles));
    if let Some(new) = new {
        say(format_args!("password   {}", *new.password));
        say(format_args!("card seed  {}", *new.seed));
        say(format_args!(
            "           otpauth://totp/saihakko:{}?secret={}&digits=6&period=30",
            row.login, *new.seed
        ));
    }
}

async fn list(config: Option<PathBuf>, options: ListOptions) -> Result<ExitCode> {
    let app = options.place.open(config).await?;
    let mut tx = app.tools.db.read().await?;
    let all = staff::all(&mut tx).await?;
    drop(tx);
    if options.answer.json {
        let rows: Vec<_> = all
            .iter()
            .map(|row| {
                serde_json::json!({
                    "login": row.login, "person": row.person, "name": row.name,
                    "roles": row.roles, "active": row.active,
                    "issuer": row.issuer, "subject": row.subject,
                })
            })
            .collect();
        print_json(&rows)?;
    } else {
        for row in &all {
            let state = if row.active { "" } else { "  closed" };
            say(format_args!(
                "{:<18} {:<8} {}  {}{state}",
                row.login, row.person, row.name, row.roles
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}
