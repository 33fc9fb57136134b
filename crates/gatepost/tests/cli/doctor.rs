//! `gatepost doctor` among servers that are well, that refuse, and that stand behind a firewall which writes over SMTP.

use serde_json::json;

use crate::support::{Home, NODE, closed_port, smtp_server};

fn maildir() -> Home {
    Home::new("[[route]]\ndomains = [\"example.com\"]\nnexthop = [\"maildir:mail\"]\n")
}

fn healthy() -> u16 {
    smtp_server("220 mail.example ESMTP ready\r\n", |verb| match verb {
        "EHLO" => "250-mail.example\r\n250-PIPELINING\r\n250 SIZE 1000000\r\n",
        "QUIT" => "221 2.0.0 bye\r\n",
        _ => "502 5.5.1 no\r\n",
    })
}

#[test]
fn a_healthy_server() {
    let run = maildir().run(&["doctor", &format!("127.0.0.1:{}", healthy())]);
    assert_eq!(run.code, 0, "{run:?}");
    run.line(&[
        "ok",
        "server",
        "in clear, no STARTTLS offered",
        "PIPELINING SIZE 1000000",
    ]);
    run.line(&["| 220 mail.example ESMTP ready"]);
    run.line(&["0 warnings, 0 failed"]);
}

#[test]
fn a_pix_is_shown_word_for_word() {
    const BANNER: &str = "220 ****************************2******0******200\r\n";
    let port = smtp_server(BANNER, |verb| match verb {
        "HELO" => "250 mail.example\r\n",
        "QUIT" => "221 bye\r\n",
        _ => "500 5.5.1 Command unrecognized: \"XXXX mx\"\r\n",
    });
    let run = maildir().run(&["doctor", &format!("127.0.0.1:{port}")]);
    assert_eq!(run.code, 0, "a warning: {run:?}");
    run.line(&[
        "warning",
        "no EHLO, only HELO",
        "an SMTP fixup of a firewall stands in the path",
    ]);
    run.line(&[&format!("| {}", BANNER.trim_end())]);
    run.line(&["| 500 ", "XXXX mx"]);
    run.line(&["-> switch it off in the firewall: `no fixup protocol smtp 25`"]);
}

fn stripped() -> u16 {
    smtp_server("220 mail.example ESMTP\r\n", |verb| match verb {
        "EHLO" => "250-mail.example\r\n250-SIZE 1000\r\n250-XXXXXXXA\r\n250 8BITMIME\r\n",
        "QUIT" => "221 bye\r\n",
        _ => "250 ok\r\n",
    })
}

#[test]
fn starttls_that_is_stripped() {
    let run = maildir().run(&["doctor", &format!("127.0.0.1:{}", stripped())]);
    assert_eq!(run.code, 0, "{run:?}");
    run.line(&["warning", "stands in the path, and strips STARTTLS"]);
    run.line(&["| 250-XXXXXXXA"]);

    let home = Home::new(&format!(
        "[[route]]\ndomains = [\"example.com\"]\nnexthop = [\"smtp:127.0.0.1:{}\"]\nnexthop_tls = \"require\"\n",
        stripped()
    ));
    let run = home.run(&["doctor"]);
    assert_eq!(run.code, 1, "{run:?}");
    run.line(&[
        "FAILED",
        "nexthop",
        "TLS is required, but a firewall in the path strips STARTTLS",
    ]);
}

#[test]
fn servers_that_do_not_take_us() {
    let home = maildir();
    let refusing = smtp_server("554 5.7.1 you are on a list\r\n", |_| "221 bye\r\n");
    let run = home.run(&["doctor", &format!("127.0.0.1:{refusing}")]);
    assert_eq!(run.code, 1, "{run:?}");
    run.line(&["FAILED", "it refuses us: 554 5.7.1 you are on a list"]);

    let run = home.run(&["doctor", &format!("127.0.0.1:{}", closed_port())]);
    assert_eq!(run.code, 1, "{run:?}");
    run.line(&["FAILED", "Connection refused"]);
    run.line(&["-> nothing listens there"]);

    let foreign = smtp_server("SSH-2.0-OpenSSH_9.2\r\n", |_| "");
    let run = home.run(&["doctor", &format!("127.0.0.1:{foreign}")]);
    assert_eq!(run.code, 1, "{run:?}");
    run.line(&["FAILED", "SSH-2.0"]);

    let run = home.run(&["doctor", "nowhere.example:25"]);
    assert_eq!(run.code, 1, "{run:?}");
    run.line(&["FAILED", "nowhere.example:25", "DNS has no such name"]);

    let run = home.run(&["doctor", "host:port"]);
    assert_eq!(run.code, 2, "{run:?}");
}

#[test]
fn one_address_that_works_is_enough() {
    // `localhost` is 127.0.0.1 and ::1, where nothing listens.
    let run = maildir().run(&["doctor", &format!("localhost:{}", healthy())]);
    assert_eq!(run.code, 0, "{run:?}");
    run.line(&["ok", "at 127.0.0.1"]);
    run.line(&["warning", "[::1]:"]);
}

#[test]
fn everything_around_a_node() {
    let home = Home::new(&format!(
        "[[route]]\ndomains = [\"example.com\"]\nnexthop = [\"smtp:127.0.0.1:{}\"]\n\n\
         [[route]]\ndomains = [\"example.net\"]\nnexthop = [\"maildir:mail\"]\n\n\
         [engine.clamav]\naddress = \"127.0.0.1:{}\"\n",
        healthy(),
        closed_port()
    ));
    let run = home.run(&["doctor", "--json"]);
    assert_eq!(run.code, 1, "{run:?}");
    let checks = run.json();
    let grade = |area: &str, words: &str| {
        let mut found = checks.iter().filter(|check| check["area"] == area);
        let check = found.find(|check| check["text"].as_str().unwrap().contains(words));
        check.unwrap_or_else(|| panic!("no {area} with {words} in {run:?}"))["grade"].clone()
    };
    assert_eq!(grade("config", "1 listener, 2 routes, 5 engines"), "ok");
    assert_eq!(grade("data", "it can be made"), "ok");
    assert_eq!(grade("engine", "attachment: "), "ok");
    assert_eq!(grade("engine", "clamav: "), "failed");
    assert_eq!(grade("dns", "answers"), "ok");
    assert_eq!(
        grade(
            "name",
            &format!("{NODE} is 127.0.0.1, an address of this machine")
        ),
        "ok"
    );
    assert_eq!(grade("nexthop", "smtp:127.0.0.1:"), "ok");
    assert_eq!(grade("nexthop", "maildir:"), "ok");
    let summary = checks.last().unwrap();
    assert_eq!(summary["summary"]["failed"], 1);
    // Whether this machine has IPv6 and how many files it may open is its own affair.
    assert!(
        checks.iter().any(|check| check["area"] == "ipv6"),
        "{run:?}"
    );
    assert!(
        checks.iter().any(|check| check["area"] == "files"),
        "{run:?}"
    );
}

#[test]
fn a_configuration_that_can_not_be_used() {
    let home = maildir();
    home.file("gatepost.toml", b"[node]\nnmae = \"x\"\n");
    let run = home.run(&["doctor", "--json"]);
    assert_eq!(run.code, 1, "{run:?}");
    let checks = run.json();
    assert_eq!(checks[0]["area"], "config");
    assert_eq!(checks[0]["grade"], "failed");
    let text = checks[0]["text"].as_str().unwrap();
    assert!(text.starts_with("gatepost.toml:"), "{text}");
    assert_ne!(checks[0]["remedy"], json!(null));
}
