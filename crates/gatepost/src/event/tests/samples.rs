//! Sample events: together they hold every field and every word of a closed list, and leave out all that may be.

use std::net::SocketAddr;
use std::sync::Arc;

use scan::finding::{
    Banned, Finding, Score, SpamClass, Symbol, Unavailable, UnavailableCause, VirusClass,
};

use crate::decision::{
    Client, Decision, Disposition, EndedBy, MailParameters, Protocol, Recipient, Reply, Sizes,
    Stage, Timings, Tls,
};
use crate::deliver::families::Family;
use crate::deliver::report::{Action, Silence};
use crate::event::{
    ConnectionRefusal, DeliveredRecipient, Delivery, DeliveryResult, Event, QueueAction,
    QueueChange, QueueMoved, SessionEnd, SessionEnded, SuspensionKind, Time,
};
use crate::policy::{Kind, List, ListField, ListMatch, Note, Reason, Verdict};

const STAGES: [Stage; 7] = [
    Stage::Connect,
    Stage::Ehlo,
    Stage::Auth,
    Stage::Mail,
    Stage::Rcpt,
    Stage::Data,
    Stage::Message,
];

const CAUSES: [UnavailableCause; 7] = [
    UnavailableCause::Timeout,
    UnavailableCause::Connect,
    UnavailableCause::Protocol,
    UnavailableCause::Refused,
    UnavailableCause::Panic,
    UnavailableCause::TooLarge,
    UnavailableCause::BackOff,
];

pub(crate) fn time() -> Time {
    Time::new("2026-03-01T12:00:00.250Z".parse().unwrap())
}

fn client() -> Client {
    Client {
        name: Some("mail.example.org".to_owned()),
        proxied_by: Some("2001:db8::2".parse().unwrap()),
        ..bare_client()
    }
}

fn bare_client() -> Client {
    Client::new("192.0.2.1".parse().unwrap(), 40001)
}

fn tls() -> Tls {
    Tls {
        version: "TLSv1.3".to_owned(),
        cipher: "TLS_AES_128_GCM_SHA256".to_owned(),
        server_name: Some("mx.example.net".to_owned()),
    }
}

fn reply() -> Reply {
    let status = "5.7.1".parse::<smtp::Status>().unwrap();
    Reply::from(&smtp::Reply::new(550, status, "first line\nsecond line"))
}

fn bare_reply() -> Reply {
    Reply::from(&smtp::Reply::new(250, None, "OK"))
}

fn list(list: List, field: ListField) -> ListMatch {
    ListMatch {
        list,
        field,
        entry: "example.org".to_owned(),
    }
}

/// Verdicts with every kind, note and outcome.
fn verdicts() -> Vec<Verdict> {
    let engine = || "rspamd".to_owned();
    let mut notes = vec![
        Note::Unexamined { engine: engine() },
        Note::LikelyAlone { engine: engine() },
        Note::AskedToWait { engine: engine() },
    ];
    notes.extend(Kind::ALL.map(|kind| Note::Allowed {
        kind,
        list: list(List::Allow, ListField::Recipient),
    }));
    let full = Reason {
        kind: Kind::Virus,
        detail: "clamav: Eicar".to_owned(),
        told: "Eicar".to_owned(),
        engines: vec!["clamav".to_owned()],
    };
    let mut verdicts = vec![
        Verdict::ACCEPT,
        Verdict::Accept { notes },
        Verdict::because(full),
    ];
    verdicts.extend(Kind::ALL.map(|kind| Verdict::because(Reason::new(kind))));
    verdicts
}

