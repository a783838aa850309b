//! Authorities and the certificates they sign.

use pki::{
    Authority, Certificate, Fault, PrivateKey, Root, ServerName, Subject, Validity, summary,
};

use crate::workbench::{APRIL, DAY, Workbench, client, foundation, fresh_key, serial, server};

/// `openssl x509 -text` with everything replaced that differs from key to key.
fn text(bench: &Workbench, certificate: &Certificate) -> String {
    bench.write("shown.pem", certificate.to_pem());
    let shown = bench
        .openssl(&[
            "x509",
            "-in",
            "shown.pem",
            "-noout",
            "-text",
            "-nameopt",
            "utf8,sep_comma_plus",
            "-certopt",
            "no_pubkey,no_sigdump",
        ])
        .accepted();
    let hex = |line: &&str| {
        line.trim().split(':').count() == 20 && line.trim().split(':').all(|pair| pair.len() == 2)
    };
    shown
        .lines()
        .map(|line| if hex(&line) { "                <20 octets>" } else { line })
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

fn verify(bench: &Workbench, more: &[&str]) -> crate::workbench::Outcome {
    let at = (bench.now + DAY).to_string();
    let mut arguments = vec!["verify", "-x509_strict", "-CAfile", "root.pem"];
    arguments.extend(["-untrusted", "issuing.pem", "-attime", at.as_str()]);
    arguments.extend(more);
    bench.openssl(&arguments)
}

#[test]
fn a_client_certificate_holds_exactly_the_wanted_extensions() {
    let bench = Workbench::at(APRIL);
    let certificate = bench.client(1, &fresh_key().1);
    insta::assert_snapshot!(text(&bench, &certificate));
}

#[test]
fn a_server_certificate_holds_exactly_the_wanted_extensions() {
    let bench = Workbench::at(APRIL);
    let names = ["localhost", "cert.example.jp", "127.0.0.1", "::1"];
    let specification = server(2, APRIL, &names);
    let certificate = bench.authority.issue_server(&specification, &fresh_key().1).unwrap();
    insta::assert_snapshot!(text(&bench, &certificate));
}

#[test]
fn the_authorities_hold_exactly_the_wanted_extensions() {
    let bench = Workbench::at(APRIL);
    insta::assert_snapshot!("root", text(&bench, bench.root.certificate()));
    insta::assert_snapshot!("issuing", text(&bench, bench.authority.certificate()));
}

#[test]
fn openssl_follows_the_chain_and_keeps_the_purposes_apart() {
    let bench = Workbench::at(APRIL);
    bench.write("client.pem", bench.client(1, &fresh_key().1).to_pem());
    let specification = server(2, APRIL, &["cert.example.jp", "127.0.0.1", "::1"]);
    let served = bench.authority.issue_server(&specification, &fresh_key().1).unwrap();
    bench.write("server.pem", served.to_pem());

    verify(&bench, &["-purpose", "sslclient", "client.pem"]).accepted();
    verify(&bench, &["-purpose", "sslserver", "client.pem"]).refused();
    verify(&bench, &["-purpose", "sslserver", "server.pem"]).accepted();
    verify(&bench, &["-purpose", "sslclient", "server.pem"]).refused();
    verify(&bench, &["-verify_hostname", "cert.example.jp", "server.pem"]).accepted();
    verify(&bench, &["-verify_hostname", "other.example.jp", "server.pem"]).refused();
    verify(&bench, &["-verify_ip", "127.0.0.1", "server.pem"]).accepted();
    verify(&bench, &["-verify_ip", "::1", "server.pem"]).accepted();
    verify(&bench, &["-verify_ip", "127.0.0.2", "server.pem"]).refused();
}

#[test]
fn a_client_certificate_ends_with_its_year() {
    let bench = Workbench::at(APRIL);
    let certificate = bench.client(1, &fresh_key().1);
    bench.write("client.pem", certificate.to_pem());
    let at = |moment: i64| {
        let moment = moment.to_string();
        bench.openssl(&[
            "verify",
            "-CAfile",
            "root.pem",
            "-untrusted",
            "issuing.pem",
            "-attime",
            &moment,
            "client.pem",
        ])
    };
    let end = APRIL + 365 * DAY;
    assert_eq!(certificate.summary().not_after, end);
    at(end - 1).accepted();
    assert!(at(end + 1).refused().contains("expired"));
    assert!(at(APRIL - 1).refused().contains("not yet valid"));
}

#[test]
fn a_foreign_authority_of_the_same_name_signs_nothing_of_ours() {
    let bench = Workbench::at(APRIL);
    let impostor = Workbench::at(APRIL);
    let theirs = impostor.client(1, &fresh_key().1);
    let ours = bench.client(1, &fresh_key().1);
    bench.write("theirs.pem", theirs.to_pem());
    verify(&bench, &["theirs.pem"]).refused();
    assert!(bench.authority.has_signed(ours.der()));
    assert!(!bench.authority.has_signed(theirs.der()));
    assert!(!bench.authority.has_signed(b"no certificate"));
}

#[test]
fn an_authority_is_the_same_after_its_files_were_read_back() {
    let bench = Workbench::at(APRIL);
    let root_pem = bench.root.certificate().to_pem();
    let again = Authority::load(
        &root_pem,
        &bench.authority.certificate().to_pem(),
        &bench.authority.key_pem(),
    )
    .unwrap();
    let certificate = again.issue_client(&client(7, APRIL), &fresh_key().1).unwrap();
    bench.write("client.pem", certificate.to_pem());
    verify(&bench, &["client.pem"]).accepted();

    let root = Root::load(&root_pem, &bench.root.key_pem()).unwrap();
    let subject = Subject::new("サンプル銀行 発行認証局 2").unwrap();
    let validity = Validity::years(APRIL, 10).unwrap();
    let second = root.found(&subject, validity, &serial(99), None).unwrap();
    bench.write("issuing.pem", second.certificate().to_pem());
    let certificate = second.issue_client(&client(8, APRIL), &fresh_key().1).unwrap();
    bench.write("client.pem", certificate.to_pem());
    verify(&bench, &["client.pem"]).accepted();
}

#[test]
fn openssl_reads_the_stored_keys_and_an_openssl_authority_can_be_taken_up() {
    let bench = Workbench::at(APRIL);
    bench.write("issuing.key", bench.authority.key_pem().as_bytes());
    let shown = bench.openssl(&["pkey", "-in", "issuing.key", "-check", "-noout"]).accepted();
    assert!(shown.contains("Key is valid"), "{shown}");

    // OpenSSL derives its key identifiers with SHA-1, the certificate library with SHA-256.
    bench
        .openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "foreign.key",
            "-out",
            "foreign.pem",
            "-subj",
            "/O=Old/CN=Old Root",
            "-days",
            "3650",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ])
        .accepted();
    let root = Root::load(
        &String::from_utf8(bench.read("foreign.pem")).unwrap(),
        &String::from_utf8(bench.read("foreign.key")).unwrap(),
    )
    .unwrap();
    let now = root.certificate().summary().not_before;
    let subject = Subject::new("New Issuing").unwrap();
    let validity = Validity::years(now, 5).unwrap();
    let authority = root.found(&subject, validity, &serial(3), None).unwrap();
    let certificate = authority.issue_client(&client(4, now), &fresh_key().1).unwrap();
    bench.write("issuing.pem", authority.certificate().to_pem());
    bench.write("client.pem", certificate.to_pem());
    bench
        .openssl(&[
            "verify",
            "-x509_strict",
            "-CAfile",
            "foreign.pem",
            "-untrusted",
            "issuing.pem",
            "client.pem",
        ])
        .accepted();
}

