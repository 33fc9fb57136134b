//! What tests and benches need beside the Rust toolchain: Debian packages (real peers, not doubles) and cargo tools.
//!
//! A program that is there already is taken as it is, wherever it came from. What is missing is installed with
//! apt-get where that is possible (root on Debian or a kin), else named, so that it can be installed by hand.

mod apt;
mod cargo_tools;
mod exim;

use std::path::Path;

use anyhow::{Context, Result};

use crate::arguments::Arguments;

pub(crate) use cargo_tools::{answers, cargo_deny};
pub(crate) use exim::exim;

/// Something that has to be on the machine.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    /// A program, or the path of a file with `*` for one folder whose name differs between machines.
    probe: &'static str,
    /// The Debian package that brings it.
    package: &'static str,
}

const fn need(probe: &'static str, package: &'static str) -> Need {
    Need { probe, package }
}

/// What the tests run against.
pub(crate) const TESTS: &[Need] = &[
    need("smtp-source", "postfix"),
    need("postfix", "postfix"),
    need("swaks", "swaks"),
    // swaks has TLS by it, but only recommends it.
    need("/usr/share/perl5/IO/Socket/SSL.pm", "libio-socket-ssl-perl"),
    need("clamd", "clamav-daemon"),
    need("sigtool", "clamav"),
    need("spamd", "spamd"),
    need("spamassassin", "spamassassin"),
    need("rspamd", "rspamd"),
    need("c-icap", "c-icap"),
    need(
        "/usr/lib/*/c_icap/virus_scan.so",
        "libc-icap-mod-virus-scan",
    ),
    need("curl", "curl"),
    need("nc", "netcat-openbsd"),
    need("python3", "python3"),
    // Verifies DKIM signatures, RSA and Ed25519.
    need(
        "/usr/lib/python3/dist-packages/dkim/__init__.py",
        "python3-dkim",
    ),
    need(
        "/usr/lib/python3/dist-packages/nacl/__init__.py",
        "python3-nacl",
    ),
    need("openssl", "openssl"),
    need("zstd", "zstd"),
    // A validating name server, and what signs its zones.
    need("unbound", "unbound"),
    need("ip", "iproute2"),
    need("ldns-signzone", "ldnsutils"),
    need("ldns-keygen", "ldnsutils"),
    // Somebody else's verifier of DKIM signatures.
    need(
        "/usr/lib/python3/dist-packages/dkim/__init__.py",
        "python3-dkim",
    ),
    // What Exim's program is linked with; it is unpacked itself (`exim`).
    need("/usr/lib/*/libidn.so.12", "libidn12"),
    need("/usr/lib/*/libevent-2.1.so.7", "libevent-2.1-7"),
    need("/usr/lib/*/libgnutls-dane.so.0", "libgnutls-dane0"),
];

/// Postfix with its load generator and sink.
pub(crate) const POSTFIX: &[Need] = &[need("smtp-source", "postfix"), need("postfix", "postfix")];

/// What runs Haraka, and what isolates it from DNS.
pub(crate) const NODE: &[Need] = &[
    need("node", "nodejs"),
    need("npm", "npm"),
    need("unshare", "util-linux"),
];

/// What else a bench calls: limits for thousands of connections, certificates, a TLS client.
pub(crate) const BENCH: &[Need] = &[
    need("prlimit", "util-linux"),
    need("openssl", "openssl"),
    need("python3", "python3"),
];

/// What the queue's benches call besides: the system calls of a server are counted by strace, and the network in which 10,000
/// destinations live is one of its own.
pub(crate) const QUEUE_BENCH: &[Need] = &[
    need("strace", "strace"),
    need("unshare", "util-linux"),
    need("ip", "iproute2"),
];

/// The libraries of Exim and OpenSMTPD, which are unpacked and not installed: Debian lets a machine have one mail server.
pub(crate) const UNPACKED_SERVERS: &[Need] = &[
    need("unshare", "util-linux"),
    need("/usr/lib/*/libidn.so.12", "libidn12"),
    need("/usr/lib/*/libevent-2.1.so.7", "libevent-2.1-7"),
    need("/usr/lib/*/libgnutls-dane.so.0", "libgnutls-dane0"),
];

/// Filters that the accuracy bench asks beside those of the tests.
pub(crate) const FILTERS: &[Need] = &[need("bogofilter", "bogofilter")];

/// What unpacks the corpora of real mail.
pub(crate) const CORPORA: &[Need] = &[need("zstd", "zstd"), need("tar", "tar")];

/// `cargo xtask peers`: installs all of it.
pub(crate) fn run(arguments: Arguments) -> Result<bool> {
    arguments.finish()?;
    packages(TESTS)?;
    exim()?;
    cargo_deny()?;
    println!("everything is there");
    Ok(true)
}

/// Installs the packages of what is missing.
///
/// # Errors
/// When something is missing and cannot be installed here; the text names the packages.
pub(crate) fn packages(needs: &[Need]) -> Result<()> {
    let mut missing: Vec<&str> = needs
        .iter()
        .filter(|need| !is_there(need.probe))
        .map(|need| need.package)
        .collect();
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    apt::install(&missing)
}

/// Fetches Debian packages and unpacks them below a folder, once; nothing is installed.
///
/// # Errors
/// A package cannot be fetched or unpacked.
pub(crate) fn unpacked(packages: &[&str], folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let draft = folder.with_extension("draft");
    apt::unpack(packages, &draft)?;
    std::fs::rename(&draft, folder).with_context(|| folder.display().to_string())
}

/// Whether a program, or a file given by its path, is on this machine.
pub(crate) fn is_there(probe: &str) -> bool {
    match probe.split_once('*') {
        None => program(probe).is_some(),
        Some((folder, below)) => std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .any(|entry| entry.path().join(below.trim_start_matches('/')).exists()),
    }
}

/// Where a program is: daemons live in sbin, which an ordinary user's PATH may leave out.
pub(crate) fn program(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(Into::into))
        .map(|folder| folder.join(name))
        .find(|file| Path::new(file).is_file())
}
