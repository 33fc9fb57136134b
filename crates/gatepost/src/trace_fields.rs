//! The header fields that a message gets on its way: Received (RFC 5321 4.4) on top, Authentication-Results (RFC 8601) and our
//! result fields `X-Gatepost-...`; and the removal of such fields that came with it, since anybody can write them.
//!
//! Values come from the wire and are made fit for a field body here. The message itself is never rewritten: changes
//! are a list of edits (`edits`) applied on the way out, so that signatures over everything else stay valid.

use std::borrow::Cow;
use std::net::IpAddr;

use jiff::Zoned;
use scan::finding::Finding;
use scan::specimen::Specimen;

use crate::decision::{Protocol, Tls};
use crate::policy::{Note, Verdict, spam_word, virus_word};
use crate::reference::Reference;

mod edits;
mod fold;
mod hops;

pub use edits::{Edited, strip_own};
use fold::Folded;
pub use hops::{Hops, hops};

#[cfg(test)]
mod tests;

/// What the names of our result fields begin with.
pub const OWN_PREFIX: &str = "X-Gatepost-";

/// The name of the field in which servers tell what they found of a sender's authentication (RFC 8601 section 2.2).
pub const RESULTS_NAME: &str = "Authentication-Results";

/// What a Received field tells.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedFacts<'a> {
    /// The name given with EHLO or HELO.
    pub ehlo: &'a str,
    /// The client's name in the DNS, confirmed.
    pub client_name: Option<&'a str>,
    /// The client's address.
    pub client_ip: IpAddr,
    /// Our name.
    pub hostname: &'a str,
    /// The protocol of the session.
    pub protocol: Protocol,
    /// The encryption of the session.
    pub tls: Option<&'a Tls>,
    /// The transaction.
    pub reference: Reference,
    /// The forward-path, if there is a single one; with more, naming one would tell the others (RFC 5321 7.6).
    pub recipient: Option<&'a str>,
    /// When the message was received.
    pub time: &'a Zoned,
}

/// The Received field (RFC 5321 4.4), folded, ended by CRLF.
pub fn received(facts: &ReceivedFacts<'_>) -> Vec<u8> {
    let utf8 = facts.protocol.is_utf8();
    let ip = literal(facts.client_ip);
    let mut field = Folded::new("Received:");
    let ehlo = domain_word(facts.ehlo, utf8);
    field.words(["from", &ehlo]);
    match facts.client_name {
        Some(name) => field.words([
            &*format!("({}", domain_word(name, utf8)),
            &*format!("{ip})"),
        ]),
        // What Postfix writes, and every reader of Received fields knows.
        None => field.words(["(unknown", &*format!("{ip})")]),
    }
    field.line();
    field.words([
        "by",
        &domain_word(facts.hostname, utf8),
        "(Gatepost)",
        "with",
        facts.protocol.as_str(),
    ]);
    if let Some(tls) = facts.tls {
        field.words([
            &*format!("({}", comment_word(&tls.version)),
            &*format!("{})", comment_word(&tls.cipher)),
        ]);
    }
    field.line();
    field.words(["id", &facts.reference.to_string()]);
    match facts.recipient {
        Some(recipient) => field.words(["for", &format!("<{}>;", path(recipient, utf8))]),
        None => field.append(";"),
    }
    field.line();
    field.word(&date(facts.time));
    field.finish()
}

/// The result fields of an accepted message, each ended by CRLF.
pub fn result_fields(reference: Reference, verdict: &Verdict, findings: &[Finding]) -> Vec<u8> {
    let mut fields = Vec::with_capacity(256);
    let mut field = Folded::new("X-Gatepost-Reference:");
    field.word(&reference.to_string());
    fields.append(&mut field.finish());

    let mut field = Folded::new("X-Gatepost-Verdict:");
    field.word(verdict.outcome());
    if let Verdict::Accept { notes } = verdict {
        for note in notes {
            field.append(";");
            field.words(note_words(note).iter().map(Cow::as_ref));
        }
    } else if let Some(reason) = verdict.reason() {
        field.append(";");
        field.word(reason.kind.name());
    }
    fields.append(&mut field.finish());

    if !findings.is_empty() {
        let mut field = Folded::new("X-Gatepost-Findings:");
        for (index, finding) in findings.iter().enumerate() {
            if index > 0 {
                field.append(";");
            }
            field.word(&word(&finding.engine));
            finding_words(finding, &mut field);
        }
        fields.append(&mut field.finish());
    }
    fields
}