#[test]
fn what_does_not_belong_together_is_not_taken_up() {
    let bench = Workbench::at(APRIL);
    let other = Workbench::at(APRIL);
    let root = bench.root.certificate().to_pem();
    let issuing = bench.authority.certificate().to_pem();
    let key = bench.authority.key_pem();
    let load = |root: &str, issuing: &str, key: &str| Authority::load(root, issuing, key).err();

    assert!(load(&root, &issuing, &key).is_none());
    let foreign_key = load(&root, &issuing, &other.authority.key_pem());
    assert!(matches!(foreign_key, Some(Fault::KeyMismatch { .. })), "{foreign_key:?}");
    let foreign_root = load(&other.root.certificate().to_pem(), &issuing, &key);
    assert!(matches!(foreign_root, Some(Fault::ForeignRoot)), "{foreign_root:?}");
    let swapped = load(&root, &key, &issuing);
    assert!(matches!(swapped, Some(Fault::Pem { .. })), "{swapped:?}");

    let (leaf_key, public) = fresh_key();
    let leaf = bench.client(1, &public).to_pem();
    let no_authority = load(&root, &leaf, &leaf_key.to_pem());
    assert!(matches!(no_authority, Some(Fault::NotAnAuthority { .. })), "{no_authority:?}");
}

