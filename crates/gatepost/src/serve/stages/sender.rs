//! What the past of a sender brings at each stage: its standing when it connects, how much of it is taken in a time, and whether a
//! newcomer is to come again. Facts are gathered here; `policy::sender` says what follows.

use std::net::IpAddr;

use scan::auth::facts::{Authentication, DkimResult, SpfResult};
use scan::finding::Finding;
use scan::reputation::greylist::{Grey, GreylistSettings};
use scan::reputation::lists::{About, Round, Subject};
use scan::reputation::rate::{Allowance, Rates};
use scan::reputation::record::{Class, Key, Lesson, Sender};
use scan::reputation::{LIKELY_POINTS, domains, helo_is_proven, seconds_now};
use scan::specimen::Specimen;
use tokio::time::Instant;

use crate::config::{Caution, EngineKind};
use crate::context::{Context, ListenerContext};
use crate::engines::{AUTH, REPUTATION};
use crate::policy::{self, AtConnect, ListMatch, ListsAtConnect, NewcomerFacts, Verdict};
use crate::serve::conversation::Client;

/// What record and lists say to a client that connects. A refusal is counted.
pub(super) async fn standing(
    cx: &Context,
    listener: &ListenerContext,
    ip: IpAddr,
    matched: &[ListMatch],
) -> Verdict {
    let at_connect = listener.settings.reputation;
    if at_connect == AtConnect::Note || cx.trusted_networks.contains(ip) {
        return Verdict::ACCEPT;
    }
    let lists = listed_at_connect(cx, ip).await;
    let record = &cx.services.senders.record;
    let now = seconds_now();
    let verdict = policy::standing(matched, &record.client(ip, now), &lists, at_connect);
    if !verdict.is_accept() {
        let sender = Sender {
            ip,
            helo: "",
            helo_is_proven: false,
            domains: &[],
        };
        record.learn(&sender, Lesson::Refused, now);
    }
    verdict
}

/// What the lists say of an address. Their answers are asked for again with each message, and come from memory then.
async fn listed_at_connect(cx: &Context, ip: IpAddr) -> ListsAtConnect {
    let engine = cx.config.engines.get(REPUTATION);
    let settings = engine.and_then(|engine| match &engine.kind {
        EngineKind::Reputation(settings) if engine.rule.enabled => Some(settings),
        _ => None,
    });
    let round = match settings {
        Some(settings) if cx.engines.lists().want(Subject::Ip) => {
            let about = About {
                ip: Some(ip),
                ..About::default()
            };
            let lists = cx.engines.lists();
            lists.ask(&about, settings.lists_deadline).await
        }
        _ => Round::default(),
    };
    let rule = engine.map(|engine| &engine.rule);
    ListsAtConnect {
        points: round.points(),
        told: round.listed(),
        likely: rule.and_then(|rule| rule.likely).unwrap_or(LIKELY_POINTS),
        sure: rule
            .and_then(|rule| rule.sure)
            .unwrap_or(policy::SPAMASSASSIN_SURE_DEFAULT),
    }
}

/// Whether the network of the client may begin another transaction now.
pub(super) fn network_rate(
    cx: &Context,
    listener: &ListenerContext,
    client: &Client,
    lists: &[ListMatch],
) -> Verdict {
    let Some(allowance) = &listener.settings.rate_per_network else {
        return Verdict::ACCEPT;
    };
    if client.may_relay(cx) {
        return Verdict::ACCEPT;
    }
    let network = Key::network(client.ip).to_string();
    draw(&cx.services.senders.networks, &network, allowance, lists)
}

/// What the past of its sender brings a message that would be taken. Made once for each message: its groups (PRDR) share what
/// was drawn of a rate.
pub(super) struct Scrutiny<'a> {
    cx: &'a Context,
    specimen: &'a Specimen,
    facts: Option<&'a Authentication>,
    domains: Vec<String>,
    drawn: Vec<(Allowance, Verdict)>,
}

