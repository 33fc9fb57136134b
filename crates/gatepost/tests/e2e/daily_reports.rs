//! Daily reports from the first message to the report in the mailbox of who asked for it: DMARC (RFC 9990) and TLS (RFC 8460). What
//! the documents say is compared with what was sent; a day passes by giving the counts of today to yesterday.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::authentication::{SIGNER, strings};
use crate::dkim::key;
use crate::support::authority::Issued;
use crate::support::client::Client;
use crate::support::dns::{Dns, Zones};
use crate::support::gateway::{Gateway, NODE, Setup};
use crate::support::programs::python;
use crate::support::sink::{Manner, Received, Sink};

/// Reads the message of a report: whether its DKIM signature is good, its fields, and the document in it. An XML document is held to
/// the tables of RFC 9990 section 3.1.1: which elements there are, in which order and how many of them.
const READER: &str = r#"
import dkim, email, gzip, json, re, sys
import xml.etree.ElementTree as ElementTree
message = sys.stdin.buffer.read()
record = sys.argv[1].encode()
NAMESPACE = '{urn:ietf:params:xml:ns:dmarc-2.0}'
TABLES = {
    'feedback': ('ordered', 'version? report_metadata policy_published record+'),
    'report_metadata': ('any', 'org_name email extra_contact_info? report_id date_range error? generator?'),
    'date_range': ('any', 'begin end'),
    'policy_published': ('any', 'domain discovery_method? p sp? np? fo? adkim? aspf? testing?'),
    'record': ('ordered', 'row identifiers auth_results'),
    'row': ('any', 'source_ip count policy_evaluated'),
    'policy_evaluated': ('ordered', 'disposition dkim spf reason*'),
    'reason': ('any', 'type comment?'),
    'identifiers': ('any', 'header_from envelope_from? envelope_to?'),
    'auth_results': ('ordered', 'dkim* spf?'),
    'dkim': ('any', 'domain selector result human_result?'),
    'spf': ('any', 'domain scope? result human_result?'),
}
def check(element):
    assert element.tag.startswith(NAMESPACE), element.tag
    name = element.tag[len(NAMESPACE):]
    children = [child.tag[len(NAMESPACE):] for child in element]
    if not children:
        return element.text
    order, content = TABLES[name]
    patterns = content.split()
    if order == 'any':
        names = [pattern.rstrip('?*+') for pattern in patterns]
        children.sort(key=names.index)
    expression = ''.join('(%s )%s' % (p.rstrip('?*+'), p[-1] if p[-1] in '?*+' else '') for p in patterns)
    text = ''.join(child + ' ' for child in children)
    assert re.fullmatch(expression, text), (name, children)
    found = {}
    for child in element:
        key = child.tag[len(NAMESPACE):]
        if (key, name) in [('record', 'feedback'), ('dkim', 'auth_results'), ('reason', 'policy_evaluated')]:
            found.setdefault(key, []).append(check(child))
        else:
            found[key] = check(child)
    return found
parsed = email.message_from_bytes(message)
attachment = parsed.get_payload()[1]
document = gzip.decompress(attachment.get_payload(decode=True))
if attachment.get_content_type() == 'application/gzip':
    document = check(ElementTree.fromstring(document))
else:
    document = json.loads(document)
print(json.dumps({
    'signed': dkim.verify(message, dnsfunc=lambda name, timeout=5: record),
    'from': parsed['From'], 'to': parsed['To'], 'subject': re.sub(r'\r?\n', '', parsed['Subject']),
    'type': parsed.get_content_type(), 'media_type': attachment.get_content_type(),
    'file_name': attachment.get_filename(), 'document': document,
}))
"#;

/// A node that signs, one server for all domains, and who wants to know.
struct World {
    gateway: Gateway,
    sink: Sink,
    record: String,
    bank_key: PathBuf,
    _dns: Dns,
    _folder: tempfile::TempDir,
}

impl World {
    /// `zones` gets the record of the bank's key.
    fn new(sink: Sink, node: &str, tables: &str, zones: impl FnOnce(&str) -> Zones) -> World {
        let folder = tempfile::tempdir().unwrap();
        let bank = folder.path().join("bank");
        fs::create_dir(&bank).unwrap();
        let (bank_key, bank_record) = key(&bank, "rsa");
        let (own_key, record) = key(folder.path(), "rsa");
        let dns = zones(&bank_record).start();
        let gateway = Setup::new()
            .nameserver(dns.address())
            .node(node)
            .more(&format!(
                "[[dkim]]\ndomains = [\"gatepost.test\"]\nselector = \"r1\"\nkey = \"{}\"\n{tables}",
                own_key.display()
            ))
            .start();
        World {
            gateway,
            sink,
            record,
            bank_key,
            _dns: dns,
            _folder: folder,
        }
    }

