//! Turns comments and the insides of literals into blanks; line breaks and every other byte stay where they are.

/// The code of a Rust file, as many bytes long as the file.
pub(super) fn mask(text: &str) -> String {
    let mut mask = Mask {
        bytes: text.as_bytes(),
        at: 0,
        out: Vec::with_capacity(text.len()),
    };
    while mask.at < mask.bytes.len() {
        mask.step();
    }
    // Only whole characters were blanked, so this is UTF-8; lossy conversion is the total function for it.
    String::from_utf8_lossy(&mask.out).into_owned()
}

struct Mask<'a> {
    bytes: &'a [u8],
    at: usize,
    out: Vec<u8>,
}

impl Mask<'_> {
    /// Reads one token, or one byte of code.
    fn step(&mut self) {
        let rest = &self.bytes[self.at..];
        match rest {
            [b'/', b'/', ..] => {
                let length = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
                self.blank(length);
            }
            [b'/', b'*', ..] => self.blank(block_comment(rest)),
            [b'"', ..] => self.string(),
            [b'\'', ..] => self.quote(),
            [first, ..] if is_word(*first) => self.word(),
            _ => self.keep(1),
        }
    }

    /// A word; if it is the prefix of a literal (`b"`, `r#"`, `br"`, `c"`, `b'`), the literal too.
    fn word(&mut self) {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&b| !is_word(b)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(length);
        let is_raw = matches!(word, b"r" | b"br" | b"cr");
        let hashes = behind.iter().take_while(|&&b| b == b'#').count();
        self.keep(length);
        if is_raw && behind.get(hashes) == Some(&b'"') {
            self.keep(hashes);
            self.raw_string(hashes);
        }
        // `b"`, `c"` and `b'` go on as an ordinary string or character at the next step.
    }

    /// A string with escapes, its quotes kept.
    fn string(&mut self) {
        let rest = &self.bytes[self.at..];
        let mut length = 1;
        while let Some(byte) = rest.get(length) {
            match byte {
                b'\\' => length += 2,
                b'"' => break,
                _ => length += 1,
            }
        }
        self.literal(length);
    }

    /// A raw string, which ends at a quote followed by as many hashes as it began with.
    fn raw_string(&mut self, hashes: usize) {
        let rest = &self.bytes[self.at..];
        let mut end = vec![b'#'; hashes + 1];
        end[0] = b'"';
        let length = rest[1..]
            .windows(end.len())
            .position(|window| window == end)
            .map_or(rest.len(), |position| position + 1);
        self.literal(length);
    }

    /// A character (`'x'`, `'\n'`, `'"'`), or the tick of a lifetime or label (`'a`).
    fn quote(&mut self) {
        let rest = &self.bytes[self.at..];
        let closing = match rest.get(1) {
            Some(b'\\') => rest[3.min(rest.len())..]
                .iter()
                .position(|&b| b == b'\'')
                .map(|position| position + 3),
            Some(&first) => {
                let length = 1 + utf8_length(first);
                (rest.get(length) == Some(&b'\'')).then_some(length)
            }
            None => None,
        };
        match closing {
            Some(length) => self.literal(length),
            None => self.keep(1),
        }
    }

    /// Keeps a literal's two quotes and blanks what is between; `closing` is where its last quote stands.
    fn literal(&mut self, closing: usize) {
        self.keep(1);
        self.blank(closing.saturating_sub(1));
        self.keep(1);
    }

    fn keep(&mut self, length: usize) {
        let end = (self.at + length).min(self.bytes.len());
        self.out.extend_from_slice(&self.bytes[self.at..end]);
        self.at = end;
    }

    fn blank(&mut self, length: usize) {
        let end = (self.at + length).min(self.bytes.len());
        let blanks = self.bytes[self.at..end]
            .iter()
            .map(|&b| if b == b'\n' { b'\n' } else { b' ' });
        self.out.extend(blanks);
        self.at = end;
    }
}

/// How long a block comment is; they nest.
fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

fn utf8_length(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80
}
