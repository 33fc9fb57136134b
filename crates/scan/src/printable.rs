//! Words of a daemon made fit for a log line, a header field and a page: printable, on one line, bounded.

/// `text` without control characters, blanks folded into one, cut at `bytes_max` bytes on a character border.
pub(crate) fn printable(text: &str, bytes_max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(bytes_max));
    let mut blank = false;
    for c in text.trim().chars() {
        if c.is_whitespace() {
            blank = true;
            continue;
        }
        if c.is_control() {
            continue;
        }
        let space = usize::from(blank && !out.is_empty());
        if out.len() + space + c.len_utf8() > bytes_max {
            break;
        }
        if space == 1 {
            out.push(' ');
        }
        blank = false;
        out.push(c);
    }
    out
}

/// As [`printable`], of bytes in any encoding.
pub(crate) fn printable_bytes(text: &[u8], bytes_max: usize) -> String {
    // No more than four bytes make up a character, so what is cut here could not have been kept.
    let start = text.trim_ascii_start();
    let part = start.get(..bytes_max.saturating_mul(8)).unwrap_or(start);
    printable(&String::from_utf8_lossy(part), bytes_max)
}

/// The first names of a list, in brackets: ` (A, B, ...)`. Empty if there are none.
pub(crate) fn bracketed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const NAMES_MAX: usize = 5;
    let mut text = String::new();
    for (index, name) in names.into_iter().take(NAMES_MAX + 1).enumerate() {
        text.push_str(if index == 0 { " (" } else { ", " });
        text.push_str(if index == NAMES_MAX { "..." } else { name });
    }
    if !text.is_empty() {
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests;
