//! Whose word an Authentication-Results field claims to be (RFC 8601 section 5), read with suspicion: whoever forges one chooses a form
//! that the border does not know and the server behind it does.
//!
//! Only the beginning of a field is read, so that a field of many megabytes costs no more than a short one.

use net::resolver::ascii_name;

/// Bytes in which the name must stand: comments before it are none of an honest server.
const BEGINNING_BYTES_MAX: usize = 16 * 1024;

/// Whether a field's body claims to be of `authserv_id`, or does not tell whose it is: the next reader might take it for anybody's.
/// Any reading that a careless reader may have is enough: comments that do not nest, quotes, a version or a dot behind the name,
/// capital letters, characters that IDNA takes for others.
pub fn claims_to_be(body: &[u8], authserv_id: &str) -> bool {
    let is_whole = body.len() <= BEGINNING_BYTES_MAX;
    let beginning = body.get(..BEGINNING_BYTES_MAX).unwrap_or(body);
    let text = String::from_utf8_lossy(beginning);
    let own = normal(authserv_id);
    [true, false].into_iter().any(|nests| {
        match claimed(&text, nests) {
            // What goes on behind the beginning is a name of many kilobytes.
            Some((_, false)) if !is_whole => true,
            Some((name, _)) => normal(&name) == own || normal(head(&name)) == own,
            // Without nesting a comment may end early, and leave nothing that is a name.
            None => nests,
        }
    })
}

/// The first word behind comments and blanks, and whether it ends within the text; `None` if there is none, or a comment or quoted
/// string before its end has none.
fn claimed(text: &str, nests: bool) -> Option<(String, bool)> {
    let mut characters = text.chars();
    let mut word = String::new();
    let mut begun = false;
    while let Some(c) = characters.next() {
        match c {
            '(' if !begun => comment(&mut characters, nests)?,
            '"' => {
                quoted(&mut characters, &mut word)?;
                begun = true;
            }
            ';' | '=' if !begun => return None,
            ';' | '=' | '(' => return Some((word, true)),
            c if is_blank(c) && !begun => {}
            c if is_blank(c) => return Some((word, true)),
            c => {
                word.push(c);
                begun = true;
            }
        }
    }
    begun.then_some((word, false))
}

/// Reads up to the end of a comment that has begun.
fn comment(characters: &mut std::str::Chars<'_>, nests: bool) -> Option<()> {
    let mut depth = 1_usize;
    while depth > 0 {
        match characters.next()? {
            '(' if nests => depth += 1,
            ')' => depth -= 1,
            '\\' => {
                characters.next()?;
            }
            _ => {}
        }
    }
    Some(())
}

/// Reads up to the end of a quoted string that has begun.
fn quoted(characters: &mut std::str::Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        match characters.next()? {
            '"' => return Some(()),
            '\\' => word.push(characters.next()?),
            c => word.push(c),
        }
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// What of a name could be that of a server: a version, a port or a list may follow.
fn head(name: &str) -> &str {
    let fits = |c: char| c.is_alphanumeric() || "-_.".contains(dot(c));
    let name = name.trim_matches(|c: char| !fits(c));
    name.split(|c| !fits(c)).next().unwrap_or(name)
}

/// The full stops of other scripts are dots in a name (RFC 3490 section 3.1).
fn dot(c: char) -> char {
    match c {
        '\u{3002}' | '\u{ff0e}' | '\u{ff61}' => '.',
        c => c,
    }
}

/// A name as names are compared: without blanks and dots around it, in lower case, as A-labels.
fn normal(name: &str) -> String {
    let plain = name.chars().filter(|c| !is_blank(*c)).map(dot);
    let plain: String = plain.collect();
    let plain = plain.trim_matches('.');
    ascii_name(plain).unwrap_or_else(|| plain.to_lowercase())
}

#[cfg(test)]
mod tests;
