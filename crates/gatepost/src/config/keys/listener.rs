//! Keys of `[[listener]]`.

use super::{DAY, GIB, HOUR, KIB, Key, Kind, MINUTE, Scope, bytes, duration, integer, reputation};

pub(super) const SCOPES: &[Scope] = &[
    Scope {
        name: "listener",
        title: "[[listener]]",
        doc: "Addresses on which SMTP connections are accepted, with limits, TLS and trust of their own.",
        keys: &[
            Key::required("name", Kind::Name, "Its name in logs and metrics; unique."),
            Key::required(
                "bind",
                Kind::List("addresses `\"IP:PORT\"`"),
                "Addresses to accept connections on. `\"[::]:25\"` takes IPv6 only: give `\"0.0.0.0:25\"` beside it.",
            ),
            Key::optional(
                "hostname",
                Kind::HostName,
                "`name` of `[node]`",
                "The name in the banner and in the reply to EHLO.",
            )
            .from("RFC 5321 4.3.1"),
            Key::new(
                "banner",
                Kind::Text,
                "\"ESMTP Gatepost\"",
                "The text after the name in the banner.",
            )
            .from("RFC 5321 4.3.1"),
            Key::new(
                "message_size_max",
                bytes(64 * KIB, 2 * GIB),
                "\"50MiB\"",
                "The largest message taken; also announced by SIZE.",
            )
            .from("RFC 1870; RFC 5321 4.5.3.1.7"),
            Key::new(
                "header_size_max",
                bytes(16 * KIB, 16 * 1024 * KIB),
                "\"1MiB\"",
                "The largest header section of a message taken.",
            ),
            Key::new(
                "recipients_max",
                integer(100, 100_000),
                "1000",
                "Recipients of one transaction; more are told 452 4.5.3.",
            )
            .from("RFC 5321 4.5.3.1.8"),
            Key::new(
                "bad_commands_max",
                integer(1, 1000),
                "10",
                "Malformed or misplaced commands of a session; after these it gets 421.",
            )
            .from("RFC 5321 7.8"),
            Key::new(
                "transactions_max",
                integer(1, 1_000_000),
                "10000",
                "Transactions of one session; also announced by LIMITS MAILMAX.",
            )
            .from("RFC 9422"),
            Key::new(
                "connections_max",
                integer(1, 1_000_000),
                "5000",
                "Connections at one time; more are told 421.",
            ),
            Key::new(
                "connections_per_network_max",
                integer(1, 1_000_000),
                "100",
                "Connections at one time from one client network (IPv4 /24, IPv6 /48).",
            ),
            reputation::RATE_PER_NETWORK,
            reputation::AT_CONNECT,
            Key::optional(
                "tls",
                Kind::Table("listener.tls"),
                "no TLS",
                "TLS of this listener.",
            ),
            Key::new(
                "proxy_networks",
                Kind::List("networks (CIDR)"),
                "[]",
                "Load balancers: connections from these networks must open with a PROXY header (version 1 or 2), \
                 and its client counts.",
            ),
            Key::new(
                "xclient_networks",
                Kind::List("networks (CIDR)"),
                "[]",
                "Clients in these networks may say by XCLIENT for whom they speak.",
            ),
            Key::new(
                "bare_newline",
                Kind::Choice(&["refuse", "normalise"]),
                "\"refuse\"",
                "What a bare CR or LF in a message brings: 550 5.5.2, or it becomes CRLF. It never ends the data.",
            )
            .from("RFC 5321 2.3.8, 4.1.1.4"),
            Key::new(
                "greeting_delay",
                duration(0, MINUTE),
                "\"0s\"",
                "How long the banner is held back to catch clients that speak before it; `\"0s\"` for not at all.",
            )
            .from("RFC 5321 4.3.1"),
            Key::optional(
                "timeouts",
                Kind::Table("listener.timeouts"),
                "its defaults",
                "How long a client may take.",
            ),
            Key::new(
                "bytes_per_second_min",
                bytes(0, 1024 * KIB),
                "\"100B\"",
                "What a client must send each second, on average, while it sends a message; `0` for no floor.",
            ),
            Key::new(
                "stop_deadline",
                duration(0, HOUR),
                "\"30s\"",
                "How long transactions in progress may go on once the server is told to stop.",
            ),
            Key::new("pipelining", Kind::Toggle, "true", "Offers PIPELINING.").from("RFC 2920"),
            Key::new("smtputf8", Kind::Toggle, "true", "Offers SMTPUTF8.").from("RFC 6531"),
            Key::new("chunking", Kind::Toggle, "true", "Offers CHUNKING (BDAT).").from("RFC 3030"),
            Key::new("dsn", Kind::Toggle, "true", "Offers DSN.").from("RFC 3461"),
            Key::new(
                "prdr",
                Kind::Toggle,
                "true",
                "Offers PRDR, by which each recipient gets its own reply after the data.",
            )
            .from("draft-hall-prdr-00"),
            Key::new(
                "requiretls",
                Kind::Toggle,
                "false",
                "Offers REQUIRETLS within TLS. Such a message goes on over TLS to servers that prove who they are and offer the \
                 same, or it comes back to its sender.",
            )
            .from("RFC 8689"),
            Key::optional(
                "auth",
                Kind::Table("listener.auth"),
                "AUTH is not offered",
                "Who may log in.",
            )
            .from("RFC 4954"),
        ],
    },
    Scope {
        name: "listener.tls",
        title: "tls of [[listener]]",
        doc: "TLS of a listener. Certificate files are read again when they change.",
        keys: &[
            Key::new(
                "mode",
                Kind::Choice(&["starttls", "implicit", "off"]),
                "\"starttls\"",
                "Whether TLS starts by STARTTLS, with the connection, or never.",
            )
            .from("RFC 3207; RFC 8314 3.3"),
            Key::optional(
                "certificates",
                Kind::Tables("listener.tls.certificates"),
                "none: only with `mode = \"off\"`",
                "The default certificate, then those for other names that clients ask for (SNI).",
            )
            .from("RFC 6066 3"),
        ],
    },
    Scope {
        name: "listener.tls.certificates",
        title: "a certificate of [[listener]]",
        doc: "The two files of a certificate.",
        keys: &[
            Key::required(
                "certificate",
                Kind::File,
                "The certificate chain in PEM, the server's own certificate first.",
            )
            .from("RFC 8446 4.4.2"),
            Key::required("key", Kind::File, "Its private key in PEM."),
        ],
    },
    Scope {
        name: "listener.timeouts",
        title: "timeouts of [[listener]]",
        doc: "How long a client may take before it gets 421.",
        keys: &[
            Key::new(
                "command",
                duration(1, DAY),
                "\"5m\"",
                "Between two commands.",
            )
            .from("RFC 5321 4.5.3.2.7"),
            Key::new(
                "data",
                duration(1, DAY),
                "\"3m\"",
                "Between two pieces of a message.",
            )
            .from("RFC 5321 4.5.3.2.5"),
            Key::new(
                "handshake",
                duration(1, HOUR),
                "\"30s\"",
                "For the TLS handshake, and for the PROXY header.",
            ),
            Key::new("write", duration(1, DAY), "\"1m\"", "To take our replies."),
        ],
    },
    Scope {
        name: "listener.auth",
        title: "auth of [[listener]]",
        doc: "Who may log in.",
        keys: &[
            Key::required(
                "users_file",
                Kind::File,
                "The file of users and their password hashes.",
            ),
            Key::new(
                "without_tls",
                Kind::Toggle,
                "false",
                "Offers AUTH without TLS too, so that passwords cross the network in clear.",
            )
            .from("RFC 4954 4"),
        ],
    },
];
