use jiff::Zoned;
use mail_parser::{MessageParser, MimeHeaders, PartType};
use proptest::prelude::*;
use queue::{Envelope, Origin, QueuedRecipient};
use smtp::{MailParameters, Notify, RcptParameters, Ret, ReversePath, Status};

use super::words::{Advice, LANGUAGES};
use super::*;

const ORIGINAL: &[u8] = b"Received: from client.example ([192.0.2.9])\r\n\tby mx.example.net (Gatepost) with ESMTP\r\nFrom: Alice <alice@example.com>\r\nTo: bob@example.org\r\nSubject: The minutes of Monday\r\nMessage-ID: <minutes.1@example.com>\r\n\r\nDear Bob,\r\n.\r\nhere they are.\r\n";

fn reporter() -> Reporter {
    Reporter {
        name: "mx.example.net".to_owned(),
        from: "mailer-daemon@mx.example.net".parse().unwrap(),
        postmaster: "postmaster@example.net".parse().unwrap(),
        return_bytes_max: 65536,
        unproven: Unproven::Postmaster,
        postmaster_rate: Rate {
            messages: 20,
            per: std::time::Duration::from_secs(3600),
        },
    }
}

fn envelope(reverse_path: &str, recipients: &[&str]) -> Envelope {
    Envelope {
        reference: "K7QX-3M9D-2F".to_owned(),
        origin: Origin::Received,
        arrived: 1_772_362_800_000,
        customer: "".into(),
        reverse_path: match reverse_path {
            "" => ReversePath::Null,
            mailbox => ReversePath::Mailbox(mailbox.parse().unwrap()),
        },
        mail: MailParameters::default(),
        eight_bit: false,
        submitted: true,
        lifetime: 432_000_000,
        delay_warning: 14_400_000,
        recipients: recipients
            .iter()
            .map(|mailbox| QueuedRecipient {
                forward_path: ForwardPath::Mailbox(mailbox.parse().unwrap()),
                parameters: RcptParameters::default(),
            })
            .collect(),
    }
}

fn concerned(action: Action) -> Concerned<'static> {
    let (status, diagnostic) = match action {
        Action::Failed => ("5.1.1", "550 5.1.1 <bob@example.org>: no such user here"),
        Action::Delayed => (
            "4.4.1",
            "connection to mx.example.org (192.0.2.7:25) timed out",
        ),
        _ => ("2.0.0", "250 2.0.0 Ok: queued as 4Z9"),
    };
    Concerned {
        index: 0,
        action,
        status: status.parse().unwrap(),
        diagnostic,
        is_reply: action != Action::Delayed,
        remote_mta: Some("mx.example.org"),
        last_attempt: Some(1_772_364_000_000),
        will_retry_until: Some(1_772_794_800_000),
    }
}

fn now() -> Zoned {
    "2026-03-01T13:00:00+01:00[+01:00]".parse().unwrap()
}

struct Case {
    reporter: Reporter,
    envelope: Envelope,
    content: Vec<u8>,
    language: &'static str,
    proven: bool,
    require_tls: bool,
    left_out: u64,
    concerned: Vec<Concerned<'static>>,
}

impl Case {
    fn new(action: Action) -> Case {
        let mut envelope = envelope("alice@example.com", &["bob@example.org"]);
        if action < Action::Failed || action > Action::Delayed {
            envelope.recipients[0].parameters.notify = Some(Notify {
                success: true,
                ..Notify::NEVER
            });
        }
        Case {
            reporter: reporter(),
            envelope,
            content: ORIGINAL.to_vec(),
            language: "en",
            proven: false,
            require_tls: false,
            left_out: 0,
            concerned: vec![concerned(action)],
        }
    }

