use std::fs;
use std::path::Path;
use std::sync::Arc;

use engine::outbox::Retry;
use engine::{Clock, Db, Entropy, Moment, on};

use super::samples::{self, AOBA};
use super::*;
use crate::config::BusinessDays;
use crate::store::{self, addresses, contracts, enrolment, specimens, users};

/// A hash as the program stores it; a real one, made once.
const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$3vDMEsGAd0kDBnHQcQ9X1bLbN9VvPV2Vq3s0xJm9Hn4";

/// Cheap, because nobody attacks these.
const COST: HashCost = HashCost { memory_kib: 64, passes: 1, lanes: 1 };

struct Bench {
    dir: tempfile::TempDir,
    engine: Engine,
    keys: Keys,
}

async fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Moment::from_seconds(1_795_160_049));
    let db = Db::sqlite(&dir.path().join("test.db"), true, clock).await.unwrap();
    store::migrate(&db).await.unwrap();
    let entropy: Entropy = Arc::new(|bytes: &mut [u8]| getrandom::fill(bytes).unwrap());
    let key_file = dir.path().join("keys.json");
    Keys::create(&key_file, &entropy).unwrap();
    let keys = Keys::load(&key_file, entropy.clone()).unwrap();
    let calendar = crate::holidays::calendar(&BusinessDays::default(), []);
    let engine = Engine::new(db, calendar, Retry::default(), entropy);
    Bench { dir, engine, keys }
}

