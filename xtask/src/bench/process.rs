//! The processes that a bench starts, and their end: each is stopped by its id when its value is dropped.
//!
//! If this process itself dies before (Ctrl-C, a kill), its `Reaper` notices and stops what is left: a shell that reads
//! process ids from a pipe and acts when the pipe closes, which it does however we die.

use std::cell::RefCell;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::account::Account;

/// Ends what it watches once the pipe from us closes: politely, and five seconds later by force.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
watched=
while read -r word process; do
    case $word in
        watch) watched="$watched $process" ;;
        forget) rest=; for it in $watched; do [ "$it" = "$process" ] || rest="$rest $it"; done; watched=$rest ;;
    esac
done
for it in $watched; do kill -TERM "$it" 2>&-; done
for turn in 1 2 3 4 5; do
    rest=; for it in $watched; do kill -0 "$it" 2>&- && rest="$rest $it"; done; watched=$rest
    [ -n "$watched" ] || exit 0
    sleep 1
done
for it in $watched; do kill -KILL "$it" 2>&-; done
"#;

/// How long a server may take to stop by itself.
const STOP_TIME_MAX: Duration = Duration::from_secs(10);

/// Watches over the processes of this bench.
#[derive(Clone)]
pub(crate) struct Reaper {
    pipe: Rc<RefCell<ChildStdin>>,
}

impl Reaper {
    pub(crate) fn start() -> Result<Reaper> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("sh")?;
        let pipe = shell.stdin.take().context("the reaper's pipe")?;
        Ok(Reaper {
            pipe: Rc::new(RefCell::new(pipe)),
        })
    }

    fn tell(&self, word: &str, process: u32) -> Result<()> {
        writeln!(self.pipe.borrow_mut(), "{word} {process}").context("the reaper is gone")
    }
}

/// A running process and what it used.
pub(crate) struct Process {
    name: String,
    child: Child,
    account: Account,
    reaper: Reaper,
}

impl Process {
    /// Starts `program` in an account of its own; `configure` adds arguments, streams and the like.
    pub(crate) fn start(
        reaper: &Reaper,
        name: &str,
        program: &[&str],
        configure: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Result<Process> {
        let (first, arguments) = program.split_first().context("no program")?;
        let first = crate::install::program(first).unwrap_or_else(|| first.into());
        let account = Account::open(name);
        let mut command = Account::command(account.as_ref(), &first);
        command.args(arguments).stdin(Stdio::null());
        let child = configure(&mut command)
            .spawn()
            .with_context(|| format!("cannot start {name} ({})", first.display()))?;
        let root = child.id();
        let process = Process {
            name: name.to_owned(),
            child,
            account: account.unwrap_or(Account::Tree { root }),
            reaper: reaper.clone(),
        };
        process.reaper.tell("watch", root)?;
        Ok(process)
    }

    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until the server accepts connections.
    pub(crate) fn wait_for_port(&mut self, port: u16, patience: Duration) -> Result<()> {
        let start = Instant::now();
        while TcpStream::connect(loopback(port)).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended before it listened: {status}", self.name);
            }
            if start.elapsed() > patience {
                bail!("{} does not listen on port {port}", self.name);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Waits for the process to end by itself; stops it and fails if that takes too long.
    pub(crate) fn wait(&mut self, patience: Duration) -> Result<()> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                if !status.success() {
                    bail!("{}: {status}", self.name);
                }
                return Ok(());
            }
            if start.elapsed() > patience {
                bail!("{} was not done in {} s", self.name, patience.as_secs());
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn stop(&mut self) {
        let is_running = matches!(self.child.try_wait(), Ok(None));
        if is_running {
            // The standard library sends only SIGKILL; servers are owed the chance to end their children.
            let _ = Command::new("kill")
                .args(["-TERM", &self.child.id().to_string()])
                .status();
            let start = Instant::now();
            while matches!(self.child.try_wait(), Ok(None)) && start.elapsed() < STOP_TIME_MAX {
                thread::sleep(Duration::from_millis(20));
            }
            // Fails if it ended in time, as it should.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let _ = self.reaper.tell("forget", self.child.id());
        self.account.close(STOP_TIME_MAX);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A port of the loopback address on which nothing listens.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(loopback(0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// An address on this machine: benches go nowhere else.
pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
