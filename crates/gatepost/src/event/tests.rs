//! Every event is described as it is written, and written as it is described.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fields::{EVENTS, Field, Shape, markdown};
use super::*;

mod authentication;
mod samples;

pub(crate) use samples::decisions;
use samples::{samples, time};

fn line(event: &Event) -> Value {
    serde_json::from_str(&event.json_line(time())).unwrap()
}

#[test]
fn a_line_begins_with_time_and_event_and_ends_with_lf() {
    let event = Event::EngineUp {
        engine: Arc::from("clamav"),
        down_seconds: 1.5,
    };
    assert_eq!(
        event.json_line(time()),
        "{\"time\":\"2026-03-01T12:00:00.250Z\",\"event\":\"engine-up\",\"engine\":\"clamav\",\"down_seconds\":1.5}\n"
    );
    for event in samples() {
        let begin = format!(
            "{{\"time\":\"2026-03-01T12:00:00.250Z\",\"event\":\"{}\"",
            event.name()
        );
        let line = event.json_line(time());
        assert!(line.starts_with(&begin), "{line}");
        assert_eq!(line.matches('\n').count(), 1, "{line}");
    }
}

#[test]
fn lines_are_appended_and_read_back() {
    let events = samples();
    let mut log = Vec::new();
    for event in &events {
        event.write_to(time(), &mut log);
    }
    let log = String::from_utf8(log).unwrap();
    assert_eq!(log.lines().count(), events.len());
    for (line, event) in log.lines().zip(events) {
        assert_eq!(Event::from_json_line(line).unwrap(), (time(), event));
    }
}

#[test]
fn every_event_has_samples_and_a_description() {
    let described: Vec<&str> = EVENTS.iter().map(|event| event.name).collect();
    let sampled: BTreeSet<&str> = samples().iter().map(Event::name).collect();
    assert_eq!(sampled, described.iter().copied().collect());
    assert_eq!(sampled.len(), described.len());
}

/// Holds a value against its description, and collects what was met.
fn compare(path: &str, value: &Value, shape: &'static Shape, met: &mut BTreeSet<String>) {
    let fits = match (shape, value) {
        (Shape::Text, Value::String(_)) | (Shape::Flag, Value::Bool(_)) => true,
        (Shape::Number(_), Value::Number(_)) => true,
        (Shape::Time, Value::String(time)) => time.parse::<jiff::Timestamp>().is_ok(),
        (Shape::Word(words), Value::String(word)) => {
            met.insert(format!("{path}={word}"));
            words.contains(&word.as_str())
        }
        (Shape::Part(part), Value::Object(_)) => {
            compare_fields(part.name, value, part.fields, met);
            true
        }
        (Shape::List(of), Value::Array(values)) => {
            for value in values {
                compare(path, value, of, met);
            }
            true
        }
        _ => false,
    };
    assert!(fits, "{path}: {value} is not as described: {shape:?}");
}

fn compare_fields(name: &str, value: &Value, fields: &'static [Field], met: &mut BTreeSet<String>) {
    let object = value.as_object().unwrap();
    for (key, value) in object {
        let path = format!("{name}.{key}");
        if ["time", "event"].contains(&key.as_str()) && EVENTS.iter().any(|it| it.name == name) {
            continue;
        }
        let field = fields.iter().find(|field| field.name == key);
        let field = field.unwrap_or_else(|| panic!("{path} is not described"));
        met.insert(path.clone());
        compare(&path, value, &field.shape, met);
    }
    for field in fields {
        let there = object.contains_key(field.name);
        assert!(there || !field.always, "{name}.{} is missing", field.name);
        if !there {
            met.insert(format!("{name}.{} left out", field.name));
        }
    }
}

/// What the description says can be met, whole words included.
fn describe(name: &str, fields: &'static [Field], all: &mut BTreeSet<String>) {
    for field in fields {
        let path = format!("{name}.{}", field.name);
        all.insert(path.clone());
        if !field.always {
            all.insert(format!("{path} left out"));
        }
        let mut shape = &field.shape;
        while let Shape::List(of) = shape {
            shape = of;
        }
        match shape {
            Shape::Word(words) => {
                all.extend(words.iter().map(|word| format!("{path}={word}")));
            }
            Shape::Part(part) => describe(part.name, part.fields, all),
            _ => {}
        }
    }
}

#[test]
fn what_is_written_is_what_is_described() {
    let mut met = BTreeSet::new();
    let mut described = BTreeSet::new();
    for event in EVENTS {
        describe(event.name, event.fields, &mut described);
        for sample in samples().iter().filter(|it| it.name() == event.name) {
            compare_fields(event.name, &line(sample), event.fields, &mut met);
        }
    }
    let unmet: Vec<&String> = described.difference(&met).collect();
    assert!(unmet.is_empty(), "described, but in no sample: {unmet:#?}");
    let unknown: Vec<&String> = met.difference(&described).collect();
    assert!(unknown.is_empty(), "met, but not described: {unknown:#?}");
}

#[test]
fn the_document_is_that_of_the_tables() {
    crate::golden::check("../../docs/events.md", &markdown());
}

#[test]
fn times_are_exact_to_the_millisecond() {
    let fine: jiff::Timestamp = "2026-03-01T12:00:00.123999999Z".parse().unwrap();
    let time = Time::from(fine);
    assert_eq!(time.to_string(), "2026-03-01T12:00:00.123Z");
    let json = serde_json::to_string(&time).unwrap();
    assert_eq!(serde_json::from_str::<Time>(&json).unwrap(), time);
    assert_eq!(time.timestamp().as_millisecond(), fine.as_millisecond());
    assert!(serde_json::from_str::<Time>("\"yesterday\"").is_err());
    let mut text = Vec::new();
    Time::from(jiff::Timestamp::UNIX_EPOCH).write_to(&mut text);
    assert_eq!(text, b"1970-01-01T00:00:00.000Z");
}
