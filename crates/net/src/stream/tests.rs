//! TCP and Unix connections behind the one type; TLS is shown in `tls`.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

async fn tcp_pair() -> (Stream, Stream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (client.into(), server.into())
}

#[test]
fn an_idle_connection_pays_little_for_the_enum() {
    assert!(size_of::<Stream>() <= size_of::<TcpStream>() + size_of::<usize>());
}

#[tokio::test]
async fn tcp_passes_bytes_and_addresses() {
    let (mut client, mut server) = tcp_pair().await;
    assert!(client.is_write_vectored());
    let slices = [
        io::IoSlice::new(b"EHLO "),
        io::IoSlice::new(b"a.example\r\n"),
    ];
    assert_eq!(client.write_vectored(&slices).await.unwrap(), 16);
    client.flush().await.unwrap();
    client.shutdown().await.unwrap();
    let mut seen = String::new();
    server.read_to_string(&mut seen).await.unwrap();
    assert_eq!(seen, "EHLO a.example\r\n");
    assert_eq!(client.peer_addr().unwrap(), server.local_addr().unwrap());
    assert_eq!(server.peer_addr().unwrap(), client.local_addr().unwrap());
    assert_eq!(client.tls_facts(), None);
    assert!(!client.is_tls());
    assert!(client.into_tcp().is_ok());
}

#[tokio::test]
async fn unix_passes_bytes_and_has_no_address() {
    let (client, mut server) = UnixStream::pair().unwrap();
    let mut client = Stream::from(client);
    client.write_all(b"LHLO a.example\r\n").await.unwrap();
    client.flush().await.unwrap();
    client.shutdown().await.unwrap();
    let mut seen = String::new();
    server.read_to_string(&mut seen).await.unwrap();
    assert_eq!(seen, "LHLO a.example\r\n");
    assert_eq!(
        client.peer_addr().unwrap_err().kind(),
        io::ErrorKind::Unsupported
    );
    assert_eq!(
        client.local_addr().unwrap_err().kind(),
        io::ErrorKind::Unsupported
    );
    assert!(matches!(client.into_tcp(), Err(Stream::Unix(_))));
}

#[test]
fn names_are_those_of_the_registry() {
    assert_eq!(
        cipher_name(CipherSuite::TLS13_AES_128_GCM_SHA256),
        "TLS_AES_128_GCM_SHA256"
    );
    let old = CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384;
    assert_eq!(cipher_name(old), "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
    assert_eq!(version_name(ProtocolVersion::TLSv1_2), "TLSv1.2");
}
