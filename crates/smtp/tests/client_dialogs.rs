//! Golden dialogs of the client session: `client_dialogs/*.txt`, rewritten with `UPDATE_EXPECT=1`.
//!
//! Each line is one of
//! * `< text` what the peer sends, CRLF added; `<~ text` without CRLF; `<*N text` N times. Lines that
//!   follow each other arrive together;
//! * `@ call` what the driver does: see `Driver::call`. The first is `@ settings`, which starts;
//! * `> text` what the session must send then, one line each; `> (nothing)` separates what arrives apart;
//! * `! event` what it must report, before it sends;
//! * `# text` a remark.
//!
//! `\r`, `\n`, `\t`, `\\` and `\xNN` are escapes, everywhere. Every dialog is also played with the peer's
//! bytes cut into single ones: nothing may change.

#![expect(
    clippy::unwrap_used,
    reason = "a script that cannot be played has to fail the test"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use smtp::client::{ClientAuth, Event, PixWorkaround, Protocol, Session, Settings, StartTlsUse};
use smtp::{Body, ForwardPath, MailParameters, Mailbox, Notify, RcptParameters, Ret, ReversePath};

#[derive(Clone, Copy, PartialEq)]
enum Cut {
    /// As they stand in the file.
    Blocks,
    /// Byte by byte; the driver looks when a block is complete.
    Bytes,
    /// Byte by byte; the driver looks after each.
    BytesLookedAt,
}

#[test]
fn dialogs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/client_dialogs");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 25, "the dialogs are in {}", folder.display());
    let mut failures = String::new();
    for file in files {
        let script = std::fs::read_to_string(&file).unwrap();
        let played = play(&script, Cut::Blocks);
        if played != script && std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&file, &played).unwrap();
        } else if played != script {
            writeln!(failures, "{} should be\n{played}", file.display()).unwrap();
        }
        if play(&script, Cut::Bytes) != played {
            writeln!(
                failures,
                "{} changes if cut into bytes:\n{}",
                file.display(),
                play(&script, Cut::Bytes)
            )
            .unwrap();
        }
        // What follows a reply that ends the session, or a plain-text injection behind STARTTLS, makes
        // a difference to a driver that acts in between: it cannot know.
        if !script.contains("# arrives together") {
            let looked_at = play(&script, Cut::BytesLookedAt);
            if sides(&looked_at) != sides(&played) {
                writeln!(
                    failures,
                    "{} changes if looked at:\n{looked_at}",
                    file.display()
                )
                .unwrap();
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{failures}\nUPDATE_EXPECT=1 accepts this"
    );
}

/// What was sent, and what was reported, each on its own.
fn sides(played: &str) -> (Vec<&str>, Vec<&str>) {
    let side = |mark: &str| {
        played
            .lines()
            .filter(|line| line.starts_with(mark) && *line != "> (nothing)")
            .collect()
    };
    (side("> "), side("! "))
}

fn play(script: &str, cut: Cut) -> String {
    let mut driver = Driver {
        session: Session::new(Settings::new("client.example")),
        log: String::new(),
        cut,
    };
    let mut block = Vec::new();
    for line in script.lines() {
        if let Some(rest) = line.strip_prefix('<') {
            writeln!(driver.log, "{line}").unwrap();
            add_bytes(rest, &mut block);
            continue;
        }
        driver.arrive(&mut block);
        if let Some(call) = line.strip_prefix("@ ") {
            writeln!(driver.log, "{line}").unwrap();
            driver.call(call);
            driver.look();
        } else if line.starts_with('#') || line.is_empty() || line == "> (nothing)" {
            writeln!(driver.log, "{line}").unwrap();
        } else {
            assert!(
                line.starts_with("> ") || line.starts_with("! "),
                "no such line: {line}"
            );
        }
    }
    driver.arrive(&mut block);
    driver.log
}

