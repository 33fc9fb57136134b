//! From a TOML value to the type that its key is declared with, within the declared range.

use std::fmt::Display;
use std::time::Duration;

use toml::de::{DeArray, DeValue};

use super::super::error::Fault;
use super::super::keys::{Key, Kind};
use super::super::{suggest, value};

pub(super) fn toggle(key: &Key, value: &DeValue<'_>) -> Result<bool, Fault> {
    value.as_bool().ok_or_else(|| wrong_type(key, value))
}

pub(super) fn integer(key: &Key, value: &DeValue<'_>) -> Result<u64, Fault> {
    let number = whole_number(key, value)?;
    match key.kind {
        Kind::Integer { min, max } => in_range(key, number, min, max, |number| number.to_string()),
        _ => Ok(number),
    }
}

pub(super) fn number(key: &Key, value: &DeValue<'_>) -> Result<f64, Fault> {
    let text = match value {
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
        _ => return Err(wrong_type(key, value)),
    };
    let number: f64 = text.parse().map_err(|_| wrong_type(key, value))?;
    match key.kind {
        // Written so that NaN is out of range too.
        Kind::Number { min, max } if !(min..=max).contains(&number) => {
            Err(out_of_range(key, number, min, max))
        }
        _ => Ok(number),
    }
}

pub(super) fn bytes(key: &Key, value: &DeValue<'_>) -> Result<u64, Fault> {
    let number = match value {
        DeValue::String(text) => value::bytes(text)?,
        _ => whole_number(key, value)?,
    };
    match key.kind {
        Kind::Bytes { min, max } => in_range(key, number, min, max, show_bytes),
        _ => Ok(number),
    }
}

pub(super) fn duration(key: &Key, value: &DeValue<'_>) -> Result<Duration, Fault> {
    let duration = match value {
        DeValue::String(text) => value::duration(text)?,
        _ => Duration::from_secs(whole_number(key, value)?),
    };
    match key.kind {
        Kind::Duration { min, max } => in_range(
            key,
            duration,
            Duration::from_secs(min),
            Duration::from_secs(max),
            show_duration,
        ),
        _ => Ok(duration),
    }
}

pub(super) fn string<'v>(key: &Key, value: &'v DeValue<'_>) -> Result<&'v str, Fault> {
    value.as_str().ok_or_else(|| wrong_type(key, value))
}

pub(super) fn choice(key: &Key, value: &DeValue<'_>) -> Result<&'static str, Fault> {
    let word = string(key, value)?;
    let Kind::Choice(words) = key.kind else {
        return Err(wrong_type(key, value));
    };
    if let Some(word) = words.iter().find(|&&known| known == word) {
        return Ok(word);
    }
    let shown: String = word.chars().take(64).collect();
    let message = format!(
        "`{}` must be {}, not \"{}\"",
        key.name,
        key.kind.words(),
        shown.escape_debug()
    );
    let remedy = match (suggest::nearest(word, words.iter().copied()), words) {
        (Some(meant), _) => format!("write \"{meant}\""),
        (None, [only]) => format!("write \"{only}\", the only value yet"),
        (None, _) => "write one of them".to_owned(),
    };
    Err(Fault::new(message, remedy))
}

pub(super) fn array<'v, 't>(key: &Key, value: &'v DeValue<'t>) -> Result<&'v DeArray<'t>, Fault> {
    if let DeValue::String(text) = value {
        let shown: String = text.chars().take(64).collect();
        return Err(Fault::new(
            format!("`{}` must be {}, not a string", key.name, key.kind.words()),
            format!(
                "put it in brackets: `{} = [\"{}\"]`",
                key.name,
                shown.escape_debug()
            ),
        ));
    }
    value.as_array().ok_or_else(|| wrong_type(key, value))
}

/// An entry of a list of strings.
pub(super) fn entry<'v>(key: &Key, value: &'v DeValue<'_>) -> Result<&'v str, Fault> {
    value.as_str().ok_or_else(|| {
        Fault::new(
            format!(
                "an entry of `{}` must be a string, not {}",
                key.name,
                article(value)
            ),
            "put it in quotes",
        )
    })
}

pub(super) fn wrong_type(key: &Key, value: &DeValue<'_>) -> Fault {
    let words = key.kind.words();
    let remedy = match (value, key.kind) {
        (DeValue::String(text), Kind::Toggle) if matches!(&**text, "true" | "false") => {
            format!("write `{} = {text}` without quotes", key.name)
        }
        (DeValue::String(text), Kind::Integer { .. } | Kind::Number { .. })
            if text.len() <= 32 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') =>
        {
            format!("write `{} = {text}` without quotes", key.name)
        }
        (DeValue::Boolean(_) | DeValue::Integer(_), kind) if kind.words().contains('"') => {
            "write it in quotes, as in the example".to_owned()
        }
        _ => format!("write {words}"),
    };
    Fault::new(
        format!("`{}` must be {words}, not {}", key.name, article(value)),
        remedy,
    )
}

pub(super) fn not_a_table(name: &str, value: &DeValue<'_>) -> Fault {
    Fault::new(
        format!("`{name}` must be a table, not {}", article(value)),
        format!("write `{name} = {{ key = value }}`, or a header of its own"),
    )
}

/// The type of a value with its article.
pub(super) fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn whole_number(key: &Key, value: &DeValue<'_>) -> Result<u64, Fault> {
    let DeValue::Integer(number) = value else {
        return Err(wrong_type(key, value));
    };
    u64::from_str_radix(number.as_str(), number.radix()).map_err(|_| {
        let remedy = match key.kind {
            Kind::Integer { min, max } => format!("write a value from {min} to {max}"),
            kind => format!("write {}", kind.words()),
        };
        Fault::new(
            format!(
                "`{}` is {number}, which is below 0 or far too large",
                key.name
            ),
            remedy,
        )
    })
}

fn in_range<T: PartialOrd + Copy>(
    key: &Key,
    value: T,
    min: T,
    max: T,
    show: impl Fn(T) -> String,
) -> Result<T, Fault> {
    if (min..=max).contains(&value) {
        return Ok(value);
    }
    Err(out_of_range(key, show(value), show(min), show(max)))
}

fn out_of_range<T: Display>(key: &Key, value: T, min: T, max: T) -> Fault {
    Fault::new(
        format!(
            "`{}` is {value}, which is not within {min} to {max}",
            key.name
        ),
        format!("write a value from {min} to {max}"),
    )
}

/// The size in the largest unit that leaves no rest.
pub(crate) fn show_bytes(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units
        .iter()
        .find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    match unit {
        Some((unit, name)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

/// The duration in the largest unit that leaves no rest.
pub(crate) fn show_duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1000, "s"),
    ];
    let unit = units
        .iter()
        .find(|(unit, _)| milliseconds >= *unit && milliseconds.is_multiple_of(*unit));
    match unit {
        Some((unit, name)) => format!("{}{name}", milliseconds / unit),
        None if milliseconds == 0 => "0s".to_owned(),
        None => format!("{milliseconds}ms"),
    }
}