/// `Authentication-Results` (RFC 8601), ended by CRLF, if the sender's authentication was looked into; else nothing.
pub fn authentication_results(
    authserv_id: &str,
    specimen: &Specimen,
    findings: &[Finding],
) -> Vec<u8> {
    let known = findings
        .iter()
        .find_map(|finding| finding.authentication.as_ref());
    let Some(known) = known else {
        return Vec::new();
    };
    let mailbox = specimen.reverse_path.mailbox().map(ToString::to_string);
    let mail_from = mailbox.as_deref().unwrap_or_default();
    let client_ip = specimen.client_ip.to_canonical().to_string();
    let body = known.results(authserv_id, mail_from, &specimen.helo, &client_ip);
    format!("{RESULTS_NAME}: {body}\r\n").into_bytes()
}

fn note_words(note: &Note) -> [Cow<'_, str>; 2] {
    match note {
        Note::Unexamined { engine } => ["unexamined".into(), word(engine)],
        Note::LikelyAlone { engine } => ["likely-alone".into(), word(engine)],
        Note::AskedToWait { engine } => ["asked-to-wait".into(), word(engine)],
        // The entry itself is the operator's affair, not the recipient's.
        Note::Allowed { kind, .. } => ["allowed".into(), kind.name().into()],
    }
}

fn finding_words(finding: &Finding, field: &mut Folded) {
    if finding.unavailable.is_some() {
        return field.word("unavailable");
    }
    if let Some(class) = finding.spam {
        field.word(&format!("spam={}", spam_word(class)));
    }
    if let Some(class) = finding.virus {
        field.word(&format!("virus={}", virus_word(class)));
    }
    match finding.score.map(|score| (score.value, score.required)) {
        Some((value, Some(required))) => field.word(&format!("score={value:.1}/{required:.1}")),
        Some((value, None)) => field.word(&format!("score={value:.1}")),
        None => {}
    }
    if let Some(action) = &finding.action {
        field.word(&format!("action={}", word(&action.replace(' ', "-"))));
    }
    if finding.banned.is_some() {
        field.word("attachment=banned");
    }
    if let Some(reference) = &finding.reference {
        field.word(&format!("reference={}", word(reference)));
    }
}

/// RFC 5322 3.3: `Sun, 1 Mar 2026 12:00:00 +0100`.
fn date(time: &Zoned) -> String {
    jiff::fmt::rfc2822::to_string(time).unwrap_or_else(|_| {
        // Years before 0 or after 9999 have no form there; no clock of ours says so.
        "Thu, 1 Jan 1970 00:00:00 +0000".to_owned()
    })
}

/// RFC 5321 4.1.3: `[192.0.2.1]`, `[IPv6:2001:db8::1]`.
fn literal(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => format!("[{ip}]"),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => format!("[{ip}]"),
            None => format!("[IPv6:{ip}]"),
        },
    }
}

/// A name as a domain or an address literal; what can't be in either becomes `?`, and nothing becomes `unknown`.
fn domain_word(name: &str, utf8: bool) -> Cow<'_, str> {
    let fit = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '.' | '-' | '_' | ':' | '[' | ']')
            || (utf8 && !c.is_ascii() && is_printable(c))
    };
    bounded(name, fit)
}

/// A word of a comment (RFC 5322 3.2.2): no parentheses, no backslash.
fn comment_word(text: &str) -> Cow<'_, str> {
    bounded(text, |c| {
        c.is_ascii_graphic() && !matches!(c, '(' | ')' | '\\')
    })
}

/// A word of a result field: an engine's name, reference or action.
fn word(text: &str) -> Cow<'_, str> {
    bounded(text, |c| c.is_ascii_graphic() && c != ';')
}

/// A forward-path without its brackets: its syntax was checked by the session, it may be quoted.
fn path(text: &str, utf8: bool) -> Cow<'_, str> {
    let fit = |c: char| {
        (matches!(c, ' '..='~') && !matches!(c, '<' | '>'))
            || (utf8 && !c.is_ascii() && is_printable(c))
    };
    bounded(text, fit)
}

/// Bytes of one value: a line stays far below the 998 of RFC 5322 2.1.1 even if it can't be folded.
const VALUE_BYTES_MAX: usize = 540;

fn bounded(text: &str, fit: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.is_empty() {
        return "unknown".into();
    }
    let text = &text[..text.floor_char_boundary(VALUE_BYTES_MAX)];
    if text.chars().all(&fit) {
        return text.into();
    }
    let clean = |c| if fit(c) { c } else { '?' };
    text.chars().map(clean).collect::<String>().into()
}

/// Neither a control character nor one of Unicode's separators of lines.
fn is_printable(c: char) -> bool {
    !c.is_control() && !c.is_whitespace()
}
