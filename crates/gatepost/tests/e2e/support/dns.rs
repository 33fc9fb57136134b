//! A real name server: unbound, which validates (RFC 4035) what the test's zones say, signed at test time by ldns-signzone,
//! with one trust anchor for each signed zone. It never asks the network: what is in no zone does not exist.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use super::daemons::process::{Process, program, write};
use super::programs::run;

/// Zones in the making.
#[derive(Debug, Default)]
pub(crate) struct Zones {
    zones: Vec<Zone>,
}

#[derive(Debug)]
struct Zone {
    name: String,
    records: String,
    manner: Manner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Signed,
    Unsigned,
    /// Signed, and changed afterwards.
    Bogus,
    /// Nothing answers.
    Silent,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Dns {
    address: SocketAddr,
    anchors: Vec<PathBuf>,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl Zones {
    pub(crate) fn new() -> Zones {
        Zones::default()
    }

    /// A zone whose answers are proven. Records are lines of a zone file, relative to the zone's name.
    pub(crate) fn signed(self, name: &str, records: &str) -> Zones {
        self.zone(name, records, Manner::Signed)
    }

    pub(crate) fn unsigned(self, name: &str, records: &str) -> Zones {
        self.zone(name, records, Manner::Unsigned)
    }

    /// A zone with signatures that do not fit its addresses, TXT, TLSA and MX records: every answer is SERVFAIL.
    pub(crate) fn bogus(self, name: &str, records: &str) -> Zones {
        self.zone(name, records, Manner::Bogus)
    }

    /// A zone whose questions nobody answers.
    pub(crate) fn silent(self, name: &str) -> Zones {
        self.zone(name, "", Manner::Silent)
    }

    fn zone(mut self, name: &str, records: &str, manner: Manner) -> Zones {
        self.zones.push(Zone {
            name: name.to_owned(),
            records: records.to_owned(),
            manner,
        });
        self
    }

    /// Signs them and starts the server.
    pub(crate) fn start(self) -> Dns {
        let unbound = program(&["/usr/sbin/unbound"], "unbound");
        let folder = tempfile::Builder::new()
            .prefix("gp-dns-")
            .tempdir()
            .unwrap();
        let address = free_address();
        let mut text = base(folder.path(), address);
        let mut sources = String::new();
        let mut anchors = Vec::new();
        for zone in &self.zones {
            let kind = if zone.manner == Manner::Silent {
                "always_deny"
            } else {
                "transparent"
            };
            writeln!(text, "  local-zone: \"{}.\" {kind}", zone.name).unwrap();
            if zone.manner == Manner::Silent {
                continue;
            }
            let (file, anchor) = zone.write(folder.path());
            if let Some(anchor) = anchor {
                writeln!(text, "  trust-anchor-file: \"{}\"", anchor.display()).unwrap();
                anchors.push(anchor);
            }
            write!(
                sources,
                "auth-zone:\n  name: \"{}.\"\n  zonefile: \"{}\"\n  for-upstream: yes\n  for-downstream: no\n  \
                 fallback-enabled: no\n",
                zone.name,
                file.display()
            )
            .unwrap();
        }
        text.push_str("remote-control:\n  control-enable: no\n");
        text.push_str(&sources);
        let configuration = folder.path().join("unbound.conf");
        write(&configuration, &text);
        let configuration = configuration.display().to_string();
        let process = Process::start(
            &unbound,
            &["-d", "-c", &configuration],
            folder.path().join("log"),
            address,
        );
        Dns {
            address,
            anchors,
            _process: process,
            _folder: folder,
        }
    }
}

impl Dns {
    /// As one of `nameservers`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The keys of the signed zones, as DNSKEY records in files.
    pub(crate) fn anchors(&self) -> &[PathBuf] {
        &self.anchors
    }
}

impl Zone {
    /// The zone's file, and its key's if it is signed.
    fn write(&self, folder: &Path) -> (PathBuf, Option<PathBuf>) {
        let file = folder.join(format!("{}.zone", self.name));
        let text = format!(
            "$ORIGIN {}.\n$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\nns IN A 127.0.0.1\n{}\n",
            self.name, self.records
        );
        write(&file, &text);
        if self.manner == Manner::Unsigned {
            return (file, None);
        }
        let keygen = program(&["/usr/bin/ldns-keygen"], "ldnsutils");
        let signzone = program(&["/usr/bin/ldns-signzone"], "ldnsutils");
        // ldns-keygen writes into the folder that it runs in.
        let script = r#"cd "$0" && exec "$1" -a ECDSAP256SHA256 -k "$2""#;
        let here = folder.display().to_string();
        let key = run("/bin/sh", &["-c", script, &here, &keygen, &self.name], b"").expect_success();
        let key = folder.join(key.trim());
        let signed = folder.join(format!("{}.signed", self.name));
        let arguments = [
            "-n",
            "-f",
            &signed.display().to_string(),
            &file.display().to_string(),
            &key.display().to_string(),
        ];
        run(&signzone, &arguments, b"").expect_success();
        if self.manner == Manner::Bogus {
            spoil(&signed);
        }
        (signed, Some(format!("{}.key", key.display()).into()))
    }
}

/// Changes what was signed: every preference, every text, and the last digit of every address and digest.
fn spoil(signed: &Path) {
    let mut text = String::new();
    for line in fs::read_to_string(signed).unwrap().lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.get(3) {
            Some(&"MX") => text.push_str(&line.replacen("\tMX\t", "\tMX\t1", 1)),
            Some(&"TXT") => text.push_str(&line.replacen("\tTXT\t\"", "\tTXT\t\"x", 1)),
            Some(&("A" | "TLSA")) => {
                let last = if line.ends_with('1') { '2' } else { '1' };
                text.push_str(&line[..line.len() - 1]);
                text.push(last);
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    fs::write(signed, text).unwrap();
}

fn base(folder: &Path, address: SocketAddr) -> String {
    format!(
        "server:\n  interface: {}\n  port: {}\n  do-daemonize: no\n  chroot: \"\"\n  username: \"\"\n  directory: \"{}\"\n  \
         pidfile: \"\"\n  use-syslog: no\n  logfile: \"\"\n  verbosity: 1\n  val-log-level: 2\n  num-threads: 1\n  \
         module-config: \"validator iterator\"\n  do-not-query-localhost: no\n  minimal-responses: yes\n  \
         local-zone: \".\" static\n",
        address.ip(),
        address.port(),
        folder.display()
    )
}

/// A port that is free for UDP and TCP.
fn free_address() -> SocketAddr {
    for _ in 0..16 {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = udp.local_addr().unwrap();
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port is free for UDP and TCP");
}
