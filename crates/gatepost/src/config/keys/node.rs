//! Keys of the file itself and of `[node]`, `[log]`, `[admin]`, `[dns]`, `[scan]`.

use super::{GIB, KIB, Key, Kind, MIB, MINUTE, Scope, bytes, duration, integer};

pub(super) const SCOPES: &[Scope] = &[
    Scope {
        name: "",
        title: "the file",
        doc: "The tables of the file. Relative paths are relative to the folder of the file.",
        keys: &[
            Key::required("node", Kind::Table("node"), "The node itself."),
            Key::optional("log", Kind::Table("log"), "its defaults", "Logs."),
            Key::optional(
                "admin",
                Kind::Table("admin"),
                "its defaults",
                "Metrics, health, control.",
            ),
            Key::optional("dns", Kind::Table("dns"), "its defaults", "Name look-ups."),
            Key::optional(
                "delivery",
                Kind::Table("delivery"),
                "its defaults",
                "How servers are reached that messages go to.",
            ),
            Key::optional(
                "scan",
                Kind::Table("scan"),
                "its defaults",
                "The wave of engines.",
            ),
            Key::optional(
                "tls_policy",
                Kind::Table("tls_policy"),
                "its defaults",
                "How servers that take messages must prove themselves.",
            ),
            Key::optional(
                "tls_reports",
                Kind::Table("tls_reports"),
                "no reports",
                "Reports on TLS to domains that ask.",
            ),
            Key::optional(
                "dmarc_reports",
                Kind::Table("dmarc_reports"),
                "no reports",
                "Reports on DMARC to domains that ask.",
            ),
            Key::required(
                "listener",
                Kind::Tables("listener"),
                "Where connections are accepted.",
            ),
            Key::required("route", Kind::Tables("route"), "Where messages go."),
            Key::optional(
                "queue",
                Kind::Table("queue"),
                "its defaults",
                "Where messages wait that can't be handed on at once.",
            ),
            Key::optional(
                "reports",
                Kind::Table("reports"),
                "its defaults",
                "What senders are told when messages are not delivered.",
            ),
            Key::optional(
                "dkim",
                Kind::Tables("dkim"),
                "nothing is signed",
                "Keys that sign messages of our own domains.",
            ),
            Key::optional(
                "loops",
                Kind::Table("loops"),
                "its defaults",
                "When a message goes round in circles.",
            ),
            Key::optional(
                "pool",
                Kind::Tables("pool"),
                "the node's own addresses and name",
                "Addresses and names to deliver from.",
            ),
            Key::optional(
                "destination",
                Kind::Tables("destination"),
                "as routes have it",
                "Limits towards certain destinations.",
            ),
            Key::optional(
                "engine",
                Kind::Table("engine"),
                "those of our own alone: attachments, sender authentication and content",
                "What examines messages.",
            ),
            Key::optional(
                "auth",
                Kind::Table("auth"),
                "its defaults",
                "Sender authentication.",
            ),
            Key::optional(
                "allow",
                Kind::Table("allow"),
                "nobody",
                "Who is never refused as spam.",
            ),
            Key::optional(
                "block",
                Kind::Table("block"),
                "nobody",
                "Who is always refused.",
            ),
            Key::optional(
                "replies",
                Kind::NamedTables("replies.LANGUAGE"),
                "the built-in texts",
                "Texts of refusals by language.",
            ),
        ],
    },
    Scope {
        name: "node",
        title: "[node]",
        doc: "The node itself.",
        keys: &[
            Key::required(
                "name",
                Kind::HostName,
                "The name that the node gives in banners, EHLO, `Received` fields and references. It should \
                 resolve to the node's addresses, and they back to it.",
            )
            .from("RFC 5321 2.3.5, 4.1.1.1"),
            Key::new(
                "data_dir",
                Kind::Path,
                "\"/var/lib/gatepost\"",
                "The folder that holds everything that Gatepost writes.",
            ),
            Key::optional(
                "number",
                integer(0, 255),
                "a node that is alone",
                "The number of this node among several; it becomes a part of references.",
            ),
            Key::optional(
                "postmaster",
                Kind::Mailbox,
                "`postmaster@` the node's name",
                "The mailbox of whoever looks after this node; `<Postmaster>` without a domain goes there.",
            )
            .from("RFC 5321 4.5.1"),
            Key::new(
                "memory_max",
                bytes(16 * MIB, 1024 * GIB),
                "\"512MiB\"",
                "Memory that all messages together may take. Beyond it messages go on in spool files and wait for their turn to be examined, a minute at most; then they are told 452.",
            ),
            Key::new(
                "memory_message_max",
                bytes(4 * KIB, GIB),
                "\"1MiB\"",
                "A message larger than this is kept in a spool file, not in memory.",
            ),
            Key::new(
                "trusted_networks",
                Kind::List("networks (CIDR)"),
                "[]",
                "Networks of your own: their clients may relay to any domain that a route with `domains = [\"*\"]` delivers.",
            ),
            Key::optional(
                "threads",
                integer(1, 1024),
                "one for each processor",
                "Worker threads.",
            ),
        ],
    },
    Scope {
        name: "log",
        title: "[log]",
        doc: "What is written down.",
        keys: &[
            Key::optional(
                "decisions",
                Kind::Form("`\"file:PATH\"`, or `\"-\"` for standard output"),
                "`decisions.jsonl` in `data_dir`",
                "Where the decision log goes: one JSON line for each transaction.",
            ),
            Key::new(
                "level",
                Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
                "\"info\"",
                "The least level of the human log on standard error.",
            ),
        ],
    },
    Scope {
        name: "admin",
        title: "[admin]",
        doc: "How the node is watched and told things.",
        keys: &[
            Key::new(
                "bind",
                Kind::List("addresses `\"IP:PORT\"`"),
                "[\"127.0.0.1:8025\"]",
                "Addresses on which metrics and health are served over HTTP; an empty list for nowhere.",
            ),
            Key::optional(
                "control",
                Kind::Path,
                "`control.sock` in `data_dir`",
                "The unix socket by which `gatepost reload` and other commands reach the running node.",
            ),
        ],
    },
    Scope {
        name: "dns",
        title: "[dns]",
        doc: "How names are looked up.",
        keys: &[
            Key::new(
                "nameservers",
                Kind::List("addresses `\"IP\"` or `\"IP:PORT\"`"),
                "[]",
                "Name servers to ask; an empty list for those of the system.",
            ),
            Key::new(
                "timeout",
                duration(1, MINUTE),
                "\"5s\"",
                "How long one look-up may take, all attempts together.",
            ),
            Key::optional(
                "dnssec",
                Kind::Choice(&["off", "trust"]),
                "`trust` if all name servers are on this machine (loopback), else `off`",
                "Whether the name servers are believed when they say that an answer is signed and valid (the AD bit), which DANE \
                 needs. They must validate, and the way to them must be safe: run one on this machine.",
            )
            .from("RFC 4035 4.9.3; RFC 6840 5.7; RFC 7672 2.1"),
        ],
    },
    Scope {
        name: "scan",
        title: "[scan]",
        doc: "The wave of engines that examines each message.",
        keys: &[
            Key::new(
                "deadline",
                duration(1, 10 * MINUTE),
                "\"30s\"",
                "How long all engines together may take for one message. Senders wait ten minutes at most, many \
                 far less.",
            )
            .from("RFC 5321 4.5.3.2.6"),
        ],
    },
];
