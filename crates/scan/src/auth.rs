//! The built-in engine for sender authentication: SPF (RFC 7208), DKIM (RFC 6376), ARC (RFC 8617), DMARC (RFC 9989) and iprev
//! (RFC 8601 section 3).
//!
//! It gathers `facts`, sets them on the specimen for the other engines, and tells them in a finding. Nothing here is ever
//! *unavailable*: what the DNS does not tell within the time is `temperror`. What becomes of a message is decided by the
//! policy of the gateway.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use net::network::NetworkSet;
use net::resolver::Resolver;
use smtp::{Domain, ReversePath};
use tokio::time::timeout;

use crate::engine::Engine;
use crate::finding::{Finding, Unavailable};
use crate::limits::AUTH_LOOKUPS_DEADLINE;
use crate::message::Message;
use crate::specimen::Specimen;

mod arc;
mod dkim;
mod dmarc;
pub mod facts;
mod finding;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
pub mod results;
pub mod spf;
mod tags;

use dkim::signature::{Field, Fields};
use facts::{ArcFact, ArcResult, Authentication, IprevFact, IprevResult, SpfFact, SpfResult};

/// What the engine is told.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// Its name, as in the configuration.
    pub name: String,
    /// Asks the DNS.
    pub resolver: Resolver,
    /// Domains whose seal of ARC counts, with all below them.
    pub trusted_sealers: Vec<String>,
    /// Clients that hand on messages of others.
    pub trusted_forwarders: NetworkSet,
    /// Mailing lists by their `List-Id`, in lower case, with all below them.
    pub trusted_lists: Vec<String>,
}

/// The engine.
pub struct Auth {
    settings: AuthSettings,
}

impl Auth {
    /// With these settings.
    pub fn new(settings: AuthSettings) -> Auth {
        Auth { settings }
    }

    /// All that is known of a message.
    pub async fn gather(&self, specimen: &Specimen) -> Authentication {
        let resolver = &self.settings.resolver;
        let message = &specimen.message;
        let fields = fields(message);
        let now = unix_seconds();
        let from_domains = author_domains(message);
        let (iprev, (spf_helo, spf_mail), (dkim, dkim_skipped), chain) = tokio::join!(
            self.iprev(specimen),
            self.spf(specimen),
            dkim::verify(resolver, message, &fields, now),
            timeout(
                AUTH_LOOKUPS_DEADLINE,
                arc::verify(resolver, message, &fields)
            ),
        );
        let arc = match chain {
            Ok(None) => None,
            Ok(Some(mut chain)) => {
                if let [from_domain] = from_domains.as_slice() {
                    chain.ask(from_domain, |sealer| self.trusts(sealer));
                }
                Some(chain.fact)
            }
            Err(_) => Some(ArcFact {
                result: ArcResult::Temperror,
                sealers: Vec::new(),
                vouched_by: None,
                problem: Some("the DNS took too long".to_owned()),
            }),
        };
        let mut authentication = Authentication {
            iprev: Some(iprev),
            spf_helo,
            spf_mail: Some(spf_mail),
            dkim,
            dkim_skipped,
            arc,
            dmarc: None,
            list_id: list_id(&fields),
        };
        authentication.dmarc = dmarc::verify(resolver, &authentication, &from_domains).await;
        authentication
    }

    fn trusts(&self, sealer: &str) -> bool {
        let mut trusted = self.settings.trusted_sealers.iter();
        trusted.any(|domain| dmarc::is_within(sealer, domain))
    }

    async fn iprev(&self, specimen: &Specimen) -> IprevFact {
        let name = self.settings.resolver.reverse_name(specimen.client_ip);
        let (result, name) = match timeout(AUTH_LOOKUPS_DEADLINE, name).await {
            Ok(Ok(Some(name))) => (IprevResult::Pass, Some(name)),
            Ok(Ok(None)) => (IprevResult::Fail, None),
            Ok(Err(_)) | Err(_) => (IprevResult::Temperror, None),
        };
        IprevFact { result, name }
    }

    /// SPF of the name given with EHLO, if it can have a record, and of the reverse-path.
    async fn spf(&self, specimen: &Specimen) -> (Option<SpfFact>, SpfFact) {
        let identity = |path| Identity {
            ip: specimen.client_ip,
            helo: &specimen.helo,
            reverse_path: path,
            receiver: &specimen.hostname,
        };
        let resolver = &self.settings.resolver;
        let helo = spf_of(resolver, identity(&ReversePath::Null));
        if specimen.reverse_path.is_null() {
            let fact = helo.await;
            return (Some(fact.clone()).filter(is_said), fact);
        }
        let (helo, mail) = tokio::join!(helo, spf_of(resolver, identity(&specimen.reverse_path)));
        (Some(helo).filter(is_said), mail)
    }
}