/// Findings with every class, cause and part.
fn findings() -> Vec<Finding> {
    let full = Finding {
        virus_name: Some("Eicar".to_owned()),
        banned: Some(Banned {
            what: "a.exe".to_owned(),
            why: "executable file".to_owned(),
        }),
        score: Some(Score {
            value: 7.3,
            required: Some(5.0),
        }),
        action: Some("add header".to_owned()),
        reference: Some("str=0001".to_owned()),
        symbols: vec![
            Symbol {
                name: "URIBL_BLACK".to_owned(),
                score: Some(1.7),
                detail: Some("example.biz".to_owned()),
            },
            Symbol {
                name: "BAYES_99".to_owned(),
                score: None,
                detail: None,
            },
        ],
        reason: "7.3 of 5 points".to_owned(),
        milliseconds: 12.5,
        ..Finding::new("rspamd")
    };
    let bare_score = Finding {
        score: Some(Score {
            value: 1.0,
            required: None,
        }),
        ..Finding::new("ctasd")
    };
    let not_awaited = Finding {
        not_awaited: true,
        ..Finding::new("icap")
    };
    let mut findings = vec![full, bare_score, not_awaited];
    findings.extend(SpamClass::ALL.map(|class| Finding {
        spam: Some(class),
        ..Finding::new("ctasd")
    }));
    findings.extend(VirusClass::ALL.map(|class| Finding {
        virus: Some(class),
        ..Finding::new("clamav")
    }));
    let away = |cause| Finding::unavailable("sophos", Unavailable::new(cause, "no answer"));
    findings.extend(CAUSES.map(away));
    findings.extend(super::authentication::findings());
    findings
}

fn recipients() -> Vec<Recipient> {
    let dispositions = [
        Disposition::Refused,
        Disposition::Deferred,
        Disposition::Relayed,
        Disposition::Delivered,
        Disposition::Queued,
        Disposition::Abandoned,
    ];
    let full = dispositions.map(|disposition| Recipient {
        route: Some(Arc::from("gatepost.toml:40")),
        customer: Some(Arc::from("acme")),
        policy: Some(Arc::from("cbf29ce484222325")),
        lists: vec![list(List::Block, ListField::Recipient)],
        verdict: Some(Verdict::ACCEPT),
        reply: Some(reply()),
        nexthop: Some("smtp:192.0.2.9:25".to_owned()),
        nexthop_reply: Some(bare_reply()),
        nexthop_fault: Some(
            "nexthop smtp:192.0.2.25:25, connecting: connection refused".to_owned(),
        ),
        queue_id: Some("4711".to_owned()),
        disposition,
        ..Recipient::new("jane@example.com")
    });
    let by_verdict = verdicts().into_iter().map(|verdict| Recipient {
        verdict: Some(verdict),
        ..Recipient::new("Postmaster")
    });
    let bare = Recipient::new("joe@example.com");
    full.into_iter().chain(by_verdict).chain([bare]).collect()
}

/// Decisions full and bare, with every protocol, stage and end.
pub(crate) fn decisions() -> Vec<Decision> {
    let bare = bare_decision();
    let mut decisions = vec![full_decision(), bare.clone()];
    let protocols = [
        Protocol::Smtp,
        Protocol::Esmtp,
        Protocol::Esmtpa,
        Protocol::Esmtps,
        Protocol::Esmtpsa,
        Protocol::Utf8smtp,
        Protocol::Utf8smtpa,
        Protocol::Utf8smtps,
        Protocol::Utf8smtpsa,
    ];
    decisions.extend(protocols.map(|protocol| Decision {
        protocol,
        ..bare.clone()
    }));
    decisions.extend(STAGES.map(|stage| Decision {
        stage,
        ..bare.clone()
    }));
    let ends = [
        EndedBy::Reply,
        EndedBy::Rset,
        EndedBy::Quit,
        EndedBy::Disconnect,
        EndedBy::Timeout,
        EndedBy::Stop,
    ];
    decisions.extend(ends.map(|ended_by| Decision {
        ended_by,
        ..bare.clone()
    }));
    let parameters = smtp::MailParameters {
        body: Some(smtp::Body::SevenBit),
        ret: Some(smtp::Ret::Full),
        ..smtp::MailParameters::default()
    };
    decisions.push(Decision {
        mail_parameters: MailParameters::from(&parameters),
        ..bare.clone()
    });
    decisions.push(Decision {
        tls: Some(Tls {
            server_name: None,
            ..tls()
        }),
        mail_parameters: MailParameters {
            prdr: true,
            require_tls: true,
            ..MailParameters::default()
        },
        ..bare
    });
    decisions
}

