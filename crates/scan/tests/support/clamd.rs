//! clamd with a signature database of one line: the EICAR test file.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::EICAR;
use super::process::{Process, directory, free_address, program, write};

/// A running clamd. It takes streams of up to 10 MiB.
#[derive(Debug)]
pub struct Clamd {
    process: Process,
    address: SocketAddr,
    socket: PathBuf,
}

impl Clamd {
    /// The name under which it finds the EICAR test file; clamd marks signatures that are not its vendor's.
    pub const EICAR_NAME: &str = "Eicar-Test-Signature.UNOFFICIAL";

    /// Starts clamd with its files in `dir`.
    pub fn start(dir: &Path) -> Clamd {
        Clamd::start_at(dir, free_address())
    }

    /// Starts clamd on a port of the caller's choice, such as the one where another was stopped.
    pub fn start_at(dir: &Path, address: SocketAddr) -> Clamd {
        let clamd = program(&["/usr/sbin/clamd"], "clamav-daemon");
        let dir = directory(dir, "clamd");
        let database = directory(&dir, "database");
        let temporary = directory(&dir, "tmp");
        let hex: String = EICAR.bytes().map(|byte| format!("{byte:02x}")).collect();
        write(
            &database.join("test.ndb"),
            &format!("Eicar-Test-Signature:0:*:{hex}\n"),
        );
        let socket = dir.join("clamd.ctl");
        // A socket left by one that was stopped; none is there at first.
        let _ = fs::remove_file(&socket);
        let configuration = format!(
            "Foreground yes\nTCPAddr {}\nTCPSocket {}\nLocalSocket {}\nDatabaseDirectory {}\nTemporaryDirectory {}\n\
             LogTime yes\nMaxThreads 8\nStreamMaxLength 10M\n",
            address.ip(),
            address.port(),
            socket.display(),
            database.display(),
            temporary.display()
        );
        let path = dir.join("clamd.conf");
        write(&path, &configuration);
        let path = path.display().to_string();
        let process = Process::start(&clamd, &["--config-file", &path], dir.join("log"), address);
        Clamd {
            process,
            address,
            socket,
        }
    }

    /// Where it listens: address and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The unix domain socket on which it listens too.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Ends it before it is dropped.
    pub fn stop(&mut self) {
        self.process.stop();
    }
}
