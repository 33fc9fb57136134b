//! Exim as a relay with its own queue: Debian's light daemon, unpacked and not installed.
//!
//! Exim trusts only the configuration whose path is compiled in, hence the isolation. What differs from its defaults lets it
//! take the load at all: more connections than 20, and no message left to the next queue run because its connection brought
//! many.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use super::isolation::{Account, Isolation, owned_folder};
use super::{Running, first_line, fresh_folder};
use crate::bench::process::{Process, Reaper, free_port};
use crate::install;
use crate::workspace;

const USER: u32 = 64_001;

fn unpacked() -> PathBuf {
    workspace::target("peers/exim")
}

pub(super) fn prepare() -> Result<()> {
    install::packages(install::UNPACKED_SERVERS)?;
    install::unpacked(&["exim4-daemon-light", "exim4-base"], &unpacked())
}

pub(super) fn version() -> String {
    let program = unpacked().join("usr/sbin/exim4");
    // It looks for its configuration after it has said who it is.
    let line = first_line(Command::new(program).arg("-bV")).unwrap_or_default();
    let version = line.split_whitespace().nth(2).unwrap_or("?");
    format!("Exim {version}")
}

pub(super) fn start(reaper: &Reaper, nexthop: u16, wrapper: &[&str]) -> Result<Running> {
    let port = free_port()?;
    let folder = fresh_folder("bench/exim")?;
    let account = Account {
        name: "Debian-exim",
        number: USER,
        home: "/var/spool/exim4",
    };
    let isolation = Isolation::new(folder.join("root"), &[account])?;
    isolation.copy(&unpacked().join("usr/sbin"), "usr/sbin")?;
    isolation.add_folder("var/spool/exim4")?;
    let home = folder.join("home");
    owned_folder(&home, USER, 0o755)?;
    for part in ["spool", "log"] {
        owned_folder(&home.join(part), USER, 0o750)?;
    }
    isolation.add("etc/exim4/exim4.conf", &configuration(port, nexthop))?;
    let mut program = wrapper.to_vec();
    program.extend(["/usr/sbin/exim4", "-bdf", "-q30m"]);
    run(reaper, &isolation, &home, &program, port, &folder)
}

fn run(
    reaper: &Reaper,
    isolation: &Isolation,
    home: &Path,
    program: &[&str],
    port: u16,
    folder: &Path,
) -> Result<Running> {
    let command = isolation.command(home, "/var/spool/exim4", program);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let output = File::create(folder.join("stderr"))?;
    let mut process = Process::start(reaper, "exim", &command, |command| {
        command.stdout(Stdio::null()).stderr(output)
    })?;
    process
        .wait_for_port(port, Duration::from_secs(30))
        .with_context(|| format!("see {}", folder.display()))?;
    Ok(Running::peer(process, port))
}

fn configuration(port: u16, nexthop: u16) -> String {
    format!(
        "exim_path = /usr/sbin/exim4
spool_directory = /var/spool/exim4/spool
log_file_path = /var/spool/exim4/log/%slog
primary_hostname = relay.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
pid_file_path = /var/spool/exim4/pid
domainlist relay_to_domains = example.com
hostlist relay_from_hosts = 127.0.0.1
acl_smtp_rcpt = acl_rcpt
tls_advertise_hosts =
rfc1413_query_timeout = 0s
smtp_accept_max = 2100
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
smtp_connect_backlog = 200
keep_environment =
begin acl
acl_rcpt:
  accept hosts = +relay_from_hosts
         domains = +relay_to_domains
  deny
begin routers
smart:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = remote_smtp
begin transports
remote_smtp:
  driver = smtp
  port = {nexthop}
  allow_localhost = true
  hosts_try_dane =
begin retry
* * F,2h,1m
"
    )
}
