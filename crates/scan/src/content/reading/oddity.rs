//! What is odd in the way that a message is written: tricks against machines that readers do not see.

use super::fold::FoldFacts;
use super::header::HeaderFacts;
use crate::view::{Encoding, Part};

/// Something odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Oddity {
    /// Characters that show nothing stand inside of words.
    ZeroWidthInWords,
    /// Words mix letters of several scripts that look alike.
    MixedScriptWords,
    /// The direction of writing is overridden.
    BidiOverride,
    /// More soft hyphens than words.
    SoftHyphens,
    /// Letters of a mathematical or enclosed style.
    StylisedLetters,
    /// A text in base64 that needs no encoding.
    NeedlessBase64,
    /// A text that is not in the charset that it declares.
    CharsetLie,
    /// A subject in encoded words that needs no encoding.
    NeedlesslyEncodedSubject,
    /// A subject with bytes outside of US-ASCII (allowed by RFC 6532 only, in UTF-8).
    RawSubject,
}

impl Oddity {
    /// Every oddity.
    pub const ALL: [Oddity; 9] = [
        Oddity::ZeroWidthInWords,
        Oddity::MixedScriptWords,
        Oddity::BidiOverride,
        Oddity::SoftHyphens,
        Oddity::StylisedLetters,
        Oddity::NeedlessBase64,
        Oddity::CharsetLie,
        Oddity::NeedlesslyEncodedSubject,
        Oddity::RawSubject,
    ];

    /// Its name in rules.
    pub fn name(self) -> &'static str {
        match self {
            Oddity::ZeroWidthInWords => "zero-width-in-words",
            Oddity::MixedScriptWords => "mixed-script-words",
            Oddity::BidiOverride => "bidi-override",
            Oddity::SoftHyphens => "soft-hyphens",
            Oddity::StylisedLetters => "stylised-letters",
            Oddity::NeedlessBase64 => "needless-base64",
            Oddity::CharsetLie => "charset-lie",
            Oddity::NeedlesslyEncodedSubject => "needlessly-encoded-subject",
            Oddity::RawSubject => "raw-subject",
        }
    }
}

/// What is odd in texts and header.
pub(super) fn of(folding: &FoldFacts, header: &HeaderFacts, parts: &[&Part]) -> Vec<Oddity> {
    let subject = header.fields.iter().find(|field| field.name == "subject");
    let is_odd = |oddity: &Oddity| match oddity {
        Oddity::ZeroWidthInWords => folding.zero_width_in_words > 2,
        Oddity::MixedScriptWords => folding.mixed_script_words > 0,
        Oddity::BidiOverride => folding.bidi_overrides > 0,
        Oddity::SoftHyphens => folding.soft_hyphens > folding.words.max(10),
        Oddity::StylisedLetters => folding.stylised_letters > 4,
        Oddity::NeedlessBase64 => parts.iter().any(|part| is_needless(part)),
        Oddity::CharsetLie => parts.iter().any(|part| is_lie(part)),
        Oddity::NeedlesslyEncodedSubject => subject.is_some_and(|field| {
            field.is_encoded && field.value.is_ascii() && !field.value.is_empty()
        }),
        Oddity::RawSubject => subject.is_some_and(|field| field.is_raw),
    };
    Oddity::ALL.into_iter().filter(is_odd).collect()
}

/// Whether a text that is written in base64 holds only what can be sent as it is.
fn is_needless(part: &Part) -> bool {
    if part.encoding() != Encoding::Base64 {
        return false;
    }
    let content = part.content();
    !content.is_empty()
        && content.is_ascii()
        && content
            .split(|byte| *byte == b'\n')
            .all(|line| line.len() <= 998)
}

fn is_lie(part: &Part) -> bool {
    let Some(charset) = part.charset() else {
        return false;
    };
    let content = part.content();
    if charset.eq_ignore_ascii_case("us-ascii") {
        return !content.is_ascii();
    }
    charset.eq_ignore_ascii_case("utf-8") && std::str::from_utf8(content).is_err()
}
