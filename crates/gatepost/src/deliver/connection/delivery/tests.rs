//! Transactions with a scripted server on loopback: what is sent together, and what each recipient is answered.

use std::path::Path;

use net::stream::Stream;
use net::tls::Connector;
use smtp::client::PixWorkaround;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::super::Manner;
use super::*;
use crate::config::{Config, NexthopTls};

/// What the server says at first, then after each piece that ends as told; then it closes.
type Script = &'static [(&'static str, &'static str)];

const PIPELINING: &str = "250-sink\r\n250-PIPELINING\r\n250 SIZE 100\r\n";

/// A connection to a server with this script, and what the server reads, piece by piece.
async fn connect(protocol: Protocol, script: Script) -> (Connection, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(b"220 sink\r\n").await.unwrap();
        let mut pieces = Vec::new();
        for (end, answer) in script {
            let mut piece = Vec::new();
            while !piece.ends_with(end.as_bytes()) {
                if socket.read_buf(&mut piece).await.unwrap() == 0 {
                    break;
                }
            }
            pieces.push(String::from_utf8(piece).unwrap());
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
        pieces
    });
    let config = Config::embedded(Path::new("/nowhere"));
    let manner = Manner {
        label: Arc::from("smtp:sink:25"),
        protocol,
        ehlo_name: "mx.example.net".to_owned(),
        bind: Arc::from([]),
        tls: NexthopTls::Off,
        tls_name: String::new(),
        connector: Connector::opportunistic(),
        auth: None,
        timeouts: config.routes[0].nexthop_timeouts,
    };
    let stream = Stream::Tcp(TcpStream::connect(address).await.unwrap());
    let connection = Connection::greet(stream, &manner, PixWorkaround::Off).await;
    (connection.unwrap(), server)
}

/// Sends `content` to these recipients: the answers in short, and what the server read after EHLO.
async fn deliver(
    protocol: Protocol,
    script: Script,
    content: &'static str,
    recipients: &[&str],
) -> (Result<Vec<String>, Unsupported>, Vec<String>, bool) {
    let (mut connection, server) = connect(protocol, script).await;
    let paths: Vec<ForwardPath> = recipients
        .iter()
        .map(|recipient| ForwardPath::Mailbox(recipient.parse().unwrap()))
        .collect();
    let parameters = RcptParameters::default();
    let recipients: Vec<_> = paths.iter().map(|path| (path, &parameters)).collect();
    let content = Bytes::from_static(content.as_bytes());
    let outgoing = Outgoing {
        reverse_path: &ReversePath::Null,
        mail: &MailParameters::default(),
        content: &content,
        eight_bit: false,
    };
    let answers = connection.deliver(outgoing, &recipients).await;
    let reusable = connection.is_reusable();
    drop(connection);
    let mut pieces = server.await.unwrap();
    pieces.remove(0);
    let shown = |answered: &Answered| match answered {
        Answered::Reply(step, reply) => format!("{step:?} {}", reply.code()),
        Answered::Unsupported(unsupported) => unsupported.to_string(),
        Answered::Unnamed => "unnamed".to_owned(),
        Answered::Lost(fault) => format!("lost at {:?}", fault.step),
    };
    (
        answers.map(|answers| answers.iter().map(shown).collect()),
        pieces,
        reusable,
    )
}

#[tokio::test]
async fn the_envelope_is_one_write() {
    let (answers, pieces, reusable) = deliver(
        Protocol::Smtp,
        &[
            ("\r\n", PIPELINING),
            ("DATA\r\n", "250 ok\r\n250 ok\r\n550 5.1.1 no\r\n354 go\r\n"),
            ("\r\n.\r\n", "250 2.0.0 taken\r\n"),
        ],
        "a\r\n.b\r\n",
        &["anna@example.org", "bob@example.org"],
    )
    .await;
    assert_eq!(answers.unwrap(), ["Final 250", "Rcpt 550"]);
    assert!(reusable);
    assert_eq!(
        pieces,
        [
            "MAIL FROM:<> SIZE=7\r\nRCPT TO:<anna@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n",
            "a\r\n..b\r\n.\r\n"
        ]
    );
}

#[tokio::test]
async fn without_pipelining_each_command_waits() {
    let (answers, pieces, _) = deliver(
        Protocol::Smtp,
        &[
            ("\r\n", "250 sink\r\n"),
            ("\r\n", "250 ok\r\n"),
            ("\r\n", "250 ok\r\n"),
            ("\r\n", "354 go\r\n"),
            ("\r\n.\r\n", "451 4.3.0 later\r\n"),
        ],
        "a\r\n",
        &["anna@example.org"],
    )
    .await;
    assert_eq!(answers.unwrap(), ["Final 451"]);
    assert_eq!(pieces.len(), 4);
    assert_eq!(pieces[0], "MAIL FROM:<>\r\n");
}

