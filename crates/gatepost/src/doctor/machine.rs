//! This machine: the folder of the data, the space in it, open files, the certificates of listeners.

use std::path::Path;

use super::{Check, Checks, tell};
use crate::config::{Config, Nexthop};
use crate::context::Context;
use crate::relay_table::RelayTable;

/// Below this many bytes the decision log and the spool will soon have no room.
const FREE_BYTES_MIN: u64 = 1 << 30;

/// Open files that are needed besides connections: logs, sockets, spool files, the files of libraries.
const FILES_BESIDES: u64 = 500;

/// Checks the configuration's own needs. The configuration has been read already, which is the first check.
pub fn machine(config: &Config, checks: &Checks) {
    let from = match &config.file {
        Some(file) => file.display().to_string(),
        None => "the embedded default".to_owned(),
    };
    let text = format!(
        "{from}: {}, {}, {}",
        counted(config.listeners.len(), "listener"),
        counted(config.routes.len(), "route"),
        counted(config.engines.len(), "engine")
    );
    tell(checks, Check::ok("config", text));
    tell(checks, postmaster(config));
    if let Some(check) = relaying(config) {
        tell(checks, check);
    }
    tell(checks, data_dir(&config.node.data_dir));
    if let Some(check) = free_space(&config.node.data_dir) {
        tell(checks, check);
    }
    if let Ok(limits) = std::fs::read_to_string("/proc/self/limits")
        && let Some(files_max) = open_files_max(&limits)
    {
        tell(checks, open_files(files_max, files_needed(config)));
    }
}

/// The certificates of all listeners, which have been loaded.
pub(super) fn certificates(cx: &Context, checks: &Checks) {
    for listener in &cx.listeners {
        let Some(certificates) = &listener.certificates else {
            continue;
        };
        let (names, name) = (certificates.names(), &listener.settings.hostname);
        let text = format!("listener {}: for {}", listener.name, names.join(", "));
        tell(
            checks,
            if names.iter().any(|pattern| covers(pattern, name)) {
                Check::ok("certificate", text)
            } else {
                Check::warning(
                    "certificate",
                    format!("{text}, but the listener calls itself {name}"),
                    "clients that verify look for the name they connected to: get a certificate that has it",
                )
            },
        );
    }
}

/// Refusals name this mailbox: mail to it must have a way.
/// Who may relay to domains that are not ours, where anybody may.
fn relaying(config: &Config) -> Option<Check> {
    let route = RelayTable::new(config).route_for_rest()?.origin.clone();
    let with_auth = config
        .listeners
        .iter()
        .filter(|listener| listener.auth.is_some());
    let mut who: Vec<String> = with_auth
        .map(|listener| format!("who logs in at listener {}", listener.name))
        .collect();
    let networks = &config.node.trusted_networks;
    who.extend(networks.iter().map(ToString::to_string));
    Some(if who.is_empty() {
        Check::warning(
            "relay",
            format!("the route for \"*\" ({route}) is for nobody: no client may relay"),
            "add [node] trusted_networks or [listener.auth], or remove the route",
        )
    } else {
        Check::ok(
            "relay",
            format!("to all domains ({route}) for {}", who.join(", ")),
        )
    })
}

fn postmaster(config: &Config) -> Check {
    let mailbox = &config.node.postmaster;
    if RelayTable::new(config).route_for(&mailbox.domain).is_some() {
        return Check::ok("postmaster", format!("{mailbox} has a route"));
    }
    Check::warning(
        "postmaster",
        format!("{mailbox} has no route: mail to this mailbox, which refusals name, is refused"),
        "set node.postmaster to a mailbox of one of the routes, or add a route for its domain",
    )
}

fn data_dir(folder: &Path) -> Check {
    let shown = folder.display();
    let there = nearest_folder(folder);
    match tempfile::tempfile_in(there) {
        Ok(_) if folder.is_dir() => Check::ok("data", format!("{shown}: writable")),
        Ok(_) => Check::ok(
            "data",
            format!("{shown}: not there yet, but it can be made"),
        ),
        Err(error) => Check::failed(
            "data",
            format!("{shown}: can't be written to: {error}"),
            "give the folder to the user that Gatepost runs as, or run this command as that user",
        ),
    }
}

/// The folder, or the nearest one above it that is there: a start makes the rest.
fn nearest_folder(folder: &Path) -> &Path {
    let mut above = folder
        .ancestors()
        .filter(|above| !above.as_os_str().is_empty());
    above.find(|above| above.exists()).unwrap_or(Path::new("."))
}

fn free_space(folder: &Path) -> Option<Check> {
    let facts = rustix::fs::statvfs(nearest_folder(folder)).ok()?;
    let free = facts.f_bavail.saturating_mul(facts.f_frsize);
    let text = format!("{:.1} GiB free", free as f64 / f64::from(1 << 30));
    Some(if free >= FREE_BYTES_MIN {
        Check::ok("space", text)
    } else {
        Check::warning(
            "space",
            text,
            "make room: the decision log and messages in transit are written there",
        )
    })
}

/// A client's connection, its nexthop's, and a share for the engines.
fn files_needed(config: &Config) -> u64 {
    let clients: usize = config
        .listeners
        .iter()
        .map(|listener| listener.connections_max)
        .sum();
    let engines: usize = config
        .engines
        .values()
        .map(|engine| engine.connections_max)
        .sum();
    (clients as u64) * 2 + engines as u64 + FILES_BESIDES
}

fn open_files(files_max: u64, needed: u64) -> Check {
    if files_max >= needed {
        return Check::ok(
            "files",
            format!("{files_max} may be open at one time, {needed} are enough"),
        );
    }
    Check::warning(
        "files",
        format!(
            "{files_max} may be open at one time here; with all connections of all listeners {needed} are needed"
        ),
        format!(
            "LimitNOFILE={needed} in the systemd unit (or ulimit -n {needed}), or a lower connections_max"
        ),
    )
}

/// The soft limit of `Max open files`.
fn open_files_max(limits: &str) -> Option<u64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// Whether a maildir can be delivered into.
pub(super) fn maildir(nexthop: &Nexthop, path: &Path) -> Check {
    let new = path.join("new");
    match tempfile::tempfile_in(nearest_folder(&new)) {
        Ok(_) => Check::ok("nexthop", format!("{nexthop}: can be delivered into")),
        Err(error) => Check::failed(
            "nexthop",
            format!("{nexthop}: can't be delivered into: {error}"),
            "give the folder to the user that Gatepost runs as, or run this command as that user",
        ),
    }
}

/// Whether a name in a certificate is this host's (RFC 6125 6.4.3: an asterisk stands for one label).
fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(above) => name
            .split_once('.')
            .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(above)),
        None => pattern.eq_ignore_ascii_case(name),
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
