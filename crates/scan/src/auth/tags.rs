//! Tag lists (RFC 6376 section 3.2): `name=value; name=value`, in which DKIM, ARC and DMARC write; and base64 with blanks in
//! it (section 2.10).

/// Tags of one list that are read; the standards know some twenty.
const TAGS_MAX: usize = 64;

/// The tags of a list, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tags<'a> {
    tags: Vec<(&'a str, &'a str)>,
}

impl<'a> Tags<'a> {
    /// Reads a list; `None` if it is none, or has a tag twice (which RFC 6376 section 3.2 makes invalid as a whole).
    pub(super) fn parse(text: &'a str) -> Option<Tags<'a>> {
        let mut tags: Vec<(&str, &str)> = Vec::new();
        for part in text.split(';') {
            let part = part.trim_matches(is_blank);
            if part.is_empty() {
                // What ends the list; an empty tag amidst is overlooked.
                continue;
            }
            let (name, value) = part.split_once('=')?;
            let name = name.trim_end_matches(is_blank);
            let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !is_name || tags.len() == TAGS_MAX || tags.iter().any(|(known, _)| *known == name) {
                return None;
            }
            tags.push((name, value.trim_start_matches(is_blank)));
        }
        Some(Tags { tags })
    }

    /// Reads as much of a list as is one: what is wrong, or there again, is passed over (DMARC, RFC 9989 section 4.7).
    pub(super) fn lenient(text: &'a str) -> Tags<'a> {
        let mut tags: Vec<(&str, &str)> = Vec::new();
        for part in text.split(';').take(TAGS_MAX) {
            if let Some((name, value)) = part.split_once('=') {
                let name = name.trim_matches(is_blank);
                if !tags.iter().any(|(known, _)| *known == name) {
                    tags.push((name, value.trim_matches(is_blank)));
                }
            }
        }
        Tags { tags }
    }

    /// The value of a tag.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        let found = self.tags.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value)
    }

    /// The name and value of the first tag.
    pub(super) fn first(&self) -> Option<(&'a str, &'a str)> {
        self.tags.first().copied()
    }

    /// The words of a value between colons, without the blanks around them.
    pub(super) fn words(&self, name: &str) -> Option<impl Iterator<Item = &'a str>> {
        let value = self.value(name)?;
        Some(value.split(':').map(|word| word.trim_matches(is_blank)))
    }
}

/// What folding may put between two tokens.
pub(super) fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Decodes base64 (RFC 4648 section 4) that may be folded; `None` if it is something else.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut bits = 0_u32;
    let mut count = 0_u8;
    let mut ended = false;
    for byte in text.bytes().filter(|byte| !is_blank(char::from(*byte))) {
        if byte == b'=' {
            ended = true;
            continue;
        }
        if ended {
            return None;
        }
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    // Six bits left over are no byte. How much padding there is does not matter.
    (count < 6).then_some(bytes)
}

#[cfg(test)]
mod tests;
