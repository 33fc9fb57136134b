//! What spamd answers: a status line, header lines with `Spam: True ; 15.1 / 5.0`, and the rules.

use crate::finding::{Score, Symbol, Unavailable, UnavailableCause};
use crate::limits;
use crate::printable::printable_bytes;
use crate::spamassassin::SpamassassinReport;

/// How spamd rates a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rating {
    pub(super) score: Score,
    pub(super) symbols: Vec<Symbol>,
}

/// Reads `SPAMD/1.1 0 EX_OK`. Any other code, which are those of sysexits.h, is a refusal.
pub(super) fn parse_status(line: &[u8]) -> Result<(), Unavailable> {
    let mut words = line.split(|&b| b == b' ').filter(|word| !word.is_empty());
    let protocol = words.next().is_some_and(|word| word.starts_with(b"SPAMD/"));
    match (protocol, words.next()) {
        (true, Some(b"0")) => Ok(()),
        (true, Some(code)) if code.iter().all(u8::is_ascii_digit) => {
            let text = printable_bytes(line, limits::DETAIL_BYTES_MAX);
            Err(Unavailable::new(
                UnavailableCause::Refused,
                format!("spamd: {text}"),
            ))
        }
        _ => Err(not_understood(line)),
    }
}

/// The value of `Content-length`, if the header lines hold it.
pub(super) fn content_length(head: &[u8]) -> Option<usize> {
    field(head, b"content-length")?.parse().ok()
}

/// Reads the header lines and the list of rules.
pub(super) fn parse(
    head: &[u8],
    body: &[u8],
    report: SpamassassinReport,
) -> Result<Rating, Unavailable> {
    let score = field(head, b"spam")
        .and_then(parse_score)
        .ok_or_else(|| not_understood(head))?;
    let symbols = match report {
        SpamassassinReport::Symbols => parse_symbols(body),
        SpamassassinReport::Report => parse_report(body),
    };
    Ok(Rating { score, symbols })
}

/// Reads `True ; 15.1 / 5.0`.
fn parse_score(value: &str) -> Option<Score> {
    let (verdict, score) = value.split_once(';')?;
    if !["true", "false", "yes", "no"].contains(&verdict.trim().to_ascii_lowercase().as_str()) {
        return None;
    }
    let (value, required) = score.split_once('/')?;
    Some(Score {
        value: number(value)?,
        required: Some(number(required)?),
    })
}

/// Reads `GTUBE,NO_RECEIVED,NO_RELAYS`, which may be folded over lines.
fn parse_symbols(body: &[u8]) -> Vec<Symbol> {
    body.split(|b| matches!(b, b',' | b'\r' | b'\n' | b' ' | b'\t'))
        .filter(|name| is_rule(name))
        .take(limits::SYMBOLS_MAX)
        .map(|name| symbol(name, None, b""))
        .collect()
}

/// Reads the table of a report, below its line of hyphens: score, rule, description.
fn parse_report(body: &[u8]) -> Vec<Symbol> {
    body.split(|&b| b == b'\n')
        .skip_while(|line| !line.trim_ascii_start().starts_with(b"----"))
        .filter_map(report_line)
        .take(limits::SYMBOLS_MAX)
        .collect()
}

fn report_line(line: &[u8]) -> Option<Symbol> {
    let (score, rest) = word(line.trim_ascii_start());
    let (name, description) = word(rest.trim_ascii_start());
    let score = number(str::from_utf8(score).ok()?)?;
    is_rule(name).then(|| symbol(name, Some(score), description))
}

fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, b""))
}

fn is_rule(name: &[u8]) -> bool {
    let first = name
        .first()
        .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    first && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

fn symbol(name: &[u8], score: Option<f32>, description: &[u8]) -> Symbol {
    let detail = printable_bytes(description, limits::DETAIL_BYTES_MAX);
    Symbol {
        name: printable_bytes(name, limits::NAME_BYTES_MAX),
        score,
        detail: (!detail.is_empty()).then_some(detail),
    }
}

fn field<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a str> {
    head.split(|&b| b == b'\n').find_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        let (found, value) = line.split_at_checked(colon)?;
        let same = found.trim_ascii().eq_ignore_ascii_case(name);
        same.then(|| str::from_utf8(value.get(1..)?.trim_ascii()).ok())
            .flatten()
    })
}

fn number(text: &str) -> Option<f32> {
    text.trim()
        .parse()
        .ok()
        .filter(|number: &f32| number.is_finite())
}

fn not_understood(text: &[u8]) -> Unavailable {
    let text = printable_bytes(text, limits::DETAIL_BYTES_MAX);
    Unavailable::new(
        UnavailableCause::Protocol,
        format!("spamd answered {text:?}"),
    )
}
