//! Keys of `[engine.NAME]`.

use super::{GIB, KIB, Key, Kind, MINUTE, Scope, bytes, duration, integer};

pub(super) const SCOPES: &[Scope] = &[
    Scope {
        name: "engine",
        title: "[engine]",
        doc: "What examines messages. The engines `attachment`, `auth` and `content` work without being named; the others are set up \
              by their table.",
        keys: &[
            engine("clamav", "engine.clamav", "ClamAV."),
            engine("spamassassin", "engine.spamassassin", "SpamAssassin."),
            engine("rspamd", "engine.rspamd", "rspamd."),
            engine("sophos", "engine.sophos", "Sophos."),
            engine("icap", "engine.icap", "An ICAP scanner."),
            engine("ctasd", "engine.ctasd", "An RPD daemon."),
            Key::optional(
                "attachment",
                Kind::Table("engine.attachment"),
                "on with its defaults",
                "Dangerous attachments.",
            ),
            Key::optional(
                "content",
                Kind::Table("engine.content"),
                "on with its defaults",
                "What messages say and what they are made to look like.",
            ),
            Key::optional(
                "auth",
                Kind::Table("engine.auth"),
                "on with its defaults",
                "Sender authentication.",
            ),
            Key::optional(
                "reputation",
                Kind::Table("engine.reputation"),
                "on with its defaults",
                "The past of senders.",
            ),
        ],
    },
    Scope {
        name: "engine.clamav",
        title: "[engine.clamav]",
        doc: "ClamAV's clamd: viruses.",
        keys: &[
            ENABLED,
            address("\"127.0.0.1:3310\""),
            DEADLINE,
            ON_FAILURE_DEFER,
            CONNECTIONS_MAX,
            size_max("\"25MiB\""),
        ],
    },
    Scope {
        name: "engine.spamassassin",
        title: "[engine.spamassassin]",
        doc: "SpamAssassin's spamd: spam.",
        keys: &[
            ENABLED,
            address("\"127.0.0.1:783\""),
            DEADLINE,
            ON_FAILURE_OPEN,
            CONNECTIONS_MAX,
            size_max("\"500KiB\""),
            LIKELY,
            sure("15.0, three times its usual mark"),
            Key::optional(
                "user",
                Kind::Text,
                "spamd's own",
                "The user whose preferences hold.",
            ),
            Key::new(
                "report",
                Kind::Toggle,
                "false",
                "Asks for the whole report with the points of each rule; more to write and to read.",
            ),
        ],
    },
    Scope {
        name: "engine.rspamd",
        title: "[engine.rspamd]",
        doc: "rspamd's normal worker: spam.",
        keys: &[
            ENABLED,
            address("\"127.0.0.1:11333\""),
            DEADLINE,
            ON_FAILURE_OPEN,
            CONNECTIONS_MAX,
            size_max("\"50MiB\""),
            LIKELY,
            sure("its action `reject`"),
            Key::optional(
                "password",
                Kind::Secret,
                "none",
                "The password that the worker wants.",
            ),
        ],
    },
    Scope {
        name: "engine.sophos",
        title: "[engine.sophos]",
        doc: "Sophos SAVDI over SSSP: viruses.",
        keys: &[
            ENABLED,
            address("\"127.0.0.1:4010\""),
            DEADLINE,
            ON_FAILURE_DEFER,
            CONNECTIONS_MAX,
            size_max("\"50MiB\""),
        ],
    },
    Scope {
        name: "engine.icap",
        title: "[engine.icap]",
        doc: "Any scanner that speaks ICAP: viruses.",
        keys: &[
            ENABLED,
            address("\"127.0.0.1:1344\"").from("RFC 3507 4.2"),
            DEADLINE,
            ON_FAILURE_DEFER,
            CONNECTIONS_MAX,
            size_max("\"50MiB\""),
            Key::new(
                "service",
                Kind::Text,
                "\"avscan\"",
                "The path of the service on the server.",
            )
            .from("RFC 3507 4.2"),
        ],
    },
    Scope {
        name: "engine.ctasd",
        title: "[engine.ctasd]",
        doc: "A daemon that speaks RPD's HTTP protocol: spam and new viruses by volume.",
        keys: &[
            ENABLED,
            address("\"127.0.0.1:8088\""),
            DEADLINE,
            ON_FAILURE_OPEN,
            CONNECTIONS_MAX,
            size_max("\"50MiB\""),
        ],
    },
    Scope {
        name: "engine.attachment",
        title: "[engine.attachment]",
        doc: "Dangerous attachments by name and content, examined without any daemon.",
        keys: &[
            ENABLED,
            DEADLINE,
            ON_FAILURE_OPEN,
            size_max("\"2GiB\""),
            Key::new(
                "banned_extensions",
                Kind::List("file name extensions such as `\"iso\"`"),
                "[]",
                "Extensions that are refused besides the built-in ones.",
            ),
            Key::new(
                "allowed_extensions",
                Kind::List("file name extensions such as `\"jar\"`"),
                "[]",
                "Built-in ones that are allowed after all.",
            ),
            Key::new(
                "encrypted_archives",
                Kind::Choice(&["allow", "refuse"]),
                "\"allow\"",
                "What an archive that cannot be looked into brings.",
            ),
            Key::new(
                "archive_depth_max",
                integer(1, 32),
                "6",
                "Levels of archives within archives that are looked into.",
            ),
            Key::new(
                "archive_entries_max",
                integer(1, 100_000),
                "10000",
                "Entries of all archives of a message that are looked at.",
            ),
        ],
    },
    Scope {
        name: "engine.content",
        title: "[engine.content]",
        doc: "What messages say and what they are made to look like, judged by rules without any daemon.",
        keys: &[
            ENABLED,
            DEADLINE,
            ON_FAILURE_OPEN,
            size_max("\"2GiB\""),
            LIKELY,
            sure("never on its word alone"),
            Key::new(
                "rules",
                Kind::List("paths of rule files"),
                "[]",
                "Files with rules of your own, and with changes to those that ship; read in this order.",
            ),
            Key::new(
                "disabled_rules",
                Kind::List("symbols such as `\"LINK_SHORTENED\"`"),
                "[]",
                "Rules that are not asked.",
            ),
            Key::new(
                "classifier",
                Kind::Toggle,
                "true",
                "Whether the statistical classifier adds its points to those of the rules.",
            ),
            Key::optional(
                "model",
                Kind::Path,
                "`classifier.model` in `data_dir`",
                "The model of this installation, made by `gatepost train` or moved on by `gatepost learn`. As long as it is not \
                 there, or can't be used, the model that ships is.",
            ),
        ],
    },
    Scope {
        name: "engine.auth",
        title: "[engine.auth]",
        doc: "Sender authentication without any daemon: SPF, DKIM, DMARC, ARC, iprev. It is not given messages of clients that \
              may relay. What it goes by stands in `[auth]`.",
        keys: &[ENABLED, DEADLINE, ON_FAILURE_OPEN, size_max("\"2GiB\"")],
    },
];

