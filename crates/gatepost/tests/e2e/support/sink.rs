//! A server behind the gateway that takes everything and records every byte, or does what its script says: SMTP or LMTP, over
//! TCP or a unix socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::await_some_or;

/// What a script may answer.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// What a good server does.
    Usual,
    /// These lines instead, without the last CRLF.
    Say(&'static str),
    /// These lines, and the connection is closed.
    SayAndClose(&'static str),
    /// Nothing, and the connection is closed.
    Close,
    /// Nothing more, until the other side closes.
    Hang,
}

/// Asked at each command line, at `connect`, and at `message` (for LMTP with the recipient behind it) for the final reply.
type Script = Box<dyn Fn(&str) -> Act + Send + Sync>;

/// A message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// What followed MAIL.
    pub(crate) mail: String,
    /// What followed each accepted RCPT.
    pub(crate) recipients: Vec<String>,
    /// The message without stuffed dots and without the final dot.
    pub(crate) content: Vec<u8>,
    /// The bytes on the wire, with the final dot.
    pub(crate) wire: Vec<u8>,
    /// The accepted connection, counted from 1.
    pub(crate) connection: usize,
    /// The message was given a positive reply (LMTP: at least one).
    pub(crate) taken: bool,
}

/// A running sink.
pub(crate) struct Sink {
    shared: Arc<Shared>,
    address: Option<SocketAddr>,
    nexthop: String,
    wake: Box<dyn Fn() + Send + Sync>,
}

struct Shared {
    lmtp: bool,
    script: Script,
    commands: Mutex<Vec<String>>,
    received: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    stop: AtomicBool,
}

/// How a sink is made.
pub(crate) struct Manner {
    lmtp: bool,
    script: Script,
}

impl Manner {
    pub(crate) fn smtp() -> Manner {
        Manner {
            lmtp: false,
            script: Box::new(|_| Act::Usual),
        }
    }

    pub(crate) fn lmtp() -> Manner {
        Manner {
            lmtp: true,
            ..Manner::smtp()
        }
    }

    pub(crate) fn script(self, script: impl Fn(&str) -> Act + Send + Sync + 'static) -> Manner {
        Manner {
            script: Box::new(script),
            ..self
        }
    }

    /// On a port that the system gives.
    pub(crate) fn start(self) -> Sink {
        self.start_at("127.0.0.1:0".parse().unwrap())
    }

    pub(crate) fn start_at(self, address: SocketAddr) -> Sink {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let protocol = if self.lmtp { "lmtp" } else { "smtp" };
        let shared = self.shared();
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if serving.stop.load(Ordering::Relaxed) {
                    return;
                }
                let _ = socket.set_nodelay(true);
                let other = socket.try_clone().unwrap();
                serving.converse(Box::new(socket), Box::new(other));
            }
        });
        let wake = Box::new(move || drop(TcpStream::connect(address)));
        Sink {
            shared,
            address: Some(address),
            nexthop: format!("{protocol}:{address}"),
            wake,
        }
    }

    /// On a unix socket.
    pub(crate) fn start_on(self, path: &Path) -> Sink {
        let listener = UnixListener::bind(path).unwrap();
        let shared = self.shared();
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if serving.stop.load(Ordering::Relaxed) {
                    return;
                }
                let other = socket.try_clone().unwrap();
                serving.converse(Box::new(socket), Box::new(other));
            }
        });
        let nexthop = format!("lmtp:unix:{}", path.display());
        let path = path.to_owned();
        let wake = Box::new(move || drop(UnixStream::connect(&path)));
        Sink {
            shared,
            address: None,
            nexthop,
            wake,
        }
    }

    fn shared(self) -> Arc<Shared> {
        Arc::new(Shared {
            lmtp: self.lmtp,
            script: self.script,
            commands: Mutex::default(),
            received: Mutex::default(),
            connections: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        })
    }
}

impl Sink {
    /// A good SMTP server.
    pub(crate) fn smtp() -> Sink {
        Manner::smtp().start()
    }

    /// As a `nexthop` of a route.
    pub(crate) fn nexthop(&self) -> &str {
        &self.nexthop
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address.unwrap()
    }

