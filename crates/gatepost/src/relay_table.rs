//! The relay table: which route a recipient domain takes.
//!
//! The exact name wins, then the longest wildcard. A look-up hashes each suffix of the name once, so its cost is
//! bounded by the number of labels, whatever the size of the table. What a route says is `config::Route`.

use std::borrow::Cow;
use std::sync::Arc;

use smtp::Domain;

use crate::config::{Config, Route};

mod domain_key;
mod domain_map;
mod known_recipients;

pub use domain_key::domain_key;
pub use domain_map::{DomainMap, InsertError};
pub use known_recipients::KnownRecipients;

#[cfg(test)]
mod tests;

/// Routes by recipient domain: an immutable snapshot that belongs to a [`Config`].
#[derive(Clone, Debug)]
pub struct RelayTable {
    routes: Vec<Arc<Route>>,
    domains: Arc<DomainMap>,
}

/// Which rule led to a route.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteMatch<'t> {
    /// The route.
    pub route: &'t Arc<Route>,
    /// The domain as it was looked up: lower-case A-labels.
    pub domain: String,
    /// The entry of the table that matched: `example.org` or `*.example.org`.
    pub rule: String,
    /// How many entries were looked for until it was found.
    pub probes: usize,
}

impl RelayTable {
    /// The entry that stands for every domain that no route has.
    pub const REST: &str = "*";

    /// The relay table of this configuration; shares its memory.
    pub fn new(config: &Config) -> RelayTable {
        RelayTable {
            routes: config.routes.clone(),
            domains: Arc::clone(&config.domains),
        }
    }

    /// The route of this recipient domain; `None` if we do not relay for it.
    pub fn route_for(&self, domain: &Domain) -> Option<&Arc<Route>> {
        self.route_for_text(&text_of(domain))
    }

    /// The same for a domain in text form, U-labels or A-labels.
    pub fn route_for_text(&self, domain: &str) -> Option<&Arc<Route>> {
        let key = domain_key(domain)?;
        let number = domain_rules(&key).find_map(|rule| self.domains.find(rule))?;
        self.routes.get(number as usize)
    }

    /// The route of all domains that [`route_for`](RelayTable::route_for) finds none for: only for clients that may relay.
    pub fn route_for_rest(&self) -> Option<&Arc<Route>> {
        let number = self.domains.find(RelayTable::REST)?;
        self.routes.get(number as usize)
    }

    /// The route of this recipient domain, and why.
    pub fn explain_route(&self, domain: &Domain) -> Option<RouteMatch<'_>> {
        let text = text_of(domain);
        let key = domain_key(&text)?;
        let (probes, rule, number) = domain_rules(&key)
            .enumerate()
            .find_map(|(at, rule)| Some((at + 1, rule, self.domains.find(rule)?)))?;
        Some(RouteMatch {
            route: self.routes.get(number as usize)?,
            domain: key.clone().into_owned(),
            rule: match rule.strip_prefix('.') {
                Some(base) => format!("*.{base}"),
                None => rule.to_owned(),
            },
            probes,
        })
    }

    /// The route of all other domains for this one, which [`explain_route`](RelayTable::explain_route) has none for.
    pub fn explain_rest(&self, domain: &Domain) -> Option<RouteMatch<'_>> {
        let text = text_of(domain);
        let key = domain_key(&text)?;
        Some(RouteMatch {
            route: self.route_for_rest()?,
            probes: domain_rules(&key).count() + 1,
            domain: key.into_owned(),
            rule: RelayTable::REST.to_owned(),
        })
    }

    /// All routes, in the order of the configuration.
    pub fn routes(&self) -> &[Arc<Route>] {
        &self.routes
    }

    /// How many domains and wildcards the table holds.
    pub fn domains_len(&self) -> usize {
        self.domains.len()
    }
}

fn text_of(domain: &Domain) -> Cow<'_, str> {
    match domain {
        Domain::Name(name) => Cow::Borrowed(name),
        literal => Cow::Owned(literal.to_string()),
    }
}

/// The keys that cover a domain, most specific first: itself, then `.suffix` for each suffix, as wildcards are kept.
pub(crate) fn domain_rules(key: &str) -> impl Iterator<Item = &str> {
    // An address literal has dots, but no parts.
    let dotted = if key.starts_with('[') { "" } else { key };
    let wildcards = memchr::memchr_iter(b'.', dotted.as_bytes()).filter_map(|dot| key.get(dot..));
    std::iter::once(key).chain(wildcards)
}
