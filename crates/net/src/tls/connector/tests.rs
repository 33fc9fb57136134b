//! Servers that are believed, and those that are not.

use std::fs;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CertifiedKey, DnType, IsCa, KeyPair,
};

use super::*;
use crate::tls::tests::{Folder, acceptor_of, listen, shake_hands};
use crate::tls::{Acceptor, TlsFault, accept};

/// A CA in `ca.crt`, and a server with a certificate of it.
fn with_ca(folder: &Folder, host: &str) -> Acceptor {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "Example CA");
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    fs::write(folder.path().join("ca.crt"), ca.pem()).unwrap();
    let signing_key = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(vec![host.to_owned()])
        .unwrap()
        .signed_by(&signing_key, &ca)
        .unwrap();
    acceptor_of(&[folder.write("mx", &CertifiedKey { cert, signing_key })])
}

#[tokio::test]
async fn verified_takes_the_right_name_only() {
    let folder = Folder::new();
    let acceptor = with_ca(&folder, "mx.example.net");
    let connector = Connector::verified(Some(&folder.path().join("ca.crt"))).unwrap();
    for name in ["mx.example.net", "mx.example.net."] {
        let (server, client) = shake_hands(&acceptor, &connector, name).await;
        server.unwrap();
        assert_eq!(client.unwrap().tls_facts().unwrap().version, "TLSv1.3");
    }
    let (server, client) = shake_hands(&acceptor, &connector, "other.example.net").await;
    let error = client.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(
        error
            .to_string()
            .contains("not valid for name \"other.example.net\""),
        "{error}"
    );
    assert!(
        server.unwrap_err().to_string().contains("alert"),
        "the server is told why"
    );
}

#[tokio::test]
async fn verified_takes_no_stranger() {
    let folder = Folder::new();
    with_ca(&folder, "mx.example.net");
    let connector = Connector::verified(Some(&folder.path().join("ca.crt"))).unwrap();
    let stranger = acceptor_of(&[folder.issue("stranger", &["mx.example.net"])]);
    // A CA that only calls itself the same.
    let impostor = with_ca(&Folder::new(), "mx.example.net");
    for (acceptor, told) in [(stranger, "UnknownIssuer"), (impostor, "BadSignature")] {
        let (_, client) = shake_hands(&acceptor, &connector, "mx.example.net").await;
        let error = client.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("TLS handshake: invalid peer certificate: {told}")
        );
    }
}

#[tokio::test]
async fn opportunistic_takes_anyone_under_any_name() {
    let folder = Folder::new();
    let acceptor = acceptor_of(&[folder.issue("self", &["localhost"])]);
    for name in [
        "mx.example.net",
        "127.0.0.1",
        "::1",
        "not a name",
        "",
        "-.example",
    ] {
        let (server, client) = shake_hands(&acceptor, &Connector::opportunistic(), name).await;
        client.unwrap();
        let asked = server.unwrap().tls_facts().unwrap().server_name;
        assert_eq!(
            asked.is_some(),
            name == "mx.example.net",
            "{name:?} sent as {asked:?}"
        );
    }
}

#[tokio::test]
async fn verified_needs_a_name() {
    let folder = Folder::new();
    with_ca(&folder, "mx.example.net");
    let connector = Connector::verified(Some(&folder.path().join("ca.crt"))).unwrap();
    let (_listener, address) = listen().await;
    let stream = TcpStream::connect(address).await.unwrap();
    let error = connector.connect("not a name", stream).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(
        error.to_string(),
        "\"not a name\" can be no name in a certificate"
    );
}

#[tokio::test]
async fn a_server_in_clear_is_told() {
    let (listener, address) = listen().await;
    let server = async {
        use tokio::io::AsyncWriteExt;
        let mut server = listener.accept().await.unwrap().0;
        server
            .write_all(b"220 mx.example.net ESMTP\r\n")
            .await
            .unwrap();
        server
    };
    let client = async {
        let connector = Connector::opportunistic();
        connector
            .connect("mx.example.net", TcpStream::connect(address).await.unwrap())
            .await
    };
    let (_server, client) = tokio::join!(server, client);
    assert_eq!(
        client.unwrap_err().to_string(),
        "TLS handshake: the peer does not speak TLS"
    );
}

