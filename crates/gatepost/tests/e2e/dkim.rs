//! Signatures of ours (RFC 6376, RFC 8463) as somebody else's verifier sees them: dkimpy, with the key as the DNS would publish it.

use std::path::{Path, PathBuf};

use crate::support::gateway::{Gateway, Setup};
use crate::support::programs::{openssl, python};
use crate::support::sink::Sink;
use crate::support::{base64, message};

/// Says for each signature of the message whether it holds, and by which algorithm.
const VERIFIER: &str = "
import dkim, json, sys
records = json.loads(sys.argv[1])
def ask(name, timeout=5):
    name = name.decode() if isinstance(name, bytes) else name
    return records[name.rstrip('.')].encode()
message = sys.stdin.buffer.read()
verifier = dkim.DKIM(message, logger=None)
count = sum(1 for name, value in verifier.headers if name.lower() == b'dkim-signature')
def holds(index):
    try:
        return verifier.verify(idx=index, dnsfunc=ask)
    except dkim.ValidationError:
        return False
print(json.dumps([holds(index) for index in range(count)]))
";

/// A private key in a file, and the record that tells of its public half.
pub(crate) fn key(folder: &Path, algorithm: &str) -> (PathBuf, String) {
    let file = folder.join(format!("{algorithm}.pem"));
    let path = file.display().to_string();
    let mut arguments = vec!["genpkey", "-algorithm", algorithm, "-out", &path];
    if algorithm == "rsa" {
        arguments.extend(["-pkeyopt", "rsa_keygen_bits:2048"]);
    }
    openssl(&arguments, b"").expect_success();
    let public = folder.join(format!("{algorithm}.der"));
    let public_path = public.display().to_string();
    openssl(
        &[
            "pkey",
            "-in",
            &path,
            "-pubout",
            "-outform",
            "DER",
            "-out",
            &public_path,
        ],
        b"",
    )
    .expect_success();
    let public = std::fs::read(public).unwrap();
    // RFC 8463 4: for Ed25519 the 32 bytes alone; RFC 6376 3.6.1: for RSA the SubjectPublicKeyInfo.
    let (kind, data) = if algorithm == "rsa" {
        ("rsa", &public[..])
    } else {
        ("ed25519", &public[public.len() - 32..])
    };
    (file, format!("v=DKIM1; k={kind}; p={}", base64(data)))
}

struct Signing {
    gateway: Gateway,
    sink: Sink,
    records: serde_json::Value,
    _folder: tempfile::TempDir,
}

impl Signing {
    fn start() -> Signing {
        let folder = tempfile::tempdir().unwrap();
        let mut tables = String::new();
        let mut records = serde_json::Map::new();
        for algorithm in ["rsa", "ed25519"] {
            let (file, record) = key(folder.path(), algorithm);
            tables.push_str(&format!(
                "[[dkim]]\ndomains = [\"example.net\"]\nselector = \"{algorithm}\"\nkey = \"{}\"\n",
                file.display()
            ));
            records.insert(format!("{algorithm}._domainkey.example.net"), record.into());
        }
        let sink = Sink::smtp();
        let gateway = Setup::new()
            .node("trusted_networks = [\"127.0.0.0/8\"]")
            .more(&tables)
            .route(sink.nexthop(), "cut_through = false")
            .start();
        Signing {
            gateway,
            sink,
            records: records.into(),
            _folder: folder,
        }
    }

    /// What the verifier says of each signature.
    fn verify(&self, content: &[u8]) -> serde_json::Value {
        let said = python(VERIFIER, &[&self.records.to_string()], content).expect_success();
        serde_json::from_str(said.trim()).unwrap()
    }
}

#[test]
fn both_algorithms_are_verified_by_others() {
    let it = Signing::start();
    it.gateway.submit(&["bob@example.com"], &message("signed"));
    let received = it.sink.one();
    assert_eq!(
        it.verify(&received.content),
        serde_json::json!([true, true])
    );
    // One byte more, and neither holds.
    let altered = [&received.content[..], b"altered\r\n"].concat();
    assert_eq!(it.verify(&altered), serde_json::json!([false, false]));
}

#[test]
fn odd_messages_are_signed_as_they_leave() {
    let it = Signing::start();
    for (name, tail) in [
        ("dots", &b".\r\n..two\r\n.\r\n"[..]),
        ("trailing blank lines", b"\r\n\r\n\r\n"),
        ("blanks", b"  leading\r\ntrailing  \t\r\n"),
        ("no final line end", b"the end"),
        ("long", &[b'x'; 5000]),
    ] {
        let content = [message(name).as_slice(), tail].concat();
        let content = if content.ends_with(b"\r\n") {
            content
        } else {
            [&content[..], b"\r\n"].concat()
        };
        it.gateway.submit(&["bob@example.com"], &content);
        let received = it.sink.one();
        it.sink.take();
        assert_eq!(
            it.verify(&received.content),
            serde_json::json!([true, true]),
            "{name}"
        );
    }
}

#[test]
fn other_domains_are_not_signed_for() {
    let it = Signing::start();
    let text = String::from_utf8(message("foreign")).unwrap();
    let foreign = text.replace("ann@example.net", "ann@example.org");
    it.gateway.submit(&["bob@example.com"], foreign.as_bytes());
    let received = it.sink.one();
    assert_eq!(it.verify(&received.content), serde_json::json!([]));
}
