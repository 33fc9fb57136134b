//! How a server must prove who it is before it gets a message: by its TLSA records (DANE, RFC 7672), by the MTA-STS policy of the
//! recipient domain (RFC 8461), by what the route says, by what the message demands (REQUIRETLS, RFC 8689).
//!
//! Which servers there are is `plan`'s to know, connecting to them `dial`'s. Where something here says no, the server gets nothing,
//! least of all in clear: the next one may.

use std::sync::Arc;

use net::resolver::Resolver;
use net::tls::dane::TlsaSet;
use net::tls::{Connector, Roots};

use super::connection::Manner;
use super::fault::{Cause, Fault, Step};
use super::https::Https;
use super::sts::StsPolicies;
use super::sts::cache::Kept;
use super::sts::policy::Mode;
use super::tls_reports::{PolicyKind, ReportPolicy, ResultType};
use crate::config::{NexthopTls, TlsPolicy};

mod dane;
mod header;
mod nexthop;
mod results;

pub use header::is_tls_optional;
pub use results::{Attempt, result_type};

/// What a message demands, whatever the route says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Demand {
    /// A server that has proven who it is, over TLS (RFC 8689 section 4.2.1). Not for reports: section 5 rather has them sent.
    pub require_tls: bool,
    /// The header field `TLS-Required: No` (section 3): records and policies of the recipients' side do not hold for it. Without
    /// meaning beside `require_tls`.
    pub tls_optional: bool,
}

/// A server, as far as its security depends on what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The recipient domain (lower case, A-labels).
    pub domain: &'a str,
    /// The server's name, as the configuration or the DNS has it.
    pub host: &'a str,
    /// What that is an alias of; the name itself if it is none.
    pub canonical: &'a str,
    /// TCP port.
    pub port: u16,
    /// The DNS has chosen it (by MX, or as the domain itself), not the configuration.
    pub by_mx: bool,
    /// What led to its name is secure (DNSSEC). Of no meaning unless `by_mx`.
    pub secure: bool,
    /// Its addresses are secure.
    pub ips_secure: bool,
    /// What the route says.
    pub tls: NexthopTls,
    /// For people.
    pub label: &'a str,
}

/// How a server is connected to.
#[derive(Clone, Debug)]
pub struct HostSecurity {
    /// What is made of STARTTLS: `Off`, `Opportunistic` or `Require`.
    pub tls: NexthopTls,
    /// What its certificate must be.
    pub connector: Connector,
    /// The name that it is asked for (SNI), and that its certificate must have unless the connector knows other names.
    pub name: String,
    /// What all this follows from.
    pub basis: Basis,
    /// For reports (RFC 8460): the policy that was applied.
    pub policy: Arc<ReportPolicy>,
    /// For reports: what was wrong before a connection was made.
    pub flaw: Option<(ResultType, String)>,
}

/// What the security of a server follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The route says no TLS.
    Off,
    /// Nothing says more: TLS where offered (RFC 7435).
    Opportunistic,
    /// TLSA records.
    Dane,
    /// TLSA records of which none can be used: TLS without proof (RFC 7672 section 2.2).
    DaneUnusable,
    /// An MTA-STS policy in force.
    Sts,
    /// An MTA-STS policy that is tested: what it says is told, and the message goes all the same (RFC 8461 section 5).
    StsTesting,
    /// The route, or REQUIRETLS: a certificate of a CA for the server's name.
    Verified,
}

impl HostSecurity {
    /// Has a server talked to this way.
    pub fn apply(&self, manner: &mut Manner) {
        manner.tls = self.tls;
        manner.tls_name = self.name.clone();
        manner.connector = self.connector.clone();
    }
}

/// All that policies are found with; part of the snapshot.
pub struct TlsPolicies {
    settings: TlsPolicy,
    resolver: Resolver,
    roots: Roots,
    opportunistic: Connector,
    verified: Connector,
    https: Https,
    sts: Arc<StsPolicies>,
}

