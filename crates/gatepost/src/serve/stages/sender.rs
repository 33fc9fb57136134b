//! What the past of a sender brings at each stage: its standing when it connects, how much of it is taken in a time, and whether a
//! newcomer is to come again. Facts are gathered here; `policy::sender` says what follows.

use std::net::IpAddr;

use scan::auth::facts::{Authentication, DkimResult, SpfResult};
use scan::finding::Finding;
use scan::reputation::greylist::Grey;
use scan::reputation::rate::{Allowance, Rates};
use scan::reputation::record::{Class, Key, Lesson, Sender};
use scan::reputation::{domains, helo_is_proven, seconds_now};
use scan::specimen::Specimen;
use tokio::time::Instant;

use crate::config::Caution;
use crate::context::{Context, ListenerContext};
use crate::engines::AUTH;
use crate::policy::{self, AtConnect, ListMatch, NewcomerFacts, Verdict};
use crate::serve::conversation::Client;

/// What the record says to a client that connects. A refusal is counted.
pub(super) fn standing(
    cx: &Context,
    listener: &ListenerContext,
    ip: IpAddr,
    lists: &[ListMatch],
) -> Verdict {
    let at_connect = listener.settings.reputation;
    if at_connect == AtConnect::Note || cx.trusted_networks.contains(ip) {
        return Verdict::ACCEPT;
    }
    let record = &cx.services.senders.record;
    let now = seconds_now();
    let verdict = policy::standing(lists, &record.client(ip, now), at_connect);
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

/// What becomes of a message that would be taken.
pub(super) fn caution(
    cx: &Context,
    caution: &Caution,
    verdict: Verdict,
    lists: &[ListMatch],
    specimen: &Specimen,
    findings: &[Finding],
) -> Verdict {
    if !verdict.is_accept() {
        return verdict;
    }
    let facts = findings
        .iter()
        .filter(|finding| finding.engine == AUTH)
        .find_map(|finding| finding.authentication.as_deref());
    let domains = domains(facts);
    if let Some(allowance) = &caution.rate_per_domain {
        for domain in &domains {
            let rate = draw(&cx.services.senders.domains, domain, allowance, lists);
            if !rate.is_accept() {
                return rate;
            }
        }
    }
    let Some(settings) = &caution.greylist else {
        return verdict;
    };
    let newcomer = newcomer(cx, specimen, facts, &domains);
    if !policy::greylists(&verdict, lists, newcomer) {
        return verdict;
    }
    let domain = specimen.reverse_path.mailbox().map_or_else(
        || specimen.helo.clone(),
        |mailbox| mailbox.domain.to_string(),
    );
    let greylist = &cx.services.senders.greylist;
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

fn newcomer(
    cx: &Context,
    specimen: &Specimen,
    facts: Option<&Authentication>,
    domains: &[String],
) -> NewcomerFacts {
    let name = specimen.client_name.as_deref();
    let sender = Sender {
        ip: specimen.client_ip,
        helo: &specimen.helo,
        helo_is_proven: helo_is_proven(&specimen.helo, name, facts),
        domains,
    };
    let opinion = cx.services.senders.record.sender(&sender, seconds_now());
    let is_known = opinion.entries.iter().any(|(entry, _)| {
        matches!(entry.class, Class::Good | Class::Neutral)
            && !matches!(entry.key, Key::ClaimedHelo(_))
    });
    NewcomerFacts {
        is_known,
        is_proven: !domains.is_empty() || facts.is_some_and(cannot_be_known),
        has_name: name.is_some(),
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