    /// What `gatepost reports` says; whether it is content.
    fn reports(&self, what: &str) -> (Value, bool) {
        let output = self.gateway.command(&["reports", what, "--json"]);
        let said = String::from_utf8(output.stdout).unwrap();
        let said = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        (said, output.status.success())
    }

    /// What was counted until now was counted yesterday.
    fn a_day_passes(&mut self, name: &str) {
        self.gateway.signal("TERM");
        assert!(self.gateway.await_end().success());
        let folder = self.gateway.folder().join("data").join(name);
        self.gateway
            .kill_and_start_after(|| give_to_yesterday(&folder));
    }

    /// The report that a mailbox has got.
    fn report(&self, to: &str) -> Value {
        let of = |received: &Received| received.recipients.iter().any(|it| it.contains(to));
        let received = crate::support::await_some_or(
            || format!("no report for {to} in {:#?}", self.sink.commands()),
            || self.sink.received().into_iter().find(of),
        );
        assert!(received.mail.starts_with("FROM:<>"), "{}", received.mail);
        let said = python(READER, &[&self.record], &received.content).expect_success();
        let report: Value = serde_json::from_str(&said).unwrap();
        // RFC 9990 3.5.2 and RFC 8460 3: what reports must itself be authentic.
        assert_eq!(report["signed"], true, "{report:#}");
        report
    }
}

fn give_to_yesterday(folder: &Path) {
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        lines.extend(fs::read(&path).unwrap());
        fs::remove_file(path).unwrap();
    }
    fs::write(folder.join(format!("{}.jsonl", yesterday())), lines).unwrap();
}

fn yesterday() -> String {
    let day = python(
        "import datetime; print(datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(1))",
        &[],
        b"",
    );
    day.expect_success().trim().to_owned()
}

fn message(from: &str) -> Vec<u8> {
    format!(
        "From: Ann <{from}>\r\nTo: Bob <bob@example.com>\r\nSubject: hello\r\n\
         Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@bank.test>\r\n\r\nHello Bob.\r\n"
    )
    .into_bytes()
}

/// The bank asks for everything, one desk elsewhere takes its reports at another address, a victim never consented.
fn bank_and_shop(bank_record: &str) -> Zones {
    Zones::new()
        .unsigned(
            "bank.test",
            &format!(
                "@ TXT \"v=spf1 ip4:192.0.2.1 -all\"\n\
                 _dmarc TXT \"v=DMARC1; p=reject; sp=quarantine; adkim=s; fo=1; rua=mailto:in@bank.test!10m,\" \
                 \"mailto:old@desk.test,mailto:flood@victim.test\"\n\
                 s1._domainkey TXT {}",
                strings(bank_record)
            ),
        )
        .unsigned(
            "shop.test",
            "@ TXT \"v=spf1 ip4:127.0.0.0/8 -all\"\n_dmarc TXT \"v=DMARC1; p=none; rua=mailto:flood@victim.test\"\n",
        )
        .unsigned(
            "desk.test",
            "bank.test._report._dmarc TXT \"v=DMARC1; rua=mailto:bank@desk.test\"\n",
        )
        .unsigned("victim.test", "@ TXT \"v=spf1 -all\"\n")
        .unsigned("list.test", "@ TXT \"v=spf1 ip4:127.0.0.0/8 -all\"\n")
}

const DMARC_TABLES: &str = "[dmarc_reports]\nenabled = true\norganization = \"Example & Sons\"\n\
                            from = \"dmarc@gatepost.test\"\ncontact = \"help@gatepost.test\"\n";

