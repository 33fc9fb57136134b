//! STARTTLS and TLS from the start, certificates by name and after a change, and AUTH.

use std::fs;

use crate::support::certificates::Certificate;
use crate::support::client::Client;
use crate::support::daemons::process::directory;
use crate::support::gateway::{Gateway, Setup};
use crate::support::postfix::Postfix;
use crate::support::programs::{curl, openssl, python, swaks};
use crate::support::sink::Sink;
use crate::support::{await_some_or, base64, head, message};

/// Two listeners with the same certificates: `main` with STARTTLS, `implicit` with TLS from the start.
struct Encrypted {
    gateway: Gateway,
    sink: Sink,
    first: Certificate,
    _second: Certificate,
    folder: tempfile::TempDir,
}

fn encrypted() -> Encrypted {
    let folder = tempfile::tempdir().unwrap();
    let first = Certificate::make(folder.path(), "mx.gatepost.test");
    let second = Certificate::make(folder.path(), "mail.customer.test");
    let certificates = format!("certificates = [{}, {}]", first.entry(), second.entry());
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .listener(&format!("tls = {{ mode = \"starttls\", {certificates} }}"))
        .route(sink.nexthop(), "")
        .more(&format!(
            "[[listener]]\nname = \"implicit\"\nbind = [\"127.0.0.2:0\"]\nstop_deadline = \"1s\"\n\
             tls = {{ mode = \"implicit\", {certificates} }}\n"
        ))
        .start();
    Encrypted {
        gateway,
        sink,
        first,
        _second: second,
        folder,
    }
}

const ENVELOPE: [&str; 4] = ["--from", "ann@example.net", "--to", "bob@example.com"];

#[test]
fn swaks_by_starttls_and_by_tls_from_the_start() {
    let it = encrypted();
    let message = message("encrypted");
    for (listener, option) in [("main", "--tls"), ("implicit", "--tls-on-connect")] {
        let address = it.gateway.listener(listener).to_string();
        swaks(
            &[&["--server", &address, option][..], &ENVELOPE].concat(),
            &message,
        )
        .expect_success();
        let head = head(&it.sink.take().pop().unwrap().content, &message);
        let unfolded = head.replace("\r\n\t", " ");
        assert!(
            unfolded.contains(" with ESMTPS (TLSv1.3 TLS_"),
            "{unfolded}"
        );
    }
    for decision in it.gateway.decisions(2) {
        assert_eq!(decision["tls"]["version"], "TLSv1.3", "{decision:#}");
        assert_eq!(decision["protocol"], "ESMTPS");
    }
}

/// Verifies the certificate for the name against the file, and sends.
const SMTPLIB: &str = "
import smtplib, ssl, socket, sys
host, port, name, file = sys.argv[1:]
context = ssl.create_default_context(cafile=file)
context.maximum_version = ssl.TLSVersion.TLSv1_2
class Client(smtplib.SMTP):
    def starttls(self, context):
        code, text = self.docmd('STARTTLS')
        assert code == 220, (code, text)
        self.sock = context.wrap_socket(self.sock, server_hostname=name)
        self.file = None
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
with Client(host, int(port), local_hostname='python.example.net', timeout=30) as client:
    client.ehlo()
    assert client.has_extn('starttls')
    client.starttls(context)
    client.ehlo()
    assert not client.has_extn('starttls')
    client.sendmail('ann@example.net', ['bob@example.com'], sys.stdin.buffer.read())
";

