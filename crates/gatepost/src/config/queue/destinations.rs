//! `[[destination]]`: what holds towards certain recipient domains and servers, whatever the route says.

use std::collections::HashMap;
use std::ops::Deref;

use super::{Rate, TABLES_MAX, ordered, pattern, rate};
use crate::config::NexthopTls;
use crate::config::error::Fault;
use crate::config::reader::Section;
use crate::relay_table::{domain_key, domain_rules};

/// All of them, found by name in a time that does not depend on how many there are.
#[derive(Clone, Debug, Default)]
pub struct Destinations {
    all: Vec<Destination>,
    /// The first table that has this key; those of wildcards start with a dot.
    by_key: HashMap<String, usize>,
}

/// `[[destination]]`: what holds towards certain destinations, whatever the route says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The first entry, for people and for the names of limits.
    pub name: String,
    /// Connections at one time.
    pub connections_max: Option<u32>,
    /// Connections at first.
    pub connections_first: Option<u32>,
    /// Messages over one connection.
    pub messages_per_connection: Option<u32>,
    /// Messages in a time.
    pub rate: Option<Rate>,
    /// TLS.
    pub tls: Option<NexthopTls>,
}

impl Destinations {
    pub(in crate::config) fn read(file: &Section<'_, '_>) -> Destinations {
        let mut destinations = Destinations::default();
        let sections = file.tables("destination");
        for (destination, keys) in sections
            .iter()
            .take(TABLES_MAX)
            .filter_map(Destination::read)
        {
            let place = destinations.all.len();
            for key in keys {
                destinations.by_key.entry(key).or_insert(place);
            }
            destinations.all.push(destination);
        }
        destinations
    }

    /// The first in the file that covers one of these domains or hosts.
    pub fn covering<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Option<&Destination> {
        if self.by_key.is_empty() {
            return None;
        }
        let place_of = |name: &str| {
            let key = domain_key(name)?;
            domain_rules(&key)
                .filter_map(|rule| self.by_key.get(rule).copied())
                .min()
        };
        self.all.get(names.into_iter().filter_map(place_of).min()?)
    }
}

impl Deref for Destinations {
    type Target = [Destination];

    fn deref(&self) -> &[Destination] {
        &self.all
    }
}

impl Destination {
    /// The table, and the keys of its entries.
    fn read(section: &Section<'_, '_>) -> Option<(Destination, Vec<String>)> {
        let tls = [
            ("off", NexthopTls::Off),
            ("opportunistic", NexthopTls::Opportunistic),
            ("require", NexthopTls::Require),
        ];
        let entries = section.list("match", |text| {
            pattern(text).map(|key| (text.to_owned(), key))
        });
        if section.is_empty_list("match") {
            let fault = Fault::new(
                "`match` holds no destination",
                "add a domain or host, such as \"example.org\" or \"*.mx.example.net\"",
            );
            section.error("match", fault);
        }
        let destination = Destination {
            name: entries
                .first()
                .map(|((text, _), _)| text.clone())
                .unwrap_or_default(),
            connections_max: section.integer_if_given("connections_max"),
            connections_first: section.integer_if_given("connections_first"),
            messages_per_connection: section.integer_if_given("messages_per_connection"),
            rate: section.form("rate", rate),
            tls: section.choice("tls", &tls),
        };
        if let (Some(first), Some(max)) =
            (destination.connections_first, destination.connections_max)
        {
            ordered(section, "connections_first", first <= max);
        }
        let keys = entries.into_iter().map(|((_, key), _)| key).collect();
        (!destination.name.is_empty()).then_some((destination, keys))
    }
}
