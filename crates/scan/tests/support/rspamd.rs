//! rspamd with Debian's rules, without everything that asks the network or Redis.

use std::net::SocketAddr;
use std::path::Path;

use super::process::{Process, directory, free_address, is_root, program, write};

/// Modules that ask DNS, other servers or Redis, and `greylist`, which would answer differently the second time.
const MODULES_OFF: [&str; 26] = [
    "antivirus",
    "arc",
    "asn",
    "bimi",
    "dkim",
    "dkim_signing",
    "dmarc",
    "external_services",
    "fuzzy_check",
    "greylist",
    "hfilter",
    "history_redis",
    "mid",
    "mx_check",
    "neural",
    "once_received",
    "phishing",
    "ratelimit",
    "rbl",
    "replies",
    "reputation",
    "rspamd_update",
    "spf",
    "surbl",
    "url_redirector",
    "whitelist",
];

/// A running rspamd with one normal worker.
#[derive(Debug)]
pub struct Rspamd {
    process: Process,
    address: SocketAddr,
}

impl Rspamd {
    /// Starts rspamd with its files in `dir`.
    pub fn start(dir: &Path) -> Rspamd {
        let rspamd = program(&["/usr/bin/rspamd"], "rspamd");
        let address = free_address();
        let (controller, name_server) = (free_address(), free_address());
        let dir = directory(dir, "rspamd");
        let local = directory(&dir, "local.d");
        for module in MODULES_OFF {
            write(&local.join(format!("{module}.conf")), "enabled = false;\n");
        }
        let options = format!(
            "dns {{ nameserver = [\"{name_server}\"]; timeout = 0.05s; retransmits = 1; }}\nneighbours {{}}\n"
        );
        write(&local.join("options.inc"), &options);
        write(
            &local.join("worker-normal.inc"),
            &format!("bind_socket = \"{address}\";\ncount = 1;\n"),
        );
        write(
            &local.join("worker-controller.inc"),
            &format!("bind_socket = \"{controller}\";\n"),
        );
        write(&local.join("worker-proxy.inc"), "enabled = false;\n");
        write(&local.join("worker-fuzzy.inc"), "enabled = false;\n");
        write(
            &local.join("logging.inc"),
            "type = \"console\";\nlevel = \"notice\";\n",
        );
        let variables = ["LOCAL_CONFDIR", "DBDIR", "RUNDIR", "LOGDIR"].map(|variable| {
            let path = match variable {
                "LOCAL_CONFDIR" => dir.clone(),
                _ => directory(&dir, &variable.to_ascii_lowercase()),
            };
            format!("--var={variable}={}", path.display())
        });
        let mut arguments = vec!["-f", "-c", "/etc/rspamd/rspamd.conf"];
        arguments.extend(variables.iter().map(String::as_str));
        if is_root() {
            // Its own user could not read the test's directory.
            arguments.push("--insecure");
        }
        let process = Process::start(&rspamd, &arguments, dir.join("log"), address);
        Rspamd { process, address }
    }

    /// Where its normal worker listens: address and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process, of which the others are children.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it before it is dropped.
    pub fn stop(&mut self) {
        self.process.stop();
    }
}
