//! OpenSMTPD as a relay: Debian's package, unpacked and not installed.
//!
//! Its pacing of deliveries to one host is taken out; with it end-to-end rates stay below 20 messages a second, whatever it
//! accepts.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use super::isolation::{Account, Isolation, owned_folder};
use super::{Running, fresh_folder};
use crate::bench::process::{Process, Reaper, free_port};
use crate::install;
use crate::workspace;

const SERVER: u32 = 64_002;
const QUEUE: u32 = 64_003;

fn unpacked() -> PathBuf {
    workspace::target("peers/opensmtpd")
}

pub(super) fn prepare() -> Result<()> {
    install::packages(install::UNPACKED_SERVERS)?;
    install::unpacked(&["opensmtpd"], &unpacked())
}

pub(super) fn version() -> String {
    // `smtpd -h` prints `version: OpenSMTPD 6.8.0p2` to standard error and fails, as getopt's usage does.
    let output = Command::new(unpacked().join("usr/sbin/smtpd"))
        .arg("-h")
        .output();
    let text = output.map(|it| String::from_utf8_lossy(&it.stderr).into_owned());
    let text = text.unwrap_or_default();
    let version = text.lines().find_map(|line| line.strip_prefix("version: "));
    version.unwrap_or("OpenSMTPD").to_owned()
}

pub(super) fn start(reaper: &Reaper, nexthop: u16, wrapper: &[&str]) -> Result<Running> {
    let port = free_port()?;
    let folder = fresh_folder("bench/opensmtpd")?;
    let accounts = [
        Account {
            name: "opensmtpd",
            number: SERVER,
            home: "/var/lib/opensmtpd/empty",
        },
        Account {
            name: "opensmtpq",
            number: QUEUE,
            home: "/nonexistent",
        },
    ];
    let isolation = Isolation::new(folder.join("root"), &accounts)?;
    let programs = isolation.copy(&unpacked().join("usr/sbin"), "usr/sbin")?;
    // It refuses to run unless its client may talk to the queue.
    let client = programs.join("smtpctl");
    chown(&client, None, Some(QUEUE))?;
    fs::set_permissions(&client, fs::Permissions::from_mode(0o2755))?;
    isolation.copy(
        &unpacked().join("usr/libexec/opensmtpd"),
        "usr/libexec/opensmtpd",
    )?;
    isolation.add_folder("var/lib/opensmtpd/empty")?;
    isolation.add_folder("var/spool/smtpd")?;
    isolation.add("etc/mailname", "relay.test\n")?;
    isolation.add("etc/smtpd.conf", &configuration(port, nexthop))?;
    let spool = folder.join("spool");
    owned_folder(&spool, 0, 0o711)?;

    let mut program = wrapper.to_vec();
    program.extend(["/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf"]);
    let command = isolation.command(&spool, "/var/spool/smtpd", &program);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let output = File::create(folder.join("log"))?;
    let mut process = Process::start(reaper, "opensmtpd", &command, |command| {
        command.stdout(Stdio::null()).stderr(output)
    })?;
    process
        .wait_for_port(port, Duration::from_secs(30))
        .with_context(|| format!("see {}", folder.display()))?;
    Ok(Running::peer(process, port))
}

fn configuration(port: u16, nexthop: u16) -> String {
    format!(
        "smtp limit max-mails 100000
mta limit reconn-delay-route 0 conn-delay-relay 0 conn-delay-route 0 session-mail-max 100000
smtp max-message-size 35M
listen on 127.0.0.1 port {port} hostname relay.test
action \"relay\" relay host smtp://127.0.0.1:{nexthop}
match from any for domain \"example.com\" action \"relay\"
"
    )
}
