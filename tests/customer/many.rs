//! S20: very many cases fall due in the same minute, and all of them end.
//!
//! 150 by default; `SAIHAKKO_MANY=5000` is what `./test --long` asks for. The time is said, not
//! judged: machines differ.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Actor, ActorId, Origin, Outcome, Submission};
use saihakko::app::system_entropy;
use saihakko::host::Attachment;
use saihakko::secret::{Token, hash_password};
use saihakko::store::sessions::{self, Proof};
use workflows::self_service::{Command, SelfService};
use workflows::terms::{Reason, Role, UserRef};

use crate::house::{COST, House, PLACE, stories};

stories!(all_that_expire_in_one_minute_end);

fn wanted() -> i64 {
    std::env::var("SAIHAKKO_MANY").ok().and_then(|count| count.parse().ok()).unwrap_or(150)
}

/// Companies of one user each, who holds the authority and never logs in here.
async fn hire(house: &House, count: i64) -> Vec<i64> {
    let hash = hash_password(&system_entropy(), None, b"never used", COST).unwrap();
    let mut contracts = "number,variant,company,company_kana,representative,branch,account_type,\
         account_number,phone\n"
        .to_owned();
    let mut users = "contract,user_id,name,kana,reissue_authority\n".to_owned();
    let mut secrets = "contract,user_id,kind,secret\n".to_owned();
    let seed = data_encoding::BASE32.encode(b"a seed nobody holds in");
    for number in 0..count {
        let (contract, id) = (3_000_000_000 + number, 500_000_000 + number);
        writeln!(
            contracts,
            "{contract},light,見本{number},ミホン,代表 見本,042,ordinary,{number:07},03-0000-0101"
        )
        .unwrap();
        writeln!(users, "{contract},{id},見本 {number},ミホン,true").unwrap();
        writeln!(secrets, "{contract},{id},login,\"{hash}\"").unwrap();
        writeln!(secrets, "{contract},{id},one_time_password,{seed}").unwrap();
    }
    let files = [("contracts", contracts), ("users", users), ("credentials", secrets)];
    let files = files.map(|(name, text)| {
        let path = house.dir.path().join(format!("{name}-many.csv"));
        std::fs::write(&path, text).unwrap();
        path
    });
    house.import(&files).await;
    let first = "SELECT MIN(id) FROM users WHERE user_id = '500000000'";
    let first = house.count(first).await;
    (first..first + count).collect()
}

async fn sign_in(house: &House, users: &[i64]) -> Vec<i64> {
    let mut all = Vec::with_capacity(users.len());
    let mut tx = house.app.tools.db.write().await.unwrap();
    for user in users {
        let (token, ticket) =
            (Token::generate(&system_entropy()), Token::generate(&system_entropy()));
        let (token, ticket) = (token.digest(), ticket.digest());
        let id = sessions::create(&mut tx, *user, &token, &ticket, None, PLACE).await.unwrap();
        sessions::vouch(&mut tx, id, Proof::Login).await.unwrap();
        sessions::vouch(&mut tx, id, Proof::OneTimePassword).await.unwrap();
        all.push(id);
    }
    tx.commit().await.unwrap();
    all
}

async fn all_that_expire_in_one_minute_end(house: Arc<House>) {
    let count = wanted();
    let users = hire(&house, count).await;
    let sessions = sign_in(&house, &users).await;
    let mut cases = Vec::new();
    for user in &users {
        cases.push((house.app.engine.next_case().await.unwrap(), *user));
    }
    for step in ["open", "otp", "issue"] {
        let mut batch = Vec::new();
        for ((case, user), session) in cases.iter().zip(&sessions) {
            let actor = Actor { id: ActorId(format!("user-{user}")), role: Role::AuthorityHolder };
            let (user, reason) = (UserRef(*user), Reason::NewPc);
            let id = format!("{step}-{case}");
            let submission = match step {
                "open" => Submission::<SelfService>::opening(
                    *case,
                    format!("user-{}", user.0),
                    Command::Open { user, reason },
                    actor,
                    id,
                ),
                "otp" => Submission::new(*case, Command::PassOtp, actor, id),
                _ => Submission::new(*case, Command::Issue, actor, id),
            };
            let place = format!("session-{session} {PLACE}");
            let origin = Origin { auth: "password+otp".to_owned(), place };
            batch.push((submission.from(origin), Attachment::default()));
        }
        for outcome in house.app.desks.self_service.submit_all(batch).await {
            let outcome = outcome.unwrap();
            assert!(matches!(outcome, Outcome::Accepted(_)), "{step}: {outcome:?}");
        }
    }
    house.drain().await;
    let waiting = "SELECT COUNT(*) FROM cases WHERE workflow = 'self_service' \
         AND state_name = 'Tail.Waiting'";
    assert_eq!(house.count(waiting).await, count);
    let began = Instant::now();
    house.wait(Duration::from_hours(24)).await;
    let took = began.elapsed();
    let expired = "SELECT COUNT(*) FROM cases WHERE workflow = 'self_service' \
         AND state_name = 'Tail.Expired' AND ended_at IS NOT NULL";
    assert_eq!(house.count(expired).await, count);
    let live = "SELECT COUNT(*) FROM retrieval_passwords WHERE state = 'active'";
    assert_eq!(house.count(live).await, 0);
    let stuck = "SELECT COUNT(*) FROM outbox WHERE status <> 'done'";
    assert_eq!(house.count(stuck).await, 0);
    let unheard = "SELECT COUNT(*) FROM inbox WHERE status = 'waiting'";
    assert_eq!(house.count(unheard).await, 0);
    println!("{count} cases expired in the same minute: {took:?}");
}
