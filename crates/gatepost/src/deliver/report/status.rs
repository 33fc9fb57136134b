//! The part for programs: message/delivery-status (RFC 3464 2), or message/global-delivery-status where the report itself
//! needs SMTPUTF8 (RFC 6533 4.2).

use smtp::{ForwardPath, Mailbox};

use super::{Action, Letter, Told, date_of, encode};

/// The part with its header fields; it ends with a line end.
pub(super) fn part(letter: &Letter<'_>) -> Vec<u8> {
    let mut out = String::with_capacity(1024);
    if letter.utf8 {
        out.push_str("Content-Type: message/global-delivery-status\r\n");
        out.push_str("Content-Transfer-Encoding: 8bit\r\n");
    } else {
        out.push_str("Content-Type: message/delivery-status\r\n");
    }
    out.push_str("Content-Description: Delivery status\r\n\r\n");
    message_fields(letter, &mut out);
    for told in letter.told {
        out.push_str("\r\n");
        recipient_fields(letter, told, &mut out);
    }
    out.into_bytes()
}

/// RFC 3464 2.2.
fn message_fields(letter: &Letter<'_>, out: &mut String) {
    let facts = letter.facts;
    let envelope = facts.envelope;
    if let Some(envid) = &envelope.mail.envid {
        // RFC 3461 6.3(b): decoded; the session has let printable ASCII through alone.
        out.push_str(&encode::field(
            "Original-Envelope-Id",
            &encode::sanitised(envid),
        ));
    }
    let name = format!("dns; {}", encode::sanitised(&facts.reporter.name));
    out.push_str(&encode::field("Reporting-MTA", &name));
    let zone = facts.now.time_zone();
    out.push_str(&encode::field(
        "Arrival-Date",
        &date_of(envelope.arrived, zone),
    ));
    // RFC 3464 2.4 lets extensions be named X-; the reference is what a postmaster can find in our log.
    out.push_str(&encode::field(
        "X-Gatepost-Reference",
        &encode::sanitised(&envelope.reference),
    ));
}

/// RFC 3464 2.3.
fn recipient_fields(letter: &Letter<'_>, told: &Told<'_>, out: &mut String) {
    let concerned = told.concerned;
    let mut push = |name: &str, value: &str| out.push_str(&encode::field(name, value));
    if let Some(original) = &told.recipient.parameters.orcpt {
        push(
            "Original-Recipient",
            &original_recipient(original, letter.utf8),
        );
    }
    push(
        "Final-Recipient",
        &typed(&told.recipient.forward_path, letter),
    );
    push("Action", concerned.action.word());
    push("Status", &concerned.status.to_string());
    if let Some(name) = concerned.remote_mta.filter(|name| !name.is_empty()) {
        push("Remote-MTA", &format!("dns; {}", encode::sanitised(name)));
    }
    let diagnostic = encode::sanitised(concerned.diagnostic);
    if !diagnostic.is_empty() {
        let kind = if concerned.is_reply {
            "smtp"
        } else {
            "x-gatepost"
        };
        push("Diagnostic-Code", &format!("{kind}; {diagnostic}"));
    }
    let zone = letter.facts.now.time_zone();
    if let Some(time) = concerned.last_attempt {
        push("Last-Attempt-Date", &date_of(time, zone));
    }
    // RFC 3464 2.3.9: for delayed recipients alone.
    if let (Action::Delayed, Some(time)) = (concerned.action, concerned.will_retry_until) {
        push("Will-Retry-Until", &date_of(time, zone));
    }
}

/// ORCPT as the sender gave it (RFC 3461 6.3(c)); `utf-8` addresses in the form that the report can carry (RFC 6533 3).
fn original_recipient(original: &str, utf8: bool) -> String {
    match original.split_once(';') {
        Some((kind, address)) if kind.eq_ignore_ascii_case("utf-8") => utf8_address(address, utf8),
        Some((kind, address)) => format!(
            "{}; {}",
            encode::sanitised(kind),
            encode::sanitised(address)
        ),
        None => format!("rfc822; {}", encode::sanitised(original)),
    }
}

fn typed(path: &ForwardPath, letter: &Letter<'_>) -> String {
    match path {
        // RFC 5321 4.5.1: it means ours.
        ForwardPath::Postmaster => format!("rfc822; postmaster@{}", letter.facts.reporter.name),
        ForwardPath::Mailbox(mailbox) => typed_mailbox(mailbox, letter.utf8),
    }
}

fn typed_mailbox(mailbox: &Mailbox, utf8: bool) -> String {
    if mailbox.is_ascii() {
        format!("rfc822; {mailbox}")
    } else {
        utf8_address(&mailbox.to_string(), utf8)
    }
}

/// RFC 6533 3: UTF-8 as it is in message/global-delivery-status, else escaped to ASCII.
fn utf8_address(address: &str, utf8: bool) -> String {
    let printable: String = address
        .chars()
        .filter(|c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}'))
        .collect();
    if utf8 {
        return format!("utf-8; {printable}");
    }
    format!("utf-8; {}", smtp::xtext::encode_utf8_addr(&printable))
}
