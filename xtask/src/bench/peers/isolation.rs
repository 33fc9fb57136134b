//! A server that is unpacked in a folder of ours and believes that it is installed.
//!
//! In a mount namespace of its own (mount_namespaces(7)) our folder lies over the machine's (overlayfs): its programs, its
//! configuration, its user accounts and a resolv.conf whose server refuses at once. The machine itself stays as it is.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::write;

/// What lies over the machine's folders of the same name.
const PARTS: [&str; 5] = ["etc", "usr/sbin", "usr/libexec", "var/lib", "var/spool"];

/// Mounts, then becomes the server: `$1` is our folder, `$2` the real folder to see at `$3`.
const SCRIPT: &str = r#"
for part in etc usr/sbin usr/libexec var/lib var/spool; do
    mount -t overlay overlay -o "lowerdir=$1/$part:/$part" "/$part" || exit 90
done
mount --bind "$2" "$3" || exit 91
shift 3
exec "$@"
"#;

/// A folder over the machine's.
pub(super) struct Isolation {
    folder: PathBuf,
}

/// A user account that is there only in the isolation; its group has the same name and number.
pub(super) struct Account {
    pub(super) name: &'static str,
    pub(super) number: u32,
    pub(super) home: &'static str,
}

impl Isolation {
    /// Lays out a fresh folder.
    pub(super) fn new(folder: PathBuf, accounts: &[Account]) -> Result<Isolation> {
        for part in PARTS {
            fs::create_dir_all(folder.join(part))?;
        }
        let isolation = Isolation { folder };
        isolation.add("etc/resolv.conf", "lookup file\nnameserver 127.0.0.1\n")?;
        let mut users = fs::read_to_string("/etc/passwd").context("/etc/passwd")?;
        let mut groups = fs::read_to_string("/etc/group").context("/etc/group")?;
        for Account { name, number, home } in accounts {
            // The machine may know the account already; what we say goes.
            users = without(&users, name);
            groups = without(&groups, name);
            users.push_str(&format!(
                "{name}:x:{number}:{number}::{home}:/usr/sbin/nologin\n"
            ));
            groups.push_str(&format!("{name}:x:{number}:\n"));
        }
        isolation.add("etc/passwd", &users)?;
        isolation.add("etc/group", &groups)?;
        Ok(isolation)
    }

    /// Puts a file there.
    pub(super) fn add(&self, path: &str, content: &str) -> Result<()> {
        write(&self.folder.join(path), content)
    }

    /// Makes an empty folder there, to mount something on or to be changed into.
    pub(super) fn add_folder(&self, path: &str) -> Result<()> {
        let folder = self.folder.join(path);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())
    }

    /// Copies all files of a folder there, with their permissions; gives where they are.
    pub(super) fn copy(&self, from: &Path, to: &str) -> Result<PathBuf> {
        let target = self.folder.join(to);
        fs::create_dir_all(&target)?;
        for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
            let entry = entry?;
            if entry.path().is_file() {
                fs::copy(entry.path(), target.join(entry.file_name()))?;
            }
        }
        Ok(target)
    }

    /// The command that runs `program` there; `real` is what it sees at `seen`, on a file system that takes writes.
    pub(super) fn command(&self, real: &Path, seen: &str, program: &[&str]) -> Vec<String> {
        let mut command: Vec<String> = ["unshare", "--mount", "sh", "-c", SCRIPT, "isolated"]
            .map(str::to_owned)
            .to_vec();
        command.push(self.folder.to_string_lossy().into_owned());
        command.push(real.to_string_lossy().into_owned());
        command.push(seen.to_owned());
        command.extend(program.iter().map(|&word| word.to_owned()));
        command
    }
}

/// A folder for one account alone, or one that others may pass through.
pub(super) fn owned_folder(path: &Path, owner: u32, mode: u32) -> Result<()> {
    let shown = || path.display().to_string();
    fs::create_dir_all(path).with_context(shown)?;
    chown(path, Some(owner), Some(owner)).with_context(shown)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).with_context(shown)
}

/// The lines of an account file without those of one account.
fn without(accounts: &str, name: &str) -> String {
    let others = accounts
        .lines()
        .filter(|line| line.split(':').next() != Some(name));
    others.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests;
