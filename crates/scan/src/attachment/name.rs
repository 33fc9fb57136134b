//! A file name as Windows and its Explorer will take it: which extension decides, and what is done to make a recipient
//! see another one. Also how a name is shown in replies and logs.

/// Characters of a name that are shown.
const SHOWN_CHARACTERS_MAX: usize = 60;

/// Blanks in front of the last extension that push it out of sight.
const HIDING_BLANKS_MIN: usize = 4;

/// What a file name amounts to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// The last extension in lower case, as the system that opens the file sees it; empty if there is none.
    pub(super) extension: String,
    /// The extension before it, in lower case.
    pub(super) inner_extension: String,
    /// The last extension stands behind a run of blanks.
    pub(super) is_pushed_away: bool,
    /// It holds a character that reverses what follows (U+202E and its kin), which no honest file name has.
    pub(super) is_reversed: bool,
}

impl Name {
    /// Reads `name`: the part after the last path separator, less the blanks and dots that Windows drops at the end.
    pub(super) fn read(name: &str) -> Name {
        let base = name
            .rsplit(['/', '\\'])
            .find(|base| !base.is_empty())
            .unwrap_or_default();
        let is_reversed = base.chars().any(is_reversing);
        let kept: String = base.chars().filter(|c| !is_invisible(*c)).collect();
        let kept = kept.trim_end_matches(|c: char| c == '.' || c.is_whitespace());
        let (stem, extension) = split(kept);
        let trimmed = stem.trim_end();
        let blanks = stem.chars().rev().take_while(|c| c.is_whitespace()).count();
        let (_, inner_extension) = split(trimmed.trim_end_matches('.'));
        Name {
            extension: extension.trim().to_lowercase(),
            inner_extension: inner_extension.trim().to_lowercase(),
            is_pushed_away: blanks >= HIDING_BLANKS_MIN,
            is_reversed,
        }
    }
}

/// The stem and what follows the last dot.
fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or((name, ""))
}

/// Bidirectional overrides and isolates of the other direction.
fn is_reversing(c: char) -> bool {
    matches!(c, '\u{202d}' | '\u{202e}' | '\u{2066}'..='\u{2068}')
}

/// Characters that take no space on a screen: controls, bidirectional marks, zero-width joiners, the byte order mark.
fn is_invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `name` fit for a reply or a log: no invisible characters, blanks run together, shortened in the middle so that both
/// its beginning and its extension are seen.
pub(super) fn shown(name: &str) -> String {
    let mut shown = String::new();
    // Longer names do not get past the cut anyway; this only bounds the work.
    for c in name.chars().take(4_096) {
        if c.is_whitespace() {
            if !shown.ends_with(' ') {
                shown.push(' ');
            }
        } else if !is_invisible(c) && c != char::REPLACEMENT_CHARACTER {
            shown.push(c);
        }
    }
    let shown = shown.trim();
    let length = shown.chars().count();
    if length <= SHOWN_CHARACTERS_MAX {
        return shown.to_owned();
    }
    let tail = SHOWN_CHARACTERS_MAX / 3;
    let head: String = shown
        .chars()
        .take(SHOWN_CHARACTERS_MAX - tail - 3)
        .collect();
    let tail: String = shown.chars().skip(length - tail).collect();
    format!("{head}...{tail}")
}

#[cfg(test)]
mod tests;