    /// Every command line so far, of all connections.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.shared.commands.lock().unwrap().clone()
    }

    /// How many commands begin with this.
    pub(crate) fn count(&self, beginning: &str) -> usize {
        self.commands()
            .iter()
            .filter(|line| line.starts_with(beginning))
            .count()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// What came so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Takes out what came so far.
    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.shared.received.lock().unwrap())
    }

    /// Takes out the message that has this recipient.
    pub(crate) fn take_for(&self, recipient: &str) -> Option<Received> {
        let to = format!("TO:<{recipient}>");
        let mut received = self.shared.received.lock().unwrap();
        let place = received
            .iter()
            .position(|message| message.recipients.contains(&to))?;
        Some(received.swap_remove(place))
    }

    /// The only message; waits for it.
    pub(crate) fn one(&self) -> Received {
        let some = || Some(self.received()).filter(|received| !received.is_empty());
        let mut received = await_some_or(
            || format!("nothing came; commands: {:?}", self.commands()),
            some,
        );
        assert_eq!(received.len(), 1, "{received:#?}");
        received.remove(0)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        (self.wake)();
    }
}

impl Shared {
    fn converse(self: &Arc<Shared>, read: Box<dyn Read + Send>, write: Box<dyn Write + Send>) {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let session = Session {
            shared: Arc::clone(self),
            read: BufReader::new(read),
            write,
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
    read: BufReader<Box<dyn Read + Send>>,
    write: Box<dyn Write + Send>,
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
                let usual = "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 0";
                self.answer(&line, usual).map(drop)
            }
            "MAIL" => {
                self.forget();
                self.mail = line.get(5..).unwrap_or_default().to_owned();
                self.answer(&line, "250 2.1.0 ok").map(drop)
            }
            "RCPT" => {
                if self.answer(&line, "250 2.1.5 ok")? {
                    self.recipients
                        .push(line.get(5..).unwrap_or_default().to_owned());
                }
                Ok(())
            }
            "DATA" => self.data(&line),
            "RSET" => {
                self.forget();
                self.answer(&line, "250 2.0.0 ok").map(drop)
            }
            "QUIT" => {
                self.answer(&line, "221 2.0.0 bye")?;
                Err(Over)
            }
            _ => self.answer(&line, "250 2.0.0 ok").map(drop),
        }
    }

    fn data(&mut self, line: &str) -> Result<(), Over> {
        if self.recipients.is_empty() {
            return self.say("554 5.5.1 no valid recipients");
        }
        if !self.answer(line, "354 go on")? {
            return Ok(());
        }
        let mut wire = Vec::new();
        while !(wire == b".\r\n" || wire.ends_with(b"\r\n.\r\n")) {
            if self.read.read_until(b'\n', &mut wire)? == 0 {
                return Err(Over);
            }
        }
        let content = unstuffed(&wire[..wire.len() - 3]);
        self.finish(content, wire)
    }

    fn finish(&mut self, content: Vec<u8>, wire: Vec<u8>) -> Result<(), Over> {
        let recipients = std::mem::take(&mut self.recipients);
        let place = {
            let mut received = self.shared.received.lock().unwrap();
            received.push(Received {
                mail: std::mem::take(&mut self.mail),
                recipients: recipients.clone(),
                content,
                wire,
                connection: self.connection,
                taken: true,
            });
            received.len() - 1
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

    fn forget(&mut self) {
        self.recipients.clear();
    }

    /// Does what the script says at this moment; whether the answer was positive.
    fn answer(&mut self, moment: &str, usual: &str) -> Result<bool, Over> {
        match (self.shared.script)(moment) {
            Act::Usual => self.say(usual).map(|()| true),
            Act::Say(text) => self.say(text).map(|()| text.starts_with(['2', '3'])),
            Act::SayAndClose(text) => self.say(text).and(Err(Over)),
            Act::Close => Err(Over),
            Act::Hang => {
                let mut rest = Vec::new();
                self.read.read_to_end(&mut rest)?;
                Err(Over)
            }
        }
    }

    fn say(&mut self, text: &str) -> Result<(), Over> {
        self.write.write_all(format!("{text}\r\n").as_bytes())?;
        Ok(self.write.flush()?)
    }

    fn line(&mut self) -> Result<String, Over> {
        let mut line = Vec::new();
        if self.read.read_until(b'\n', &mut line)? == 0 {
            return Err(Over);
        }
        Ok(String::from_utf8_lossy(&line)
            .trim_end_matches(['\r', '\n'])
            .to_owned())
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