impl<'a> Scrutiny<'a> {
    pub(super) fn new(cx: &'a Context, specimen: &'a Specimen, findings: &'a [Finding]) -> Self {
        let facts = findings
            .iter()
            .filter(|finding| finding.engine == AUTH)
            .find_map(|finding| finding.authentication.as_deref());
        Scrutiny {
            cx,
            specimen,
            facts,
            domains: domains(facts),
            drawn: Vec::new(),
        }
    }

    /// What becomes of the message for one group.
    pub(super) fn of_group(
        &mut self,
        caution: &Caution,
        verdict: Verdict,
        lists: &[ListMatch],
    ) -> Verdict {
        if !verdict.is_accept() {
            return verdict;
        }
        if let Some(allowance) = &caution.rate_per_domain {
            let rate = self.rate(allowance, lists);
            if !rate.is_accept() {
                return rate;
            }
        }
        match &caution.greylist {
            Some(settings) if policy::greylists(&verdict, lists, self.newcomer()) => {
                self.greylist(settings, verdict)
            }
            _ => verdict,
        }
    }

    fn rate(&mut self, allowance: &Allowance, lists: &[ListMatch]) -> Verdict {
        let before = self.drawn.iter().find(|(drawn, _)| drawn == allowance);
        if let Some((_, verdict)) = before {
            return verdict.clone();
        }
        let rates = &self.cx.services.senders.domains;
        let mut drawn = self
            .domains
            .iter()
            .map(|domain| draw(rates, domain, allowance, lists));
        let refusal = drawn.find(|verdict| !verdict.is_accept());
        let verdict = refusal.unwrap_or(Verdict::ACCEPT);
        self.drawn.push((*allowance, verdict.clone()));
        verdict
    }

    /// Keyed by the network and the domain that is proven, or else that of the reverse-path, which anybody may write.
    fn greylist(&self, settings: &GreylistSettings, verdict: Verdict) -> Verdict {
        let specimen = self.specimen;
        let claimed = || match specimen.reverse_path.mailbox() {
            Some(mailbox) => mailbox.domain.to_string(),
            None => specimen.helo.clone(),
        };
        let domain = self.domains.first().cloned().unwrap_or_else(claimed);
        let greylist = &self.cx.services.senders.greylist;
        match greylist.check(specimen.client_ip, &domain, settings, seconds_now()) {
            Grey::Passes => verdict,
            Grey::Waits(seconds) => {
                let network = Key::network(specimen.client_ip);
                let detail =
                    format!("nothing is known of {domain} from {network}: {seconds} s to wait");
                policy::come_again(detail)
            }
        }
    }

    fn newcomer(&self) -> NewcomerFacts {
        let specimen = self.specimen;
        let name = specimen.client_name.as_deref();
        let sender = Sender {
            ip: specimen.client_ip,
            helo: &specimen.helo,
            helo_is_proven: helo_is_proven(&specimen.helo, name, self.facts),
            domains: &self.domains,
        };
        let record = &self.cx.services.senders.record;
        let opinion = record.sender(&sender, seconds_now());
        let is_known = opinion.entries.iter().any(|(entry, _)| {
            matches!(entry.class, Class::Good | Class::Neutral)
                && !matches!(entry.key, Key::ClaimedHelo(_))
        });
        NewcomerFacts {
            is_known,
            is_proven: !self.domains.is_empty() || self.facts.is_some_and(cannot_be_known),
            has_name: name.is_some(),
        }
    }
}

/// The DNS did not tell whether a domain is proven: what is its fault is not held against a sender.
fn cannot_be_known(facts: &Authentication) -> bool {
    let spf = facts.spf_mail.as_ref();
    spf.is_some_and(|fact| fact.result == SpfResult::Temperror)
        || facts
            .dkim
            .iter()
            .any(|fact| fact.result == DkimResult::Temperror)
}

fn draw(rates: &Rates, who: &String, allowance: &Allowance, lists: &[ListMatch]) -> Verdict {
    if rates.draw(who, allowance, Instant::now()) {
        return Verdict::ACCEPT;
    }
    let (count, seconds) = (allowance.count, allowance.per.as_secs());
    let detail = format!("{who}: more than {count} in {seconds} s");
    policy::over_rate(lists, who, &detail)
}
