//! What conditions can ask for: the fields by name, each with its kind, its meaning and where its value comes from.
//!
//! The tables of `message`, `link` and `file` are the only place where a field is named; the list that operators see is
//! made from them.

mod file;
mod link;
mod message;

use std::borrow::Cow;

use super::{RuleFacts, Scope};
use crate::content::reading::link::Link;
use crate::content::reading::{Attached, Reading};

/// What a condition is asked of: a message, or one link or file of it.
#[derive(Clone, Copy)]
pub(super) struct Subject<'m> {
    pub(super) reading: &'m Reading,
    pub(super) facts: &'m RuleFacts,
    pub(super) link: Option<&'m Link>,
    pub(super) file: Option<&'m Attached>,
}

/// A field that holds texts; a message may have none or several.
pub(super) type Texts = for<'m> fn(&Subject<'m>) -> Vec<Cow<'m, str>>;
/// A field that holds a number, unless it cannot be known.
pub(super) type Number = fn(&Subject<'_>) -> Option<f64>;
/// A field that is true or false.
pub(super) type Flag = fn(&Subject<'_>) -> bool;

/// Where a field's value comes from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Texts(Texts),
    Number(Number),
    Flag(Flag),
}

/// A field.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) source: Source,
    pub(super) meaning: &'static str,
}

/// The field called `name` in `scope`.
pub(super) fn find(scope: Scope, name: &str) -> Option<&'static Field> {
    of(scope).iter().find(|field| field.name == name)
}

/// The fields of a scope.
pub(super) fn of(scope: Scope) -> &'static [Field] {
    match scope {
        Scope::Message => message::FIELDS,
        Scope::Link => link::FIELDS,
        Scope::File => file::FIELDS,
    }
}

const fn texts(name: &'static str, meaning: &'static str, texts: Texts) -> Field {
    Field {
        name,
        source: Source::Texts(texts),
        meaning,
    }
}

const fn number(name: &'static str, meaning: &'static str, number: Number) -> Field {
    Field {
        name,
        source: Source::Number(number),
        meaning,
    }
}

const fn flag(name: &'static str, meaning: &'static str, flag: Flag) -> Field {
    Field {
        name,
        source: Source::Flag(flag),
        meaning,
    }
}

fn maybe(text: Option<&str>) -> Vec<Cow<'_, str>> {
    text.map(Cow::Borrowed).into_iter().collect()
}

fn size(count: usize) -> Option<f64> {
    u32::try_from(count).ok().map(f64::from)
}
