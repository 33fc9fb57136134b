//! Handshakes on loopback, good and bad, and what the tests beside share: a folder of self-signed
//! certificates.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsConnector;

use super::*;

/// A folder with self-signed certificates.
pub(super) struct Folder {
    dir: TempDir,
}

impl Folder {
    pub(super) fn new() -> Folder {
        Folder {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes `name.crt` and `name.key`, for these host names.
    pub(super) fn issue(&self, name: &str, hosts: &[&str]) -> CertificateFiles {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        self.write(name, &generate_simple_self_signed(hosts).unwrap())
    }

    pub(super) fn write(&self, name: &str, issued: &CertifiedKey<KeyPair>) -> CertificateFiles {
        let files = CertificateFiles {
            certificate: self.path().join(format!("{name}.crt")),
            key: self.path().join(format!("{name}.key")),
        };
        fs::write(&files.certificate, issued.cert.pem()).unwrap();
        fs::write(&files.key, issued.signing_key.serialize_pem()).unwrap();
        files
    }
}

pub(super) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// One connection: the server's end accepted with `acceptor`, the client's end connected with
/// `connector`.
pub(super) async fn shake_hands(
    acceptor: &Acceptor,
    connector: &Connector,
    name: &str,
) -> (io::Result<Stream>, io::Result<Stream>) {
    let (listener, address) = listen().await;
    let server = async { accept(listener.accept().await.unwrap().0, acceptor).await };
    let client = async {
        connector
            .connect(name, TcpStream::connect(address).await.unwrap())
            .await
    };
    tokio::join!(server, client)
}

pub(super) fn acceptor_of(files: &[CertificateFiles]) -> Acceptor {
    acceptor(Certificates::load(files).unwrap()).unwrap()
}

/// The certificate that the server showed.
pub(super) fn shown(client: &Stream) -> CertificateDer<'static> {
    let Stream::Tls(stream) = client else {
        panic!("in clear")
    };
    stream.get_ref().1.peer_certificates().unwrap()[0]
        .clone()
        .into_owned()
}

fn handshake_kind(stream: &Stream) -> HandshakeKind {
    let Stream::Tls(stream) = stream else {
        panic!("in clear")
    };
    stream.get_ref().1.handshake_kind().unwrap()
}

#[tokio::test]
async fn both_ends_speak_after_the_handshake() {
    let folder = Folder::new();
    let acceptor = acceptor_of(&[folder.issue("mx", &["mx.example.net"])]);
    let (server, client) =
        shake_hands(&acceptor, &Connector::opportunistic(), "mx.example.net").await;
    let (mut server, mut client) = (server.unwrap(), client.unwrap());

    client.write_all(b"EHLO client.example\r\n").await.unwrap();
    client.flush().await.unwrap();
    let mut seen = [0; 21];
    server.read_exact(&mut seen).await.unwrap();
    assert_eq!(&seen, b"EHLO client.example\r\n");

    // More than the server's send buffer holds, so that writing has to go on in parts.
    let reply = vec![b'x'; 10 * TLS_SEND_BUFFER_BYTES_MAX];
    let mut received = vec![0; reply.len()];
    let writing = async {
        server.write_all(&reply).await.unwrap();
        server.flush().await.unwrap();
    };
    let (_, read) = tokio::join!(writing, client.read_exact(&mut received));
    read.unwrap();
    assert_eq!(received, reply);

    let facts = server.tls_facts().unwrap();
    assert_eq!(facts.version, "TLSv1.3");
    assert_eq!(facts.cipher, "TLS_AES_256_GCM_SHA384");
    assert_eq!(facts.server_name.as_deref(), Some("mx.example.net"));
    assert_eq!(client.tls_facts().unwrap().server_name, None);
    assert!(server.is_tls());
    assert_eq!(server.peer_addr().unwrap(), client.local_addr().unwrap());

    client.shutdown().await.unwrap();
    assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
}

async fn connect_in(version: &'static SupportedProtocolVersion) -> Stream {
    let folder = Folder::new();
    let issued = generate_simple_self_signed(vec!["mx.example.net".to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(issued.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());

    let acceptor = acceptor_of(&[folder.write("mx", &issued)]);
    let (listener, address) = listen().await;
    let client = async {
        let name = ServerName::try_from("mx.example.net").unwrap();
        TlsConnector::from(config)
            .connect(name, TcpStream::connect(address).await.unwrap())
            .await
    };
    let server = async { accept(listener.accept().await.unwrap().0, &acceptor).await };
    let (server, client) = tokio::join!(server, client);
    client.unwrap();
    server.unwrap()
}

#[tokio::test]
async fn both_versions_are_spoken() {
    for (version, name) in [
        (&rustls::version::TLS12, "TLSv1.2"),
        (&rustls::version::TLS13, "TLSv1.3"),
    ] {
        let facts = connect_in(version).await.tls_facts().unwrap();
        assert_eq!(facts.version, name);
        assert!(facts.cipher.starts_with("TLS_"), "{}", facts.cipher);
    }
    assert_eq!(rustls::version::TLS12.version, ProtocolVersion::TLSv1_2);
}

#[tokio::test]
async fn a_connector_resumes_what_its_clone_began() {
    let folder = Folder::new();
    let acceptor = acceptor_of(&[folder.issue("mx", &["mx.example.net"])]);
    let connector = Connector::opportunistic();
    for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let (server, client) = shake_hands(&acceptor, &connector.clone(), "mx.example.net").await;
        let (mut server, mut client) = (server.unwrap(), client.unwrap());
        assert_eq!(handshake_kind(&client), expected);
        // The ticket comes with the first data.
        server.write_all(b"220 ").await.unwrap();
        server.flush().await.unwrap();
        client.read_exact(&mut [0; 4]).await.unwrap();
    }
}

#[tokio::test]
async fn garbage_is_answered_by_an_alert_and_told() {
    let folder = Folder::new();
    let acceptor = acceptor_of(&[folder.issue("mx", &["mx.example.net"])]);
    for (garbage, told) in [
        (
            b"EHLO client.example\r\n".as_slice(),
            "TLS handshake: the peer does not speak TLS",
        ),
        (
            b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
            "TLS handshake: received corrupt message",
        ),
        (
            b"\x16\x03\x01\xff\xff",
            "TLS handshake: received corrupt message",
        ),
    ] {
        let (listener, address) = listen().await;
        let client = async {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(garbage).await.unwrap();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            answer
        };
        let server = async { accept(listener.accept().await.unwrap().0, &acceptor).await };
        let (server, answer) = tokio::join!(server, client);
        let error = server.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().starts_with(told), "{error}");
        assert_eq!(answer.first(), Some(&21), "an alert (RFC 8446 section 5.1)");
    }
}

#[tokio::test]
async fn a_peer_that_leaves_is_told() {
    let folder = Folder::new();
    let acceptor = acceptor_of(&[folder.issue("mx", &["mx.example.net"])]);
    let (listener, address) = listen().await;
    drop(TcpStream::connect(address).await.unwrap());
    let error = accept(listener.accept().await.unwrap().0, &acceptor)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "TLS handshake: the peer closed the connection"
    );
}

#[tokio::test]
async fn a_silent_peer_is_left() {
    let folder = Folder::new();
    let acceptor = acceptor_of(&[folder.issue("mx", &["mx.example.net"])]);
    let (listener, address) = listen().await;
    let _client = TcpStream::connect(address).await.unwrap();
    let server = listener.accept().await.unwrap().0;
    // From here on the clock jumps to the next deadline when there is nothing to do.
    tokio::time::pause();
    let error = accept(server, &acceptor).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "TLS handshake: not done within 60 s");
}

#[tokio::test]
async fn a_handshake_adds_little_to_the_future_of_a_connection() {
    let folder = Folder::new();
    let acceptor = acceptor_of(&[folder.issue("mx", &["mx.example.net"])]);
    let (_listener, address) = listen().await;
    let client = TcpStream::connect(address).await.unwrap();
    let bytes = size_of_val(&accept(client, &acceptor));
    assert!(bytes <= 512, "{bytes} bytes");
}
