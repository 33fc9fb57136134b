//! Exim, unpacked from Debian's package into `target/peers/exim4` and not installed: its package and Postfix's exclude
//! each other, since a Debian system has one mail transport agent.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::workspace;

const PACKAGE: &str = "exim4-daemon-light";

/// The user that Debian's build looks up when it starts; the package would make it.
const USER: &str = "Debian-exim";

/// Unpacks it if it is not there.
///
/// # Errors
/// When the package cannot be fetched or unpacked, or the user not be made; the text says how to do it by hand.
pub(crate) fn exim() -> Result<()> {
    let folder = workspace::target("peers/exim4");
    if !folder.join("usr/sbin/exim4").is_file() {
        println!("unpacking {PACKAGE} into {}", folder.display());
        let archives = folder.join("archives");
        fs::create_dir_all(&archives).with_context(|| archives.display().to_string())?;
        quiet(
            Command::new("apt-get")
                .args(["--quiet", "download", PACKAGE])
                .current_dir(&archives),
        )?;
        for archive in fs::read_dir(&archives)? {
            quiet(
                Command::new("dpkg")
                    .arg("-x")
                    .arg(archive?.path())
                    .arg(&folder),
            )?;
        }
    }
    if !has_user()? {
        let account = ["--system", "--user-group", "--home-dir", "/nonexistent"];
        quiet(
            Command::new("useradd")
                .args(account)
                .args(["--shell", "/usr/sbin/nologin", USER]),
        )?;
    }
    Ok(())
}

fn has_user() -> Result<bool> {
    let text = fs::read_to_string("/etc/passwd").context("/etc/passwd")?;
    Ok(text
        .lines()
        .any(|line| line.split(':').next() == Some(USER)))
}

fn quiet(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?} failed, which the tests with Exim need: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}
