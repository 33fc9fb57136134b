//! Any scanner that speaks ICAP (RFC 3507): the message goes as the body of an HTTP response to `RESPMOD`.
//!
//! The service's options are asked for once and kept as long as `Options-TTL` says (section 4.10.2). A preview
//! (section 4.5) is not used: a scanner needs the whole message anyway. 204 is clean; 200 tells what was found.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Buf;
use futures_util::future::BoxFuture;
use net::stream::Stream;
use tokio::time::Instant;

use crate::engine::{DaemonSettings, Engine, Health};
use crate::finding::{Finding, Unavailable, UnavailableCause, VirusClass};
use crate::limits;
use crate::pool::{Dialogue, Exchanged, Pool};
use crate::printable::printable;
use crate::specimen::Specimen;
use crate::wire::Wire;

mod reply;

use reply::{Head, Outcome, ServiceOptions};

/// Bytes of the header section of a reply, and of the HTTP response in it.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// How an ICAP service is used.
#[derive(Clone, Debug)]
pub struct IcapSettings {
    /// Where the server listens (port 1344), and its limits.
    pub daemon: DaemonSettings,
    /// The path of the service, such as `avscan`.
    pub service: String,
}

/// The engine that asks an ICAP service.
pub struct Icap {
    pool: Pool<Respmod>,
    service: String,
}

impl Icap {
    /// An engine with these settings. It connects when it is first asked.
    pub fn new(settings: IcapSettings) -> Icap {
        let host = settings.daemon.address.to_string();
        let service: String = settings
            .service
            .trim_start_matches('/')
            .chars()
            .filter(char::is_ascii_graphic)
            .collect();
        let respmod = Respmod {
            uri: format!("icap://{host}/{service}"),
            host,
            options_until: Mutex::new(None),
        };
        Icap {
            pool: Pool::new(respmod, settings.daemon),
            service,
        }
    }

    async fn examined(&self, specimen: &Arc<Specimen>) -> Result<Finding, Unavailable> {
        let settings = self.pool.settings();
        settings.admits(specimen)?;
        let (name, service) = (&settings.name, &self.service);
        if !self.pool.dialogue().knows_options() {
            self.pool.ask(&Question::Options).await??;
        }
        let question = Question::Examine(Arc::clone(specimen));
        let Answer::Examined(outcome) = self.pool.ask(&question).await?? else {
            return Err(Unavailable::new(
                UnavailableCause::Protocol,
                "the ICAP service answered another question",
            ));
        };
        let (virus, virus_name, reason) = match outcome {
            Outcome::Clean => (
                VirusClass::Unknown,
                None,
                format!("ICAP service {service} found nothing"),
            ),
            Outcome::Found(virus) => {
                let reason = format!("ICAP service {service} found {virus}");
                (VirusClass::Virus, Some(virus), reason)
            }
            Outcome::Blocked(how) => (
                VirusClass::High,
                None,
                format!("ICAP service {service} {how}"),
            ),
        };
        Ok(Finding {
            virus: Some(virus),
            virus_name,
            reason,
            ..Finding::new(name)
        })
    }
}

impl Engine for Icap {
    fn name(&self) -> &str {
        &self.pool.settings().name
    }

