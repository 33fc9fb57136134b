//! Takes out of a stored message what tells where and when it was received and not what it is: the fields that receiving systems
//! and mailing lists wrote, and the years.
//!
//! All filters are given the same stripped messages. The ham of the corpus is of 2002 and mostly of mailing lists, the phishing of
//! 2022 to 2025: a filter that learns that has learned nothing of spam.

/// The year that all years become.
const YEAR: &[u8] = b"2010";

/// The years that are taken for such.
const YEARS: std::ops::RangeInclusive<u32> = 1994..=2026;

/// Fields that receiving systems and mailing lists write.
const FIELDS: &[&str] = &[
    "authentication-results",
    "delivered-to",
    "envelope-to",
    "errors-to",
    "list-archive",
    "list-help",
    "list-id",
    "list-owner",
    "list-post",
    "list-subscribe",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "mailing-list",
    "precedence",
    "received-spf",
    "return-path",
    "sender",
    "status",
    "x-beenthere",
    "x-eopattributedmessage",
    "x-eoptenantattributedmessage",
    "x-incomingheadercount",
    "x-incomingtopheadermarker",
    "x-loop",
    "x-mailing-list",
    "x-mailman-version",
    "x-original-to",
    "x-originalarrivaltime",
    "x-pyzor",
    "x-sid-pra",
    "x-sid-result",
    "x-status",
    "x-uidl",
];

/// The same by how their names begin.
const FIELD_PREFIXES: &[&str] = &[
    "arc-",
    "x-egroups-",
    "x-forefront-",
    "x-microsoft-antispam",
    "x-ms-",
    "x-sender-ip",
    "x-spam-",
    "x-store-info",
    "x-tmn",
];

/// The message without all that.
pub(super) fn stripped(message: &[u8]) -> Vec<u8> {
    let message = without_separator(message);
    let body = end_of_header(message);
    let (header, body) = message.split_at(body);
    let mut out = Vec::with_capacity(message.len());
    let mut is_outermost = true;
    for field in fields(header) {
        let name = field.split(|byte| *byte == b':').next().unwrap_or_default();
        let name = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
        if name == "received" && std::mem::take(&mut is_outermost) || is_theirs(&name) {
            continue;
        }
        let field = if name == "subject" {
            without_list(field)
        } else {
            field.to_vec()
        };
        out.extend(one_year(&field, false));
    }
    out.extend(one_year(body, true));
    out
}

/// Messages out of an mbox bear its separator.
fn without_separator(message: &[u8]) -> &[u8] {
    if !message.starts_with(b"From ") {
        return message;
    }
    let line = message.iter().position(|byte| *byte == b'\n');
    message
        .get(line.map_or(0, |end| end + 1)..)
        .unwrap_or(message)
}

/// Where the empty line begins.
fn end_of_header(message: &[u8]) -> usize {
    let mut at = 0;
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            return at;
        }
        at += line.len();
    }
    message.len()
}

/// The fields with their folded lines.
fn fields(header: &[u8]) -> Vec<&[u8]> {
    let mut fields = Vec::new();
    let (mut begun, mut at) = (0, 0);
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        let goes_on = line
            .first()
            .is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        if at > begun && !goes_on {
            fields.extend(header.get(begun..at));
            begun = at;
        }
        at += line.len();
    }
    fields.extend(header.get(begun..).filter(|rest| !rest.is_empty()));
    fields
}

fn is_theirs(name: &str) -> bool {
    FIELDS.contains(&name) || FIELD_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// A subject without the name of a list in brackets.
fn without_list(field: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(field).into_owned();
    let bare = text
        .split_once('[')
        .and_then(|(before, rest)| Some((before, rest.split_once(']')?)))
        .filter(|(before, (name, _))| {
            let before = before.to_ascii_lowercase().replace("subject:", "");
            before.replace("re:", "").trim().is_empty() && name.len() < 30
        })
        .map(|(before, (_, after))| format!("{before}{}", after.trim_start()));
    bare.map_or_else(|| field.to_vec(), String::into_bytes)
}

/// Each year becomes the same. In a body only one that stands by itself, and none in a line of base64; in a field also one with
/// which a longer number begins, as identifiers have it.
fn one_year(text: &[u8], is_body: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let start = out.len();
        out.extend_from_slice(line);
        if is_body && line.len() > 60 && !line.contains(&b' ') {
            continue;
        }
        let end = out.len();
        for at in start..end.saturating_sub(3) {
            let is_digit = |at: usize| out.get(at).is_some_and(u8::is_ascii_digit);
            let is_word = |at: usize| {
                let byte = out.get(at).filter(|_| at >= start && at < end);
                byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'=')
            };
            let begins = match at.checked_sub(1) {
                Some(before) if is_body => !is_word(before),
                Some(before) => before < start || !is_digit(before),
                None => true,
            };
            let ends = !is_body || !is_word(at + 4);
            let year = out
                .get(at..at + 4)
                .and_then(|year| str::from_utf8(year).ok());
            let is_year = year
                .and_then(|year| year.parse().ok())
                .is_some_and(|year| YEARS.contains(&year));
            if begins
                && ends
                && is_year
                && let Some(place) = out.get_mut(at..at + 4)
            {
                place.copy_from_slice(YEAR);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
