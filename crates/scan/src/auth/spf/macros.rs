//! Macros of SPF (RFC 7208 section 7): read once, expanded for each question.
//!
//! Syntax alone; looking up what `%{p}` stands for is done by `check`.

use std::net::IpAddr;

use super::record::SyntaxError;

/// Labels that `%{...}` may keep: names have no more than 127.
const PARTS_MAX: usize = 128;

/// Characters of a domain name that is asked for (RFC 7208 section 7.3).
const NAME_BYTES_MAX: usize = 253;

/// Text with macros in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MacroString {
    pieces: Vec<Piece>,
}

/// Where a text stands: some letters and blanks are for explanations only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A `domain-spec`.
    Domain,
    /// The value of a modifier that nobody knows: its syntax counts, its meaning does not.
    Modifier,
    /// The text that an `exp=` leads to.
    Explanation,
}

/// What the letters stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    /// `%{l}`.
    pub local_part: &'a str,
    /// `%{o}`.
    pub sender_domain: &'a str,
    /// `%{d}`.
    pub domain: &'a str,
    /// `%{i}`, `%{c}`, `%{v}`.
    pub ip: IpAddr,
    /// `%{h}`.
    pub helo: &'a str,
    /// `%{p}`.
    pub validated_name: &'a str,
    /// `%{r}`.
    pub receiver: &'a str,
    /// `%{t}`, seconds since 1970.
    pub unix_seconds: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// `%%`, `%_` and `%-`.
    Escaped(&'static str),
    Expansion(Expansion),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Expansion {
    /// In lower case.
    letter: char,
    /// An upper-case letter: the value is URL-escaped.
    url_escaped: bool,
    /// How many parts of the right-hand side are kept.
    parts: usize,
    reversed: bool,
    delimiters: String,
}

impl MacroString {
    pub(super) fn parse(text: &str, place: Place) -> Result<MacroString, SyntaxError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if first != '%' {
                let end = rest.find('%').unwrap_or(rest.len());
                let (literal, after) = rest.split_at(end);
                if !literal.bytes().all(|byte| is_literal(byte, place)) {
                    return Err(SyntaxError::new("a character that is not allowed", text));
                }
                pieces.push(Piece::Literal(literal.to_owned()));
                rest = after;
                continue;
            }
            let (piece, after) = escape(rest, place)
                .ok_or_else(|| SyntaxError::new("a macro that does not exist", text))?;
            pieces.push(piece);
            rest = after;
        }
        Ok(MacroString { pieces })
    }

    /// A `domain-spec`: it ends with a macro, or with a dot and a top label (section 7.1).
    pub(super) fn domain_spec(text: &str) -> Result<MacroString, SyntaxError> {
        let parsed = MacroString::parse(text, Place::Domain)?;
        let complete = match parsed.pieces.last() {
            None => false,
            Some(Piece::Literal(tail)) => ends_with_top_label(tail),
            Some(Piece::Escaped(_) | Piece::Expansion(_)) => true,
        };
        if complete {
            Ok(parsed)
        } else {
            Err(SyntaxError::new("no domain name", text))
        }
    }

    /// Whether expanding takes the validated name of the client (`%{p}`).
    pub(super) fn wants_validated_name(&self) -> bool {
        self.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Expansion(macro_) if macro_.letter == 'p'))
    }

    /// The text with the values put in, at most `bytes_max` long.
    pub(super) fn expand(&self, values: &Values<'_>, bytes_max: usize) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Escaped(character) => text.push_str(character),
                Piece::Expansion(expansion) => expansion.append(values, &mut text),
            }
            if text.len() > bytes_max {
                let end = text.floor_char_boundary(bytes_max);
                text.truncate(end);
                break;
            }
        }
        text
    }

    /// The domain name that a `domain-spec` means; labels on the left go if it is too long (section 7.3).
    pub(super) fn name(&self, values: &Values<'_>) -> String {
        let text = self.expand(values, 16 * 1024);
        let mut name = text.as_str();
        while name.len() > NAME_BYTES_MAX {
            match name.split_once('.') {
                Some((_, right)) => name = right,
                None => break,
            }
        }
        name.to_owned()
    }
}

