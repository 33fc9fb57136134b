//! spamd with Debian's rules, local tests only, without Bayes: the same message gets the same score each time.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use super::process::{Process, directory, free_address, is_root, program, write};

/// A running spamd with two children.
#[derive(Debug)]
pub struct Spamd {
    process: Process,
    address: SocketAddr,
}

impl Spamd {
    /// Starts spamd with its files in `dir`.
    pub fn start(dir: &Path) -> Spamd {
        let spamd = program(&["/usr/sbin/spamd", "/usr/bin/spamd"], "spamd");
        let address = free_address();
        let dir = directory(dir, "spamd");
        let site = directory(&dir, "site");
        let home = directory(&dir, "home");
        let plugins = fs::read_dir("/etc/spamassassin");
        let plugins = plugins.unwrap_or_else(|error| {
            panic!("/etc/spamassassin: {error}: install the Debian package spamassassin")
        });
        for plugin in plugins.flatten().map(|entry| entry.path()) {
            if plugin
                .extension()
                .is_some_and(|extension| extension == "pre")
            {
                let to = site.join(plugin.file_name().unwrap_or_default());
                fs::copy(&plugin, &to)
                    .unwrap_or_else(|error| panic!("{}: {error}", plugin.display()));
            }
        }
        write(&site.join("local.cf"), "use_bayes 0\nrequired_score 5.0\n");
        let site = format!("--siteconfigpath={}", site.display());
        let home = format!("--helper-home-dir={}", home.display());
        let (ip, port) = (address.ip().to_string(), address.port().to_string());
        let mut arguments = vec![
            "-L",
            "-x",
            "-m",
            "2",
            "--min-children=2",
            "-s",
            "stderr",
            &site,
            &home,
        ];
        arguments.extend(["-i", &ip, "-p", &port, "-A", &ip]);
        if is_root() {
            arguments.extend(["-u", "nobody"]);
        }
        let process = Process::start(&spamd, &arguments, dir.join("log"), address);
        Spamd { process, address }
    }

    /// Where it listens: address and port.
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