/// The bytes of a `<` line.
fn add_bytes(rest: &str, block: &mut Vec<u8>) {
    let (mark, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut bytes = unescape(text);
    if mark == "~" {
        return block.append(&mut bytes);
    }
    bytes.extend_from_slice(b"\r\n");
    let times = mark
        .strip_prefix('*')
        .map_or(1, |times| times.parse().unwrap());
    block.extend(bytes.repeat(times));
}

struct Driver {
    session: Session,
    log: String,
    cut: Cut,
}

impl Driver {
    fn arrive(&mut self, block: &mut Vec<u8>) {
        if block.is_empty() {
            return;
        }
        match self.cut {
            Cut::Blocks => self.session.receive(block),
            Cut::Bytes => block.iter().for_each(|byte| self.session.receive(&[*byte])),
            Cut::BytesLookedAt => {
                for byte in block.iter() {
                    self.session.receive(&[*byte]);
                    self.look();
                }
            }
        }
        block.clear();
        self.look();
    }

    fn look(&mut self) {
        while let Some(event) = self.session.poll() {
            writeln!(self.log, "! {}", described(&event)).unwrap();
        }
        let output = self.session.take_output();
        for line in output.split_inclusive(|byte| *byte == b'\n') {
            let text = escape(line.strip_suffix(b"\r\n").unwrap_or(line));
            let unended = if line.ends_with(b"\r\n") {
                ""
            } else {
                " (no CRLF)"
            };
            writeln!(self.log, "> {text}{unended}").unwrap();
        }
    }

    fn call(&mut self, call: &str) {
        let mut words = call.split(' ');
        let verb = words.next().unwrap();
        let session = &mut self.session;
        match verb {
            "settings" => *session = Session::new(settings(words)),
            "mail" => {
                let path = words.next().unwrap();
                let path = if path == "<>" {
                    ReversePath::Null
                } else {
                    ReversePath::Mailbox(mailbox(path))
                };
                if let Err(unsupported) = session.mail(&path, &mail_parameters(words)) {
                    writeln!(
                        self.log,
                        "! unsupported: {} {unsupported}",
                        unsupported.status()
                    )
                    .unwrap();
                }
            }
            "rcpt" => {
                let path = words.next().unwrap();
                let path = if path == "postmaster" {
                    ForwardPath::Postmaster
                } else {
                    ForwardPath::Mailbox(mailbox(path))
                };
                if let Err(unsupported) = session.rcpt(&path, &rcpt_parameters(words)) {
                    writeln!(
                        self.log,
                        "! unsupported: {} {unsupported}",
                        unsupported.status()
                    )
                    .unwrap();
                }
            }
            "data" => session.data(),
            "content" => session.content(&unescape(call.strip_prefix("content ").unwrap())),
            "pass" => {
                let bytes = unescape(call.strip_prefix("pass ").unwrap());
                if session.pass_through(&bytes) {
                    session.output().extend_from_slice(&bytes);
                } else {
                    writeln!(self.log, "! not passed").unwrap();
                }
            }
            "end" => session.end(),
            "resume" => session.resume(),
            "reset" => session.reset(),
            "quit" => session.quit(),
            "closed" => session.closed(),
            "tls" => session.tls_established(),
            "state" => {
                let reusable = if session.is_reusable() {
                    "reusable"
                } else {
                    "busy"
                };
                let pix = if session.is_pix() { " pix" } else { "" };
                writeln!(
                    self.log,
                    "! {}, {reusable}, {} transactions{pix}",
                    session.stage(),
                    session.transactions()
                )
                .unwrap();
            }
            _ => panic!("no such call: {call}"),
        }
    }
}

fn settings<'a>(words: impl Iterator<Item = &'a str>) -> Settings {
    let mut settings = Settings {
        starttls: StartTlsUse::Never,
        ..Settings::new("client.example")
    };
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("lmtp", _) => settings.protocol = Protocol::Lmtp,
            ("chunking", _) => settings.chunking = true,
            ("no-pipelining", _) => settings.pipelining = false,
            ("pix-known", _) => settings.pix = PixWorkaround::Known,
            ("pix-off", _) => settings.pix = PixWorkaround::Off,
            ("tls", "opportunistic") => settings.starttls = StartTlsUse::Opportunistic,
            ("tls", "require") => settings.starttls = StartTlsUse::Require,
            ("auth" | "auth-in-clear", _) => {
                settings.auth = Some(ClientAuth {
                    user: "user".to_owned(),
                    password: "secret".to_owned(),
                    in_clear: word == "auth-in-clear",
                });
            }
            _ => panic!("no such setting: {word}"),
        }
    }
    settings
}

fn mail_parameters<'a>(words: impl Iterator<Item = &'a str>) -> MailParameters {
    let mut parameters = MailParameters::default();
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("size", bytes) => parameters.size = Some(bytes.parse().unwrap()),
            ("8bit", _) => parameters.body = Some(Body::EightBitMime),
            ("7bit", _) => parameters.body = Some(Body::SevenBit),
            ("smtputf8", _) => parameters.smtputf8 = true,
            ("ret", "full") => parameters.ret = Some(Ret::Full),
            ("ret", "headers") => parameters.ret = Some(Ret::Headers),
            ("envid", id) => parameters.envid = Some(String::from_utf8(unescape(id)).unwrap()),
            ("auth", identity) => parameters.auth = Some(identity.to_owned()),
            ("prdr", _) => parameters.prdr = true,
            ("requiretls", _) => parameters.require_tls = true,
            _ => panic!("no such parameter: {word}"),
        }
    }
    parameters
}

fn rcpt_parameters<'a>(words: impl Iterator<Item = &'a str>) -> RcptParameters {
    let mut parameters = RcptParameters::default();
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("notify", "never") => parameters.notify = Some(Notify::NEVER),
            ("notify", "failure") => {
                parameters.notify = Some(Notify {
                    failure: true,
                    ..Notify::NEVER
                });
            }
            ("orcpt", recipient) => parameters.orcpt = Some(recipient.to_owned()),
            _ => panic!("no such parameter: {word}"),
        }
    }
    parameters
}

fn mailbox(text: &str) -> Mailbox {
    text.parse().unwrap()
}

fn described(event: &Event) -> String {
    match event {
        Event::Ready => "ready".to_owned(),
        Event::StartTls => "start TLS".to_owned(),
        Event::Mail(reply) => format!("mail: {reply}"),
        Event::Rcpt(index, reply) => format!("rcpt {index}: {reply}"),
        Event::Data(reply) => format!("data: {reply}"),
        Event::NoRecipients => "no recipients".to_owned(),
        Event::Pause => "pause".to_owned(),
        Event::Final(reply) => format!("final: {reply}"),
        Event::FinalRecipient(index, reply) => format!("final {index}: {reply}"),
        Event::Reset(reply) => format!("reset: {reply}"),
        Event::Quit => "quit".to_owned(),
        Event::Failed(failure) => format!("failed: {failure}"),
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match bytes.next().unwrap() {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'x' => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            b'\\' => b'\\',
            other => panic!("no such escape: {}", char::from(other)),
        });
    }
    out
}

fn escape(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '\r' => out.push_str("\\r"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                c if c.is_control() => write!(out, "\\x{:02X}", u32::from(c)).unwrap(),
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02X}").unwrap();
        }
    }
    out
}
