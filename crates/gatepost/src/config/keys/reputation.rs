//! Keys of `[engine.reputation]`, and what listeners and routes say about the past of senders.

use super::engine::{DEADLINE, ENABLED, LIKELY, ON_FAILURE_OPEN, size_max, sure};
use super::queue::RATE;
use super::{DAY, GIB, HOUR, Key, Kind, MIB, MINUTE, Scope, bytes, duration};

pub(super) const SCOPES: &[Scope] = &[
    Scope {
        name: "engine.reputation",
        title: "[engine.reputation]",
        doc: "What is known of a sender's past: the node's own record of what came from an address, its network, its host name and \
              the domains that it proved, and lists in the DNS. It is not given messages of clients that may relay. See \
              [reputation](reputation.md).",
        keys: &[
            ENABLED,
            DEADLINE,
            ON_FAILURE_OPEN,
            size_max("\"2GiB\""),
            LIKELY,
            sure("15.0; the record alone never brings more than 8"),
            Key::new(
                "half_life",
                duration(HOUR, 365 * DAY),
                "\"7d\"",
                "How long it takes until what came from a sender counts half.",
            ),
            Key::new(
                "memory_max",
                bytes(MIB, 16 * GIB),
                "\"64MiB\"",
                "What the record may take in memory. When it is full, those go of whom least is known.",
            ),
            Key::new(
                "volume_min",
                Kind::Number {
                    min: 2.0,
                    max: 1_000_000.0,
                },
                "10.0",
                "Refused messages of one address or domain from which on it may be called bad; four times as many of a network.",
            ),
            Key::new(
                "bad_share",
                Kind::Number { min: 0.5, max: 1.0 },
                "0.8",
                "The share of refused messages from which on a sender is called bad.",
            ),
            Key::new(
                "lists_deadline",
                duration(1, MINUTE),
                "\"3s\"",
                "How long lists in the DNS may take to answer.",
            ),
            Key::optional(
                "lists",
                Kind::Tables("engine.reputation.lists"),
                "none: most lists want to be asked for leave",
                "Lists in the DNS.",
            )
            .from("RFC 5782"),
        ],
    },
    Scope {
        name: "engine.reputation.lists",
        title: "a list of [engine.reputation]",
        doc: "A list in the DNS, of those whom one should not hear or of those whom one may.",
        keys: &[
            Key::required(
                "name",
                Kind::Name,
                "Its name in findings, events and metrics; unique.",
            ),
            Key::required("zone", Kind::HostName, "The domain under which it answers.")
                .from("RFC 5782 2.1"),
            Key::new(
                "about",
                Kind::List("`\"ip\"`, `\"helo\"`, `\"reverse-path\"`, `\"from\"`, `\"url\"`"),
                "[\"ip\"]",
                "What it is asked about: the client's address, the name given with EHLO, the domain of the reverse-path, the \
                 domains of the header field From, the hosts that the message links to.",
            ),
            Key::new(
                "weight",
                WEIGHT,
                "3.0",
                "What a listing weighs where its code does not say; below 0 for a list of those to be trusted.",
            ),
            Key::optional(
                "codes",
                Kind::Tables("engine.reputation.lists.codes"),
                "every answer is a listing",
                "What answers mean; those that no code names are no listings then.",
            )
            .from("RFC 5782 2.3"),
            Key::optional(
                "test_point",
                Kind::Text,
                "127.0.0.2, and the domain `test`",
                "An address or a domain that it always lists.",
            )
            .from("RFC 5782 5"),
        ],
    },
    Scope {
        name: "engine.reputation.lists.codes",
        title: "a code of a list of [engine.reputation]",
        doc: "What some answers of a list mean. Never a listing: answers outside 127.0.0.0/8, and 127.255.255.0/24.",
        keys: &[
            Key::required(
                "answers",
                Kind::Form(
                    "an answer `\"127.0.0.2\"`, a range `\"127.0.0.4-127.0.0.7\"`, a network `\"127.0.1.0/24\"`, or bits of the last octet `\"&8\"`",
                ),
                "Which answers.",
            ),
            Key::optional("weight", WEIGHT, "that of the list", "What it weighs."),
            Key::new("meaning", Kind::Text, "\"\"", "In words, for findings."),
            Key::new(
                "refusal",
                Kind::Toggle,
                "false",
                "The list says by it that it may not be asked.",
            ),
        ],
    },
];

const WEIGHT: Kind = Kind::Number {
    min: -100.0,
    max: 100.0,
};

/// Keys of `[[listener]]`.
pub(super) const AT_CONNECT: Key = Key::new(
    "reputation",
    Kind::Choice(&["note", "defer", "refuse"]),
    "\"note\"",
    "What the record of senders brings a client that connects and is bad: nothing, for its messages are judged; 421; or 554 if it is \
     bad beyond doubt. For listeners that take mail from strangers only: whoever would log in has not done so yet.",
);
pub(super) const RATE_PER_NETWORK: Key = Key::optional(
    "rate_per_network",
    RATE,
    "no limit",
    "Transactions of one client network (IPv4 /24, IPv6 /48) in a time; more are told 450 4.7.1. Clients that may relay, and those that \
     `[allow]` names, are not counted.",
);

/// Keys of `[[route]]`.
pub(super) const GREYLIST: Key = Key::new(
    "greylist",
    Kind::Toggle,
    "false",
    "Messages of newcomers are told 451 4.7.1 once: of whom the record knows nothing good, whom neither DKIM nor SPF \
     proves, and whose address has no name of its own or whom an engine finds likely to send spam.",
)
.from("RFC 6647");
pub(super) const GREYLIST_DELAY: Key = Key::new(
    "greylist_delay",
    duration(1, DAY),
    "\"5m\"",
    "How long a newcomer waits at least; after a day it is a newcomer again.",
)
.from("RFC 6647 5");
pub(super) const RATE_PER_DOMAIN: Key = Key::optional(
    "rate_per_domain",
    RATE,
    "no limit",
    "Messages of one domain that DKIM or SPF proved, in a time; more are told 450 4.7.1.",
);