#[test]
fn the_certificate_is_chosen_by_name() {
    let it = encrypted();
    let address = it.gateway.address();
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    for name in ["mx.gatepost.test", "mail.customer.test"] {
        let file = it
            .folder
            .path()
            .join(format!("{name}.crt"))
            .display()
            .to_string();
        python(SMTPLIB, &[&host, &port, name, &file], &message("by name")).expect_success();
        let decision = it
            .gateway
            .await_event("decided", |event| event["tls"]["server_name"] == name);
        assert_eq!(decision["tls"]["version"], "TLSv1.2", "{decision:#}");
    }
    // curl verifies too, on the other listener.
    let implicit = it.gateway.listener("implicit");
    let resolve = format!("mail.customer.test:{}:127.0.0.2", implicit.port());
    let file = it
        .folder
        .path()
        .join("mail.customer.test.crt")
        .display()
        .to_string();
    let url = format!(
        "smtps://mail.customer.test:{}/curl.example.net",
        implicit.port()
    );
    let arguments = [
        "--cacert",
        &file,
        "--resolve",
        &resolve,
        "--url",
        &url,
        "--mail-from",
        "ann@example.net",
        "--mail-rcpt",
        "bob@example.com",
    ];
    curl(&arguments, &message("by curl")).expect_success();
    // A name that nobody has gets the default certificate.
    let said = openssl(
        &[
            "s_client",
            "-connect",
            &implicit.to_string(),
            "-servername",
            "other.test",
            "-brief",
        ],
        b"QUIT\r\n",
    );
    assert!(said.text.contains("CN = mx.gatepost.test"), "{}", said.text);
}

fn shown_certificate(gateway: &Gateway) -> String {
    let address = gateway.address().to_string();
    let said = openssl(
        &[
            "s_client",
            "-starttls",
            "smtp",
            "-connect",
            &address,
            "-servername",
            "mx.gatepost.test",
        ],
        b"QUIT\r\n",
    );
    let begin = said
        .text
        .find("-----BEGIN CERTIFICATE-----")
        .unwrap_or_else(|| panic!("{}", said.text));
    let end = said.text.find("-----END CERTIFICATE-----").unwrap();
    said.text[begin..end].replace('\r', "")
}

fn is_shown(gateway: &Gateway, certificate: &Certificate) -> bool {
    fs::read_to_string(&certificate.certificate)
        .unwrap()
        .contains(&shown_certificate(gateway))
}

#[test]
fn a_changed_certificate_is_taken_into_use() {
    let it = encrypted();
    assert!(is_shown(&it.gateway, &it.first));
    let old = fs::read_to_string(&it.first.certificate).unwrap();
    // A broken one changes nothing and is told.
    fs::write(&it.first.certificate, "no certificate\n").unwrap();
    it.gateway.signal("HUP");
    let told = || {
        it.gateway.log().into_iter().find(|event| {
            event["event"] == "reload-failed" || event["event"] == "certificate-failed"
        })
    };
    await_some_or(|| format!("{:#?}", it.gateway.log()), told);
    assert!(old.contains(&shown_certificate(&it.gateway)));
    Certificate::make(it.folder.path(), "mx.gatepost.test");
    assert!(!old.contains(&fs::read_to_string(&it.first.certificate).unwrap()));
    it.gateway.signal("HUP");
    await_some_or(
        || format!("{:#?}", it.gateway.log()),
        || is_shown(&it.gateway, &it.first).then_some(()),
    );
}

#[test]
fn what_is_sent_before_the_handshake_is_dropped() {
    let it = encrypted();
    let mut client = Client::greet(it.gateway.address());
    client.send(b"STARTTLS\r\nMAIL FROM:<injected@example.net>\r\nRCPT TO:<bob@example.com>\r\n");
    client.reply().expect(220, "2.0.0");
    // The plain text cannot be a handshake, and was not answered as commands either.
    client.close_write();
    assert!(!client.rest().contains("250"));
    let ended = it.gateway.await_event("session-ended", |_| true);
    assert_eq!(ended["reason"], "tls-failed", "{ended:#}");
    assert_eq!(it.gateway.events("decided").len(), 0);
}

/// Logs in with the mechanism, and says who the server thinks it is.
const LOGIN: &str = "
import smtplib, ssl, sys
host, port, mechanism, user, password = sys.argv[1:]
context = ssl._create_unverified_context()
with smtplib.SMTP(host, int(port), local_hostname='python.example.net', timeout=30) as client:
    client.starttls(context=context)
    client.ehlo()
    client.user, client.password = user, password
    object = client.auth_plain if mechanism == 'PLAIN' else client.auth_login
    client.auth(mechanism, object, initial_response_ok=mechanism == 'PLAIN')
    client.sendmail('ann@example.net', ['bob@example.com'], sys.stdin.buffer.read())
