//! Greeting a scripted server on loopback: each answer that fails to come is told by the name of its command, after its own time.

use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::config::Config;

const LONG: Duration = Duration::from_secs(300);
const SHORT: Duration = Duration::from_millis(200);

/// What comes of a server that says these lines, one after each line of ours but the first, and then leaves or falls silent.
async fn greeted(lines: &'static [&'static str], leaves: bool, limits: [Duration; 2]) -> Fault {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut command = Vec::new();
        for line in lines {
            socket.write_all(line.as_bytes()).await.unwrap();
            command.clear();
            while !command.ends_with(b"\r\n") {
                if socket.read_buf(&mut command).await.unwrap() == 0 {
                    return;
                }
            }
        }
        if !leaves {
            // Until the other side has had enough.
            while socket.read_buf(&mut command).await.unwrap() > 0 {}
        }
    });
    let config = Config::embedded(Path::new("/nowhere"));
    let manner = Manner {
        label: Arc::from("smtp:sink:25"),
        protocol: Protocol::Smtp,
        ehlo_name: "mx.example.net".to_owned(),
        bind: Arc::from([]),
        tls: NexthopTls::Require,
        tls_name: "sink".to_owned(),
        connector: Connector::opportunistic(),
        auth: None,
        timeouts: NexthopTimeouts {
            banner: limits[0],
            command: limits[1],
            ..config.routes[0].nexthop_timeouts
        },
    };
    let stream = Stream::Tcp(TcpStream::connect(address).await.unwrap());
    let greeted = Connection::greet(stream, &manner, PixWorkaround::Off).await;
    let fault = greeted.err().unwrap();
    server.await.unwrap();
    fault
}

const BANNER: &str = "220 sink\r\n";
const STARTTLS: &str = "250-sink\r\n250 STARTTLS\r\n";

#[tokio::test]
async fn a_server_that_leaves_is_told_by_what_it_was_asked_last() {
    for (lines, step) in [
        (&[][..], Step::Banner),
        (&[BANNER], Step::Hello),
        // RFC 5321 section 3.2: EHLO was refused, HELO follows.
        (&[BANNER, "502 5.5.1 what?\r\n"], Step::Hello),
        (&[BANNER, STARTTLS], Step::Tls),
    ] {
        let fault = greeted(lines, true, [LONG, LONG]).await;
        assert_eq!(fault.step, step, "{fault}");
        assert!(matches!(fault.cause, Cause::Closed), "{fault}");
    }
}

#[tokio::test]
async fn each_answer_has_its_own_time() {
    // Were the other time taken, the test would not end.
    for (lines, step, limits) in [
        (&[][..], Step::Banner, [SHORT, LONG]),
        (&[BANNER], Step::Hello, [LONG, SHORT]),
        (&[BANNER, STARTTLS], Step::Tls, [LONG, SHORT]),
        (
            &[BANNER, STARTTLS, "220 2.0.0 go ahead\r\n"],
            Step::Tls,
            [LONG, SHORT],
        ),
    ] {
        let fault = greeted(lines, false, limits).await;
        assert_eq!(fault.step, step, "{fault}");
        assert!(matches!(fault.cause, Cause::Timeout(_)), "{fault}");
    }
}

#[tokio::test]
async fn what_it_refuses_is_told_with_its_own_words() {
    for (lines, step, status) in [
        (&["421 4.3.2 busy\r\n"][..], Step::Banner, "4.3.2"),
        (&[BANNER, "421 4.3.2 busy\r\n"], Step::Hello, "4.3.2"),
        (
            &[BANNER, STARTTLS, "454 4.7.0 busy\r\n"],
            Step::Tls,
            "4.7.0",
        ),
        (&[BANNER, STARTTLS, "454 busy\r\n"], Step::Tls, "4.7.5"),
    ] {
        let fault = greeted(lines, true, [LONG, LONG]).await;
        assert_eq!(fault.step, step, "{fault}");
        assert_eq!(fault.status().to_string(), status, "{fault}");
        assert!(fault.to_string().contains("busy"), "{fault}");
    }
}
