//! Requests made by OpenSSL, as browsers and scripts of customers make them.

use pki::{Refusal, Request};

use crate::workbench::{APRIL, Workbench, client};

const P256: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

/// A request by `openssl req` with an own subject; returns PEM.
fn request(bench: &Workbench, key: &[&str], more: &[&str]) -> String {
    let mut arguments = vec!["req", "-new", "-nodes", "-keyout", "request.key"];
    arguments.extend(["-out", "request.pem", "-subj", "/CN=WISHED"]);
    arguments.extend(key);
    arguments.extend(more);
    bench.openssl(&arguments).accepted();
    String::from_utf8(bench.read("request.pem")).unwrap()
}

fn der(bench: &Workbench) -> Vec<u8> {
    let arguments = ["req", "-in", "request.pem", "-outform", "DER", "-out", "request.der"];
    bench.openssl(&arguments).accepted();
    bench.read("request.der")
}

#[test]
fn p256_and_strong_rsa_are_accepted_and_certified() {
    let bench = Workbench::at(APRIL);
    let keys: [&[&str]; 4] = [
        &P256,
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-sha384"],
        &["-newkey", "rsa:3072"],
        &["-newkey", "rsa:4096", "-sha512"],
    ];
    for key in keys {
        let request = Request::from_pem(&request(&bench, key, &[])).unwrap();
        let certificate = bench.client(1, request.public_key());
        bench.write("client.pem", certificate.to_pem());
        let at = APRIL.to_string();
        let arguments = ["verify", "-CAfile", "root.pem", "-untrusted", "issuing.pem"];
        let more = ["-purpose", "sslclient", "-attime", &at, "client.pem"];
        bench.openssl(&[&arguments[..], &more[..]].concat()).accepted();

        let of_key = ["pkey", "-in", "request.key", "-pubout", "-outform", "DER", "-out", "k.der"];
        bench.openssl(&of_key).accepted();
        assert_eq!(request.public_key().spki(), bench.read("k.der"), "{key:?}");
    }
}

#[test]
fn weak_and_unusual_keys_are_refused_by_name() {
    let bench = Workbench::at(APRIL);
    let judge = |key: &[&str]| Request::from_pem(&request(&bench, key, &[])).unwrap_err();
    assert_eq!(judge(&["-newkey", "rsa:2048"]), Refusal::KeySize { bits: 2048 });
    assert_eq!(judge(&["-newkey", "rsa:3070"]), Refusal::KeySize { bits: 3070 });
    let exponent = ["-newkey", "rsa:3072", "-pkeyopt", "rsa_keygen_pubexp:3"];
    assert_eq!(judge(&exponent), Refusal::KeyForm);
    let p384 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"];
    assert_eq!(judge(&p384), Refusal::KeyKind { algorithm: "1.3.132.0.34".into() });
    let k256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"];
    assert_eq!(judge(&k256), Refusal::KeyKind { algorithm: "1.3.132.0.10".into() });
    let explicit = [&P256[..], &["-pkeyopt", "ec_param_enc:explicit"]].concat();
    assert_eq!(judge(&explicit), Refusal::KeyForm);
    let ed25519 = ["-newkey", "ed25519"];
    assert_eq!(judge(&ed25519), Refusal::KeyKind { algorithm: "1.3.101.112".into() });
    let sha1 = Refusal::SignatureKind { algorithm: "1.2.840.113549.1.1.5".into() };
    assert_eq!(judge(&["-newkey", "rsa:3072", "-sha1"]), sha1);
}

#[test]
fn no_flipped_bit_in_what_is_signed_or_in_the_signature_is_accepted() {
    let bench = Workbench::at(APRIL);
    request(&bench, &P256, &[]);
    let honest = der(&bench);
    let key = Request::from_der(&honest).unwrap();
    // SEQUENCE { signed part, algorithm (12 octets), BIT STRING header (3 octets), signature }
    let begin = if honest[1] == 0x81 { 3 } else { 2 };
    let wrapper = begin + 2 + usize::from(honest[begin + 1]);
    let signature = wrapper + 12 + 3;
    for at in 0..honest.len() * 8 {
        let mut tampered = honest.clone();
        tampered[at / 8] ^= 1 << (at % 8);
        let outcome = Request::from_der(&tampered);
        // The reader is lenient about the wrapping, of which nothing is used.
        let lenient = at / 8 < begin || (wrapper..signature).contains(&(at / 8));
        assert!(outcome.is_err() || lenient, "octet {} may be changed", at / 8);
        assert!(outcome.is_err() || outcome.as_ref() == Ok(&key), "another key was read");
    }
}

