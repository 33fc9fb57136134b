//! `[[route]]`: for some recipient domains, the nexthop, the recipient check and the policy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::domains::Domains;
use super::error::Fault;
use super::files;
use super::reader::Section;
use super::{
    Caution, Engine, Nexthop, NexthopAuth, NexthopOrder, NexthopTimeouts, NexthopTls, Pool,
    Queueing,
};
use crate::policy::{DmarcAction, EngineRule};
use crate::relay_table::KnownRecipients;
use crate::replies::Templates;

/// One `[[route]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Its place among the routes, from 0: with it a route is told from another at a glance.
    pub index: usize,
    /// Where it stands: `gatepost.toml:40`, or `embedded`.
    pub origin: String,
    /// The domains as they stand in the file (lists in files unread), for people.
    pub domains: Vec<String>,
    /// Whose domains these are.
    pub customer: Option<String>,
    /// Where messages go; never empty.
    pub nexthops: Vec<Nexthop>,
    /// Which nexthop first.
    pub nexthop_order: NexthopOrder,
    /// TLS towards the nexthops.
    pub nexthop_tls: NexthopTls,
    /// What we log in with at the nexthops.
    pub nexthop_auth: Option<NexthopAuth>,
    /// How long a nexthop may take.
    pub nexthop_timeouts: NexthopTimeouts,
    /// The nexthop is dialled at RCPT time and its replies are passed on.
    pub cut_through: bool,
    /// What follows with cut-through when no nexthop can be reached.
    pub on_nexthop_failure: OnNexthopFailure,
    /// How messages are delivered from the queue.
    pub queueing: Queueing,
    /// Which recipients exist.
    pub recipients: RecipientCheck,
    /// The language of refusals, a section of `[replies]`.
    pub language: String,
    /// Accepted messages get `X-Gatepost-...` fields.
    pub result_fields: bool,
    /// What newcomers are to do, and how much is taken of one sender.
    pub caution: Caution,
    /// What follows from DMARC.
    pub dmarc: DmarcAction,
    /// The rules of all engines that are set up, as they hold for this route.
    pub engines: BTreeMap<String, EngineRule>,
}

/// What follows with cut-through when no nexthop can be reached, or it goes away before its final reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnNexthopFailure {
    /// 451 4.4.1: try again.
    Defer,
    /// The message is queued.
    Queue,
}

/// How we know which recipients exist.
#[derive(Clone, Debug, PartialEq)]
pub enum RecipientCheck {
    /// All of them.
    Any,
    /// The nexthop is asked by RCPT.
    Callout(Callout),
    /// They stand in a file, read with the configuration.
    Listed(Arc<KnownRecipients>),
}

/// How a nexthop is asked, and how long its answers are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callout {
    /// A recipient that exists.
    pub positive_ttl: Duration,
    /// A recipient that does not.
    pub negative_ttl: Duration,
    /// How long the nexthop may take to answer.
    pub timeout: Duration,
}

/// The words of `dmarc`.
const DMARC_ACTIONS: [(&str, DmarcAction); 3] = [
    ("refuse", DmarcAction::Refuse),
    ("likely", DmarcAction::Likely),
    ("note", DmarcAction::Note),
];

/// What a route is read with: the rest of the file that it refers to.
pub(super) struct Surroundings<'s> {
    pub(super) engines: &'s BTreeMap<String, Engine>,
    pub(super) replies: &'s Templates,
    pub(super) domains: &'s mut Domains,
    pub(super) pools: &'s [Pool],
}

impl Route {
    /// `None` if something in it is so wrong that there is no route, which is noted.
    pub(super) fn read(
        section: &Section<'_, '_>,
        index: usize,
        around: &mut Surroundings<'_>,
    ) -> Option<Route> {
        let origin = section.reader.origin(&section.span(""));
        let domains = around.domains.read(section, &origin);
        let nexthops = read_nexthops(section);
        let recipients = read_recipients(section, &nexthops);
        let language = section.name("language").unwrap_or_default();
        if section.has("language")
            && !language.is_empty()
            && !around.replies.languages().any(|known| known == language)
        {
            section.error(
                "language",
                Fault::new(
                    format!("there are no replies in `{language}`"),
                    format!("add a table `[replies.{language}]`, or write \"en\""),
                ),
            );
        }
        let engines = section.table("engines");
        let engines = EngineRule::read_of_route(engines.as_ref(), around.engines);
        let orders = [
            ("failover", NexthopOrder::Failover),
            ("random", NexthopOrder::Random),
        ];
        let tls = [
            ("off", NexthopTls::Off),
            ("opportunistic", NexthopTls::Opportunistic),
            ("require", NexthopTls::Require),
            ("dane", NexthopTls::Dane),
            ("dane-only", NexthopTls::DaneOnly),
        ];
        let nexthop_order = section.choice("nexthop_order", &orders);
        let nexthop_tls = section.choice("nexthop_tls", &tls);
        let failures = [
            ("defer", OnNexthopFailure::Defer),
            ("queue", OnNexthopFailure::Queue),
        ];
        let on_nexthop_failure = section.choice("on_nexthop_failure", &failures);
        let dmarc = section.choice("dmarc", &DMARC_ACTIONS);
        let auth = section.table("nexthop_auth");
        let timeouts = section.table_or_empty("nexthop_timeouts");
        let customer = section.name("customer");
        let cut_through = read_cut_through(section, &nexthops);
        let queueing = Queueing::read(section, around.pools);
        Some(Route {
            index,
            origin,
            domains,
            customer,
            nexthops,
            nexthop_order: nexthop_order?,
            nexthop_tls: nexthop_tls?,
            nexthop_auth: auth.and_then(|auth| NexthopAuth::read(&auth)),
            nexthop_timeouts: timeouts.map(|timeouts| NexthopTimeouts::read(&timeouts))?,
            cut_through,
            on_nexthop_failure: on_nexthop_failure?,
            queueing,
            recipients: recipients?,
            language,
            result_fields: section.toggle("result_fields"),
            caution: Caution::read(section),
            dmarc: dmarc?,
            engines,
        })
    }
}

