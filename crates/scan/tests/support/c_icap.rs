//! c-icap with its virus_scan service, which asks a clamd.

use std::net::SocketAddr;
use std::path::Path;

use super::clamd::Clamd;
use super::process::{Process, directory, free_address, program, write};

/// A running c-icap and the clamd behind it.
#[derive(Debug)]
pub struct CIcap {
    process: Process,
    address: SocketAddr,
    clamd: Clamd,
}

impl CIcap {
    /// The path of its service.
    pub const SERVICE: &str = "avscan";

    /// Starts a clamd and c-icap with their files in `dir`.
    pub fn start(dir: &Path) -> CIcap {
        let c_icap = program(&["/usr/bin/c-icap"], "c-icap");
        let modules = module_directory();
        program(
            &[&format!("{modules}/virus_scan.so")],
            "libc-icap-mod-virus-scan",
        );
        let address = free_address();
        let dir = directory(dir, "c-icap");
        let clamd = Clamd::start(&dir);
        let temporary = directory(&dir, "tmp");
        let configuration = format!(
            "PidFile {dir}/pid\nCommandsSocket {dir}/ctl\nPort {address}\nStartServers 1\nMaxServers 1\nThreadsPerChild 8\n\
             KeepAliveTimeout 60\nTmpDir {temporary}\nModulesDir {modules}\nServicesDir {modules}\n\
             TemplateDir /usr/share/c_icap/templates/\nLoadMagicFile /etc/c-icap/c-icap.magic\n\
             ServerLog {dir}/server.log\nAccessLog {dir}/access.log\n\
             Module common clamd_mod.so\nclamd_mod.ClamdSocket {socket}\n\
             Service antivirus_module virus_scan.so\n\
             ServiceAlias {service} virus_scan?allow204=on&sizelimit=off&mode=simple\n\
             virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE DOCUMENT\nvirus_scan.MaxObjectSize 50M\n\
             virus_scan.DefaultEngine clamd\n",
            dir = dir.display(),
            temporary = temporary.display(),
            socket = clamd.socket().display(),
            service = CIcap::SERVICE,
        );
        let path = dir.join("c-icap.conf");
        write(&path, &configuration);
        let path = path.display().to_string();
        let process = Process::start(&c_icap, &["-N", "-f", &path], dir.join("log"), address);
        CIcap {
            process,
            address,
            clamd,
        }
    }

    /// Where it listens: address and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it, and its clamd, before they are dropped.
    pub fn stop(&mut self) {
        self.process.stop();
        self.clamd.stop();
    }
}

/// Where Debian keeps the modules: the folder bears the machine's architecture.
fn module_directory() -> String {
    let folders = std::fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten();
    let mut candidates = folders
        .map(|folder| folder.path().join("c_icap"))
        .filter(|path| path.is_dir());
    candidates.next().map_or_else(
        || "/usr/lib/c_icap".to_owned(),
        |path| path.display().to_string(),
    )
}
