//! `check_host()` (RFC 7208 sections 4 and 5): a record is looked up and its terms are tried until one matches.
//!
//! Bounds: ten terms that ask, two that find nothing (section 4.6.4), ten exchangers or reverse names. The time is bounded
//! by who calls.

use std::net::IpAddr;

use net::resolver::{DnsError, Resolver};

use super::macros::{MacroString, Place, Values};
use super::record::{Mechanism, Prefixes, Qualifier, Record};
use super::{Outcome, Question, is_domain};
use crate::auth::facts::SpfResult;
use crate::limits::{
    SPF_EXCHANGERS_MAX, SPF_EXPLANATION_BYTES_MAX, SPF_REVERSE_NAMES_MAX, SPF_TERMS_MAX,
    SPF_VOID_TERMS_MAX,
};

/// One question on its way through records that include each other.
pub(super) struct Evaluation<'a> {
    resolver: &'a Resolver,
    question: &'a Question<'a>,
    ip: IpAddr,
    /// Terms that have asked the DNS, included records and all.
    terms: usize,
    /// Of these, those that found nothing.
    void_terms: usize,
}

/// What a record says.
pub(super) struct Said {
    pub(super) result: SpfResult,
    /// The term that matched.
    pub(super) term: Option<String>,
    /// Where the explanation is, and the domain whose record said so.
    explanation: Option<(MacroString, String)>,
}

/// Why there is nothing to say.
pub(super) enum Stop {
    /// `temperror`: the DNS does not answer.
    Temporary(String),
    /// `permerror`: the record is wrong.
    Permanent(String),
}

/// The records of a name, if there are any.
enum Found {
    Record(Record),
    None,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(resolver: &'a Resolver, question: &'a Question<'a>) -> Evaluation<'a> {
        Evaluation {
            resolver,
            question,
            // Section 5: an IPv4 address in IPv6 dress is one of IPv4.
            ip: question.ip.to_canonical(),
            terms: 0,
            void_terms: 0,
        }
    }

    /// The whole question.
    pub(super) async fn run(mut self) -> Outcome {
        match self.host(self.question.domain).await {
            Ok(said) => {
                let explanation = match (&said.explanation, said.result) {
                    (Some((name, domain)), SpfResult::Fail) => self.explanation(name, domain).await,
                    _ => None,
                };
                Outcome {
                    result: said.result,
                    term: said.term,
                    explanation,
                    problem: None,
                }
            }
            Err(Stop::Temporary(problem)) => Outcome::without(SpfResult::Temperror, problem),
            Err(Stop::Permanent(problem)) => Outcome::without(SpfResult::Permerror, problem),
        }
    }

    /// `check_host()` for one domain.
    async fn host(&mut self, domain: &str) -> Result<Said, Stop> {
        let nothing = |result| Said {
            result,
            term: None,
            explanation: None,
        };
        if !is_domain(domain) {
            return Ok(nothing(SpfResult::None));
        }
        let Found::Record(record) = self.record(domain).await? else {
            return Ok(nothing(SpfResult::None));
        };
        for directive in &record.directives {
            if !self.matches(&directive.mechanism, domain).await? {
                continue;
            }
            let explanation = record.explanation.clone();
            return Ok(Said {
                result: directive.qualifier.result(),
                term: Some(directive.text.clone()),
                explanation: explanation.map(|name| (name, domain.to_owned())),
            });
        }
        let Some(redirect) = &record.redirect else {
            return Ok(nothing(SpfResult::Neutral));
        };
        // Section 6.1: the other record answers instead, its explanation with it.
        self.count_term()?;
        let target = self.name(Some(redirect), domain).await?;
        let said = Box::pin(self.host(&target)).await?;
        if said.result == SpfResult::None {
            let problem = format!("redirect leads to {target}, which has no SPF record");
            return Err(Stop::Permanent(problem));
        }
        Ok(said)
    }

    /// The one record of a domain (section 4.5).
    async fn record(&self, domain: &str) -> Result<Found, Stop> {
        let texts = match self.resolver.txt(domain).await {
            Ok(texts) => texts,
            Err(error) if error.is_absence() => return Ok(Found::None),
            Err(error) => return Err(Stop::dns(domain, &error)),
        };
        let mut records = texts.iter().filter(|text| Record::is_one(text));
        let Some(text) = records.next() else {
            return Ok(Found::None);
        };
        if records.next().is_some() {
            let problem = format!("{domain} has more than one SPF record");
            return Err(Stop::Permanent(problem));
        }
        let record = Record::parse(text)
            .map_err(|error| Stop::Permanent(format!("SPF record of {domain}: {error}")))?;
        Ok(Found::Record(record))
    }

    async fn matches(&mut self, mechanism: &Mechanism, domain: &str) -> Result<bool, Stop> {
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip4(network, bits) => Ok(match self.ip {
                IpAddr::V4(ip) => same_network(ip.to_bits(), network.to_bits(), *bits),
                IpAddr::V6(_) => false,
            }),
            Mechanism::Ip6(network, bits) => Ok(match self.ip {
                IpAddr::V6(ip) => same_network(ip.to_bits(), network.to_bits(), *bits),
                IpAddr::V4(_) => false,
            }),
            Mechanism::Include(target) => self.includes(target, domain).await,
            Mechanism::A(target, prefixes) => {
                self.count_term()?;
                let name = self.name(target.as_ref(), domain).await?;
                let ips = self.addresses(&name).await?;
                self.count_void(ips.is_empty())?;
                Ok(ips.iter().any(|ip| self.is_near(*ip, *prefixes)))
            }
            Mechanism::Mx(target, prefixes) => {
                self.count_term()?;
                let name = self.name(target.as_ref(), domain).await?;
                self.exchangers_match(&name, *prefixes).await
            }
            Mechanism::Ptr(target) => {
                self.count_term()?;
                let name = self.name(target.as_ref(), domain).await?;
                let names = self.validated_names(&name).await;
                self.count_void(names.is_none())?;
                let mut names = names.into_iter().flatten();
                Ok(names.any(|validated| is_within(&validated, &name)))
            }
            Mechanism::Exists(target) => {
                self.count_term()?;
                let name = self.name(Some(target), domain).await?;
                // Section 5.7: A, whatever the client's family.
                let ips = present(self.resolver.ipv4(&name).await.map(|found| found.value))
                    .map_err(|error| Stop::dns(&name, &error))?;
                self.count_void(ips.is_empty())?;
                Ok(!ips.is_empty())
            }
        }
    }

