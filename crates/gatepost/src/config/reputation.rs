//! `[engine.reputation]`: how long senders are remembered, from when on they are called bad, and lists in the DNS; and what a
//! route says about greylisting.

use std::time::Duration;

use scan::limits::{RECORD_BAD_SHARE, RECORD_VOLUME_MIN};
use scan::reputation::greylist::GreylistSettings;
use scan::reputation::lists::{Answers, Code, List, Subject};
use scan::reputation::rate::Allowance;
use scan::reputation::record::{Measures, RecordSettings};

use super::error::Fault;
use super::reader::Section;
use super::{queue, value};
use crate::policy::AtConnect;
use crate::relay_table::domain_key;

/// Lists at most: all are asked for each message.
const LISTS_MAX: usize = 32;

/// Codes of a list at most.
const CODES_MAX: usize = 64;

/// How long a newcomer has to come again (RFC 6647 section 5 has a day).
const GREYLIST_WINDOW: Duration = Duration::from_secs(86_400);

/// What the reputation engine goes by.
#[derive(Clone, Debug, PartialEq)]
pub struct Reputation {
    /// The record of senders.
    pub record: RecordSettings,
    /// Lists in the DNS.
    pub lists: Vec<List>,
    /// How long these are waited for.
    pub lists_deadline: Duration,
}

/// What a route has newcomers do, and how much it takes of one sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caution {
    /// Newcomers of whom nothing good is known are asked to come again.
    pub greylist: Option<GreylistSettings>,
    /// Messages of one authenticated domain in a time.
    pub rate_per_domain: Option<Allowance>,
}

impl Reputation {
    pub(super) fn read(section: &Section<'_, '_>) -> Reputation {
        let measures = Measures {
            volume_min: section
                .number_if_given("volume_min")
                .unwrap_or(RECORD_VOLUME_MIN),
            bad_share: section
                .number_if_given("bad_share")
                .unwrap_or(RECORD_BAD_SHARE),
        };
        let memory_max = usize::try_from(section.bytes("memory_max")).unwrap_or(usize::MAX);
        Reputation {
            record: RecordSettings {
                half_life: section.duration("half_life"),
                memory_max,
                measures,
            },
            lists: read_lists(section),
            lists_deadline: section.duration("lists_deadline"),
        }
    }
}

/// What the record of senders brings a client when it connects.
pub(super) fn at_connect(section: &Section<'_, '_>) -> AtConnect {
    let words = [
        ("note", AtConnect::Note),
        ("defer", AtConnect::Defer),
        ("refuse", AtConnect::Refuse),
    ];
    section.choice("reputation", &words).unwrap_or_default()
}

impl Caution {
    pub(super) fn read(section: &Section<'_, '_>) -> Caution {
        let delay = section.duration("greylist_delay");
        let greylist = section.toggle("greylist").then_some(GreylistSettings {
            delay,
            window: GREYLIST_WINDOW,
        });
        Caution {
            greylist,
            rate_per_domain: allowance(section, "rate_per_domain"),
        }
    }
}

/// A rate, if one is given.
pub(super) fn allowance(section: &Section<'_, '_>, key: &str) -> Option<Allowance> {
    let rate = section.has(key).then(|| section.form(key, queue::rate))??;
    Some(Allowance {
        count: rate.messages,
        per: rate.per,
    })
}

fn read_lists(section: &Section<'_, '_>) -> Vec<List> {
    let mut lists: Vec<List> = Vec::new();
    let tables = section.tables("lists");
    if tables.len() > LISTS_MAX {
        let fault = Fault::new(
            format!("{} lists, {LISTS_MAX} at most", tables.len()),
            "keep those that find something: each is asked for every message",
        );
        section.error("lists", fault);
    }
    for table in tables.iter().take(LISTS_MAX) {
        let Some(list) = read_list(table) else {
            continue;
        };
        if lists.iter().any(|other| other.name == list.name) {
            let fault = Fault::new(
                format!("there is another list named `{}`", list.name),
                "give each list a name of its own",
            );
            table.error("name", fault);
        }
        lists.push(list);
    }
    lists
}

fn read_list(section: &Section<'_, '_>) -> Option<List> {
    let name = section.name("name");
    let zone = section.form("zone", zone);
    let about = section.list("about", subject).into_iter();
    let mut asked_about: Vec<Subject> = Vec::new();
    for (subject, _) in about {
        if !asked_about.contains(&subject) {
            asked_about.push(subject);
        }
    }
    if section.is_empty_list("about") {
        let fault = Fault::new("`about` is empty", "add what it lists, such as \"ip\"");
        section.error("about", fault);
    }
    let codes = section.tables("codes");
    if codes.len() > CODES_MAX {
        let fault = Fault::new(
            format!("{} codes, {CODES_MAX} at most", codes.len()),
            "put several into a range such as \"127.0.0.4-127.0.0.7\"",
        );
        section.error("codes", fault);
    }
    let codes = codes.iter().take(CODES_MAX).filter_map(read_code);
    Some(List {
        codes: codes.collect(),
        weight: section.number_if_given("weight").unwrap_or(3.0),
        test_point: section.text("test_point"),
        asked_about,
        name: name?,
        zone: zone?,
    })
}

fn read_code(section: &Section<'_, '_>) -> Option<Code> {
    let answers = section.form("answers", |text| {
        text.parse::<Answers>().map_err(|error| {
            let problem = format!("`{}` names no answers of a list", text.escape_debug());
            Fault::new(problem, error.to_string())
        })
    });
    Some(Code {
        weight: section.number_if_given("weight"),
        meaning: section.text("meaning").unwrap_or_default(),
        is_refusal: section.toggle("refusal"),
        answers: answers?,
    })
}

fn zone(text: &str) -> Result<String, Fault> {
    let name = value::host_name(text)?;
    let zone = domain_key(&name).map(|domain| domain.to_string());
    Ok(zone.unwrap_or(name))
}

fn subject(text: &str) -> Result<Subject, Fault> {
    let known = Subject::ALL.into_iter();
    let mut known = known.filter(|subject| subject.word() == text);
    known.next().ok_or_else(|| {
        let words: Vec<&str> = Subject::ALL.iter().map(|subject| subject.word()).collect();
        Fault::new(
            format!(
                "`{}` is nothing that lists are asked about",
                text.escape_debug()
            ),
            format!("write one of {}", words.join(", ")),
        )
    })
}
