//! A client for dialogs that no well-behaved program would hold: it sends bytes as they are and reads whole replies.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::PATIENCE;

/// A reply: code and text without codes, lines joined by a newline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) text: String,
}

impl Reply {
    /// The enhanced status at the beginning of the text.
    pub(crate) fn status(&self) -> &str {
        self.text.split(' ').next().unwrap_or_default()
    }

    /// The reference that a refusal begins with, behind its status.
    pub(crate) fn reference(&self) -> &str {
        let words = self.text.split_once(' ').map_or("", |(_, words)| words);
        let reference = words
            .strip_prefix('[')
            .and_then(|words| words.split_once(']'));
        reference
            .unwrap_or_else(|| panic!("no reference at the beginning of {self:?}"))
            .0
    }

    #[track_caller]
    pub(crate) fn expect(self, code: u16, status: &str) -> Reply {
        assert_eq!((self.code, self.status()), (code, status), "{self:?}");
        self
    }
}

/// A session.
#[derive(Debug)]
pub(crate) struct Client {
    socket: TcpStream,
    input: Vec<u8>,
}

impl Client {
    /// Connects, and reads nothing yet.
    pub(crate) fn dial(address: SocketAddr) -> Client {
        let socket = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        Client {
            socket,
            input: Vec::new(),
        }
    }

    /// Connects, reads the banner and says EHLO.
    pub(crate) fn greet(address: SocketAddr) -> Client {
        let mut client = Client::dial(address);
        client.reply().expect_code(220);
        client.command("EHLO client.example.net").expect_code(250);
        client
    }

    /// Greets, and begins a transaction with these recipients, which must be accepted.
    pub(crate) fn envelope(address: SocketAddr, recipients: &[&str]) -> Client {
        let mut client = Client::greet(address);
        client.begin(recipients);
        client
    }

    pub(crate) fn begin(&mut self, recipients: &[&str]) {
        self.command("MAIL FROM:<ann@example.net>").expect_code(250);
        for recipient in recipients {
            self.command(&format!("RCPT TO:<{recipient}>"))
                .expect_code(250);
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    /// Sends what the other side may no longer want to read.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.socket.write_all(bytes).is_ok()
    }

    pub(crate) fn command(&mut self, line: &str) -> Reply {
        self.send(format!("{line}\r\n").as_bytes());
        self.reply()
    }

    /// DATA, the message with its dots stuffed, and the final dot.
    pub(crate) fn data(&mut self, message: &[u8]) -> Reply {
        self.command("DATA").expect_code(354);
        let mut wire = stuffed(message);
        wire.extend_from_slice(b".\r\n");
        self.send(&wire);
        self.reply()
    }

    /// The next reply.
    pub(crate) fn reply(&mut self) -> Reply {
        self.try_reply().unwrap_or_else(|| {
            panic!(
                "the gateway closed the connection; left: {:?}",
                lossy(&self.input)
            )
        })
    }

    /// The next reply; `None` if the connection is closed.
    pub(crate) fn try_reply(&mut self) -> Option<Reply> {
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            let code = line
                .get(..3)
                .and_then(|code| code.parse().ok())
                .unwrap_or_else(|| panic!("no reply: {line:?}"));
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Some(Reply {
                    code,
                    text: lines.join("\n"),
                });
            }
        }
    }

    /// Waits until the other side closes; what it said until then.
    pub(crate) fn rest(&mut self) -> String {
        while self.read_more() {}
        lossy(&std::mem::take(&mut self.input))
    }

    /// Says that nothing more will be sent.
    pub(crate) fn close_write(&self) {
        // The other side may have closed first.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    pub(crate) fn quit(mut self) {
        self.command("QUIT").expect_code(221);
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.input.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.input.drain(..end + 2).collect();
                return Some(lossy(&line[..end]));
            }
            if !self.read_more() {
                return None;
            }
        }
    }

    fn read_more(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.socket.read(&mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                self.input.extend_from_slice(&buffer[..length]);
                true
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
                ) =>
            {
                false
            }
            Err(error) => panic!("{error} after {:?}", lossy(&self.input)),
        }
    }
}

impl Reply {
    #[track_caller]
    pub(crate) fn expect_code(self, code: u16) -> Reply {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

/// A message whose lines end with CRLF as DATA has it (RFC 5321 4.5.2).
pub(crate) fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(message.len() + 16);
    let mut before: &[u8] = b"\r\n";
    for (at, byte) in message.iter().enumerate() {
        if *byte == b'.' && before == b"\r\n" {
            wire.push(b'.');
        }
        wire.push(*byte);
        before = &message[(at + 1).saturating_sub(2)..=at];
    }
    wire
}

pub(crate) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
