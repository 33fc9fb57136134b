//! What would happen to an envelope, and why: the stages connect, MAIL and RCPT as `serve` has them, without a session.
//!
//! The facts come from the same relay table, lists, recipient files and policy that decide in earnest; no nexthop is asked
//! (`explain::ask` does that, where it is wanted). `explain::words` tells it to people.

use std::net::IpAddr;
use std::sync::Arc;

use smtp::{ForwardPath, Reply, ReversePath};

use crate::config::RecipientCheck;
use crate::context::{Context, ListenerContext, RouteContext};
use crate::decision::Stage;
use crate::policy::{self, Kind, ListMatch, MailboxCheck, Reason, RecipientFacts, Relay, Verdict};
use crate::reference::Reference;
use crate::relay_table::RelayTable;
use crate::replies::{LANGUAGE_DEFAULT, Values};

pub mod ask;
pub mod words;

/// Who sends to whom, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Where the client connects from.
    pub client: Option<IpAddr>,
    /// It has proven who it is (AUTH).
    pub authenticated: bool,
    /// The reverse-path.
    pub reverse_path: Option<ReversePath>,
    /// The forward-path.
    pub forward_path: ForwardPath,
}

/// What comes of an envelope before its message.
#[derive(Clone)]
pub struct Admission {
    /// The recipient that counts: for `<Postmaster>` whom it means (RFC 5321 4.5.1).
    pub recipient: ForwardPath,
    /// The route that has the recipient's domain.
    pub route: Option<Taken>,
    /// The entry that matches the client.
    pub client_entry: Option<ListMatch>,
    /// The entry that matches the reverse-path.
    pub reverse_path_entry: Option<ListMatch>,
    /// The entry that matches the recipient.
    pub recipient_entry: Option<ListMatch>,
    /// How it is known whether the mailbox exists; `None` without a route.
    pub check: Option<Check>,
    /// The stage of the verdict: where it was refused, or RCPT.
    pub stage: Stage,
    /// Accepted, or why not.
    pub verdict: Verdict,
}

/// The route of a recipient and how it was found.
#[derive(Clone)]
pub struct Taken {
    /// The route.
    pub route: Arc<RouteContext>,
    /// The domain as it was looked up: lower-case A-labels.
    pub domain: String,
    /// The entry that matched: `example.org`, `*.example.org` or `*`.
    pub rule: String,
}

impl Taken {
    /// Whether it is the route of domains that no other has, which only some clients may relay to.
    pub fn is_rest(&self) -> bool {
        self.rule == RelayTable::REST
    }
}

/// How it is known whether a mailbox exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is postmaster, which exists in every domain (RFC 5321 4.5.1).
    Postmaster,
    /// The route takes any, and nobody is asked.
    Any,
    /// The recipients file has it, or not.
    File {
        /// Whether it stands there.
        listed: bool,
    },
    /// The nexthop tells when it is dialled at RCPT: cut-through.
    CutThrough,
    /// The nexthop is asked in a transaction of its own.
    Callout,
}

/// What `cx` makes of the envelope.
pub fn admit(cx: &Context, envelope: &Envelope) -> Admission {
    let recipient = cx.addressee(envelope.forward_path.clone());
    let may_relay = envelope.may_relay(cx);
    let route = recipient.domain().and_then(|domain| {
        let found = cx.table.explain_route(domain);
        let found = found.or_else(|| cx.table.explain_rest(domain).filter(|_| may_relay))?;
        Some(Taken {
            route: Arc::clone(cx.route_context(found.route)?),
            domain: found.domain,
            rule: found.rule,
        })
    });
    let mut admission = Admission {
        client_entry: envelope.client.and_then(|ip| cx.lists.client(ip)),
        reverse_path_entry: envelope
            .reverse_path
            .as_ref()
            .and_then(|path| cx.lists.reverse_path(path)),
        recipient_entry: recipient
            .mailbox()
            .and_then(|mailbox| cx.lists.recipient(mailbox)),
        check: route.as_ref().map(|taken| check(&taken.route, &recipient)),
        recipient,
        route,
        stage: Stage::Rcpt,
        verdict: Verdict::ACCEPT,
    };
    (admission.stage, admission.verdict) = admission.judge();
    admission
}

impl Envelope {
    /// Whether its client may relay to domains that are not ours.
    pub fn may_relay(&self, cx: &Context) -> bool {
        let trusted = |ip| cx.trusted_networks.contains(ip);
        self.authenticated || self.client.is_some_and(trusted)
    }
}