fn full_decision() -> Decision {
    let parameters = smtp::MailParameters {
        size: Some(20_480),
        body: Some(smtp::Body::EightBitMime),
        smtputf8: true,
        ret: Some(smtp::Ret::Headers),
        envid: Some("QQ314159".to_owned()),
        auth: Some("<>".to_owned()),
        prdr: true,
        require_tls: true,
    };
    Decision {
        client: client(),
        tls: Some(tls()),
        ehlo: "mail.example.org".to_owned(),
        authenticated_as: Some("joe".to_owned()),
        reverse_path: "joe@example.org".to_owned(),
        mail_parameters: MailParameters::from(&parameters),
        recipients: recipients(),
        sizes: Sizes {
            bytes: 20_301,
            header_bytes: 1_812,
        },
        message_id: Some("1@example.org".to_owned()),
        stage: Stage::Message,
        lists: vec![
            list(List::Allow, ListField::Client),
            list(List::Block, ListField::ReversePath),
            list(List::Block, ListField::From),
            list(List::Block, ListField::Recipient),
        ],
        findings: findings(),
        verdict: Some(Verdict::ACCEPT),
        reply: Some(reply()),
        timings: Timings {
            total: 61.2,
            receive: 8.1,
            scan: 44.0,
            dispose: 3.5,
        },
        ..bare_decision()
    }
}

fn bare_decision() -> Decision {
    Decision {
        reference: "K7QX-3M9D-2F".parse().unwrap(),
        begun: time(),
        node: Arc::from("mx.example.net"),
        listener: Arc::from("inbound"),
        client: bare_client(),
        tls: None,
        ehlo: String::new(),
        authenticated_as: None,
        protocol: Protocol::Esmtp,
        reverse_path: "<>".to_owned(),
        mail_parameters: MailParameters::default(),
        recipients: Vec::new(),
        sizes: Sizes::default(),
        message_id: None,
        stage: Stage::Mail,
        lists: Vec::new(),
        findings: Vec::new(),
        verdict: None,
        reply: None,
        timings: Timings::default(),
        ended_by: EndedBy::Disconnect,
    }
}

fn sessions() -> Vec<SessionEnded> {
    let bare = SessionEnded {
        listener: Arc::from("inbound"),
        client: bare_client(),
        tls: None,
        ehlo: String::new(),
        stage: Stage::Connect,
        reason: SessionEnd::Quit,
        detail: String::new(),
        bad_commands: 0,
        reply: None,
        milliseconds: 0.5,
    };
    let reasons = [
        SessionEnd::Quit,
        SessionEnd::Disconnect,
        SessionEnd::EarlyTalker,
        SessionEnd::TooManyErrors,
        SessionEnd::Timeout,
        SessionEnd::Refused,
        SessionEnd::TlsFailed,
        SessionEnd::ProxyFailed,
        SessionEnd::Limit,
        SessionEnd::Io,
        SessionEnd::Stop,
        SessionEnd::Fault,
    ];
    let mut sessions: Vec<SessionEnded> = reasons
        .map(|reason| SessionEnded {
            reason,
            ..bare.clone()
        })
        .to_vec();
    sessions.extend(STAGES.map(|stage| SessionEnded {
        stage,
        ..bare.clone()
    }));
    sessions.push(SessionEnded {
        client: client(),
        tls: Some(tls()),
        ehlo: "scanner".to_owned(),
        detail: "GET / HTTP/1.1".to_owned(),
        bad_commands: 10,
        reply: Some(reply()),
        ..bare
    });
    sessions
}

