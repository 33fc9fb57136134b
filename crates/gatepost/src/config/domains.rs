//! The domains of all routes, checked and gathered into one map; one domain belongs to one route.

use super::error::{Fault, Span};
use super::files;
use super::reader::Section;
use crate::relay_table::{DomainMap, InsertError, RelayTable, domain_key};

/// The domains that have been read so far.
#[derive(Debug, Default)]
pub(super) struct Domains {
    map: DomainMap,
    /// Where each route stands.
    origins: Vec<String>,
}

impl Domains {
    /// Reads `domains` of the next route, which stands at `origin`; gives the entries as they are written.
    pub(super) fn read(&mut self, section: &Section<'_, '_>, origin: &str) -> Vec<String> {
        self.origins.push(origin.to_owned());
        let entries = section.list("domains", |text| Ok(text.to_owned()));
        for (entry, span) in &entries {
            self.read_entry(section, entry, span);
        }
        if section.is_empty_list("domains") {
            let fault = Fault::new(
                "`domains` holds no domain",
                "add the domains that this route is for, or remove the route",
            );
            section.error("domains", fault);
        }
        entries.into_iter().map(|(entry, _)| entry).collect()
    }

    /// All of them, for look-ups.
    pub(super) fn into_map(mut self) -> DomainMap {
        self.map.shrink();
        self.map
    }

    fn read_entry(&mut self, section: &Section<'_, '_>, entry: &str, span: &Span) {
        match entry.strip_prefix("file:") {
            Some(path) => {
                files::read_list(section, "domains", span, path, |entry| match entry {
                    // Lists of domains are often made by programs: none of them may open the node to all the world.
                    RelayTable::REST => Err(Fault::new(
                        "`*` stands for every domain, and only in the configuration itself",
                        "remove it here, and write `domains = [\"*\"]` in a route",
                    )),
                    _ => self.insert(entry),
                });
            }
            None => {
                if let Err(fault) = self.insert(entry) {
                    section.error_at(span.clone(), "domains", fault);
                }
            }
        }
    }

    /// Puts a domain in; once more for the same route is no error.
    fn insert(&mut self, entry: &str) -> Result<(), Fault> {
        let key = entry_key(entry)?;
        let route = self.origins.len().saturating_sub(1);
        let number = u32::try_from(route).map_err(|_| too_many())?;
        match self.map.insert(&key, number) {
            Ok(()) => Ok(()),
            Err(InsertError::Taken(other)) if other == number => Ok(()),
            Err(InsertError::Taken(other)) => {
                let origin = self.origins.get(other as usize).map_or("", String::as_str);
                Err(Fault::new(
                    format!("`{entry}` belongs to another route already, at {origin}"),
                    "leave it in one of the two",
                ))
            }
            Err(InsertError::TooLarge) => Err(too_many()),
        }
    }
}

/// The key of an entry of `domains`; that of a wildcard starts with a dot.
fn entry_key(entry: &str) -> Result<String, Fault> {
    let shown = || {
        entry
            .chars()
            .take(80)
            .collect::<String>()
            .escape_debug()
            .to_string()
    };
    // Not a domain, so that no look-up of one finds it: `RelayTable::route_for_rest` does, for clients that may relay.
    if entry == RelayTable::REST {
        return Ok(entry.to_owned());
    }
    let (dot, name) = match entry.strip_prefix("*.") {
        Some(name) => (".", name),
        None => ("", entry),
    };
    let wildcard_literal = !dot.is_empty() && name.starts_with('[');
    match domain_key(name) {
        Some(key) if !wildcard_literal && name.parse::<std::net::IpAddr>().is_err() => Ok(format!("{dot}{key}")),
        _ => Err(Fault::new(
            format!("`{}` is not a domain", shown()),
            match name.parse::<std::net::IpAddr>() {
                Ok(std::net::IpAddr::V4(ip)) => format!("write an address literal: \"[{ip}]\""),
                Ok(std::net::IpAddr::V6(ip)) => format!("write an address literal: \"[IPv6:{ip}]\""),
                Err(_) => "write a name such as \"example.org\", \"*.example.org\" for all below it, or \"[192.0.2.1]\""
                    .to_owned(),
            },
        )),
    }
}

fn too_many() -> Fault {
    Fault::new(
        "there are more domains than fit into memory",
        "remove some, or spread them over several nodes",
    )
}
