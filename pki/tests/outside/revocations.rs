//! Revocation lists, judged by OpenSSL.

use pki::{Fault, Reason, Revocation, RevocationList, Validity};

use crate::workbench::{APRIL, DAY, Outcome, Workbench, fresh_key, serial};

fn list(number: u64, made: i64, revocations: &[(u8, Reason)]) -> RevocationList {
    let revocation = |(number, reason): &(u8, Reason)| Revocation {
        serial: serial(*number),
        revoked_at: made - 60,
        reason: *reason,
    };
    RevocationList {
        number,
        window: Validity::new(made, made + 7 * DAY).unwrap(),
        revocations: revocations.iter().map(revocation).collect(),
    }
}

fn publish(bench: &Workbench, list: &RevocationList) {
    let signed = bench.authority.revocation_list(list).unwrap();
    bench.write("issuing.crl", signed.to_pem());
}

fn check(bench: &Workbench, certificate: &str, at: i64) -> Outcome {
    let at = at.to_string();
    bench.openssl(&[
        "verify",
        "-x509_strict",
        "-crl_check",
        "-CAfile",
        "root.pem",
        "-untrusted",
        "issuing.pem",
        "-CRLfile",
        "issuing.crl",
        "-attime",
        &at,
        certificate,
    ])
}

#[test]
fn openssl_turns_away_what_is_revoked_and_nothing_else() {
    let bench = Workbench::at(APRIL);
    for number in 1..=4 {
        bench.write(&format!("{number}.pem"), bench.client(number, &fresh_key().1).to_pem());
    }
    let revoked =
        [(3, Reason::KeyCompromise), (1, Reason::Superseded), (2, Reason::CertificateHold)];
    publish(&bench, &list(1, APRIL, &revoked));
    for certificate in ["1.pem", "2.pem", "3.pem"] {
        assert!(check(&bench, certificate, APRIL + DAY).refused().contains("revoked"));
    }
    check(&bench, "4.pem", APRIL + DAY).accepted();
}

#[test]
fn a_certificate_released_from_hold_is_good_again() {
    let bench = Workbench::at(APRIL);
    bench.write("held.pem", bench.client(1, &fresh_key().1).to_pem());
    publish(&bench, &list(1, APRIL, &[(1, Reason::CertificateHold)]));
    assert!(check(&bench, "held.pem", APRIL + DAY).refused().contains("revoked"));
    publish(&bench, &list(2, APRIL + DAY, &[]));
    check(&bench, "held.pem", APRIL + 2 * DAY).accepted();
}

#[test]
fn a_list_too_old_or_of_somebody_else_proves_nothing() {
    let bench = Workbench::at(APRIL);
    bench.write("client.pem", bench.client(1, &fresh_key().1).to_pem());
    publish(&bench, &list(1, APRIL, &[]));
    check(&bench, "client.pem", APRIL + 7 * DAY - 1).accepted();
    assert!(check(&bench, "client.pem", APRIL + 7 * DAY + 1).refused().contains("expired"));

    let impostor = Workbench::at(APRIL);
    let forged = impostor.authority.revocation_list(&list(2, APRIL, &[])).unwrap();
    bench.write("issuing.crl", forged.to_pem());
    check(&bench, "client.pem", APRIL + DAY).refused();
}

#[test]
fn the_whole_chain_is_checked_with_the_roots_list() {
    let bench = Workbench::at(APRIL);
    bench.write("client.pem", bench.client(1, &fresh_key().1).to_pem());
    let check_all = |revoked: &[(u8, Reason)]| {
        let issuing = bench.authority.revocation_list(&list(1, APRIL, &[])).unwrap();
        let root = bench.root.revocation_list(&list(1, APRIL, revoked)).unwrap();
        bench.write("all.crl", issuing.to_pem() + &root.to_pem());
        let at = (APRIL + DAY).to_string();
        bench.openssl(&[
            "verify",
            "-x509_strict",
            "-crl_check_all",
            "-CAfile",
            "root.pem",
            "-untrusted",
            "issuing.pem",
            "-CRLfile",
            "all.crl",
            "-attime",
            &at,
            "client.pem",
        ])
    };
    check_all(&[]).accepted();
    assert!(check_all(&[(251, Reason::KeyCompromise)]).refused().contains("revoked"));
}

#[test]
fn a_list_says_number_dates_and_reasons() {
    let bench = Workbench::at(APRIL);
    let revoked = [
        (7, Reason::PrivilegeWithdrawn),
        (6, Reason::CessationOfOperation),
        (5, Reason::AffiliationChanged),
        (4, Reason::CertificateHold),
        (3, Reason::KeyCompromise),
        (2, Reason::Superseded),
        (1, Reason::Unspecified),
    ];
    publish(&bench, &list(258, APRIL, &revoked));
    let shown = bench
        .openssl(&["crl", "-in", "issuing.crl", "-noout", "-text", "-nameopt", "utf8"])
        .accepted();
    let settled = shown.lines().take_while(|line| !line.contains("Signature Value"));
    let settled = settled.map(|line| {
        let hex = line.trim().split(':').count() == 20;
        if hex { "                <20 octets>" } else { line.trim_end() }
    });
    insta::assert_snapshot!(settled.collect::<Vec<_>>().join("\n"));
}

#[test]
fn one_serial_number_stands_on_a_list_once() {
    let bench = Workbench::at(APRIL);
    let twice = list(1, APRIL, &[(1, Reason::Superseded), (1, Reason::CertificateHold)]);
    let fault = bench.authority.revocation_list(&twice).unwrap_err();
    assert!(matches!(fault, Fault::RevokedTwice { serial: which } if which == serial(1)));
    let mut never = list(1, APRIL, &[(1, Reason::Superseded)]);
    never.revocations[0].revoked_at = i64::MAX;
    let fault = bench.authority.revocation_list(&never).unwrap_err();
    assert!(matches!(fault, Fault::Date { .. }));
}
