//! An admission in words, section by section, and as JSON.

use scan::content::{LIKELY_POINTS, NAME as CONTENT};
use serde_json::{Value, json};
use smtp::Reply;

use super::ask::Asked;
use super::{Admission, Check, Envelope, Taken, Told, reference, refusal, stage_words};
use crate::config::{Address, Nexthop, NexthopOrder, NexthopTls};
use crate::context::{Context, ListenerContext, RouteContext};
use crate::decision::Stage;
use crate::deliver::callouts::is_unknown_mailbox;
use crate::engines::AUTH;
use crate::policy::{DmarcAction, Kind, List, ListMatch, OnFailure, Reason};

/// All that was found out about an envelope.
pub struct Findings<'a> {
    /// The snapshot.
    pub cx: &'a Context,
    /// What was asked about.
    pub envelope: &'a Envelope,
    /// The listeners that the client could have come to; not empty.
    pub listeners: &'a [&'a ListenerContext],
    /// What the stages make of it.
    pub admission: &'a Admission,
    /// What the nexthop said, if it was asked.
    pub asked: Option<&'a Asked>,
}

/// What the answer to RCPT, or to an earlier command, is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 250, as far as this node is concerned.
    Accepted,
    /// Refused or deferred.
    Refused {
        /// At this stage.
        stage: Stage,
        /// For this reason; none where it is the nexthop's.
        kind: Option<Kind>,
        /// In these words.
        reply: Reply,
    },
}

