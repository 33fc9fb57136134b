//! Regular expressions of conditions: linear whatever they are matched with (no look-around, no back-references), and
//! bounded in size when they are compiled.

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};

use super::lex::Fault;

/// Bytes that one compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 512 * 1024;

/// Bytes that all patterns of one field may take together.
const SET_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes of the states of a set that are kept while it is matched.
const SET_CACHE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Repetitions of one piece that do not count as a gap.
const REPEATED_MAX: u32 = 3;

/// Levels of groups in one another.
const NEST_MAX: u32 = 30;

/// A pattern with its flags, as the library writes it.
pub(super) fn source(pattern: &str, flags: &str, at: usize) -> Result<String, Fault> {
    if let Some(flag) = flags
        .chars()
        .find(|flag| !matches!(flag, 'i' | 's' | 'm' | 'x'))
    {
        let message = format!("a pattern has no flag `{flag}`");
        return Err(Fault::new(
            at,
            message,
            "use i (any case), s (. takes line ends), m (^ and $ at lines), x (blanks mean nothing)",
        ));
    }
    let pattern = with_ascii_classes(pattern);
    if flags.is_empty() {
        Ok(pattern)
    } else {
        Ok(format!("(?{flags}:{pattern})"))
    }
}

/// Compiles one.
pub(super) fn compile(source: &str, at: usize) -> Result<Regex, Fault> {
    RegexBuilder::new(source)
        .size_limit(PATTERN_BYTES_MAX)
        .nest_limit(NEST_MAX)
        .build()
        .map_err(|error| {
            let text = error.to_string();
            // The library draws the pattern with a mark over several lines; the last one says what is wrong.
            let last = text.lines().last().unwrap_or_default();
            let last = last.trim_start_matches("error: ");
            Fault::new(
                at,
                format!("the pattern cannot be used: {last}"),
                "patterns are those of the Rust crate `regex`: no look-around, no back-references, bounded repetition",
            )
        })
}

/// Compiles the beginnings of all patterns of one field, to be matched at once.
///
/// # Errors
/// Says how large they may be.
pub(super) fn set(sources: &[String]) -> Result<RegexSet, String> {
    RegexSetBuilder::new(sources.iter().map(|source| beginning(source)))
        .size_limit(SET_BYTES_MAX)
        .dfa_size_limit(SET_CACHE_BYTES_MAX)
        .nest_limit(NEST_MAX + 1)
        .build()
        .map_err(|_| {
            format!("the patterns of one field take more than {SET_BYTES_MAX} bytes together")
        })
}

/// Makes `\b`, `\d`, `\s`, `\w` and `.` mean what they mean for ASCII. Of folded text nothing is lost by that but letters
/// with accents in `\w`; with all of Unicode in them, patterns take a hundred times the memory, and `\b` keeps the
/// library from its fast ways as soon as a text holds one letter that is not ASCII.
fn with_ascii_classes(pattern: &str) -> String {
    let mut made = String::with_capacity(pattern.len() * 2);
    let (mut is_escaped, mut in_class) = (false, false);
    for char in pattern.chars() {
        if is_escaped {
            is_escaped = false;
            match (ascii_class(char), in_class) {
                (Some((inside, _)), true) if !inside.is_empty() => made.push_str(inside),
                (Some((_, outside)), false) => made.push_str(outside),
                _ => {
                    made.push('\\');
                    made.push(char);
                }
            }
            continue;
        }
        match char {
            '\\' => {
                is_escaped = true;
                continue;
            }
            '.' if !in_class => {
                made.push_str("(?-u:.)");
                continue;
            }
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
        made.push(char);
    }
    if is_escaped {
        made.push('\\');
    }
    made
}

/// A pattern that matches wherever `source` does, and maybe elsewhere: what it has to begin with, up to the first gap or
/// longer repetition in each of its ways. Gaps are what rules need, and what an automaton for many patterns pays for with
/// a state for each set of gaps that may be open; so beginnings are matched at once, and whole patterns one by one where
/// their beginning has matched.
pub(super) fn beginning(source: &str) -> String {
    let parsed = ParserBuilder::new()
        .utf8(false)
        .nest_limit(NEST_MAX + 1)
        .build()
        .parse(source);
    // What is compiled can be parsed; an empty pattern matches everywhere.
    parsed.map_or_else(|_| String::new(), |hir| cut(&hir).0.to_string())
}

/// `hir` up to its first gap, and whether there is one. As deep as `NEST_MAX` lets patterns be.
fn cut(hir: &Hir) -> (Hir, bool) {
    match hir.kind() {
        HirKind::Capture(capture) => cut(&capture.sub),
        HirKind::Concat(parts) => {
            let mut kept = Vec::with_capacity(parts.len());
            for part in parts {
                let (part, is_cut) = cut(part);
                kept.push(part);
                if is_cut {
                    return (Hir::concat(kept), true);
                }
            }
            (Hir::concat(kept), false)
        }
        HirKind::Alternation(ways) => {
            let ways: Vec<(Hir, bool)> = ways.iter().map(cut).collect();
            let is_cut = ways.iter().any(|(_, is_cut)| *is_cut);
            let ways = ways.into_iter().map(|(way, _)| way).collect();
            (Hir::alternation(ways), is_cut)
        }
        HirKind::Repetition(repetition) => {
            let (sub, is_cut) = cut(&repetition.sub);
            let is_short = repetition.max.is_some_and(|max| max <= REPEATED_MAX);
            if is_short && !is_cut {
                (hir.clone(), false)
            } else if repetition.min == 0 {
                (Hir::empty(), true)
            } else {
                (sub, true)
            }
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {
            (hir.clone(), false)
        }
    }
}

/// What `\` and `letter` are written as inside of brackets, if they can be there, and outside.
fn ascii_class(letter: char) -> Option<(&'static str, &'static str)> {
    Some(match letter {
        'b' => ("", r"(?-u:\b)"),
        'd' => ("0-9", "[0-9]"),
        's' => (r" \t\r\n", r"[ \t\r\n]"),
        'w' => ("0-9A-Za-z_", "[0-9A-Za-z_]"),
        'D' => ("", "[^0-9]"),
        'S' => ("", r"[^ \t\r\n]"),
        'W' => ("", "[^0-9A-Za-z_]"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
