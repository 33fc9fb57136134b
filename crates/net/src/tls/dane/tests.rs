//! Records against certificates of every kind, in handshakes on loopback.

use std::fs;
use std::io;

use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tokio::net::TcpStream;

use super::*;
use crate::tls::tests::{Folder, acceptor_of, listen, shake_hands};
use crate::tls::{Acceptor, CertificateFiles, Connector, Proof, TlsFault, accept};

const HOST: &str = "mx.example.net";
const DOMAIN: &str = "example.net";

/// A root, an intermediate, and a server's certificate of the latter.
struct Chain {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
    server: rcgen::Certificate,
    key: KeyPair,
}

impl Chain {
    fn new(name: &str, expired: bool) -> Chain {
        let root = CertifiedIssuer::self_signed(ca("Root"), KeyPair::generate().unwrap()).unwrap();
        let intermediate =
            CertifiedIssuer::signed_by(ca("Intermediate"), KeyPair::generate().unwrap(), &root)
                .unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if expired {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let server = params.signed_by(&key, &intermediate).unwrap();
        Chain {
            root,
            intermediate,
            server,
            key,
        }
    }

    /// A server that shows the server's certificate, the intermediate and, if `complete`, the root.
    fn acceptor(&self, folder: &Folder, complete: bool) -> Acceptor {
        let mut pem = self.server.pem() + &self.intermediate.pem();
        if complete {
            pem += &self.root.pem();
        }
        let files = CertificateFiles {
            certificate: folder.path().join("mx.crt"),
            key: folder.path().join("mx.key"),
        };
        fs::write(&files.certificate, pem).unwrap();
        fs::write(&files.key, self.key.serialize_pem()).unwrap();
        acceptor_of(&[files])
    }
}

fn ca(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// The record of a certificate.
fn tlsa(usage: u8, selector: u8, matching: u8, der: &CertificateDer<'_>) -> Tlsa {
    let selected = match selector {
        0 => der.to_vec(),
        _ => EndEntityCert::try_from(der)
            .unwrap()
            .subject_public_key_info()
            .to_vec(),
    };
    let data = match matching {
        0 => selected,
        1 => digest(&SHA256, &selected).as_ref().to_vec(),
        _ => digest(&SHA512, &selected).as_ref().to_vec(),
    };
    Tlsa {
        usage,
        selector,
        matching,
        data,
    }
}

async fn connect(records: &[Tlsa], acceptor: &Acceptor) -> Result<Proof, TlsFault> {
    let connector = Connector::dane(TlsaSet::new(records).unwrap(), &[HOST, DOMAIN]);
    let (listener, address) = listen().await;
    let server = async { accept(listener.accept().await.unwrap().0, acceptor).await };
    let client = async {
        let stream = TcpStream::connect(address).await.unwrap();
        connector.prove(HOST, stream).await
    };
    let (_server, client) = tokio::join!(server, client);
    client
        .map(|(_, proof)| proof)
        .map_err(|error| TlsFault::of(&error))
}

#[tokio::test]
async fn a_record_of_the_servers_own_certificate_is_enough() {
    let folder = Folder::new();
    let chain = Chain::new(HOST, false);
    let acceptor = chain.acceptor(&folder, false);
    for (selector, matching) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
        let record = tlsa(3, selector, matching, chain.server.der());
        let proof = connect(&[record], &acceptor).await;
        assert_eq!(proof, Ok(Proof::DaneEndEntity), "3 {selector} {matching}");
    }
}

#[tokio::test]
async fn neither_names_nor_dates_matter_where_the_certificate_itself_is_named() {
    let folder = Folder::new();
    let chain = Chain::new("other.example.org", true);
    let acceptor = chain.acceptor(&folder, false);
    let proof = connect(&[tlsa(3, 1, 1, chain.server.der())], &acceptor).await;
    assert_eq!(proof, Ok(Proof::DaneEndEntity));
}

#[tokio::test]
async fn another_certificate_is_none() {
    let folder = Folder::new();
    let chain = Chain::new(HOST, false);
    let acceptor = chain.acceptor(&folder, true);
    let other = Chain::new(HOST, false);
    for record in [
        tlsa(3, 1, 1, other.server.der()),
        tlsa(3, 0, 0, other.server.der()),
        // The issuer is not the server.
        tlsa(3, 1, 1, chain.intermediate.as_ref().der()),
        tlsa(2, 0, 1, other.root.as_ref().der()),
        // The server is not its own issuer.
        tlsa(2, 1, 1, chain.server.der()),
    ] {
        let fault = connect(std::slice::from_ref(&record), &acceptor).await;
        assert_eq!(fault, Err(TlsFault::TlsaMismatch), "{record:?}");
        // Beside the right one it does no harm: keys are changed that way.
        let both = [record, tlsa(3, 1, 1, chain.server.der())];
        assert_eq!(connect(&both, &acceptor).await, Ok(Proof::DaneEndEntity));
    }
    // A key of its own in the DNS, but not the one that signed.
    let fault = connect(&[tlsa(2, 1, 0, other.root.as_ref().der())], &acceptor).await;
    assert_eq!(fault, Err(TlsFault::NotTrusted));
}

#[tokio::test]
async fn an_issuer_in_the_chain_is_enough() {
    let folder = Folder::new();
    let chain = Chain::new(HOST, false);
    let acceptor = chain.acceptor(&folder, true);
    for issuer in [chain.root.as_ref(), chain.intermediate.as_ref()] {
        for (selector, matching) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
            let proof = connect(&[tlsa(2, selector, matching, issuer.der())], &acceptor).await;
            assert_eq!(proof, Ok(Proof::DaneTrustAnchor), "2 {selector} {matching}");
        }
    }
}

