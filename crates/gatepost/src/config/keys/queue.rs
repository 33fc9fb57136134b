//! Keys of `[queue]`, `[[pool]]` and `[[destination]]`.

use super::{DAY, GIB, Key, Kind, MIB, Scope, bytes, duration, integer};

/// How a rate is written.
pub(super) const RATE: Kind = Kind::Form("messages and a time such as `\"100/1m\"`");

pub(super) const SCOPES: &[Scope] = &[
    Scope {
        name: "queue",
        title: "[queue]",
        doc: "Messages that can't be handed on at once wait here, synced to disk, until each recipient is delivered or has failed.",
        keys: &[
            Key::optional(
                "folder",
                Kind::Path,
                "`queue` under `[node] data_dir`",
                "Where the queue lies. Move it only with nothing running.",
            ),
            Key::new(
                "reserve",
                bytes(0, 1024 * GIB),
                "\"512MiB\"",
                "Space on the disk of the queue that is left free: with less, clients are told `452 4.3.1` until there is more.",
            )
            .from("RFC 3463 3.4"),
            Key::new(
                "gather",
                duration(0, 1),
                "\"10ms\"",
                "How long a sync waits for messages that are just arriving, so that they share it. It waits only for those, and \
                 never longer.",
            ),
            Key::new(
                "segment_max",
                bytes(MIB, 4 * GIB),
                "\"64MiB\"",
                "Messages are appended to a file until it has this size; then the next is begun. A file goes when the last \
                 message in it is done.",
            ),
            Key::new(
                "large_message_min",
                bytes(64 * 1024, GIB),
                "\"1MiB\"",
                "Messages of this size or more lie in files of their own, which go as soon as they are done.",
            ),
            Key::new(
                "memory_max",
                bytes(0, 64 * GIB),
                "\"64MiB\"",
                "Memory for the content of messages that were just accepted, so that they need not be read from the disk.",
            ),
            Key::new(
                "delivery_memory_max",
                bytes(MIB, 64 * GIB),
                "\"256MiB\"",
                "Memory for the content of messages that deliveries have read from the disk and not handed on yet. What does not \
                 fit waits its turn; a message that is larger than all of it goes alone. Messages of up to 256 KiB, or a 64th of it, \
                 are not counted: as many as there are connections are few bytes, and they wait for nobody.",
            ),
            Key::new(
                "connections_max",
                integer(1, 100_000),
                "500",
                "Connections to nexthops that deliver from the queue at one time.",
            ),
            Key::new(
                "idle",
                duration(0, 5 * super::MINUTE),
                "\"5s\"",
                "How long a connection is kept for the next message to the same place.",
            ),
        ],
    },
    Scope {
        name: "pool",
        title: "[[pool]]",
        doc: "Addresses and a name of this node from which routes deliver (`pool` of `[[route]]`), and what all of them may do \
              together.",
        keys: &[
            Key::required("name", Kind::Name, "What routes call it."),
            Key::new(
                "bind",
                Kind::List("IP addresses of this machine"),
                "[]",
                "Addresses that connections come from; one of each family is used for each connection, in turn. None: the system \
                 chooses.",
            ),
            Key::optional(
                "ehlo_name",
                Kind::HostName,
                "`[node] name`",
                "The name in EHLO. It should resolve to the addresses, and they back to it.",
            )
            .from("RFC 5321 4.1.1.1"),
            Key::optional(
                "connections_max",
                integer(1, 100_000),
                "as many as the routes have",
                "Connections of the whole pool at one time.",
            ),
            Key::optional("rate", RATE, "no limit", "Messages of the whole pool in a time."),
        ],
    },
    Scope {
        name: "destination",
        title: "[[destination]]",
        doc: "What holds towards certain destinations, whatever the route says. Of several that match, the first counts.",
        keys: &[
            Key::required(
                "match",
                Kind::List("recipient domains or names of hosts, `\"*.wildcards\"`"),
                "Recipient domains, or hosts that MX records or nexthops name. `\"*.example.org\"` is every name below \
                 example.org.",
            ),
            Key::optional("connections_max", integer(1, 10_000), "as the route has it", "Connections at one time."),
            Key::optional(
                "connections_first",
                integer(1, 10_000),
                "as the route has it",
                "Connections at first; one more with each delivery that went well.",
            ),
            Key::optional(
                "messages_per_connection",
                integer(1, 100_000),
                "as the route has it",
                "Messages over one connection.",
            ),
            Key::optional("rate", RATE, "no limit", "Messages in a time."),
            Key::optional(
                "tls",
                Kind::Choice(&["off", "opportunistic", "require"]),
                "as the route has it",
                "STARTTLS: never, when offered, or always with a verified certificate.",
            )
            .from("RFC 3207; RFC 7435"),
        ],
    },
];

/// Keys of `[[route]]` that the queue goes by.
pub(super) const LIFETIME: Key = Key::new(
    "lifetime",
    duration(1, 30 * DAY),
    "\"5d\"",
    "How long a queued message is tried before it fails and its sender is told.",
)
.from("RFC 5321 4.5.4.1");
pub(super) const DELAY_WARNING: Key = Key::new(
    "delay_warning",
    duration(0, 30 * DAY),
    "\"4h\"",
    "After this time the sender is told that a message is delayed; `\"0s\"` for never.",
)
.from("RFC 3461 4.1");
pub(super) const RETRY_MIN: Key = Key::new(
    "retry_min",
    duration(1, DAY),
    "\"5m\"",
    "How long a recipient or a destination is left alone after the first failure; twice as long after each further one.",
)
.from("RFC 5321 4.5.4.1");
pub(super) const RETRY_MAX: Key = Key::new(
    "retry_max",
    duration(1, 7 * DAY),
    "\"1h\"",
    "And at most this long.",
);
pub(super) const POOL: Key = Key::optional(
    "pool",
    Kind::Name,
    "the node's own addresses and name",
    "The `[[pool]]` that this route delivers from.",
);
pub(super) const CONNECTIONS_MAX: Key = Key::new(
    "connections_max",
    integer(1, 10_000),
    "20",
    "Connections from the queue to one destination (the servers of a nexthop, or those that share MX records) at one time.",
);
pub(super) const CONNECTIONS_FIRST: Key = Key::new(
    "connections_first",
    integer(1, 10_000),
    "5",
    "Connections to a destination at first; one more with each delivery that went well, half as many when it complains.",
);
pub(super) const MESSAGES_PER_CONNECTION: Key = Key::new(
    "messages_per_connection",
    integer(1, 100_000),
    "100",
    "Messages from the queue over one connection.",
);
pub(super) const RATE_OF_ROUTE: Key = Key::optional(
    "rate",
    RATE,
    "no limit",
    "Messages of this route from the queue in a time.",
);

/// Seconds that a rate may be per.
pub(in super::super) const RATE_SECONDS_MAX: u64 = DAY;
