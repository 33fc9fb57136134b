//! Haraka with `queue/smtp_forward`: like Gatepost with cut-through it hands each message on while the client waits,
//! and keeps no queue. From npm, into `target/peers/haraka`.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Running, fresh_folder, write};
use crate::bench::process::{Process, Reaper, free_port};
use crate::install;
use crate::workspace;

/// The version that the figures in docs/performance.md are for.
const VERSION: &str = "3.3.4";

fn installed() -> PathBuf {
    workspace::target("peers/haraka/node_modules/Haraka")
}

pub(super) fn prepare() -> Result<()> {
    install::packages(install::NODE)?;
    if installed().join("bin/haraka").is_file() {
        return Ok(());
    }
    println!("installing Haraka {VERSION} into target/peers/haraka");
    let folder = workspace::target("peers/haraka");
    fs::create_dir_all(&folder)?;
    let output = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--loglevel=error"])
        .arg("--prefix")
        .arg(&folder)
        .arg(format!("Haraka@{VERSION}"))
        .stdin(Stdio::null())
        .output()
        .context("npm")?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "npm install Haraka: {}",
        text.trim()
    );
    Ok(())
}

pub(super) fn version() -> String {
    let package = fs::read_to_string(installed().join("package.json")).unwrap_or_default();
    let package: Value = serde_json::from_str(&package).unwrap_or_default();
    format!("Haraka {}", package["version"].as_str().unwrap_or("?"))
}

pub(super) fn start(reaper: &Reaper, nexthop: u16) -> Result<Running> {
    let port = free_port()?;
    let folder = fresh_folder("bench/haraka")?;
    let haraka = installed().canonicalize().context("Haraka")?;
    let configuration = folder.join("config");
    let shipped = haraka.join("config");
    fs::create_dir_all(&configuration)?;
    for file in ["log.ini", "connection.ini"] {
        fs::copy(shipped.join(file), configuration.join(file)).with_context(|| file.to_owned())?;
    }
    let files = [
        ("host_list", "example.com\n".to_owned()),
        ("me", "relay.test\n".to_owned()),
        ("smtp.ini", format!("listen=127.0.0.1:{port}\n")),
        (
            "plugins",
            "rcpt_to.in_host_list\nqueue/smtp_forward\n".to_owned(),
        ),
        (
            "smtp_forward.ini",
            format!("host=127.0.0.1\nport={nexthop}\n"),
        ),
    ];
    for (file, content) in files {
        write(&configuration.join(file), &content)?;
    }
    let log = folder.join("log");
    let output = File::create(&log)?;
    let resolver = folder.join("resolv.conf");
    write(&resolver, "nameserver 127.0.0.1\n")?;

    // Haraka asks DNS for the client's name. Here no DNS answers, so it gets a resolv.conf (in a mount namespace of its
    // own) whose server refuses at once instead of letting each connection wait.
    const ISOLATE: &str = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
    let paths = [resolver, haraka.join("bin/haraka"), folder.clone()];
    let [resolver, haraka, home] = paths.map(|it| it.to_string_lossy().into_owned());
    let node = [
        "unshare", "-m", "sh", "-c", ISOLATE, &resolver, "node", &haraka, "-c", &home,
    ];
    let mut process = Process::start(reaper, "haraka", &node, |command| {
        command
            .current_dir(&folder)
            .stdout(output)
            .stderr(Stdio::null())
    })?;
    process
        .wait_for_port(port, Duration::from_secs(60))
        .with_context(|| format!("see {}", log.display()))?;
    Ok(Running { process, port })
}
