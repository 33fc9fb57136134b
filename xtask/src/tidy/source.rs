//! A Rust file with its comments and literals blanked out, so that a rule about code never trips over words.
//!
//! This is a lexer for rules of thumb, not a parser: it knows strings (raw and byte strings too), characters as
//! against lifetimes, nested block comments, and braces. Macros are read as plain code.

mod mask;

use std::ops::Range;

/// One Rust file.
pub(super) struct Source<'a> {
    /// Its path from the root.
    pub(super) path: &'a str,
    /// What the file holds.
    pub(super) text: &'a str,
    /// The same, byte for byte as long, with comments and the insides of literals turned into blanks.
    pub(super) code: String,
}

/// One function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    /// Where its `fn` stands, counted from 1.
    pub(super) line: usize,
    /// From the line of its `fn` to that of its closing brace.
    pub(super) lines: usize,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a str, text: &'a str) -> Source<'a> {
        let code = mask::mask(text);
        Source { path, text, code }
    }

    /// Whether the file holds tests only: `tests.rs`, a part of `tests/`, an integration test, a bench or a fuzz target.
    pub(super) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/")
            || self.path.contains("/benches/")
            || self.path.starts_with("fuzz/")
    }

    /// The words of the code (identifiers, keywords, numbers) with the line each stands on, counted from 1.
    pub(super) fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        let line_starts = self.code.split('\n').enumerate();
        line_starts.flat_map(|(index, line)| {
            line.split(|c: char| !is_word(c))
                .filter(|word| !word.is_empty())
                .map(move |word| (index + 1, word))
        })
    }

    /// Every function that has a body, those inside other functions too.
    pub(super) fn functions(&self) -> Vec<Function<'_>> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(range) = next_word(&self.code, from) {
            from = range.end;
            if &self.code[range.clone()] == "fn"
                && let Some(function) = self.function(range)
            {
                found.push(function);
            }
        }
        found
    }

    /// Reads the function whose `fn` stands at `keyword`; a pointer type or a bodiless declaration is none.
    fn function(&self, keyword: Range<usize>) -> Option<Function<'_>> {
        let name = next_word(&self.code, keyword.end)?;
        // `fn(A) -> B` is a type.
        if !self.code[keyword.end..name.start].trim().is_empty() {
            return None;
        }
        let body = body(&self.code, name.end)?;
        let line_of = |at: usize| 1 + self.code[..at].matches('\n').count();
        let line = line_of(keyword.start);
        Some(Function {
            name: &self.code[name],
            line,
            lines: line_of(body.end - 1) + 1 - line,
        })
    }
}

/// The next word at or behind `from`.
fn next_word(code: &str, from: usize) -> Option<Range<usize>> {
    let start = from + code[from..].find(is_word)?;
    let end = code[start..]
        .find(|c| !is_word(c))
        .map_or(code.len(), |length| start + length);
    Some(start..end)
}

/// The braces of a body that begins somewhere behind `from`, both included.
fn body(code: &str, from: usize) -> Option<Range<usize>> {
    let mut brackets = 0_u32;
    let mut braces = 0_u32;
    let mut start = None;
    for (offset, byte) in code.as_bytes()[from..].iter().enumerate() {
        let at = from + offset;
        match byte {
            b'(' | b'[' if start.is_none() => brackets += 1,
            b')' | b']' if start.is_none() => brackets = brackets.saturating_sub(1),
            b';' if start.is_none() && brackets == 0 => return None,
            b'{' if start.is_some() || brackets == 0 => {
                braces += 1;
                start.get_or_insert(at);
            }
            b'}' if start.is_some() => {
                braces -= 1;
                if braces == 0 {
                    return start.map(|start| start..at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests;
