//! Rule files: TOML with `[[rule]]` for rules and `[change.SYMBOL]` for what an operator changes in those of earlier
//! files. All errors of a file are told at once, each with its line, its column and what to do.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::parse::{self, Condition};

/// Rules of all files together.
pub const RULES_MAX: usize = 5_000;

/// Errors that are told of one file.
const ERRORS_MAX: usize = 50;

/// The farthest from zero that a weight may be.
pub const WEIGHT_MAX: f32 = 100.0;

/// Something wrong in a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RuleError {
            file,
            line,
            column,
            message,
            remedy,
        } = self;
        write!(f, "{file}:{line}:{column}: {message}; {remedy}")
    }
}

/// A rule as a file gives it.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) symbol: String,
    pub(super) weight: f32,
    pub(super) description: String,
    pub(super) is_enabled: bool,
    pub(super) text: String,
    pub(super) when: Condition,
    pub(super) place: Place,
}

/// What a file changes in a rule of an earlier one.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) symbol: String,
    pub(super) weight: Option<f32>,
    pub(super) is_enabled: Option<bool>,
    pub(super) place: Place,
}

/// Where something stands: in the file, in bytes. `condition` is where the text of the condition begins.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) symbol: usize,
    pub(super) condition: usize,
}

/// A rule file that is being read.
pub(super) struct File<'t> {
    pub(super) name: &'t str,
    text: &'t str,
    pub(super) rules: Vec<Given>,
    pub(super) changes: Vec<Change>,
    pub(super) errors: Vec<RuleError>,
}

impl<'t> File<'t> {
    /// Reads `text`, the content of the file `name`.
    pub(super) fn read(name: &'t str, text: &'t str) -> File<'t> {
        let mut file = File {
            name,
            text,
            rules: Vec::new(),
            changes: Vec::new(),
            errors: Vec::new(),
        };
        let table = match DeTable::parse(text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                let remedy = "write TOML: `key = value` lines under `[[rule]]`, texts in quotes";
                file.error(at, error.message(), remedy);
                return file;
            }
        };
        for (key, value) in &table {
            let at = key.span().start;
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("rule", DeValue::Array(rules)) => rules.iter().for_each(|rule| file.rule(rule)),
                ("change", DeValue::Table(changes)) => {
                    for (symbol, change) in changes {
                        file.change(symbol.get_ref(), symbol.span().start, change);
                    }
                }
                (other, _) => {
                    let message = format!("`{other}` means nothing here");
                    file.error(
                        at,
                        message,
                        "a rule file has `[[rule]]` and `[change.SYMBOL]` only",
                    );
                }
            }
        }
        file
    }

    /// Notes an error at this byte of the file.
    pub(super) fn error(
        &mut self,
        at: usize,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.errors.len() >= ERRORS_MAX {
            return;
        }
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        self.errors.push(RuleError {
            file: self.name.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before
                .get(line_start..)
                .map_or(1, |line| line.chars().count() + 1),
            message: message.into(),
            remedy: remedy.into(),
        });
    }

    fn rule(&mut self, value: &Spanned<DeValue<'_>>) {
        let at = value.span().start;
        let DeValue::Table(table) = value.get_ref() else {
            return self.error(at, "a rule is a table", "write `[[rule]]`");
        };
        self.known(
            table,
            &["symbol", "weight", "description", "when", "enabled"],
        );
        let symbol = self.text_of(table, "symbol", at);
        let description = self.text_of(table, "description", at);
        let when = self.text_of(table, "when", at);
        let weight = self.weight(table);
        let is_enabled = self.toggle(table, "enabled").unwrap_or(true);
        let (Some((symbol, symbol_span)), Some((description, _)), Some((text, span))) =
            (symbol, description, when)
        else {
            return;
        };
        if !parse::is_symbol(&symbol) {
            let message = format!("`{symbol}` is no symbol");
            self.error(
                symbol_span.start,
                message,
                "write capitals, digits and underscores, a capital first",
            );
        }
        let condition = self.condition_start(&text, &span);
        match parse::parse(&text) {
            Ok(when) => self.rules.push(Given {
                symbol,
                weight: weight.unwrap_or(0.0),
                description,
                is_enabled,
                text,
                when,
                place: Place {
                    symbol: symbol_span.start,
                    condition,
                },
            }),
            Err(fault) => self.error(condition + fault.at, fault.message, fault.remedy),
        }
    }

    /// Where the text of a value begins, behind its quotation marks. Escapes shift what follows them; conditions are
    /// written in single quotes, which have none.
    fn condition_start(&self, text: &str, span: &Range<usize>) -> usize {
        let raw = self.text.get(span.clone()).unwrap_or_default();
        span.start + raw.find(text).unwrap_or(1)
    }

    fn change(&mut self, symbol: &str, at: usize, value: &Spanned<DeValue<'_>>) {
        let DeValue::Table(table) = value.get_ref() else {
            return self.error(
                at,
                "a change is a table",
                "write `[change.SYMBOL]` with `enabled` or `weight`",
            );
        };
        self.known(table, &["weight", "enabled"]);
        let change = Change {
            symbol: symbol.to_owned(),
            weight: self.weight(table),
            is_enabled: self.toggle(table, "enabled"),
            place: Place {
                symbol: at,
                condition: at,
            },
        };
        self.changes.push(change);
    }

    fn known(&mut self, table: &DeTable<'_>, keys: &[&str]) {
        for (key, _) in table {
            if !keys.contains(&key.get_ref().as_ref()) {
                let message = format!("`{}` means nothing here", key.get_ref());
                self.error(
                    key.span().start,
                    message,
                    format!("there is: {}", keys.join(", ")),
                );
            }
        }
    }

    fn text_of(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        at: usize,
    ) -> Option<(String, Range<usize>)> {
        match table.get(key).map(|value| (value.get_ref(), value.span())) {
            Some((DeValue::String(text), span)) if !text.trim().is_empty() => {
                Some((text.to_string(), span))
            }
            Some((_, span)) => {
                self.error(
                    span.start,
                    format!("`{key}` is no text"),
                    format!("write `{key} = '...'`"),
                );
                None
            }
            None => {
                self.error(
                    at,
                    format!("the rule has no `{key}`"),
                    format!("add `{key} = '...'`"),
                );
                None
            }
        }
    }

    fn toggle(&mut self, table: &DeTable<'_>, key: &str) -> Option<bool> {
        match table.get(key).map(|value| (value.get_ref(), value.span())) {
            Some((DeValue::Boolean(toggle), _)) => Some(*toggle),
            Some((_, span)) => {
                self.error(
                    span.start,
                    format!("`{key}` is neither true nor false"),
                    "write true or false",
                );
                None
            }
            None => None,
        }
    }

    fn weight(&mut self, table: &DeTable<'_>) -> Option<f32> {
        let value = table.get("weight")?;
        let weight = match value.get_ref() {
            DeValue::Integer(number) => number.as_str().parse::<f32>().ok(),
            DeValue::Float(number) => number.as_str().parse::<f32>().ok(),
            _ => None,
        };
        let weight = weight.filter(|weight| weight.abs() <= WEIGHT_MAX);
        if weight.is_none() {
            let remedy = format!("write a number from -{WEIGHT_MAX} to {WEIGHT_MAX}, such as 1.5");
            self.error(value.span().start, "this is no weight", remedy);
        }
        weight
    }
}
