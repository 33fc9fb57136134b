//! Certificates by name and by signature, renewal of their files, and what is wrong with them.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use rcgen::{
    CertificateParams, CertifiedKey as Issued, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519,
};

use super::*;
use crate::tls::Connector;
use crate::tls::tests::{Folder, acceptor_of, shake_hands, shown};

fn issue_with(algorithm: &'static rcgen::SignatureAlgorithm, host: &str) -> Issued<KeyPair> {
    let signing_key = KeyPair::generate_for(algorithm).unwrap();
    let cert = CertificateParams::new(vec![host.to_owned()])
        .unwrap()
        .self_signed(&signing_key)
        .unwrap();
    Issued { cert, signing_key }
}

fn text(result: Result<Arc<Certificates>, TlsError>) -> String {
    result.unwrap_err().to_string()
}

fn der(files: &CertificateFiles) -> CertificateDer<'static> {
    read_certificates(&files.certificate).unwrap().remove(0)
}

#[tokio::test]
async fn the_name_asked_for_decides() {
    let folder = Folder::new();
    let default = folder.issue("default", &["mx.example.net"]);
    let wildcard = folder.issue("wildcard", &["*.example.org", "example.org"]);
    let exact = folder.issue("exact", &["mail.example.org"]);
    let acceptor = acceptor_of(&[default.clone(), wildcard.clone(), exact.clone()]);
    for (name, expected) in [
        ("mx.example.net", &default),
        ("mail.example.org", &exact),
        ("MAIL.Example.ORG", &exact),
        ("mx7.example.org", &wildcard),
        ("example.org", &wildcard),
        ("deep.mx.example.org", &default),
        ("unknown.example.com", &default),
        // No SNI is sent for an address.
        ("127.0.0.1", &default),
    ] {
        let (server, client) = shake_hands(&acceptor, &Connector::opportunistic(), name).await;
        server.unwrap();
        assert_eq!(shown(&client.unwrap()), der(expected), "{name}");
    }
}

#[test]
fn of_two_keys_for_a_name_the_one_the_client_understands_is_taken() {
    let folder = Folder::new();
    let edwards = folder.write("edwards", &issue_with(&PKCS_ED25519, "mx.example.net"));
    let ecdsa = folder.write(
        "ecdsa",
        &issue_with(&PKCS_ECDSA_P256_SHA256, "mx.example.net"),
    );
    let certificates = Certificates::load(&[edwards.clone(), ecdsa.clone()]).unwrap();
    let chosen = |name, schemes: &[SignatureScheme]| {
        certificates.loaded().choose(name, schemes).unwrap().cert[0].clone()
    };
    let both = [
        SignatureScheme::ECDSA_NISTP256_SHA256,
        SignatureScheme::ED25519,
    ];
    for name in [Some("mx.example.net"), Some("other.example.net"), None] {
        assert_eq!(chosen(name, &both), der(&edwards));
        assert_eq!(chosen(name, &both[..1]), der(&ecdsa));
        assert_eq!(
            chosen(name, &[SignatureScheme::RSA_PSS_SHA256]),
            der(&edwards),
            "rustls then tells the client"
        );
    }
    assert_eq!(certificates.names(), ["mx.example.net"]);
}

#[tokio::test]
async fn renewed_files_are_taken_up() {
    let folder = Folder::new();
    let files = folder.issue("mx", &["mx.example.net"]);
    let first = der(&files);
    let certificates = Certificates::load(std::slice::from_ref(&files)).unwrap();
    let acceptor = crate::tls::acceptor(certificates.clone()).unwrap();
    assert!(!certificates.reload_if_changed().unwrap());

    folder.issue("mx", &["mx.example.net", "mx2.example.net"]);
    let (server, client) =
        shake_hands(&acceptor, &Connector::opportunistic(), "mx.example.net").await;
    server.unwrap();
    assert_eq!(shown(&client.unwrap()), first, "not before the reload");

    assert!(certificates.reload_if_changed().unwrap());
    assert!(!certificates.reload_if_changed().unwrap());
    assert_ne!(der(&files), first);
    let (server, client) =
        shake_hands(&acceptor, &Connector::opportunistic(), "mx.example.net").await;
    server.unwrap();
    assert_eq!(shown(&client.unwrap()), der(&files));
    assert_eq!(certificates.names(), ["mx.example.net", "mx2.example.net"]);
}

#[test]
fn a_bad_renewal_changes_nothing_and_is_told_once() {
    let folder = Folder::new();
    let files = folder.issue("mx", &["mx.example.net"]);
    let certificates = Certificates::load(std::slice::from_ref(&files)).unwrap();

    // A renewal caught half-way: the certificate is new, the key not yet.
    let old_key = fs::read(&files.key).unwrap();
    folder.issue("mx", &["renewed.example.net"]);
    let new_key = fs::read(&files.key).unwrap();
    fs::write(&files.key, old_key).unwrap();
    let error = certificates.reload_if_changed().unwrap_err();
    assert!(matches!(error, TlsError::Mismatch { .. }), "{error}");
    assert!(!certificates.reload_if_changed().unwrap(), "told once");
    assert_eq!(certificates.names(), ["mx.example.net"]);

    fs::remove_file(&files.key).unwrap();
    assert!(matches!(
        certificates.reload_if_changed(),
        Err(TlsError::Read { .. })
    ));
    assert_eq!(certificates.names(), ["mx.example.net"]);

    fs::write(&files.key, new_key).unwrap();
    assert!(certificates.reload_if_changed().unwrap());
    assert_eq!(certificates.names(), ["renewed.example.net"]);
}

