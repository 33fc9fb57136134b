//! Plays the dialogs in `tests/dialogs` against the server session and compares what happens, line
//! by line. `UPDATE_EXPECT=1` rewrites them; read the difference before you commit it.
//!
//! What the file says: `settings:` words, `C:` a line of the client (CRLF is added), `c:` bytes as
//! they are, `A:` the answer to the next request, `R:` replies for each recipient before it, `T:`
//! the TLS handshake. In both `\r \n \0 \\ \xFF` are escapes and `{x*100}` repeats.
//! What the session does: `S:` a reply, `Q:` a request, `D:` mail data, `X:` another step.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what is not as expected ends it"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use smtp::server::{
    Answer, AuthOffer, BareNewline, Content, Request, Session, Settings, Step, Trust,
};
use smtp::{Reply, Status};

#[test]
fn dialogs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogs");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 40, "dialogs are missing");
    let mut failures = Vec::new();
    for file in files {
        let expected = fs::read_to_string(&file).unwrap();
        let whole = Player::play(&expected, usize::MAX);
        assert_eq!(whole, Player::play(&expected, 1), "{}", file.display());
        assert_eq!(whole, Player::play(&expected, 3), "{}", file.display());
        for forbidden in ["Q: mail <smuggled", "Q: mail <injected"] {
            assert!(!whole.contains(forbidden), "{}", file.display());
        }
        if whole == expected {
            continue;
        }
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&file, &whole).unwrap();
        } else {
            failures.push(format!("{}:\n{whole}", file.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

struct Player {
    session: Session,
    /// Given by `A:` and `R:`, in order.
    answers: Vec<Answer>,
    each: Vec<Reply>,
    /// Mail data since the last other event.
    data: Vec<u8>,
    played: String,
}

impl Player {
    /// The dialog as it goes with this build.
    fn play(script: &str, piece_bytes: usize) -> String {
        let mut player = Player {
            session: session(script),
            answers: Vec::new(),
            each: Vec::new(),
            data: Vec::new(),
            played: String::new(),
        };
        let mut greeted = false;
        for line in script.lines() {
            let (kind, text) = line.split_at(line.len().min(2));
            let text = text.strip_prefix(' ').unwrap_or(text);
            if matches!(kind, "S:" | "Q:" | "D:" | "X:") {
                continue;
            }
            if matches!(kind, "C:" | "c:" | "T:") && !greeted {
                greeted = true;
                player.session.banner();
                player.replies();
            }
            player.played.push_str(line);
            player.played.push('\n');
            match kind {
                "C:" => player.feed(&[unescape(text), b"\r\n".to_vec()].concat(), piece_bytes),
                "c:" => player.feed(&unescape(text), piece_bytes),
                "A:" => player.queue_answer(text),
                "R:" => player.each.push(reply(text)),
                "T:" => player.session.tls_established(),
                _ => assert!(
                    line.is_empty() || line.starts_with('#') || line.starts_with("settings:"),
                    "{line}"
                ),
            }
        }
        player.played
    }

    fn queue_answer(&mut self, text: &str) {
        let each = std::mem::take(&mut self.each);
        self.answers.push(if each.is_empty() {
            Answer::Reply(reply(text))
        } else {
            Answer::Recipients {
                replies: each,
                last: reply(text),
            }
        });
    }

    fn feed(&mut self, bytes: &[u8], piece_bytes: usize) {
        for mut piece in bytes.chunks(piece_bytes.min(bytes.len()).max(1)) {
            while self.step(&mut piece) {}
            assert!(piece.is_empty());
        }
        self.flush_data();
    }

    /// Whether there may be more.
    fn step(&mut self, input: &mut &[u8]) -> bool {
        let step = self.session.next(input);
        if !matches!(step, Step::Content(_) | Step::Read) {
            self.flush_data();
        }
        // Said before this step.
        if !self.session.output().is_empty() {
            self.flush_data();
            self.replies();
        }
        match step {
            Step::Read => return false,
            Step::Content(content) => self.data.extend_from_slice(content),
            Step::Request(request) => {
                self.line("Q:", &describe(&request));
                let answer = if self.answers.is_empty() {
                    Answer::Accept
                } else {
                    self.answers.remove(0)
                };
                self.session.answer(answer);
                self.replies();
            }
            Step::Reset => self.line("X:", "reset"),
            Step::StartTls => {
                self.line("X:", "starttls");
                return false;
            }
            Step::Close(reason) => {
                if !self.played.ends_with(&format!("X: close {reason:?}\n")) {
                    self.line("X:", &format!("close {reason:?}"));
                }
                return false;
            }
        }
        true
    }

    fn flush_data(&mut self) {
        let data = std::mem::take(&mut self.data);
        if !data.is_empty() {
            self.line("D:", &escape(&data));
        }
    }

    fn replies(&mut self) {
        let output = String::from_utf8(self.session.take_output()).unwrap();
        for line in output.split_inclusive('\n') {
            let line = line.strip_suffix("\r\n").expect("replies end with CRLF");
            self.line("S:", line);
        }
    }

    fn line(&mut self, kind: &str, text: &str) {
        self.played.push_str(&format!("{kind} {text}\n"));
    }
}

fn session(script: &str) -> Session {
    let mut settings = Settings::new("mx.example.net");
    let mut trust = Trust::default();
    let words = script
        .lines()
        .filter_map(|line| line.strip_prefix("settings:"))
        .flat_map(str::split_whitespace);
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "size" => settings.message_size_max = value.parse().unwrap(),
            "recipients" => settings.recipients_max = value.parse().unwrap(),
            "header" => settings.header_bytes_max = value.parse().unwrap(),
            "bad" => settings.bad_commands_max = value.parse().unwrap(),
            "transactions" => settings.transactions_max = value.parse().unwrap(),
            "normalise" => settings.bare_newline = BareNewline::Normalise,
            "starttls" => settings.starttls = true,
            "requiretls" => settings.require_tls = true,
            "plain" => {
                settings.chunking = false;
                settings.smtputf8 = false;
                settings.dsn = false;
                settings.prdr = false;
                settings.pipelining = false;
            }
            "auth" if value == "tls" => settings.auth = AuthOffer::OverTls,
            "auth" => settings.auth = AuthOffer::Always,
            "xclient" => trust.xclient = true,
            _ => panic!("{word}"),
        }
    }
    Session::new(Arc::new(settings), trust)
}

fn describe(request: &Request) -> String {
    match request {
        Request::Ehlo(ehlo) if ehlo.extended => format!("ehlo {}", ehlo.name),
        Request::Ehlo(ehlo) => format!("helo {}", ehlo.name),
        Request::Auth(credentials) => format!(
            "auth {:?} as {:?} by {:?} password {:?}",
            credentials.mechanism,
            credentials.authorization_identity,
            credentials.authentication_identity,
            credentials.password
        ),
        Request::Xclient(attributes) => format!("xclient {attributes:?}"),
        Request::Mail(path, parameters) => format!("mail {}{parameters}", path.to_wire()),
        Request::Rcpt(path, parameters) => format!("rcpt {}{parameters}", path.to_wire()),
        Request::Data => "data".into(),
        Request::End(content) => describe_content(content),
        Request::Vrfy(text) => format!("vrfy {text}"),
    }
}

fn describe_content(content: &Content) -> String {
    let mut text = format!(
        "end bytes={} header={} lines={}",
        content.bytes, content.header_bytes, content.lines
    );
    if content.eight_bit {
        text.push_str(" 8bit");
    }
    if let Some(defect) = content.defect {
        text.push_str(&format!(" {defect:?}"));
    }
    text
}

/// `550 5.7.1 text`, line feeds as `\n`.
fn reply(text: &str) -> Reply {
    let (code, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (status, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let (status, text) = match status.parse::<Status>() {
        Ok(status) => (Some(status), text),
        Err(_) => (None, rest),
    };
    Reply::new(code.parse().unwrap(), status, text.replace("\\n", "\n"))
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let (escape, after) = rest.split_at(1);
                rest = after;
                out.push(match escape {
                    "r" => b'\r',
                    "n" => b'\n',
                    "0" => 0,
                    "\\" => b'\\',
                    "x" => {
                        let (digits, after) = rest.split_at(2);
                        rest = after;
                        u8::from_str_radix(digits, 16).unwrap()
                    }
                    _ => panic!("\\{escape}"),
                });
            }
            '{' => {
                let (repeat, after) = rest.split_once('}').unwrap();
                rest = after;
                let (what, times) = repeat.rsplit_once('*').unwrap();
                out.extend(unescape(what).repeat(times.parse().unwrap()));
            }
            c => out.extend(c.to_string().bytes()),
        }
    }
    out
}

/// The other way; long runs of one letter are folded as in the scripts.
fn escape(bytes: &[u8]) -> String {
    let mut out = String::new();
    for run in bytes.chunk_by(|a, b| a == b) {
        let one = match run[0] {
            b'\r' => "\\r".into(),
            b'\n' => "\\n".into(),
            0 => "\\0".into(),
            b'\\' => "\\\\".into(),
            byte @ b' '..=b'~' => char::from(byte).to_string(),
            byte => format!("\\x{byte:02X}"),
        };
        if run.len() > 20 {
            out.push_str(&format!("{{{one}*{}}}", run.len()));
        } else {
            out.push_str(&one.repeat(run.len()));
        }
    }
    out
}