    fn with<R>(&self, use_facts: impl FnOnce(&ReportFacts<'_>) -> R) -> R {
        use_facts(&ReportFacts {
            reporter: &self.reporter,
            language: self.language,
            reference: "9A2B-4C6D-8E",
            nonce: 0x5eed_0123_4567_89ab,
            left_out: self.left_out,
            envelope: &self.envelope,
            content: &self.content,
            proven: self.proven,
            require_tls: self.require_tls,
            now: &now(),
            concerned: &self.concerned,
        })
    }

    fn submission(&self) -> Submission {
        self.with(report).unwrap()
    }

    fn text(&self) -> Vec<u8> {
        self.submission().content.concat()
    }

    #[track_caller]
    fn golden(&self, name: &str) {
        let text = String::from_utf8(self.text()).unwrap();
        assert!(text.lines().all(|line| line.len() <= 78), "{text}");
        crate::golden::check(
            &format!("tests/reports/{name}.txt"),
            &text.replace("\r\n", "\n"),
        );
    }
}

#[test]
fn each_action_has_its_report() {
    for action in Action::ALL {
        Case::new(action).golden(action.word());
    }
}

#[test]
fn each_language_reads_well() {
    for words in &LANGUAGES {
        let mut text = String::new();
        for action in Action::ALL {
            let mut case = Case::new(action);
            case.language = words.tag;
            let report = case.text();
            let message = MessageParser::default().parse(&report).unwrap();
            text.push_str(&format!("Subject: {}\n\n", message.subject().unwrap()));
            text.push_str(&message.body_text(0).unwrap().replace("\r\n", "\n"));
            text.push_str("\n----\n");
        }
        for status in [
            "5.1.2", "5.2.2", "5.3.4", "5.7.1", "4.4.7", "5.4.6", "5.0.0",
        ] {
            text.push_str(words.advice(Advice::of(status.parse().unwrap())));
            text.push('\n');
        }
        crate::golden::check(&format!("tests/reports/language-{}.txt", words.tag), &text);
    }
}

#[test]
fn dsn_parameters_come_back() {
    let mut case = Case::new(Action::Failed);
    case.envelope.mail.ret = Some(Ret::Full);
    case.envelope.mail.envid = Some("QQ 314+159".to_owned());
    case.envelope.recipients[0].parameters.orcpt = Some("rfc822;Bob@lists.example.com".to_owned());
    case.golden("full");
}

#[test]
fn utf8_addresses_fit_into_ascii_reports_and_stay_in_utf8_ones() {
    let mut case = Case::new(Action::Failed);
    case.envelope.recipients[0].forward_path =
        ForwardPath::Mailbox("jörg@exämple.org".parse().unwrap());
    case.content = "Subject: Grüße\r\nTo: jörg@exämple.org\r\n\r\nHallo\r\n".into();
    case.golden("utf8-recipient");
    let submission = case.submission();
    assert!(!submission.envelope.mail.smtputf8 && !submission.envelope.eight_bit);
    case.envelope.reverse_path = ReversePath::Mailbox("zoë@example.com".parse().unwrap());
    case.golden("utf8-reverse-path");
    let submission = case.submission();
    assert!(submission.envelope.mail.smtputf8 && submission.envelope.eight_bit);
}

#[test]
fn a_stranger_s_failure_goes_to_the_postmaster() {
    let mut case = Case::new(Action::Failed);
    case.envelope.submitted = false;
    case.golden("postmaster");
    case.left_out = 1234;
    case.golden("postmaster-left-out");
    for language in ["de", "fr", "es", "sv"] {
        case.language = language;
        let message = case.text();
        let message = MessageParser::default().parse(&message).unwrap();
        assert!(message.body_text(0).unwrap().contains("1234"), "{language}");
    }
    case.with(|facts| {
        let expected = Addressee::Postmaster {
            because: Silence::Unproven,
            told: vec![0],
        };
        assert_eq!(addressee(facts), expected);
    });
    case.proven = true;
    case.with(|facts| assert!(matches!(addressee(facts), Addressee::ReversePath { .. })));
    case.proven = false;
    case.reporter.unproven = Unproven::ReversePath;
    case.with(|facts| assert!(matches!(addressee(facts), Addressee::ReversePath { .. })));
}

#[test]
fn notify_is_honoured() {
    let all = [None, Some(Notify::NEVER)]
        .into_iter()
        .chain((1..8).map(|bits| {
            Some(Notify {
                success: bits & 1 > 0,
                failure: bits & 2 > 0,
                delay: bits & 4 > 0,
            })
        }));
    for notify in all {
        for action in Action::ALL {
            let mut case = Case::new(action);
            case.envelope.recipients[0].parameters.notify = notify;
            let expected = match (action, notify) {
                (Action::Failed | Action::Delayed, None) => true,
                (_, None) => false,
                (Action::Failed, Some(notify)) => notify.failure,
                (Action::Delayed, Some(notify)) => notify.delay,
                (_, Some(notify)) => notify.success,
            };
            assert_eq!(
                case.with(report).is_some(),
                expected,
                "{action:?} {notify:?}"
            );
        }
    }
}

#[test]
fn no_report_follows_on_a_report_for_ever() {
    let mut case = Case::new(Action::Failed);
    case.envelope = case.submission().envelope;
    // The sender could not be told: the postmaster is, although reports carry NOTIFY=NEVER.
    let second = case.submission();
    assert_eq!(
        second.envelope.recipients[0].forward_path.to_string(),
        "postmaster@example.net"
    );
    assert!(second.envelope.reverse_path.is_null());
    case.envelope = second.envelope;
    assert!(case.with(report).is_none());
    case.envelope = envelope("", &["bob@example.org"]);
    case.with(|facts| {
        let expected = Addressee::Postmaster {
            because: Silence::NullReversePath,
            told: vec![0],
        };
        assert_eq!(addressee(facts), expected);
    });
    case.envelope.origin = Origin::AggregateReport;
    assert!(case.with(report).is_none());
    for action in [Action::Delayed, Action::Delivered] {
        let mut case = Case::new(action);
        case.envelope.reverse_path = ReversePath::Null;
        assert!(case.with(report).is_none());
    }
}

#[test]
fn the_body_stays_here_where_it_must() {
    let returned = |case: &Case| {
        let text = String::from_utf8_lossy(&case.text()).into_owned();
        text.contains("here they are")
    };
    let mut case = Case::new(Action::Failed);
    assert!(!returned(&case), "RFC 3461 4.3 leaves it to us");
    case.envelope.mail.ret = Some(Ret::Full);
    assert!(returned(&case));
    case.require_tls = true;
    assert!(!returned(&case), "RFC 8689 5");
    assert!(case.submission().envelope.mail.require_tls);
    case.require_tls = false;
    case.reporter.return_bytes_max = 50;
    assert!(!returned(&case));
    case.reporter.return_bytes_max = 65536;
    case.content.extend([b'x'; 999]);
    assert!(!returned(&case), "a line is too long to be sent as it is");
    case.content = ORIGINAL.to_vec();
    case.content.extend("8-bit: ü\r\n".bytes());
    assert!(returned(&case));
    let submission = case.submission();
    assert!(submission.envelope.eight_bit && submission.envelope.mail.body.is_some());
}

#[test]
fn one_explanation_serves_recipients_alike() {
    let mut case = Case::new(Action::Failed);
    case.envelope = envelope(
        "alice@example.com",
        &["a@example.org", "b@example.org", "c@example.org"],
    );
    case.concerned = (0..3)
        .map(|index| Concerned {
            index,
            ..concerned(Action::Failed)
        })
        .collect();
    case.concerned[2].status = "4.4.7".parse().unwrap();
    case.concerned[2].diagnostic = "";
    case.golden("three-recipients");
}

fn hostile_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\\x00-\\x20=?<>a\u{fc}\u{2028}]{0,300}",
        "x{900,1200}"
    ]
}

