//! The sample ledger of サンプル銀行: two invented companies and their people, embedded.
//!
//! The secrets of the samples are written down in `samples/README.md`; they open nothing but
//! demonstrations.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::BASE32;
use sha2::{Digest, Sha256};

/// The contract of 株式会社 青葉製作所.
pub const AOBA: &str = "0104212345";
/// The contract of 合同会社 みずいろ珈琲, a small one.
pub const MIZUIRO: &str = "0207054321";

const FILES: [(&str, &[u8]); 8] = [
    ("contracts.csv", include_bytes!("../../samples/contracts.csv")),
    ("addresses.csv", include_bytes!("../../samples/addresses.csv")),
    ("users.csv", include_bytes!("../../samples/users.csv")),
    ("specimens.csv", include_bytes!("../../samples/specimens.csv")),
    ("staff.csv", include_bytes!("../../samples/staff.csv")),
    ("holidays.csv", include_bytes!("../../samples/holidays.csv")),
    ("seal-aoba.png", include_bytes!("../../samples/seal-aoba.png")),
    ("seal-mizuiro.png", include_bytes!("../../samples/seal-mizuiro.png")),
];

/// A secret of a sample user, in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleSecret {
    /// The contract's number.
    pub contract: String,
    /// The user's ID.
    pub user_id: String,
    /// `login`, `transaction` or `one_time_password`.
    pub kind: &'static str,
    /// A password, or the seed of a card in Base32.
    pub secret: String,
}

/// The secrets of all sample users: login password `login-<ID>`, transaction password
/// `order-<ID>`, and a card whose seed is the first 20 bytes of the SHA-256 of `card-<ID>`.
pub fn secrets() -> Vec<SampleSecret> {
    let users = include_str!("../../samples/users.csv");
    let mut secrets = Vec::new();
    for line in users.lines().skip(1) {
        let mut columns = line.split(',');
        let (Some(contract), Some(user_id)) = (columns.next(), columns.next()) else { continue };
        for (kind, secret) in [
            ("login", format!("login-{user_id}")),
            ("transaction", format!("order-{user_id}")),
            ("one_time_password", BASE32.encode(&card_seed(user_id))),
        ] {
            let (contract, user_id) = (contract.to_owned(), user_id.to_owned());
            secrets.push(SampleSecret { contract, user_id, kind, secret });
        }
    }
    secrets
}

/// The seed of a sample user's card.
pub fn card_seed(user_id: &str) -> Vec<u8> {
    Sha256::digest(format!("card-{user_id}").as_bytes()).iter().take(20).copied().collect()
}

/// The accounts of the sample staff with their secrets: password `staff-<login>`, and a card whose
/// seed is the first 20 bytes of the SHA-256 of `card-<login>`.
pub fn staff_secrets() -> Vec<SampleSecret> {
    let lines = include_str!("../../samples/staff.csv").lines().skip(1);
    let logins = lines.filter_map(|line| line.split(',').nth(1));
    let secret = |login: &str| SampleSecret {
        contract: String::new(),
        user_id: login.to_owned(),
        kind: "staff",
        secret: format!("staff-{login}"),
    };
    logins.map(secret).collect()
}

/// Writes the sample files into `dir` and gives the lists among them, ready to be imported.
/// `hash` turns a password into the PHC string that the program verifies.
pub fn write(
    dir: &Path,
    mut hash: impl FnMut(&SampleSecret) -> io::Result<String>,
) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(dir)?;
    let mut lists = Vec::new();
    for (name, bytes) in FILES {
        let path = dir.join(name);
        fs::write(&path, bytes)?;
        if path.extension().is_some_and(|ending| ending == "csv") {
            lists.push(path);
        }
    }
    write_staff(&dir.join("staff.csv"), &mut hash)?;
    let path = dir.join("credentials.csv");
    let mut file = csv::Writer::from_path(&path)?;
    file.write_record(["contract", "user_id", "kind", "secret"])?;
    for one in secrets() {
        let secret = if one.kind == "one_time_password" { one.secret.clone() } else { hash(&one)? };
        file.write_record([&one.contract, &one.user_id, one.kind, &secret])?;
    }
    file.flush()?;
    lists.push(path);
    Ok(lists)
}

/// The list of staff with its secrets beside it.
fn write_staff(
    path: &Path,
    hash: &mut impl FnMut(&SampleSecret) -> io::Result<String>,
) -> io::Result<()> {
    let mut lines = include_str!("../../samples/staff.csv").lines();
    let mut text = format!("{},password,seed\n", lines.next().unwrap_or_default());
    for (line, secret) in lines.zip(staff_secrets()) {
        // PHC strings hold commas.
        let (password, seed) = (hash(&secret)?, BASE32.encode(&card_seed(&secret.user_id)));
        let _ = writeln!(text, "{line},\"{password}\",{seed}");
    }
    fs::write(path, text)
}
