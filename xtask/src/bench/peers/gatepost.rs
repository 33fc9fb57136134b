//! Gatepost itself, released, with one route and no engines: the bare gateway, in line or with its queue.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Manner, Purpose, Running, first_line, fresh_folder, write};
use crate::bench::process::{Process, Reaper, free_port};
use crate::workspace;

/// Whether the listener has a certificate.
#[derive(Clone, Copy)]
pub(in crate::bench) enum Tls {
    None,
    /// A fresh self-signed one, offered by STARTTLS.
    SelfSigned,
}

/// Where the released program is once it is built.
pub(in crate::bench) fn program() -> PathBuf {
    workspace::target("release/gatepost")
}

/// Builds the program as a provider would.
pub(in crate::bench) fn build() -> Result<()> {
    println!("building gatepost --release");
    let status = workspace::cargo()
        .args([
            "build",
            "--locked",
            "--release",
            "--package",
            "gatepost",
            "--bin",
            "gatepost",
        ])
        .status()
        .context("cargo build")?;
    ensure!(status.success(), "gatepost does not build");
    Ok(())
}

pub(super) fn version() -> String {
    let commit = Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .current_dir(workspace::root())
        .output();
    let commit = commit.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned());
    let version = first_line(Command::new(program()).arg("version"));
    let version = version.unwrap_or_else(|| "gatepost".to_owned());
    format!("{version} at {}", commit.unwrap_or_default())
}

/// Starts Gatepost in other shapes than the peers have.
pub(in crate::bench) struct Gatepost;

impl Gatepost {
    pub(in crate::bench) fn start(
        reaper: &Reaper,
        purpose: Purpose<'_>,
        tls: Tls,
    ) -> Result<Running> {
        let port = free_port()?;
        let admin_port = free_port()?;
        let folder = fresh_folder("bench/gatepost")?;
        let tls = match tls {
            Tls::None => String::new(),
            Tls::SelfSigned => certificate(&folder)?,
        };
        let configuration = folder.join("gatepost.toml");
        let toml = toml(&folder, port, admin_port, purpose, &tls);
        write(&configuration, &toml)?;
        let log = folder.join("log");
        let output = File::create(&log)?;
        let program = program().to_string_lossy().into_owned();
        let configuration = configuration.to_string_lossy().into_owned();
        let mut serve = purpose.wrapper.to_vec();
        serve.extend([program.as_str(), "serve", "--config", &configuration]);
        let mut process = Process::start(reaper, "gatepost", &serve, |command| {
            command.stdout(Stdio::null()).stderr(output)
        })?;
        process
            .wait_for_port(port, Duration::from_secs(10))
            .with_context(|| format!("see {}", log.display()))?;
        Ok(Running {
            process,
            port,
            admin_port: Some(admin_port),
        })
    }
}

fn toml(folder: &Path, port: u16, admin_port: u16, purpose: Purpose<'_>, tls: &str) -> String {
    let folder = folder.display();
    let nexthop = purpose.nexthop;
    let cut_through = purpose.manner == Manner::InLine;
    format!(
        r#"[node]
name = "mx.example.net"
data_dir = "{folder}/data"

[admin]
bind = ["127.0.0.1:{admin_port}"]

[[listener]]
name = "inbound"
bind = ["127.0.0.1:{port}"]
connections_max = 50000
connections_per_network_max = 50000
{tls}
[[route]]
domains = ["example.com"]
nexthop = ["smtp:127.0.0.1:{nexthop}"]
recipients = "any"
cut_through = {cut_through}

[engine.attachment]
enabled = false

[engine.auth]
enabled = false

[engine.content]
enabled = false

[engine.reputation]
enabled = false
"#
    )
}

/// Makes a certificate and gives the listener's lines for it.
fn certificate(folder: &Path) -> Result<String> {
    let certificate = folder.join("certificate.pem");
    let key = folder.join("key.pem");
    let status = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args([
            "-nodes",
            "-days",
            "30",
            "-subj",
            "/CN=mx.example.net",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("openssl")?;
    ensure!(status.success(), "openssl made no certificate");
    let (certificate, key) = (certificate.display(), key.display());
    Ok(format!(
        r#"tls = {{ mode = "starttls", certificates = [{{ certificate = "{certificate}", key = "{key}" }}] }}
"#
    ))
}
