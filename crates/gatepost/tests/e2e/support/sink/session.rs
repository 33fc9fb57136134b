//! One connection of a sink.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::wire::Wire;
use super::{Act, Received, Shared};

impl Shared {
    pub(super) fn converse(self: &Arc<Shared>, wire: Wire) {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.open_at_most.fetch_max(open, Ordering::Relaxed);
        let session = Session {
            shared: Arc::clone(self),
            wire: Some(BufReader::new(wire)),
            connection,
            mail: String::new(),
            recipients: Vec::new(),
        };
        // Broken connections are what the tests are about.
        thread::spawn(move || session.run());
    }
}

struct Session {
    shared: Arc<Shared>,
    /// Taken out only while it changes to TLS.
    wire: Option<BufReader<Wire>>,
    connection: usize,
    mail: String,
    recipients: Vec<String>,
}

/// The connection is over.
struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Over {
        Over
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Session {
    fn run(mut self) {
        let mut end = self.answer("connect", "220 sink ESMTP").map(drop);
        while end.is_ok() {
            end = self.command();
        }
    }

    fn command(&mut self) -> Result<(), Over> {
        let line = self.line()?;
        self.shared.commands.lock().unwrap().push(line.clone());
        let verb = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" | "LHLO" => {
                let usual = self.greeting();
                self.answer(&line, &usual).map(drop)
            }
            "STARTTLS" => self.encrypt(&line),
            "MAIL" => {
                self.recipients.clear();
                self.mail.clear();
                if self.answer(&line, "250 2.1.0 ok")? {
                    self.mail = line.get(5..).unwrap_or_default().to_owned();
                }
                Ok(())
            }
            "RCPT" if self.mail.is_empty() => self.say("503 5.5.1 MAIL first"),
            "RCPT" => {
                if self.answer(&line, "250 2.1.5 ok")? {
                    self.recipients
                        .push(line.get(5..).unwrap_or_default().to_owned());
                }
                Ok(())
            }
            "DATA" => self.data(&line),
            "RSET" => {
                self.recipients.clear();
                self.answer(&line, "250 2.0.0 ok").map(drop)
            }
            "QUIT" => {
                self.answer(&line, "221 2.0.0 bye")?;
                Err(Over)
            }
            _ => self.answer(&line, "250 2.0.0 ok").map(drop),
        }
    }

    fn greeting(&self) -> String {
        let mut extensions = self.shared.extensions.clone();
        if self.shared.tls.is_some() && !self.wire().get_ref().is_encrypted() {
            extensions.push("STARTTLS".to_owned());
        }
        let mut lines = String::from("250-sink");
        for extension in &extensions {
            lines.push_str("\r\n250-");
            lines.push_str(extension);
        }
        // RFC 5321 4.2.1: the last line has a space in place of the hyphen.
        let last = lines.rfind("250-").unwrap_or_default() + 3;
        lines.replace_range(last..=last, " ");
        lines
    }

    fn encrypt(&mut self, line: &str) -> Result<(), Over> {
        let Some(config) = self.shared.tls.clone() else {
            return self.say("502 5.5.1 no such command");
        };
        if self.answer(line, "220 2.0.0 go ahead")? {
            let wire = self.wire.take().ok_or(Over)?.into_inner();
            self.wire = Some(BufReader::new(wire.encrypt(&config)?));
        }
        Ok(())
    }

    fn data(&mut self, line: &str) -> Result<(), Over> {
        if self.recipients.is_empty() {
            return self.say("554 5.5.1 no valid recipients");
        }
        if !self.answer(line, "354 go on")? {
            return Ok(());
        }
        match self.act("content") {
            Act::Usual => {}
            act => {
                self.perform(act, "")?;
            }
        }
        let mut wire = Vec::new();
        while !(wire == b".\r\n" || wire.ends_with(b"\r\n.\r\n")) {
            if self.wire_mut().read_until(b'\n', &mut wire)? == 0 {
                return Err(Over);
            }
        }
        let content = unstuffed(&wire[..wire.len() - 3]);
        self.finish(content, wire)
    }

    fn finish(&mut self, content: Vec<u8>, wire: Vec<u8>) -> Result<(), Over> {
        let recipients = std::mem::take(&mut self.recipients);
        let received = Received {
            mail: std::mem::take(&mut self.mail),
            recipients: recipients.clone(),
            content,
            wire,
            connection: self.connection,
            is_encrypted: self.wire().get_ref().is_encrypted(),
            taken: true,
        };
        let place = {
            let mut all = self.shared.received.lock().unwrap();
            all.push(received);
            all.len() - 1
        };
        let moments: Vec<String> = if self.shared.lmtp {
            recipients
                .iter()
                .map(|recipient| format!("message {recipient}"))
                .collect()
        } else {
            vec!["message".to_owned()]
        };
        let mut taken = false;
        let mut over = Ok(());
        for moment in moments {
            match self.answer(&moment, "250 2.0.0 taken by the sink") {
                Ok(positive) => taken |= positive,
                Err(error) => over = Err(error),
            }
        }
        if let Some(received) = self.shared.received.lock().unwrap().get_mut(place) {
            received.taken = taken;
        }
        over
    }

    fn act(&self, moment: &str) -> Act {
        if self.shared.behaves.load(Ordering::Relaxed) {
            return Act::Usual;
        }
        (self.shared.script)(moment)
    }

    /// Does what the script says at this moment; whether the answer was positive.
    fn answer(&mut self, moment: &str, usual: &str) -> Result<bool, Over> {
        let act = self.act(moment);
        self.perform(act, usual)
    }

    fn perform(&mut self, act: Act, usual: &str) -> Result<bool, Over> {
        match act {
            Act::Usual => self.say(usual).map(|()| true),
            Act::Say(text) => self.say(text).map(|()| text.starts_with(['2', '3'])),
            Act::Bytes(bytes) => self
                .write(&bytes)
                .map(|()| bytes.starts_with(b"2") || bytes.starts_with(b"3")),
            Act::SayAndClose(text) => self.say(text).and(Err(Over)),
            Act::UsualAndClose => self.say(usual).and(Err(Over)),
            Act::Close => Err(Over),
            Act::Hang => self.hang(),
            Act::Stall => {
                while !self.shared.stop.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(50));
                }
                Err(Over)
            }
            Act::SayAndStall(text) => {
                self.say(text)?;
                self.perform(Act::Stall, usual)
            }
            Act::Sip => {
                let mut sip = vec![0; 64 * 1024];
                while self.wire_mut().read(&mut sip)? > 0 {
                    thread::sleep(Duration::from_millis(400));
                }
                Err(Over)
            }
            Act::Forever(line) => loop {
                self.say(line)?;
            },
        }
    }

    /// Takes what comes and says nothing, until the other side closes or the sink is dropped.
    fn hang(&mut self) -> Result<bool, Over> {
        self.wire().get_ref().poll_reads();
        let mut buffer = [0; 4096];
        while !self.shared.stop.load(Ordering::Relaxed) {
            match self.wire_mut().read(&mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
        Err(Over)
    }

    fn say(&mut self, text: &str) -> Result<(), Over> {
        self.write(format!("{text}\r\n").as_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Over> {
        let wire = self.wire_mut().get_mut();
        wire.write_all(bytes)?;
        Ok(wire.flush()?)
    }

    fn line(&mut self) -> Result<String, Over> {
        let mut line = Vec::new();
        if self.wire_mut().read_until(b'\n', &mut line)? == 0 {
            return Err(Over);
        }
        Ok(String::from_utf8_lossy(&line)
            .trim_end_matches(['\r', '\n'])
            .to_owned())
    }

    fn wire(&self) -> &BufReader<Wire> {
        self.wire.as_ref().unwrap()
    }

    fn wire_mut(&mut self) -> &mut BufReader<Wire> {
        self.wire.as_mut().unwrap()
    }
}

/// RFC 5321 4.5.2, taken back.
fn unstuffed(wire: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(wire.len());
    for (at, byte) in wire.iter().enumerate() {
        let at_line_start = at == 0 || wire[..at].ends_with(b"\r\n");
        if !(at_line_start && *byte == b'.') {
            content.push(*byte);
        }
    }
    content
}