impl Expansion {
    fn append(&self, values: &Values<'_>, text: &mut String) {
        let value = values.of(self.letter);
        let mut parts: Vec<&str> = value
            .split(|character| self.delimiters.contains(character))
            .collect();
        if self.reversed {
            parts.reverse();
        }
        let kept = parts
            .get(parts.len().saturating_sub(self.parts)..)
            .unwrap_or_default();
        let value = kept.join(".");
        if self.url_escaped {
            append_escaped(&value, text);
        } else {
            text.push_str(&value);
        }
    }
}

impl Values<'_> {
    fn of(&self, letter: char) -> String {
        match letter {
            's' => format!("{}@{}", self.local_part, self.sender_domain),
            'l' => self.local_part.to_owned(),
            'o' => self.sender_domain.to_owned(),
            'd' => self.domain.to_owned(),
            'i' => dotted(self.ip),
            'p' => self.validated_name.to_owned(),
            'v' if self.ip.is_ipv4() => "in-addr".to_owned(),
            'v' => "ip6".to_owned(),
            'h' => self.helo.to_owned(),
            'c' => self.ip.to_string(),
            'r' => self.receiver.to_owned(),
            't' => self.unix_seconds.to_string(),
            _ => String::new(),
        }
    }
}

/// The piece that a text beginning with `%` begins with, and what follows it.
fn escape(text: &str, place: Place) -> Option<(Piece, &str)> {
    let after = text.strip_prefix('%')?;
    for (sign, meaning) in [("%", "%"), ("_", " "), ("-", "%20")] {
        if let Some(rest) = after.strip_prefix(sign) {
            return Some((Piece::Escaped(meaning), rest));
        }
    }
    let (inside, rest) = after.strip_prefix('{')?.split_once('}')?;
    let mut characters = inside.chars();
    let letter = characters.next()?;
    let known = match place {
        Place::Domain => "slodipvh",
        Place::Modifier | Place::Explanation => "slodipvhcrt",
    };
    let lower = letter.to_ascii_lowercase();
    if !known.contains(lower) {
        return None;
    }
    let after_letter = characters.as_str();
    let digits_end = after_letter
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(after_letter.len());
    let (digits, transform) = after_letter.split_at(digits_end);
    let parts = match digits {
        "" => PARTS_MAX,
        digits => match digits.parse::<usize>() {
            Ok(0) => return None,
            Ok(count) => count.min(PARTS_MAX),
            // More digits than a number can have: more parts than there can be.
            Err(_) => PARTS_MAX,
        },
    };
    let (reversed, delimiters) = match transform.strip_prefix(['r', 'R']) {
        Some(delimiters) => (true, delimiters),
        None => (false, transform),
    };
    if !delimiters
        .chars()
        .all(|character| ".-+,/_=".contains(character))
    {
        return None;
    }
    let delimiters = if delimiters.is_empty() {
        "."
    } else {
        delimiters
    };
    let expansion = Expansion {
        letter: lower,
        url_escaped: letter.is_ascii_uppercase(),
        parts,
        reversed,
        delimiters: delimiters.to_owned(),
    };
    Some((Piece::Expansion(expansion), rest))
}

fn is_literal(byte: u8, place: Place) -> bool {
    byte.is_ascii_graphic() || (place == Place::Explanation && byte == b' ')
}

/// `"." toplabel [ "." ]` at the end (RFC 7208 section 7.1): a label with a letter in it, or one with a hyphen inside.
fn ends_with_top_label(tail: &str) -> bool {
    let tail = tail.strip_suffix('.').unwrap_or(tail);
    let Some((_, label)) = tail.rsplit_once('.') else {
        return false;
    };
    let bytes = label.as_bytes();
    let characters_fit = bytes
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let is_no_number = bytes.iter().any(|byte| !byte.is_ascii_digit());
    let ends_fit = !label.starts_with('-') && !label.ends_with('-');
    !bytes.is_empty() && characters_fit && is_no_number && ends_fit
}

/// The address as `%{i}` writes it: IPv6 as nibbles with dots between (RFC 7208 section 7.3).
fn dotted(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let mut text = String::with_capacity(63);
            for byte in ip.octets() {
                for nibble in [byte >> 4, byte & 15] {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    // In upper case, as the test suite of the RFC has it; the DNS does not mind.
                    text.push_str(&format!("{nibble:X}"));
                }
            }
            text
        }
    }
}

/// Percent-encodes what is not unreserved (RFC 3986 section 2.3).
fn append_escaped(value: &str, text: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
}
