//! Bundles, opened by OpenSSL and imported into NSS, the store of Firefox and Chromium.

use pki::{Alias, BundlePassword, Encryption, Fault, bundle};

use crate::workbench::{APRIL, Workbench, fresh_key, installed};

/// Writes `user.p12` and the certificate in it as `client.pem`; returns the key in PEM.
fn write(bench: &Workbench, password: &str, encryption: Encryption) -> String {
    let (key, public) = fresh_key();
    let certificate = bench.client(1, &public);
    bench.write("client.pem", certificate.to_pem());
    let password = BundlePassword::new(password).unwrap();
    let alias = Alias::new("TARO0001").unwrap();
    let chain = bench.authority.chain();
    let written = bundle(&key, &certificate, &chain, &alias, &password, encryption).unwrap();
    bench.write("user.p12", written.as_slice());
    key.to_pem().to_string()
}

fn open(bench: &Workbench, password: &str) -> crate::workbench::Outcome {
    let password = format!("pass:{password}");
    bench.openssl(&["pkcs12", "-in", "user.p12", "-passin", &password, "-nodes", "-info"])
}

const WAYS: [(&str, Encryption); 4] = [
    ("", Encryption::Aes256),
    ("correct horse 7", Encryption::Aes256),
    ("", Encryption::Legacy),
    ("correct horse 7", Encryption::Legacy),
];

#[test]
fn openssl_opens_every_bundle_and_finds_key_chain_and_alias() {
    let bench = Workbench::at(APRIL);
    for (password, encryption) in WAYS {
        let key = write(&bench, password, encryption);
        let shown = open(&bench, password).accepted();
        assert!(shown.contains(&key), "the key is another one:\n{shown}");
        assert_eq!(shown.matches("BEGIN CERTIFICATE").count(), 3, "{shown}");
        assert!(shown.contains("friendlyName: TARO0001"), "{shown}");
        let cipher = match encryption {
            Encryption::Aes256 => "PBES2, PBKDF2, AES-256-CBC",
            Encryption::Legacy => "pbeWithSHA1And3-KeyTripleDES-CBC",
        };
        // Both halves: the certificates' and the key's.
        assert_eq!(shown.matches(cipher).count(), 2, "{shown}");
        let rounds = if password.is_empty() { "Iteration 2048" } else { "Iteration 100000" };
        assert_eq!(shown.matches(rounds).count(), 3, "{shown}");
    }
}

#[test]
fn a_wrong_password_opens_nothing() {
    let bench = Workbench::at(APRIL);
    for (password, encryption) in WAYS {
        write(&bench, password, encryption);
        assert!(open(&bench, "wrong").refused().contains("invalid password"));
    }
}

#[test]
fn nss_imports_every_bundle_under_the_alias() {
    if !installed("pk12util") || !installed("certutil") {
        return;
    }
    for (at, (password, encryption)) in WAYS.into_iter().enumerate() {
        let bench = Workbench::at(APRIL);
        write(&bench, password, encryption);
        let store = bench.path(&format!("store{at}"));
        std::fs::create_dir(&store).unwrap();
        let store = format!("sql:{}", store.display());
        bench.run("certutil", &["-N", "-d", &store, "--empty-password"]).accepted();
        let import = |password: &str| {
            bench.run("pk12util", &["-i", "user.p12", "-d", &store, "-W", password])
        };
        import("wrong").refused();
        import(password).accepted();
        let keys = bench.run("certutil", &["-K", "-d", &store]).accepted();
        assert!(keys.contains("ec") && keys.lines().count() == 2, "{keys}");
        let certificates = bench.run("certutil", &["-L", "-d", &store]).accepted();
        assert!(certificates.contains("u,u,u"), "no certificate with its key:\n{certificates}");
        let above = certificates.lines().filter(|line| line.trim_end().ends_with(",,")).count();
        assert_eq!(above, 2, "issuing authority and root:\n{certificates}");
        let trusting = ["-A", "-d", &store, "-n", "root", "-t", "CT,,", "-i", "root.pem"];
        bench.run("certutil", &trusting).accepted();
        let nickname = certificates
            .lines()
            .find_map(|line| line.strip_suffix("u,u,u"))
            .map(str::trim)
            .unwrap();
        assert!(nickname.contains("TARO0001"), "{certificates}");
        // A client certificate that the store would offer on 2 April 2026.
        let when = ["-V", "-d", &store, "-n", nickname, "-u", "C", "-b", "260402000000Z"];
        let judged = bench.run("certutil", &when).accepted();
        assert!(judged.contains("certificate is valid"), "{judged}");
    }
}

#[test]
fn key_and_certificate_of_a_bundle_belong_together() {
    let bench = Workbench::at(APRIL);
    let certificate = bench.client(1, &fresh_key().1);
    let fault = bundle(
        &fresh_key().0,
        &certificate,
        &bench.authority.chain(),
        &Alias::new("TARO0001").unwrap(),
        &BundlePassword::empty(),
        Encryption::default(),
    );
    assert!(matches!(fault, Err(Fault::KeyMismatch { .. })));
}

#[test]
fn aliases_and_passwords_are_plain() {
    for wrong in ["", "太郎", "𠮷野", "a\tb", &"x".repeat(65)] {
        Alias::new(wrong).unwrap_err();
    }
    for wrong in ["パスワード", "１２３４", "a\nb", &"x".repeat(65)] {
        BundlePassword::new(wrong).unwrap_err();
    }
    let password = BundlePassword::new("correct horse 7").unwrap();
    assert!(!format!("{password:?}").contains("horse"));
}
