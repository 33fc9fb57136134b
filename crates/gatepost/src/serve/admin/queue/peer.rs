//! Who asks: what the system knows of the process at the other end of the control socket (`SO_PEERCRED`), never its own word.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::UnixListener;

use super::problem::Problem;

/// Bytes of the name that an operator gives besides.
const OPERATOR_BYTES_MAX: usize = 48;
/// Bytes of `/etc/passwd` that are looked through.
const PASSWD_BYTES_MAX: u64 = 4 << 20;
/// What `/proc/PID/loginuid` says of a process that nobody logged in for.
const NOBODY_LOGGED_IN: u32 = u32::MAX;

/// The process that asks, in words: `root (uid 0), logged in as anna (uid 1000)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Who it is.
    pub name: String,
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Peer {
        let Ok(credentials) = stream.io().peer_cred() else {
            return Peer {
                name: "unknown".to_owned(),
            };
        };
        // The kernel keeps who logged in over sudo and su; it is missing where the kernel keeps none, or /proc is hidden.
        let login = credentials.pid().and_then(|pid| {
            let text = std::fs::read_to_string(format!("/proc/{pid}/loginuid")).ok()?;
            text.trim().parse().ok()
        });
        Peer::new(credentials.uid(), login, &passwd())
    }
}

impl Peer {
    /// Who is recorded: the peer, and behind it the name that was given. That is the peer's own word: it can't look like what
    /// the system knows.
    ///
    /// # Errors
    /// The name can't be kept.
    pub(in crate::serve::admin) fn acting_as(
        self,
        operator: Option<&str>,
    ) -> Result<String, Problem> {
        let Some(operator) = operator.map(str::trim) else {
            return Ok(self.name);
        };
        let is_odd = |c: char| !c.is_alphanumeric() && !" ._-@+".contains(c);
        if operator.is_empty() || operator.len() > OPERATOR_BYTES_MAX || operator.contains(is_odd) {
            return Err(Problem::bad(
                format!(
                    "`{}` can't be the name of an operator",
                    operator.escape_debug()
                ),
                format!(
                    "write up to {OPERATOR_BYTES_MAX} bytes of letters, digits, blanks and ._-@+, such as anna"
                ),
            ));
        }
        Ok(format!("{}, as {operator}", self.name))
    }

    /// From its uid, the uid that logged in, and what `/etc/passwd` says.
    fn new(uid: u32, login: Option<u32>, passwd: &str) -> Peer {
        let mut name = named(uid, passwd);
        if let Some(login) = login.filter(|login| *login != uid && *login != NOBODY_LOGGED_IN) {
            // Writing to a String can't fail.
            let _ = write!(name, ", logged in as {}", named(login, passwd));
        }
        Peer { name }
    }
}

fn named(uid: u32, passwd: &str) -> String {
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        // The password stands between.
        let is_it = fields.nth(1)?.parse() == Ok(uid);
        is_it.then_some(name)
    });
    match name {
        Some(name) => format!("{name} (uid {uid})"),
        None => format!("uid {uid}"),
    }
}

fn passwd() -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open("/etc/passwd") {
        // What could be read counts: without a name there is the number.
        let _ = file.take(PASSWD_BYTES_MAX).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
