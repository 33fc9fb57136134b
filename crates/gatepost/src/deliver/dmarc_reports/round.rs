//! The daily round: reports on the days before, to every domain that asks for them (RFC 9990 section 3).
//!
//! It begins with the round of the reports on TLS. What could not be sent is tried again with the next look; after three days it is
//! given up.

use std::future::Future;

use jiff::Timestamp;
use net::resolver::Resolver;

use super::DmarcReports;
use super::destination::destinations;
use super::document::{Reported, message};
use crate::config::DailyReportSettings;
use crate::deliver::sts::cache::unix_seconds;
use crate::deliver::tls_reports::round::Outgoing;
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
        for (day, published) in due {
            let Ok(to) = destinations(desk.resolver, &published).await else {
                continue;
            };
            let rows = self.with(|tally| tally.of(day, &published));
            let reported = Reported {
                day,
                published,
                rows: rows.unwrap_or_default(),
            };
            let Ok(document) = reported.document(desk.settings, desk.node) else {
                continue;
            };
            let domain = &reported.published.record.domain;
            let mut sent = to.is_empty();
            for to in to {
                let (settings, time) = (desk.settings, Timestamp::now());
                let content = message(settings, desk.node, domain, &to, &document, time);
                let outgoing = Outgoing {
                    to: to.clone(),
                    from_domain: settings.from.domain.to_string(),
                    content: content.into(),
                };
                let done = post(outgoing).await;
                sent |= done.is_ok();
                desk.journal.emit(&match done {
                    Ok(()) => Event::DmarcReportSent {
                        domain: domain.clone(),
                        to: to.to_string(),
                        messages: reported.messages(),
                    },
                    Err(detail) => Event::DmarcReportFailed {
                        domain: domain.clone(),
                        to: to.to_string(),
                        detail,
                    },
                });
            }
            if sent {
                self.with(|tally| tally.done(day, &reported.published));
            }
        }
    }
}

#[cfg(test)]
mod tests;