#[tokio::test]
async fn one_connector_serves_many_at_once() {
    let folder = Folder::new();
    let acceptor = acceptor_of(&[folder.issue("mx", &["mx.example.net"])]);
    let (listener, address) = listen().await;
    let serving = tokio::spawn(async move {
        let mut streams = Vec::new();
        for _ in 0..8 {
            streams.push(
                accept(listener.accept().await.unwrap().0, &acceptor)
                    .await
                    .unwrap(),
            );
        }
        streams
    });
    let connector = Connector::opportunistic();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let connector = connector.clone();
        tasks.spawn(async move {
            let stream = TcpStream::connect(address).await.unwrap();
            connector.connect("mx.example.net", stream).await.unwrap()
        });
    }
    assert_eq!(tasks.join_all().await.len(), 8);
    assert_eq!(serving.await.unwrap().len(), 8);
}

#[test]
fn roots_come_from_the_system_or_a_file() {
    let folder = Folder::new();
    match Connector::verified(None) {
        Ok(connector) => assert!(connector.verifies()),
        // A machine without ca-certificates.
        Err(error) => assert!(
            error
                .to_string()
                .contains("install its ca-certificates package"),
            "{error}"
        ),
    }
    let absent = Connector::verified(Some(&folder.path().join("absent.crt")));
    assert!(
        absent
            .err()
            .unwrap()
            .to_string()
            .contains("absent.crt: No such file")
    );
    let zeros = folder.path().join("zeros.crt");
    fs::write(
        &zeros,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let unusable = Connector::verified(Some(&zeros)).err().unwrap();
    assert!(matches!(unusable, TlsError::Unusable { .. }), "{unusable}");
}

#[tokio::test]
async fn each_fault_has_its_kind() {
    let folder = Folder::new();
    let right = with_ca(&folder, "mx.example.net");
    let roots = Roots::load(Some(&folder.path().join("ca.crt"))).unwrap();
    let stranger = acceptor_of(&[folder.issue("stranger", &["mx.example.net"])]);
    let connector = roots.connector();
    for (acceptor, name, fault) in [
        (&right, "other.example.net", TlsFault::HostMismatch),
        (&stranger, "mx.example.net", TlsFault::NotTrusted),
    ] {
        let (_, client) = shake_hands(acceptor, &connector, name).await;
        assert_eq!(TlsFault::of(&client.unwrap_err()), fault);
    }
    let (listener, address) = listen().await;
    let stream = TcpStream::connect(address).await.unwrap();
    drop(listener.accept().await.unwrap());
    let error = connector.connect("mx.example.net", stream).await;
    assert_eq!(TlsFault::of(&error.unwrap_err()), TlsFault::Connection);
}

#[tokio::test]
async fn any_of_several_names_will_do() {
    let folder = Folder::new();
    let acceptor = with_ca(&folder, "example.net");
    let roots = Roots::load(Some(&folder.path().join("ca.crt"))).unwrap();
    for (names, taken) in [
        (&["mx.example.net", "example.net"][..], true),
        (&["mx.example.net"], false),
        (&["not a name", "example.net."], true),
        (&[], false),
    ] {
        let connector = roots.connector_for(names);
        let (_, client) = shake_hands(&acceptor, &connector, "mx.example.net").await;
        match client {
            Ok(_) => assert!(taken, "{names:?}"),
            Err(error) => {
                assert!(!taken, "{names:?}");
                assert_eq!(TlsFault::of(&error), TlsFault::HostMismatch);
            }
        }
    }
    let impostor = with_ca(&Folder::new(), "example.net");
    let connector = roots.connector_for(&["example.net"]);
    let (_, client) = shake_hands(&impostor, &connector, "example.net").await;
    assert_eq!(TlsFault::of(&client.unwrap_err()), TlsFault::NotTrusted);
}

#[tokio::test]
async fn an_observer_takes_anyone_and_tells_what_is_wrong() {
    let folder = Folder::new();
    let right = with_ca(&folder, "mx.example.net");
    let roots = Roots::load(Some(&folder.path().join("ca.crt"))).unwrap();
    let stranger = acceptor_of(&[folder.issue("stranger", &["mx.example.net"])]);
    for (acceptor, name, fault) in [
        (&right, "mx.example.net", None),
        (&right, "other.example.net", Some(TlsFault::HostMismatch)),
        (&stranger, "mx.example.net", Some(TlsFault::NotTrusted)),
    ] {
        let (listener, address) = listen().await;
        let server = async { accept(listener.accept().await.unwrap().0, acceptor).await };
        let client = async {
            let stream = TcpStream::connect(address).await.unwrap();
            roots.observer(name).prove(name, stream).await
        };
        let (_, client) = tokio::join!(server, client);
        let (_, proof) = client.unwrap();
        assert_eq!(proof, Proof::Observed(fault), "{name}");
        assert!(!proof.is_given());
    }
}
