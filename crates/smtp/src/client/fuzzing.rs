//! Bodies for fuzz targets: any bytes as the peer's half of a session, and as replies.
//!
//! They check what must hold whatever the peer says, and panic if it does not. The driver here does
//! what a real one does; a peer's bytes also choose the settings.

use super::{ClientAuth, Event, PixWorkaround, Protocol, Session, Settings, StartTlsUse};
use crate::path::ForwardPath;
use crate::reply::parse::ReplyParser;
use crate::{MailParameters, RcptParameters, ReversePath};

/// Replies: bounded, clean, and the same however they are cut.
pub fn reply(bytes: &[u8]) {
    let read = |piece_bytes: usize| {
        let mut parser = ReplyParser::new();
        let mut replies = Vec::new();
        for mut input in bytes.chunks(piece_bytes) {
            loop {
                match parser.next(&mut input) {
                    Ok(Some(reply)) => replies.push(Ok(reply)),
                    Ok(None) => break,
                    Err(malformed) => {
                        replies.push(Err(malformed));
                        return replies;
                    }
                }
            }
        }
        replies
    };
    let whole = read(bytes.len().max(1));
    for reply in whole.iter().flatten() {
        assert!(!reply.lines().any(|line| line.contains(char::is_control)));
    }
    assert_eq!(read(1), whole);
    assert_eq!(read(3), whole);
}

/// A session: the first byte chooses the settings, each byte 0xFF ends a read.
pub fn client(bytes: &[u8]) {
    let Some((&choice, peer)) = bytes.split_first() else {
        return;
    };
    let mut driver = Driver::new(choice);
    for read in peer.split(|&byte| byte == 0xFF) {
        driver.session.receive(read);
        driver.react();
    }
    driver.session.closed();
    driver.react();
    assert!(driver.over, "a closed session has told so");
    assert!(
        driver.finals <= driver.accepted,
        "no more answers than recipients"
    );
}

struct Driver {
    session: Session,
    over: bool,
    transactions: usize,
    accepted: usize,
    finals: usize,
}

impl Driver {
    fn new(choice: u8) -> Self {
        let bit = |number: u8| choice >> number & 1 == 1;
        let settings = Settings {
            protocol: if bit(0) {
                Protocol::Lmtp
            } else {
                Protocol::Smtp
            },
            starttls: if bit(1) {
                StartTlsUse::Opportunistic
            } else {
                StartTlsUse::Never
            },
            auth: bit(2).then(|| ClientAuth {
                user: "u".into(),
                password: "p".into(),
                in_clear: true,
            }),
            pipelining: bit(3),
            chunking: bit(4),
            pix: match (bit(5), bit(6)) {
                (true, _) => PixWorkaround::Off,
                (false, true) => PixWorkaround::Known,
                (false, false) => PixWorkaround::Detect,
            },
            ..Settings::new("client.example")
        };
        Self {
            session: Session::new(settings),
            over: false,
            transactions: 0,
            accepted: 0,
            finals: 0,
        }
    }

    fn react(&mut self) {
        while let Some(event) = self.session.poll() {
            assert!(
                !self.over || event == Event::Quit,
                "nothing follows the last event: {event:?}"
            );
            self.on_event(&event);
        }
        assert!(self.session.output().is_empty() || !self.over);
        self.session.output().clear();
    }

    fn on_event(&mut self, event: &Event) {
        match event {
            Event::Ready | Event::Reset(_) => self.begin(),
            Event::StartTls => self.session.tls_established(),
            Event::Mail(reply) if !reply.is_positive() => self.session.reset(),
            Event::Rcpt(_, reply) if reply.is_positive() => self.accepted += 1,
            Event::Data(reply) if reply.code() == 354 => {
                assert!(self.accepted > 0, "content for somebody only");
                self.session.content(b"Subject: a\r\n\r\n.\r\n");
                if self.session.pass_through(b"b\r\n") {
                    self.session.output().extend_from_slice(b"b\r\n");
                }
                self.session.end();
            }
            Event::Data(_) | Event::NoRecipients => self.session.reset(),
            Event::Pause => {
                self.session.output().clear();
                self.session.resume();
            }
            Event::Final(_) => {
                // One answer is for all of them.
                self.finals += self.accepted;
                self.begin();
            }
            Event::FinalRecipient(..) => {
                self.finals += 1;
                if self.finals == self.accepted {
                    self.begin();
                }
            }
            Event::Quit | Event::Failed(_) => self.over = true,
            Event::Mail(_) | Event::Rcpt(..) => {}
        }
    }

    fn begin(&mut self) {
        (self.accepted, self.finals) = (0, 0);
        self.transactions += 1;
        if self.transactions > 4 {
            return self.session.quit();
        }
        let sent = self
            .session
            .mail(&ReversePath::Null, &MailParameters::default());
        assert_eq!(sent, Ok(()), "nothing special is needed");
        for _ in 0..self.transactions {
            let sent = self
                .session
                .rcpt(&ForwardPath::Postmaster, &RcptParameters::default());
            assert_eq!(sent, Ok(()), "nothing special is needed");
        }
        self.session.data();
    }
}
