//! From the banner to the first transaction: each answer under the name of its command and within its own time (RFC 5321 section
//! 4.5.3.2), and the TLS handshake (RFC 3207).

use net::stream::Stream;
use net::tls::TlsFault;
use smtp::client::Event;
use tokio::time::Instant;

use super::super::fault::{Cause, Fault, Step};
use super::{Manner, Wire};

impl Wire {
    /// From the banner to the first transaction. Each answer has its own time (RFC 5321 section 4.5.3.2), which begins when
    /// the command is sent.
    pub(super) async fn greet(mut self, manner: &Manner) -> Result<Wire, Fault> {
        let timeouts = &manner.timeouts;
        let mut pending = (Step::Banner, timeouts.banner);
        let mut deadline = Instant::now() + timeouts.banner;
        loop {
            if !self.session.output().is_empty() {
                pending = (Step::of_opening(self.session.stage()), timeouts.command);
                deadline = Instant::now() + timeouts.command;
            }
            let (step, limit) = pending;
            match self.advance(step, limit, deadline).await? {
                None => {}
                Some(Event::Ready) => return Ok(self),
                Some(Event::StartTls) => self = self.handshake(manner).await?,
                Some(other) => return Err(self.unexpected(step, &other)),
            }
        }
    }

    async fn handshake(self, manner: &Manner) -> Result<Wire, Fault> {
        let Wire {
            stream,
            mut session,
            label,
            broken,
            ..
        } = self;
        let fault = |cause| Fault::new(&*manner.label, Step::Tls, cause);
        let Stream::Tcp(plain) = stream else {
            return Err(fault(Cause::Tls(
                "STARTTLS needs a plain TCP connection".to_owned(),
            )));
        };
        let limit = manner.timeouts.command;
        let handshake = manner.connector.prove(&manner.tls_name, plain);
        let (stream, proof) = tokio::time::timeout(limit, handshake)
            .await
            .map_err(|_| fault(Cause::Timeout(limit.as_secs())))?
            .map_err(|error| {
                fault(Cause::Handshake {
                    kind: TlsFault::of(&error),
                    detail: error.to_string(),
                })
            })?;
        session.tls_established();
        Ok(Wire {
            stream,
            session,
            proof,
            label,
            broken,
        })
    }
}
