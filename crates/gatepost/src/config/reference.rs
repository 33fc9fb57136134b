//! `docs/configuration.md`, written from the declared keys.

use std::fmt::Write;

use super::keys::{self, Default, Key, Kind, Scope};
use super::reader::convert::{show_bytes, show_duration};
use crate::replies::PLACEHOLDERS;

const INTRODUCTION: &str = "\
# Configuration

<!-- Written by `config::reference_markdown` from the declared keys; a test keeps it so. Edit the keys, then run the
test with UPDATE_EXPECT=1. -->

One TOML file holds the whole configuration: `gatepost serve --config FILE`. `gatepost check --config FILE` reports
all that is wrong with it, with line, column and remedy; `gatepost reload` takes a changed file into use, and a file
with an error changes nothing. Unknown keys are errors. [`examples/provider.toml`](../examples/provider.toml) shows
most keys at work.

* **Sizes** are digits with `B`, `kB`, `MB`, `GB` (powers of 1000), `KiB`, `MiB`, `GiB` (powers of 1024), or plain
  bytes.
* **Durations** are digits with `ms`, `s`, `m`, `h`, `d`, from large to small (`\"1h30m\"`), or plain seconds.
* **Relative paths** start at the folder of the configuration file.
* **`\"file:PATH\"`** in a list stands for the entries of that file: one on each line, `#` starts a comment. Such files
  are read with the configuration, and again on reload.
";

/// The reference of all keys as Markdown.
pub fn reference_markdown() -> String {
    let mut out = INTRODUCTION.to_owned();
    for scope in keys::scopes() {
        write_scope(&mut out, scope);
    }
    out
}

fn write_scope(out: &mut String, scope: &Scope) {
    let title = match scope.title {
        title if title.starts_with('[') => format!("`{title}`"),
        title => title.replace("[[", "`[[").replace("]]", "]]`"),
    };
    // Writing to a String cannot fail.
    let _ = write!(out, "\n## {title}\n\n{}\n\n", scope.doc);
    if scope.name == "replies.LANGUAGE" {
        let names = PLACEHOLDERS.map(|name| format!("`{{{name}}}`")).join(", ");
        let _ = write!(
            out,
            "A text can hold {names}; what stands between `{{if NAME}}` and `{{end}}` is there only with that value, \
             what follows `{{else}}` only without it. A line feed begins another line of the reply.\n\n"
        );
    }
    out.push_str("| key | value | default | meaning |\n|---|---|---|---|\n");
    for key in scope.keys {
        let source = match key.source {
            "" => String::new(),
            source => format!(" ({source})"),
        };
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {}{source} |",
            key.name,
            value_of(key),
            default_of(key),
            key.doc
        );
    }
}

/// The type of a key with its range.
fn value_of(key: &Key) -> String {
    let range = match key.kind {
        Kind::Integer { min, max } => format!(", {min} to {max}"),
        Kind::Number { min, max } => format!(", {min} to {max}"),
        Kind::Bytes { min, max } => format!(", {} to {}", show_bytes(min), show_bytes(max)),
        Kind::Duration { min, max } => {
            let show = |seconds| show_duration(std::time::Duration::from_secs(seconds));
            format!(", {} to {}", show(min), show(max))
        }
        _ => String::new(),
    };
    let words = match key.kind {
        Kind::Bytes { .. } => "size".to_owned(),
        Kind::Duration { .. } => "duration".to_owned(),
        kind => kind.words(),
    };
    format!("{words}{range}").replace('|', "\\|")
}

fn default_of(key: &Key) -> String {
    match key.default {
        Default::Required => "**required**".to_owned(),
        Default::Value(value) => format!("`{value}`"),
        Default::Words(words) => words.to_owned(),
    }
}
