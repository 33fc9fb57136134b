//! Which messages are meant: the filters of lists and actions, read from a query or a body and held against messages.
//!
//! All that is given must hold. What is told of recipients (domain, address, state, reply, destination) must hold for one and
//! the same recipient, and actions are for those recipients only.

use std::collections::BTreeSet;
use std::time::Duration;

use queue::{Envelope, Listed, RecipientState};
use serde::{Deserialize, Serialize};
use smtp::{Domain, Mailbox, ReversePath};

use super::messages::{Facts, State, Waits};
use super::problem::Problem;
use crate::reference::Reference;

/// Bytes of one filter.
const VALUE_BYTES_MAX: usize = 512;
/// Bytes of the list of ids.
const IDS_BYTES_MAX: usize = 32 << 10;
/// Ids and references that one request may name.
pub const NAMES_MAX: usize = 1000;

/// Which messages are meant, as it is asked for. Nothing at all means every message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Ids in the queue or references, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// A recipient domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// A reverse-path; `@DOMAIN` for all of a domain, `<>` for the null reverse-path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reverse_path: Option<String>,
    /// A recipient; `@DOMAIN` for all of a domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// A customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// In the queue for longer than this, such as `2h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub older_than: Option<String>,
    /// In the queue for less than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub younger_than: Option<String>,
    /// Words of the last reply, or of what happened in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// `new`, `delayed`, `waiting` (either of these), `held`, `active` (under way just now) or `suspended`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// A part of the name of the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// A part of the nexthop that was tried last, or that an operator chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nexthop: Option<String>,
    /// No message with a higher id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to: Option<String>,
    /// So many messages at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
}

impl Filter {
    /// From the query of a request.
    ///
    /// # Errors
    /// A filter is unknown or given twice.
    pub fn from_query(query: &str) -> Result<Filter, Problem> {
        let mut values = serde_json::Map::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if values.contains_key(&*name) {
                let error = format!("the filter `{}` is given twice", name.escape_debug());
                return Err(Problem::bad(
                    error,
                    "give it once: all filters must hold at once",
                ));
            }
            values.insert(name.into_owned(), value.into_owned().into());
        }
        serde_json::from_value(values.into()).map_err(|error| {
            Problem::bad(
                format!("a filter can't be read: {error}"),
                "`gatepost queue list --help` names the filters",
            )
        })
    }

    /// Whether it names any message in particular; `up_to` and `limit` alone do not.
    pub fn is_narrow(&self) -> bool {
        let bounds = Filter {
            up_to: self.up_to.clone(),
            limit: self.limit.clone(),
            ..Filter::default()
        };
        *self != bounds
    }

    /// As a query.
    pub fn to_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Ok(serde_json::Value::Object(values)) = serde_json::to_value(self) {
            for (name, value) in &values {
                query.append_pair(name, value.as_str().unwrap_or_default());
            }
        }
        query.finish()
    }

    /// Ready to be held against messages.
    ///
    /// # Errors
    /// A value can't be read, or is too long.
    pub fn matcher(&self) -> Result<Matcher, Problem> {
        self.check_lengths()?;
        let duration = |name: &str, text: &Option<String>| {
            let read = |text: &String| {
                crate::config::duration(text)
                    .map_err(|(error, remedy)| Problem::bad(format!("{name}: {error}"), remedy))
            };
            text.as_ref().map(read).transpose()
        };
        let path = |name: &str, text: &Option<String>| {
            let read = |text: &String| Pattern::read(name, text);
            text.as_ref().map(read).transpose()
        };
        Ok(Matcher {
            names: self.names()?,
            domain: self.domain.as_deref().map(domain).transpose()?,
            reverse_path: path("reverse_path", &self.reverse_path)?,
            recipient: path("recipient", &self.recipient)?,
            customer: self.customer.clone(),
            older_than: duration("older_than", &self.older_than)?,
            younger_than: duration("younger_than", &self.younger_than)?,
            text: self.text.as_deref().map(str::to_lowercase),
            state: self.state.as_deref().map(Standing::read).transpose()?,
            site: self.site.as_deref().map(str::to_lowercase),
            nexthop: self.nexthop.as_deref().map(str::to_lowercase),
            up_to: number("up_to", self.up_to.as_deref())?,
            limit: number("limit", self.limit.as_deref())?.unwrap_or(u64::MAX),
        })
    }

    fn check_lengths(&self) -> Result<(), Problem> {
        let long = |name, value: &Option<String>, most| match value {
            // A variable of a script that is not set must not mean every message.
            Some(value) if value.trim().is_empty() => Err(Problem::bad(
                format!("the filter {name} is empty"),
                "give it a value, or leave it out; the null reverse-path is written <>",
            )),
            Some(value) if value.len() > most => Err(Problem::bad(
                format!("the filter {name} is longer than {most} bytes"),
                "shorten it, or ask several times",
            )),
            _ => Ok(()),
        };
        for (name, value) in [("id", &self.id), ("reference", &self.reference)] {
            long(name, value, IDS_BYTES_MAX)?;
        }
        for (name, value) in [
            ("domain", &self.domain),
            ("reverse_path", &self.reverse_path),
            ("recipient", &self.recipient),
            ("customer", &self.customer),
            ("older_than", &self.older_than),
            ("younger_than", &self.younger_than),
            ("text", &self.text),
            ("state", &self.state),
            ("site", &self.site),
            ("nexthop", &self.nexthop),
            ("up_to", &self.up_to),
            ("limit", &self.limit),
        ] {
            long(name, value, VALUE_BYTES_MAX)?;
        }
        Ok(())
    }

    fn names(&self) -> Result<Option<Names>, Problem> {
        if self.id.is_none() && self.reference.is_none() {
            return Ok(None);
        }
        let mut names = Names::default();
        for name in [&self.id, &self.reference]
            .into_iter()
            .flatten()
            .flat_map(|it| it.split(','))
        {
            let name = name.trim();
            if let Ok(id) = name.parse() {
                names.ids.insert(id);
            } else if let Ok(reference) = name.parse::<Reference>() {
                names.references.insert(reference.to_string());
            } else {
                return Err(Problem::bad(
                    format!(
                        "`{}` is neither an id in the queue nor a reference",
                        name.escape_debug()
                    ),
                    "write a number such as 4711, or a reference such as K7QX-3M9D-2F",
                ));
            }
        }
        if names.ids.len() + names.references.len() > NAMES_MAX {
            return Err(Problem::bad(
                format!("more than {NAMES_MAX} messages are named"),
                "ask several times, or use a filter",
            ));
        }
        Ok(Some(names))
    }
}

