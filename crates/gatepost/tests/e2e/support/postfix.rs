//! A Postfix of its own: Debian's master.cf, configuration, queue and log in a folder of the test, one port on loopback.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::daemons::process::{Process, directory, free_address, is_root, program};

/// How long it may take to stop.
const STOP_WAIT_MAX: Duration = Duration::from_secs(10);

/// A running Postfix.
#[derive(Debug)]
pub(crate) struct Postfix {
    process: Process,
    address: SocketAddr,
    folder: PathBuf,
}

impl Postfix {
    /// Starts it with these lines in main.cf besides those that every instance needs.
    pub(crate) fn start(parent: &Path, main_cf: &str) -> Postfix {
        program(&["/usr/sbin/postfix"], "postfix");
        assert!(is_root(), "Postfix can be started by root only");
        let address = free_address();
        let folder = directory(parent, "postfix");
        let (configuration, data) = (directory(&folder, "etc"), directory(&folder, "data"));
        directory(&folder, "spool");
        let here = folder.display();
        let text = format!(
            "compatibility_level = 3.6\nbiff = no\nappend_dot_mydomain = no\nqueue_directory = {here}/spool\ndata_directory = {here}/data\n\
             maillog_file_prefixes = {here}, /dev/stdout\nmaillog_file = {here}/maillog\nmyhostname = postfix.test\nmydestination =\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\nalias_maps =\nalias_database =\n\
             smtpd_tls_security_level = none\nsmtp_dns_support_level = disabled\nsmtp_host_lookup = native\n\
             smtpd_peername_lookup = no\n{main_cf}\n"
        );
        fs::write(configuration.join("main.cf"), text).unwrap();
        let master = fs::read_to_string("/usr/share/postfix/master.cf.dist").unwrap();
        fs::write(configuration.join("master.cf"), adapted(&master, address)).unwrap();
        fs::write(folder.join("maillog"), "").unwrap();
        if Path::new("/etc/postfix/dynamicmaps.cf").exists() {
            fs::copy(
                "/etc/postfix/dynamicmaps.cf",
                configuration.join("dynamicmaps.cf"),
            )
            .unwrap();
        }
        let owned = Command::new("chown")
            .arg("postfix")
            .arg(&data)
            .status()
            .unwrap();
        assert!(owned.success());
        let configuration = configuration.display().to_string();
        // Sets owners and modes of the spool; complains about manual pages that Debian puts elsewhere.
        let _ = Command::new("/usr/sbin/postfix")
            .args(["-c", &configuration, "set-permissions"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let arguments = ["-c", &configuration, "start-fg"];
        let process = Process::start("/usr/sbin/postfix", &arguments, folder.join("out"), address);
        Postfix {
            process,
            address,
            folder,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("maillog")).unwrap_or_default()
    }
}

impl Drop for Postfix {
    /// Its master leaves the process group that it was started in, and leads one of its own.
    fn drop(&mut self) {
        let file = self.folder.join("spool/pid/master.pid");
        let Ok(pid) = fs::read_to_string(&file) else {
            return;
        };
        let group = format!("-{}", pid.trim());
        let signal = |name: &str| {
            let script = r#"kill -s "$0" -- "$1" 2>/dev/null"#;
            let status = Command::new("sh")
                .args(["-c", script, name, &group])
                .status();
            status.is_ok_and(|status| status.success())
        };
        signal("TERM");
        let since = Instant::now();
        // Signal 0 asks whether anybody is left.
        while signal("0") && since.elapsed() < STOP_WAIT_MAX {
            sleep(Duration::from_millis(20));
        }
        signal("KILL");
    }
}

/// smtpd on our port, and no service in a jail that this instance has not got.
fn adapted(shipped: &str, address: SocketAddr) -> String {
    let mut lines = String::new();
    for line in shipped.lines() {
        let is_service = !line.starts_with(['#', ' ', '\t']) && !line.is_empty();
        let mut fields: Vec<&str> = line.split_whitespace().collect();
        if !is_service || fields.len() < 8 {
            lines.push_str(line);
            lines.push('\n');
            continue;
        }
        let listen = address.to_string();
        if fields[..2] == ["smtp", "inet"] {
            fields[0] = &listen;
        }
        if fields[4] == "y" {
            fields[4] = "n";
        }
        lines.push_str(&fields.join(" "));
        lines.push('\n');
    }
    lines
}
