//! Sophos through SAVDI, by its protocol SSSP/1.0: one session scans many messages, each sent with `SCANDATA`.
//!
//! What cannot be opened (encrypted parts) is a symbol of the finding, no failure.

use std::sync::Arc;

use bytes::Buf;
use futures_util::future::BoxFuture;
use net::stream::Stream;

use crate::engine::{DaemonSettings, Engine, Health};
use crate::finding::{Finding, Symbol, Unavailable, UnavailableCause, VirusClass};
use crate::limits;
use crate::pool::{Dialogue, Exchanged, Pool};
use crate::printable::printable_bytes;
use crate::specimen::Specimen;
use crate::wire::Wire;

mod reply;

use reply::{Line, Scan};

/// How SAVDI is used.
#[derive(Clone, Debug)]
pub struct SophosSettings {
    /// Where SAVDI listens, and its limits.
    pub daemon: DaemonSettings,
}

/// The engine that asks SAVDI.
pub struct Sophos {
    pool: Pool<Sssp>,
}

impl Sophos {
    /// An engine with these settings. It connects when it is first asked.
    pub fn new(settings: SophosSettings) -> Sophos {
        Sophos {
            pool: Pool::new(Sssp, settings.daemon),
        }
    }

    async fn examined(&self, specimen: &Arc<Specimen>) -> Result<Finding, Unavailable> {
        let settings = self.pool.settings();
        settings.admits(specimen)?;
        let scan = self.pool.ask(specimen).await??;
        Ok(finding(&settings.name, scan))
    }
}

impl Engine for Sophos {
    fn name(&self) -> &str {
        &self.pool.settings().name
    }

    fn examine(&self, specimen: Arc<Specimen>) -> BoxFuture<'_, Result<Finding, Unavailable>> {
        Box::pin(async move { self.examined(&specimen).await })
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, Unavailable>> {
        Box::pin(self.pool.aside(async {
            let mut session = self.pool.connect().await?;
            session.wire.send(&b"BYE\n"[..]).await?;
            Ok(session.greeting)
        }))
    }

    fn timed_out(&self) {
        self.pool.timed_out();
    }

    fn health(&self) -> Health {
        self.pool.health()
    }
}

fn finding(engine: &str, scan: Scan) -> Finding {
    let (class, reason) = match (scan.viruses.as_slice(), scan.found) {
        ([virus, ..], _) => (VirusClass::Virus, format!("Sophos found {virus}")),
        ([], true) => (
            VirusClass::Virus,
            "Sophos found a virus that it does not name".to_owned(),
        ),
        ([], false) if scan.encrypted() => (
            VirusClass::Unknown,
            "Sophos found nothing, but could not look into an encrypted part".to_owned(),
        ),
        ([], false) if !scan.failures.is_empty() => (
            VirusClass::Unknown,
            "Sophos found nothing, but could not examine every part".to_owned(),
        ),
        ([], false) => (VirusClass::Unknown, "Sophos found nothing".to_owned()),
    };
    let others = scan.viruses.iter().skip(1).cloned();
    let failures = scan
        .failures
        .iter()
        .map(|failure| match failure.code.as_str() {
            reply::ENCRYPTED => "ENCRYPTED".to_owned(),
            code => format!("FAIL_{code}"),
        });
    let symbols = others
        .chain(failures)
        .take(limits::SYMBOLS_MAX)
        .map(|name| Symbol {
            name,
            score: None,
            detail: None,
        });
    Finding {
        virus: Some(class),
        symbols: symbols.collect(),
        virus_name: scan.viruses.into_iter().next(),
        reason,
        ..Finding::new(engine)
    }
}

/// The protocol.
struct Sssp;

/// A connection on which both sides have agreed on SSSP/1.0.
struct Session {
    wire: Wire,
    greeting: String,
}

impl Dialogue for Sssp {
    type Connection = Session;
    type Request = Arc<Specimen>;
    type Reply = Result<Scan, Unavailable>;

    async fn open(&self, stream: Stream) -> Result<Session, Unavailable> {
        let mut wire = Wire::new(stream);
        let greeting = wire.line().await?;
        if !greeting.starts_with(b"OK SSSP/1.") {
            return Err(reply::not_understood(&greeting));
        }
        wire.send(&b"SSSP/1.0\n"[..]).await?;
        let accepted = wire.line().await?;
        match reply::parse_line(&accepted) {
            Line::Accepted => Ok(Session {
                wire,
                greeting: printable_bytes(&greeting, limits::DETAIL_BYTES_MAX),
            }),
            Line::Rejected(code) => Err(reply::rejection(&code)),
            _ => Err(reply::not_understood(&accepted)),
        }
    }

    async fn exchange(
        &self,
        session: &mut Session,
        specimen: &Arc<Specimen>,
    ) -> Result<Exchanged<Self::Reply>, Unavailable> {
        let wire = &mut session.wire;
        wire.begin();
        let message = specimen.message.bytes().as_ref();
        let command = format!("SCANDATA {}\n", message.len());
        wire.send(command.as_bytes().chain(message)).await?;
        let mut scan = Scan::default();
        for _ in 0..limits::REPLY_LINES_MAX {
            let line = wire.line().await?;
            match reply::parse_line(&line) {
                // A rejection leaves open what the server makes of the bytes that were sent.
                Line::Rejected(code) => {
                    let reply = Err(reply::rejection(&code));
                    return Ok(Exchanged { reply, keep: false });
                }
                Line::End if scan.is_complete() => {
                    let reply = scan.outcome();
                    return Ok(Exchanged { reply, keep: true });
                }
                Line::End => {}
                line => scan.add(line),
            }
        }
        Err(crate::wire::too_long())
    }

    fn is_usable(&self, session: &mut Session) -> bool {
        session.wire.is_quiet()
    }

    fn is_unanswered(&self, session: &Session) -> bool {
        session.wire.is_unanswered()
    }
}

impl Scan {
    /// What was found, unless the scan as a whole failed for another reason than a part that cannot be opened.
    fn outcome(self) -> Result<Scan, Unavailable> {
        let nothing = self.viruses.is_empty() && !self.found;
        match &self.failed {
            Some(failure) if nothing && failure.code != reply::ENCRYPTED => Err(Unavailable::new(
                UnavailableCause::Refused,
                format!("SAVDI: scan failed, {} {}", failure.code, failure.text),
            )),
            _ => Ok(self),
        }
    }
}

/// This engine's part of the fuzz target `daemon_replies`.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(reply: &[u8]) {
    let mut scan = Scan::default();
    for line in reply.split(|&byte| byte == b'\n') {
        match reply::parse_line(line) {
            Line::Rejected(code) => crate::fuzzing::is_bounded(Err(reply::rejection(&code))),
            line => scan.add(line),
        }
    }
    crate::fuzzing::is_bounded(Ok(finding("sophos", scan)));
}

#[cfg(test)]
mod tests;
