//! The lines that SAVDI answers with: `ACC`, `REJ`, `VIRUS`, `FAIL`, `DONE`, and an empty one at the end.

use crate::finding::{Unavailable, UnavailableCause};
use crate::limits;
use crate::printable::printable_bytes;

/// The code of a part that is encrypted.
pub(super) const ENCRYPTED: &str = "0212";

/// The code of a scan that found a virus.
const VIRUS_FOUND: &str = "0203";

/// One line of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Accepted,
    Rejected(String),
    Virus(String),
    /// A part, or with `DONE` the whole, could not be examined.
    Failed(Failure),
    DoneOk(String),
    DoneFailed(Failure),
    End,
    /// Progress and details, of no matter here (`EVENT`, `TYPE`, `FILE`, `OK`).
    Other,
}

/// A code of SAVDI's with its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: String,
    pub(super) text: String,
}

/// What the lines of one scan add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) viruses: Vec<String>,
    pub(super) failures: Vec<Failure>,
    /// `DONE OK 0203` was seen.
    pub(super) found: bool,
    /// `DONE FAIL` was seen.
    pub(super) failed: Option<Failure>,
    done: bool,
}

impl Scan {
    pub(super) fn add(&mut self, line: Line) {
        match line {
            Line::Virus(name)
                if self.viruses.len() < limits::SYMBOLS_MAX && !self.viruses.contains(&name) =>
            {
                self.viruses.push(name);
            }
            Line::Failed(failure) => self.add_failure(failure),
            Line::DoneOk(code) => {
                self.done = true;
                self.found |= code == VIRUS_FOUND;
            }
            Line::DoneFailed(failure) => {
                self.done = true;
                self.found |= failure.code == VIRUS_FOUND;
                self.add_failure(failure.clone());
                self.failed = Some(failure);
            }
            _ => {}
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.done
    }

    pub(super) fn encrypted(&self) -> bool {
        self.failures
            .iter()
            .any(|failure| failure.code == ENCRYPTED)
    }

    /// Each code once: a large archive fails part by part.
    fn add_failure(&mut self, failure: Failure) {
        let known = self.failures.iter().any(|other| other.code == failure.code);
        if !known && self.failures.len() < limits::SYMBOLS_MAX {
            self.failures.push(failure);
        }
    }
}

/// Reads one line, without its end.
pub(super) fn parse_line(line: &[u8]) -> Line {
    let line = line.trim_ascii();
    let (verb, rest) = word(line);
    match verb {
        b"" => Line::End,
        b"ACC" => Line::Accepted,
        b"REJ" => Line::Rejected(name(word(rest).0)),
        b"VIRUS" => match name(word(rest).0) {
            virus if virus.is_empty() => Line::Virus("unnamed".to_owned()),
            virus => Line::Virus(virus),
        },
        b"FAIL" => Line::Failed(failure(rest)),
        b"DONE" => match word(rest) {
            (b"OK", code) => Line::DoneOk(name(word(code).0)),
            (_, code) => Line::DoneFailed(failure(code)),
        },
        _ => Line::Other,
    }
}

/// What a `REJ` means.
pub(super) fn rejection(code: &str) -> Unavailable {
    match code {
        "1" => Unavailable::new(
            UnavailableCause::Protocol,
            "SAVDI rejected the request: REJ 1, protocol error",
        ),
        "4" => Unavailable::new(
            UnavailableCause::TooLarge,
            "SAVDI rejected the message as too large: REJ 4",
        ),
        _ => Unavailable::new(
            UnavailableCause::Refused,
            format!("SAVDI rejected the request: REJ {code}"),
        ),
    }
}

pub(super) fn not_understood(line: &[u8]) -> Unavailable {
    let text = printable_bytes(line, limits::DETAIL_BYTES_MAX);
    Unavailable::new(
        UnavailableCause::Protocol,
        format!("SAVDI answered {text:?}"),
    )
}

fn failure(rest: &[u8]) -> Failure {
    let (code, text) = word(rest);
    Failure {
        code: name(code),
        text: printable_bytes(text, limits::DETAIL_BYTES_MAX),
    }
}

fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    let end = text
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, b""))
}

fn name(text: &[u8]) -> String {
    printable_bytes(text, limits::NAME_BYTES_MAX)
}
