//! After the story: its clock goes on with the real one, and people may try the pages themselves.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::Result;
use saihakko::import::samples;
use saihakko::secret::OneTimeCard;

use super::stage::Stage;
use crate::command::say;
use crate::command::serve::Stop;

/// Where the cards are shown, in the folder of the demonstration.
const CARDS: &str = "cards.txt";

/// Says where to go and with what, then keeps clock and cards going until told to stop.
pub async fn let_people_try(stage: &Stage) -> Result<()> {
    show_cards(stage).await?;
    say("\n画面を試す / try the pages:");
    super::super::serve::tell(&stage.server);
    let dir = stage.dir.display();
    say(format_args!(
        "  契約者番号 contract 0207054321, 利用者ID user 020705001, ログインパスワード password \
         login-020705001\n  契約者番号 contract 0104212345, 利用者ID user 010429002 …; 電子証明書 \
         certificates: {dir}/certificates/*.p12\n  ワンタイムパスワードカード one-time passwords: \
         {dir}/{CARDS}   取引実行パスワード transaction password: order-<ID>\n  職員 staff: clerk1, \
         approver1, uketsuke, hassou, supervisor, auditor …; パスワード password staff-<アカウント \
         account>; ワンタイムパスワード one-time passwords: {dir}/{CARDS}"
    ));
    say("(Ctrl+C ends)");
    let mut stop = Stop::listen()?;
    tokio::select! {
        () = stop.told() => Ok(()),
        broken = keep_going(stage) => broken,
    }
}

/// A clock that stood still would let no reminder go out and no card show a new number.
async fn keep_going(stage: &Stage) -> Result<()> {
    let mut last = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = Instant::now();
        stage.pass_time(now.duration_since(last))?;
        last = now;
        show_cards(stage).await?;
    }
}

/// Writes what the card of every sample user and member of staff shows at this moment.
async fn show_cards(stage: &Stage) -> Result<()> {
    let now = u64::try_from(stage.app.tools.db.now().await?.seconds())?;
    let mut text = format!("あと {} 秒 / seconds left\n", 30 - now % 30);
    let cards = samples::secrets().into_iter().filter(|one| one.kind == "one_time_password");
    for secret in cards.chain(samples::staff_secrets()) {
        let card = OneTimeCard::new(&samples::card_seed(&secret.user_id))?;
        writeln!(text, "{:<16}  {}", secret.user_id, card.shown_at(now))?;
    }
    stage.write(CARDS, text.as_bytes())?;
    Ok(())
}
