//! Clients that others wrote: swaks, curl, Python's smtplib, openssl. Each ends by itself or is ended.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;

use super::client::stuffed;
use super::daemons::process::program;
use super::{PATIENCE, await_some_or};

/// What a program said (both streams, in that order) and whether it was content.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl Said {
    #[track_caller]
    pub(crate) fn expect_success(self) -> String {
        assert_eq!(self.code, 0, "{}", self.text);
        self.text
    }

    /// Fails unless the program failed and showed all of these.
    #[track_caller]
    pub(crate) fn expect_refusal(self, parts: &[&str]) -> String {
        assert_ne!(self.code, 0, "{}", self.text);
        for part in parts {
            assert!(self.text.contains(part), "no {part:?} in {}", self.text);
        }
        self.text
    }
}

/// Perl's SMTP client. Lines of the message end with CRLF; it goes out as it is.
pub(crate) fn swaks(arguments: &[&str], message: &[u8]) -> Said {
    let swaks = program(&["/usr/bin/swaks"], "swaks");
    let mut all = vec![
        "--helo",
        "swaks.example.net",
        "--data",
        "-",
        "--no-data-fixup",
    ];
    all.extend(arguments);
    let mut wire = stuffed(message);
    // swaks ends the last line, also that of the final dot.
    wire.extend_from_slice(b".");
    run(&swaks, &all, &wire)
}

/// curl sends what comes from standard input, which it expects with line feeds or CRLF.
pub(crate) fn curl(arguments: &[&str], message: &[u8]) -> Said {
    let curl = program(&["/usr/bin/curl"], "curl");
    let mut all = vec![
        "--silent",
        "--show-error",
        "--verbose",
        "--upload-file",
        "-",
    ];
    all.extend(arguments);
    run(&curl, &all, message)
}

/// A program in Python; `input` is its standard input.
pub(crate) fn python(text: &str, arguments: &[&str], input: &[u8]) -> Said {
    let python = program(&["/usr/bin/python3"], "python3");
    let mut all = vec!["-c", text];
    all.extend(arguments);
    run(&python, &all, input)
}

pub(crate) fn openssl(arguments: &[&str], input: &[u8]) -> Said {
    run(&program(&["/usr/bin/openssl"], "openssl"), arguments, input)
}

/// Runs a program to its end.
pub(crate) fn run(path: &str, arguments: &[&str], input: &[u8]) -> Said {
    let mut child = Command::new(path)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // It may end before it has read all.
    let writer = thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let stdout = reader(child.stdout.take().unwrap());
    let stderr = reader(child.stderr.take().unwrap());
    let since = std::time::Instant::now();
    let status = await_some_or(
        || format!("{path} does not end"),
        || {
            if since.elapsed() > PATIENCE / 2 {
                let _ = child.kill();
            }
            child.try_wait().unwrap()
        },
    );
    writer.join().unwrap();
    let text = format!("{}{}", stdout.join().unwrap(), stderr.join().unwrap());
    Said {
        code: status.code().unwrap_or(-1),
        text,
    }
}

fn reader(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