impl TlsPolicies {
    /// Policies as `settings` say. `sts` survives from one snapshot to the next.
    pub fn new(
        settings: TlsPolicy,
        resolver: Resolver,
        roots: Roots,
        sts: Arc<StsPolicies>,
    ) -> TlsPolicies {
        let verified = roots.connector();
        TlsPolicies {
            https: Https::new(resolver.clone(), verified.clone()),
            opportunistic: Connector::opportunistic(),
            settings,
            resolver,
            roots,
            verified,
            sts,
        }
    }

    /// Asks over HTTPS, for reports too.
    pub fn https(&self) -> &Https {
        &self.https
    }

    /// How `target` is to be connected to.
    ///
    /// # Errors
    /// It must not be: a policy does not name it ([`Cause::TlsPolicy`]), its TLSA records cannot be known now ([`Cause::Dns`]), or
    /// it can't prove itself as the message demands ([`Cause::RequireTls`], which no waiting mends).
    pub async fn host_security(
        &self,
        target: &Target<'_>,
        demand: Demand,
    ) -> Result<HostSecurity, Refused> {
        let relaxed = demand.tls_optional && !demand.require_tls;
        if target.tls == NexthopTls::Off {
            return match demand.require_tls {
                true => Err(Refused::require_tls(target, "the route has no TLS")),
                false => Ok(self.plain(target, NexthopTls::Off, Basis::Off)),
            };
        }
        let by_route = matches!(target.tls, NexthopTls::Dane | NexthopTls::DaneOnly);
        let by_domain = self.settings.dane && target.by_mx;
        // What the operator wrote is no policy of the recipients' side: it holds for every message.
        let by_route = by_route && !(relaxed && target.tls == NexthopTls::Dane);
        if (by_route || by_domain && !relaxed)
            && let Some(found) = self.dane(target, demand).await?
        {
            return Ok(found);
        }
        if target.tls == NexthopTls::DaneOnly {
            let words =
                "it has no TLSA records in a signed zone, which the route wants (dane-only)";
            return Err(Refused::policy(target, ResultType::DaneRequired, words));
        }
        let mut fallen = None;
        if self.settings.mta_sts && target.by_mx && !relaxed {
            let found = self.sts.find(&self.resolver, &self.https, target.domain);
            let found = Box::pin(found).await;
            match found.policy {
                Some(kept) => {
                    if let Some(security) = self.by_sts(target, demand, &kept)? {
                        return Ok(security);
                    }
                }
                None => fallen = found.failure,
            }
        }
        let mut security = self.by_route(target, demand)?;
        if let Some(failure) = fallen {
            security.policy = ReportPolicy::new(PolicyKind::Sts, target.domain, Vec::new());
            security.flaw = Some((failure.kind.into(), failure.detail));
        }
        Ok(security)
    }

    /// Refreshes policies that are in use; for housekeeping, now and then.
    pub async fn refresh(&self) {
        if self.settings.mta_sts {
            self.sts.refresh(&self.resolver, &self.https).await;
        }
    }

    async fn dane(
        &self,
        target: &Target<'_>,
        demand: Demand,
    ) -> Result<Option<HostSecurity>, Refused> {
        let Some(found) = dane::records(&self.resolver, target).await? else {
            return Ok(None);
        };
        let policy = found.policy();
        let names = [found.base.as_str(), target.host, target.domain];
        let mut security = match TlsaSet::new(&found.records) {
            Some(set) => HostSecurity {
                tls: NexthopTls::Require,
                connector: Connector::dane(set, &names),
                name: found.base,
                basis: Basis::Dane,
                policy,
                flaw: None,
            },
            None if demand.require_tls => {
                let words = "none of its TLSA records can be used";
                return Err(Refused::require_tls(target, words));
            }
            None => HostSecurity {
                flaw: Some((
                    ResultType::TlsaInvalid,
                    "none of the TLSA records can be used".to_owned(),
                )),
                policy,
                ..self.plain(target, NexthopTls::Require, Basis::DaneUnusable)
            },
        };
        // Both say something: RFC 7672 is no less for a route that trusts CAs, and the other way round.
        if target.tls == NexthopTls::Require && security.basis == Basis::DaneUnusable {
            let verified = self.verified(target);
            security.connector = verified.connector;
            security.basis = Basis::Verified;
        }
        Ok(Some(security))
    }

