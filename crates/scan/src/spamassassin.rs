//! SpamAssassin through spamd, by its protocol SPAMC/1.5 (spamd/PROTOCOL in its source): `SYMBOLS` gives the names of the
//! rules that matched, `REPORT` their scores too. spamd closes the connection after each reply.
//!
//! It sees our Received field on top of the message, since its network rules look there for the delivering client.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Buf;
use futures_util::future::BoxFuture;
use net::stream::Stream;

use crate::engine::{DaemonSettings, Engine, Health};
use crate::finding::{Finding, SpamClass, Unavailable, UnavailableCause};
use crate::limits;
use crate::pool::{Dialogue, Exchanged, Pool};
use crate::printable::{bracketed, printable, printable_bytes};
use crate::specimen::Specimen;
use crate::wire::Wire;

mod reply;

use reply::Rating;

/// What spamd is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpamassassinReport {
    /// The score and the names of the rules.
    #[default]
    Symbols,
    /// The score, and each rule with its own score and description.
    Report,
}

/// How spamd is used.
#[derive(Clone, Debug)]
pub struct SpamassassinSettings {
    /// Where spamd listens, and its limits. A message above `message_size_max` is not examined, which is a finding
    /// without a score, no failure: spam is small.
    pub daemon: DaemonSettings,
    /// Whose preferences apply, if not those of spamd's own user.
    pub user: Option<String>,
    /// How much is reported.
    pub report: SpamassassinReport,
}

impl SpamassassinSettings {
    /// The daemon with the size limit that spamc has too, no user, symbols only.
    pub fn new(daemon: DaemonSettings) -> SpamassassinSettings {
        SpamassassinSettings {
            daemon: DaemonSettings {
                message_size_max: limits::SPAMASSASSIN_MESSAGE_SIZE_MAX,
                ..daemon
            },
            user: None,
            report: SpamassassinReport::Symbols,
        }
    }
}

/// The engine that asks spamd.
pub struct Spamassassin {
    pool: Pool<Spamd>,
}

impl Spamassassin {
    /// An engine with these settings. It connects when it is first asked.
    pub fn new(settings: SpamassassinSettings) -> Spamassassin {
        let user = settings
            .user
            .as_deref()
            .map(|user| printable(user, limits::NAME_BYTES_MAX));
        let spamd = Spamd {
            user,
            report: settings.report,
        };
        Spamassassin {
            pool: Pool::new(spamd, settings.daemon),
        }
    }

    async fn examined(&self, specimen: &Arc<Specimen>) -> Result<Finding, Unavailable> {
        let settings = self.pool.settings();
        if let Err(why) = settings.admits(specimen) {
            return Ok(Finding {
                spam: Some(SpamClass::Unknown),
                reason: format!("not examined: {}", why.detail),
                ..Finding::new(&settings.name)
            });
        }
        let rating = self.pool.ask(specimen).await??;
        let names = rating.symbols.iter().map(|symbol| symbol.name.as_str());
        let required = rating.score.required.unwrap_or_default();
        Ok(Finding {
            reason: format!(
                "SpamAssassin score {:.1} of {required:.1}{}",
                rating.score.value,
                bracketed(names)
            ),
            score: Some(rating.score),
            symbols: rating.symbols,
            ..Finding::new(&settings.name)
        })
    }
}

impl Engine for Spamassassin {
    fn name(&self) -> &str {
        &self.pool.settings().name
    }

    fn examine(&self, specimen: Arc<Specimen>) -> BoxFuture<'_, Result<Finding, Unavailable>> {
        Box::pin(async move { self.examined(&specimen).await })
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, Unavailable>> {
        Box::pin(self.pool.aside(async {
            let mut wire = self.pool.connect().await?;
            wire.send(&b"PING SPAMC/1.5\r\n\r\n"[..]).await?;
            let line = wire.line().await?;
            let text = printable_bytes(&line, limits::DETAIL_BYTES_MAX);
            if line.starts_with(b"SPAMD/") && line.ends_with(b"PONG") {
                Ok(text)
            } else {
                Err(Unavailable::new(
                    UnavailableCause::Protocol,
                    format!("spamd answered {text:?}"),
                ))
            }
        }))
    }

    fn timed_out(&self) {
        self.pool.timed_out();
    }

    fn health(&self) -> Health {
        self.pool.health()
    }
}

/// The protocol.
struct Spamd {
    user: Option<String>,
    report: SpamassassinReport,
}

impl Spamd {
    fn request(&self, content_length: usize) -> String {
        let command = match self.report {
            SpamassassinReport::Symbols => "SYMBOLS",
            SpamassassinReport::Report => "REPORT",
        };
        let mut head = format!("{command} SPAMC/1.5\r\nContent-length: {content_length}\r\n");
        if let Some(user) = &self.user {
            // Writing to a String does not fail.
            let _ = write!(head, "User: {user}\r\n");
        }
        head.push_str("\r\n");
        head
    }
}

impl Dialogue for Spamd {
    type Connection = Wire;
    type Request = Arc<Specimen>;
    type Reply = Result<Rating, Unavailable>;

    async fn open(&self, stream: Stream) -> Result<Wire, Unavailable> {
        Ok(Wire::new(stream))
    }

    async fn exchange(
        &self,
        wire: &mut Wire,
        specimen: &Arc<Specimen>,
    ) -> Result<Exchanged<Self::Reply>, Unavailable> {
        wire.begin();
        let received = specimen.received.as_slice();
        let message = specimen.message.bytes().as_ref();
        let head = self.request(received.len() + message.len());
        wire.send(head.as_bytes().chain(received).chain(message))
            .await?;
        let status = wire.line().await?;
        if let Err(why) = reply::parse_status(&status) {
            return match why.cause {
                UnavailableCause::Refused => Ok(Exchanged {
                    reply: Err(why),
                    keep: false,
                }),
                _ => Err(why),
            };
        }
        let head = wire.lines_to_empty(limits::REPLY_BYTES_MAX).await?;
        let body = wire
            .rest(reply::content_length(&head), limits::REPLY_BYTES_MAX)
            .await?;
        let rating = reply::parse(&head, &body, self.report)?;
        Ok(Exchanged {
            reply: Ok(rating),
            keep: false,
        })
    }

    fn is_usable(&self, _: &mut Wire) -> bool {
        false
    }

    fn is_unanswered(&self, wire: &Wire) -> bool {
        wire.is_unanswered()
    }
}

/// This engine's part of the fuzz target `daemon_replies`.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(reply: &[u8]) {
    let (head, body) = crate::fuzzing::sections(reply);
    let status = head.split(|&byte| byte == b'\n').next();
    if let Err(why) = reply::parse_status(status.unwrap_or_default()) {
        crate::fuzzing::is_bounded(Err(why));
    }
    let _ = reply::content_length(head);
    for report in [SpamassassinReport::Symbols, SpamassassinReport::Report] {
        let rating = reply::parse(head, body, report);
        crate::fuzzing::is_bounded(rating.map(|rating| Finding {
            score: Some(rating.score),
            symbols: rating.symbols,
            ..Finding::new("spamassassin")
        }));
    }
}

#[cfg(test)]
mod tests;
