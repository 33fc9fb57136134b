//! Every key of the configuration, declared once: name, type with its range, default, meaning, source.
//!
//! The reader takes types, ranges and defaults from here, the check for unknown keys its names, and
//! `docs/configuration.md` all of it. The tables themselves are in `keys/`, one file for each theme.

mod authentication;
mod delivery;
mod engine;
mod list;
mod listener;
mod node;
mod queue;
mod reports;
mod reputation;
mod route;
mod tls_policy;

pub(super) use queue::RATE_SECONDS_MAX;

/// A table of the configuration and the keys that it may hold.
#[derive(Debug)]
pub(super) struct Scope {
    /// What the code calls it: `listener`, `listener.tls`.
    pub(super) name: &'static str,
    /// What people call it: `[[listener]]`, `tls of [[listener]]`.
    pub(super) title: &'static str,
    /// What it is for.
    pub(super) doc: &'static str,
    /// Its keys, in the order in which they are best read.
    pub(super) keys: &'static [Key],
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) default: Default,
    /// What it means, in a sentence or two of Markdown.
    pub(super) doc: &'static str,
    /// Where its meaning or default comes from: an RFC with section; may be empty.
    pub(super) source: &'static str,
}

/// What holds where a key is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Default {
    /// It must be given.
    Required,
    /// This value, written as TOML; it passes the key's own checks.
    Value(&'static str),
    /// What the words say.
    Words(&'static str),
}

/// The type of a key's value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Toggle,
    Integer {
        min: u64,
        max: u64,
    },
    Number {
        min: f64,
        max: f64,
    },
    /// `"50MiB"`, or plain bytes.
    Bytes {
        min: u64,
        max: u64,
    },
    /// `"5m"`; the range is in seconds.
    Duration {
        min: u64,
        max: u64,
    },
    Text,
    Secret,
    /// A word of ours: letters, digits, `.`, `-`, `_`.
    Name,
    HostName,
    Mailbox,
    Choice(&'static [&'static str]),
    /// A path of something that we make.
    Path,
    /// A path of a file that must be there.
    File,
    /// An address of a daemon.
    Address,
    /// A string with a form of its own, in words.
    Form(&'static str),
    /// A list of strings with a form of their own, in words.
    List(&'static str),
    /// A table with the keys of this scope.
    Table(&'static str),
    /// `true`, `false`, or a table with the keys of this scope.
    ToggleOrTable(&'static str),
    /// A list of tables with the keys of this scope.
    Tables(&'static str),
    /// A table of tables with the keys of this scope, named as the operator likes.
    NamedTables(&'static str),
}

impl Kind {
    /// The type in words, as the documentation and error messages give it.
    pub(super) fn words(&self) -> String {
        match self {
            Kind::Toggle => "`true` or `false`".to_owned(),
            Kind::Integer { .. } => "a whole number".to_owned(),
            Kind::Number { .. } => "a number".to_owned(),
            Kind::Bytes { .. } => "a size such as `\"50MiB\"`".to_owned(),
            Kind::Duration { .. } => "a duration such as `\"30s\"`".to_owned(),
            Kind::Text | Kind::Secret => "text".to_owned(),
            Kind::Name => "a name (letters, digits, `.`, `-`, `_`)".to_owned(),
            Kind::HostName => "a host name".to_owned(),
            Kind::Mailbox => "a mailbox such as `\"postmaster@example.net\"`".to_owned(),
            Kind::Choice(words) => words
                .iter()
                .map(|word| format!("`\"{word}\"`"))
                .collect::<Vec<_>>()
                .join(" or "),
            Kind::Path => "a path".to_owned(),
            Kind::File => "the path of a file".to_owned(),
            Kind::Address => "`\"HOST:PORT\"` or `\"unix:PATH\"`".to_owned(),
            Kind::Form(words) => (*words).to_owned(),
            Kind::List(words) => format!("a list of {words}"),
            Kind::Table(_) | Kind::NamedTables(_) => "a table".to_owned(),
            Kind::ToggleOrTable(_) => "`true`, `false` or a table".to_owned(),
            Kind::Tables(_) => "a list of tables".to_owned(),
        }
    }
}

impl Key {
    /// A key with a default.
    const fn new(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
        Key {
            name,
            kind,
            default: Default::Value(default),
            doc,
            source: "",
        }
    }

    /// A key that must be given.
    const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Key {
        Key {
            name,
            kind,
            default: Default::Required,
            doc,
            source: "",
        }
    }

    /// A key whose absence means what `words` say.
    const fn optional(
        name: &'static str,
        kind: Kind,
        words: &'static str,
        doc: &'static str,
    ) -> Key {
        Key {
            name,
            kind,
            default: Default::Words(words),
            doc,
            source: "",
        }
    }

    const fn from(mut self, source: &'static str) -> Key {
        self.source = source;
        self
    }
}

/// All scopes, in the order of the documentation; the first is the file itself.
pub(super) fn scopes() -> impl Iterator<Item = &'static Scope> {
    [
        node::SCOPES,
        listener::SCOPES,
        route::SCOPES,
        delivery::SCOPES,
        tls_policy::SCOPES,
        queue::SCOPES,
        reports::SCOPES,
        engine::SCOPES,
        reputation::SCOPES,
        authentication::SCOPES,
        list::SCOPES,
    ]
    .into_iter()
    .flatten()
}

/// The scope of that name.
pub(super) fn scope(name: &str) -> Option<&'static Scope> {
    scopes().find(|scope| scope.name == name)
}

impl Scope {
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

const fn integer(min: u64, max: u64) -> Kind {
    Kind::Integer { min, max }
}

const fn bytes(min: u64, max: u64) -> Kind {
    Kind::Bytes { min, max }
}

const fn duration(min: u64, max: u64) -> Kind {
    Kind::Duration { min, max }
}

#[cfg(test)]
mod tests;