/// Messages that were named one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// By their ids in the queue.
    pub ids: BTreeSet<u64>,
    /// By the references of their transactions, in their usual form.
    pub references: BTreeSet<String>,
}

/// A filter that can be held against messages.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// Those that were named; `None` for all.
    pub names: Option<Names>,
    /// No message with a higher id.
    pub up_to: Option<u64>,
    /// So many messages at most.
    pub limit: u64,
    domain: Option<String>,
    reverse_path: Option<Pattern>,
    recipient: Option<Pattern>,
    customer: Option<String>,
    older_than: Option<Duration>,
    younger_than: Option<Duration>,
    text: Option<String>,
    state: Option<Standing>,
    site: Option<String>,
    nexthop: Option<String>,
}

impl Matcher {
    /// Whether the message may be meant, as far as its envelope tells. `now` is in milliseconds since 1970 UTC.
    pub fn takes(&self, listed: &Listed, now: u64) -> bool {
        let envelope: &Envelope = &listed.envelope;
        let age = Duration::from_millis(now.saturating_sub(envelope.arrived));
        let is_named = |names: &Names| {
            names.ids.contains(&listed.id.0) || names.references.contains(&envelope.reference)
        };
        self.names.as_ref().is_none_or(is_named)
            && self.older_than.is_none_or(|older| age > older)
            && self.younger_than.is_none_or(|younger| age < younger)
            && self
                .customer
                .as_ref()
                .is_none_or(|customer| **customer == *envelope.customer)
            && self
                .reverse_path
                .as_ref()
                .is_none_or(|path| match &envelope.reverse_path {
                    ReversePath::Null => *path == Pattern::Null,
                    ReversePath::Mailbox(mailbox) => path.is(mailbox),
                })
    }

    /// Whether the recipient at this place is meant: only one that waits is. `waits` tells what it waits for.
    pub fn takes_recipient(&self, listed: &Listed, at: usize, waits: &mut Waits<'_>) -> bool {
        let (Some(recipient), Some(queued)) = (
            listed.recipients.get(at),
            listed.envelope.recipients.get(at),
        ) else {
            return false;
        };
        if !matches!(
            recipient.state,
            RecipientState::Waiting | RecipientState::Held
        ) {
            return false;
        }
        let path = &queued.forward_path;
        let domain = self.domain.as_ref();
        domain.is_none_or(|domain| path.domain().is_some_and(|it| *it.ascii() == **domain))
            && self
                .recipient
                .as_ref()
                .is_none_or(|wanted| match path.mailbox() {
                    Some(mailbox) => wanted.is(mailbox),
                    None => *wanted == Pattern::Mailbox("postmaster".to_owned()),
                })
            && self.takes_circumstances(listed, at, waits)
    }