#[test]
fn owners_of_domains_are_told_what_came_in_their_name() {
    let sink = Sink::smtp();
    let mut tables = DMARC_TABLES.to_owned();
    for domain in ["example.com", "bank.test", "desk.test", "victim.test"] {
        tables.push_str(&format!(
            "[[route]]\ndomains = [\"{domain}\"]\nnexthop = [\"{}\"]\n",
            sink.nexthop()
        ));
    }
    let mut world = World::new(sink, "", &tables, bank_and_shop);
    let key = world.bank_key.display().to_string();
    let signed = python(SIGNER, &["bank.test", &key], &message("ann@bank.test"));
    let signed = signed.expect_success().into_bytes();
    let send = |reverse_path: &str, message: &[u8], code| {
        let mut client = Client::greet(world.gateway.address());
        client.command(&format!("MAIL FROM:<{reverse_path}>"));
        client.command("RCPT TO:<bob@example.com>");
        client.data(message).expect_code(code);
    };
    for _ in 0..3 {
        send("bounce@list.test", &signed, 250);
    }
    for _ in 0..2 {
        send("ann@bank.test", &message("ann@bank.test"), 550);
    }
    // The null reverse-path has no domain, and below the bank another policy holds.
    send("", &message("ann@mail.bank.test"), 250);
    send("ann@shop.test", &message("ann@shop.test"), 250);
    let (waiting, _) = world.reports("list");
    let counts: Vec<_> = waiting
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["domain"], &it["count"], &it["is_due"]))
        .collect();
    assert_eq!(
        json!(counts),
        json!([["bank.test", 6, false], ["shop.test", 1, false]])
    );
    // A day that is not over is not reported.
    assert_eq!(
        world.reports("send"),
        (json!({"is_over": true, "reports": []}), true)
    );
    world.a_day_passes("dmarc-reports");
    world.sink.take();
    let (round, done) = world.reports("send");
    assert!(done, "{round:#}");
    let told: Vec<_> = round["reports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                &it["kind"],
                &it["domain"],
                &it["to"],
                it["problem"].is_string(),
            )
        })
        .collect();
    let mut told = json!(told);
    told.as_array_mut()
        .unwrap()
        .sort_by_key(ToString::to_string);
    assert_eq!(
        told,
        json!([
            ["dmarc", "bank.test", "bank@desk.test", false],
            ["dmarc", "bank.test", "in@bank.test", false],
            ["dmarc", "shop.test", null, true],
        ])
    );
    is_the_report_of_the_bank(&world.report("in@bank.test"), "in@bank.test");
    is_the_report_of_the_bank(&world.report("bank@desk.test"), "bank@desk.test");
    assert_eq!(world.reports("send").0["reports"], json!([]));
    assert_eq!(world.reports("list").0, json!([]));
    // Nobody else has got anything: neither the victim, nor the address that the desk has given up.
    assert_eq!(
        world.sink.received().len(),
        2,
        "{:#?}",
        world.sink.commands()
    );
    let sent = world.gateway.events("dmarc-report-sent");
    assert_eq!(sent.len(), 2, "{sent:#?}");
    assert_eq!(sent[0]["messages"], 6, "{sent:#?}");
}

fn is_the_report_of_the_bank(report: &Value, to: &str) {
    assert_eq!(report["to"], to);
    assert_eq!(report["from"], "dmarc@gatepost.test");
    let document = &report["document"];
    let metadata = &document["report_metadata"];
    let (begin, end) = (
        &metadata["date_range"]["begin"],
        &metadata["date_range"]["end"],
    );
    let number = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(
        (number(begin) % 86_400, number(end) - number(begin)),
        (0, 86_399)
    );
    let id = metadata["report_id"].as_str().unwrap();
    assert_eq!(
        report["subject"].as_str().unwrap(),
        format!("Report Domain: bank.test Submitter: gatepost.test Report-ID: <{id}>")
    );
    let file_name = report["file_name"].as_str().unwrap();
    let beginning = format!("{NODE}!bank.test!{}!{}!", number(begin), number(end));
    assert!(
        file_name.starts_with(&beginning) && file_name.ends_with(".xml.gz"),
        "{file_name}"
    );
    assert_eq!(metadata["org_name"], "Example & Sons");
    assert_eq!(metadata["email"], "help@gatepost.test");
    assert_eq!(
        document["policy_published"],
        json!({"domain": "bank.test", "p": "reject", "sp": "quarantine", "adkim": "s", "aspf": "r",
               "discovery_method": "treewalk", "fo": "1", "testing": "n"})
    );
    let evaluated =
        |disposition, dkim, spf| json!({"disposition": disposition, "dkim": dkim, "spf": spf});
    let row = |count, evaluated| json!({"source_ip": "127.0.0.1", "count": count, "policy_evaluated": evaluated});
    let spf = |domain, result| json!({"domain": domain, "scope": "mfrom", "result": result});
    let records = document["record"].as_array().unwrap();
    assert_eq!(records.len(), 3, "{records:#?}");
    assert_eq!(
        records[0],
        json!({
            "row": row("3", evaluated("pass", "pass", "fail")),
            "identifiers": {"header_from": "bank.test", "envelope_from": "list.test"},
            "auth_results": {
                "dkim": [{"domain": "bank.test", "selector": "s1", "result": "pass"}],
                "spf": spf("list.test", "pass"),
            },
        })
    );
    assert_eq!(
        records[1],
        json!({
            "row": row("2", evaluated("reject", "fail", "fail")),
            "identifiers": {"header_from": "bank.test", "envelope_from": "bank.test"},
            "auth_results": {"spf": spf("bank.test", "fail")},
        })
    );
    assert_eq!(
        records[2]["row"],
        row("1", evaluated("quarantine", "fail", "fail"))
    );
    assert_eq!(
        records[2]["identifiers"],
        json!({"header_from": "mail.bank.test", "envelope_from": null})
    );
}