/// A domain that says nothing of HELO names is no fact.
fn is_said(fact: &SpfFact) -> bool {
    fact.result != SpfResult::None
}

/// Who says to send.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The client.
    pub ip: IpAddr,
    /// The name given with EHLO.
    pub helo: &'a str,
    /// The reverse-path; that of `postmaster` at the name if it is null (RFC 7208 section 2.4).
    pub reverse_path: &'a ReversePath,
    /// Our own name.
    pub receiver: &'a str,
}

/// What SPF says of an identity, bounded in time.
pub async fn spf_of(resolver: &Resolver, identity: Identity<'_>) -> SpfFact {
    let (local_part, domain) = match identity.reverse_path.mailbox() {
        Some(mailbox) => {
            let domain = match &mailbox.domain {
                Domain::Name(name) => net::resolver::ascii_name(name.as_str()),
                Domain::Literal(_) | Domain::GeneralLiteral(_) => None,
            };
            (mailbox.local_part.as_str(), domain)
        }
        None => ("postmaster", net::resolver::ascii_name(identity.helo)),
    };
    let domain = domain.unwrap_or_default();
    let question = spf::Question {
        ip: identity.ip,
        domain: &domain,
        local_part,
        sender_domain: &domain,
        helo: identity.helo,
        receiver: identity.receiver,
        unix_seconds: unix_seconds(),
    };
    let outcome = timeout(AUTH_LOOKUPS_DEADLINE, spf::check(resolver, &question)).await;
    let outcome = outcome.unwrap_or_else(|_| {
        spf::Outcome::without(SpfResult::Temperror, "the DNS took too long".to_owned())
    });
    SpfFact {
        result: outcome.result,
        domain,
        term: outcome.term,
        explanation: outcome.explanation,
        problem: outcome.problem,
    }
}

impl Engine for Auth {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn examine(&self, specimen: Arc<Specimen>) -> BoxFuture<'_, Result<Finding, Unavailable>> {
        Box::pin(async move {
            let authentication = Arc::new(self.gather(&specimen).await);
            // Nobody else sets it; a second examination of the same specimen finds the same.
            let _ = specimen.authentication.set(Arc::clone(&authentication));
            let is_forwarder = self
                .settings
                .trusted_forwarders
                .contains(specimen.client_ip);
            let (name, lists) = (&self.settings.name, &self.settings.trusted_lists);
            Ok(finding::finding(name, authentication, is_forwarder, lists))
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, Unavailable>> {
        Box::pin(async { Ok("built in: SPF, DKIM, DMARC, ARC".to_owned()) })
    }
}

/// The header fields as they stand, as many as are looked at.
fn fields(message: &Message) -> Fields<'_> {
    let section = message.header_section();
    let all = message.header_fields().filter_map(|field| {
        let whole = section.get(field.range.clone())?;
        let colon = memchr::memchr(b':', whole)?;
        let name = whole.get(..colon)?;
        Some(Field {
            name,
            body: field.body,
        })
    });
    Fields::new(all)
}

/// The domains of the authors, each once, A-labels in lower case. What is no domain name, such as an address literal, has no
/// record and is left out.
fn author_domains(message: &Message) -> Vec<String> {
    let mut domains: Vec<String> = Vec::new();
    for author in message.view().authors() {
        let address = author.address.as_deref().unwrap_or_default();
        let domain = address.rsplit_once('@').map(|(_, domain)| domain.trim());
        let Some(Ok(domain)) = domain.map(dkim::signature::domain) else {
            continue;
        };
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    domains
}

/// What stands in angle brackets (RFC 2919 section 3), in lower case.
fn list_id(fields: &Fields<'_>) -> Option<String> {
    let field = fields.named("list-id").next()?;
    let text = String::from_utf8_lossy(field.body.get(..1024).unwrap_or(field.body)).into_owned();
    let (_, behind) = text.rsplit_once('<')?;
    let (id, _) = behind.split_once('>')?;
    let id = crate::printable::printable(id, 200).to_ascii_lowercase();
    let is_plain = |byte: u8| byte.is_ascii_graphic();
    (!id.is_empty() && id.bytes().all(is_plain)).then_some(id)
}

fn unix_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since: Duration| since.as_secs())
}

#[cfg(test)]
mod tests;
