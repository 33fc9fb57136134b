use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;

const MESSAGE: &[u8] = b"From: Alice  <alice@mail.example.com>\r\nTo: bob@example.org,\r\n\tcarol@example.org\r\nSubject:  two   blanks \r\nX-Other: not signed\r\nSubject: twice\r\n\r\nDear  Bob, \r\n\r\n \r\ntext\t\r\n\r\n\r\n";

fn pem(name: &str) -> Vec<u8> {
    std::fs::read(format!(
        "{}/tests/dkim/{name}.pem",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap()
}

fn key(name: &str) -> Dkim {
    Dkim {
        domains: vec!["example.com".to_owned()],
        selector: name.to_owned(),
        file: name.into(),
        key: Arc::new(PrivateKey::from_pem(&pem(name)).unwrap()),
        expires: None,
    }
}

fn divided(message: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memmem::find(message, b"\r\n\r\n").unwrap();
    (&message[..end + 2], &message[end + 4..])
}

/// What dkimpy says of each signature of the message, with these keys in its DNS.
fn verified_elsewhere(message: &[u8], keys: &[Dkim]) -> String {
    let records: Vec<String> = keys
        .iter()
        .map(|key| {
            let name = format!("{}._domainkey.example.com.", key.selector);
            format!("{name:?}: {:?}", key.key.public_record())
        })
        .collect();
    let program = format!(
        "import sys, dkim\nzone = {{{}}}\ntxt = lambda name, timeout=5: zone[name.decode()].encode()\nmessage = sys.stdin.buffer.read()\nd = dkim.DKIM(message)\nprint([d.verify(idx=i, dnsfunc=txt) for i in range({})])\n",
        records.join(", "),
        keys.len(),
    );
    let mut python = Command::new("/usr/bin/python3")
        .args(["-c", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(message).unwrap();
    let output = python.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "is python3-dkim installed? {errors}"
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn another_verifier_agrees() {
    let keys = [key("rsa"), key("rsa-pkcs1"), key("ed25519")];
    let signatory = Signer::new(&keys).signatory("mail.example.com").unwrap();
    let (header_section, body) = divided(MESSAGE);
    let now = jiff::Timestamp::now().as_second().unsigned_abs();
    let fields = signatory.fields(header_section, body, now).unwrap();
    let text = String::from_utf8(fields.clone()).unwrap();
    assert!(text.lines().all(|line| line.len() <= 78), "{text}");
    let signed = [&fields[..], MESSAGE].concat();
    assert_eq!(verified_elsewhere(&signed, &keys), "[True, True, True]");

    // A second author breaks the signature, as does another word in the body; fields on top do not.
    let spoofed = [&fields[..], b"From: eve@example.com\r\n", MESSAGE].concat();
    assert_eq!(verified_elsewhere(&spoofed, &keys), "[False, False, False]");
    let relayed = [b"Received: from a by b; x\r\n", &fields[..], MESSAGE].concat();
    assert_eq!(verified_elsewhere(&relayed, &keys), "[True, True, True]");
}

#[test]
fn empty_bodies_and_missing_line_ends_are_signed_alike() {
    // RFC 6376 3.4.4: the hash of nothing.
    let nothing = super::super::report::base64(&canonical::body_hash(b""));
    assert_eq!(nothing, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_eq!(
        canonical::body_hash(b"\r\n \r\n"),
        canonical::body_hash(b"")
    );
    assert_eq!(
        canonical::body_hash(b"a"),
        canonical::body_hash(b"a\t\r\n\r\n")
    );
    // RFC 6376 3.4.5.
    let mut out = Vec::new();
    canonical::field(b"A: X\r\n", &mut out);
    canonical::field(b"B : Y\t\r\n\tZ  \r\n", &mut out);
    assert_eq!(out, b"a:X\r\nb:Y Z\r\n");
    assert_eq!(
        canonical::body_hash(b" C \r\nD \t E\r\n\r\n\r\n"),
        canonical::body_hash(b" C\r\nD E\r\n")
    );
}

#[test]
fn the_next_domain_above_signs() {
    let mut own = key("rsa");
    own.domains = vec!["mail.example.com".to_owned()];
    let signer = Signer::new(&[key("ed25519"), own]);
    let domain_of = |author: &str| signer.signatory(author).map(|signatory| signatory.domain);
    assert_eq!(domain_of("example.com").as_deref(), Some("example.com"));
    assert_eq!(
        domain_of("a.mail.example.com").as_deref(),
        Some("mail.example.com")
    );
    assert_eq!(domain_of("notexample.com"), None);
    assert_eq!(domain_of("com"), None);
}

#[test]
fn keys_that_can_t_sign_are_refused_and_none_is_shown() {
    assert!(matches!(
        PrivateKey::from_pem(b"hello"),
        Err(KeyError::Pem(_))
    ));
    assert!(matches!(
        PrivateKey::from_pem(&pem("rsa-1024")),
        Err(KeyError::Unusable(_))
    ));
    let shown = format!("{:?}", key("ed25519"));
    assert!(
        shown.contains("[redacted]") && !shown.contains("MC4C"),
        "{shown}"
    );
}

#[test]
fn a_report_is_signed_as_a_whole() {
    let keys = [key("ed25519")];
    let (header_section, body) = divided(MESSAGE);
    let content = [header_section, b"\r\n", body]
        .map(Bytes::copy_from_slice)
        .to_vec();
    let envelope = queue::Envelope {
        reference: "9A2B-4C6D-8E".to_owned(),
        origin: queue::Origin::Report,
        arrived: 0,
        customer: "".into(),
        reverse_path: smtp::ReversePath::Null,
        mail: smtp::MailParameters::default(),
        eight_bit: false,
        submitted: true,
        lifetime: 1,
        delay_warning: 0,
        recipients: Vec::new(),
    };
    let submission = Submission { envelope, content };
    let signed = Signer::new(&keys)
        .signed("example.com", submission.clone(), 1_772_362_800)
        .unwrap();
    assert_eq!(
        verified_elsewhere(&signed.content.concat(), &keys),
        "[True]"
    );
    let other = Signer::new(&keys)
        .signed("example.org", submission, 0)
        .unwrap();
    assert_eq!(other.content.concat(), MESSAGE);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn anything_can_be_signed(header in any::<Vec<u8>>(), body in any::<Vec<u8>>()) {
        let signatory = Signer::new(&[key("ed25519")]).signatory("example.com").unwrap();
        let fields = signatory.fields(&header, &body, 1).unwrap();
        prop_assert!(fields.is_ascii() && fields.ends_with(b"\r\n"));
    }
}