    fn takes_circumstances(&self, listed: &Listed, at: usize, waits: &mut Waits<'_>) -> bool {
        if [&self.text, &self.site, &self.nexthop]
            .iter()
            .all(|it| it.is_none())
            && self.state.is_none()
        {
            return true;
        }
        let contains = |text: &str, wanted: &str| text.to_lowercase().contains(wanted);
        let facts = waits.facts(listed, at);
        let of_last = |part: &str| facts.reply.as_deref().is_some_and(|it| contains(it, part));
        let of_site = |part: &str| facts.site.as_deref().is_some_and(|it| contains(it, part));
        let of_nexthop = |part: &str| {
            let mut known = [&facts.nexthop, &facts.rerouted].into_iter().flatten();
            known.any(|it| contains(it, part))
        };
        self.state.is_none_or(|state| state.is_of(&facts))
            && self.text.as_deref().is_none_or(of_last)
            && self.site.as_deref().is_none_or(of_site)
            && self.nexthop.as_deref().is_none_or(of_nexthop)
    }
}

/// How a recipient must fare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    In(State),
    Waiting,
    Active,
    Suspended,
}

impl Standing {
    fn read(text: &str) -> Result<Standing, Problem> {
        Ok(match text {
            "new" => Standing::In(State::New),
            "delayed" => Standing::In(State::Delayed),
            "held" => Standing::In(State::Held),
            "waiting" => Standing::Waiting,
            "active" => Standing::Active,
            "suspended" => Standing::Suspended,
            other => {
                let error = format!("state: `{}` is none that waits", other.escape_debug());
                let remedy = "write new, delayed, waiting, held, active or suspended";
                return Err(Problem::bad(error, remedy));
            }
        })
    }

    fn is_of(self, facts: &Facts) -> bool {
        match self {
            Standing::In(state) => facts.state == state,
            Standing::Waiting => matches!(facts.state, State::New | State::Delayed),
            Standing::Active => facts.active,
            Standing::Suspended => facts.suspended,
        }
    }
}

/// What an address must be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// The null reverse-path.
    Null,
    /// Of this domain: lower case, A-labels.
    Domain(String),
    /// This one: lower case.
    Mailbox(String),
}

impl Pattern {
    fn read(name: &str, text: &str) -> Result<Pattern, Problem> {
        let bare = text.trim().trim_start_matches('<').trim_end_matches('>');
        if bare.is_empty() {
            return Ok(Pattern::Null);
        }
        if let Some(name) = bare.strip_prefix('@') {
            return Ok(Pattern::Domain(domain(name)?));
        }
        if bare.eq_ignore_ascii_case("postmaster") {
            return Ok(Pattern::Mailbox("postmaster".to_owned()));
        }
        let mailbox: Mailbox = bare.parse().map_err(|_| {
            let error = format!("{name}: `{}` is not an address", text.escape_debug());
            Problem::bad(
                error,
                "write ann@example.org, or @example.org for all of a domain",
            )
        })?;
        Ok(Pattern::Mailbox(text_of(&mailbox)))
    }

    fn is(&self, mailbox: &Mailbox) -> bool {
        match self {
            Pattern::Null => false,
            Pattern::Domain(domain) => *mailbox.domain.ascii() == **domain,
            // RFC 5321 2.4 leaves the case of local-parts to their hosts: who looks for one does not know it.
            Pattern::Mailbox(wanted) => text_of(mailbox) == *wanted,
        }
    }
}

fn text_of(mailbox: &Mailbox) -> String {
    format!(
        "{}@{}",
        mailbox.local_part.as_str().to_lowercase(),
        mailbox.domain.ascii()
    )
}

/// A domain as lanes have it: lower case, A-labels.
pub(super) fn domain(text: &str) -> Result<String, Problem> {
    let domain: Domain = text.parse().map_err(|_| {
        let error = format!("`{}` is not a domain", text.escape_debug());
        Problem::bad(error, "write a domain such as example.org")
    })?;
    Ok(domain.ascii().into_owned())
}

fn number(name: &str, text: Option<&str>) -> Result<Option<u64>, Problem> {
    let read = |text: &str| {
        text.parse().map_err(|_| {
            let error = format!("{name}: `{}` is not a number", text.escape_debug());
            Problem::bad(error, "write digits only")
        })
    };
    text.map(read).transpose()
}

#[cfg(test)]
mod tests;
