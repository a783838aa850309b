//! An authority with certificates for this machine.

use pki::{
    Authority, Certificate, ClientSpecification, Foundation, PrivateKey, RevocationUrl, Serial,
    ServerSpecification, Subject, Validity,
};
use tokio_rustls::rustls::ServerConfig;

pub(crate) struct Bench {
    authority: Authority,
    now: i64,
}

pub(crate) fn authority() -> Bench {
    let now = engine::Moment::of_this_machine().seconds();
    let foundation = Foundation {
        root_subject: Subject::new("サンプル銀行 ルート認証局").unwrap(),
        root_validity: Validity::years(now - 86_400, 20).unwrap(),
        root_serial: serial(250),
        issuing_subject: Subject::new("サンプル銀行 発行認証局").unwrap(),
        issuing_validity: Validity::years(now - 86_400, 10).unwrap(),
        issuing_serial: serial(251),
        root_revocation_url: None,
    };
    let (_, authority) = Authority::create(&foundation).unwrap();
    Bench { authority, now }
}

fn serial(number: u8) -> Serial {
    let mut octets = [0; 16];
    octets[15] = number;
    Serial::from_random(octets)
}

impl Bench {
    fn identity(&self) -> pki::tls::Identity {
        let key = PrivateKey::generate().unwrap();
        let specification = ServerSpecification {
            subject: Subject::new("localhost").unwrap(),
            validity: Validity::years(self.now - 3600, 1).unwrap(),
            serial: serial(1),
            names: vec!["localhost".parse().unwrap(), "127.0.0.1".parse().unwrap()],
            revocation_url: None,
        };
        let certificate = self.authority.issue_server(&specification, key.public_key()).unwrap();
        pki::tls::Identity::new(&certificate, &[self.authority.certificate()], &key)
    }

    /// For everybody.
    pub(crate) fn plain(&self) -> ServerConfig {
        pki::tls::plain(&self.identity()).unwrap()
    }

    /// For holders of certificates.
    pub(crate) fn asking(&self) -> ServerConfig {
        pki::tls::certificate_site(&self.identity(), &[self.authority.certificate()]).unwrap()
    }

    /// A client's certificate and its key.
    pub(crate) fn client(&self) -> (Certificate, PrivateKey) {
        let key = PrivateKey::generate().unwrap();
        let specification = ClientSpecification {
            subject: Subject::new("010429003").unwrap(),
            validity: Validity::years(self.now - 3600, 1).unwrap(),
            serial: serial(2),
            revocation_url: RevocationUrl::new("http://crl.example.jp/issuing.crl").unwrap(),
        };
        let certificate = self.authority.issue_client(&specification, key.public_key()).unwrap();
        (certificate, key)
    }

    /// What clients trust.
    pub(crate) fn root(&self) -> &Certificate {
        self.authority.root_certificate()
    }
}