fn refusals() -> Vec<Event> {
    let reasons = [
        ConnectionRefusal::Listener,
        ConnectionRefusal::Network,
        ConnectionRefusal::Overall,
        ConnectionRefusal::List,
        ConnectionRefusal::Stopping,
        ConnectionRefusal::Exhausted,
        ConnectionRefusal::Proxy,
    ];
    let refusal = |reason, limit, detail: &str, reply| Event::ConnectionRefused {
        listener: Arc::from("inbound"),
        client: bare_client(),
        reason,
        limit,
        detail: detail.to_owned(),
        reply,
    };
    let mut refusals = reasons
        .map(|reason| refusal(reason, None, "", None))
        .to_vec();
    refusals.push(refusal(
        ConnectionRefusal::Network,
        Some(100),
        "of 192.0.2.0/24",
        Some(bare_reply()),
    ));
    refusals
}

fn of_the_process() -> Vec<Event> {
    let address: SocketAddr = "[::1]:2525".parse().unwrap();
    vec![
        Event::Reloaded {
            listeners: 2,
            routes: 3,
            domains: 100_000,
            milliseconds: 220.5,
        },
        Event::ReloadFailed {
            errors: vec!["gatepost.toml:3:1: unknown key".to_owned()],
        },
        Event::CertificateReloaded {
            path: "mx.pem".to_owned(),
            names: vec!["mx.example.net".to_owned()],
        },
        Event::CertificateReloaded {
            path: "mx.pem".to_owned(),
            names: Vec::new(),
        },
        Event::CertificateFailed {
            path: "mx.pem".to_owned(),
            detail: "no certificate in it".to_owned(),
        },
        Event::Started {
            version: "0.1.0".to_owned(),
            node: Arc::from("mx.example.net"),
            node_number: 202,
            pid: 4711,
        },
        Event::Listening {
            listener: Arc::from("inbound"),
            address,
            implicit_tls: false,
        },
        Event::Stopping {
            sessions: 12,
            deadline_seconds: 30.0,
        },
        Event::Stopped {
            sessions_cut: 1,
            uptime_seconds: 86_400.5,
        },
        Event::ListLeftOut {
            list: Arc::from("zen"),
            detail: "answers 127.255.255.254: it may not be asked by way of this nameserver"
                .to_owned(),
        },
        Event::ListBack {
            list: Arc::from("zen"),
        },
        Event::ReputationDamaged {
            path: "/var/lib/gatepost/reputation/senders.damaged".to_owned(),
            detail: "its checksum is wrong".to_owned(),
        },
        Event::ReputationForgotten {
            sender: "192.0.2.0/24".to_owned(),
            by: "anna".to_owned(),
        },
        Event::StsPolicyDamaged {
            path: "/var/lib/gatepost/mta-sts/example.net".to_owned(),
            detail: "its end is missing".to_owned(),
        },
        Event::TlsReportSent {
            domain: "example.net".to_owned(),
            to: "mailto:tls-reports@example.net".to_owned(),
            successes: 5326,
            failures: 303,
        },
        Event::TlsReportFailed {
            domain: "example.net".to_owned(),
            to: "https://reports.example.net/tls".to_owned(),
            detail: "the web server answers 500 Internal Server Error".to_owned(),
        },
        Event::DmarcReportSent {
            domain: "example.net".to_owned(),
            to: "dmarc@example.net".to_owned(),
            messages: 12,
        },
        Event::DmarcReportFailed {
            domain: "example.net".to_owned(),
            to: "dmarc@example.net".to_owned(),
            detail: "the queue is full".to_owned(),
        },
        Event::MemoryExhausted {
            bytes: 1 << 30,
            bytes_max: 1 << 30,
        },
        Event::LinesLost { lines: 12 },
    ]
}

