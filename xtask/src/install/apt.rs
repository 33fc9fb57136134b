//! Debian packages by apt-get, without a question asked and without a daemon started.
//!
//! Installing a server on Debian starts it. The tests start their own, on their own ports and folders, so a
//! `policy-rc.d` that says no (Debian policy 9.11.1 and invoke-rc.d(8)) stands while packages are unpacked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::program;

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs packages, with one `apt-get update` if the lists are missing or too old to serve.
pub(super) fn install(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if program("apt-get").is_none() || !is_root() {
        bail!(
            "missing on this machine: the Debian packages {names} (or what your system calls them); \
             install them, or run this task as root on Debian"
        );
    }
    println!("installing {names}");
    let _policy = NoDaemons::stand()?;
    if !has_lists() {
        apt_get(&["update"], &[])?;
    }
    let options = ["install", "--yes", "--no-install-recommends"];
    if apt_get(&options, packages).is_err() {
        println!("once more, with fresh package lists");
        apt_get(&["update"], &[])?;
        apt_get(&options, packages)?;
    }
    Ok(())
}

/// Fetches packages and unpacks them below a folder, as dpkg-deb(1) does with `--extract`: nothing of the machine changes, so
/// that a mail server can be there beside the one that is installed.
pub(super) fn unpack(packages: &[&str], folder: &Path) -> Result<()> {
    println!("unpacking {} into {}", packages.join(" "), folder.display());
    if !has_lists() {
        apt_get(&["update"], &[])?;
    }
    let archives = folder.with_extension("packages");
    fs::create_dir_all(&archives).with_context(|| archives.display().to_string())?;
    apt_get_in(&archives, &["download"], packages)?;
    for entry in fs::read_dir(&archives)? {
        let archive = entry?.path();
        let status = Command::new("dpkg-deb")
            .arg("--extract")
            .args([&archive, folder])
            .status()
            .context("dpkg-deb")?;
        ensure!(
            status.success(),
            "dpkg-deb cannot unpack {}",
            archive.display()
        );
    }
    fs::remove_dir_all(&archives).with_context(|| archives.display().to_string())
}

fn apt_get(options: &[&str], packages: &[&str]) -> Result<()> {
    apt_get_in(Path::new("/"), options, packages)
}

fn apt_get_in(folder: &Path, options: &[&str], packages: &[&str]) -> Result<()> {
    let output = Command::new("apt-get")
        .arg("--quiet")
        .args(options)
        .args(packages)
        .current_dir(folder)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .context("apt-get")?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("apt-get {} failed: {}", options.join(" "), text.trim());
    }
    Ok(())
}

/// Whether package lists were ever fetched; a fresh container image has none.
fn has_lists() -> bool {
    fs::read_dir("/var/lib/apt/lists")
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    uid.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0")
}

/// Our policy-rc.d, there for as long as this value lives.
struct NoDaemons {
    is_ours: bool,
}

impl NoDaemons {
    fn stand() -> Result<NoDaemons> {
        // A machine that has a policy of its own (most container images do) keeps it.
        let is_ours = !Path::new(POLICY).exists();
        if is_ours {
            fs::write(POLICY, "#!/bin/sh\nexit 101\n").context(POLICY)?;
            fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755)).context(POLICY)?;
        }
        Ok(NoDaemons { is_ours })
    }
}

impl Drop for NoDaemons {
    fn drop(&mut self) {
        if self.is_ours {
            // Left behind it would only keep daemons from starting by themselves: not worth a failure.
            let _ = fs::remove_file(POLICY);
        }
    }
}
