//! Postfix as a relay: Debian's defaults, one instance in a folder of its own, no chroot, logging to a file.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Running, first_line, fresh_folder, write};
use crate::bench::process::{Process, Reaper, free_port};

const MASTER_CF: &str = "/usr/share/postfix/master.cf.dist";

pub(super) fn version() -> String {
    let version = first_line(Command::new("postconf").args(["-h", "mail_version"]));
    format!("Postfix {}", version.unwrap_or_default())
}

pub(super) fn start(reaper: &Reaper, nexthop: u16, wrapper: &[&str]) -> Result<Running> {
    let port = free_port()?;
    let folder = fresh_folder("bench/postfix")?;
    let configuration = folder.join("etc");
    write(&configuration.join("main.cf"), &main_cf(&folder, nexthop))?;
    write(&configuration.join("master.cf"), &master_cf(port)?)?;
    for part in ["spool", "data"] {
        fs::create_dir_all(folder.join(part))?;
    }
    if Path::new("/etc/postfix/dynamicmaps.cf").exists() {
        fs::copy(
            "/etc/postfix/dynamicmaps.cf",
            configuration.join("dynamicmaps.cf"),
        )?;
    }
    write(&folder.join("maillog"), "")?;
    let status = Command::new("chown")
        .arg("postfix")
        .arg(folder.join("data"))
        .status()?;
    ensure!(status.success(), "Postfix can be started by root only");
    let configuration = configuration.to_string_lossy().into_owned();
    // Both complain about manual pages that Debian puts elsewhere; `check` makes the folders of the spool.
    for task in ["set-permissions", "check"] {
        let _ = Command::new("postfix")
            .args(["-c", &configuration, task])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
    // Not `postfix start-fg`: its shell would be our child, and leave the master behind when it is stopped.
    let master = format!("{}/master", daemon_directory()?);
    let mut program = wrapper.to_vec();
    program.extend([master.as_str(), "-c", &configuration, "-s"]);
    let mut process = Process::start(reaper, "postfix", &program, |command| {
        command.stdout(Stdio::null()).stderr(Stdio::null())
    })?;
    process
        .wait_for_port(port, Duration::from_secs(30))
        .with_context(|| format!("see {}", folder.join("maillog").display()))?;
    Ok(Running::peer(process, port))
}

fn daemon_directory() -> Result<String> {
    first_line(Command::new("postconf").args(["-h", "daemon_directory"]))
        .context("postconf does not say where Postfix's programs are")
}

fn main_cf(folder: &Path, nexthop: u16) -> String {
    let folder = folder.display();
    format!(
        "compatibility_level = 3.6
biff = no
append_dot_mydomain = no
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file_prefixes = {folder}, /dev/stdout
maillog_file = {folder}/maillog
myhostname = relay.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relay_domains = example.com
relayhost = [127.0.0.1]:{nexthop}
smtpd_relay_restrictions = permit_mynetworks, reject
alias_maps =
alias_database =
smtpd_tls_security_level = none
smtp_tls_security_level = none
"
    )
}

/// Debian's master.cf with smtpd on our port and no service in a chroot, which this instance has not got.
fn master_cf(port: u16) -> Result<String> {
    let shipped = fs::read_to_string(MASTER_CF).context(MASTER_CF)?;
    Ok(adapt(&shipped, port))
}

fn adapt(shipped: &str, port: u16) -> String {
    let mut lines = String::new();
    for line in shipped.lines() {
        let is_service = !line.starts_with(['#', ' ', '\t']) && !line.is_empty();
        let mut fields: Vec<&str> = line.split_whitespace().collect();
        if !is_service || fields.len() < 8 {
            lines.push_str(line);
            lines.push('\n');
            continue;
        }
        let listen = format!("127.0.0.1:{port}");
        if fields[..2] == ["smtp", "inet"] {
            fields[0] = &listen;
        }
        if fields[4] == "y" {
            fields[4] = "n";
        }
        lines.push_str(&fields.join(" "));
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests;
