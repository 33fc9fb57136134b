//! Answers from a zone text, and from a nameserver on loopback that answers, fails, or says
//! nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, PTR, TXT};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;

use super::*;
use crate::limits::DNS_RECORDS_MAX;

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
    alias.example.net       CNAME   example.net
    round.example.net       CNAME   about.example.net
    about.example.net       CNAME   round.example.net
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
    assert_eq!(resolver.ip("example.net").await, Err(DnsError::NoRecord));
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
        assert_eq!(
            resolver.ip(host).await,
            Err(DnsError::NoSuchName),
            "{host:?}"
        );
        assert_eq!(
            resolver.txt(host).await,
            Err(DnsError::NoSuchName),
            "{host:?}"
        );
        assert_eq!(
            resolver.mx_answer(host).await,
            Err(DnsError::NoSuchName),
            "{host:?}"
        );
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
    let exchangers = async |domain| {
        let answered = resolver.mx_answer(domain).await?;
        Ok((answered.value, answered.name))
    };
    let of = |name: &str, exchangers| Ok((exchangers, name.to_owned()));
    assert_eq!(
        exchangers("example.net").await,
        of("example.net", expected.clone())
    );
    // RFC 5321 section 5.1: those of an alias are those of its canonical name.
    assert_eq!(
        exchangers("ALIAS.example.net").await,
        of("example.net", expected)
    );
    assert_eq!(
        exchangers("quiet.example.net").await,
        of("quiet.example.net", vec![mx(0, "")])
    );
    assert_eq!(exchangers("mx.example.net").await, Err(DnsError::NoRecord));
    assert_eq!(
        exchangers("nowhere.example.net").await,
        Err(DnsError::NoSuchName)
    );
    assert_eq!(
        exchangers("round.example.net").await,
        temporary("more than 8 CNAMEs, or a loop of them")
    );
    assert_eq!(
        exchangers("down.example.net").await,
        temporary("the nameserver says Server Failure")
    );
}

#[tokio::test]
async fn each_family_has_an_answer_of_its_own() {
    let resolver = Resolver::zone(
        "both.example A 192.0.2.1\nboth.example 60 AAAA 2001:db8::1\n\
         four.example A 192.0.2.2\nalias.example CNAME both.example\n",
    )
    .unwrap();
    let answered = |ip_text, name: &str, seconds| {
        Ok(Answered {
            value: vec![ip(ip_text)],
            name: name.to_owned(),
            secure: false,
            valid_for: Duration::from_secs(seconds),
        })
    };
    let both = resolver.ip_by_family("alias.example").await;
    assert_eq!(both.ipv4, answered("192.0.2.1", "both.example", 300));
    assert_eq!(both.ipv6, answered("2001:db8::1", "both.example", 60));
    let four = resolver.ip_by_family("four.example").await;
    assert_eq!(four.ipv6, Err(DnsError::NoRecord));
    let given = resolver.ip_by_family("2001:db8::7").await;
    assert_eq!(given.ipv4, Err(DnsError::NoRecord));
    assert_eq!(given.ipv6.unwrap().value, [ip("2001:db8::7")]);
}

