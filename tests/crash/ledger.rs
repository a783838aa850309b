//! The people of the rehearsal: companies that reissue online, and small ones that send the form.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::BASE32;
use saihakko::app::system_entropy;
use saihakko::import::samples::card_seed;
use saihakko::secret::{HashCost, hash_password};

/// Everybody's login password; nobody here is attacked by guessing.
pub(crate) const LOGIN: &str = "login-of-the-rehearsal";
/// Everybody's transaction password.
pub(crate) const TRANSACTION: &str = "order-of-the-rehearsal";
/// What one hash costs, as configured for the rehearsal.
pub(crate) const COST: HashCost = HashCost { memory_kib: 1024, passes: 1, lanes: 1 };

/// Somebody who can sign in.
#[derive(Clone)]
pub(crate) struct Person {
    /// Ten digits.
    pub(crate) contract: String,
    /// Nine digits.
    pub(crate) user_id: String,
}

/// A company whose administrator reissues online, for themselves and for a colleague. A second
/// holder of the authority only reads the mails.
#[derive(Clone)]
pub(crate) struct Team {
    /// Holds the reissue authority.
    pub(crate) administrator: Person,
    /// Does not.
    pub(crate) colleague: Person,
}

/// What is imported before the first start.
pub(crate) struct Ledger {
    /// Companies that act online.
    pub(crate) teams: Vec<Team>,
    /// People who send Form 3.
    pub(crate) senders: Vec<Person>,
    /// The files to be imported.
    pub(crate) files: Vec<PathBuf>,
}

const CONTRACTS: &str = "number,variant,status,company,company_kana,representative,branch,\
     account_type,account_number,phone,language,phrase,target_only_reveal\n";
const ADDRESSES: &str = "contract,postal_code,address,changed_on\n";
const USERS: &str = "contract,user_id,name,kana,department,title,email,language,status,\
     reissue_authority,certificate_required\n";
const SPECIMENS: &str = "contract,valid_from,valid_to,picture\n";
const CREDENTIALS: &str = "contract,user_id,kind,secret\n";
const STAFF: &str = "person,login,name,roles\n\
     S-001,uketsuke,森 彩,mail_room\nS-002,clerk1,井上 誠,clerk\n\
     S-004,approver1,林 京子,approver\nS-006,hassou,山口 陸,dispatch\n";
const SEAL: &[u8] = include_bytes!("../../samples/seal-mizuiro.png");

/// Writes the ledger into `dir`.
pub(crate) fn write(dir: &Path, teams: usize, senders: usize) -> Ledger {
    fs::create_dir_all(dir).unwrap();
    let mut lists = Lists {
        contracts: vec![CONTRACTS.to_owned()],
        addresses: vec![ADDRESSES.to_owned()],
        users: vec![USERS.to_owned()],
        specimens: vec![SPECIMENS.to_owned()],
        credentials: vec![CREDENTIALS.to_owned()],
        hashes: [LOGIN, TRANSACTION]
            .map(|secret| hash_password(&system_entropy(), None, secret.as_bytes(), COST).unwrap()),
    };
    let teams = (0..teams).map(|no| lists.team(no)).collect();
    let senders = (0..senders).map(|no| lists.sender(no)).collect();
    fs::write(dir.join("seal.png"), SEAL).unwrap();
    let files = [
        ("contracts.csv", lists.contracts.concat()),
        ("addresses.csv", lists.addresses.concat()),
        ("users.csv", lists.users.concat()),
        ("specimens.csv", lists.specimens.concat()),
        ("staff.csv", STAFF.to_owned()),
        ("credentials.csv", lists.credentials.concat()),
    ];
    let files = files.map(|(name, text)| {
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        path
    });
    Ledger { teams, senders, files: files.into() }
}

struct Lists {
    contracts: Vec<String>,
    addresses: Vec<String>,
    users: Vec<String>,
    specimens: Vec<String>,
    credentials: Vec<String>,
    hashes: [String; 2],
}

impl Lists {
    fn contract(&mut self, number: &str, variant: &str, no: usize) {
        self.contracts.push(format!(
            "{number},{variant},active,株式会社 見本{no},カブシキガイシャ ミホン,\
             代表取締役 見本 一郎,042,ordinary,{no:07},03-0000-0101,ja,青い鳥,false\n"
        ));
        self.addresses.push(format!("{number},100-0000,東京都千代田区見本町{no}番地,2018-04-01\n"));
    }

    fn user(&mut self, contract: &str, user_id: String, name: &str, authority: bool) -> Person {
        self.users.push(format!(
            "{contract},{user_id},{name},ミホン,総務部,,u{user_id}@customer.example,ja,active,\
             {authority},true\n"
        ));
        let [login, transaction] = &self.hashes;
        let seed = BASE32.encode(&card_seed(&user_id));
        for (kind, secret) in
            [("login", login), ("transaction", transaction), ("one_time_password", &seed)]
        {
            // A hash holds commas.
            self.credentials.push(format!("{contract},{user_id},{kind},\"{secret}\"\n"));
        }
        Person { contract: contract.to_owned(), user_id }
    }

    fn team(&mut self, no: usize) -> Team {
        let contract = format!("10{no:08}");
        self.contract(&contract, "bizstation", no);
        let administrator = self.user(&contract, format!("1{no:05}001"), "佐藤 花子", true);
        self.user(&contract, format!("1{no:05}002"), "鈴木 一郎", true);
        let colleague = self.user(&contract, format!("1{no:05}003"), "山田 太郎", false);
        Team { administrator, colleague }
    }

    fn sender(&mut self, no: usize) -> Person {
        let contract = format!("20{no:08}");
        self.contract(&contract, "light", no);
        self.specimens.push(format!("{contract},2018-04-01,,seal.png\n"));
        self.user(&contract, format!("2{no:05}001"), "小林 直子", true)
    }
}
