//! The DNS Tree Walk (RFC 9989 section 4.10): from a domain upwards, at most eight questions, each asked once for a message.

use std::collections::HashMap;

use net::resolver::{DnsError, Resolver};

use super::record::Record;

/// Labels from which on a name is shortened after the first question.
const SHORTENED_LABELS: usize = 8;

/// The DNS does not tell; what it was.
pub(super) struct Unknown(pub(super) String);

/// Asks for records.
pub(super) struct Walker<'r> {
    resolver: &'r Resolver,
    known: HashMap<String, Option<Record>>,
}

impl<'r> Walker<'r> {
    pub(super) fn new(resolver: &'r Resolver) -> Walker<'r> {
        Walker {
            resolver,
            known: HashMap::new(),
        }
    }

    /// The records at a domain and above, the longest name first, until one says that it is a public suffix or none.
    pub(super) async fn walk(&mut self, domain: &str) -> Result<Vec<(String, Record)>, Unknown> {
        let mut found = Vec::new();
        for name in names(domain) {
            let Some(record) = self.record(name).await? else {
                continue;
            };
            let ends = record.ends_walk();
            found.push((name.to_owned(), record));
            if ends {
                break;
            }
        }
        Ok(found)
    }

    /// Whether a domain that passes is of the author's organisation. Only such a one is asked for that is the author's, or
    /// not above or beside its organisational domain.
    pub(super) async fn is_of(
        &mut self,
        domain: &str,
        from_domain: &str,
        organization: &str,
    ) -> Result<bool, Unknown> {
        if domain == from_domain || domain == organization {
            return Ok(true);
        }
        if !is_within(domain, organization) {
            return Ok(false);
        }
        let walked = self.walk(domain).await?;
        Ok(organizational(&walked, domain) == organization)
    }

    /// Whether a domain exists: only NXDOMAIN says that it does not (section 3.2.13, RFC 8020); a name without any record that mail
    /// could use does. What the DNS does not tell is taken to exist.
    pub(super) async fn exists(&self, domain: &str) -> bool {
        let answer = self.resolver.mx_answer(domain).await;
        !matches!(answer, Err(DnsError::NoSuchName))
    }

    /// The one record of a name; of several none counts.
    async fn record(&mut self, domain: &str) -> Result<Option<Record>, Unknown> {
        if let Some(known) = self.known.get(domain) {
            return Ok(known.clone());
        }
        let name = format!("_dmarc.{domain}");
        let texts = match self.resolver.txt(&name).await {
            Ok(texts) => texts,
            Err(error) if error.is_absence() => Vec::new(),
            Err(error) => return Err(Unknown(format!("{name}: {error}"))),
        };
        let mut records = texts.iter().filter_map(|text| Record::parse(text));
        let record = records.next().filter(|_| records.next().is_none());
        self.known.insert(domain.to_owned(), record.clone());
        Ok(record)
    }
}

/// The organisational domain (section 4.10.2), from what a walk that began at `start` has found.
pub(super) fn organizational(walked: &[(String, Record)], start: &str) -> String {
    for (domain, record) in walked {
        if record.is_no_public_suffix() {
            return domain.clone();
        }
        if record.is_public_suffix() && domain != start {
            return below(domain, start).unwrap_or(start).to_owned();
        }
    }
    let shortest = walked.last();
    shortest.map_or(start, |(domain, _)| domain).to_owned()
}

/// The name one label below `domain` on the way to `start`.
fn below<'s>(domain: &str, start: &'s str) -> Option<&'s str> {
    let above = start.strip_suffix(domain)?.strip_suffix('.')?;
    let at = above.rfind('.').map_or(0, |dot| dot + 1);
    start.get(at..)
}

/// The names that are asked for.
fn names(domain: &str) -> impl Iterator<Item = &str> {
    let labels = domain.split('.').count();
    // Section 4.10 step 4: one label less, or seven.
    let skipped = if labels >= SHORTENED_LABELS {
        labels + 1 - SHORTENED_LABELS
    } else {
        1
    };
    let mut position = 0;
    let starts = domain.split('.').map(move |label| {
        let start = position;
        position += label.len() + 1;
        start
    });
    let starts = starts
        .enumerate()
        .filter(move |(index, _)| *index == 0 || *index >= skipped);
    starts.filter_map(|(_, start)| domain.get(start..))
}

/// Whether `name` is `domain` or below it.
pub(in crate::auth) fn is_within(name: &str, domain: &str) -> bool {
    let above = name.strip_suffix(domain);
    above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

#[cfg(test)]
mod tests;
