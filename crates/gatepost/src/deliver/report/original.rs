//! The part with what came: the message itself, or its header section (RFC 6522 3, RFC 3461 4.3).
//!
//! message/rfc822 may not be encoded (RFC 2046 5.2.1); text/rfc822-headers, message/global and message/global-headers may
//! (RFC 6522 4, RFC 6532 3.7, RFC 6533 5). So a header section always fits into seven bits, and a whole message needs
//! BODY=8BITMIME only where its own body is 8-bit.

use smtp::Ret;

use super::{Letter, encode};

/// Bytes of a header section that are returned; the rest is cut at the end of a line.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a line without its CRLF (RFC 5322 2.1.1).
const LINE_BYTES_MAX: usize = 998;

/// Bytes of a Message-ID that are passed on: it must fit into one line.
const MESSAGE_ID_BYTES_MAX: usize = 500;

/// How much comes back, and in which form.
enum Form {
    /// message/rfc822, as it came.
    Whole,
    /// message/global in base64: its header section holds UTF-8.
    WholeGlobal,
    /// text/rfc822-headers, or message/global-headers.
    Headers { global: bool },
}

/// The part with its header fields; it ends with a line end.
pub(super) fn part(letter: &Letter<'_>) -> Vec<u8> {
    let content = letter.facts.content;
    let mut out = Vec::with_capacity(1024);
    let mut field = |text: &str| {
        out.extend(text.as_bytes());
        out.extend(b"\r\n");
    };
    match form(letter) {
        Form::Whole => {
            field("Content-Type: message/rfc822");
            if !content.is_ascii() {
                field("Content-Transfer-Encoding: 8bit");
            }
            field("Content-Description: The message\r\n");
            out.extend(content);
        }
        Form::WholeGlobal => {
            field("Content-Type: message/global");
            field("Content-Transfer-Encoding: base64");
            field("Content-Description: The message\r\n");
            out.extend(encode::base64_lines(content));
        }
        Form::Headers { global } => {
            let section = bounded(header_section(content));
            field(match global {
                true => "Content-Type: message/global-headers",
                false => "Content-Type: text/rfc822-headers",
            });
            let plain = is_plain(section) && section.is_ascii();
            if !plain {
                field("Content-Transfer-Encoding: quoted-printable");
            }
            field("Content-Description: Header fields of the message\r\n");
            match plain {
                true => out.extend(section),
                false => out.extend(encode::quoted_printable(section)),
            }
        }
    }
    if !out.ends_with(b"\r\n") {
        out.extend(b"\r\n");
    }
    out
}

/// Whether the part is 8-bit.
pub(super) fn is_eight_bit(letter: &Letter<'_>) -> bool {
    matches!(form(letter), Form::Whole) && !letter.facts.content.is_ascii()
}

/// The Message-ID of the message, as a field of the report can hold it.
pub(super) fn message_id(content: &[u8]) -> Option<String> {
    let value = field_value(header_section(content), b"message-id")?;
    let id = std::str::from_utf8(value).ok()?.trim();
    let fits = id.len() <= MESSAGE_ID_BYTES_MAX
        && id.starts_with('<')
        && id.ends_with('>')
        && id.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| id.to_owned())
}

/// The Subject, decoded, in one line; what a person knows the message by.
pub(super) fn subject(content: &[u8]) -> Option<String> {
    let section = bounded(header_section(content));
    let value = field_value(section, b"subject")?;
    // Decoded by the library that reads all messages here: a field alone is a message.
    let mut field = b"Subject: ".to_vec();
    field.extend(value.get(..value.len().min(1000)).unwrap_or_default());
    field.extend(b"\r\n\r\n");
    let view = scan::view::View::parse(&field.into());
    let text = view.subject()?.to_owned();
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(120)
        .collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn form(letter: &Letter<'_>) -> Form {
    let facts = letter.facts;
    let content = facts.content;
    let fits =
        u64::try_from(content.len()).is_ok_and(|bytes| bytes <= facts.reporter.return_bytes_max);
    let section = header_section(content);
    let global = !section.is_ascii();
    // RFC 8689 5: the body of a message under REQUIRETLS is not returned. A postmaster who stands in for the sender did not
    // ask for other people's messages.
    let whole = facts.envelope.mail.ret == Some(Ret::Full)
        && fits
        && !facts.require_tls
        && !letter.to_postmaster;
    match (whole, global) {
        (true, true) => Form::WholeGlobal,
        (true, false) if is_plain(content) => Form::Whole,
        (_, global) => Form::Headers {
            global: global && std::str::from_utf8(section).is_ok(),
        },
    }
}

/// Whether every line may stand in a message: CRLF and no other CR or LF, no NUL, and none too long.
fn is_plain(content: &[u8]) -> bool {
    let mut rest = content;
    while !rest.is_empty() {
        let end = memchr::memmem::find(rest, b"\r\n").unwrap_or(rest.len());
        let (line, behind) = rest.split_at(end);
        if line.len() > LINE_BYTES_MAX || memchr::memchr3(b'\r', b'\n', 0, line).is_some() {
            return false;
        }
        rest = behind.get(2..).unwrap_or_default();
    }
    true
}

/// The header fields with their line ends, without the empty line behind them.
fn header_section(content: &[u8]) -> &[u8] {
    if content.starts_with(b"\r\n") {
        return &[];
    }
    match memchr::memmem::find(content, b"\r\n\r\n") {
        Some(end) => content.get(..end + 2).unwrap_or_default(),
        None => content,
    }
}

fn bounded(section: &[u8]) -> &[u8] {
    let Some(cut) = section.get(..HEADER_BYTES_MAX) else {
        return section;
    };
    match memchr::memmem::rfind(cut, b"\r\n") {
        Some(end) => cut.get(..end + 2).unwrap_or_default(),
        None => cut,
    }
}

/// The value of the first field of this name, its folding included.
fn field_value<'a>(section: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut rest = section;
    while !rest.is_empty() {
        let mut end = line_end(rest, 0);
        while matches!(rest.get(end), Some(b' ' | b'\t')) {
            end = line_end(rest, end);
        }
        let (field, behind) = rest.split_at(end);
        if let Some((found, value)) = field.split_at_checked(name.len())
            && found.eq_ignore_ascii_case(name)
            && let Some(value) = value.trim_ascii_start().strip_prefix(b":")
        {
            return Some(value.trim_ascii());
        }
        rest = behind;
    }
    None
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    memchr::memmem::find(rest, b"\r\n").map_or(bytes.len(), |at| from + at + 2)
}