proptest! {
    /// RFC 5322 2.2.3: unfolding takes the line ends out, and nothing else.
    #[test]
    fn a_folded_field_gives_its_value_back(words in proptest::collection::vec("[!-~]{1,50}", 1..40)) {
        let value = words.join(" ");
        let folded = encode::field("Diagnostic-Code", &value);
        prop_assert!(folded.lines().all(|line| line.len() <= encode::LINE_COLUMNS));
        prop_assert_eq!(folded.replace("\r\n", ""), format!("Diagnostic-Code: {value}"));
    }

    #[test]
    fn every_report_is_one(
        diagnostic in hostile_text(),
        remote in hostile_text(),
        envid in hostile_text(),
        content in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..3000),
            "(Subject: [ -\u{ff}]{0,200}\r\n)?([a-z]{1,9}:[ -\u{ff}]{0,1100}\r\n){0,6}(\r\n([ -\u{ff}]{0,90}\r\n){0,9})?".prop_map(String::into_bytes),
        ],
        action in proptest::sample::select(Action::ALL.to_vec()),
        full: bool,
        submitted: bool,
        language in proptest::sample::select(vec!["en", "de-AT", "fr", "es", "sv", "xx"]),
        from in proptest::sample::select(vec!["a@example.com", "zo\u{eb}@example.com"]),
    ) {
        let (diagnostic, remote) = (diagnostic.as_str(), remote.as_str());
        let mut envelope = envelope(from, &["b\u{fc}b@example.org"]);
        envelope.mail.ret = full.then_some(Ret::Full);
        envelope.mail.envid = Some(envid);
        envelope.submitted = submitted;
        envelope.recipients[0].parameters.notify = Some(Notify { success: true, failure: true, delay: true });
        let concerned = [Concerned { diagnostic, remote_mta: Some(remote), ..concerned(action) }];
        let facts = ReportFacts {
            reporter: &reporter(),
            language,
            reference: "9A2B-4C6D-8E",
            nonce: 0x5eed_0123_4567_89ab,
            left_out: 3,
            envelope: &envelope,
            content: &content,
            proven: false,
            require_tls: false,
            now: &now(),
            concerned: &concerned,
        };
        let Some(submission) = report(&facts) else {
            prop_assert!(!submitted && action != Action::Failed);
            return Ok(());
        };
        let text = submission.content.concat();
        prop_assert_eq!(submission.envelope.eight_bit, !text.is_ascii());
        prop_assert!(text.ends_with(b"\r\n"));
        for line in text.split(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            prop_assert!(line.len() <= 998 && !line.contains(&b'\r') && !line.contains(&0));
        }
        prop_assert_eq!(text.iter().filter(|&&byte| byte == b'\n').count(), memchr::memmem::find_iter(&text, b"\r\n").count());
        let message = MessageParser::default().parse(&text).unwrap();
        let kind = message.content_type().unwrap();
        prop_assert_eq!((kind.ctype(), kind.subtype()), ("multipart", Some("report")));
        prop_assert_eq!(kind.attribute("report-type"), Some("delivery-status"));
        let PartType::Multipart(parts) = &message.parts[0].body else {
            return Err(TestCaseError::fail("not multipart"));
        };
        prop_assert_eq!(parts.len(), 3);
        let status = message.part(parts[1]).unwrap();
        prop_assert!(status.content_type().unwrap().subtype().unwrap().ends_with("delivery-status"));
    }
}

