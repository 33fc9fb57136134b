//! Answers from a zone text, and from a nameserver on loopback that answers, fails, or says
//! nothing.

use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, PTR, TXT};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use proptest::prelude::*;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;

use super::*;

const ZONE: &str = "
    mx.example.net          A       192.0.2.1
    mx.example.net          AAAA    2001:db8::1
    half.example.net        A       192.0.2.7
    www.example.net         CNAME   mx.example.net
    xn--bcher-kva.example   A       192.0.2.9
    example.net             MX      20 backup.example.net.
    example.net             MX      10 MX.example.net.
    quiet.example.net       MX      0 .
    example.net             TXT     \"v=spf1 \" \"-all\"
    down.example.net        SERVFAIL
    slow.example.net        TIMEOUT

    1.2.0.192.in-addr.arpa  PTR     mx.example.net
    2.2.0.192.in-addr.arpa  PTR     liar.example.net
    2.2.0.192.in-addr.arpa  PTR     second.example.net
    second.example.net      A       192.0.2.2
    liar.example.net        A       198.51.100.1
    3.2.0.192.in-addr.arpa  PTR     slow.example.net
    4.2.0.192.in-addr.arpa  SERVFAIL
    5.2.0.192.in-addr.arpa  PTR     nowhere.example.net
    6.2.0.192.in-addr.arpa  PTR     *.example.net
    7.2.0.192.in-addr.arpa  PTR     slow.example.net
    7.2.0.192.in-addr.arpa  PTR     half.example.net
    1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR mx.example.net
";