fn of_the_queue() -> Vec<Event> {
    let recipient = |result, status: &str| DeliveredRecipient {
        forward_path: "anna@example.org".to_owned(),
        result,
        status: status.to_owned(),
        reply: "450 4.2.0 later".to_owned(),
    };
    let results = [
        (DeliveryResult::Delivered, "2.0.0"),
        (DeliveryResult::Delayed, "4.2.0"),
        (DeliveryResult::Failed, "5.1.1"),
        (DeliveryResult::Expired, "4.4.7"),
    ];
    let full = Delivery {
        reference: "K7QX-3M9D-2F".to_owned(),
        queue_id: "4711".to_owned(),
        customer: Arc::from("acme"),
        reverse_path: "ann@example.net".to_owned(),
        recipients: results
            .map(|(result, status)| recipient(result, status))
            .into(),
        nexthop: "mx mail.example.org:25".to_owned(),
        tls: Some(Tls {
            version: "TLSv1.3".to_owned(),
            cipher: "TLS_AES_256_GCM_SHA384".to_owned(),
            server_name: None,
        }),
        proof: Some("dane-ee".to_owned()),
        bytes: 4096,
        attempts: 2,
        repeatable: true,
        age_seconds: 300.5,
        milliseconds: 12.5,
    };
    let bare = Delivery {
        customer: Arc::from(""),
        recipients: vec![DeliveredRecipient {
            status: String::new(),
            reply: String::new(),
            ..recipient(DeliveryResult::Delivered, "")
        }],
        nexthop: String::new(),
        tls: None,
        proof: None,
        repeatable: false,
        ..full.clone()
    };
    let proven = ["none", "ca", "dane-ta"].map(|proof| Delivery {
        proof: Some(proof.to_owned()),
        ..full.clone()
    });
    let mut events: Vec<Event> = proven
        .into_iter()
        .map(|delivery| Event::Delivery(Box::new(delivery)))
        .collect();
    events.extend(withheld());
    events.extend(of_operators());
    events.extend(vec![
        Event::Delivery(Box::new(full)),
        Event::Delivery(Box::new(bare)),
        Event::ReportQueued {
            reference: "K7QX-3M9D-2G".to_owned(),
            queue_id: "4712".to_owned(),
            about: "K7QX-3M9D-2F".to_owned(),
            forward_path: "ann@example.net".to_owned(),
        },
        Event::Unsigned {
            reference: "K7QX-3M9D-2F".to_owned(),
            domain: "example.net".to_owned(),
            detail: "RSA: too large".to_owned(),
        },
        Event::DiskFull {
            bytes_free: 1 << 20,
            bytes_reserved: 1 << 29,
        },
        Event::DiskFree {
            bytes_free: 1 << 30,
        },
        Event::DiskFault {
            what: "syncing a segment".to_owned(),
            detail: "Input/output error (os error 5)".to_owned(),
        },
        Event::DiskWorks,
        Event::QueueDamaged {
            segment: 7,
            offset: 4096,
            detail: "its checksum is wrong".to_owned(),
            kept_as: Some("7-4096".to_owned()),
        },
        Event::QueueDamaged {
            segment: 7,
            offset: 8192,
            detail: "its checksum is wrong".to_owned(),
            kept_as: None,
        },
        Event::QueueRecovered {
            messages: 1_000_000,
            recipients: 1_200_000,
            damaged: 2,
            milliseconds: 8000.0,
        },
    ]);
    events
}

