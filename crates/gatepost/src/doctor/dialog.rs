//! The opening of a session with a server (banner, EHLO, STARTTLS, AUTH, QUIT), by the client session that hands messages on,
//! with every reply kept word for word.

use std::io;

use net::stream::{Stream, TlsFacts};
use net::tls::Connector;
use smtp::client::{Capabilities, Event, PixWorkaround, Session, Settings};
use smtp::{Reply, ReplyParser};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What was said, as far as it went.
#[derive(Debug, Default)]
pub(super) struct Dialog {
    /// Each command's verb with the reply; the banner answers an empty one.
    pub(super) exchanges: Vec<(String, Reply)>,
    /// A firewall writes over what is said.
    pub(super) is_masked: bool,
    /// What the server offers, at last.
    pub(super) capabilities: Capabilities,
    /// What TLS settled.
    pub(super) tls: Option<TlsFacts>,
    /// It came to the point where a transaction could begin.
    pub(super) is_ready: bool,
}

impl Dialog {
    /// Holds the dialog. What was said before an error stays.
    ///
    /// # Errors
    /// Why no transaction could begin.
    pub(super) async fn hold(
        &mut self,
        mut stream: Stream,
        settings: Settings,
        connector: &Connector,
        tls_name: &str,
    ) -> Result<(), String> {
        // The workaround would avoid what is to be seen.
        let mut session = Session::new(Settings {
            pix: PixWorkaround::Off,
            ..settings
        });
        let mut replies = Tap::default();
        loop {
            self.is_masked = session.is_pix();
            self.capabilities = session.capabilities().clone();
            match session.poll() {
                Some(Event::Ready) => {
                    self.is_ready = true;
                    session.quit();
                }
                Some(Event::Quit) => return Ok(()),
                Some(Event::Failed(failure)) => return Err(failure.to_string()),
                Some(Event::StartTls) => {
                    let plain = stream
                        .into_tcp()
                        .map_err(|_| "STARTTLS needs TCP".to_owned())?;
                    stream = connector
                        .connect(tls_name, plain)
                        .await
                        .map_err(|error| tls_words(&error))?;
                    self.tls = stream.tls_facts();
                    replies = Tap::default();
                    session.tls_established();
                }
                Some(_) => {}
                None => {
                    let quitting = self.is_ready;
                    match exchange(&mut stream, &mut session, &mut replies, self).await {
                        Ok(()) => {}
                        // Whether it answers QUIT is of no importance.
                        Err(_) if quitting => return Ok(()),
                        Err(error) => return Err(error.to_string()),
                    }
                }
            }
        }
    }

    /// The reply to the last command of this verb.
    pub(super) fn reply_to(&self, verb: &str) -> Option<&Reply> {
        let mut exchanges = self.exchanges.iter().rev();
        exchanges
            .find(|(command, _)| command == verb)
            .map(|(_, reply)| reply)
    }

    /// The first answer to EHLO, which came in clear.
    pub(super) fn first_ehlo(&self) -> Option<&Reply> {
        let mut exchanges = self.exchanges.iter();
        exchanges
            .find(|(command, _)| command == "EHLO")
            .map(|(_, reply)| reply)
    }
}

/// The error says by itself where a handshake failed, but not where the connection broke.
fn tls_words(error: &io::Error) -> String {
    let error = error.to_string();
    if error.starts_with("TLS") {
        error
    } else {
        format!("TLS: {error}")
    }
}

/// Reads along, to tell which reply belongs to which command.
#[derive(Default)]
struct Tap {
    parser: ReplyParser,
    verb: String,
}

/// Writes what the session has to say, and gives it what comes.
async fn exchange(
    stream: &mut Stream,
    session: &mut Session,
    replies: &mut Tap,
    dialog: &mut Dialog,
) -> io::Result<()> {
    let output = session.take_output();
    if !output.is_empty() {
        // No command of the opening is sent before the one before it is answered. Of AUTH nothing but the verb is kept.
        let line = String::from_utf8_lossy(&output);
        line.split_whitespace()
            .next()
            .unwrap_or_default()
            .clone_into(&mut replies.verb);
        stream.write_all(&output).await?;
        stream.flush().await?;
    }
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer).await?;
    let bytes = buffer.get(..count).unwrap_or_default();
    if bytes.is_empty() {
        session.closed();
        return Ok(());
    }
    let mut input = bytes;
    // What is no reply is told by the session.
    while let Ok(Some(reply)) = replies.parser.next(&mut input) {
        dialog.exchanges.push((replies.verb.clone(), reply));
    }
    session.receive(bytes);
    Ok(())
}
