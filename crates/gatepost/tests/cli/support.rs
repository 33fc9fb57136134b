//! A folder with a configuration, the binary run on it, a nameserver that knows one name, and SMTP servers that play a script.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// The only name that the nameserver knows; it is 127.0.0.1.
pub(crate) const NODE: &str = "mx.gatepost.example";

/// Connections that a scripted server takes before it ends.
const CONNECTIONS_MAX: usize = 8;

/// How long a scripted server waits for its client.
const CLIENT_WAIT_MAX: Duration = Duration::from_secs(20);

/// A folder of its own.
pub(crate) struct Home {
    folder: TempDir,
}

/// What a run of the binary came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    /// With `[node]`, `[dns]` and a listener, followed by `rest`.
    pub(crate) fn new(rest: &str) -> Home {
        let home = Home {
            folder: tempfile::tempdir().unwrap(),
        };
        let config = format!(
            "[node]\nname = \"{NODE}\"\ndata_dir = \"data\"\n\n\
             [admin]\nbind = []\n\n\
             [dns]\nnameservers = [\"{}\"]\n\n\
             [[listener]]\nname = \"inbound\"\nbind = [\"127.0.0.1:2525\"]\nmessage_size_max = \"64KiB\"\n\
             connections_max = 50\n\n{rest}\n",
            nameserver()
        );
        home.file("gatepost.toml", config.as_bytes());
        home
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `gatepost ARGUMENTS --config gatepost.toml` in the folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with_input(arguments, b"")
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Run {
        let with_config = [arguments, &["--config", "gatepost.toml"]].concat();
        gatepost(self.folder.path(), &with_config, input)
    }
}

/// Runs the binary in this folder.
pub(crate) fn gatepost(folder: &Path, arguments: &[&str], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gatepost"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads no input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Run {
    /// The JSON objects of standard output, one to a line.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<Value> {
        let lines = self.out.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{self:?}")))
            .collect()
    }

    /// The line that holds all of `words`.
    #[track_caller]
    pub(crate) fn line(&self, words: &[&str]) -> &str {
        let mut lines = self.out.lines();
        lines
            .find(|line| words.iter().all(|word| line.contains(word)))
            .unwrap_or_else(|| panic!("no line with {words:?} in {self:?}"))
    }
}

/// A nameserver that says NXDOMAIN to everything but the address of [`NODE`].
fn nameserver() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    // The thread ends with the test process.
    std::thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((length, client)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&answer(&buffer[..length]), client);
        }
    });
    address
}

/// RFC 1035 4.1: the header and the question again, with one A record or none.
fn answer(query: &[u8]) -> Vec<u8> {
    let mut at = 12;
    let mut labels = Vec::new();
    while query[at] > 0 {
        let end = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..end]).to_lowercase());
        at = end;
    }
    let question_end = at + 5;
    let is_a = query[at + 1..at + 3] == [0, 1];
    let is_known = labels.join(".") == NODE;
    let mut answer = query[..2].to_vec();
    answer.extend([0x81, if is_known { 0x80 } else { 0x83 }, 0, 1]);
    answer.extend([0, u8::from(is_known && is_a), 0, 0, 0, 0]);
    answer.extend(&query[12..question_end]);
    if is_known && is_a {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    answer
}

/// A server on 127.0.0.1 that says `banner`, and to each command what `reply` has for it (its verb is given).
pub(crate) fn smtp_server(
    banner: &'static str,
    reply: impl Fn(&str) -> &'static str + Send + 'static,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(CONNECTIONS_MAX) {
            let stream = stream.unwrap();
            stream.set_read_timeout(Some(CLIENT_WAIT_MAX)).unwrap();
            let mut writer = stream.try_clone().unwrap();
            let _ = writer.write_all(banner.as_bytes());
            for line in BufReader::new(stream).lines() {
                let Ok(line) = line else { break };
                let verb = line.split(' ').next().unwrap_or_default().to_uppercase();
                if writer.write_all(reply(&verb).as_bytes()).is_err() || verb == "QUIT" {
                    break;
                }
            }
        }
    });
    port
}

/// A port of 127.0.0.1 where nothing listens.
pub(crate) fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
