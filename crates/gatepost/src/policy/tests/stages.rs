//! The verdicts before the message, the table of kinds, and who may share a transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::policy::{
    EngineRule, HopLimits, Kind, List, ListField, ListMatch, MailboxCheck, RecipientClass,
    RecipientFacts, Relay, Settings, Verdict, connect, hops, mail, rcpt, share,
};

fn entry(list: List, field: ListField) -> ListMatch {
    ListMatch {
        list,
        field,
        entry: "192.0.2.0/24".to_owned(),
    }
}

fn kind(verdict: &Verdict) -> Option<Kind> {
    verdict.reason().map(|reason| reason.kind)
}

#[test]
fn a_block_list_refuses_at_once_and_an_allow_entry_is_its_exception() {
    let block = entry(List::Block, ListField::Client);
    let allow = entry(List::Allow, ListField::ReversePath);
    assert_eq!(connect(&[]), Verdict::ACCEPT);
    let verdict = connect(std::slice::from_ref(&block));
    let reason = verdict.reason().unwrap();
    assert_eq!(reason.kind, Kind::List);
    assert_eq!(reason.detail, "client on block list: 192.0.2.0/24");
    assert_eq!(mail(&[block.clone(), allow.clone()], None), Verdict::ACCEPT);
    assert_eq!(mail(&[allow, block], None), Verdict::ACCEPT);
}

#[test]
fn recipients_are_decided_by_relay_then_lists_then_mailbox() {
    let block = entry(List::Block, ListField::Recipient);
    let allow = entry(List::Allow, ListField::Client);
    let relays = [Relay::Routed, Relay::Trusted, Relay::Denied];
    let checks = [
        (MailboxCheck::Unchecked, None),
        (MailboxCheck::Known, None),
        (
            MailboxCheck::Unknown("no such user".to_owned()),
            Some(Kind::Mailbox),
        ),
        (
            MailboxCheck::NexthopDown("timeout".to_owned()),
            Some(Kind::NexthopDown),
        ),
    ];
    for relay in relays {
        for (mailbox, of_mailbox) in &checks {
            for (blocked, allowed) in [(false, false), (false, true), (true, false), (true, true)] {
                let lists = [blocked.then_some(&block), allowed.then_some(&allow)];
                let facts = RecipientFacts {
                    lists: lists.into_iter().flatten().cloned().collect(),
                    relay,
                    mailbox: mailbox.clone(),
                };
                let expected = match relay {
                    Relay::Denied => Some(Kind::Relay),
                    _ if blocked && !allowed => Some(Kind::List),
                    _ => *of_mailbox,
                };
                assert_eq!(kind(&rcpt(&facts)), expected, "{facts:?}");
            }
        }
    }
}

#[test]
fn each_kind_has_its_codes() {
    let table: Vec<String> = Kind::ALL
        .map(|kind| {
            let (code, status, banner) = (kind.code(), kind.status(), kind.code_at_connect());
            assert_eq!(code / 100, status.class.digit());
            assert_eq!(kind.is_transient(), code < 500);
            assert_eq!(banner, if code < 500 { 421 } else { 554 });
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(kind.name().replace('-', "_").parse(), Ok(kind));
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{kind}\""));
            format!("{kind} {code} {status}")
        })
        .to_vec();
    assert_eq!(
        table,
        [
            "spam 550 5.7.1",
            "virus 550 5.7.1",
            "attachment 550 5.7.1",
            "size 552 5.3.4",
            "line 554 5.6.0",
            "bare-newline 550 5.5.2",
            "loop 554 5.4.6",
            "relay 550 5.7.1",
            "mailbox 550 5.1.1",
            "list 550 5.7.1",
            "dmarc 550 5.7.26",
            "spf-fail 550 5.7.23",
            "reputation 550 5.7.1",
            "reputation-defer 451 4.7.1",
            "listed 550 5.7.1",
            "listed-defer 451 4.7.1",
            "greylist 451 4.7.1",
            "rate 450 4.7.1",
            "policy 550 5.7.1",
            "engine-unavailable 451 4.3.0",
            "nexthop-down 451 4.4.1",
            "another-transaction 452 4.5.3",
            "exhausted 452 4.3.1",
            "queue-fault 451 4.3.0",
        ]
    );
    assert!("Spam".parse::<Kind>().is_err());
}

#[test]
fn recipients_share_a_transaction_if_nothing_differs() {
    let class = RecipientClass {
        nexthop: Arc::from("smtp:192.0.2.1:25"),
        settings: Arc::new(Settings::default()),
        allowed: false,
        result_fields: true,
        language: Arc::from("en"),
    };
    assert_eq!(share(None, &class), Verdict::ACCEPT);
    // Equal settings are as good as the same.
    let equal = RecipientClass {
        settings: Arc::new(Settings::default()),
        ..class.clone()
    };
    assert_eq!(share(Some(&class), &equal), Verdict::ACCEPT);
    let other_rule = EngineRule {
        enabled: false,
        ..EngineRule::default()
    };
    let other_settings = Settings {
        engines: BTreeMap::from([("rspamd".to_owned(), other_rule)]),
        ..Settings::default()
    };
    let others = [
        RecipientClass {
            nexthop: Arc::from("smtp:192.0.2.2:25"),
            ..class.clone()
        },
        RecipientClass {
            settings: Arc::new(other_settings),
            ..class.clone()
        },
        RecipientClass {
            allowed: true,
            ..class.clone()
        },
        RecipientClass {
            result_fields: false,
            ..class.clone()
        },
        RecipientClass {
            language: Arc::from("de"),
            ..class.clone()
        },
    ];
    for other in others {
        let verdict = share(Some(&class), &other);
        assert_eq!(kind(&verdict), Some(Kind::AnotherTransaction));
        assert_eq!(verdict.outcome(), "defer");
    }
    assert!(RecipientClass::is_allowed(&[entry(
        List::Allow,
        ListField::Recipient
    )]));
    assert!(!RecipientClass::is_allowed(&[entry(
        List::Block,
        ListField::Recipient
    )]));
}

#[test]
fn a_message_goes_round_in_circles_from_here_on() {
    let limits = HopLimits {
        received_max: 100,
        own_max: 5,
    };
    assert_eq!(hops(100, 5, &limits), None);
    for (received, own) in [(101, 0), (6, 6)] {
        let reason = hops(received, own, &limits).unwrap();
        assert_eq!(
            (reason.kind.code(), reason.kind.status().to_string()),
            (554, "5.4.6".to_owned())
        );
    }
}