fn of_operators() -> Vec<Event> {
    let mut events: Vec<Event> = QueueAction::ALL
        .map(|action| {
            let is_removal = action == QueueAction::Remove;
            Event::QueueChanged(Box::new(QueueChange {
                action,
                queue_id: "4711".to_owned(),
                reference: "K7QX-3M9D-2F".to_owned(),
                reverse_path: "ann@example.net".to_owned(),
                recipients: vec!["bob@example.org".to_owned()],
                nexthop: (action == QueueAction::Reroute).then(|| "smtp:192.0.2.9:25".to_owned()),
                reported: is_removal,
                by: "root (uid 0), logged in as anna (uid 1000)".to_owned(),
                reason: if is_removal { "abuse, ticket 7" } else { "" }.to_owned(),
            }))
        })
        .into();
    let moved = QueueMoved {
        file: "/var/backups/queue.export".to_owned(),
        node: None,
        messages: 3,
        recipients: 5,
        left_out: 1,
        damaged: 0,
        by: "uid 1000".to_owned(),
        reason: String::new(),
    };
    for reason in ["", "maintenance"] {
        let moved = QueueMoved {
            reason: reason.to_owned(),
            ..moved.clone()
        };
        events.push(Event::QueueExported(Box::new(moved.clone())));
        events.push(Event::QueueImported(Box::new(moved)));
    }
    events.push(Event::QueueImported(Box::new(QueueMoved {
        node: Some("mx1.example.net".to_owned()),
        left_out: 0,
        damaged: 2,
        reason: "maintenance".to_owned(),
        ..moved
    })));
    for finished in [true, false] {
        events.push(Event::QueueExportEnded {
            file: "/var/backups/queue.export".to_owned(),
            finished,
            messages: 3,
        });
    }
    for kind in SuspensionKind::ALL {
        for reason in ["", "it moves house"] {
            let (name, by, reason) = (
                "example.org".to_owned(),
                "uid 1000".to_owned(),
                reason.to_owned(),
            );
            events.push(Event::DeliverySuspended {
                kind,
                name: name.clone(),
                by: by.clone(),
                reason: reason.clone(),
            });
            events.push(Event::DeliveryResumed {
                kind,
                name,
                by,
                reason,
            });
        }
    }
    events
}

fn withheld() -> Vec<Event> {
    let combinations = [
        (Action::Failed, Silence::Unproven),
        (Action::Delayed, Silence::NullReversePath),
        (Action::Relayed, Silence::OwnReport),
        (Action::Expanded, Silence::Unwanted),
        (Action::Delivered, Silence::Unwanted),
        (Action::Failed, Silence::TooMany),
    ];
    let withheld = combinations.map(|(action, silence)| Event::ReportWithheld {
        about: "K7QX-3M9D-2F".to_owned(),
        action: action.word().to_owned(),
        recipients: vec!["bob@example.org".to_owned()],
        reason: silence.word().to_owned(),
        to_postmaster: silence == Silence::Unproven,
    });
    withheld.into()
}

/// All of them.
pub(crate) fn samples() -> Vec<Event> {
    let decided = |decision| Event::Decided(Box::new(decision));
    let ended = |session| Event::SessionEnded(Box::new(session));
    let engine_down = |cause| Event::EngineDown {
        engine: Arc::from("clamav"),
        cause,
        detail: "connection refused".to_owned(),
    };
    let mut samples: Vec<Event> = decisions().into_iter().map(decided).collect();
    samples.extend(sessions().into_iter().map(ended));
    samples.extend(refusals());
    samples.extend(of_the_queue());
    samples.extend(CAUSES.map(engine_down));
    samples.push(Event::EngineUp {
        engine: Arc::from("clamav"),
        down_seconds: 61.0,
    });
    samples.push(Event::NexthopDown {
        nexthop: Arc::from("smtp:192.0.2.9:25"),
        detail: "timeout".to_owned(),
    });
    samples.push(Event::NexthopUp {
        nexthop: Arc::from("smtp:192.0.2.9:25"),
        down_seconds: 2.25,
    });
    for family in [Family::Ipv6, Family::Ipv4] {
        samples.push(Event::FamilyDown {
            family,
            detail: "cannot connect to [2001:db8::25]:25: No route to host".to_owned(),
        });
        samples.push(Event::FamilyUp {
            family,
            down_seconds: 61.5,
        });
    }
    samples.push(Event::DnsDown);
    samples.push(Event::DnsUp { down_seconds: 3.5 });
    samples.extend(of_the_process());
    samples
}