#[test]
fn a_tampered_name_and_a_swapped_key_prove_nothing() {
    let bench = Workbench::at(APRIL);
    request(&bench, &P256, &[]);
    let honest = der(&bench);
    let mut renamed = honest.clone();
    let at = renamed.windows(6).position(|window| window == b"WISHED").unwrap();
    renamed[at..at + 6].copy_from_slice(b"BISHOP");
    assert_eq!(Request::from_der(&renamed), Err(Refusal::PossessionUnproven));

    // Somebody else's key in a request signed with one's own.
    request(&bench, &P256, &[]);
    let other = der(&bench);
    let point = |request: &[u8]| {
        let begin = request.windows(4).position(|four| four == [3, 66, 0, 4]).unwrap() + 3;
        begin..begin + 65
    };
    let mut swapped = honest.clone();
    swapped[point(&honest)].copy_from_slice(&other[point(&other)]);
    assert_eq!(Request::from_der(&swapped), Err(Refusal::PossessionUnproven));
}

#[test]
fn what_is_no_request_is_refused_before_much_work() {
    let bench = Workbench::at(APRIL);
    let pem = request(&bench, &P256, &[]);
    let mut followed = der(&bench);
    followed.push(0);
    assert_eq!(Request::from_der(&followed), Err(Refusal::RequestMalformed));
    assert_eq!(Request::from_der(&[]), Err(Refusal::RequestMalformed));
    assert_eq!(Request::from_pem("hello"), Err(Refusal::RequestMalformed));
    assert_eq!(
        Request::from_pem(&pem.replace("CERTIFICATE REQUEST", "CERTIFICATE")),
        Err(Refusal::RequestMalformed)
    );
    let long = "x".repeat(16 * 1024 + 1);
    let refusal = Refusal::RequestTooLong { octets: 16 * 1024 + 1, limit: 16 * 1024 };
    assert_eq!(Request::from_pem(&long), Err(refusal.clone()));
    assert_eq!(Request::from_der(long.as_bytes()), Err(refusal));
}

#[test]
fn wishes_in_a_request_are_not_granted() {
    let bench = Workbench::at(APRIL);
    let wishes = [
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "keyUsage=keyCertSign",
        "-addext",
        "extendedKeyUsage=serverAuth,codeSigning",
        "-addext",
        "subjectAltName=DNS:www.example.jp,email:ceo@example.jp",
    ];
    let pem = request(&bench, &P256, &wishes);
    assert!(
        bench
            .openssl(&["req", "-in", "request.pem", "-noout", "-text"])
            .accepted()
            .contains("CA:TRUE")
    );
    let request = Request::from_pem(&pem).unwrap();
    let certificate =
        bench.authority.issue_client(&client(1, APRIL), request.public_key()).unwrap();
    bench.write("client.pem", certificate.to_pem());
    let shown = bench.openssl(&["x509", "-in", "client.pem", "-noout", "-text"]).accepted();
    for absent in [
        "CA:TRUE",
        "Certificate Sign",
        "TLS Web Server",
        "Code Signing",
        "example.jp,",
        "Alternative Name",
        "WISHED",
    ] {
        assert!(!shown.contains(absent), "{absent} in\n{shown}");
    }
    assert!(shown.contains("CN = TARO0001"), "{shown}");
}

#[test]
fn the_same_key_is_recognized_again() {
    let bench = Workbench::at(APRIL);
    let first = Request::from_pem(&request(&bench, &P256, &[])).unwrap();
    let again = ["req", "-new", "-key", "request.key", "-subj", "/CN=OTHER", "-out", "again.pem"];
    bench.openssl(&again).accepted();
    let again = String::from_utf8(bench.read("again.pem")).unwrap();
    let again = Request::from_pem(&again).unwrap();
    let other = Request::from_pem(&request(&bench, &P256, &[])).unwrap();
    assert_eq!(first.public_key().digest(), again.public_key().digest());
    assert_ne!(first.public_key().digest(), other.public_key().digest());
}
