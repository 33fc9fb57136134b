//! A daemon's process: started in a group of its own, awaited by polling what it listens on, ended by its id.

use std::fs::{self, File, Permissions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const READY_SECONDS_MAX: u64 = 90;
const STOP_SECONDS_MAX: u64 = 10;
const POLL: Duration = Duration::from_millis(20);

/// A running daemon.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program` with its output in `log`, and waits until it accepts connections at `address`.
    pub fn start(program: &str, arguments: &[&str], log: PathBuf, address: SocketAddr) -> Process {
        let out = File::create(&log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        let err = out
            .try_clone()
            .unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let mut process = Process { child, log };
        process.await_ready(program, address);
        process
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the daemon and everything that it started, and waits for it.
    pub fn stop(&mut self) {
        self.signal("TERM");
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(STOP_SECONDS_MAX) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            sleep(POLL);
        }
        // What it left behind; if there is nothing, the signal finds nobody.
        self.signal("KILL");
        let _ = self.child.wait();
    }

    fn await_ready(&mut self, program: &str, address: SocketAddr) {
        let since = Instant::now();
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            let ended = self.child.try_wait().unwrap_or(None);
            let late = since.elapsed() > Duration::from_secs(READY_SECONDS_MAX);
            if ended.is_some() || late {
                self.signal("KILL");
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                panic!(
                    "{program} does not listen on {address} (ended: {ended:?}); it said:\n{log}"
                );
            }
            sleep(POLL);
        }
    }

    /// Signals the daemon's process group, whose id is that of the daemon.
    fn signal(&self, name: &str) {
        let group = format!("-{}", self.child.id());
        let script = r#"kill -s "$0" -- "$1" 2>/dev/null"#;
        let _ = Command::new("sh")
            .args(["-c", script, name, &group])
            .status();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The path of a program, which must be there.
pub fn program(candidates: &[&str], package: &str) -> String {
    let found = candidates.iter().find(|path| Path::new(path).exists());
    let names = candidates.join(", ");
    let missing =
        || panic!("no {names}: install the Debian package {package} (apt-get install {package})");
    found.map_or_else(missing, |path| (*path).to_owned())
}

/// A loopback address with a port that was free a moment ago.
pub fn free_address() -> SocketAddr {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap_or_else(|error| panic!("bind: {error}"));
    listener
        .local_addr()
        .unwrap_or_else(|error| panic!("local_addr: {error}"))
}

/// Makes `parent/name`, readable by the user that a daemon changes to.
pub fn directory(parent: &Path, name: &str) -> PathBuf {
    let path = parent.join(name);
    fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for path in [parent, &path] {
        let changed = fs::set_permissions(path, Permissions::from_mode(0o755));
        changed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    path
}

pub fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Whether the tests run as root: some daemons then want to be told as whom to run.
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}