#[test]
fn a_link_to_another_file_is_a_change() {
    let folder = Folder::new();
    let (first, second) = (
        folder.issue("first", &["a.example"]),
        folder.issue("second", &["b.example"]),
    );
    let live = CertificateFiles {
        certificate: folder.path().join("live.crt"),
        key: folder.path().join("live.key"),
    };
    let link = |target: &CertificateFiles| {
        for (file, link) in [
            (&target.certificate, &live.certificate),
            (&target.key, &live.key),
        ] {
            let _ = fs::remove_file(link);
            std::os::unix::fs::symlink(file, link).unwrap();
        }
    };
    link(&first);
    let certificates = Certificates::load(std::slice::from_ref(&live)).unwrap();
    link(&second);
    assert!(certificates.reload_if_changed().unwrap());
    assert_eq!(certificates.names(), ["b.example"]);
}

#[test]
fn one_file_may_hold_both() {
    let folder = Folder::new();
    let files = folder.issue("mx", &["mx.example.net"]);
    let both = folder.path().join("both.pem");
    fs::write(
        &both,
        [
            fs::read(&files.key).unwrap(),
            fs::read(&files.certificate).unwrap(),
        ]
        .concat(),
    )
    .unwrap();
    Certificates::load(&[CertificateFiles {
        certificate: both.clone(),
        key: both,
    }])
    .unwrap();
}

#[test]
fn errors_name_the_file_and_the_remedy() {
    let folder = Folder::new();
    let good = folder.issue("good", &["mx.example.net"]);
    let other = folder.issue("other", &["mx.example.net"]);
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let with_certificate = |certificate| CertificateFiles {
        certificate,
        key: good.key.clone(),
    };
    let with_key = |key| CertificateFiles {
        certificate: good.certificate.clone(),
        key,
    };
    let begin = b"-----BEGIN CERTIFICATE-----\n".as_slice();
    let encrypted =
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let old_encrypted =
        b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let certificate_of_zeros = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let key_of_zeros = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (files, expected) in [
        (
            with_certificate(folder.path().join("absent.crt")),
            "absent.crt: No such file or directory (os error 2); correct",
        ),
        (
            with_certificate(folder.path().to_owned()),
            "Is a directory (os error 21); correct the path",
        ),
        (
            with_certificate(write("empty.crt", b"")),
            "empty.crt: holds no \"BEGIN CERTIFICATE\"; it must hold",
        ),
        (
            with_certificate(good.key.clone()),
            "good.key: holds no \"BEGIN CERTIFICATE\"",
        ),
        (
            with_certificate(write("cut.crt", begin)),
            "cut.crt: damaged PEM (its END line is missing); copy",
        ),
        (
            with_certificate(write("zeros.crt", certificate_of_zeros)),
            "zeros.crt: cannot be used: ",
        ),
        (
            with_certificate(write("large.crt", &vec![b' '; 4 << 20 | 1])),
            "large.crt: larger than 4 MiB",
        ),
        (
            with_certificate(other.certificate),
            "good.key: not the key of the certificate in ",
        ),
        (
            with_key(good.certificate.clone()),
            "good.crt: holds no \"BEGIN PRIVATE KEY\"",
        ),
        (
            with_key(write("locked.key", encrypted)),
            "locked.key: the key is encrypted; decrypt it: openssl pkey",
        ),
        (
            with_key(write("old.key", old_encrypted)),
            "old.key: the key is encrypted",
        ),
        (
            with_key(write("zeros.key", key_of_zeros)),
            "zeros.key: cannot be used: ",
        ),
    ] {
        let text = text(Certificates::load(&[good.clone(), files]));
        assert!(text.contains(expected), "{text:?} instead of {expected:?}");
    }
    assert_eq!(
        text(Certificates::load(&[])),
        "no certificate is named; name a certificate and a key"
    );
}

#[test]
fn a_file_that_may_not_be_read_is_told() {
    let folder = Folder::new();
    let files = folder.issue("mx", &["mx.example.net"]);
    fs::set_permissions(&files.key, Permissions::from_mode(0o000)).unwrap();
    match Certificates::load(std::slice::from_ref(&files)) {
        // Root may read anything.
        Ok(_) => assert_eq!(fs::metadata("/proc/self").unwrap().uid(), 0),
        Err(error) => assert!(
            error
                .to_string()
                .ends_with("let the user that Gatepost runs as read it"),
            "{error}"
        ),
    }
}
