//! Text as the eye takes it: compatibility forms made plain (Unicode NFKC, UAX #15), characters that show nothing taken
//! out, look-alike letters in words of mixed scripts replaced by the Latin ones that they imitate (after UTS #39), and
//! blanks collapsed.
//!
//! What was changed is counted, since nobody writes so but to be misread by machines. The table of look-alikes is small
//! on purpose: it holds what a reader cannot tell apart in a common font, not what merely resembles.

use icu_normalizer::ComposingNormalizerBorrowed;

/// What folding met. Counts of occurrences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FoldFacts {
    /// Characters that show nothing between two Latin, Cyrillic or Greek letters or digits, soft hyphens excepted.
    pub zero_width_in_words: u32,
    /// Characters that show nothing, wherever they stand.
    pub invisible: u32,
    /// Soft hyphens, which are in order in long words and out of order between every two letters.
    pub soft_hyphens: u32,
    /// Controls that turn the direction of writing around (Unicode bidirectional overrides).
    pub bidi_overrides: u32,
    /// Words that mix Latin letters with look-alikes of another script.
    pub mixed_script_words: u32,
    /// Letters in a mathematical or enclosed style, as in 𝐛𝐨𝐥𝐝.
    pub stylised_letters: u32,
    /// Words that were folded.
    pub words: u32,
}

/// `text` folded, cut to `bytes_max`; what was met is added to `facts`. Line ends stay, other blanks become one space.
pub(super) fn fold(text: &str, bytes_max: usize, facts: &mut FoldFacts) -> String {
    if text.is_ascii() {
        let mut folded = String::with_capacity(text.len().min(bytes_max));
        collapse(text.chars(), bytes_max, &mut folded);
        facts.words = facts.words.saturating_add(count_words(&folded));
        return folded;
    }
    let kept = without_invisible(text, facts);
    let plain = ComposingNormalizerBorrowed::new_nfkc().normalize(&kept);
    let latin = without_look_alikes(&plain, facts);
    let mut folded = String::with_capacity(latin.len().min(bytes_max));
    collapse(latin.chars(), bytes_max, &mut folded);
    facts.words = facts.words.saturating_add(count_words(&folded));
    folded
}

fn count_words(text: &str) -> u32 {
    u32::try_from(text.split_ascii_whitespace().count()).unwrap_or(u32::MAX)
}

/// Appends `chars` with every run of blanks as one space, or as one line end if it holds one.
fn collapse(chars: impl Iterator<Item = char>, bytes_max: usize, folded: &mut String) {
    let mut blank: Option<char> = None;
    for char in chars {
        if char == '\n' {
            blank = Some('\n');
        } else if char.is_whitespace() || char.is_control() {
            blank.get_or_insert(' ');
        } else {
            if folded.len() + char.len_utf8() + 1 > bytes_max {
                return;
            }
            if let Some(blank) = blank.take()
                && !folded.is_empty()
            {
                folded.push(blank);
            }
            folded.push(char);
        }
    }
}

/// Takes out what shows nothing (`Default_Ignorable_Code_Point`).
fn without_invisible(text: &str, facts: &mut FoldFacts) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut before = ' ';
    // What was left out since `before`, soft hyphens not counted.
    let mut left_out = 0_u32;
    for char in text.chars() {
        if is_ignorable(char) {
            if char == '\u{ad}' {
                facts.soft_hyphens = facts.soft_hyphens.saturating_add(1);
            } else {
                facts.invisible = facts.invisible.saturating_add(1);
                left_out = left_out.saturating_add(1);
            }
            if matches!(char, '\u{202d}' | '\u{202e}') {
                facts.bidi_overrides = facts.bidi_overrides.saturating_add(1);
            }
            continue;
        }
        if is_stylised(char) {
            facts.stylised_letters = facts.stylised_letters.saturating_add(1);
        }
        if left_out > 0 && joins_no_letters(before) && joins_no_letters(char) {
            facts.zero_width_in_words = facts.zero_width_in_words.saturating_add(left_out);
        }
        left_out = 0;
        before = char;
        kept.push(char);
    }
    kept
}

/// Whether `char` belongs to a script that has no use for joiners between its letters; Arabic, Persian and the scripts of
/// India do have it.
fn joins_no_letters(char: char) -> bool {
    char.is_ascii_alphanumeric() || Script::of(char).is_some()
}