fn zone() -> Resolver {
    Resolver::zone(ZONE).unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn temporary<T>(detail: &str) -> Result<T, DnsError> {
    Err(DnsError::Temporary {
        detail: detail.to_owned(),
    })
}

#[tokio::test]
async fn hosts_have_addresses_of_both_families() {
    let resolver = zone();
    let both = Ok(vec![ip("192.0.2.1"), ip("2001:db8::1")]);
    for host in ["mx.example.net", "MX.EXAMPLE.net.", "www.example.net"] {
        assert_eq!(resolver.ip(host).await, both, "{host}");
    }
    assert_eq!(
        resolver.ip("half.example.net").await,
        Ok(vec![ip("192.0.2.7")])
    );
    assert_eq!(
        resolver.ip("b\u{fc}cher.example").await,
        Ok(vec![ip("192.0.2.9")])
    );
    assert_eq!(resolver.ip("slow.example.net").await, temporary("timeout"));
    assert_eq!(resolver.ip("example.net").await, Err(DnsError::NotFound));
}

#[tokio::test]
async fn some_hosts_need_no_dns() {
    let resolver = Resolver::zone("localhost TIMEOUT\na.localhost TIMEOUT\n").unwrap();
    assert_eq!(resolver.ip("192.0.2.5").await, Ok(vec![ip("192.0.2.5")]));
    assert_eq!(
        resolver.ip("2001:db8::5").await,
        Ok(vec![ip("2001:db8::5")])
    );
    for host in ["localhost", "LocalHost.", "a.localhost"] {
        assert_eq!(
            resolver.ip(host).await,
            Ok(vec![ip("127.0.0.1"), ip("::1")]),
            "{host}"
        );
    }
}

#[tokio::test]
async fn what_can_be_no_name_is_not_found() {
    let resolver = zone();
    let long = ["a".repeat(64), vec!["abcdefg"; 40].join(".")];
    for host in ["", ".", "a..b", "mx\\.example.net", &long[0], &long[1]] {
        assert_eq!(resolver.ip(host).await, Err(DnsError::NotFound), "{host:?}");
        assert_eq!(
            resolver.txt(host).await,
            Err(DnsError::NotFound),
            "{host:?}"
        );
        assert_eq!(resolver.mx(host).await, Err(DnsError::NotFound), "{host:?}");
    }
}

#[tokio::test]
async fn exchangers_come_in_order() {
    let resolver = zone();
    let mx = |preference, exchange: &str| Mx {
        preference,
        exchange: exchange.to_owned(),
    };
    let expected = vec![mx(10, "mx.example.net"), mx(20, "backup.example.net")];
    assert_eq!(resolver.mx("example.net").await, Ok(expected));
    assert_eq!(resolver.mx("quiet.example.net").await, Ok(vec![mx(0, "")]));
    assert_eq!(resolver.mx("mx.example.net").await, Err(DnsError::NotFound));
    assert_eq!(
        resolver.mx("down.example.net").await,
        temporary("the nameserver says Server Failure")
    );
}

#[tokio::test]
async fn strings_of_a_text_are_joined() {
    assert_eq!(
        zone().txt("example.net").await,
        Ok(vec!["v=spf1 -all".to_owned()])
    );
}

#[tokio::test]
async fn a_reverse_name_is_one_that_both_sides_agree_on() {
    let resolver = zone();
    for (client, expected) in [
        ("192.0.2.1", Ok(Some("mx.example.net"))),
        ("::ffff:192.0.2.1", Ok(Some("mx.example.net"))),
        ("2001:db8::1", Ok(Some("mx.example.net"))),
        ("192.0.2.2", Ok(Some("second.example.net"))),
        ("192.0.2.3", temporary("timeout")),
        ("192.0.2.4", temporary("the nameserver says Server Failure")),
        ("192.0.2.5", Ok(None)),
        ("192.0.2.6", Ok(None)),
        ("192.0.2.7", Ok(Some("half.example.net"))),
        ("192.0.2.99", Ok(None)),
    ] {
        let name = resolver.reverse_name(ip(client)).await;
        assert_eq!(
            name,
            expected.map(|name| name.map(str::to_owned)),
            "{client}"
        );
    }
    assert_eq!(
        resolver.ptr(ip("192.0.2.2")).await.unwrap(),
        ["liar.example.net", "second.example.net"]
    );
    assert_eq!(
        resolver.ptr(ip("192.0.2.6")).await,
        Err(DnsError::NotFound),
        "no host name"
    );
}

#[tokio::test]
async fn of_very_many_names_few_are_confirmed() {
    let names = |good: usize| {
        let line = |index| format!("8.2.0.192.in-addr.arpa PTR host{index}.example.net\n");
        let lines: String = (0..1000).map(line).collect();
        Resolver::zone(&format!("{lines}host{good}.example.net A 192.0.2.8\n")).unwrap()
    };
    let last = DNS_REVERSE_NAMES_MAX - 1;
    assert_eq!(
        names(last).reverse_name(ip("192.0.2.8")).await,
        Ok(Some(format!("host{last}.example.net")))
    );
    assert_eq!(
        names(last + 1).reverse_name(ip("192.0.2.8")).await,
        Ok(None)
    );
}

#[test]
fn errors_read_well() {
    assert_eq!(
        DnsError::NotFound.to_string(),
        "DNS has no such name or record"
    );
    let failure: Result<(), DnsError> = temporary("timeout");
    assert_eq!(
        failure.unwrap_err().to_string(),
        "DNS gives no answer: timeout"
    );
}

proptest! {
    #[test]
    fn any_name_is_answered(name in "\\PC{0,80}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let resolver = zone();
            let _ = resolver.ip(&name).await;
            let _ = resolver.txt(&name).await;
        });
    }
}

/// A nameserver on loopback: `answer` adds records to each response and yields its code, or `None`
/// to say nothing.
async fn nameserver(
    answer: fn(&mut Message) -> Option<ResponseCode>,
) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (asked, questions) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
            let mut message = Message::from_vec(&buffer[..length])
                .unwrap()
                .into_response();
            message.edns = None;
            let question = message.queries[0].clone();
            if asked
                .send(format!("{} {}", question.name(), question.query_type()))
                .is_err()
            {
                break;
            }
            if let Some(code) = answer(&mut message) {
                message.metadata.response_code = code;
                socket
                    .send_to(&message.to_vec().unwrap(), client)
                    .await
                    .unwrap();
            }
        }
    });
    (address, questions)
}

fn asked(questions: &mut mpsc::UnboundedReceiver<String>) -> Vec<String> {
    std::iter::from_fn(|| questions.try_recv().ok()).collect()
}

/// Gives up soon, and at once.
fn impatient(address: SocketAddr) -> Resolver {
    let patience = dns::Patience {
        timeout: Duration::from_millis(50),
        tries: 1,
    };
    Resolver::new(Source::Dns(Box::new(
        dns::Dns::of(&[address], patience).unwrap(),
    )))
}