#[test]
fn a_returned_message_cannot_begin_a_part_of_its_own() {
    let mut case = Case::new(Action::Failed);
    case.envelope.mail.ret = Some(Ret::Full);
    // All that a sender can guess: the reference of the next report.
    let guessed = b"Subject: x\r\n\r\n--=_9A2B-4C6D-8E\r\nContent-Type: text/html\r\n\r\nforged\r\n--=_9A2B-4C6D-8E--\r\n";
    case.content = guessed.to_vec();
    let text = case.text();
    let message = MessageParser::default().parse(&text).unwrap();
    let PartType::Multipart(parts) = &message.parts[0].body else {
        panic!("not multipart");
    };
    assert_eq!(parts.len(), 3);
    let returned = message.part(parts[2]).unwrap();
    assert!(
        memchr::memmem::find(
            &text[returned.raw_body_offset() as usize..returned.raw_end_offset() as usize],
            b"forged"
        )
        .is_some()
    );
}

#[test]
fn a_huge_header_section_is_cut() {
    let mut case = Case::new(Action::Failed);
    case.content = b"X-Long: 0123456789\r\n".repeat(52_000);
    assert!(case.text().len() < 80_000);
    case.content = vec![b'\xff'; 1 << 20];
    assert!(case.text().len() < 300_000);
    let huge: &'static str = Box::leak("\u{7}x ".repeat(400_000).into_boxed_str());
    case.concerned[0].diagnostic = huge;
    assert!(case.text().len() < 300_000);
    let status: Status = case.concerned[0].status;
    assert_eq!(status.to_string(), "5.1.1");
}