/// A title and the lines that belong to it.
pub type Section = (&'static str, Vec<String>);

impl Findings<'_> {
    /// What the client is told.
    pub fn answer(&self) -> Answer {
        let admission = self.admission;
        if let Some(reason) = admission.verdict.reason() {
            return self.refused(admission.stage, reason);
        }
        match self.asked {
            Some(Asked::Answered { reply, .. }) if is_unknown_mailbox(reply) => {
                self.refused(Stage::Rcpt, &Reason::new(Kind::Mailbox))
            }
            // A callout that is refused for another reason, such as its null reverse-path, says nothing of the mailbox.
            Some(Asked::Answered { reply, .. })
                if !reply.is_positive()
                    && (reply.is_transient() || admission.check != Some(Check::Callout)) =>
            {
                Answer::Refused {
                    stage: Stage::Rcpt,
                    kind: None,
                    reply: reply.clone(),
                }
            }
            Some(Asked::Unanswered(_)) => {
                self.refused(Stage::Rcpt, &Reason::new(Kind::NexthopDown))
            }
            _ => Answer::Accepted,
        }
    }

    fn refused(&self, stage: Stage, reason: &Reason) -> Answer {
        let Some(&listener) = self.listeners.first() else {
            return Answer::Accepted;
        };
        let told = Told {
            listener,
            client: self.envelope.client,
            reference: reference(self.cx),
            language: self.admission.language(),
            recipient: (stage >= Stage::Rcpt).then_some(&self.admission.recipient),
        };
        Answer::Refused {
            stage,
            kind: Some(reason.kind),
            reply: refusal(self.cx, stage, reason, &told),
        }
    }

    /// The whole in words.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections = vec![
            ("envelope", self.envelope_lines()),
            (
                "listeners",
                self.listeners
                    .iter()
                    .map(|listener| listener_line(listener))
                    .collect(),
            ),
            ("route", self.route_lines()),
            ("lists", self.list_lines()),
        ];
        if let Some(taken) = &self.admission.route {
            sections.push(("mailbox", self.mailbox_lines(taken)));
            sections.push(("nexthops", nexthop_lines(&taken.route)));
            sections.push(("engines", engine_lines(&taken.route)));
            sections.push((
                "refusals",
                vec![format!("in language {}", taken.route.language)],
            ));
        }
        sections.push(("answer", self.answer_lines()));
        sections
    }

    fn envelope_lines(&self) -> Vec<String> {
        let mut lines = vec![format!("to {}", self.envelope.forward_path.to_wire())];
        if self.admission.recipient != self.envelope.forward_path {
            lines.push(format!(
                "which is {}, the postmaster of this node (RFC 5321 4.5.1)",
                self.admission.recipient.to_wire()
            ));
        }
        lines.push(match &self.envelope.reverse_path {
            Some(path) => format!("from {}", path.to_wire()),
            None => "from anybody (--from asks about a reverse-path)".to_owned(),
        });
        lines.push(match &self.envelope.client {
            Some(ip) => format!("client {ip}"),
            None => "client: any (--client asks about an address)".to_owned(),
        });
        if self.envelope.authenticated {
            lines.push("the client has logged in".to_owned());
        }
        lines
    }

    fn route_lines(&self) -> Vec<String> {
        let Some(taken) = &self.admission.route else {
            let domain = self.admission.recipient.domain();
            let domain = domain.map(ToString::to_string).unwrap_or_default();
            let mut lines = vec![
                format!("none: no [[route]] has {domain}, nor a wildcard above it"),
                "relaying is denied".to_owned(),
            ];
            let may_relay = self.envelope.may_relay(self.cx);
            if let Some(route) = self.cx.table.route_for_rest()
                && !may_relay
            {
                lines.push(format!(
                    "the route for \"*\" ({}) is for clients of [node] trusted_networks, and those that log in (--authenticated)",
                    route.origin
                ));
            } else if may_relay {
                lines.push(
                    "the client may relay, but no [[route]] has domains = [\"*\"]".to_owned(),
                );
            }
            return lines;
        };
        let customer = taken.route.customer.as_ref();
        let customer = customer
            .map(|name| format!(" (customer {name})"))
            .unwrap_or_default();
        vec![
            format!(
                "{}{customer}, by its domain {}",
                taken.route.label,
                rule_words(taken)
            ),
            if taken.is_rest() {
                "relaying is not denied: the client is trusted, or has logged in".to_owned()
            } else {
                "relaying is not denied".to_owned()
            },
        ]
    }

    fn list_lines(&self) -> Vec<String> {
        let admission = self.admission;
        let mut lines = vec![entry_line("recipient", admission.recipient_entry.as_ref())];
        if self.envelope.reverse_path.is_some() {
            lines.push(entry_line(
                "reverse-path",
                admission.reverse_path_entry.as_ref(),
            ));
        }
        if self.envelope.client.is_some() {
            lines.push(entry_line("client", admission.client_entry.as_ref()));
        }
        let entries = admission.entries();
        let on = |list| entries.iter().any(|entry| entry.list == list);
        if on(List::Allow) {
            lines.push("what an allow list names is not refused as spam or for an attachment; for a virus it is".to_owned());
        }
        if on(List::Allow) && on(List::Block) {
            lines.push(match admission.verdict.is_accept() {
                true => "the allow entry lifts the block entry".to_owned(),
                false => "the block entry comes first: the allow entry is not looked at by then"
                    .to_owned(),
            });
        }
        lines
    }

    fn mailbox_lines(&self, taken: &Taken) -> Vec<String> {
        let first = taken.route.route.nexthops.first();
        let first = first.map(ToString::to_string).unwrap_or_default();
        let mut lines = vec![match self.admission.check {
            Some(Check::Postmaster) => {
                "postmaster exists in every domain (RFC 5321 4.5.1)".to_owned()
            }
            Some(Check::File { listed: true }) => "stands in the recipients file".to_owned(),
            Some(Check::File { listed: false }) => {
                "does not stand in the recipients file".to_owned()
            }
            Some(Check::CutThrough) => {
                format!("not checked here: {first} is dialled at RCPT, and its answer is passed on")
            }
            Some(Check::Callout) => {
                format!("callout: {first} is asked by RCPT, unless its answer is still remembered")
            }
            Some(Check::Any) | None => "any is taken: nobody is asked".to_owned(),
        }];
        match self.asked {
            Some(Asked::Answered { nexthop, reply }) => {
                lines.push(format!(
                    "asked just now, {nexthop} says: {}",
                    reply_words(reply)
                ));
            }
            Some(Asked::Unanswered(why)) => lines.push(format!("asked just now: {why}")),
            None if matches!(
                self.admission.check,
                Some(Check::CutThrough | Check::Callout)
            ) =>
            {
                lines.push("--ask asks it now".to_owned());
            }
            None => {}
        }
        lines
    }

    fn answer_lines(&self) -> Vec<String> {
        match self.answer() {
            Answer::Refused { stage, kind, reply } => {
                let word = match reply.is_transient() {
                    true => "deferred",
                    false => "refused",
                };
                let why = kind.map_or("by the nexthop, in its words", Kind::name);
                vec![
                    format!("{word} {} ({why})", stage_words(stage)),
                    reply_words(&reply),
                ]
            }
            Answer::Accepted => {
                vec!["accepted at RCPT; the message decides the rest (gatepost scan)".to_owned()]
            }
        }
    }

    /// The whole as one JSON object.
    pub fn json(&self) -> Value {
        let admission = self.admission;
        let answer = match self.answer() {
            Answer::Accepted => json!({ "outcome": "accept", "stage": Stage::Rcpt }),
            Answer::Refused { stage, kind, reply } => json!({
                "outcome": if reply.is_transient() { "defer" } else { "refuse" },
                "stage": stage,
                "kind": kind,
                "detail": admission.verdict.reason().map(|reason| &reason.detail),
                "reply": reply_words(&reply),
            }),
        };
        json!({
            "recipient": admission.recipient.to_string(),
            "reverse_path": self.envelope.reverse_path.as_ref().map(ToString::to_string),
            "client": self.envelope.client,
            "listeners": self.listeners.iter().map(|listener| &*listener.name).collect::<Vec<_>>(),
            "route": admission.route.as_ref().map(route_json),
            "lists": admission.entries(),
            "mailbox": admission.check.map(check_word),
            "asked": self.asked.map(|asked| match asked {
                Asked::Answered { nexthop, reply } => json!({ "nexthop": nexthop, "reply": reply_words(reply) }),
                Asked::Unanswered(why) => json!({ "error": why }),
            }),
            "answer": answer,
        })
    }
}