";

#[test]
fn auth_by_plain_and_login() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::make(folder.path(), "mx.gatepost.test");
    let sink = Sink::smtp();
    let hash = hash_password("correct horse");
    let users = folder.path().join("users");
    fs::write(&users, format!("# name:hash\nann@example.net:{hash}\n")).unwrap();
    let gateway = Setup::new()
        .listener(&format!(
            "tls = {{ certificates = [{}] }}\nauth = {{ users_file = \"{}\" }}",
            certificate.entry(),
            users.display()
        ))
        .route(sink.nexthop(), "")
        .start();
    let address = gateway.address();
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    for mechanism in ["PLAIN", "LOGIN"] {
        let arguments = [
            host.as_str(),
            &port,
            mechanism,
            "ann@example.net",
            "correct horse",
        ];
        python(LOGIN, &arguments, &message(mechanism)).expect_success();
        let head = head(&sink.take().pop().unwrap().content, &message(mechanism));
        assert!(head.contains(" with ESMTPSA "), "{head}");
        let wrong = [host.as_str(), &port, mechanism, "ann@example.net", "wrong"];
        python(LOGIN, &wrong, &message(mechanism)).expect_refusal(&["535", "5.7.8"]);
    }
    for decision in gateway.decisions(2) {
        assert_eq!(decision["authenticated_as"], "ann@example.net");
        assert!(!decision.to_string().contains("correct horse"));
    }
    // In clear it is neither offered nor taken.
    let mut client = Client::dial(address);
    client.reply().expect_code(220);
    assert!(
        !client
            .command("EHLO client.example.net")
            .text
            .contains("AUTH")
    );
    let response = base64(b"\0ann@example.net\0correct horse");
    client
        .command(&format!("AUTH PLAIN {response}"))
        .expect(538, "5.7.11");
    client.quit();
}

/// By the program's own command, which reads the password from standard input.
fn hash_password(password: &str) -> String {
    let said = crate::support::programs::run(
        env!("CARGO_BIN_EXE_gatepost"),
        &["hash-password"],
        format!("{password}\n").as_bytes(),
    );
    let text = said.expect_success();
    let hash = text.lines().find(|line| line.starts_with("$argon2id$"));
    hash.unwrap_or_else(|| panic!("no hash in {text}"))
        .to_owned()
}

#[test]
fn the_nexthop_is_spoken_to_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::make(folder.path(), "nexthop.test");
    let sink = Sink::smtp();
    // The later line wins.
    let keys = format!(
        "relay_domains = opportunistic.example, required.example, off.example\nrelayhost = [127.0.0.1]:{}\n\
         smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}\nsmtpd_tls_received_header = yes",
        sink.address().port(),
        certificate.certificate.display(),
        certificate.key.display()
    );
    let nexthop = Postfix::start(&directory(folder.path(), "nexthop"), &keys);
    let to = format!("smtp:{}", nexthop.address());
    let gateway = Setup::new()
        .route_for("opportunistic.example", &to, "")
        .route_for("off.example", &to, "nexthop_tls = \"off\"")
        .route_for("required.example", &to, "nexthop_tls = \"require\"")
        .start();
    for (domain, is_encrypted) in [("opportunistic.example", true), ("off.example", false)] {
        let recipient = format!("bob@{domain}");
        let mut client = Client::envelope(gateway.address(), &[&recipient]);
        client.data(&message(domain)).expect(250, "2.6.0");
        let received = sink.one();
        sink.take();
        let head = head(&received.content, &message(domain));
        assert_eq!(
            head.contains("using TLSv1.3 with cipher"),
            is_encrypted,
            "{head}"
        );
    }
    // Nobody that we trust has signed its certificate.
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    let reply = client
        .command("RCPT TO:<bob@required.example>")
        .expect_code(451);
    client.command("RSET").expect_code(250);
    let decision = gateway.await_event("decided", |event| event["reference"] == reply.reference());
    let detail = decision["recipients"][0]["verdict"]["reason"]["detail"]
        .as_str()
        .unwrap();
    assert!(detail.contains("STARTTLS"), "{decision:#}");
}
