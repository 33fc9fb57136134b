//! An Exim of its own, from Debian's package unpacked beside the build (it cannot be installed beside Postfix): it takes every
//! message on a loopback port and delivers into a maildir, with DSN, SMTPUTF8 and, if asked, STARTTLS.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::await_some_or;
use super::daemons::process::{Process, directory, free_address, is_root};

/// The user that Debian's build runs as.
const USER: &str = "Debian-exim";

/// A running Exim.
#[derive(Debug)]
pub(crate) struct Exim {
    _process: Process,
    address: SocketAddr,
    folder: PathBuf,
}

impl Exim {
    /// Starts it on a port that the system gives, with these lines in its main section besides those that every instance needs.
    pub(crate) fn start(parent: &Path, main: &str) -> Exim {
        Exim::start_at(parent, free_address(), main)
    }

    /// On port 25 of a loopback address of its own, as the host of an MX record is found.
    pub(crate) fn start_as_host(parent: &Path, main: &str) -> Exim {
        let address = super::loopback::listen(25).local_addr().unwrap();
        Exim::start_at(parent, address, main)
    }

    fn start_at(parent: &Path, address: SocketAddr, main: &str) -> Exim {
        assert!(is_root(), "Exim can be started by root only");
        let program = unpacked();
        let folder = directory(parent, "exim");
        for name in ["spool", "log", "in"] {
            let made = directory(&folder, name);
            let owned = Command::new("chown").arg(USER).arg(&made).status().unwrap();
            assert!(
                owned.success(),
                "no user {USER}: cargo xtask peers makes it"
            );
        }
        let configuration = folder.join("configuration");
        fs::write(&configuration, text(&program, &folder, address, main)).unwrap();
        let configuration = configuration.display().to_string();
        let process = Process::start(
            &program.display().to_string(),
            &["-C", &configuration, "-bdf"],
            folder.join("out"),
            address,
        );
        Exim {
            _process: process,
            address,
            folder,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address in an A record.
    pub(crate) fn ip(&self) -> Ipv4Addr {
        match self.address {
            SocketAddr::V4(address) => *address.ip(),
            SocketAddr::V6(address) => panic!("{address}"),
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log/mainlog")).unwrap_or_default()
    }

    /// The messages that it delivered so far.
    pub(crate) fn delivered(&self) -> Vec<String> {
        let new = fs::read_dir(self.folder.join("in/new"));
        let files = new.into_iter().flatten().flatten();
        files
            .map(|file| String::from_utf8_lossy(&fs::read(file.path()).unwrap()).into_owned())
            .collect()
    }

    /// The only message; waits for it.
    pub(crate) fn one(&self) -> String {
        let mut delivered = await_some_or(
            || format!("nothing came; Exim says:\n{}", self.log()),
            || Some(self.delivered()).filter(|it| !it.is_empty()),
        );
        assert_eq!(delivered.len(), 1, "{delivered:#?}");
        delivered.remove(0)
    }
}

/// Where `cargo xtask peers` unpacks it: beside the build, whose folder holds the gateway's program.
fn unpacked() -> PathBuf {
    let build = Path::new(env!("CARGO_BIN_EXE_gatepost"))
        .ancestors()
        .nth(2)
        .unwrap();
    let program = build.join("peers/exim4/usr/sbin/exim4");
    assert!(
        program.exists(),
        "no {}: cargo xtask peers unpacks it",
        program.display()
    );
    program
}

/// With `-C` Exim has no privileges, and none are needed: everything belongs to its own user.
fn text(program: &Path, folder: &Path, address: SocketAddr, main: &str) -> String {
    let here = folder.display();
    format!(
        "exim_path = {}\nspool_directory = {here}/spool\nlog_file_path = {here}/log/%slog\npid_file_path = {here}/spool/pid\n\
         primary_hostname = exim.test\nlocal_interfaces = {}\ndaemon_smtp_ports = {}\ndeliver_drop_privilege = true\n\
         acl_smtp_rcpt = accept\nacl_smtp_data = accept\ndsn_advertise_hosts = *\nsmtputf8_advertise_hosts = *\n\
         rfc1413_query_timeout = 0s\nsmtp_accept_queue_per_connection = 0\nsmtp_accept_max = 200\nhost_lookup =\n\
         keep_environment =\n{}{main}\n\
         begin acl\n\nbegin routers\nall:\n  driver = accept\n  transport = maildir\n\n\
         begin transports\nmaildir:\n  driver = appendfile\n  user = {USER}\n  directory = {here}/in\n  maildir_format\n  \
         create_directory\n  return_path_add\n  envelope_to_add\n\nbegin retry\n* * F,2h,1m\n",
        program.display(),
        address.ip(),
        address.port(),
        if main.contains("tls_certificate") {
            "tls_advertise_hosts = *\n"
        } else {
            "tls_advertise_hosts =\n"
        },
    )
}
