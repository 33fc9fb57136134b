//! Haraka, from npm into `target/peers/haraka`: with `queue/smtp_forward`, which like Gatepost's cut-through hands each message
//! on while the client waits, or with its outbound queue on the disk.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Manner, Purpose, Running, fresh_folder, write};
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

/// Lets every client relay, and gives the sink as the MX of every domain.
const ROUTE: &str = "\
exports.hook_connect = (next, connection) => { connection.relaying = true; next() }
exports.hook_get_mx = (next, hmail, domain) => next(OK, { priority: 0, exchange: '127.0.0.1', port: NEXTHOP })
";

pub(super) fn start(reaper: &Reaper, purpose: Purpose<'_>) -> Result<Running> {
    let port = free_port()?;
    let folder = fresh_folder("bench/haraka")?;
    let haraka = installed().canonicalize().context("Haraka")?;
    let configuration = folder.join("config");
    let shipped = haraka.join("config");
    for folder in [&configuration, &folder.join("queue")] {
        fs::create_dir_all(folder)?;
    }
    for file in ["log.ini", "connection.ini"] {
        fs::copy(shipped.join(file), configuration.join(file)).with_context(|| file.to_owned())?;
    }
    let mut files = vec![
        ("config/host_list", "example.com\n".to_owned()),
        ("config/me", "relay.test\n".to_owned()),
        ("config/smtp.ini", format!("listen=127.0.0.1:{port}\n")),
    ];
    files.extend(plugins(purpose));
    for (file, content) in files {
        write(&folder.join(file), &content)?;
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
    let mut node = vec!["unshare", "-m", "sh", "-c", ISOLATE, &resolver];
    node.extend(purpose.wrapper);
    node.extend(["node", &haraka, "-c", &home]);
    let mut process = Process::start(reaper, "haraka", &node, |command| {
        command
            .current_dir(&folder)
            .stdout(output)
            .stderr(Stdio::null())
    })?;
    process
        .wait_for_port(port, Duration::from_secs(60))
        .with_context(|| format!("see {}", log.display()))?;
    Ok(Running::peer(process, port))
}

/// The files, from Haraka's folder, that make it hand on in the manner that is wanted.
fn plugins(purpose: Purpose<'_>) -> Vec<(&'static str, String)> {
    let nexthop = purpose.nexthop;
    match purpose.manner {
        Manner::InLine => vec![
            (
                "config/plugins",
                "rcpt_to.in_host_list\nqueue/smtp_forward\n".to_owned(),
            ),
            (
                "config/smtp_forward.ini",
                format!("host=127.0.0.1\nport={nexthop}\n"),
            ),
        ],
        Manner::Queued => vec![
            (
                "config/plugins",
                "rcpt_to.in_host_list\nbench_route\n".to_owned(),
            ),
            (
                "config/outbound.ini",
                "local_mx_ok=true\nenable_tls=false\n".to_owned(),
            ),
            (
                "plugins/bench_route.js",
                ROUTE.replace("NEXTHOP", &nexthop.to_string()),
            ),
        ],
    }
}
