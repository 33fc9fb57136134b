//! Our client session against our server session, byte for byte, without a network: whatever one
//! encodes the other decodes, in any chunking, with every extension offered and not.

use std::sync::Arc;

use proptest::prelude::*;
use smtp::client::{self, Event};
use smtp::server::{self, Answer, Request, Step, Trust};
use smtp::{ForwardPath, MailParameters, RcptParameters, Reply, ReversePath, Status};

/// What the driver of each side does, and what it has seen.
struct Dialog {
    client: client::Session,
    server: server::Session,
    /// Which recipients the server accepts.
    accepted: Vec<bool>,
    message: Vec<u8>,
    content_bytes: usize,
    offer_unchanged: bool,
    events: Vec<Event>,
    received: Vec<u8>,
    recipients_asked: usize,
}

impl Dialog {
    /// Until the client has nothing more to say.
    fn run(&mut self, wire_bytes: usize) {
        self.server.banner();
        loop {
            let said = self.server.take_output();
            for bytes in said.chunks(wire_bytes) {
                self.client.receive(bytes);
            }
            let said = self.client_turn();
            if said.is_empty() {
                return;
            }
            for bytes in said.chunks(wire_bytes) {
                self.server_turn(bytes);
            }
        }
    }

    /// What the client writes next.
    fn client_turn(&mut self) -> Vec<u8> {
        let mut written = Vec::new();
        while let Some(event) = self.client.poll() {
            match &event {
                Event::Ready => {
                    let sent = self
                        .client
                        .mail(&ReversePath::Null, &MailParameters::default());
                    assert_eq!(sent, Ok(()));
                    for _ in &self.accepted {
                        let sent = self
                            .client
                            .rcpt(&ForwardPath::Postmaster, &RcptParameters::default());
                        assert_eq!(sent, Ok(()));
                    }
                    self.client.data();
                }
                Event::Data(reply) if reply.code() == 354 => {
                    for piece in self.message.chunks(self.content_bytes) {
                        if self.offer_unchanged && self.client.pass_through(piece) {
                            written.append(self.client.output());
                            written.extend_from_slice(piece);
                        } else {
                            self.client.content(piece);
                        }
                    }
                    self.client.end();
                }
                Event::Final(_) | Event::NoRecipients => self.client.quit(),
                _ => {}
            }
            self.events.push(event);
        }
        written.append(self.client.output());
        written
    }

    fn server_turn(&mut self, bytes: &[u8]) {
        let mut input = bytes;
        loop {
            let answer = match self.server.next(&mut input) {
                Step::Read | Step::Close(_) => return,
                Step::Content(bytes) => {
                    self.received.extend_from_slice(bytes);
                    continue;
                }
                Step::Reset => continue,
                Step::StartTls => panic!("not offered"),
                Step::Request(Request::Rcpt(..)) => {
                    let accepted = self.accepted.get(self.recipients_asked).copied();
                    self.recipients_asked += 1;
                    match accepted {
                        Some(true) => Answer::Accept,
                        _ => Answer::Reply(Reply::new(550, Status::NO_SUCH_MAILBOX, "nobody here")),
                    }
                }
                Step::Request(Request::End(content)) => {
                    assert_eq!(content.defect, None);
                    Answer::Accept
                }
                Step::Request(_) => Answer::Accept,
            };
            self.server.answer(answer);
        }
    }
}

/// Lines that are short or look like an end, some longer ones; the last without an end, perhaps.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just(String::new()),
        Just(".".to_owned()),
        Just("..".to_owned()),
        "\\.?[ -~]{0,20}",
        "[ -~]{200,900}",
    ];
    (prop::collection::vec(line, 0..20), any::<bool>()).prop_map(|(lines, ended)| {
        let mut message = lines.join("\r\n").into_bytes();
        if ended {
            message.extend_from_slice(b"\r\n");
        }
        message
    })
}

proptest! {
    #[test]
    fn what_one_sends_the_other_receives(
        message in message(),
        accepted in prop::collection::vec(any::<bool>(), 1..5),
        (pipelining, chunking, offer_unchanged) in any::<(bool, bool, bool)>(),
        content_bytes in 1_usize..2000,
        wire_bytes in 1_usize..300,
    ) {
        let offered = server::Settings {
            pipelining,
            chunking,
            ..server::Settings::new("server.example")
        };
        let wanted = client::Settings { chunking: true, ..client::Settings::new("client.example") };
        let mut dialog = Dialog {
            client: client::Session::new(wanted),
            server: server::Session::new(Arc::new(offered), Trust::default()),
            accepted: accepted.clone(),
            message: message.clone(),
            content_bytes,
            offer_unchanged,
            events: Vec::new(),
            received: Vec::new(),
            recipients_asked: 0,
        };
        dialog.run(wire_bytes);

        prop_assert_eq!(dialog.events.last(), Some(&Event::Quit), "{:?}", dialog.events);
        let answers: Vec<bool> = dialog.events.iter().filter_map(|event| match event {
            Event::Rcpt(_, reply) => Some(reply.is_positive()),
            _ => None,
        }).collect();
        prop_assert_eq!(&answers, &accepted);
        let mut expected = Vec::new();
        if accepted.contains(&true) {
            let done = dialog.events.iter().any(|event| matches!(event, Event::Final(reply) if reply.code() == 250));
            prop_assert!(done, "{:?}", dialog.events);
            expected.clone_from(&message);
            // Only BDAT can leave the last line without an end.
            let in_chunks = chunking && pipelining;
            let ended = expected.is_empty() || expected.ends_with(b"\r\n");
            if !in_chunks && !ended {
                expected.extend_from_slice(b"\r\n");
            }
        } else {
            prop_assert!(dialog.events.contains(&Event::NoRecipients));
        }
        prop_assert_eq!(dialog.received, expected);
    }
}
