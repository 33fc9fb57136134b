//! The daily round: reports on the days before, to every domain that asks for them (RFC 9990 section 3).
//!
//! It begins with the round of the reports on TLS. What could not be sent is tried again with the next look; after three days it is
//! given up.

use std::future::Future;
use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use net::resolver::Resolver;
use smtp::Mailbox;

use super::DmarcReports;
use super::destination::destinations;
use super::document::{Reported, message};
use crate::config::DailyReportSettings;
use crate::deliver::daily::{NOBODY, ReportKind, ReportOutcome, UNKNOWN};
use crate::deliver::sts::cache::unix_seconds;
use crate::deliver::tls_reports::round::Outgoing;
use crate::deliver::tls_reports::tally::{DayNumber, day_text};
use crate::event::Event;
use crate::journal::Journal;

const DAY_SECONDS: u64 = 86_400;

/// What a round needs of the snapshot in force.
pub struct Desk<'a> {
    /// Who reports.
    pub settings: &'a DailyReportSettings,
    /// Our name.
    pub node: &'a str,
    /// Whether domains elsewhere take reports.
    pub resolver: &'a Resolver,
    /// Where it is told.
    pub journal: &'a Journal,
}

impl DmarcReports {
    /// Sends what is due, if the time of the day has come, and tells what became of it. `post` puts a message into the queue, signed,
    /// and says why it could not. One round at a time: what two of them found due would go out twice.
    pub async fn round<P, F>(
        &self,
        desk: &Desk<'_>,
        begin_second: u64,
        post: P,
    ) -> Vec<ReportOutcome>
    where
        P: Fn(Outgoing) -> F,
        F: Future<Output = Result<(), String>>,
    {
        let now = unix_seconds();
        if now % DAY_SECONDS < begin_second {
            return Vec::new();
        }
        let _one_at_a_time = self.rounds.lock().await;
        self.report(desk, now, post).await
    }

    async fn report<P, F>(&self, desk: &Desk<'_>, now: u64, post: P) -> Vec<ReportOutcome>
    where
        P: Fn(Outgoing) -> F,
        F: Future<Output = Result<(), String>>,
    {
        let due = self.with(|tally| tally.due(now)).unwrap_or_default();
        let mut outcomes = Vec::new();
        for (day, published) in due {
            let of = outcome(day, &published.record.domain);
            let Ok(to) = destinations(desk.resolver, &published).await else {
                outcomes.push(of(None, Some(UNKNOWN.to_owned()), true));
                continue;
            };
            if to.is_empty() {
                self.with(|tally| tally.done(day, &published));
                outcomes.push(of(None, Some(NOBODY.to_owned()), false));
                continue;
            }
            let rows = self.with(|tally| tally.of(day, &published));
            let reported = Reported {
                day,
                published: Arc::clone(&published),
                rows: rows.unwrap_or_default(),
            };
            let Ok(told) = desk.send(&reported, to, &post).await else {
                continue;
            };
            // One destination that has it is enough: to the others it would go twice.
            let sent = told.iter().any(|(_, done)| done.is_ok());
            if sent {
                self.with(|tally| tally.done(day, &published));
            }
            let told = told
                .into_iter()
                .map(|(to, done)| of(Some(to), done.err(), !sent));
            outcomes.extend(told);
        }
        outcomes
    }
}

impl Desk<'_> {
    /// To whom it went, and why it did not.
    async fn send<P, F>(
        &self,
        reported: &Reported,
        to: Vec<Mailbox>,
        post: &P,
    ) -> io::Result<Vec<(String, Result<(), String>)>>
    where
        P: Fn(Outgoing) -> F,
        F: Future<Output = Result<(), String>>,
    {
        let settings = self.settings;
        let document = reported.document(settings, self.node)?;
        let domain = &reported.published.record.domain;
        let mut told = Vec::new();
        for to in to {
            let time = Timestamp::now();
            let content = message(settings, self.node, domain, &to, &document, time);
            let outgoing = Outgoing {
                to: to.clone(),
                from_domain: settings.from.domain.to_string(),
                content: content.into(),
            };
            let done = post(outgoing).await;
            self.journal.emit(&match &done {
                Ok(()) => Event::DmarcReportSent {
                    domain: domain.clone(),
                    to: to.to_string(),
                    messages: reported.messages(),
                },
                Err(detail) => Event::DmarcReportFailed {
                    domain: domain.clone(),
                    to: to.to_string(),
                    detail: detail.clone(),
                },
            });
            told.push((to.to_string(), done));
        }
        Ok(told)
    }
}

fn outcome(
    day: DayNumber,
    domain: &str,
) -> impl Fn(Option<String>, Option<String>, bool) -> ReportOutcome {
    move |to, problem, is_kept| ReportOutcome {
        kind: ReportKind::Dmarc,
        day: day_text(day),
        domain: domain.to_owned(),
        to,
        problem,
        is_kept,
    }
}

#[cfg(test)]
mod tests;
