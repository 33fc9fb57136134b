//! Keys that a table should not hold, and keys that it must.

use super::super::error::Fault;
use super::super::keys::{self, Key, Kind, Scope};
use super::super::suggest;

pub(super) fn unknown_key(scope: &Scope, name: &str) -> Fault {
    let shown: String = name.chars().take(64).collect();
    let what = if scope.name.is_empty() {
        "table"
    } else {
        "key"
    };
    let message = format!(
        "unknown {what} `{}` in {}",
        shown.escape_debug(),
        scope.title
    );
    let names = || scope.keys.iter().map(|key| key.name);
    if let Some(meant) = suggest::nearest(name, names()) {
        return Fault::new(
            format!("{message}; did you mean `{meant}`?"),
            format!("write `{meant}`, or remove it"),
        );
    }
    let elsewhere =
        keys::scopes().find(|other| !other.name.contains('.') && other.key(name).is_some());
    let remedy = match elsewhere {
        Some(other) => format!("move it: `{name}` is a key of {}", other.title),
        None if scope.keys.len() <= 12 => {
            let names: Vec<String> = names().map(|name| format!("`{name}`")).collect();
            format!("remove it; the keys here are {}", names.join(", "))
        }
        None => "remove it; docs/configuration.md lists the keys".to_owned(),
    };
    Fault::new(message, remedy)
}

pub(super) fn missing_key(scope: &Scope, key: &Key) -> Fault {
    let remedy = match key.kind {
        Kind::Table(_) => format!("add a table `[{}]`", key.name),
        Kind::Tables(_) if scope.name.is_empty() => format!("add a table `[[{}]]`", key.name),
        _ => format!("add `{} = ...`: {}", key.name, key.kind.words()),
    };
    Fault::new(
        format!("`{}` is missing in {}", key.name, scope.title),
        remedy,
    )
}
