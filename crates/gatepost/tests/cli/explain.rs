//! `gatepost explain`: a table of recipients, word for word in `explain.txt`; and asking a nexthop for real.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use crate::support::{Home, Run, closed_port, smtp_server};

const CONFIG: &str = r#"
[[listener]]
name = "balanced"
bind = ["192.0.2.10:2525"]

[[route]]
domains = ["example.com", "*.example.com", "[192.0.2.1]"]
customer = "acme"
nexthop = ["smtp:a.example.net:25", "smtp:[2001:db8::1]:2525"]
nexthop_tls = "require"
nexthop_auth = { user = "gatepost", password = "secret" }

[[route]]
domains = ["bücher.example"]
nexthop = ["lmtp:unix:/run/lmtp"]
cut_through = false
recipients = "callout"
language = "de"

[[route]]
domains = ["listed.example", "mx.gatepost.example"]
nexthop = ["maildir:mail"]
recipients = "file:recipients"

[route.engines]
attachment = false
spamassassin = { likely = 4.0, sure = 9.5 }

[engine.spamassassin]
address = "127.0.0.1:783"
on_failure = "defer"

[allow]
client = ["203.0.113.0/28"]
recipient = ["friend@example.com"]

[block]
client = ["198.51.100.0/24"]
reverse_path = ["*.spammer.example", "<>"]
recipient = ["example.com"]
"#;

const TABLE: &[&[&str]] = &[
    &["anna@example.com"],
    &["anna@example.com", "--client", "203.0.113.5"],
    &[
        "friend@example.com",
        "--from",
        "bob@x.spammer.example",
        "--client",
        "203.0.113.77",
    ],
    &["anna@sub.Example.COM", "--listener", "balanced"],
    &["anna@[192.0.2.1]", "--from", "bob@sender.example"],
    &["\"a b\"@bücher.example"],
    &["anna@xn--bcher-kva.example", "--from", "<>"],
    &["anna@listed.example", "--client", "198.51.100.77"],
    &["anna+news@listed.example"],
    &["bert@listed.example"],
    &["postmaster@listed.example"],
    &["Postmaster"],
    &["anna@elsewhere.example"],
    &["anna@[IPv6:2001:db8::1]"],
];

#[test]
fn a_table_of_recipients() {
    let home = Home::new(CONFIG);
    home.file("recipients", b"anna\n");
    let mut actual = String::new();
    for arguments in TABLE {
        let run = home.run(&[&["explain"], *arguments].concat());
        assert_eq!(run.err, "", "{arguments:?}");
        let _ = writeln!(actual, "$ gatepost explain {}", arguments.join(" "));
        let _ = writeln!(
            actual,
            "{}exit code {}\n",
            without_references(&run.out),
            run.code
        );
    }
    check_golden("tests/cli/explain.txt", &actual);
}

/// The reference of the reply is another one each time.
fn without_references(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        match (line.find('['), line.find(']')) {
            (Some(start), Some(end)) if end == start + 13 => {
                let _ = writeln!(out, "{}[REFERENCE]{}", &line[..start], &line[end + 1..]);
            }
            _ => {
                let _ = writeln!(out, "{line}");
            }
        }
    }
    out
}

#[track_caller]
fn check_golden(path: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (at, (expected, actual)) in expected.lines().zip(actual.lines()).enumerate() {
        assert_eq!(expected, actual, "line {} of {}", at + 1, path.display());
    }
    assert_eq!(expected.lines().count(), actual.lines().count());
}

#[test]
fn the_same_as_json() {
    let home = Home::new(CONFIG);
    home.file("recipients", b"anna\n");
    let run = home.run(&[
        "explain",
        "friend@example.com",
        "--client",
        "192.0.2.7",
        "--json",
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    let [object] = &*run.json() else {
        panic!("{run:?}");
    };
    assert_eq!(object["route"]["rule"], "example.com");
    assert_eq!(object["route"]["customer"], "acme");
    assert_eq!(object["listeners"], json!(["inbound", "balanced"]));
    assert_eq!(
        object["lists"],
        json!([{ "list": "allow", "field": "recipient", "entry": "friend@example.com" }])
    );
    assert_eq!(object["answer"]["outcome"], "accept");
    assert!(!run.out.contains("secret"), "{run:?}");

    let run = home.run(&["explain", "anna@elsewhere.example", "--json"]);
    assert_eq!(run.code, 3);
    assert_eq!(run.json()[0]["answer"]["kind"], "relay");
}

#[test]
fn what_is_no_address_is_told() {
    let home = Home::new(CONFIG);
    home.file("recipients", b"anna\n");
    for address in ["anna", "@example.com", "a b@example.com"] {
        let run = home.run(&["explain", address]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.err.contains("ADDRESS"), "{run:?}");
    }
}

fn ask(recipients: &str, port: u16) -> Run {
    let home = Home::new(&format!(
        "[[route]]\ndomains = [\"example.com\"]\nnexthop = [\"smtp:127.0.0.1:{port}\"]\nrecipients = \"{recipients}\"\n\
         cut_through = {}\n",
        recipients == "any"
    ));
    home.run(&["explain", "anna@example.com", "--ask"])
}

fn nexthop(rcpt: &'static str) -> u16 {
    smtp_server("220 nexthop.example ESMTP\r\n", move |verb| match verb {
        "RCPT" => rcpt,
        "QUIT" => "221 2.0.0 bye\r\n",
        _ => "250 2.0.0 ok\r\n",
    })
}

#[test]
fn the_nexthop_is_asked() {
    for recipients in ["any", "callout"] {
        let run = ask(recipients, nexthop("250 2.1.5 yes\r\n"));
        assert_eq!(run.code, 0, "{run:?}");
        run.line(&["asked just now, smtp:127.0.0.1:", "says: 250 2.1.5 yes"]);

        let run = ask(recipients, nexthop("550 5.1.1 never heard of her\r\n"));
        assert_eq!(run.code, 3, "{run:?}");
        run.line(&["says: 550 5.1.1 never heard of her"]);
        run.line(&["answer", "refused at RCPT (mailbox)"]);
        run.line(&["550 5.1.1 ["]);

        let run = ask(recipients, nexthop("452 4.2.2 full\r\n"));
        assert_eq!(run.code, 3, "{run:?}");
        run.line(&["answer", "deferred at RCPT (by the nexthop, in its words)"]);

        let run = ask(recipients, closed_port());
        assert_eq!(run.code, 3, "{run:?}");
        run.line(&["answer", "deferred at RCPT (nexthop-down)"]);
        run.line(&["451 4.4.1 ["]);
    }
    // Cut-through passes on what a callout, with its null reverse-path, learns nothing from.
    let refusal = "550 5.7.1 no null reverse-path here\r\n";
    assert_eq!(ask("any", nexthop(refusal)).code, 3);
    assert_eq!(ask("callout", nexthop(refusal)).code, 0);
}