    /// Section 5.2: only a `pass` of the other record matches.
    async fn includes(&mut self, target: &MacroString, domain: &str) -> Result<bool, Stop> {
        self.count_term()?;
        let target = self.name(Some(target), domain).await?;
        let said = Box::pin(self.host(&target)).await?;
        match said.result {
            SpfResult::Pass => Ok(true),
            SpfResult::None => Err(Stop::Permanent(format!(
                "include leads to {target}, which has no SPF record"
            ))),
            _ => Ok(false),
        }
    }

    async fn exchangers_match(&mut self, name: &str, prefixes: Prefixes) -> Result<bool, Stop> {
        let exchangers = present(self.resolver.mx_answer(name).await.map(|found| found.value))
            .map_err(|error| Stop::dns(name, &error))?;
        self.count_void(exchangers.is_empty())?;
        if exchangers.len() > SPF_EXCHANGERS_MAX {
            let count = exchangers.len();
            return Err(Stop::Permanent(format!(
                "{name} has {count} mail exchangers, and {SPF_EXCHANGERS_MAX} are allowed"
            )));
        }
        for mx in exchangers.iter().filter(|mx| !mx.exchange.is_empty()) {
            let ips = self.addresses(&mx.exchange).await?;
            if ips.iter().any(|ip| self.is_near(*ip, prefixes)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The names of the client that have its address (section 5.5); `None` without any reverse name. Failures of the DNS
    /// are as no name. Those that help `wanted` come first.
    async fn validated_names(&self, wanted: &str) -> Option<Vec<String>> {
        let mut names = self.resolver.ptr(self.ip).await.ok()?;
        names.truncate(SPF_REVERSE_NAMES_MAX);
        // One of the domain itself, then those below it, then any.
        names.sort_by_key(|name| (name != wanted, !is_within(name, wanted)));
        let mut validated = Vec::new();
        for name in names {
            if matches!(self.addresses(&name).await, Ok(ips) if ips.contains(&self.ip)) {
                validated.push(name);
            }
        }
        Some(validated)
    }

    /// The addresses of the client's family; none if there are none.
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Stop> {
        let answer = if self.ip.is_ipv4() {
            self.resolver.ipv4(name).await
        } else {
            self.resolver.ipv6(name).await
        };
        present(answer.map(|found| found.value)).map_err(|error| Stop::dns(name, &error))
    }

    fn is_near(&self, ip: IpAddr, prefixes: Prefixes) -> bool {
        match (self.ip, ip) {
            (IpAddr::V4(client), IpAddr::V4(ip)) => {
                same_network(client.to_bits(), ip.to_bits(), prefixes.ipv4)
            }
            (IpAddr::V6(client), IpAddr::V6(ip)) => {
                same_network(client.to_bits(), ip.to_bits(), prefixes.ipv6)
            }
            _ => false,
        }
    }

    /// The domain that a term means: its own `domain-spec`, or the domain whose record it stands in.
    async fn name(&self, target: Option<&MacroString>, domain: &str) -> Result<String, Stop> {
        let Some(target) = target else {
            return Ok(domain.to_owned());
        };
        let validated = self.validated_name(target, domain).await;
        let name = target.name(&self.values(domain, &validated));
        Ok(name.strip_suffix('.').unwrap_or(&name).to_owned())
    }

    /// `%{p}`, asked for only where it is wanted.
    async fn validated_name(&self, text: &MacroString, domain: &str) -> String {
        let mut names = Vec::new();
        if text.wants_validated_name() {
            names = self.validated_names(domain).await.unwrap_or_default();
        }
        let name = names.into_iter().next();
        name.unwrap_or_else(|| "unknown".to_owned())
    }

    fn values<'v>(&'v self, domain: &'v str, validated_name: &'v str) -> Values<'v> {
        Values {
            local_part: self.question.local_part,
            sender_domain: self.question.sender_domain,
            domain,
            ip: self.ip,
            helo: self.question.helo,
            validated_name,
            receiver: self.question.receiver,
            unix_seconds: self.question.unix_seconds,
        }
    }

    /// Section 6.2: whatever is wrong with it, there is none.
    async fn explanation(&self, name: &MacroString, domain: &str) -> Option<String> {
        let name = self.name(Some(name), domain).await.ok()?;
        let texts = self.resolver.txt(&name).await.ok()?;
        let [text] = texts.as_slice() else {
            return None;
        };
        if !text
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic())
        {
            return None;
        }
        let text = MacroString::parse(text, Place::Explanation).ok()?;
        let validated = self.validated_name(&text, domain).await;
        let values = self.values(domain, &validated);
        let text = text.expand(&values, SPF_EXPLANATION_BYTES_MAX);
        // What is put in comes from the client, and may be anything.
        let is_fit = |c: &char| *c == ' ' || c.is_ascii_graphic();
        Some(text.chars().filter(is_fit).collect())
    }