#[tokio::test]
async fn a_nameserver_is_asked_once_for_a_full_name() {
    let (address, mut questions) = nameserver(|message| {
        let question = message.queries[0].clone();
        let data = match question.query_type() {
            RecordType::PTR => RData::PTR(PTR(Name::from_ascii("MX.example.net.").unwrap())),
            RecordType::A => RData::A(A::new(192, 0, 2, 1)),
            RecordType::TXT => RData::TXT(TXT::from_bytes(vec![b"v=spf1 ", b"-all \xff"])),
            _ => return Some(ResponseCode::NXDomain),
        };
        message.add_answer(Record::from_rdata(question.name().clone(), 300, data));
        Some(ResponseCode::NoError)
    })
    .await;
    let resolver = Resolver::from_nameservers(&[address]).unwrap();
    for _ in 0..2 {
        assert_eq!(
            resolver.clone().reverse_name(ip("192.0.2.1")).await,
            Ok(Some("mx.example.net".to_owned()))
        );
    }
    let mut seen = asked(&mut questions);
    seen.sort();
    // An absence without SOA is not kept (RFC 2308 section 5), so AAAA may be asked for again.
    seen.dedup();
    assert_eq!(
        seen,
        [
            "1.2.0.192.in-addr.arpa. PTR",
            "mx.example.net. A",
            "mx.example.net. AAAA"
        ]
    );
    assert_eq!(
        resolver.txt("short").await,
        Ok(vec!["v=spf1 -all \u{fffd}".to_owned()])
    );
    assert_eq!(asked(&mut questions), ["short. TXT"], "no search list");
    assert_eq!(resolver.mx("example.net").await, Err(DnsError::NotFound));
}

#[tokio::test]
async fn what_was_answered_is_not_asked_again() {
    let (address, mut questions) = nameserver(|message| {
        let owner = message.queries[0].name().clone();
        // The answer lies behind an alias, as it often does.
        let target = Name::from_ascii("target.example.net.").unwrap();
        let alias = RData::CNAME(CNAME(target.clone()));
        message.add_answer(Record::from_rdata(owner, 300, alias));
        let data = RData::TXT(TXT::from_bytes(vec![b"kept"]));
        message.add_answer(Record::from_rdata(target, 300, data));
        Some(ResponseCode::NoError)
    })
    .await;
    let resolver = Resolver::from_nameservers(&[address]).unwrap();
    for _ in 0..3 {
        assert_eq!(
            resolver.clone().txt("example.net").await,
            Ok(vec!["kept".to_owned()])
        );
    }
    assert_eq!(asked(&mut questions), ["example.net. TXT"]);
}

#[tokio::test]
async fn a_failing_nameserver_is_temporary() {
    let (address, _questions) = nameserver(|_| Some(ResponseCode::ServFail)).await;
    let resolver = impatient(address);
    assert_eq!(
        resolver.ptr(ip("192.0.2.1")).await,
        temporary("the nameserver says Server Failure")
    );
    assert_eq!(
        resolver.ip("mx.example.net").await,
        temporary("the nameserver says Server Failure")
    );
}

#[tokio::test]
async fn a_silent_nameserver_is_temporary() {
    let (address, mut questions) = nameserver(|_| None).await;
    assert_eq!(
        impatient(address).txt("example.net").await,
        temporary("timeout")
    );
    assert!(!asked(&mut questions).is_empty());
}

#[tokio::test]
async fn an_absent_nameserver_is_temporary() {
    // Taken and let go: nobody listens there.
    let address = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let error = impatient(address).txt("example.net").await.unwrap_err();
    assert!(matches!(error, DnsError::Temporary { .. }), "{error}");
}

#[tokio::test]
async fn the_system_has_a_resolver() {
    let resolver = Resolver::system().unwrap();
    assert_eq!(resolver.ip("127.0.0.1").await, Ok(vec![ip("127.0.0.1")]));
    let none = Resolver::from_nameservers(&[]).unwrap_err();
    assert_eq!(none.kind(), io::ErrorKind::InvalidInput);
}