/// A reply in one line, with its code and status.
pub fn reply_words(reply: &Reply) -> String {
    let text: Vec<&str> = reply.lines().collect();
    match reply.status() {
        Some(status) => format!("{} {status} {}", reply.code(), text.join(" ")),
        None => format!("{} {}", reply.code(), text.join(" ")),
    }
}

fn check_word(check: Check) -> &'static str {
    match check {
        Check::Postmaster => "postmaster",
        Check::Any => "any",
        Check::File { listed: true } => "listed",
        Check::File { listed: false } => "not-listed",
        Check::CutThrough => "cut-through",
        Check::Callout => "callout",
    }
}

fn listener_line(listener: &ListenerContext) -> String {
    let settings = &listener.settings;
    let bind: Vec<String> = settings.bind.iter().map(ToString::to_string).collect();
    format!(
        "{} on {}: messages up to {} bytes",
        listener.name,
        bind.join(" "),
        settings.message_size_max
    )
}

fn rule_words(taken: &Taken) -> String {
    if taken.rule == taken.domain {
        taken.rule.clone()
    } else {
        format!("{}, which covers {}", taken.rule, taken.domain)
    }
}

fn entry_line(what: &str, entry: Option<&ListMatch>) -> String {
    match entry {
        None => format!("{what}: on no list"),
        Some(entry) => {
            let list = match entry.list {
                List::Allow => "[allow]",
                List::Block => "[block]",
            };
            format!("{what}: {list} has the entry {}", entry.entry)
        }
    }
}

