//! `[replies.LANGUAGE]`: texts of refusals that an operator has changed or translated.
//!
//! Only the templates are kept here; the built-in ones and their filling in live in `replies`.

use std::collections::BTreeMap;

use super::error::Fault;
use super::reader::Section;

/// Templates by language, then by kind; empty where the operator changed nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replies {
    /// By language tag (`en`, `de`, `pt-br`), lower case.
    pub languages: BTreeMap<String, BTreeMap<ReplyKind, String>>,
}

/// Which refusal a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplyKind {
    /// Refused as spam.
    Spam,
    /// Refused for a virus.
    Virus,
    /// Refused for a banned attachment.
    Attachment,
    /// Refused for its size.
    Size,
    /// Refused for an over-long line.
    Line,
    /// Refused for a bare CR or LF.
    BareNewline,
    /// Not a domain that we relay for.
    Relay,
    /// No such mailbox.
    Mailbox,
    /// On a block list.
    List,
    /// Against a policy.
    Policy,
    /// An engine that must answer does not.
    EngineUnavailable,
    /// No nexthop can be reached.
    NexthopDown,
    /// The recipient needs a transaction of its own.
    AnotherTransaction,
    /// Memory or disk is used up for the moment.
    Exhausted,
}

/// The languages that `crate::replies` has texts in.
const LANGUAGES_BUILTIN: [&str; 5] = ["en", "de", "fr", "es", "sv"];

/// The kinds by their keys.
const KINDS: [(&str, ReplyKind); 14] = [
    ("spam", ReplyKind::Spam),
    ("virus", ReplyKind::Virus),
    ("attachment", ReplyKind::Attachment),
    ("size", ReplyKind::Size),
    ("line", ReplyKind::Line),
    ("bare_newline", ReplyKind::BareNewline),
    ("relay", ReplyKind::Relay),
    ("mailbox", ReplyKind::Mailbox),
    ("list", ReplyKind::List),
    ("policy", ReplyKind::Policy),
    ("engine_unavailable", ReplyKind::EngineUnavailable),
    ("nexthop_down", ReplyKind::NexthopDown),
    ("another_transaction", ReplyKind::AnotherTransaction),
    ("exhausted", ReplyKind::Exhausted),
];

impl ReplyKind {
    /// All kinds.
    pub fn all() -> impl Iterator<Item = ReplyKind> {
        KINDS.into_iter().map(|(_, kind)| kind)
    }

    /// Its key in the configuration.
    pub fn key(self) -> &'static str {
        let found = KINDS.iter().find(|(_, kind)| *kind == self);
        found.map_or("", |(key, _)| key)
    }
}

impl Replies {
    /// Reads `[replies]` of the file.
    pub(super) fn read(file: &Section<'_, '_>) -> Replies {
        let mut languages = BTreeMap::new();
        for (language, section) in file.named_tables("replies") {
            if !is_language(language) {
                file.error(
                    "replies",
                    Fault::new(
                        format!("`{}` is not a language tag", language.escape_debug()),
                        "write a tag in lower case, such as `en`, `de` or `pt-br`",
                    ),
                );
            }
            let templates = KINDS
                .into_iter()
                .filter_map(|(key, kind)| Some((kind, section.text(key)?)))
                .collect();
            languages.insert(language.to_owned(), templates);
        }
        Replies { languages }
    }

    /// Whether refusals can be given in this language.
    pub(super) fn knows(&self, language: &str) -> bool {
        LANGUAGES_BUILTIN.contains(&language) || self.languages.contains_key(language)
    }
}

/// RFC 5646 2.1, as much of it as anybody needs here.
fn is_language(tag: &str) -> bool {
    let subtag = |subtag: &str| {
        (1..=8).contains(&subtag.len())
            && subtag
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    tag.len() <= 35 && tag.split('-').all(subtag)
}
