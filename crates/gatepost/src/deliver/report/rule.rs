//! Who may be written to about a message (RFC 3461 4.1 and 6.2, RFC 5321 4.5.5 and 6.1).
//!
//! A report to an address that did not send the message is backscatter: it goes only where the transaction has proven the
//! reverse-path, unless an operator wants otherwise. What may go to nobody else goes to our postmaster: no message that was
//! accepted is lost without anybody being told. docs/adr/0014-reports-and-backscatter.md has the reasons.

use queue::Origin;
use smtp::{Mailbox, Notify};

use super::{Action, Concerned, ReportFacts};

/// Who gets reports on messages whose reverse-path is not proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unproven {
    /// Our postmaster, and only on failures.
    Postmaster,
    /// The reverse-path, as RFC 5321 6.1 has it.
    ReversePath,
}

/// Who gets a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addressee<'a> {
    /// The reverse-path of the message.
    ReversePath {
        /// The reverse-path.
        mailbox: &'a Mailbox,
        /// The places in [`ReportFacts::concerned`] that it wants to hear of; not empty.
        told: Vec<usize>,
    },
    /// Our postmaster in its place.
    Postmaster {
        /// Why the reverse-path does not.
        because: Silence,
        /// The places in [`ReportFacts::concerned`] that failed; not empty.
        told: Vec<usize>,
    },
    /// Nobody.
    Nobody(Silence),
}

/// Why there is no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It is the null one (RFC 5321 4.5.5).
    NullReversePath,
    /// The message is a report of ours, or a report on TLS (RFC 3461 6.2, RFC 8460 5.3).
    OwnReport,
    /// The transaction has not proven that the sender is who the reverse-path says.
    Unproven,
    /// Whoever sent the message does not want it (RFC 3461 4.1).
    Unwanted,
    /// Our postmaster would have to be told, and gets too many reports already.
    TooMany,
}

impl Silence {
    /// The word in events.
    pub const fn word(self) -> &'static str {
        match self {
            Silence::NullReversePath => "null-reverse-path",
            Silence::OwnReport => "own-report",
            Silence::Unproven => "unproven",
            Silence::Unwanted => "unwanted",
            Silence::TooMany => "too-many",
        }
    }
}

/// Who gets the report on these facts. What does not go to the reverse-path is for an event to say.
pub fn addressee<'a>(facts: &ReportFacts<'a>) -> Addressee<'a> {
    let places = |wanted: &dyn Fn(&Concerned<'_>) -> bool| -> Vec<usize> {
        let concerned = facts.concerned.iter().enumerate();
        concerned
            .filter(|(_, concerned)| wanted(concerned))
            .map(|(place, _)| place)
            .collect()
    };
    let envelope = facts.envelope;
    let because = match (envelope.origin, envelope.reverse_path.mailbox()) {
        (Origin::Report | Origin::AggregateReport, _) => Silence::OwnReport,
        (Origin::Received, None) => Silence::NullReversePath,
        (Origin::Received, Some(mailbox)) => {
            let proven = envelope.submitted || facts.proven;
            if proven || facts.reporter.unproven == Unproven::ReversePath {
                let told = places(&|concerned| is_wanted(facts, concerned));
                return match told.is_empty() {
                    true => Addressee::Nobody(Silence::Unwanted),
                    false => Addressee::ReversePath { mailbox, told },
                };
            }
            Silence::Unproven
        }
    };
    // A success is no loss, and a delay is not one yet; who asked for silence on failures is not overheard either.
    let lost = |concerned: &Concerned<'_>| {
        concerned.action == Action::Failed && is_wanted(facts, concerned)
            || is_lost_report(facts, concerned)
    };
    let told = places(&lost);
    if told.is_empty() || envelope.origin == Origin::AggregateReport || is_for_postmaster(facts) {
        return Addressee::Nobody(because);
    }
    Addressee::Postmaster { because, told }
}

/// Reports carry NOTIFY=NEVER, which forbids other servers a report on them; our own postmaster still learns of a lost one.
fn is_lost_report(facts: &ReportFacts<'_>, concerned: &Concerned<'_>) -> bool {
    facts.envelope.origin == Origin::Report && concerned.action == Action::Failed
}

/// Here the chain ends: a report that our postmaster can't be given is told by an event alone.
fn is_for_postmaster(facts: &ReportFacts<'_>) -> bool {
    let postmaster = &facts.reporter.postmaster;
    let to_postmaster = |concerned: &Concerned<'_>| {
        let index = usize::try_from(concerned.index).unwrap_or(usize::MAX);
        let recipient = facts.envelope.recipients.get(index);
        recipient.is_some_and(|recipient| recipient.forward_path.mailbox() == Some(postmaster))
    };
    facts.envelope.origin == Origin::Report && facts.concerned.iter().any(to_postmaster)
}

/// RFC 3461 4.1: without NOTIFY failures are reported, and delays may be; successes only if asked for.
fn is_wanted(facts: &ReportFacts<'_>, concerned: &Concerned<'_>) -> bool {
    let index = usize::try_from(concerned.index).unwrap_or(usize::MAX);
    let Some(recipient) = facts.envelope.recipients.get(index) else {
        return false;
    };
    let default = Notify {
        success: false,
        failure: true,
        delay: true,
    };
    let notify = recipient.parameters.notify.unwrap_or(default);
    match concerned.action {
        Action::Failed => notify.failure,
        Action::Delayed => notify.delay,
        Action::Relayed | Action::Expanded | Action::Delivered => notify.success,
    }
}