#[tokio::test]
async fn lmtp_answers_for_each_recipient_as_far_as_it_comes() {
    let (answers, _, reusable) = deliver(
        Protocol::Lmtp,
        &[
            ("\r\n", PIPELINING),
            (
                "DATA\r\n",
                "250 ok\r\n250 ok\r\n450 4.2.0 no\r\n250 ok\r\n354 go\r\n",
            ),
            ("\r\n.\r\n", "250 2.0.0 taken\r\n"),
        ],
        "a\r\n",
        &["anna@example.org", "bob@example.org", "carl@example.org"],
    )
    .await;
    assert_eq!(answers.unwrap(), ["Final 250", "Rcpt 450", "lost at Final"]);
    assert!(!reusable);
}

#[tokio::test]
async fn a_message_that_is_too_large_is_not_sent() {
    let content: &'static str = Box::leak("x".repeat(101).into_boxed_str());
    let script: Script = &[("\r\n", PIPELINING)];
    let (answers, pieces, reusable) =
        deliver(Protocol::Smtp, script, content, &["anna@example.org"]).await;
    assert_eq!(answers.unwrap_err(), Unsupported::Size { max: 100 });
    assert!(pieces.is_empty() && reusable);
}

#[tokio::test]
async fn a_refused_mail_is_said_to_all_and_the_connection_lives() {
    let (answers, pieces, reusable) = deliver(
        Protocol::Smtp,
        &[
            ("\r\n", PIPELINING),
            (
                "DATA\r\n",
                "451 4.7.1 later\r\n503 no\r\n503 no\r\n503 no\r\n",
            ),
            ("RSET\r\n", "250 ok\r\n"),
        ],
        "a\r\n",
        &["anna@example.org", "bob@example.org"],
    )
    .await;
    assert_eq!(answers.unwrap(), ["Mail 451", "Mail 451"]);
    assert_eq!(pieces.last().unwrap(), "RSET\r\n");
    assert!(reusable);
}

#[tokio::test]
async fn a_server_that_takes_one_recipient_a_time_gets_one() {
    let (answers, pieces, _) = deliver(
        Protocol::Smtp,
        &[
            (
                "\r\n",
                "250-sink\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX=1\r\n",
            ),
            ("DATA\r\n", "250 ok\r\n250 ok\r\n354 go\r\n"),
            ("\r\n.\r\n", "250 2.0.0 taken\r\n"),
        ],
        "a\r\n",
        &["anna@example.org", "bob@example.org"],
    )
    .await;
    assert_eq!(answers.unwrap(), ["Final 250", "unnamed"]);
    assert!(!pieces[0].contains("bob"));
}

#[tokio::test]
async fn an_address_that_needs_smtputf8_fails_alone() {
    let (answers, pieces, _) = deliver(
        Protocol::Smtp,
        &[
            ("\r\n", PIPELINING),
            ("DATA\r\n", "250 ok\r\n250 ok\r\n354 go\r\n"),
            ("\r\n.\r\n", "250 2.0.0 taken\r\n"),
        ],
        "a\r\n",
        &["änna@example.org", "bob@example.org"],
    )
    .await;
    let answers = answers.unwrap();
    assert_eq!(answers[0], Unsupported::SmtpUtf8.to_string());
    assert_eq!(answers[1], "Final 250");
    assert!(!pieces[0].contains("nna"));
}

#[tokio::test]
async fn a_connection_that_closes_early_loses_all() {
    for (script, expected) in [
        (&[("\r\n", PIPELINING)] as Script, "lost at Mail"),
        (
            &[
                ("\r\n", PIPELINING),
                ("DATA\r\n", "250 ok\r\n250 ok\r\n354 go\r\n"),
                ("\r\n.\r\n", ""),
            ],
            "lost at Final",
        ),
        (
            &[
                ("\r\n", PIPELINING),
                ("DATA\r\n", "250 ok\r\n250 ok\r\n421 4.3.2 closing\r\n"),
            ],
            "lost at Data",
        ),
    ] {
        let (answers, _, reusable) =
            deliver(Protocol::Smtp, script, "a\r\n", &["anna@example.org"]).await;
        assert_eq!(answers.unwrap(), [expected]);
        assert!(!reusable);
    }
}
