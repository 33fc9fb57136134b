//! rspamd through its normal worker: HTTP `POST /checkv2` with the envelope in header fields, answered in JSON
//! (rspamd.com/doc/developers/protocol.html).
//!
//! Its score and its action are reported as they are; what follows from them is the policy's matter.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use hyper::Method;
use hyper::header::{self, HeaderMap};

use crate::engine::{DaemonSettings, Engine, Health};
use crate::finding::{Finding, SpamClass, Unavailable, UnavailableCause};
use crate::http::{Http, HttpReply, HttpRequest, append};
use crate::limits;
use crate::pool::Pool;
use crate::printable::printable_bytes;
use crate::specimen::Specimen;

mod reply;

/// How rspamd is used.
#[derive(Clone)]
pub struct RspamdSettings {
    /// Where its normal worker listens (port 11333), and its limits. A message above `message_size_max` is not examined,
    /// which is a finding without a score, no failure.
    pub daemon: DaemonSettings,
    /// The password, if the worker wants one.
    pub password: Option<String>,
}

impl std::fmt::Debug for RspamdSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let password = self.password.as_ref().map(|_| "[redacted]");
        let mut debug = f.debug_struct("RspamdSettings");
        debug
            .field("daemon", &self.daemon)
            .field("password", &password)
            .finish()
    }
}

/// The engine that asks rspamd.
pub struct Rspamd {
    pool: Pool<Http>,
    password: Option<String>,
}

impl Rspamd {
    /// An engine with these settings. It connects when it is first asked.
    pub fn new(settings: RspamdSettings) -> Rspamd {
        let http = Http::new(&settings.daemon.address.to_string());
        Rspamd {
            pool: Pool::new(http, settings.daemon),
            password: settings.password,
        }
    }

    async fn examined(&self, specimen: &Specimen) -> Result<Finding, Unavailable> {
        let settings = self.pool.settings();
        if let Err(why) = settings.admits(specimen) {
            return Ok(Finding {
                spam: Some(SpamClass::Unknown),
                reason: format!("not examined: {}", why.detail),
                ..Finding::new(&settings.name)
            });
        }
        let reply = self.pool.ask(&self.request(specimen)).await?;
        accepted(&reply)?;
        reply::parse(&settings.name, &reply.content)
    }

    fn request(&self, specimen: &Specimen) -> HttpRequest {
        let mut fields = fields(specimen);
        if let Some(password) = &self.password {
            append(&mut fields, "password", password);
        }
        HttpRequest {
            method: Method::POST,
            path: "/checkv2",
            fields,
            prefix: Bytes::copy_from_slice(&specimen.received),
            message: specimen.message.bytes().clone(),
        }
    }
}

impl Engine for Rspamd {
    fn name(&self) -> &str {
        &self.pool.settings().name
    }

    fn examine(&self, specimen: Arc<Specimen>) -> BoxFuture<'_, Result<Finding, Unavailable>> {
        Box::pin(async move { self.examined(&specimen).await })
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, Unavailable>> {
        Box::pin(self.pool.aside(async {
            let reply = self.pool.ask_aside(&HttpRequest::resource("/ping")).await?;
            accepted(&reply)?;
            let pong = printable_bytes(&reply.content, limits::DETAIL_BYTES_MAX);
            let server = reply
                .fields
                .get(header::SERVER)
                .map_or(&b"rspamd"[..], |server| server.as_bytes());
            let server = printable_bytes(server, limits::NAME_BYTES_MAX);
            if pong.eq_ignore_ascii_case("pong") {
                Ok(format!("{server}: {pong}"))
            } else {
                Err(Unavailable::new(
                    UnavailableCause::Protocol,
                    format!("rspamd answered {pong:?}"),
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

/// What rspamd is told of the envelope. Recipients beyond what its HTTP parser takes are left out.
fn fields(specimen: &Specimen) -> HeaderMap {
    let mut fields = HeaderMap::new();
    append(
        &mut fields,
        "ip",
        &specimen.client_ip.to_canonical().to_string(),
    );
    append(&mut fields, "helo", &specimen.helo);
    append(&mut fields, "from", &specimen.reverse_path.to_wire());
    append(&mut fields, "queue-id", &specimen.reference);
    append(&mut fields, "mta-name", &specimen.hostname);
    append(
        &mut fields,
        "hostname",
        specimen.client_name.as_deref().unwrap_or("unknown"),
    );
    append(
        &mut fields,
        "user",
        specimen.authenticated_as.as_deref().unwrap_or_default(),
    );
    let mut bytes = 0;
    for recipient in &specimen.recipients {
        let recipient = recipient.to_wire();
        bytes += recipient.len() + "rcpt: \r\n".len();
        if bytes > limits::RECIPIENT_FIELDS_BYTES_MAX {
            break;
        }
        append(&mut fields, "rcpt", &recipient);
    }
    if let [only] = specimen.recipients.as_slice() {
        append(&mut fields, "deliver-to", &only.to_string());
    }
    fields
}

fn accepted(reply: &HttpReply) -> Result<(), Unavailable> {
    if reply.status.is_success() {
        return Ok(());
    }
    let text = printable_bytes(&reply.content, limits::DETAIL_BYTES_MAX);
    let detail = format!("rspamd answered HTTP {}: {text}", reply.status.as_u16());
    Err(Unavailable::new(UnavailableCause::Refused, detail))
}

/// This engine's part of the fuzz target `daemon_replies`.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(reply: &[u8]) {
    crate::fuzzing::is_bounded(reply::parse("rspamd", reply));
}

#[cfg(test)]
mod tests;
