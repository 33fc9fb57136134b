//! Certificates made by openssl, each signed by itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::daemons::process::program;

/// A certificate and its key.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Certificate {
    /// Makes one for `name` in `folder`, or another one in its place.
    pub(crate) fn make(folder: &Path, name: &str) -> Certificate {
        let openssl = program(&["/usr/bin/openssl"], "openssl");
        let made = Certificate {
            certificate: folder.join(format!("{name}.crt")),
            key: folder.join(format!("{name}.key")),
        };
        let beside = folder.join(format!("{name}.new"));
        let status = Command::new(openssl)
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "30",
            ])
            .args([
                "-subj",
                &format!("/CN={name}"),
                "-addext",
                &format!("subjectAltName=DNS:{name}"),
            ])
            .arg("-keyout")
            .arg(&beside)
            .arg("-out")
            .arg(&made.certificate)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "openssl req: {status}");
        std::fs::rename(beside, &made.key).unwrap();
        made
    }

    /// As an entry of `certificates`.
    pub(crate) fn entry(&self) -> String {
        format!(
            "{{ certificate = \"{}\", key = \"{}\" }}",
            self.certificate.display(),
            self.key.display()
        )
    }
}
