//! The daily round: reports on the days before, to every domain that asks for them (RFC 8460 sections 3 and 4.1).
//!
//! It begins at a time of the day that chance chooses, so that not all the world reports at midnight. What could not be sent is
//! tried again with the next round; after three days it is given up.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use net::resolver::{DnsError, Resolver};
use queue::{Envelope, Origin, QueuedRecipient, Submission};
use smtp::{ForwardPath, MailParameters, Mailbox, RcptParameters, ReversePath};

use super::TlsReports;
use super::document::{Document, Reported};
use super::message::{Letterhead, message};
use super::record::{Destination, destinations};
use crate::config::DailyReportSettings;
use crate::deliver::https::{Https, Resource};
use crate::deliver::sts::cache::unix_seconds;
use crate::event::Event;
use crate::journal::Journal;

/// How often it is looked whether there is something to report.
const INTERVAL: Duration = Duration::from_secs(900);
/// The round begins within the first four hours of the day (RFC 8460 section 4.1), UTC, but not at once: results of the day
/// before may still come.
const BEGIN_SECONDS: std::ops::Range<u64> = 600..4 * 3600;
/// A report that nobody takes for so long is given up.
const LIFETIME_MILLISECONDS: u64 = 3 * 86_400_000;
/// Bytes of an answer to a POST.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
const DAY_SECONDS: u64 = 86_400;

/// What a round needs of the snapshot in force.
pub struct Desk<'a> {
    /// Who reports.
    pub settings: &'a DailyReportSettings,
    /// Our name.
    pub node: &'a str,
    /// Whether domains ask for reports.
    pub resolver: &'a Resolver,
    /// For reports by POST.
    pub https: &'a Https,
    /// Where it is told.
    pub journal: &'a Journal,
}

/// A message that goes into the queue, from nobody (`<>`), to `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The recipient.
    pub to: Mailbox,
    /// The domain to sign for.
    pub from_domain: String,
    /// Header section and body.
    pub content: Bytes,
}

impl Outgoing {
    /// What is submitted to the queue: from nobody, so that nothing comes back; `signature` is a header field with its line end, or
    /// nothing. Its own header field TLS-Required lets it through where the policy it reports on is broken.
    pub fn into_submission(self, reference: String, signature: Option<Bytes>) -> Submission {
        let recipient = QueuedRecipient {
            forward_path: ForwardPath::Mailbox(self.to),
            parameters: RcptParameters::default(),
        };
        Submission {
            envelope: Envelope {
                reference,
                origin: Origin::AggregateReport,
                arrived: unix_seconds().saturating_mul(1000),
                customer: Arc::from(""),
                reverse_path: ReversePath::Null,
                mail: MailParameters::default(),
                eight_bit: false,
                submitted: false,
                lifetime: LIFETIME_MILLISECONDS,
                delay_warning: 0,
                recipients: vec![recipient],
            },
            content: signature.into_iter().chain([self.content]).collect(),
        }
    }
}

/// The time between two looks: a quarter of an hour, more or less.
pub fn interval() -> Duration {
    INTERVAL.mul_f64(0.8 + 0.4 * fastrand::f64())
}

/// The second of the day from which this process reports.
pub fn begin_second() -> u64 {
    fastrand::u64(BEGIN_SECONDS)
}

impl TlsReports {
    /// Sends what is due, if the time of the day has come. `post` puts a message into the queue, signed, and says why it could not.
    pub async fn round<P, F>(&self, desk: &Desk<'_>, begin_second: u64, post: P)
    where
        P: Fn(Outgoing) -> F,
        F: Future<Output = Result<(), String>>,
    {
        let now = unix_seconds();
        if now % DAY_SECONDS >= begin_second {
            self.report(desk, now, post).await;
        }
    }

    async fn report<P, F>(&self, desk: &Desk<'_>, now: u64, post: P)
    where
        P: Fn(Outgoing) -> F,
        F: Future<Output = Result<(), String>>,
    {
        let due = self.with(|tally| tally.due(now)).unwrap_or_default();
        for (day, domain) in due {
            let records = desk.resolver.txt(&format!("_smtp._tls.{domain}")).await;
            let to = match records {
                Ok(records) => destinations(&records),
                Err(DnsError::NoSuchName | DnsError::NoRecord) => Vec::new(),
                Err(DnsError::Temporary { .. }) => continue,
            };
            let policies = self.with(|tally| tally.of(day, &domain));
            let reported = Reported {
                day,
                policies: policies.unwrap_or_default(),
                domain,
            };
            if to.is_empty() || desk.send(&reported, &to, &post).await {
                self.with(|tally| tally.done(day, &reported.domain));
            }
        }
    }
}

impl Desk<'_> {
    /// Whether one destination has it, which is enough (RFC 8460 section 3).
    async fn send<P, F>(&self, reported: &Reported, to: &[Destination], post: &P) -> bool
    where
        P: Fn(Outgoing) -> F,
        F: Future<Output = Result<(), String>>,
    {
        let Ok(document) = reported.document(self.settings, self.node) else {
            return false;
        };
        let mut sent = false;
        for destination in to {
            let (place, done) = match destination {
                Destination::Mailto(to) => {
                    let outgoing = self.outgoing(reported, to, &document);
                    (format!("mailto:{to}"), post(outgoing).await)
                }
                Destination::Https(resource) => {
                    let Resource { host, path, .. } = resource;
                    let posted = self.post(resource, &document).await;
                    (format!("https://{host}{path}"), posted)
                }
            };
            sent |= done.is_ok();
            self.tell(reported, place, done);
        }
        sent
    }

    fn outgoing(&self, reported: &Reported, to: &Mailbox, document: &Document) -> Outgoing {
        let letterhead = Letterhead {
            settings: self.settings,
            node: self.node,
            domain: &reported.domain,
            to,
            time: Timestamp::now(),
        };
        Outgoing {
            to: to.clone(),
            from_domain: self.settings.from.domain.to_string(),
            content: message(&letterhead, document).into(),
        }
    }

    async fn post(&self, resource: &Resource, document: &Document) -> Result<(), String> {
        let content = Bytes::from(document.gzip.clone());
        let media_type = "application/tlsrpt+gzip";
        let answer = self
            .https
            .post(resource, media_type, content, ANSWER_BYTES_MAX)
            .await;
        match answer {
            Ok(answer) if answer.status.is_success() => Ok(()),
            Ok(answer) => Err(format!("the web server answers {}", answer.status)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn tell(&self, reported: &Reported, to: String, done: Result<(), String>) {
        let (mut successes, mut failures) = (0u64, 0u64);
        for (_, counts) in &reported.policies {
            successes = successes.saturating_add(counts.successes);
            failures = failures.saturating_add(counts.failures);
        }
        let domain = reported.domain.clone();
        self.journal.emit(&match done {
            Ok(()) => Event::TlsReportSent {
                domain,
                to,
                successes,
                failures,
            },
            Err(detail) => Event::TlsReportFailed { domain, to, detail },
        });
    }
}

#[cfg(test)]
mod tests;
