//! The lines that ctasd answers with: `X-CTCH-Spam: Confirmed`, `X-CTCH-VOD: High`, `X-CTCH-RefID: ...`.

use crate::finding::{
    Finding, Score, SpamClass, Symbol, Unavailable, UnavailableCause, VirusClass,
};
use crate::limits;
use crate::printable::printable_bytes;

/// Reads a reply into a finding of `engine`.
pub(super) fn parse(engine: &str, content: &[u8]) -> Result<Finding, Unavailable> {
    let mut finding = Finding::new(engine);
    for line in content.split(|&b| b == b'\n').take(limits::REPLY_LINES_MAX) {
        let Some((name, value)) = field(line) else {
            continue;
        };
        match name.to_ascii_lowercase().as_slice() {
            b"spam" => finding.spam = Some(spam_class(value).ok_or_else(|| not_understood(line))?),
            b"vod" => finding.virus = Some(virus_class(value).ok_or_else(|| not_understood(line))?),
            b"refid" => finding.reference = text(value),
            b"score" => finding.score = score(value),
            b"flags" => finding.symbols.extend(flags(value)),
            b"error" if !is_success(value) => {
                let error = printable_bytes(value, limits::DETAIL_BYTES_MAX);
                return Err(Unavailable::new(
                    UnavailableCause::Refused,
                    format!("ctasd: {error}"),
                ));
            }
            _ => {}
        }
    }
    if finding.spam.is_none() && finding.virus.is_none() {
        return Err(not_understood(content));
    }
    finding.reason = reason(&finding);
    Ok(finding)
}

fn reason(finding: &Finding) -> String {
    let spam = finding.spam.map(|class| match class {
        SpamClass::Nonspam => "a confirmed trusted source",
        SpamClass::Unknown => "nothing known against it",
        SpamClass::Suspect => "suspected spam",
        SpamClass::ValidBulk => "solicited bulk",
        SpamClass::Bulk => "bulk from an unconfirmed source",
        SpamClass::Confirmed => "confirmed spam",
    });
    let virus = finding.virus.and_then(|class| match class {
        VirusClass::Nonvirus | VirusClass::Unknown => None,
        VirusClass::Medium => Some("possible virus outbreak"),
        VirusClass::High => Some("likely virus outbreak"),
        VirusClass::Virus => Some("virus outbreak"),
    });
    let words: Vec<&str> = spam.into_iter().chain(virus).collect();
    match words.as_slice() {
        [] => "RPD: no virus outbreak".to_owned(),
        words => format!("RPD: {}", words.join(", ")),
    }
}

/// The name after `X-CTCH-` and the value of a line.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let (name, value) = line.split_at_checked(colon)?;
    let (prefix, name) = name.trim_ascii().split_at_checked(b"X-CTCH-".len())?;
    let ours = prefix.eq_ignore_ascii_case(b"X-CTCH-");
    ours.then_some((name, value.get(1..)?.trim_ascii()))
}

/// A class word in any of the spellings in use (`ValidBulk`, `Valid-Bulk`), reduced to its letters.
fn letters(value: &[u8]) -> Vec<u8> {
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic());
    letters
        .map(u8::to_ascii_lowercase)
        .take(limits::NAME_BYTES_MAX)
        .collect()
}

fn spam_class(value: &[u8]) -> Option<SpamClass> {
    match letters(value).as_slice() {
        b"nonspam" => Some(SpamClass::Nonspam),
        b"unknown" => Some(SpamClass::Unknown),
        b"suspect" | b"suspected" => Some(SpamClass::Suspect),
        b"validbulk" => Some(SpamClass::ValidBulk),
        b"bulk" => Some(SpamClass::Bulk),
        b"confirmed" => Some(SpamClass::Confirmed),
        _ => None,
    }
}

fn virus_class(value: &[u8]) -> Option<VirusClass> {
    match letters(value).as_slice() {
        b"nonvirus" => Some(VirusClass::Nonvirus),
        b"unknown" => Some(VirusClass::Unknown),
        b"medium" => Some(VirusClass::Medium),
        b"high" => Some(VirusClass::High),
        b"virus" => Some(VirusClass::Virus),
        _ => None,
    }
}

fn score(value: &[u8]) -> Option<Score> {
    let value: f32 = str::from_utf8(value).ok()?.parse().ok()?;
    value.is_finite().then_some(Score {
        value,
        required: None,
    })
}

/// Flags are for the vendor's support; a zero says nothing.
fn flags(value: &[u8]) -> Option<Symbol> {
    let flags = printable_bytes(value, limits::DETAIL_BYTES_MAX);
    flags.chars().any(|c| c != '0').then(|| Symbol {
        name: "FLAGS".to_owned(),
        score: None,
        detail: Some(flags),
    })
}

fn text(value: &[u8]) -> Option<String> {
    let text = printable_bytes(value, limits::NAME_BYTES_MAX);
    (!text.is_empty()).then_some(text)
}

fn is_success(value: &[u8]) -> bool {
    value.iter().all(|&b| b == b'0')
}

fn not_understood(text: &[u8]) -> Unavailable {
    let text = printable_bytes(text, limits::DETAIL_BYTES_MAX);
    Unavailable::new(
        UnavailableCause::Protocol,
        format!("ctasd answered {text:?}"),
    )
}