/// Whether `char` shows nothing: `Default_Ignorable_Code_Point` of the Unicode character database.
fn is_ignorable(char: char) -> bool {
    matches!(
        char,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Mathematical alphanumeric symbols, enclosed letters and full-width Latin letters.
fn is_stylised(char: char) -> bool {
    matches!(
        char,
        '\u{1d400}'..='\u{1d7ff}'
            | '\u{24b6}'..='\u{24e9}'
            | '\u{1f130}'..='\u{1f149}'
            | '\u{ff21}'..='\u{ff3a}'
            | '\u{ff41}'..='\u{ff5a}'
    )
}

/// Scripts of which some letters cannot be told from one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    Latin,
    Cyrillic,
    Greek,
    Armenian,
    Cherokee,
}

impl Script {
    fn of(char: char) -> Option<Script> {
        Some(match char {
            'a'..='z' | 'A'..='Z' => Script::Latin,
            '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{250}'..='\u{2af}' => Script::Latin,
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Greek,
            '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{a640}'..='\u{a69f}' => {
                Script::Cyrillic
            }
            '\u{531}'..='\u{587}' => Script::Armenian,
            '\u{13a0}'..='\u{13fd}' | '\u{ab70}'..='\u{abbf}' => Script::Cherokee,
            _ => return None,
        })
    }
}

/// Replaces look-alikes in words that mix them with Latin letters.
fn without_look_alikes(text: &str, facts: &mut FoldFacts) -> String {
    let mut replaced = String::with_capacity(text.len());
    for piece in text.split_inclusive(|char: char| !char.is_alphanumeric()) {
        match is_mixed(piece) {
            true => {
                facts.mixed_script_words = facts.mixed_script_words.saturating_add(1);
                replaced.extend(piece.chars().map(|char| look_alike(char).unwrap_or(char)));
            }
            false => replaced.push_str(piece),
        }
    }
    replaced
}

/// Whether `word` has Latin letters and others of which each can be taken for a Latin one. Units such as `µm` and `kΩ`
/// mix scripts as well, with letters that nobody takes for Latin.
fn is_mixed(word: &str) -> bool {
    if word.is_ascii() {
        return false;
    }
    let (mut has_latin, mut has_other) = (false, false);
    for char in word.chars() {
        match Script::of(char) {
            Some(Script::Latin) => has_latin = true,
            Some(_) if look_alike(char).is_some() => has_other = true,
            Some(_) => return false,
            None => {}
        }
    }
    has_latin && has_other
}

/// Whether `label`, a label of a domain in Unicode, can be read as Latin letters although it is not: the text that it is
/// read as.
pub(super) fn read_as_latin(label: &str) -> Option<String> {
    if label.is_ascii() {
        return None;
    }
    let read: String = label
        .chars()
        .map(|char| look_alike(char).unwrap_or(char))
        .collect();
    read.is_ascii().then_some(read)
}

/// The Latin letter that `char` cannot be told from.
fn look_alike(char: char) -> Option<char> {
    LOOK_ALIKES
        .binary_search_by_key(&char, |(other, _)| *other)
        .ok()
        .and_then(|index| LOOK_ALIKES.get(index))
        .map(|(_, latin)| *latin)
}

/// In the order of code points.
const LOOK_ALIKES: &[(char, char)] = &[
    ('ı', 'i'),
    ('ɑ', 'a'),
    ('ɡ', 'g'),
    ('ɩ', 'i'),
    ('Α', 'A'),
    ('Β', 'B'),
    ('Ε', 'E'),
    ('Ζ', 'Z'),
    ('Η', 'H'),
    ('Ι', 'I'),
    ('Κ', 'K'),
    ('Μ', 'M'),
    ('Ν', 'N'),
    ('Ο', 'O'),
    ('Ρ', 'P'),
    ('Τ', 'T'),
    ('Υ', 'Y'),
    ('Χ', 'X'),
    ('α', 'a'),
    ('γ', 'y'),
    ('ι', 'i'),
    ('κ', 'k'),
    ('ν', 'v'),
    ('ο', 'o'),
    ('ρ', 'p'),
    ('υ', 'u'),
    ('χ', 'x'),
    ('ϲ', 'c'),
    ('ϳ', 'j'),
    ('Ѕ', 'S'),
    ('І', 'I'),
    ('Ј', 'J'),
    ('А', 'A'),
    ('В', 'B'),
    ('Е', 'E'),
    ('К', 'K'),
    ('М', 'M'),
    ('Н', 'H'),
    ('О', 'O'),
    ('Р', 'P'),
    ('С', 'C'),
    ('Т', 'T'),
    ('У', 'Y'),
    ('Х', 'X'),
    ('а', 'a'),
    ('е', 'e'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('у', 'y'),
    ('х', 'x'),
    ('ѕ', 's'),
    ('і', 'i'),
    ('ј', 'j'),
    ('Ү', 'Y'),
    ('ү', 'y'),
    ('һ', 'h'),
    ('Ӏ', 'l'),
    ('ӏ', 'l'),
    ('ԁ', 'd'),
    ('ԛ', 'q'),
    ('ԝ', 'w'),
    ('Օ', 'O'),
    ('հ', 'h'),
    ('ո', 'n'),
    ('ս', 'u'),
    ('օ', 'o'),
    ('Ꭰ', 'D'),
    ('Ꭱ', 'R'),
    ('Ꭲ', 'T'),
    ('Ꭺ', 'A'),
    ('Ꭻ', 'J'),
    ('Ꭼ', 'E'),
    ('Ꮃ', 'W'),
    ('Ꮇ', 'M'),
    ('Ꮋ', 'H'),
    ('Ꮐ', 'G'),
    ('Ꮓ', 'Z'),
    ('Ꮩ', 'V'),
    ('Ꮪ', 'S'),
    ('Ꮮ', 'L'),
    ('Ꮯ', 'C'),
    ('Ꮲ', 'P'),
];

#[cfg(test)]
mod tests;
