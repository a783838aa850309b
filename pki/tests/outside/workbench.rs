//! A founded authority, a folder for files, and the outside programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pki::{
    Authority, Certificate, ClientSpecification, Foundation, PrivateKey, PublicKey, RevocationUrl,
    Root, Serial, ServerSpecification, Subject, Validity,
};
use tempfile::TempDir;

/// 2026-04-01 00:00:00 UTC, the beginning of the Japanese business year.
pub(crate) const APRIL: i64 = 1_775_001_600;
pub(crate) const DAY: i64 = 86_400;

/// Root, issuing authority and their certificates as files.
pub(crate) struct Workbench {
    pub(crate) root: Root,
    pub(crate) authority: Authority,
    pub(crate) now: i64,
    folder: TempDir,
}

impl Workbench {
    /// Founds both authorities at a moment in Unix seconds.
    pub(crate) fn at(now: i64) -> Self {
        let (root, authority) = Authority::create(&foundation(now)).unwrap();
        let bench = Self { root, authority, now, folder: TempDir::new().unwrap() };
        bench.write("root.pem", bench.root.certificate().to_pem());
        bench.write("issuing.pem", bench.authority.certificate().to_pem());
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn client(&self, number: u8, key: &PublicKey) -> Certificate {
        self.authority.issue_client(&client(number, self.now), key).unwrap()
    }

    /// Runs a program in the folder.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Outcome {
        Outcome::of(Command::new(program).current_dir(self.folder()).args(arguments))
    }

    /// Runs OpenSSL in the folder.
    pub(crate) fn openssl(&self, arguments: &[&str]) -> Outcome {
        self.run("openssl", arguments)
    }
}

pub(crate) fn foundation(now: i64) -> Foundation {
    Foundation {
        root_subject: Subject::new("サンプル銀行 ルート認証局")
            .and_then(|subject| subject.with_organization("サンプル銀行"))
            .unwrap(),
        root_validity: Validity::years(now - DAY, 20).unwrap(),
        root_serial: serial(250),
        issuing_subject: Subject::new("サンプル銀行 発行認証局")
            .and_then(|subject| subject.with_organization("サンプル銀行"))
            .unwrap(),
        issuing_validity: Validity::years(now - DAY, 10).unwrap(),
        issuing_serial: serial(251),
        root_revocation_url: Some(RevocationUrl::new("http://crl.example.jp/root.crl").unwrap()),
    }
}

pub(crate) fn serial(number: u8) -> Serial {
    let mut octets = [0; 16];
    octets[15] = number;
    Serial::from_random(octets)
}

pub(crate) fn client(number: u8, now: i64) -> ClientSpecification {
    ClientSpecification {
        subject: Subject::new("TARO0001")
            .and_then(|subject| subject.with_organization("山田商事"))
            .and_then(|subject| subject.with_organizational_unit("Sample BizSTATION"))
            .unwrap(),
        validity: Validity::years(now, 1).unwrap(),
        serial: serial(number),
        revocation_url: RevocationUrl::new("http://crl.example.jp/issuing.crl").unwrap(),
    }
}

pub(crate) fn server(number: u8, now: i64, names: &[&str]) -> ServerSpecification {
    ServerSpecification {
        subject: Subject::new("localhost").unwrap(),
        validity: Validity::years(now - DAY, 1).unwrap(),
        serial: serial(number),
        names: names.iter().map(|name| name.parse().unwrap()).collect(),
        revocation_url: None,
    }
}

pub(crate) fn fresh_key() -> (PrivateKey, PublicKey) {
    let key = PrivateKey::generate().unwrap();
    let public = key.public_key().clone();
    (key, public)
}

/// What a program said and whether it was content.
pub(crate) struct Outcome {
    pub(crate) success: bool,
    /// Standard output, then standard error.
    pub(crate) said: String,
    what: String,
}

impl Outcome {
    pub(crate) fn of(command: &mut Command) -> Self {
        let what = format!("{command:?}");
        let Output { status, stdout, stderr } =
            command.output().unwrap_or_else(|error| panic!("{what}: {error}"));
        let said =
            String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
        Self { success: status.success(), said, what }
    }

    #[track_caller]
    pub(crate) fn accepted(self) -> String {
        assert!(self.success, "{} failed:\n{}", self.what, self.said);
        self.said
    }

    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert!(!self.success, "{} was content:\n{}", self.what, self.said);
        self.said
    }
}

/// Whether a program is installed; on the continuous integration it has to be.
pub(crate) fn installed(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).any(|folder| folder.join(program).is_file());
    if !found {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{program} is not installed");
        println!("SKIP: {program} is not installed");
    }
    found
}