#[test]
fn nothing_outlives_its_issuer() {
    let bench = Workbench::at(APRIL);
    let end = bench.authority.certificate().summary().not_after;
    let mut specification = client(1, APRIL);
    specification.validity = Validity::new(APRIL, end).unwrap();
    bench.authority.issue_client(&specification, &fresh_key().1).unwrap();
    specification.validity = Validity::new(APRIL, end + 1).unwrap();
    let fault = bench.authority.issue_client(&specification, &fresh_key().1).unwrap_err();
    assert!(matches!(fault, Fault::OutlivesIssuer { .. }), "{fault:?}");

    let mut wrong = foundation(APRIL);
    wrong.issuing_validity = Validity::years(APRIL, 30).unwrap();
    let fault = Authority::create(&wrong).unwrap_err();
    assert!(matches!(fault, Fault::OutlivesIssuer { .. }), "{fault:?}");
}

#[test]
fn a_server_certificate_needs_a_name_that_is_one() {
    let bench = Workbench::at(APRIL);
    let fault = bench.authority.issue_server(&server(1, APRIL, &[]), &fresh_key().1).unwrap_err();
    assert!(matches!(fault, Fault::NoServerName));
    for wrong in ["", "*.example.jp", "exa mple.jp", "例え.jp", "http://example.jp", "a..b"] {
        wrong.parse::<ServerName>().expect_err(wrong);
    }
    assert_eq!("Example.JP".parse(), Ok(ServerName::Dns("example.jp".into())));
}

#[test]
fn a_summary_tells_what_openssl_tells() {
    let bench = Workbench::at(APRIL);
    let certificate = bench.client(9, &fresh_key().1);
    bench.write("client.pem", certificate.to_pem());
    let shown = bench
        .openssl(&["x509", "-in", "client.pem", "-noout", "-fingerprint", "-sha256", "-serial"])
        .accepted();
    let summary = summary(certificate.der()).unwrap();
    let plain = shown.replace(':', "").to_lowercase();
    assert!(plain.contains(&format!("fingerprint={}", summary.fingerprint)), "{shown}");
    assert!(plain.contains(&format!("serial={}", summary.serial)), "{shown}");
    assert_eq!(summary.serial, serial(9));
    assert_eq!((summary.not_before, summary.not_after), (APRIL, APRIL + 365 * DAY));
    assert_eq!(summary.common_name.as_deref(), Some("TARO0001"));
    assert_eq!(summary.issuer, "O=サンプル銀行, CN=サンプル銀行 発行認証局");
    assert_eq!(&summary, certificate.summary());

    let mut followed = certificate.der().to_vec();
    followed.push(0);
    Certificate::from_der(followed).unwrap_err();
}

#[test]
fn nothing_shown_for_debugging_holds_a_key() {
    let bench = Workbench::at(APRIL);
    let key = PrivateKey::generate().unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey(not shown)");
    let shown = format!("{:?} {:?}", bench.authority, bench.root);
    for pem in [bench.authority.key_pem(), bench.root.key_pem()] {
        let secret = PrivateKey::from_pem("a test", &pem).unwrap();
        // In P-256 PKCS#8 as made here, the secret number stands at octets 36 to 67.
        let numbers = format!("{:?}", &secret.pkcs8()[36..68]);
        let numbers = numbers.trim_matches(['[', ']']);
        assert!(!shown.contains(numbers));
        assert!(!shown.contains(pem.lines().nth(1).unwrap()));
    }
    assert!(shown.contains("elided"), "{shown}");
}