impl Admission {
    /// The entries that matched, in the order in which the stages find them.
    pub fn entries(&self) -> Vec<ListMatch> {
        let entries = [
            &self.client_entry,
            &self.reverse_path_entry,
            &self.recipient_entry,
        ];
        entries.into_iter().flatten().cloned().collect()
    }

    /// The language of a refusal.
    pub fn language(&self) -> &str {
        // Before RCPT no route is known, and none of its language.
        match &self.route {
            Some(taken) if self.stage >= Stage::Rcpt => &taken.route.language,
            _ => LANGUAGE_DEFAULT,
        }
    }

    fn judge(&self) -> (Stage, Verdict) {
        let mut lists: Vec<ListMatch> = self.client_entry.iter().cloned().collect();
        let verdict = policy::connect(&lists);
        if !verdict.is_accept() {
            return (Stage::Connect, verdict);
        }
        lists.extend(self.reverse_path_entry.clone());
        let verdict = policy::mail(&lists, None);
        if !verdict.is_accept() {
            return (Stage::Mail, verdict);
        }
        lists.extend(self.recipient_entry.clone());
        let facts = RecipientFacts {
            lists,
            relay: match self.route {
                Some(ref taken) if taken.is_rest() => Relay::Trusted,
                Some(_) => Relay::Routed,
                None => Relay::Denied,
            },
            mailbox: match self.check {
                Some(Check::File { listed: true } | Check::Postmaster) => MailboxCheck::Known,
                Some(Check::File { listed: false }) => {
                    MailboxCheck::Unknown("not in the recipients file".to_owned())
                }
                _ => MailboxCheck::Unchecked,
            },
        };
        (Stage::Rcpt, policy::rcpt(&facts))
    }
}

fn check(route: &RouteContext, recipient: &ForwardPath) -> Check {
    let is_postmaster = recipient.mailbox().is_none_or(|mailbox| {
        let local_part = mailbox.local_part.as_str();
        local_part.eq_ignore_ascii_case("postmaster")
    });
    match &route.route.recipients {
        RecipientCheck::Listed(_) if is_postmaster => Check::Postmaster,
        RecipientCheck::Listed(known) => Check::File {
            listed: recipient
                .mailbox()
                .is_some_and(|mailbox| known.contains(mailbox)),
        },
        _ if route.route.cut_through && route.dials() => Check::CutThrough,
        RecipientCheck::Callout(_) => Check::Callout,
        RecipientCheck::Any => Check::Any,
    }
}

/// What a refusal is told with.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// The listener that the client talks to.
    pub listener: &'a ListenerContext,
    /// Where it connects from.
    pub client: Option<IpAddr>,
    /// The transaction, from MAIL on.
    pub reference: Reference,
    /// The language.
    pub language: &'a str,
    /// The recipient, where the refusal concerns one.
    pub recipient: Option<&'a ForwardPath>,
}

/// The reply that the client would read.
pub fn refusal(cx: &Context, stage: Stage, reason: &Reason, told: &Told<'_>) -> Reply {
    let client = told.client.map(|ip| ip.to_string()).unwrap_or_default();
    let recipient = told.recipient.map(ToString::to_string).unwrap_or_default();
    let domain = told.recipient.and_then(ForwardPath::domain);
    let domain = domain.map(ToString::to_string).unwrap_or_default();
    let postmaster = cx.config.node.postmaster.to_string();
    let values = Values {
        reference: (stage > Stage::Connect).then_some(told.reference),
        link: "",
        recipient: &recipient,
        client: &client,
        reason: &reason.told,
        domain: &domain,
        size_max: (reason.kind == Kind::Size).then_some(told.listener.settings.message_size_max),
        postmaster: &postmaster,
        utf8: false,
    };
    match stage {
        Stage::Connect => cx
            .templates
            .render_at_connect(reason.kind, told.language, &values),
        _ => cx.templates.render(reason.kind, told.language, &values),
    }
}

/// A reference of this node for a transaction that never was: it stands in the reply only.
pub fn reference(cx: &Context) -> Reference {
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0);
    cx.services.references.next(now)
}

/// The stage in the words of RFC 5321.
pub fn stage_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "at connect, in place of the banner",
        Stage::Ehlo => "at EHLO",
        Stage::Auth => "at AUTH",
        Stage::Mail => "at MAIL",
        Stage::Rcpt => "at RCPT",
        Stage::Data => "at DATA",
        Stage::Message => "at the end of data",
    }
}