fn read_nexthops(section: &Section<'_, '_>) -> Vec<Nexthop> {
    let reader = section.reader;
    let given = section.list("nexthop", |text| Nexthop::parse(text, reader));
    if let [first, rest @ ..] = given.as_slice() {
        let kind = |nexthop: &Nexthop| std::mem::discriminant(nexthop);
        let odd = rest
            .iter()
            .find(|(nexthop, _)| !nexthop.is_listable() || kind(nexthop) != kind(&first.0));
        if let Some((_, span)) = odd {
            let fault = Fault::new(
                "the nexthops of a route must be all SMTP, all LMTP, one maildir, or `mx` alone",
                "make a route of its own for each kind",
            );
            section.error_at(span.clone(), "nexthop", fault);
        }
    }
    let nexthops: Vec<Nexthop> = given.into_iter().map(|(nexthop, _)| nexthop).collect();
    if section.is_empty_list("nexthop") {
        section.error(
            "nexthop",
            Fault::new(
                "`nexthop` is empty",
                "add one, such as \"smtp:mail.example.org:25\"",
            ),
        );
    }
    nexthops
}

/// Delivery by MX records takes its time: it is always from the queue.
fn read_cut_through(section: &Section<'_, '_>, nexthops: &[Nexthop]) -> bool {
    let cut_through = section.toggle("cut_through");
    let by_mx = nexthops
        .iter()
        .any(|nexthop| matches!(nexthop, Nexthop::Mx { .. }));
    if by_mx && cut_through && section.has("cut_through") {
        let fault = Fault::new(
            "there is no cut-through to `mx`: what is delivered by MX records is queued",
            "remove it, or write `cut_through = false`",
        );
        section.error("cut_through", fault);
    }
    cut_through && !by_mx
}

fn read_recipients(section: &Section<'_, '_>, nexthops: &[Nexthop]) -> Option<RecipientCheck> {
    let callout = section.table_or_empty("callout").map(|callout| Callout {
        positive_ttl: callout.duration("positive_ttl"),
        negative_ttl: callout.duration("negative_ttl"),
        timeout: callout.duration("timeout"),
    });
    let word = section.form("recipients", |text| Ok(text.to_owned()))?;
    if section.has("callout") && word != "callout" {
        section.error(
            "callout",
            Fault::new(
                "`callout` is set up, but recipients are not checked by callout",
                "write `recipients = \"callout\"`, or remove `callout`",
            ),
        );
    }
    match word.as_str() {
        "any" => Some(RecipientCheck::Any),
        "callout"
            if nexthops
                .iter()
                .any(|nexthop| matches!(nexthop, Nexthop::Mx { .. })) =>
        {
            let fault = Fault::new(
                "mail exchangers of others are not asked for recipients",
                "write `recipients = \"any\"` or \"file:PATH\"",
            );
            section.error("recipients", fault);
            None
        }
        "callout" if nexthops.iter().any(|nexthop| !nexthop.is_remote()) => {
            let fault = Fault::new(
                "a maildir cannot be asked for recipients",
                "write `recipients = \"any\"` or \"file:PATH\"",
            );
            section.error("recipients", fault);
            None
        }
        "callout" => callout.map(RecipientCheck::Callout),
        word => match word.strip_prefix("file:") {
            Some(path) => read_recipient_file(section, path),
            None => {
                let fault = Fault::new(
                    format!("`{}` is no check of recipients", word.escape_debug()),
                    "write \"any\", \"callout\" or \"file:PATH\"",
                );
                section.error("recipients", fault);
                None
            }
        },
    }
}

fn read_recipient_file(section: &Section<'_, '_>, path: &str) -> Option<RecipientCheck> {
    let mut known = KnownRecipients::default();
    files::read_list(
        section,
        "recipients",
        &section.span("recipients"),
        path,
        |entry| match known.insert(entry) {
            true => Ok(()),
            false => Err(Fault::new(
                format!("`{}` is no address or local-part", entry.escape_debug()),
                "write one on each line, such as `anna` or `anna@example.org`",
            )),
        },
    );
    Some(RecipientCheck::Listed(Arc::new(known)))
}
