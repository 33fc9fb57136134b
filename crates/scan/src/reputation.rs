//! The engine that knows senders by their past: what lists in the DNS say of them (`lists`), and what came from them before
//! (`record`). `greylist` has newcomers come again, `rate` counts what comes in a time.
//!
//! It gives points and a class, as every engine does; what is refused is decided by the policy. It is never *unavailable*:
//! a list that is silent is told, and the record is always at hand.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use smtp::{Domain, ReversePath};
use tokio::time::timeout;

use crate::auth::facts::{Authentication, SpfResult};
use crate::compute::off_session;
use crate::content::reading::link::registrable;
use crate::engine::Engine;
use crate::finding::{Finding, Score, SpamClass, Symbol, Unavailable, UnavailableCause};
use crate::limits::{DETAIL_BYTES_MAX, LIST_DOMAINS_MAX, SYMBOLS_MAX};
use crate::printable::printable;
use crate::specimen::Specimen;

mod clock;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
pub mod greylist;
pub mod lists;
mod origin;
pub mod rate;
pub mod record;

pub use clock::seconds_now;

use lists::{About, Lists, Round, Subject};
use record::{Class, Opinion, Record, Sender};

/// Points from which a message is likely spam by the past of its sender alone.
pub const LIKELY_POINTS: f32 = 5.0;

/// How long the engine waits for the facts of sender authentication, unless its own deadline allows less.
const AUTHENTICATION_WAIT_MAX: Duration = Duration::from_secs(8);

/// Messages up to this size are searched for links at once rather than on a thread for long work, in bytes.
const INLINE_BYTES_MAX: usize = 64 * 1024;

/// Between whoever is listed and the list.
const LISTED_BY: &str = " is listed by ";

/// The same where the list is of those to be trusted.
const TRUSTED_BY: &str = " is trusted by ";

/// What the engine is told.
#[derive(Clone, Debug)]
pub struct ReputationSettings {
    /// Its name, as in the configuration.
    pub name: String,
    /// What is known of senders.
    pub record: Arc<Record>,
    /// Lists in the DNS.
    pub lists: Lists,
    /// How long these are waited for.
    pub lists_deadline: Duration,
    /// When the engine has to have answered: it waits for less, so that it always does.
    pub deadline: Duration,
}

/// The engine.
pub struct Reputation {
    settings: ReputationSettings,
}

impl Reputation {
    /// With these settings.
    pub fn new(settings: ReputationSettings) -> Reputation {
        Reputation { settings }
    }

    async fn rate(&self, specimen: &Arc<Specimen>) -> Result<Finding, Unavailable> {
        let settings = &self.settings;
        let about = self.about(specimen).await?;
        let lists_deadline = settings.lists_deadline.min(settings.deadline / 3);
        let authentication_wait = AUTHENTICATION_WAIT_MAX.min(settings.deadline / 2);
        let (round, authentication) = tokio::join!(
            settings.lists.ask(&about, lists_deadline),
            timeout(authentication_wait, specimen.authentication.wait()),
        );
        let authentication = authentication.ok().cloned();
        let domains = domains(authentication.as_deref());
        let sender = Sender {
            ip: specimen.client_ip,
            helo: &specimen.helo,
            helo_is_proven: helo_is_proven(
                &specimen.helo,
                specimen.client_name.as_deref(),
                authentication.as_deref(),
            ),
            domains: &domains,
        };
        let opinion = settings.record.sender(&sender, seconds_now());
        Ok(finding(&settings.name, &opinion, &round))
    }

    /// What the lists are asked about: links only if a list wants them, for finding them takes time.
    async fn about(&self, specimen: &Arc<Specimen>) -> Result<About, Unavailable> {
        let lists = &self.settings.lists;
        let reverse_path = match &specimen.reverse_path {
            ReversePath::Null => None,
            ReversePath::Mailbox(mailbox) => match &mailbox.domain {
                Domain::Name(name) => Some(name.as_str().to_owned()),
                Domain::Literal(_) | Domain::GeneralLiteral(_) => None,
            },
        };
        Ok(About {
            ip: Some(specimen.client_ip),
            helo: specimen.helo.clone(),
            reverse_path,
            from: match lists.want(Subject::From) {
                true => author_domains(specimen),
                false => Vec::new(),
            },
            links: match lists.want(Subject::Url) {
                true => linked_hosts(specimen).await?,
                false => Vec::new(),
            },
        })
    }
}

impl Engine for Reputation {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn examine(&self, specimen: Arc<Specimen>) -> BoxFuture<'_, Result<Finding, Unavailable>> {
        Box::pin(async move { self.rate(&specimen).await })
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, Unavailable>> {
        Box::pin(async move {
            let lists = &self.settings.lists;
            if lists.is_empty() {
                return Ok("its own record of senders, no lists".to_owned());
            }
            let health = lists.try_all(self.settings.lists_deadline).await;
            let mut troubles = String::new();
            let mut caveats = String::new();
            for (name, health) in &health {
                let out = match health {
                    lists::ListHealth::LeftOut { why } => Some((&mut troubles, why)),
                    lists::ListHealth::Serving { caveat: Some(why) } => Some((&mut caveats, why)),
                    _ => None,
                };
                if let Some((out, why)) = out {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "; list {name} {why}");
                }
            }
            if troubles.is_empty() {
                let count = health.len();
                Ok(format!("its own record of senders, {count} lists{caveats}"))
            } else {
                let detail = format!("{}{caveats}", troubles.trim_start_matches("; "));
                Err(Unavailable::new(UnavailableCause::Refused, detail))
            }
        })
    }
}