impl Bench {
    fn samples(&self) -> Vec<PathBuf> {
        samples::write(&self.dir.path().join("samples"), |_| Ok(HASH.to_owned())).unwrap()
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    async fn import(&self, paths: &[PathBuf]) -> Report {
        import(&self.engine, &self.keys, COST, paths).await.unwrap()
    }

    async fn rows(&self, table: &str) -> i64 {
        let sql = match table {
            "contracts" => "SELECT COUNT(*) FROM contracts",
            "users" => "SELECT COUNT(*) FROM users",
            "credentials" => "SELECT COUNT(*) FROM credentials",
            "addresses" => "SELECT COUNT(*) FROM addresses",
            _ => "SELECT COUNT(*) FROM staff",
        };
        let mut tx = self.engine.db().read().await.unwrap();
        on!(&mut tx, |conn| sqlx::query_scalar(sql).fetch_one(conn).await).unwrap()
    }
}

fn lines(report: &Report) -> Vec<String> {
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    report
        .problems
        .iter()
        .map(|problem| {
            format!("{}:{}:{} {}", name(&problem.file), problem.line, problem.column, problem.en)
        })
        .collect()
}

#[tokio::test]
async fn the_samples_are_imported_whole_and_a_second_time_change_nothing() {
    let bench = bench().await;
    let paths = bench.samples();
    let first = bench.import(&paths).await;
    assert_eq!(first.problems, []);
    let new = |new| Counts { new, ..Counts::default() };
    assert_eq!(first.counts["contracts"], new(2));
    assert_eq!(first.counts["users"], new(8));
    assert_eq!(first.counts["credentials"], new(24));
    assert_eq!(first.counts["specimens"], new(2));
    let staff = include_str!("../../samples/staff.csv").lines().skip(1).count();
    assert_eq!(first.counts["staff"].new, u64::try_from(staff).unwrap());
    // Each user has a row for the retrieval password too, under a case number of its own.
    assert_eq!(bench.rows("credentials").await, 32);

    let second = bench.import(&paths).await;
    assert_eq!(second.problems, []);
    assert!(second.counts.values().all(|counts| counts.new == 0 && counts.changed == 0));
    assert_eq!(second.counts["credentials"].same, 24);
    assert_eq!(bench.rows("credentials").await, 32);
    assert_eq!(bench.rows("addresses").await, 2);
}

#[tokio::test]
async fn what_was_imported_is_there_to_read() {
    let bench = bench().await;
    bench.import(&bench.samples()).await;
    let mut tx = bench.engine.db().read().await.unwrap();
    let contract = contracts::id_of(&mut tx, AOBA).await.unwrap().unwrap();
    let yamada = users::find(&mut tx, contract, "010429003").await.unwrap().unwrap();
    assert_eq!((yamada.name.as_str(), yamada.department.as_str()), ("山田 太郎", "材料部"));
    assert!(!yamada.reissue_authority);
    let address = addresses::current(&mut tx, contract).await.unwrap().unwrap();
    assert_eq!((address.version, address.postal_code.as_str()), (1, "1000000"));
    let seal = specimens::find(&mut tx, contract, "2018-04-01").await.unwrap().unwrap();
    let bound_to = specimens::sealing_data(AOBA, &seal.digest);
    let picture = bench.keys.open(specimens::PURPOSE, &bound_to, &seal.picture).unwrap();
    assert!(picture.starts_with(b"\x89PNG") && !seal.picture.starts_with(b"\x89PNG"));
    let user = users::id_of(&mut tx, contract, "010429003").await.unwrap().unwrap();
    let stored = enrolment::secret(&mut tx, user, "one_time_password").await.unwrap().unwrap();
    let sealed = data_encoding::BASE64.decode(stored.as_bytes()).unwrap();
    let bound_to = enrolment::seed_sealing_data(AOBA, "010429003");
    let seed = bench.keys.open(enrolment::SEED_PURPOSE, &bound_to, &sealed).unwrap();
    assert_eq!(*seed, samples::card_seed("010429003"));
    assert_eq!(enrolment::secret(&mut tx, user, "retrieval").await.unwrap().unwrap(), "");
    let missing = crate::store::users::of_contract(&mut tx, contract).await.unwrap();
    assert_eq!(missing.len(), 6);
}

#[tokio::test]
async fn changed_rows_are_updated_and_an_address_becomes_a_new_version() {
    let bench = bench().await;
    bench.import(&bench.samples()).await;
    let users = bench.file(
        "users.csv",
        "contract,user_id,name,kana,reissue_authority\n0104212345,010429003,山田 花太郎,ﾔﾏﾀﾞ ﾊﾅﾀﾛｳ,yes\n",
    );
    let addresses_file = bench.file(
        "addresses.jsonl",
        "{\"contract\":\"０１０４２１２３４５\",\"postal_code\":\"1000001\",\"address\":\"見本町9番\",\"changed_on\":\"2026-11-01\"}\n",
    );
    let report = bench.import(&[users, addresses_file]).await;
    assert_eq!(report.problems, []);
    assert_eq!(report.counts["users"].changed, 1);
    assert_eq!(report.counts["addresses"].changed, 1);
    let mut tx = bench.engine.db().read().await.unwrap();
    let contract = contracts::id_of(&mut tx, AOBA).await.unwrap().unwrap();
    let user = users::find(&mut tx, contract, "010429003").await.unwrap().unwrap();
    assert_eq!((user.kana.as_str(), user.reissue_authority), ("ヤマダ ハナタロウ", true));
    assert_eq!(addresses::current(&mut tx, contract).await.unwrap().unwrap().version, 2);
}

#[tokio::test]
async fn every_bad_row_is_told_and_nothing_is_written() {
    let bench = bench().await;
    let contracts = bench.file(
        "contracts.csv",
        "number,variant,company,company_kana,representative,branch,account_type,account_number,phone\n\
         0104212345,bizstation,青葉,アオバ,代表 青葉,042,ordinary,1234567,03-0000-0101\n\
         010421234,heavy,青葉,アオバ,代表 青葉,42,savings,123,110\n\
         0104212345,bizstation,青葉,aoba,代表 青葉,042,ordinary,1234567,03-0000-0101\n\
         0104212345,light,青葉,アオバ,代表 青葉,042,ordinary,1234567,03-0000-0101\n",
    );
    let users = bench.file(
        "users.csv",
        "contract,user_id,name,kana,reissue_authority,email\n\
         0104212345,01042900,山田,ヤマダ,maybe,taro@aoba.example\r\n\
         0104212345,010429003,山田,ヤマダ,false,\"taro@aoba.example, x@evil.example\"\n",
    );
    let staff = bench.file("staff.csv", "person,login,name,roles\nS-1,a,森,janitor\n");
    let credentials = bench.file(
        "credentials.csv",
        "contract,user_id,kind,secret\n0104212345,010429003,login,geheim\n\
         0104212345,010429003,one_time_password,ABC\n",
    );
    let specimens = bench
        .file("specimens.csv", "contract,valid_from,picture\n0104212345,2026-02-30,../keys.json\n");
    let report = bench.import(&[contracts, users, staff, credentials, specimens]).await;
    let dir = format!("{}/", bench.dir.path().display());
    insta::assert_snapshot!("bad_rows", lines(&report).join("\n").replace(&dir, ""));
    assert!(report.counts.is_empty());
    assert!(!serde_json::to_string(&report).unwrap().contains("geheim"));
    assert_eq!(bench.rows("contracts").await, 0);
}

#[tokio::test]
async fn a_row_without_its_contract_or_user_undoes_everything() {
    let bench = bench().await;
    let mut paths = bench.samples();
    paths.push(bench.file(
        "credentials-more.csv",
        format!("contract,user_id,kind,secret\n0104212345,010429099,login,\"{HASH}\"\n9999999999,010429003,login,\"{HASH}\"\n"),
    ));
    let report = bench.import(&paths).await;
    assert_eq!(
        lines(&report),
        [
            "credentials-more.csv:2:user_id no such user: add them to the list of users",
            "credentials-more.csv:3:contract no such contract: add it to the list of contracts",
        ]
    );
    for table in ["contracts", "users", "credentials", "staff"] {
        assert_eq!(bench.rows(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn encodings_are_told_apart() {
    let bench = bench().await;
    let text = "day,name\n2026-12-01,創立記念日\n";
    let marked = bench.file("holidays-bom.csv", [b"\xEF\xBB\xBF", text.as_bytes()].concat());
    assert_eq!(bench.import(&[marked]).await.counts["holidays"].new, 1);
    // 創立 in Shift_JIS.
    let jis = bench.file("holidays-jis.csv", b"day,name\n2026-12-02,\x91\x6E\x97\xA7\n");
    let report = bench.import(&[jis]).await;
    assert!(report.problems[0].ja.contains("Shift_JIS"), "{:?}", report.problems);
    let wide = bench.file("holidays-16.csv", b"\xFF\xFEd\0a\0y\0");
    assert!(bench.import(&[wide]).await.problems[0].en.contains("UTF-16"));
    let broken = bench.file("holidays-x.csv", b"day,name\n\xFF\xFF\n");
    assert!(bench.import(&[broken]).await.problems[0].en.contains("not UTF-8"));
}

#[tokio::test]
async fn files_that_are_not_what_they_seem_are_refused() {
    let bench = bench().await;
    for (name, text, said) in [
        ("holidays.csv", "day,nmae\n2026-12-01,x\n", "unknown column"),
        ("holidays2.csv", "day\n2026-12-01\n", "this column is needed"),
        ("holidays3.csv", "day,name\n2026-12-01\n", "there are 1 columns"),
        ("holidays.jsonl", "{\"day\":\n", "no JSON object"),
        ("things.csv", "a,b\n1,2\n", "what it holds is not clear"),
        ("holidays4.csv", "day,name\n2026-13-01,x\n", "a day that exists"),
    ] {
        let report = bench.import(&[bench.file(name, text)]).await;
        assert_eq!(report.problems.len(), 1, "{name}");
        assert!(report.problems[0].en.contains(said), "{name}: {:?}", report.problems);
        assert!(!report.problems[0].ja.is_ascii());
    }
    let report = bench.import(&[PathBuf::from("/nonexistent/users.csv")]).await;
    assert!(report.problems[0].text(Language::English).contains("cannot be read"));
    let by_heading = bench.file("list.csv", "day,name\n2026-12-01,x\n");
    assert_eq!(bench.import(&[by_heading]).await.counts["holidays"].new, 1);
}

#[tokio::test]
async fn a_changed_seed_or_hash_replaces_the_old_one() {
    let bench = bench().await;
    bench.import(&bench.samples()).await;
    let other = HASH.replace("3vDM", "4vDM");
    let seed = data_encoding::BASE32.encode(&[7; 20]);
    let file = bench.file(
        "credentials.csv",
        format!("contract,user_id,kind,secret\n0104212345,010429003,login,\"{other}\"\n0104212345,010429003,one_time_password,{seed}\n"),
    );
    assert_eq!(bench.import(&[file]).await.counts["credentials"].changed, 2);
    assert_eq!(bench.rows("credentials").await, 32);
}
