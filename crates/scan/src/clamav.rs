//! ClamAV through clamd: `zIDSESSION` with one `zINSTREAM` after another on a kept connection, over TCP or a unix socket
//! (clamd(8), "COMMANDS").
//!
//! Database updates and limits are clamd's own matter; its `StreamMaxLength` should not be below `message_size_max`.

use std::sync::Arc;

use bytes::{Buf, BufMut, BytesMut};
use futures_util::future::BoxFuture;
use net::stream::Stream;

use crate::engine::{DaemonSettings, Engine, Health};
use crate::finding::{Finding, Unavailable, UnavailableCause, VirusClass};
use crate::limits;
use crate::pool::{Dialogue, Exchanged, Pool};
use crate::printable::printable_bytes;
use crate::specimen::Specimen;
use crate::wire::Wire;

/// Bytes of a message in one chunk: clamd takes any, other servers of its protocol want to be spared.
const CHUNK_BYTES: usize = 1024 * 1024;

/// How clamd is used.
#[derive(Clone, Debug)]
pub struct ClamavSettings {
    /// Where clamd listens, and its limits.
    pub daemon: DaemonSettings,
}

/// The engine that asks clamd.
pub struct Clamav {
    pool: Pool<Clamd>,
}

impl Clamav {
    /// An engine with these settings. It connects when it is first asked.
    pub fn new(settings: ClamavSettings) -> Clamav {
        Clamav {
            pool: Pool::new(Clamd, settings.daemon),
        }
    }

    async fn examined(&self, specimen: &Arc<Specimen>) -> Result<Finding, Unavailable> {
        let settings = self.pool.settings();
        settings.admits(specimen)?;
        let name = &settings.name;
        match self.pool.ask(specimen).await? {
            Scanned::Clean => Ok(Finding {
                virus: Some(VirusClass::Unknown),
                reason: "clamd found nothing".to_owned(),
                ..Finding::new(name)
            }),
            Scanned::Found(virus) => Ok(found(name, virus)),
            Scanned::TooLarge => Err(Unavailable::new(
                UnavailableCause::TooLarge,
                "the message exceeds clamd's StreamMaxLength",
            )),
            Scanned::Error(text) => Err(Unavailable::new(
                UnavailableCause::Refused,
                format!("clamd: {text}"),
            )),
        }
    }
}

impl Engine for Clamav {
    fn name(&self) -> &str {
        &self.pool.settings().name
    }