    fn examine(&self, specimen: Arc<Specimen>) -> BoxFuture<'_, Result<Finding, Unavailable>> {
        Box::pin(async move { self.examined(&specimen).await })
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, Unavailable>> {
        Box::pin(self.pool.aside(async {
            match self.pool.ask_aside(&Question::Options).await?? {
                Answer::Options(options) => Ok(options.service),
                Answer::Examined(_) => Ok(self.service.clone()),
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
struct Respmod {
    uri: String,
    host: String,
    /// Until when the service is known to offer RESPMOD.
    options_until: Mutex<Option<Instant>>,
}

enum Question {
    Examine(Arc<Specimen>),
    Options,
}

enum Answer {
    Examined(Outcome),
    Options(ServiceOptions),
}

impl Respmod {
    /// Whether the service's options are known and have not expired.
    fn knows_options(&self) -> bool {
        let until = self
            .options_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn remember(&self, options: &ServiceOptions) {
        let until = Instant::now() + Duration::from_secs(options.seconds);
        *self
            .options_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    /// Asks for the service's options (section 4.10).
    async fn options(
        &self,
        wire: &mut Wire,
    ) -> Result<Exchanged<Result<Answer, Unavailable>>, Unavailable> {
        let request = format!(
            "OPTIONS {} ICAP/1.0\r\nHost: {}\r\nUser-Agent: Gatepost\r\nEncapsulated: null-body=0\r\n\r\n",
            self.uri, self.host
        );
        wire.send(request.as_bytes()).await?;
        let head = Head::parse(&wire.lines_to_empty(HEAD_BYTES_MAX).await?, "ICAP/")?;
        let options = ServiceOptions::of(&head);
        if let Ok(options) = &options {
            self.remember(options);
        }
        Ok(Exchanged {
            keep: options.is_ok() && head.keeps_connection() && !head.encapsulates("opt-body"),
            reply: options.map(Answer::Options),
        })
    }

    async fn respmod(
        &self,
        wire: &mut Wire,
        specimen: &Specimen,
    ) -> Result<Exchanged<Result<Answer, Unavailable>>, Unavailable> {
        let message = specimen.message.bytes().as_ref();
        let head = self.respmod_head(specimen);
        let tail: &[u8] = if message.is_empty() {
            b"0\r\n\r\n"
        } else {
            b"\r\n0\r\n\r\n"
        };
        wire.send(head.as_bytes().chain(message).chain(tail))
            .await?;
        let head = Head::parse(&wire.lines_to_empty(HEAD_BYTES_MAX).await?, "ICAP/")?;
        if head.code == 204 {
            let keep = head.keeps_connection();
            let reply = Ok(Answer::Examined(Outcome::Clean));
            return Ok(Exchanged { reply, keep });
        }
        // Beyond its header section the answer is of no interest: the connection is given up rather than read to its end.
        let response = if head.code == 200 && head.encapsulates("res-hdr") {
            Some(Head::parse(
                &wire.lines_to_empty(HEAD_BYTES_MAX).await?,
                "HTTP/",
            )?)
        } else {
            None
        };
        let outcome = reply::outcome(&head, response.as_ref(), message.len());
        match outcome {
            Err(why) if why.cause == UnavailableCause::Protocol => Err(why),
            outcome => Ok(Exchanged {
                reply: outcome.map(Answer::Examined),
                keep: false,
            }),
        }
    }

    /// The ICAP header, the encapsulated HTTP request and response (section 4.4), and the size of the only chunk.
    fn respmod_head(&self, specimen: &Specimen) -> String {
        let length = specimen.message.bytes().len();
        let reference = printable(&specimen.reference, limits::NAME_BYTES_MAX);
        let reference: String = reference
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect();
        let request = format!("GET /{reference}.eml HTTP/1.1\r\nHost: gatepost\r\n\r\n");
        let response = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: message/rfc822\r\nContent-Length: {length}\r\n\r\n"
        );
        let (uri, host, client) = (&self.uri, &self.host, specimen.client_ip.to_canonical());
        let (response_at, body_at) = (request.len(), request.len() + response.len());
        let chunk = if length == 0 {
            String::new()
        } else {
            format!("{length:x}\r\n")
        };
        format!(
            "RESPMOD {uri} ICAP/1.0\r\nHost: {host}\r\nUser-Agent: Gatepost\r\nAllow: 204\r\nX-Client-IP: {client}\r\n\
             Encapsulated: req-hdr=0, res-hdr={response_at}, res-body={body_at}\r\n\r\n{request}{response}{chunk}"
        )
    }
}

impl Dialogue for Respmod {
    type Connection = Wire;
    type Request = Question;
    type Reply = Result<Answer, Unavailable>;

    async fn open(&self, stream: Stream) -> Result<Wire, Unavailable> {
        Ok(Wire::new(stream))
    }

    async fn exchange(
        &self,
        wire: &mut Wire,
        question: &Question,
    ) -> Result<Exchanged<Self::Reply>, Unavailable> {
        wire.begin();
        match question {
            Question::Options => self.options(wire).await,
            Question::Examine(specimen) => self.respmod(wire, specimen).await,
        }
    }

    fn is_usable(&self, wire: &mut Wire) -> bool {
        wire.is_quiet()
    }

    fn is_unanswered(&self, wire: &Wire) -> bool {
        wire.is_unanswered()
    }
}

/// This engine's part of the fuzz target `daemon_replies`.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(reply: &[u8]) {
    let (head, response) = crate::fuzzing::sections(reply);
    let head = match Head::parse(head, "ICAP/") {
        Ok(head) => head,
        Err(why) => return crate::fuzzing::is_bounded(Err(why)),
    };
    let _ = (head.keeps_connection(), head.encapsulates("res-hdr"));
    match ServiceOptions::of(&head) {
        Ok(options) => crate::fuzzing::is_detail(&options.service),
        Err(why) => crate::fuzzing::is_bounded(Err(why)),
    }
    let response = Head::parse(response, "HTTP/").ok();
    match reply::outcome(&head, response.as_ref(), 100) {
        Ok(Outcome::Found(name)) => crate::fuzzing::is_name(&name),
        Ok(Outcome::Blocked(why)) => crate::fuzzing::is_detail(&why),
        Ok(Outcome::Clean) => {}
        Err(why) => crate::fuzzing::is_bounded(Err(why)),
    }
}

#[cfg(test)]
mod tests;