    /// `None` where the policy is only tested and the message demands more.
    fn by_sts(
        &self,
        target: &Target<'_>,
        demand: Demand,
        kept: &Kept,
    ) -> Result<Option<HostSecurity>, Refused> {
        let policy = ReportPolicy::of_sts(kept);
        let permitted = kept.policy.permits(target.host);
        let strict = target.tls == NexthopTls::Require || demand.require_tls;
        match kept.policy.mode {
            Mode::None => Ok(None),
            Mode::Testing if strict => Ok(None),
            Mode::Testing => Ok(Some(HostSecurity {
                connector: self.roots.observer(target.host),
                flaw: (!permitted).then(|| (ResultType::ValidationFailure, not_named(target))),
                policy,
                ..self.plain(target, NexthopTls::Opportunistic, Basis::StsTesting)
            })),
            Mode::Enforce if !permitted => Err(Refused {
                fault: fault(target, Cause::TlsPolicy(not_named(target))),
                noted: Some((policy, ResultType::ValidationFailure)),
            }),
            Mode::Enforce => Ok(Some(HostSecurity {
                basis: Basis::Sts,
                policy,
                ..self.verified(target)
            })),
        }
    }

    fn by_route(&self, target: &Target<'_>, demand: Demand) -> Result<HostSecurity, Refused> {
        if target.tls == NexthopTls::Require || demand.require_tls {
            // RFC 8689 section 4.2.1: the certificate of a server that anybody may have named proves nothing.
            if demand.require_tls && target.by_mx && !target.secure {
                let words =
                    "neither DNSSEC nor an MTA-STS policy says that it is the domain's server";
                return Err(Refused::require_tls(target, words));
            }
            return Ok(self.verified(target));
        }
        Ok(self.plain(target, NexthopTls::Opportunistic, Basis::Opportunistic))
    }

    fn verified(&self, target: &Target<'_>) -> HostSecurity {
        HostSecurity {
            connector: self.verified.clone(),
            ..self.plain(target, NexthopTls::Require, Basis::Verified)
        }
    }

    fn plain(&self, target: &Target<'_>, tls: NexthopTls, basis: Basis) -> HostSecurity {
        HostSecurity {
            tls,
            connector: self.opportunistic.clone(),
            name: target.host.to_owned(),
            basis,
            policy: ReportPolicy::new(PolicyKind::NoPolicyFound, target.domain, Vec::new()),
            flaw: None,
        }
    }
}

/// A server that must not be connected to.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub fault: Fault,
    /// For reports.
    pub noted: Option<(Arc<ReportPolicy>, ResultType)>,
}

impl Refused {
    fn policy(target: &Target<'_>, result: ResultType, words: &str) -> Refused {
        let policy = ReportPolicy::new(PolicyKind::NoPolicyFound, target.domain, Vec::new());
        Refused {
            fault: fault(target, Cause::TlsPolicy(words.to_owned())),
            noted: Some((policy, result)),
        }
    }

    fn require_tls(target: &Target<'_>, words: &str) -> Refused {
        Refused {
            fault: fault(target, Cause::RequireTls(words.to_owned())),
            noted: None,
        }
    }
}

fn fault(target: &Target<'_>, cause: Cause) -> Fault {
    Fault::new(target.label, Step::Tls, cause)
}

fn not_named(target: &Target<'_>) -> String {
    format!(
        "the MTA-STS policy of {} does not name the server {}",
        target.domain, target.host
    )
}

impl Basis {
    /// As events and logs have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Basis::Off => "off",
            Basis::Opportunistic => "opportunistic",
            Basis::Dane => "dane",
            Basis::DaneUnusable => "dane-unusable",
            Basis::Sts => "mta-sts",
            Basis::StsTesting => "mta-sts-testing",
            Basis::Verified => "require",
        }
    }
}

#[cfg(test)]
mod tests;
