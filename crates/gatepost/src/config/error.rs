//! Errors of the configuration: where, what, and how to mend it (DESIGN law 8).

use std::fmt;
use std::ops::Range;

/// Errors that are reported at most; whoever has more than these has one cause for most of them.
pub(crate) const ERRORS_MAX: usize = 100;

/// One error of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, as it was named; a list that the configuration names has its own errors.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The key it is about (`listener.bind`); empty where there is none.
    pub key: String,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// How to mend it.
    pub remedy: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConfigError {
            file,
            line,
            column,
            message,
            remedy,
            ..
        } = self;
        write!(f, "{file}:{line}:{column}: {message}\n  remedy: {remedy}")
    }
}

impl std::error::Error for ConfigError {}

/// What is wrong with a value, before it is known where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) remedy: String,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault {
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

/// A place in a text, in bytes.
pub(super) type Span = Range<usize>;

/// Turns byte offsets of a text into lines and columns.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Lines<'t> {
        let newlines = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        Lines {
            text,
            starts: std::iter::once(0).chain(newlines).collect(),
        }
    }

    /// Line and column of this offset, both from 1; an offset beyond the end counts as the end.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|&start| start <= offset);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = self.text.as_bytes().get(start..offset).unwrap_or(&[]);
        (line, String::from_utf8_lossy(before).chars().count() + 1)
    }
}

#[cfg(test)]
mod tests;
