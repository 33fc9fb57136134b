//! Keys of `[reports]`, `[[dkim]]` and `[loops]`: what we write ourselves, and what must not come back.

use super::queue::RATE;
use super::{DAY, Key, Kind, MIB, Scope, bytes, duration, integer};

pub(super) const SCOPES: &[Scope] = &[
    Scope {
        name: "reports",
        title: "[reports]",
        doc: "Delivery status notifications: what senders are told when a message in the queue is not delivered. See \
              [reports](reports.md).",
        keys: &[
            Key::optional(
                "from",
                Kind::Mailbox,
                "`mailer-daemon` at `name` of `[node]`",
                "The author of reports. Its domain should have a DKIM key here.",
            )
            .from("RFC 3464 2"),
            Key::new(
                "unproven",
                Kind::Choice(&["postmaster", "reverse-path"]),
                "\"postmaster\"",
                "Who is told of the failure of a message whose reverse-path nothing has proven: `postmaster` of `[node]`, or the \
                 reverse-path, which may never have sent it.",
            )
            .from("RFC 5321 6.1"),
            Key::optional(
                "postmaster_rate",
                RATE,
                "`\"20/1h\"`",
                "Reports that `postmaster` gets at once, and again in each such time: strangers can cause as many as they like. \
                 What is beyond is an event `report-withheld` only, and the next report says how many those were.",
            ),
            Key::new(
                "return_max",
                bytes(0, 100 * MIB),
                "\"64KiB\"",
                "The largest message that comes back whole with a report, if its sender asked for that; of others the header \
                 fields come back.",
            )
            .from("RFC 3461 4.3"),
        ],
    },
    Scope {
        name: "dkim",
        title: "[[dkim]]",
        doc: "Keys that sign messages of our own domains: those of clients that log in or are of `trusted_networks`, and our \
              reports. More than one key for a domain: each signs. See [DKIM](dkim.md).",
        keys: &[
            Key::required(
                "domains",
                Kind::List("domains"),
                "The domains that the key signs for, and those below them.",
            )
            .from("RFC 6376 3.5"),
            Key::required(
                "selector",
                Kind::Name,
                "Under which name the public key is in the DNS: `SELECTOR._domainkey.DOMAIN`.",
            )
            .from("RFC 6376 3.1"),
            Key::required(
                "key",
                Kind::File,
                "The PEM file of the private key: RSA of 2048 to 4096 bits (PKCS #1 or #8), or Ed25519 (PKCS #8).",
            )
            .from("RFC 8301, RFC 8463"),
            Key::new(
                "expires",
                duration(0, 365 * DAY),
                "\"0s\"",
                "How long a signature holds; `\"0s\"` for ever. Shorter than messages may be under way, it does harm.",
            )
            .from("RFC 6376 3.5"),
        ],
    },
    Scope {
        name: "loops",
        title: "[loops]",
        doc: "When a message is held to go round in circles.",
        keys: &[
            Key::new(
                "received_max",
                integer(1, 1000),
                "100",
                "`Received` fields that a message may have.",
            )
            .from("RFC 5321 6.3"),
            Key::new(
                "own_max",
                integer(1, 100),
                "5",
                "`Received` fields of this node that a message may have: more than one is right where mail comes back from a \
                 filter or a forwarding mailbox.",
            ),
        ],
    },
];
