//! A gateway's process with a configuration of its own: started, awaited, asked for what it wrote down, stopped by SIGTERM.
//!
//! It listens on port 0 and tells in its decision log what the system gave, so that no port is ever fought over.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use super::await_some;
use super::names::NoNames;

/// The name of the node.
pub(crate) const NODE: &str = "mx.gatepost.test";

/// A configuration in the making.
#[derive(Debug, Default, Clone)]
pub(crate) struct Setup {
    node: String,
    dns: String,
    nameserver: Option<SocketAddr>,
    listener: String,
    rest: String,
}

impl Setup {
    pub(crate) fn new() -> Setup {
        Setup::default()
    }

    /// A route for example.com to these nexthops, with more keys if need be.
    pub(crate) fn route(self, nexthop: &str, keys: &str) -> Setup {
        self.route_for("example.com", nexthop, keys)
    }

    pub(crate) fn route_for(self, domain: &str, nexthop: &str, keys: &str) -> Setup {
        let list = nexthop
            .split(", ")
            .map(|one| format!("\"{one}\""))
            .collect::<Vec<_>>()
            .join(", ");
        self.more(&format!(
            "[[route]]\ndomains = [\"{domain}\"]\nnexthop = [{list}]\n{keys}\n"
        ))
    }

    /// More keys of `[node]`.
    pub(crate) fn node(mut self, keys: &str) -> Setup {
        self.node.push_str(keys);
        self.node.push('\n');
        self
    }

    /// The name server that is asked; without it, one that knows no name.
    pub(crate) fn nameserver(mut self, address: SocketAddr) -> Setup {
        self.nameserver = Some(address);
        self
    }

    /// More keys of `[dns]`; `timeout` in place of its usual 5 s.
    pub(crate) fn dns(mut self, keys: &str) -> Setup {
        self.dns.push_str(keys);
        self.dns.push('\n');
        self
    }

    /// More keys of the listener `main`.
    pub(crate) fn listener(mut self, keys: &str) -> Setup {
        self.listener.push_str(keys);
        self.listener.push('\n');
        self
    }

    /// More tables.
    pub(crate) fn more(mut self, tables: &str) -> Setup {
        self.rest.push_str(tables);
        self.rest.push('\n');
        self
    }

    pub(crate) fn start(self) -> Gateway {
        Gateway::start(&self)
    }

    fn text(&self, folder: &Path, names: SocketAddr) -> String {
        let stop = if self.listener.contains("stop_deadline") {
            ""
        } else {
            "stop_deadline = \"1s\"\n"
        };
        let admin = if self.rest.contains("[admin]") {
            ""
        } else {
            "[admin]\nbind = []\n"
        };
        // All servers of the tests are there.
        let delivery = if self.rest.contains("[delivery]") {
            ""
        } else {
            "[delivery]\nloopback = true\n"
        };
        let timeout = if self.dns.contains("timeout") {
            ""
        } else {
            "timeout = \"5s\"\n"
        };
        format!(
            "[node]\nname = \"{NODE}\"\ndata_dir = \"{}\"\nthreads = 2\n{}\n[dns]\nnameservers = [\"{names}\"]\n{timeout}{}\
             {delivery}{admin}\n[[listener]]\nname = \"main\"\nbind = [\"127.0.0.1:0\"]\n{stop}{}\n{}",
            folder.join("data").display(),
            self.node,
            self.dns,
            self.listener,
            self.rest
        )
    }
}

/// A running gateway.
#[derive(Debug)]
pub(crate) struct Gateway {
    child: Child,
    listeners: HashMap<String, SocketAddr>,
    folder: TempDir,
    names: NoNames,
}

impl Gateway {
    /// Starts it and waits until it takes mail and commands.
    fn start(setup: &Setup) -> Gateway {
        let folder = tempfile::Builder::new().prefix("gp-").tempdir().unwrap();
        let names = NoNames::start();
        let config = folder.path().join("gatepost.toml");
        let asked = setup.nameserver.unwrap_or(names.address());
        fs::write(&config, setup.text(folder.path(), asked)).unwrap();
        let mut gateway = Gateway {
            child: spawn(folder.path()),
            listeners: HashMap::new(),
            folder,
            names,
        };
        gateway.await_listeners(0);
        gateway
    }

    /// Kills it without warning, as a power failure would, and starts it again with the same data.
    pub(crate) fn kill_and_start(&mut self) {
        self.kill_and_start_after(|| ());
    }

    /// The same, with something done while it is dead.
    pub(crate) fn kill_and_start_after(&mut self, change: impl FnOnce()) {
        let before = self.events("listening").len();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        change();
        self.child = spawn(self.folder.path());
        self.await_listeners(before);
    }

    /// Stops it by SIGTERM, waits for its end, and starts it again with the same data.
    pub(crate) fn restart(&mut self) {
        let before = self.events("listening").len();
        self.signal("TERM");
        assert!(self.await_end().success());
        self.child = spawn(self.folder.path());
        self.await_listeners(before);
    }

