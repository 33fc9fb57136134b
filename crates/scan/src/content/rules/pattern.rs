//! Regular expressions of conditions: linear whatever they are matched with (no look-around, no back-references), and
//! bounded in size when they are compiled.

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::lex::Fault;

/// Bytes that one compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 512 * 1024;

/// Bytes that all patterns of one field may take together.
const SET_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes of the states of a set that are kept while it is matched.
const SET_CACHE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Repetitions up to which bounds are kept where patterns are matched at once.
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

/// Compiles all patterns of one field, loosened, to be matched at once.
///
/// # Errors
/// Says how large they may be.
pub(super) fn set(sources: &[String]) -> Result<RegexSet, String> {
    RegexSetBuilder::new(sources.iter().map(|source| loosened(source)))
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

/// A pattern that matches wherever `source` does, and maybe elsewhere: what is repeated a bounded number of times may be
/// repeated without bound. Gaps of at most so many characters are what rules need, and what an automaton pays for with a
/// state for each character and each place where the gap may have begun; so the looser patterns are matched at once, and
/// those that rules gave only where the looser one has matched.
pub(super) fn loosened(source: &str) -> String {
    let mut made = String::with_capacity(source.len());
    let (mut is_escaped, mut in_class) = (false, false);
    let mut rest = source;
    while let Some(char) = rest.chars().next() {
        let tail = rest.get(char.len_utf8()..).unwrap_or_default();
        if !is_escaped
            && !in_class
            && char == '{'
            && let Some((inside, after)) = tail.split_once('}')
            && let Some(sign) = loosened_bounds(inside)
        {
            made.push(sign);
            rest = after;
            continue;
        }
        is_escaped = !is_escaped && char == '\\';
        match char {
            '[' if !is_escaped && !made.ends_with('\\') => in_class = true,
            ']' if !is_escaped && !made.ends_with('\\') => in_class = false,
            _ => {}
        }
        made.push(char);
        rest = tail;
    }
    made
}

/// The sign without bounds that stands for `{inside}`, if the bounds are worth loosening.
fn loosened_bounds(inside: &str) -> Option<char> {
    let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
    let least: u32 = least.trim().parse().ok()?;
    let is_long = most
        .trim()
        .parse::<u32>()
        .map_or(true, |most| most > REPEATED_MAX);
    is_long.then_some(if least == 0 { '*' } else { '+' })
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