fn nexthop_lines(route: &RouteContext) -> Vec<String> {
    let settings = &route.route;
    let mut lines: Vec<String> = (1..)
        .zip(&settings.nexthops)
        .map(|(number, nexthop)| format!("{number}. {nexthop}"))
        .collect();
    if settings.nexthops.iter().any(|nexthop| !nexthop.is_remote()) {
        return lines;
    }
    if settings.nexthops.len() > 1 {
        lines.push(
            match settings.nexthop_order {
                NexthopOrder::Failover => "in this order: the next one where one fails",
                NexthopOrder::Random => "beginning with any of them; the next one where one fails",
            }
            .to_owned(),
        );
    }
    let is_tcp = |nexthop: &Nexthop| !matches!(nexthop, Nexthop::Lmtp(Address::Unix(_)));
    if settings.nexthops.iter().any(is_tcp) {
        lines.push(
            match settings.nexthop_tls {
                NexthopTls::Off => "TLS: never",
                NexthopTls::Opportunistic => "TLS: where offered, any certificate",
                NexthopTls::Require => "TLS: always, with a certificate of the nexthop's name",
                NexthopTls::Dane => {
                    "TLS: as its TLSA records say; without any where offered, any certificate"
                }
                NexthopTls::DaneOnly => "TLS: as its TLSA records say, and never without",
            }
            .to_owned(),
        );
    }
    if let Some(auth) = &settings.nexthop_auth {
        lines.push(format!("logs in as {}", auth.user));
    }
    lines.push(
        if settings.cut_through {
            "cut-through: its transaction runs along with the client's"
        } else {
            "no cut-through: the message is queued, and delivered from there"
        }
        .to_owned(),
    );
    lines
}

fn engine_lines(route: &RouteContext) -> Vec<String> {
    let engine = |(name, rule): (&String, &crate::policy::EngineRule)| {
        if !rule.enabled {
            return format!("{name}: off");
        }
        if name == AUTH {
            return format!("{name}: {}", dmarc_words(route.route.dmarc));
        }
        let thresholds = match (rule.likely, rule.sure) {
            (None, None) if name == CONTENT => {
                format!("likely from {LIKELY_POINTS}, never sure by itself")
            }
            (None, None) if name == scan::attachment::NAME => "refuses banned files".to_owned(),
            (None, None) => "by its own thresholds".to_owned(),
            (Some(likely), None) => format!("likely from {likely}, sure by its own"),
            (None, Some(sure)) => format!("likely by its own, sure from {sure}"),
            (Some(likely), Some(sure)) => format!("likely from {likely}, sure from {sure}"),
        };
        let on_failure = match rule.on_failure {
            OnFailure::Open => "while it is unavailable, messages go on without it",
            OnFailure::Defer => "while it is unavailable, messages are deferred",
        };
        format!("{name}: {thresholds}; {on_failure}")
    };
    let lines: Vec<String> = route.route.engines.iter().map(engine).collect();
    if lines.is_empty() {
        vec!["none".to_owned()]
    } else {
        lines
    }
}

/// What follows from DMARC.
fn dmarc_words(action: DmarcAction) -> &'static str {
    match action {
        DmarcAction::Refuse => {
            "what DMARC asks to be rejected is refused, what it asks to be quarantined is likely spam"
        }
        DmarcAction::Likely => "what DMARC asks to be rejected or quarantined is likely spam",
        DmarcAction::Note => "what DMARC asks for is only noted",
    }
}

fn route_json(taken: &Taken) -> Value {
    let route = &taken.route.route;
    json!({
        "origin": route.origin,
        "customer": route.customer,
        "domain": taken.domain,
        "rule": taken.rule,
        "nexthops": route.nexthops.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "nexthop_order": match route.nexthop_order {
            NexthopOrder::Failover => "failover",
            NexthopOrder::Random => "random",
        },
        "nexthop_tls": route.nexthop_tls.as_str(),
        "cut_through": route.cut_through,
        "language": route.language,
        "engines": route.engines,
    })
}
