//! A daemon's double for tests: it follows a script on each connection, keeps what it heard, and can be made to misbehave.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use smtp::{ForwardPath, ReversePath};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::engine::{Armed, DaemonSettings, Engine};
use crate::finding::{Finding, Unavailable, UnavailableCause};
use crate::message::Message;
use crate::specimen::Specimen;
use crate::wave;

/// One step of a script.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads until what was heard on this connection since the last such step ends with these bytes.
    Await(&'static [u8]),
    /// Reads this many bytes.
    Take(usize),
    Say(Vec<u8>),
    /// Says it byte by byte.
    Stammer(Vec<u8>),
    /// Neither speaks nor closes.
    Hang,
}

pub(crate) fn say(text: impl AsRef<[u8]>) -> Act {
    Act::Say(text.as_ref().to_vec())
}

/// A listening double; it closes a connection where its script ends.
pub(crate) struct Double {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    task: JoinHandle<()>,
}

impl Double {
    /// Follows the first script on the first connection, and so on; the last one serves all further connections.
    pub(crate) async fn start(scripts: Vec<Vec<Act>>) -> Double {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            for index in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                all.lock().unwrap().push(Vec::new());
                let script = scripts.get(index).or(scripts.last()).unwrap().clone();
                tokio::spawn(follow(stream, script, index, Arc::clone(&all)));
            }
        });
        Double {
            address,
            heard,
            task,
        }
    }

    /// Settings of an engine that talks to it.
    pub(crate) fn settings(&self) -> DaemonSettings {
        DaemonSettings::new("engine", self.address.to_string().parse().unwrap())
    }

    /// What was heard, connection by connection.
    pub(crate) fn heard(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard
            .iter()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(
    mut stream: TcpStream,
    script: Vec<Act>,
    index: usize,
    all: Arc<Mutex<Vec<Vec<u8>>>>,
) {
    for act in script {
        let followed = match act {
            Act::Await(end) => await_end(&mut stream, end, index, &all).await,
            Act::Take(count) => stream.read_exact(&mut vec![0; count]).await.is_ok(),
            Act::Say(bytes) => stream.write_all(&bytes).await.is_ok(),
            Act::Stammer(bytes) => stammer(&mut stream, &bytes).await,
            Act::Hang => std::future::pending().await,
        };
        if !followed {
            return;
        }
    }
}

async fn await_end(
    stream: &mut TcpStream,
    end: &[u8],
    index: usize,
    all: &Mutex<Vec<Vec<u8>>>,
) -> bool {
    let mut since = Vec::new();
    let mut space = [0; 4096];
    while !since.ends_with(end) {
        let Ok(count @ 1..) = stream.read(&mut space).await else {
            return false;
        };
        since.extend_from_slice(&space[..count]);
        all.lock().unwrap()[index].extend_from_slice(&space[..count]);
    }
    true
}

async fn stammer(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    stream.set_nodelay(true).unwrap();
    for byte in bytes {
        if stream.write_all(&[*byte]).await.is_err() {
            return false;
        }
        tokio::task::yield_now().await;
    }
    true
}

/// A message from ann@example.net to bob and carol.
pub(crate) fn specimen(message: impl Into<Bytes>) -> Arc<Specimen> {
    let recipient = |mailbox: &str| ForwardPath::Mailbox(mailbox.parse().unwrap());
    Arc::new(Specimen {
        reference: "K7QX-3M9D-2F".to_owned(),
        message: Message::new(message.into()),
        client_ip: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 25)),
        client_name: Some("mail.example.net".to_owned()),
        helo: "mail.example.net".to_owned(),
        reverse_path: ReversePath::Mailbox("ann@example.net".parse().unwrap()),
        recipients: vec![recipient("bob@example.com"), recipient("carol@example.com")],
        authenticated_as: None,
        authentication: Arc::default(),
        hostname: "mx.example.com".to_owned(),
        received: b"Received: from mail.example.net\r\n".to_vec(),
    })
}

/// The message that the scripts expect.
pub(crate) const MESSAGE: &str = "Subject: x\r\n\r\nbody\r\n";

/// Examines [`MESSAGE`], with a bound on the time so that a faulty script fails the test.
pub(crate) async fn examine(engine: &dyn Engine) -> Result<Finding, Unavailable> {
    timeout(Duration::from_secs(30), engine.examine(specimen(MESSAGE)))
        .await
        .expect("the script does not fit the engine")
}

/// Shows that an engine survives a daemon that misbehaves: `good` is the script of one examination that succeeds, and
/// its last step says the reply.
pub(crate) async fn assert_survives<E: Engine>(new: impl Fn(DaemonSettings) -> E, good: &[Act]) {
    let Some((Act::Say(reply), before)) = good.split_last() else {
        panic!("the script's last step is no reply");
    };
    let with = |last: &[Act]| [before, last].concat();

    let double = Double::start(vec![with(&[Act::Stammer(reply.clone()), Act::Hang])]).await;
    let slow = examine(&new(double.settings())).await;
    slow.expect("a slow reply is a reply");

    for length in 0..reply.len() {
        assert_useless(
            &new,
            with(&[say(&reply[..length])]),
            &format!("cut off at {length}"),
        )
        .await;
    }
    for garbage in [
        &b"\0\xff\xfe garbage\r\n\r\n\0"[..],
        b"220 mx.example.net ESMTP\r\n\r\n\0\n\n",
        b"\n\n\n\n\0",
    ] {
        assert_useless(&new, with(&[say(garbage)]), "garbage").await;
    }
    for endless in [b'a', b'\n', b'9'] {
        let reply = Act::Say(vec![endless; 3 * 1024 * 1024]);
        assert_useless(&new, with(&[reply, Act::Hang]), "endless").await;
    }
    assert_hangs(&new, vec![Act::Hang]).await;
    assert_hangs(&new, with(&[Act::Hang])).await;
}

/// Shows that a reply is taken for none.
async fn assert_useless<E: Engine>(
    new: &impl Fn(DaemonSettings) -> E,
    script: Vec<Act>,
    what: &str,
) {
    // A kept connection that closes without a word is replaced once: the second one closes too.
    let double = Double::start(vec![script, vec![]]).await;
    let why = examine(&new(double.settings())).await.expect_err(what);
    assert!(
        matches!(
            why.cause,
            UnavailableCause::Connect | UnavailableCause::Protocol
        ),
        "{what}: {why:?}"
    );
}

/// Shows that a daemon that hangs costs no more than the deadline.
async fn assert_hangs<E: Engine>(new: &impl Fn(DaemonSettings) -> E, script: Vec<Act>) {
    let double = Double::start(vec![script]).await;
    let engine = Armed {
        engine: Arc::new(new(double.settings())),
        deadline: Duration::from_millis(50),
    };
    let findings = wave::scan(
        &[engine],
        specimen(MESSAGE),
        Duration::from_secs(30),
        &mut |_| false,
    )
    .await;
    let why = findings[0].unavailable.as_ref();
    assert_eq!(why.map(|why| why.cause), Some(UnavailableCause::Timeout));
}