/// The domains that answer for a message, by what was registered: `example.co.uk` for `mail.example.co.uk`; each once.
pub fn domains(authentication: Option<&Authentication>) -> Vec<String> {
    let domains = authentication
        .into_iter()
        .flat_map(Authentication::authenticated_domains);
    let mut registered: Vec<String> = domains.filter_map(registrable).collect();
    registered.sort_unstable();
    registered.dedup();
    registered
}

/// Who of a message is listed as a source of spam, and by which lists, for its sender: `192.0.2.7 (bl, other)`. Nothing of a
/// finding of any other engine.
pub fn listed(finding: &Finding) -> Option<String> {
    let told = finding
        .reason
        .split("; ")
        .filter_map(|part| part.split_once(LISTED_BY));
    let listings: Vec<(&str, &str)> = told.collect();
    (!listings.is_empty()).then(|| lists::gathered(&listings))
}

/// Whether the name given with EHLO is the client's own: its confirmed reverse name is the same or below the same domain, or
/// SPF says so of that name.
pub fn helo_is_proven(
    helo: &str,
    client_name: Option<&str>,
    authentication: Option<&Authentication>,
) -> bool {
    let helo = helo.trim_end_matches('.');
    let is_name = client_name.is_some_and(|name| name.eq_ignore_ascii_case(helo));
    let spf = authentication.and_then(|facts| facts.spf_helo.as_ref());
    is_name
        || spf.is_some_and(|fact| {
            fact.result == SpfResult::Pass && fact.domain.eq_ignore_ascii_case(helo)
        })
}

fn author_domains(specimen: &Specimen) -> Vec<String> {
    let authors = specimen.message.view().authors().iter();
    let domains = authors.filter_map(|author| {
        let (_, domain) = author.address.as_deref()?.rsplit_once('@')?;
        Some(domain.trim().to_owned())
    });
    domains.collect()
}

/// The hosts that the message links to, each once. Reading a long message takes a while: sessions do not wait for that.
async fn linked_hosts(specimen: &Arc<Specimen>) -> Result<Vec<String>, Unavailable> {
    if specimen.message.bytes().len() > INLINE_BYTES_MAX {
        let read = Arc::clone(specimen);
        off_session(move || {
            read.message.reading();
        })
        .await?;
    }
    let mut hosts: Vec<String> = Vec::new();
    for link in specimen.message.reading().links() {
        if hosts.len() >= LIST_DOMAINS_MAX {
            break;
        }
        if let Some(host) = &link.host
            && !hosts.contains(host)
        {
            hosts.push(host.clone());
        }
    }
    Ok(hosts)
}

/// What record and lists come to.
fn finding(engine: &str, opinion: &Opinion, round: &Round) -> Finding {
    let points = opinion.points + round.points();
    let spam = if points >= LIKELY_POINTS {
        SpamClass::Bulk
    } else if points >= 1.0 {
        SpamClass::Suspect
    } else if opinion.class == Class::Good && points < 0.0 {
        SpamClass::Nonspam
    } else {
        SpamClass::Unknown
    };
    let mut symbols = record_symbols(opinion);
    symbols.extend(list_symbols(round));
    symbols.truncate(SYMBOLS_MAX);
    Finding {
        spam: Some(spam),
        score: Some(Score {
            value: points,
            required: Some(LIKELY_POINTS),
        }),
        symbols,
        reason: reason(opinion, round),
        ..Finding::new(engine)
    }
}

fn record_symbols(opinion: &Opinion) -> Vec<Symbol> {
    let told = opinion
        .entries
        .iter()
        .filter(|(entry, points)| *points != 0.0 || entry.class != Class::Unknown);
    told.map(|(entry, points)| Symbol {
        name: format!("{}_{}", entry.key.kind(), entry.class.word())
            .to_ascii_uppercase()
            .replace('-', "_"),
        score: Some(*points),
        detail: Some(printable(&entry.reason, DETAIL_BYTES_MAX)),
    })
    .collect()
}

fn list_symbols(round: &Round) -> Vec<Symbol> {
    let name = |list: &str| {
        let upper = list.to_ascii_uppercase();
        upper.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
    };
    let hits = round.hits.iter().map(|hit| {
        let who = printable(&hit.who, DETAIL_BYTES_MAX);
        let mut detail = format!("{} {who}: {}", hit.subject.word(), hit.answer);
        if !hit.meaning.is_empty() {
            let _ = write!(detail, ", {}", hit.meaning);
        }
        Symbol {
            name: format!("LIST_{}", name(&hit.list)),
            score: Some(hit.weight),
            detail: Some(printable(&detail, DETAIL_BYTES_MAX)),
        }
    });
    let silent = round.silent.iter().map(|(list, why)| Symbol {
        name: format!("SILENT_{}", name(list)),
        score: None,
        detail: Some(printable(why, DETAIL_BYTES_MAX)),
    });
    hits.chain(silent).collect()
}

/// One line: what the record says, and which lists list the sender.
fn reason(opinion: &Opinion, round: &Round) -> String {
    let mut reason = opinion.reason.clone();
    let mut told: Vec<&str> = Vec::new();
    for hit in &round.hits {
        if !told.contains(&&*hit.list) {
            told.push(&hit.list);
            let sort = if hit.weight < 0.0 {
                TRUSTED_BY
            } else {
                LISTED_BY
            };
            let _ = write!(reason, "; {}{sort}{}", hit.who, hit.list);
        }
    }
    printable(&reason, 4 * DETAIL_BYTES_MAX)
}

#[cfg(test)]
mod tests;