    /// Waits until it listens wherever it should; so many listeners were told of before it started.
    fn await_listeners(&mut self, before: usize) {
        let text = fs::read_to_string(self.config()).unwrap();
        let wanted = before + text.matches("[[listener]]").count();
        await_some("the gateway listens", || {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("gatepost ended with {status}:\n{}", self.stderr());
            }
            let answers = UnixStream::connect(self.control()).is_ok();
            (self.events("listening").len() >= wanted && answers).then_some(())
        });
        self.listeners = self.listening();
    }

    /// The address of the listener `main`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.listener("main")
    }

    pub(crate) fn listener(&self, name: &str) -> SocketAddr {
        *self
            .listeners
            .get(name)
            .unwrap_or_else(|| panic!("no listener {name} in {:?}", self.listeners))
    }

    /// The listeners as the log has them by now.
    pub(crate) fn listening(&self) -> HashMap<String, SocketAddr> {
        let of = |event: &Value| {
            let name = event["listener"].as_str()?.to_owned();
            Some((name, event["address"].as_str()?.parse().ok()?))
        };
        self.events("listening").iter().filter_map(of).collect()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("gatepost.toml")
    }

    pub(crate) fn control(&self) -> PathBuf {
        self.folder.path().join("data/control.sock")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote on standard error.
    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }

    /// The whole lines of the log that there are by now.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = fs::read(self.folder.path().join("data/decisions.jsonl")).unwrap_or_default();
        let end = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let lines = text[..end]
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        lines
            .map(|line| {
                let line = String::from_utf8_lossy(line);
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"))
            })
            .collect()
    }

    /// The events of this name that there are by now.
    pub(crate) fn events(&self, name: &str) -> Vec<Value> {
        self.log()
            .into_iter()
            .filter(|event| event["event"] == name)
            .collect()
    }

    /// The first event of this name for which `is_it` holds; waits for it.
    pub(crate) fn await_event(&self, name: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let found = || self.events(name).into_iter().find(|event| is_it(event));
        super::await_some_or(|| format!("no such {name} in {:#?}", self.log()), found)
    }

    /// Waits until the queue is read whole after the latest start.
    pub(crate) fn await_recovery(&self) {
        let is_read =
            || self.events("queue-recovered").len() >= self.events("started").len().max(1);
        super::await_some("the queue is read", || is_read().then_some(()));
    }

    /// All decisions, once there are `count` of them; more are an error.
    pub(crate) fn decisions(&self, count: usize) -> Vec<Value> {
        let enough = || Some(self.events("decided")).filter(|decisions| decisions.len() >= count);
        let found = super::await_some_or(
            || format!("not {count} decisions in {:#?}", self.log()),
            enough,
        );
        assert_eq!(found.len(), count, "{found:#?}");
        found
    }

    /// The only decision.
    pub(crate) fn decision(&self) -> Value {
        self.decisions(1).remove(0)
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args(["-c", r#"kill -s "$0" "$1""#, name, &self.pid().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Runs another command of the same program with the same configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_gatepost"))
            .args(arguments)
            .arg("--config")
            .arg(self.config())
            .output()
            .unwrap()
    }

    /// Replaces a part of the configuration file.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.config()).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        fs::write(self.config(), text.replace(from, to)).unwrap();
    }

    /// The metrics, read over the control socket.
    pub(crate) fn metrics(&self) -> String {
        let mut socket = UnixStream::connect(self.control()).unwrap();
        socket
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: gatepost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The value of one metric, by name and labels as they are written; waits until it is there.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let value = || {
            let metrics = self.metrics();
            let line = metrics.lines().find_map(|line| {
                line.strip_prefix(name)?
                    .strip_prefix(' ')
                    .map(str::to_owned)
            });
            line.and_then(|value| value.trim().parse().ok())
        };
        super::await_some_or(|| format!("no {name} in {}", self.metrics()), value)
    }

    /// Resident memory now and at most, in KiB.
    pub(crate) fn memory_kib(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let field = |name: &str| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        (field("VmRSS:"), field("VmHWM:"))
    }

    /// Lets the peak of [`Gateway::memory_kib`] begin anew from what is in use now (`clear_refs` of proc(5)).
    pub(crate) fn forget_peak_memory(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").unwrap();
    }

    /// Whether it still takes connections.
    pub(crate) fn is_alive(&self) -> bool {
        TcpStream::connect(self.address()).is_ok()
    }

    /// Waits for the end of a process that was told to stop.
    pub(crate) fn await_end(&mut self) -> ExitStatus {
        let Gateway { child, .. } = self;
        await_some("the gateway ends", || child.try_wait().unwrap())
    }
}

/// Runs `gatepost serve` with the configuration in this folder.
fn spawn(folder: &Path) -> Child {
    let stderr = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("stderr"))
        .unwrap();
    Command::new(env!("CARGO_BIN_EXE_gatepost"))
        .args(["serve", "--config"])
        .arg(folder.join("gatepost.toml"))
        .stdin(Stdio::null())
        .stdout(stderr.try_clone().unwrap())
        .stderr(stderr)
        .spawn()
        .unwrap()
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal("TERM");
            let since = std::time::Instant::now();
            while matches!(self.child.try_wait(), Ok(None)) && since.elapsed().as_secs() < 15 {
                thread::sleep(std::time::Duration::from_millis(10));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let stderr = self.stderr();
        if thread::panicking() {
            eprintln!("the gateway said:\n{stderr}");
        } else {
            assert!(
                !stderr.contains("panicked"),
                "the gateway panicked:\n{stderr}"
            );
        }
    }
}
