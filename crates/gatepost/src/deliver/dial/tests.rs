//! Dialling on loopback: the next address where one fails, addresses of ours, and peers behind a PIX.

use std::sync::{Arc, Mutex};

use net::tls::Connector;
use smtp::client::Protocol;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::config::{AddressPreference, InetProtocols, NexthopTimeouts};

const ANY: Delivery = Delivery {
    inet_protocols: InetProtocols::All,
    address_preference: AddressPreference::Any,
    loopback: true,
};

fn ways() -> Ways {
    Ways::new(Families::new(Arc::new(|_| {})))
}

fn manner(bind: &[&str]) -> Manner {
    let limit = Duration::from_secs(20);
    Manner {
        label: Arc::from("smtp:test"),
        protocol: Protocol::Smtp,
        ehlo_name: "gate.example".to_owned(),
        bind: bind.iter().map(|text| ip(text)).collect(),
        tls: NexthopTls::Opportunistic,
        tls_name: String::new(),
        connector: Connector::opportunistic(),
        auth: None,
        timeouts: NexthopTimeouts {
            connect: limit,
            banner: limit,
            command: limit,
            data: limit,
            block: limit,
            end: limit,
            envelope: limit,
            bytes_per_second_min: 0,
        },
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A server that greets each client with this banner and says 250 to everything. It notes who came, and the first command.
async fn server(
    address: &str,
    banner: &'static str,
) -> (SocketAddr, Arc<Mutex<Vec<(IpAddr, String)>>>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::default();
    let notes: Arc<Mutex<Vec<(IpAddr, String)>>> = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, peer)) = listener.accept().await {
            let (read, mut write) = stream.split();
            write.write_all(banner.as_bytes()).await.unwrap();
            let mut line = String::new();
            let _ = BufReader::new(read).read_line(&mut line).await;
            let line = line.trim_end().to_owned();
            notes.lock().unwrap().push((peer.ip(), line));
            let _ = write.write_all(b"250 mx.example\r\n").await;
            // Held open until the next one comes.
        }
    });
    (address, seen)
}

#[tokio::test]
async fn an_address_that_refuses_or_does_not_greet_is_followed_by_the_next() {
    let (busy, _) = server("127.0.0.2:0", "421 later\r\n").await;
    let port = busy.port();
    let (good, seen) = server(&format!("127.0.0.3:{port}"), "220 mx\r\n").await;
    let ways = ways();
    // Nobody listens at 127.0.0.9; whatever the order, one is left that works.
    let ips = [ip("127.0.0.9"), busy.ip(), good.ip()];
    for _ in 0..10 {
        let mut attempt = Attempt::new(&ways, ANY);
        assert!(attempt.host(&ips, port, &manner(&[])).await.is_some());
    }
    assert_eq!(seen.lock().unwrap().len(), 10);
    // Both that fail: the last fault is told.
    let mut attempt = Attempt::new(&ways, ANY);
    let none = attempt.host(&ips[..2], port, &manner(&[])).await;
    assert!(none.is_none());
    let fault = attempt.into_fault().unwrap();
    assert_eq!(fault.status().to_string(), "4.4.1");
    assert!(
        ways.families.order(&ips, ANY, None)[2] == ips[0],
        "what refused goes last"
    );
}

#[tokio::test]
async fn connections_come_from_the_addresses_of_the_pool() {
    let (address, seen) = server("127.0.0.3:0", "220 mx\r\n").await;
    let ways = ways();
    for bind in [["127.0.0.7"].as_slice(), &["127.0.0.8", "::1"]] {
        let mut attempt = Attempt::new(&ways, ANY);
        let (ips, manner) = ([address.ip()], manner(bind));
        let connected = attempt.host(&ips, address.port(), &manner).await;
        assert!(connected.is_some());
        assert_eq!(seen.lock().unwrap().last().unwrap().0, ip(bind[0]));
    }
    // A family that the pool has no address of is not used, and one that is not ours does no harm to others.
    for (bind, words) in [
        ("::1", "no way to 127.0.0.3: the pool has no IPv4 address"),
        (
            "192.0.2.1",
            "no way to 127.0.0.3: Cannot assign requested address",
        ),
    ] {
        let mut attempt = Attempt::new(&ways, ANY);
        let (ips, manner) = ([address.ip()], manner(&[bind]));
        let none = attempt.host(&ips, address.port(), &manner).await;
        assert!(none.is_none());
        let fault = attempt.into_fault().unwrap();
        assert_eq!(fault.status().to_string(), "4.4.4");
        assert!(fault.to_string().contains(words), "{fault}");
    }
}

#[tokio::test]
async fn a_family_that_is_not_allowed_leaves_no_way() {
    let ways = ways();
    let only = Delivery {
        inet_protocols: InetProtocols::Ipv6,
        ..ANY
    };
    let mut attempt = Attempt::new(&ways, only);
    let none = attempt.host(&[ip("127.0.0.1")], 25, &manner(&[])).await;
    assert!(none.is_none());
    assert_eq!(
        attempt.into_fault().unwrap().to_string(),
        "nexthop smtp:test, connecting: it has no address of a family that [delivery] inet_protocols allows"
    );
}

#[tokio::test]
async fn a_pix_is_remembered() {
    let (address, seen) = server("127.0.0.3:0", "220 ****2***0*\r\n").await;
    let (clear, clear_seen) = server("127.0.0.5:0", "220 mx.example ESMTP\r\n").await;
    let ways = ways();
    let open = async |address: SocketAddr, manner: &Manner| {
        let mut attempt = Attempt::new(&ways, ANY);
        attempt.host(&[address.ip()], address.port(), manner).await
    };
    assert!(open(address, &manner(&[])).await.is_some());
    assert_eq!(seen.lock().unwrap()[0].1, "HELO gate.example");
    assert!(ways.pix.find(&address.ip()).is_some());
    // It is the peer that is remembered, not a server that shows it.
    assert!(open(clear, &manner(&[])).await.is_some());
    assert_eq!(clear_seen.lock().unwrap()[0].1, "EHLO gate.example");
    assert!(ways.pix.find(&clear.ip()).is_none());
    ways.pix.insert(clear.ip(), (), PIX_LIFETIME);
    assert!(open(clear, &manner(&[])).await.is_some());
    assert_eq!(clear_seen.lock().unwrap()[1].1, "HELO gate.example");
    // Where TLS is a must, HELO would be the end of it.
    let strict = Manner {
        tls: NexthopTls::Require,
        ..manner(&[])
    };
    assert!(open(clear, &strict).await.is_none());
    assert_eq!(clear_seen.lock().unwrap()[2].1, "EHLO gate.example");
}

#[tokio::test]
async fn no_more_than_some_addresses_are_tried() {
    let ways = ways();
    let ips: Vec<IpAddr> = (1..=100)
        .map(|last| IpAddr::from([127, 0, 9, last]))
        .collect();
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut attempt = Attempt::new(&ways, ANY);
    let port = unused.local_addr().unwrap().port();
    assert!(attempt.host(&ips, port, &manner(&[])).await.is_none());
    assert_eq!(attempt.tried, ADDRESSES_MAX);
    assert!(attempt.is_over());
}