    fn count_term(&mut self) -> Result<(), Stop> {
        self.terms += 1;
        if self.terms > SPF_TERMS_MAX {
            let problem = format!("more than {SPF_TERMS_MAX} terms that ask the DNS");
            return Err(Stop::Permanent(problem));
        }
        Ok(())
    }

    fn count_void(&mut self, is_void: bool) -> Result<(), Stop> {
        self.void_terms += usize::from(is_void);
        if self.void_terms > SPF_VOID_TERMS_MAX {
            let problem = format!("more than {SPF_VOID_TERMS_MAX} names that do not exist");
            return Err(Stop::Permanent(problem));
        }
        Ok(())
    }
}

impl Qualifier {
    fn result(self) -> SpfResult {
        match self {
            Qualifier::Pass => SpfResult::Pass,
            Qualifier::Fail => SpfResult::Fail,
            Qualifier::Softfail => SpfResult::Softfail,
            Qualifier::Neutral => SpfResult::Neutral,
        }
    }
}

impl Stop {
    fn dns(name: &str, error: &DnsError) -> Stop {
        Stop::Temporary(format!("{name}: {error}"))
    }
}

/// That there is nothing is an answer.
fn present<T>(answer: Result<Vec<T>, DnsError>) -> Result<Vec<T>, DnsError> {
    match answer {
        Err(error) if error.is_absence() => Ok(Vec::new()),
        other => other,
    }
}

/// Whether `name` is `domain` or below it; both without the final dot.
fn is_within(name: &str, domain: &str) -> bool {
    let Some(at) = name.len().checked_sub(domain.len()) else {
        return false;
    };
    let Some((above, end)) = name.split_at_checked(at) else {
        return false;
    };
    end.eq_ignore_ascii_case(domain) && (above.is_empty() || above.ends_with('.'))
}

/// Whether the first bits of two addresses are the same. IPv4 addresses are numbers of 32 bits, IPv6 of 128.
fn same_network<T: Bits>(one: T, other: T, bits: u8) -> bool {
    let one = one.leading(bits);
    let other = other.leading(bits);
    one == other
}

trait Bits: Copy {
    /// The first `bits` bits, the rest zero.
    fn leading(self, bits: u8) -> u128;
}

impl Bits for u32 {
    fn leading(self, bits: u8) -> u128 {
        let mask = u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(bits)));
        u128::from(self & mask.unwrap_or(0))
    }
}

impl Bits for u128 {
    fn leading(self, bits: u8) -> u128 {
        let mask = u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(bits)));
        self & mask.unwrap_or(0)
    }
}
