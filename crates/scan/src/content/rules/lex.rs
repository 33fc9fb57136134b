//! The words of a condition: names, numbers, texts in quotes, patterns between slashes, signs.

/// A word with where it begins, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) at: usize,
    pub(super) token: Token,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A field, a symbol, or one of `and`, `or`, `not`, `in`, `count`, `link`, `attachment`.
    Name(String),
    Number(f64),
    Text(String),
    Pattern {
        pattern: String,
        flags: String,
    },
    /// One of `( ) , ~ !~ == != < <= > >=`.
    Sign(&'static str),
}

/// What is wrong with a condition, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) remedy: String,
}

impl Fault {
    pub(super) fn new(at: usize, message: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault {
            at,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

/// Longer signs before those that they begin with.
const SIGNS: [&str; 11] = ["!~", "==", "!=", "<=", ">=", "(", ")", ",", "~", "<", ">"];

/// Divides `text` into words.
pub(super) fn words(text: &str) -> Result<Vec<Word>, Fault> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(first) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if first == '#' {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let (token, length) = match first {
            '/' => pattern(rest, at)?,
            '"' => quoted(rest, at)?,
            '0'..='9' | '-' => number(rest, at)?,
            'a'..='z' | 'A'..='Z' | '_' => name(rest),
            _ => sign(rest, at)?,
        };
        words.push(Word { at, token });
        at += length;
    }
    Ok(words)
}

fn sign(rest: &str, at: usize) -> Result<(Token, usize), Fault> {
    let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
    sign.map(|sign| (Token::Sign(sign), sign.len())).ok_or_else(|| {
        let first: String = rest.chars().take(1).collect();
        let remedy = "a condition holds names, numbers, \"texts\", /patterns/ and the signs ( ) , ~ !~ == != < <= > >=";
        Fault::new(at, format!("`{first}` means nothing here"), remedy)
    })
}

fn name(rest: &str) -> (Token, usize) {
    let length = rest
        .find(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-')))
        .unwrap_or(rest.len());
    (
        Token::Name(rest.get(..length).unwrap_or_default().to_owned()),
        length,
    )
}

fn number(rest: &str, at: usize) -> Result<(Token, usize), Fault> {
    let length = rest
        .find(|char: char| !(char.is_ascii_digit() || matches!(char, '-' | '.' | '_')))
        .unwrap_or(rest.len());
    let text = rest.get(..length).unwrap_or_default();
    match text.replace('_', "").parse() {
        Ok(number) => Ok((Token::Number(number), length)),
        Err(_) => Err(Fault::new(
            at,
            format!("`{text}` is no number"),
            "write it like 12, -3 or 0.5",
        )),
    }
}

/// `"..."`, in which `\"` and `\\` stand for themselves.
fn quoted(rest: &str, at: usize) -> Result<(Token, usize), Fault> {
    let mut text = String::new();
    let mut is_escaped = false;
    for (index, char) in rest.char_indices().skip(1) {
        match char {
            _ if is_escaped => {
                text.push(char);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            '"' => return Ok((Token::Text(text), index + 1)),
            _ => text.push(char),
        }
    }
    Err(Fault::new(
        at,
        "the text that begins here does not end",
        "close it with a quotation mark",
    ))
}

/// `/.../flags`, in which `\/` stands for a slash and everything else for what it is in a pattern.
fn pattern(rest: &str, at: usize) -> Result<(Token, usize), Fault> {
    let mut pattern = String::new();
    let mut is_escaped = false;
    for (index, char) in rest.char_indices().skip(1) {
        match char {
            '/' if is_escaped => {
                pattern.push('/');
                is_escaped = false;
            }
            _ if is_escaped => {
                pattern.push('\\');
                pattern.push(char);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            '/' => {
                let tail = rest.get(index + 1..).unwrap_or_default();
                let flags = tail
                    .find(|char: char| !char.is_ascii_alphabetic())
                    .unwrap_or(tail.len());
                let token = Token::Pattern {
                    pattern,
                    flags: tail.get(..flags).unwrap_or_default().to_owned(),
                };
                return Ok((token, index + 1 + flags));
            }
            _ => pattern.push(char),
        }
    }
    Err(Fault::new(
        at,
        "the pattern that begins here does not end",
        "close it with a slash",
    ))
}

#[cfg(test)]
mod tests;
