//! Keys of `[[route]]`.

use super::engine::{ENABLED_ON_ROUTE, LIKELY, ON_FAILURE_OF_ROUTE, SURE};
use super::{DAY, HOUR, KIB, Key, Kind, Scope, bytes, duration};
use super::{queue, reputation};

pub(super) const SCOPES: &[Scope] = &[
    Scope {
        name: "route",
        title: "[[route]]",
        doc: "For some recipient domains: the nexthop, the recipient check and the policy. The exact name wins over \
              wildcards, the longest wildcard over shorter ones; the order of routes does not matter.",
        keys: &[
            Key::required(
                "domains",
                Kind::List("domains, `\"*.wildcards\"`, address literals, `\"file:PATH\"`, `\"*\"`"),
                "`\"*.example.org\"` is every domain below example.org, at any depth, and not example.org itself. A \
                 file holds one entry on each line; `#` starts a comment. Names in U-label and A-label form are the \
                 same. `\"*\"` is every domain that no other route has, and only for clients that may relay: those that \
                 proved who they are by AUTH, and those of `[node] trusted_networks`.",
            )
            .from("RFC 5321 2.3.5, 4.1.3; RFC 5890 2.3.2.1"),
            Key::optional(
                "customer",
                Kind::Name,
                "nobody's in particular",
                "Whose domains these are.",
            ),
            Key::required(
                "nexthop",
                Kind::List("`\"smtp:HOST:PORT\"`, `\"lmtp:HOST:PORT\"`, `\"lmtp:unix:PATH\"`, `\"maildir:PATH\"`, `\"mx\"`"),
                "Where messages for these domains go. A maildir stands alone, as does `mx`: the mail exchangers of the \
                 recipient domain, on port 25 or with `mx:PORT` on another. SMTP and LMTP servers make a list.",
            )
            .from("RFC 5321 5.1; RFC 2033; RFC 7505"),
            Key::new(
                "nexthop_order",
                Kind::Choice(&["failover", "random"]),
                "\"failover\"",
                "Whether the first of the list is tried first, or any of them; the others follow when it fails.",
            ),
            Key::new(
                "nexthop_tls",
                Kind::Choice(&["off", "opportunistic", "require", "dane", "dane-only"]),
                "\"opportunistic\"",
                "STARTTLS towards the nexthop: never, when offered, always with a certificate of a CA for its name, as its TLSA \
                 records say if it has any, or as they say and never without.",
            )
            .from("RFC 3207; RFC 7435; RFC 7672"),
            Key::optional(
                "nexthop_auth",
                Kind::Table("route.nexthop_auth"),
                "no AUTH",
                "What Gatepost logs in with at the nexthop.",
            )
            .from("RFC 4954"),
            Key::optional(
                "nexthop_timeouts",
                Kind::Table("route.nexthop_timeouts"),
                "its defaults",
                "How long the nexthop may take.",
            ),
            Key::new(
                "cut_through",
                Kind::Toggle,
                "true",
                "The nexthop is dialled at RCPT time; its replies go to the client, and its 250 is the custody. With `false` \
                 the message is queued, synced to disk, and delivered from there.",
            ),
            Key::new(
                "on_nexthop_failure",
                Kind::Choice(&["defer", "queue"]),
                "\"defer\"",
                "What follows with cut-through when no nexthop can be reached, or it goes away before its final reply: the \
                 client gets 451 4.4.1, or the message is queued.",
            ),
            queue::LIFETIME,
            queue::DELAY_WARNING,
            queue::RETRY_MIN,
            queue::RETRY_MAX,
            queue::POOL,
            queue::CONNECTIONS_MAX,
            queue::CONNECTIONS_FIRST,
            queue::MESSAGES_PER_CONNECTION,
            queue::RATE_OF_ROUTE,
            Key::new(
                "recipients",
                Kind::Form("`\"any\"`, `\"callout\"` or `\"file:PATH\"`"),
                "\"any\"",
                "Which recipients exist: all; those that the nexthop takes at RCPT; or those in a file with one \
                 address or local-part on each line. Local-parts are compared without regard to case; a listed \
                 `anna` also stands for `anna+anything`.",
            )
            .from("RFC 5321 2.4; RFC 5233"),
            Key::optional(
                "callout",
                Kind::Table("route.callout"),
                "its defaults",
                "How the nexthop is asked for recipients; only with `recipients = \"callout\"`.",
            ),
            reputation::GREYLIST,
            reputation::GREYLIST_DELAY,
            reputation::RATE_PER_DOMAIN,
            Key::new(
                "language",
                Kind::Name,
                "\"en\"",
                "The language of refusals: `en`, `de`, `fr`, `es`, `sv`, or a table of `[replies]`.",
            ),
            Key::new(
                "result_fields",
                Kind::Toggle,
                "true",
                "Accepted messages get `X-Gatepost-...` header fields that tell what the engines found, and `Authentication-Results`.",
            ),
            Key::new(
                "dmarc",
                Kind::Choice(&["refuse", "likely", "note"]),
                "\"refuse\"",
                "What follows if the author's domain is not authenticated and its owner asks for something: `refuse` refuses what \
                 he asks to be rejected, and takes for likely spam what he asks to be quarantined; `likely` takes both for likely \
                 spam; `note` only says so.",
            )
            .from("RFC 9989 5.3"),
            Key::optional(
                "engines",
                Kind::Table("route.engines"),
                "the engines as `[engine]` has them",
                "Engines of this route: on, off, or with thresholds of their own.",
            ),
        ],
    },
    Scope {
        name: "route.nexthop_auth",
        title: "nexthop_auth of [[route]]",
        doc: "What Gatepost logs in with at the nexthop.",
        keys: &[
            Key::required("user", Kind::Text, "The authentication identity.").from("RFC 4616"),
            Key::required("password", Kind::Secret, "Its password.").from("RFC 4616"),
        ],
    },
    Scope {
        name: "route.nexthop_timeouts",
        title: "nexthop_timeouts of [[route]]",
        doc: "How long a nexthop may take.",
        keys: &[
            Key::new("connect", duration(1, HOUR), "\"30s\"", "To accept the connection."),
            Key::new("banner", duration(1, DAY), "\"5m\"", "For its banner.").from("RFC 5321 4.5.3.2.1"),
            Key::new(
                "command",
                duration(1, DAY),
                "\"5m\"",
                "For its reply to EHLO, MAIL, RCPT and other commands.",
            )
            .from("RFC 5321 4.5.3.2.2, 4.5.3.2.3"),
            Key::new("data", duration(1, DAY), "\"2m\"", "For its reply to DATA.").from("RFC 5321 4.5.3.2.4"),
            Key::new("block", duration(1, DAY), "\"3m\"", "To take a block of the message.").from("RFC 5321 4.5.3.2.5"),
            Key::new(
                "end",
                duration(1, DAY),
                "\"10m\"",
                "For its reply to the end of the message.",
            )
            .from("RFC 5321 4.5.3.2.6"),
            Key::new(
                "envelope",
                duration(1, DAY),
                "\"10m\"",
                "For the envelope of a queued message as a whole, from MAIL to its reply to DATA; as long again for the replies of LMTP after the first.",
            ),
            Key::new(
                "bytes_per_second_min",
                bytes(0, 1024 * KIB),
                "\"1KiB\"",
                "What it must take of the message each second, on average, after a minute; `0` for no floor.",
            ),
        ],
    },
    Scope {
        name: "route.callout",
        title: "callout of [[route]]",
        doc: "How the nexthop is asked for recipients.",
        keys: &[
            Key::new(
                "positive_ttl",
                duration(0, 30 * DAY),
                "\"1h\"",
                "How long a recipient that the nexthop takes is remembered.",
            ),
            Key::new(
                "negative_ttl",
                duration(0, 30 * DAY),
                "\"5m\"",
                "How long a recipient that it refuses is remembered.",
            ),
            Key::new(
                "timeout",
                duration(1, HOUR),
                "\"30s\"",
                "How long the nexthop may take to answer; then the client gets 451.",
            ),
        ],
    },
    Scope {
        name: "route.engines",
        title: "engines of [[route]]",
        doc: "Engines of this route. An engine must be set up under `[engine]` to be named here.",
        keys: &[
            engine("clamav"),
            engine("spamassassin"),
            engine("rspamd"),
            engine("sophos"),
            engine("icap"),
            engine("ctasd"),
            engine("attachment"),
            engine("content"),
            engine("auth"),
            engine("reputation"),
        ],
    },
    Scope {
        name: "route.engines.NAME",
        title: "an engine of [[route]]",
        doc: "What differs on this route; what is not given stays as `[engine]` has it.",
        keys: &[ENABLED_ON_ROUTE, LIKELY, SURE, ON_FAILURE_OF_ROUTE],
    },
];

const fn engine(name: &'static str) -> Key {
    Key::optional(
        name,
        Kind::ToggleOrTable("route.engines.NAME"),
        "as under `[engine]`",
        "This engine on this route.",
    )
}
