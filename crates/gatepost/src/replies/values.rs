//! What stands for the placeholders of a text, made fit for a reply line (RFC 5321 4.2): printable, ASCII unless the
//! client has shown that it takes UTF-8 (RFC 6531 3.7.4), bounded in length.

use std::fmt::Write as _;

use super::template::Placeholder;
use crate::reference::Reference;

/// Bytes of a value in a text. A forward-path has 256 (RFC 5321 4.5.3.1.3).
const VALUE_BYTES_MAX: usize = 256;

/// Bytes of a link; with reference and code it still stands on the first line. A longer one is left out: half a link
/// helps nobody. (It should have under 80, FIELD section 5.)
const LINK_BYTES_MAX: usize = 400;

/// What stands for the placeholders. What is empty or `None` is left out of the text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'a> {
    /// The transaction, or none before there is one.
    pub reference: Option<Reference>,
    /// Where the message can be released.
    pub link: &'a str,
    /// The forward-path.
    pub recipient: &'a str,
    /// Name or address of the client.
    pub client: &'a str,
    /// What may be told of the reason: `policy::Reason::told`.
    pub reason: &'a str,
    /// The recipient's domain.
    pub domain: &'a str,
    /// The largest message taken, in bytes.
    pub size_max: Option<u64>,
    /// Whom to ask; where none is given, postmaster at the domain.
    pub postmaster: &'a str,
    /// The client takes UTF-8 in replies: MAIL had SMTPUTF8.
    pub utf8: bool,
}

impl Values<'_> {
    /// Appends `[K7QX-3M9D-2F] https://... `.
    pub(super) fn begin(&self, out: &mut String) {
        if let Some(reference) = self.reference {
            // Writing to a String cannot fail.
            let _ = write!(out, "[{reference}] ");
        }
        if self.has(Placeholder::Link) {
            self.write(Placeholder::Link, out);
            out.push(' ');
        }
    }

    /// Whether there is anything to write.
    pub(super) fn has(&self, placeholder: Placeholder) -> bool {
        match placeholder {
            Placeholder::Reference => self.reference.is_some(),
            Placeholder::SizeMax => self.size_max.is_some(),
            Placeholder::Postmaster => true,
            Placeholder::Link => !self.link.is_empty() && self.link.len() <= LINK_BYTES_MAX,
            _ => !self.text(placeholder).is_empty(),
        }
    }

    /// Appends the value.
    pub(super) fn write(&self, placeholder: Placeholder, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = match placeholder {
            Placeholder::Reference => match self.reference {
                Some(reference) => write!(out, "{reference}"),
                None => Ok(()),
            },
            Placeholder::SizeMax => match self.size_max {
                Some(bytes) => write_size(bytes, out),
                None => Ok(()),
            },
            Placeholder::Link if !self.has(Placeholder::Link) => Ok(()),
            Placeholder::Link => {
                self.clean(self.link, LINK_BYTES_MAX, out);
                Ok(())
            }
            Placeholder::Postmaster if self.postmaster.is_empty() => {
                out.push_str("postmaster");
                if !self.domain.is_empty() {
                    out.push('@');
                    self.clean(self.domain, VALUE_BYTES_MAX, out);
                }
                Ok(())
            }
            _ => {
                self.clean(self.text(placeholder), VALUE_BYTES_MAX, out);
                Ok(())
            }
        };
    }

    fn text(&self, placeholder: Placeholder) -> &str {
        match placeholder {
            Placeholder::Link => self.link,
            Placeholder::Recipient => self.recipient,
            Placeholder::Client => self.client,
            Placeholder::Reason => self.reason,
            Placeholder::Domain => self.domain,
            Placeholder::Postmaster => self.postmaster,
            Placeholder::Reference | Placeholder::SizeMax => "",
        }
    }

    fn clean(&self, value: &str, bytes_max: usize, out: &mut String) {
        let end = out.len() + bytes_max;
        for c in value.chars() {
            if out.len() + c.len_utf8() > end {
                return;
            }
            push_clean(c, self.utf8, out);
        }
    }
}

/// Appends one character as a reply may carry it: never a control character, ASCII unless `utf8`.
pub(super) fn push_clean(c: char, utf8: bool, out: &mut String) {
    match c {
        ' '..='~' => out.push(c),
        // Line and paragraph separators and the marks that turn writing around forge lines on a screen.
        c if c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
        {
            out.push(' ');
        }
        c if utf8 => out.push(c),
        c => out.push_str(ascii(c)),
    }
}

/// The nearest in ASCII of the letters of western Europe; `?` for the rest.
fn ascii(c: char) -> &'static str {
    match c {
        'À'..='Å' => "A",
        'à'..='å' => "a",
        'Æ' => "AE",
        'æ' => "ae",
        'Ç' => "C",
        'ç' => "c",
        'È'..='Ë' => "E",
        'è'..='ë' => "e",
        'Ì'..='Ï' => "I",
        'ì'..='ï' => "i",
        'Ñ' => "N",
        'ñ' => "n",
        'Ò'..='Ö' | 'Ø' => "O",
        'ò'..='ö' | 'ø' => "o",
        'Œ' => "OE",
        'œ' => "oe",
        'Ù'..='Ü' => "U",
        'ù'..='ü' => "u",
        'Ý' => "Y",
        'ý' | 'ÿ' => "y",
        'ß' => "ss",
        '\u{a0}' | '\u{202f}' => " ",
        '\u{2018}' | '\u{2019}' => "'",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '«' | '»' => "\"",
        '\u{2013}' | '\u{2014}' => "-",
        '\u{2026}' => "...",
        _ => "?",
    }
}

/// `50 MiB`, `1.5 GiB`, `900 bytes`: rounded down, so that a message of the size told fits.
fn write_size(bytes: u64, out: &mut String) -> std::fmt::Result {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            let tenths = bytes % unit * 10 / unit;
            return match tenths {
                0 => write!(out, "{} {name}", bytes / unit),
                _ => write!(out, "{}.{tenths} {name}", bytes / unit),
            };
        }
    }
    write!(out, "{bytes} bytes")
}
