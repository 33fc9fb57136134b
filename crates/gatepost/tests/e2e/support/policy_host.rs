//! A web server with TLS for MTA-STS policies (RFC 8461 3.3): Python's, on port 443 of a loopback address of its own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::authority::Issued;
use super::daemons::process::{Process, directory, program};
use super::loopback;

const SERVER: &str = "
import functools, http.server, socketserver, ssl, sys
address, port, folder, chain, key = sys.argv[1:]
class Quick(http.server.ThreadingHTTPServer):
    daemon_threads = True
    def server_bind(self):
        # The library's own asks the DNS for the machine's name.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = address, int(port)
server = Quick((address, int(port)), functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(chain, key)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
";

/// A running server.
#[derive(Debug)]
pub(crate) struct PolicyHost {
    address: SocketAddr,
    policy: PathBuf,
    log: PathBuf,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl PolicyHost {
    /// Serves this policy; an empty one is not there (404).
    pub(crate) fn start(issued: &Issued, policy: &str) -> PolicyHost {
        let python = program(&["/usr/bin/python3"], "python3");
        let folder = tempfile::Builder::new()
            .prefix("gp-sts-")
            .tempdir()
            .unwrap();
        let well_known = directory(&directory(folder.path(), "site"), ".well-known");
        let (chain, key) = issued.files(folder.path(), "policy");
        let address = loopback::listen(443).local_addr().unwrap();
        let site = folder.path().join("site");
        let log = folder.path().join("log");
        let arguments = [
            "-u",
            "-c",
            SERVER,
            &address.ip().to_string(),
            "443",
            &site.display().to_string(),
            &chain.display().to_string(),
            &key.display().to_string(),
        ];
        let host = PolicyHost {
            policy: well_known.join("mta-sts.txt"),
            _process: Process::start(&python, &arguments, log.clone(), address),
            log,
            address,
            _folder: folder,
        };
        host.publish(policy);
        host
    }

    /// Changes the policy.
    pub(crate) fn publish(&self, policy: &str) {
        if policy.is_empty() {
            let _ = fs::remove_file(&self.policy);
        } else {
            fs::write(&self.policy, policy.replace('\n', "\r\n")).unwrap();
        }
    }

    /// The address in an A record.
    pub(crate) fn ip(&self) -> Ipv4Addr {
        match self.address {
            SocketAddr::V4(address) => *address.ip(),
            SocketAddr::V6(address) => panic!("{address}"),
        }
    }

    /// How often the policy was asked for.
    pub(crate) fn asked(&self) -> usize {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.matches("GET /.well-known/mta-sts.txt").count()
    }
}

/// A policy for these patterns of MX hosts.
pub(crate) fn policy(mode: &str, mx: &[&str]) -> String {
    let mut text = format!("version: STSv1\nmode: {mode}\n");
    for pattern in mx {
        text.push_str(&format!("mx: {pattern}\n"));
    }
    text.push_str("max_age: 86400\n");
    text
}