/// A server with a certificate that its TLSA record names, and one with another: the owner of both learns of both.
#[test]
fn owners_of_servers_are_told_how_tls_went() {
    let (named, other) = (
        Issued::by_itself(&["mx.proven.test"]),
        Issued::by_itself(&["mx.proven.test"]),
    );
    let good = Manner::smtp().tls(&named).start_as_host();
    let bad = Manner::smtp().tls(&other).start_as_host();
    let good_ip = good.ip().to_string();
    let bad_ip = bad.ip().to_string();
    let zone = |ip: &str, reports: &str| {
        format!(
            "@ IN MX 10 mx\nmx IN A {ip}\n_25._tcp.mx IN TLSA {}\n_smtp._tls IN TXT \"v=TLSRPTv1; rua=mailto:{reports}\"\n",
            named.tlsa()
        )
    };
    let sink = Sink::smtp();
    // The way of the reports themselves is a route's, so that they make no results.
    let tables = format!(
        "[tls_reports]\nenabled = true\nfrom = \"tls@gatepost.test\"\norganization = \"Example\"\n\
         [[route]]\ndomains = [\"desk.test\"]\nnexthop = [\"{}\"]\n\
         [[route]]\ndomains = [\"*\"]\nnexthop = [\"mx\"]\nretry_min = \"1s\"\nretry_max = \"2s\"\n",
        sink.nexthop()
    );
    let trust = "trusted_networks = [\"127.0.0.0/8\"]";
    let mut world = World::new(sink, trust, &tables, |_| {
        Zones::new()
            .signed("proven.test", &zone(&good_ip, "a@desk.test"))
            .signed("wrong.test", &zone(&bad_ip, "b@desk.test"))
    });
    world
        .gateway
        .submit(&["bob@proven.test"], &crate::support::message("proven"));
    world
        .gateway
        .submit(&["bob@wrong.test"], &crate::support::message("wrong"));
    world.gateway.attempt("bob@proven.test", "delivered");
    world.gateway.unreachable("mx.wrong.test");
    let stopped = world.gateway.command(&[
        "queue",
        "remove",
        "--domain",
        "wrong.test",
        "--reason",
        "test",
        "--yes",
    ]);
    assert!(stopped.status.success(), "{stopped:?}");
    world.a_day_passes("tls-reports");
    let (round, done) = world.reports("send");
    assert!(done, "{round:#}");
    for (domain, to, successes) in [
        ("proven.test", "a@desk.test", 1),
        ("wrong.test", "b@desk.test", 0),
    ] {
        let report = world.report(to);
        assert_eq!(report["type"], "multipart/report");
        assert_eq!(report["media_type"], "application/tlsrpt+gzip");
        let document = &report["document"];
        let day = yesterday();
        assert_eq!(
            document["date-range"],
            json!({"start-datetime": format!("{day}T00:00:00Z"), "end-datetime": format!("{day}T23:59:59Z")})
        );
        assert_eq!(document["organization-name"], "Example");
        let policies = document["policies"].as_array().unwrap();
        assert_eq!(policies.len(), 1, "{document:#}");
        let policy = &policies[0];
        assert_eq!(policy["policy"]["policy-type"], "tlsa", "{policy:#}");
        let published = policy["policy"]["policy-string"][0].as_str().unwrap();
        assert_eq!(
            published.to_lowercase(),
            named.tlsa().to_lowercase(),
            "{policy:#}"
        );
        let summary = &policy["summary"];
        assert_eq!(
            summary["total-successful-session-count"], successes,
            "{policy:#}"
        );
        let failures = summary["total-failure-session-count"].as_u64().unwrap();
        assert_eq!(failures == 0, successes == 1, "{policy:#}");
        if successes == 0 {
            let detail = &policy["failure-details"][0];
            assert_eq!(detail["result-type"], "tlsa-invalid", "{policy:#}");
            assert_eq!(
                detail["receiving-mx-hostname"],
                format!("mx.{domain}"),
                "{policy:#}"
            );
            assert_eq!(detail["failed-session-count"], failures, "{policy:#}");
        }
    }
}
