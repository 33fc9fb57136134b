//! `docs/events.md`, written from the tables.
//!
//! A part is described once, behind the events, in the order in which it is first met.

use std::fmt::Write as _;

use super::{EVENTS, Field, Part, Shape};

const HEAD: &str = "\
# Events

Made from the tables in `crates/gatepost/src/event/fields.rs`; change them and run
`UPDATE_EXPECT=1 cargo test -p gatepost event`.

The decision log has one event a line, in JSON. Every line begins with

| field | value | meaning |
|---|---|---|
| `time` | time | When it happened: RFC 3339, UTC, milliseconds. |
| `event` | word | Which event: one of the sections below. |

Fields in *italics* are left out where there is nothing to say. Fields may be added in later versions; those that are
here keep their names and meanings. Subjects, bodies and passwords are in no event.
";

/// The document.
pub fn markdown() -> String {
    let mut page = String::from(HEAD);
    let mut parts: Vec<&'static Part> = Vec::new();
    for event in EVENTS {
        // Writing to a String cannot fail, here and below.
        let _ = write!(page, "\n## {}\n\n{}\n\n", event.name, event.when);
        table(event.fields, &mut page, &mut parts);
    }
    page.push_str("\n# Parts\n");
    let mut next = 0;
    while let Some(part) = parts.get(next).copied() {
        let _ = write!(page, "\n## {}\n\n{}\n\n", part.name, part.meaning);
        table(part.fields, &mut page, &mut parts);
        next += 1;
    }
    page
}

fn table(fields: &'static [Field], page: &mut String, parts: &mut Vec<&'static Part>) {
    page.push_str("| field | value | meaning |\n|---|---|---|\n");
    for field in fields {
        let emphasis = if field.always { "" } else { "*" };
        let value = describe(&field.shape, parts);
        let (name, meaning) = (field.name, field.meaning);
        let _ = writeln!(
            page,
            "| {emphasis}`{name}`{emphasis} | {value} | {meaning} |"
        );
    }
}

fn describe(shape: &'static Shape, parts: &mut Vec<&'static Part>) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Time => "time".to_owned(),
        Shape::Flag => "true or false".to_owned(),
        Shape::Number("") => "number".to_owned(),
        Shape::Number(unit) => format!("number, {unit}"),
        Shape::Word(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            words.join(", ")
        }
        Shape::Part(part) => {
            if !parts.iter().any(|known| known.name == part.name) {
                parts.push(part);
            }
            format!("[{0}](#{0})", part.name)
        }
        Shape::List(of) => format!("list of {}", describe(of, parts)),
    }
}