#[tokio::test]
async fn an_issuer_that_is_not_sent_must_stand_whole_in_the_dns() {
    let folder = Folder::new();
    let chain = Chain::new(HOST, false);
    let acceptor = chain.acceptor(&folder, false);
    for (selector, matching, expected) in [
        (0, 0, Ok(Proof::DaneTrustAnchor)),
        (1, 0, Ok(Proof::DaneTrustAnchor)),
        (0, 1, Err(TlsFault::TlsaMismatch)),
        (1, 2, Err(TlsFault::TlsaMismatch)),
    ] {
        let record = tlsa(2, selector, matching, chain.root.as_ref().der());
        assert_eq!(connect(&[record], &acceptor).await, expected);
    }
}

#[tokio::test]
async fn names_and_dates_matter_where_an_issuer_is_named() {
    let folder = Folder::new();
    let stranger = Chain::new("other.example.org", false);
    let fault = connect(
        &[tlsa(2, 0, 1, stranger.root.as_ref().der())],
        &stranger.acceptor(&folder, true),
    )
    .await;
    assert_eq!(fault, Err(TlsFault::HostMismatch));
    let expired = Chain::new(HOST, true);
    let fault = connect(
        &[tlsa(2, 0, 1, expired.root.as_ref().der())],
        &expired.acceptor(&folder, true),
    )
    .await;
    assert_eq!(fault, Err(TlsFault::Expired));
    // RFC 7672 section 3.2.2: the domain that is sent to will do.
    let domain = Chain::new(DOMAIN, false);
    let proof = connect(
        &[tlsa(2, 0, 1, domain.root.as_ref().der())],
        &domain.acceptor(&folder, true),
    )
    .await;
    assert_eq!(proof, Ok(Proof::DaneTrustAnchor));
}

#[tokio::test]
async fn faults_are_told_in_words() {
    let folder = Folder::new();
    let chain = Chain::new(HOST, false);
    let set = TlsaSet::new(&[tlsa(3, 1, 1, chain.root.as_ref().der())]).unwrap();
    let acceptor = chain.acceptor(&folder, false);
    let (_, client) = shake_hands(&acceptor, &Connector::dane(set, &[HOST]), HOST).await;
    let error = client.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(
        error
            .to_string()
            .contains("no TLSA record names it or its issuer"),
        "{error}"
    );
}

#[test]
fn what_is_usable() {
    let chain = Chain::new(HOST, false);
    for usage in 0..=4 {
        for selector in 0..=2 {
            for matching in 0..=2 {
                let record = tlsa(usage, selector, matching, chain.server.der());
                let expected = matches!(usage, 2 | 3) && selector < 2;
                assert_eq!(TlsaSet::new(&[record]).is_some(), expected);
            }
        }
    }
    for (selector, matching, bytes) in [
        (0, 1, 31),
        (0, 1, 33),
        (1, 2, 32),
        (1, 3, 32),
        (0, 0, 100),
        (1, 0, 100),
        (0, 0, 0),
    ] {
        let record = Tlsa {
            usage: 3,
            selector,
            matching,
            data: vec![7; bytes],
        };
        assert_eq!(
            TlsaSet::new(&[record]),
            None,
            "{selector} {matching} {bytes}"
        );
    }
    assert_eq!(TlsaSet::new(&[]), None);
}

#[test]
fn a_weaker_digest_does_not_count_beside_a_stronger_one() {
    let (chain, other) = (Chain::new(HOST, false), Chain::new(HOST, false));
    let names = |records: &[Tlsa]| {
        let set = TlsaSet::new(records).unwrap();
        set.names_end_entity(chain.server.der())
    };
    let weak = tlsa(3, 1, 1, chain.server.der());
    assert!(names(std::slice::from_ref(&weak)));
    assert!(!names(&[weak.clone(), tlsa(3, 1, 2, other.server.der())]));
    // Another selector or usage is another matter.
    assert!(names(&[weak.clone(), tlsa(3, 0, 2, other.server.der())]));
    assert!(names(&[weak, tlsa(2, 1, 2, other.server.der())]));
}

#[test]
fn too_many_records_are_not_all_looked_at() {
    let chain = Chain::new(HOST, false);
    let nonsense = Tlsa {
        usage: 3,
        selector: 1,
        matching: 1,
        data: vec![0; 32],
    };
    let mut records = vec![nonsense; TLSA_RECORDS_MAX];
    records.push(tlsa(3, 1, 1, chain.server.der()));
    let set = TlsaSet::new(&records).unwrap();
    assert!(!set.names_end_entity(chain.server.der()));
}

#[test]
fn sequences() {
    assert_eq!(sequence_content(&[0x30, 2, 1, 2]), Some(&[1, 2][..]));
    let mut long = vec![0x30, 0x82, 1, 0];
    long.extend([9; 256]);
    assert_eq!(sequence_content(&long), Some(&[9; 256][..]));
    let mut middle = vec![0x30, 0x81, 200];
    middle.extend([9; 200]);
    assert_eq!(sequence_content(&middle), Some(&[9; 200][..]));
    for wrong in [
        &[][..],
        &[0x30],
        &[0x30, 0],
        &[0x30, 2, 1],
        &[0x30, 1, 1, 1],
        &[0x31, 1, 1],
        &[0x30, 0x83, 0, 0, 1, 1],
        &[0x30, 0x82, 1],
    ] {
        assert_eq!(sequence_content(wrong), None, "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn any_record_is_used_or_left(usage: u8, selector: u8, matching: u8, data: Vec<u8>) {
        let record = Tlsa { usage, selector, matching, data };
        if let Some(set) = TlsaSet::new(&[record]) {
            let nobody = CertificateDer::from(vec![0x30, 0]);
            prop_assert!(!set.names_end_entity(&nobody));
        }
    }
}