#[tokio::test]
async fn an_answer_is_secure_if_all_that_led_to_it_is() {
    let resolver = Resolver::zone(
        "signed.example SECURE\n\
         signed.example MX 10 mx.signed.example\n\
         mx.signed.example A 192.0.2.1\n\
         _25._tcp.mx.signed.example TLSA 3 1 1 0123456789abcdef 0123\n\
         out.signed.example CNAME plain.example\n\
         plain.example A 192.0.2.2\n\
         in.example CNAME mx.signed.example\n\
         notsigned.example A 192.0.2.3\n",
    )
    .unwrap();
    assert!(resolver.mx_answer("signed.example").await.unwrap().secure);
    for (host, secure) in [
        ("mx.signed.example", true),
        ("out.signed.example", false),
        ("in.example", false),
        ("notsigned.example", false),
    ] {
        let answered = resolver.ip_by_family(host).await.ipv4.unwrap();
        assert_eq!(answered.secure, secure, "{host}");
    }
    let tlsa = resolver.tlsa(25, "mx.signed.example").await.unwrap();
    assert!(tlsa.secure);
    let data = vec![0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23];
    let expected = Tlsa {
        usage: 3,
        selector: 1,
        matching: 1,
        data,
    };
    assert_eq!(tlsa.value, [expected]);
    let none = resolver.tlsa(465, "mx.signed.example").await;
    assert_eq!(none, Err(DnsError::NoSuchName));
    // The record of the alias itself is secure, though what it leads to is not.
    let alias = resolver.alias("out.signed.example").await.unwrap();
    assert_eq!(
        (alias.value.as_str(), alias.secure),
        ("plain.example", true)
    );
    assert_eq!(
        resolver.alias("mx.signed.example").await,
        Err(DnsError::NoRecord)
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
        Err(DnsError::NoRecord),
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
    assert_eq!(DnsError::NoSuchName.to_string(), "DNS has no such name");
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
    assert_eq!(
        resolver.mx_answer("example.net").await,
        Err(DnsError::NoSuchName)
    );
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

/// What is asked while nobody answers costs no question to anybody, and the first answer ends that.
#[tokio::test]
async fn a_silent_nameserver_is_remembered_until_it_answers() {
    static IS_SILENT: AtomicBool = AtomicBool::new(true);
    let (address, mut questions) = nameserver(|_| {
        let is_silent = IS_SILENT.load(Ordering::SeqCst);
        (!is_silent).then_some(ResponseCode::NXDomain)
    })
    .await;
    let resolver = impatient(address);
    let (told, mut outages) = mpsc::unbounded_channel();
    resolver.observe(move |outage| told.send(outage).unwrap());
    assert_eq!(resolver.txt("a.example").await, temporary("timeout"));
    // Given up before the nameserver is.
    let patience = Duration::from_millis(55);
    let (two, three) = (resolver.txt("b.example"), resolver.txt("c.example"));
    let both = async { tokio::join!(two, three) };
    let _ = tokio::time::timeout(patience, both).await;
    assert_eq!(outages.recv().await, Some(Outage::Began));
    assert!(resolver.outage().is_some());
    asked(&mut questions);
    let error = resolver.txt("d.example").await.unwrap_err().to_string();
    assert!(error.contains("no nameserver has answered for"), "{error}");
    let names = asked(&mut questions);
    assert!(
        names.iter().all(|name| !name.contains("d.example")),
        "{names:?}"
    );

    IS_SILENT.store(false, Ordering::SeqCst);
    assert!(matches!(outages.recv().await, Some(Outage::Ended { .. })));
    assert_eq!(resolver.txt("d.example").await, Err(DnsError::NoSuchName));
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

#[tokio::test]
async fn a_trusted_nameserver_is_asked_what_is_secure() {
    let (address, _questions) = nameserver(|message| {
        // As a validating nameserver does (RFC 6840 section 5.8): only who asks is told.
        let owner = message.queries[0].name().clone();
        let is_signed = owner.to_ascii().starts_with("signed");
        message.metadata.authentic_data &= is_signed;
        let data = RData::A(A::new(192, 0, 2, 1));
        message.add_answer(Record::from_rdata(owner, 300, data));
        Some(ResponseCode::NoError)
    })
    .await;
    let plain = Resolver::from_nameservers(&[address]).unwrap();
    assert!(plain.is_local());
    let trusting = plain.clone().with_dnssec(Dnssec::Trust);
    for (resolver, host, secure) in [
        (&plain, "signed.example", false),
        (&trusting, "signed.example", true),
        (&trusting, "signed.example", true),
        (&trusting, "plain.example", false),
    ] {
        let answered = resolver.ip_by_family(host).await.ipv4.unwrap();
        assert_eq!(answered.secure, secure, "{host}");
    }
}

#[tokio::test]
async fn a_chain_that_ends_outside_the_answer_is_followed() {
    let (address, mut questions) = nameserver(|message| {
        let owner = message.queries[0].name().clone();
        let name = |text| Name::from_ascii(text).unwrap();
        let (ttl, data) = match owner.to_ascii().as_str() {
            "www.example." => (20, RData::CNAME(CNAME(name("host.example.")))),
            "host.example." => (300, RData::A(A::new(192, 0, 2, 1))),
            "gone.example." => (300, RData::CNAME(CNAME(name("nowhere.example.")))),
            "loop.example." => (300, RData::CNAME(CNAME(owner.clone()))),
            _ => return Some(ResponseCode::NXDomain),
        };
        message.add_answer(Record::from_rdata(owner, ttl, data));
        Some(ResponseCode::NoError)
    })
    .await;
    let resolver = Resolver::from_nameservers(&[address]).unwrap();
    let answered = resolver.ip_by_family("www.example").await.ipv4.unwrap();
    assert_eq!(answered.value, [ip("192.0.2.1")]);
    assert_eq!(answered.name, "host.example");
    assert_eq!(answered.valid_for, Duration::from_secs(20));
    assert_eq!(
        resolver.mx_answer("gone.example").await,
        Err(DnsError::NoSuchName)
    );
    asked(&mut questions);
    let error = resolver.mx_answer("loop.example").await;
    assert_eq!(error, temporary("more than 8 CNAMEs, or a loop of them"));
    assert_eq!(asked(&mut questions).len(), 1, "the loop is in one answer");
}

#[tokio::test]
async fn an_answer_with_very_many_records_is_not_believed() {
    // So many do not fit into a datagram: UDP says "truncated", TCP has them (RFC 7766 section 5).
    let (address, _questions) = nameserver(|message| {
        message.metadata.truncation = true;
        Some(ResponseCode::NoError)
    })
    .await;
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        while let Ok(length) = stream.read_u16().await {
            let mut question = vec![0; length.into()];
            stream.read_exact(&mut question).await.unwrap();
            let mut message = Message::from_vec(&question).unwrap().into_response();
            let owner = message.queries[0].name().clone();
            let is_many = owner.to_ascii().starts_with("many");
            let last = u8::try_from(DNS_RECORDS_MAX).unwrap() - u8::from(!is_many);
            for last in 0..=last {
                let data = RData::A(A::new(192, 0, 2, last));
                message.add_answer(Record::from_rdata(owner.clone(), 300, data));
            }
            let bytes = message.to_vec().unwrap();
            let length = u16::try_from(bytes.len()).unwrap();
            stream.write_u16(length).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
        }
    });
    let resolver = Resolver::from_nameservers(&[address]).unwrap();
    let some = resolver.ip_of("some.example", Kind::A, Ipv4Addr::LOCALHOST.into());
    assert_eq!(some.await.unwrap().value.len(), DNS_RECORDS_MAX);
    let many = resolver.ip_of("many.example", Kind::A, Ipv4Addr::LOCALHOST.into());
    assert_eq!(many.await, temporary("201 records, and 200 are looked at"));
}

#[tokio::test]
async fn an_answer_that_stays_truncated_is_temporary() {
    // UDP says "truncated"; nobody listens on TCP (RFC 7766 section 5).
    let (address, _questions) = nameserver(|message| {
        message.metadata.truncation = true;
        Some(ResponseCode::NoError)
    })
    .await;
    let error = impatient(address)
        .mx_answer("example.net")
        .await
        .unwrap_err();
    assert!(matches!(error, DnsError::Temporary { .. }), "{error}");
}

#[tokio::test]
async fn some_names_never_exist_and_are_not_asked_for() {
    let (address, mut questions) = nameserver(|_| Some(ResponseCode::ServFail)).await;
    let resolver = impatient(address);
    for name in ["example.invalid", "INVALID.", "abc.onion"] {
        assert_eq!(resolver.ip(name).await, Err(DnsError::NoSuchName), "{name}");
    }
    let names = resolver.ptr(ip("127.0.0.1")).await.unwrap();
    assert_eq!(names, ["localhost"]);
    assert_eq!(asked(&mut questions), [""; 0]);
}