    fn examine(&self, specimen: Arc<Specimen>) -> BoxFuture<'_, Result<Finding, Unavailable>> {
        Box::pin(async move { self.examined(&specimen).await })
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, Unavailable>> {
        Box::pin(self.pool.aside(async {
            let mut session = self.pool.connect().await?;
            session.wire.send(&b"zVERSION\0"[..]).await?;
            let reply = session.wire.until(0, limits::REPLY_LINE_BYTES_MAX).await?;
            let text = without_number(&reply).1;
            if text.starts_with(b"ClamAV ") {
                Ok(printable_bytes(text, limits::DETAIL_BYTES_MAX))
            } else {
                Err(not_understood(&reply))
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

/// What `clamd` found. Names under `Heuristics.` and `PUA.` are clamd's guesses and wishes, not known malware.
fn found(engine: &str, virus: String) -> Finding {
    let guessed = virus.starts_with("Heuristics.") || virus.starts_with("PUA.");
    let (class, verb) = if guessed {
        (VirusClass::High, "suspects")
    } else {
        (VirusClass::Virus, "found")
    };
    Finding {
        virus: Some(class),
        reason: format!("clamd {verb} {virus}"),
        virus_name: Some(virus),
        ..Finding::new(engine)
    }
}

/// The protocol.
struct Clamd;

/// A connection in `IDSESSION` mode with the number of its last command.
struct Session {
    wire: Wire,
    commands: u32,
}

impl Dialogue for Clamd {
    type Connection = Session;
    type Request = Arc<Specimen>;
    type Reply = Scanned;

    async fn open(&self, stream: Stream) -> Result<Session, Unavailable> {
        let mut wire = Wire::new(stream);
        wire.send(&b"zIDSESSION\0"[..]).await?;
        Ok(Session { wire, commands: 0 })
    }

    async fn exchange(
        &self,
        session: &mut Session,
        specimen: &Arc<Specimen>,
    ) -> Result<Exchanged<Scanned>, Unavailable> {
        session.commands = session.commands.wrapping_add(1);
        session.wire.begin();
        let mut head = BytesMut::from(&b"zINSTREAM\0"[..]);
        for chunk in specimen.message.bytes().chunks(CHUNK_BYTES) {
            head.put_u32(u32::try_from(chunk.len()).unwrap_or(u32::MAX));
            session.wire.send(head.split().chain(chunk)).await?;
        }
        head.put_u32(0);
        session.wire.send(head).await?;
        let reply = session.wire.until(0, limits::REPLY_LINE_BYTES_MAX).await?;
        let (number, scanned) = parse(&reply)?;
        let complete = matches!(scanned, Scanned::Clean | Scanned::Found(_));
        // A number is missing only where clamd gives up on the session.
        if complete && number != Some(session.commands) {
            return Err(not_understood(&reply));
        }
        let keep = complete && session.commands < u32::MAX;
        Ok(Exchanged {
            reply: scanned,
            keep,
        })
    }

    fn is_usable(&self, session: &mut Session) -> bool {
        session.wire.is_quiet()
    }

    fn is_unanswered(&self, session: &Session) -> bool {
        session.wire.is_unanswered()
    }
}

/// A reply to `INSTREAM`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Scanned {
    Clean,
    Found(String),
    TooLarge,
    Error(String),
}

/// Reads a reply such as `1: stream: Eicar-Test-Signature FOUND`, without its NUL: the command's number and the result.
fn parse(reply: &[u8]) -> Result<(Option<u32>, Scanned), Unavailable> {
    let (number, text) = without_number(reply);
    let text = text.trim_ascii();
    if let Some(error) = text.strip_suffix(b"ERROR") {
        let error = printable_bytes(error, limits::DETAIL_BYTES_MAX);
        let too_large = error.to_ascii_lowercase().contains("size limit exceeded");
        let scanned = if too_large {
            Scanned::TooLarge
        } else {
            Scanned::Error(error)
        };
        return Ok((number, scanned));
    }
    let result = text
        .strip_prefix(b"stream: ")
        .ok_or_else(|| not_understood(reply))?;
    if result == b"OK" {
        return Ok((number, Scanned::Clean));
    }
    let virus = result
        .strip_suffix(b" FOUND")
        .ok_or_else(|| not_understood(reply))?;
    let virus = printable_bytes(virus, limits::NAME_BYTES_MAX);
    if virus.is_empty() {
        return Err(not_understood(reply));
    }
    Ok((number, Scanned::Found(virus)))
}

/// Splits the number off that replies in a session bear: `12: text`.
fn without_number(reply: &[u8]) -> (Option<u32>, &[u8]) {
    let split = memchr::memchr(b':', reply).and_then(|colon| reply.split_at_checked(colon));
    let Some((digits, rest)) = split else {
        return (None, reply);
    };
    let number = str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok());
    match (number, rest.strip_prefix(b": ")) {
        (Some(number), Some(text)) => (Some(number), text),
        _ => (None, reply),
    }
}

fn not_understood(reply: &[u8]) -> Unavailable {
    let text = printable_bytes(reply, limits::DETAIL_BYTES_MAX);
    Unavailable::new(
        UnavailableCause::Protocol,
        format!("clamd answered {text:?}"),
    )
}

/// This engine's part of the fuzz target `daemon_replies`.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(reply: &[u8]) {
    match parse(reply) {
        Ok((_, Scanned::Found(name))) => crate::fuzzing::is_name(&name),
        Ok((_, Scanned::Error(detail))) => crate::fuzzing::is_detail(&detail),
        Ok(_) => {}
        Err(why) => crate::fuzzing::is_bounded(Err(why)),
    }
}

#[cfg(test)]
mod tests;
