//! The RPD daemon `ctasd`, and daemons compatible with it: HTTP `POST /ctasd/ClassifyMessage_Inline`, the envelope in
//! lines before the message, the classes in lines of the reply.
//!
//! Its classes are those of `finding`, since that scale is RPD's own.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use hyper::Method;
use hyper::header::HeaderMap;

use crate::engine::{DaemonSettings, Engine, Health};
use crate::finding::{Finding, Unavailable, UnavailableCause};
use crate::http::{Http, HttpRequest, append};
use crate::limits;
use crate::pool::Pool;
use crate::printable::{printable, printable_bytes};
use crate::specimen::Specimen;

mod reply;

/// How ctasd is used.
#[derive(Clone, Debug)]
pub struct CtasdSettings {
    /// Where ctasd listens (port 8088), and its limits.
    pub daemon: DaemonSettings,
}

/// The engine that asks ctasd.
pub struct Ctasd {
    pool: Pool<Http>,
}

impl Ctasd {
    /// An engine with these settings. It connects when it is first asked.
    pub fn new(settings: CtasdSettings) -> Ctasd {
        let http = Http::new(&settings.daemon.address.to_string());
        Ctasd {
            pool: Pool::new(http, settings.daemon),
        }
    }

    async fn examined(&self, specimen: &Specimen) -> Result<Finding, Unavailable> {
        let settings = self.pool.settings();
        settings.admits(specimen)?;
        let reply = self.pool.ask(&request(specimen)).await?;
        if !reply.status.is_success() {
            let text = printable_bytes(&reply.content, limits::DETAIL_BYTES_MAX);
            let detail = format!("ctasd answered HTTP {}: {text}", reply.status.as_u16());
            return Err(Unavailable::new(UnavailableCause::Refused, detail));
        }
        reply::parse(&settings.name, &reply.content)
    }
}

impl Engine for Ctasd {
    fn name(&self) -> &str {
        &self.pool.settings().name
    }

    fn examine(&self, specimen: Arc<Specimen>) -> BoxFuture<'_, Result<Finding, Unavailable>> {
        Box::pin(async move { self.examined(&specimen).await })
    }

    /// Whether it speaks HTTP: the protocol has no request for its version, so any status will do.
    fn probe(&self) -> BoxFuture<'_, Result<String, Unavailable>> {
        Box::pin(self.pool.aside(async {
            let reply = self.pool.ask_aside(&HttpRequest::resource("/")).await?;
            let address = &self.pool.settings().address;
            Ok(format!(
                "ctasd at {address} speaks HTTP (status {})",
                reply.status.as_u16()
            ))
        }))
    }

    fn timed_out(&self) {
        self.pool.timed_out();
    }

    fn health(&self) -> Health {
        self.pool.health()
    }
}

fn request(specimen: &Specimen) -> HttpRequest {
    let mut fields = HeaderMap::new();
    append(&mut fields, "content-type", "application/octet-stream");
    HttpRequest {
        method: Method::POST,
        path: "/ctasd/ClassifyMessage_Inline",
        fields,
        prefix: Bytes::from(envelope(specimen)),
        message: specimen.message.bytes().clone(),
    }
}

/// The lines before the message. Values are made printable, so that none can add a line.
fn envelope(specimen: &Specimen) -> String {
    let line = |text: &str| printable(text, limits::NAME_BYTES_MAX);
    let mut lines = String::from("X-CTCH-PVer: 0000001\r\n");
    let ip = specimen.client_ip.to_canonical();
    let from = line(&specimen.reverse_path.to_string());
    let count = specimen.recipients.len();
    // Writing to a String does not fail.
    let _ = write!(
        lines,
        "X-CTCH-SenderIP: {ip}\r\nX-CTCH-MailFrom: {from}\r\n"
    );
    if let Some(identity) = &specimen.authenticated_as {
        let _ = write!(lines, "X-CTCH-SenderID: {}\r\n", line(identity));
    }
    let _ = write!(lines, "X-CTCH-RcptCount: {count}\r\n\r\n");
    lines
}

/// This engine's part of the fuzz target `daemon_replies`.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(reply: &[u8]) {
    crate::fuzzing::is_bounded(reply::parse("ctasd", reply));
}

#[cfg(test)]
mod tests;