const fn engine(name: &'static str, scope: &'static str, doc: &'static str) -> Key {
    Key::optional(name, Kind::Table(scope), "not set up", doc)
}

pub(super) const ENABLED: Key = Key::new(
    "enabled",
    Kind::Toggle,
    "true",
    "Whether the engine works for routes that do not say otherwise.",
);

pub(super) const DEADLINE: Key = Key::new(
    "deadline",
    duration(1, 10 * MINUTE),
    "\"10s\"",
    "How long it may take for one message; then it is unavailable.",
);

const ON_FAILURE_DOC: &str =
    "When it is unavailable: decide without it, or have the client try again (451).";

pub(super) const ON_FAILURE_OPEN: Key = Key::new(
    "on_failure",
    Kind::Choice(&["open", "defer"]),
    "\"open\"",
    ON_FAILURE_DOC,
);

const ON_FAILURE_DEFER: Key = Key::new(
    "on_failure",
    Kind::Choice(&["open", "defer"]),
    "\"defer\"",
    ON_FAILURE_DOC,
);

pub(super) const ON_FAILURE_OF_ROUTE: Key = Key::optional(
    "on_failure",
    Kind::Choice(&["open", "defer"]),
    "as under `[engine]`",
    ON_FAILURE_DOC,
);

pub(super) const ENABLED_ON_ROUTE: Key = Key::new(
    "enabled",
    Kind::Toggle,
    "true",
    "Whether the engine works for this route.",
);

const CONNECTIONS_MAX: Key = Key::new(
    "connections_max",
    integer(1, 10_000),
    "20",
    "Connections to the daemon at one time.",
);

pub(super) const LIKELY: Key = Key::optional(
    "likely",
    SCORE,
    "the engine's own mark",
    "The score from which on it finds a message likely spam. One engine alone that finds it likely never refuses.",
);

pub(super) const SURE: Key = Key::optional(
    "sure",
    SCORE,
    "as under `[engine]`",
    "The score from which on it is sure, so that the message is refused on its word alone.",
);

const SCORE: Kind = Kind::Number {
    min: -1000.0,
    max: 1000.0,
};

pub(super) const fn sure(words: &'static str) -> Key {
    Key::optional("sure", SCORE, words, SURE.doc)
}

const fn address(default: &'static str) -> Key {
    Key::new(
        "address",
        Kind::Address,
        default,
        "Where its daemon listens.",
    )
}

pub(super) const fn size_max(default: &'static str) -> Key {
    Key::new(
        "size_max",
        bytes(KIB, 2 * GIB),
        default,
        "The largest message that it is given.",
    )
}
