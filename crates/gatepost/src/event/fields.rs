//! The description of every field of every event: one table, from which `docs/events.md` is made.
//!
//! The table of events is here, the parts that several of them share are in `parts`, the document in `markdown`. Tests
//! hold both against what is really written.

mod authentication;
mod markdown;
mod parts;

pub use markdown::markdown;

/// An event.
#[derive(Debug)]
pub struct EventKind {
    /// The value of the field `event`.
    pub name: &'static str,
    /// When it is written.
    pub when: &'static str,
    /// Its fields, besides `time` and `event`, in the order of the line.
    pub fields: &'static [Field],
}

/// An object that stands in several places.
#[derive(Debug)]
pub struct Part {
    /// Its name in the document.
    pub name: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// Its fields, in the order of the line.
    pub fields: &'static [Field],
}

/// A field of an event or part.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// Whether it is always there; the others are left out where there is nothing to say.
    pub always: bool,
    /// What it says.
    pub meaning: &'static str,
}

/// What a value looks like.
#[derive(Debug)]
pub enum Shape {
    /// A string.
    Text,
    /// A string: RFC 3339, UTC, milliseconds.
    Time,
    /// A string: one of these.
    Word(&'static [&'static str]),
    /// A number of this unit; empty for none.
    Number(&'static str),
    /// `true` or `false`.
    Flag,
    /// An object.
    Part(&'static Part),
    /// A list of such.
    List(&'static Shape),
}

/// A field that is always there.
const fn always(name: &'static str, shape: Shape, meaning: &'static str) -> Field {
    Field {
        name,
        shape,
        always: true,
        meaning,
    }
}

/// A field that may be left out.
const fn maybe(name: &'static str, shape: Shape, meaning: &'static str) -> Field {
    Field {
        name,
        shape,
        always: false,
        meaning,
    }
}

/// Every event.
#[rustfmt::skip]
pub const EVENTS: &[EventKind] = &[
    EventKind {
        name: "decided",
        when: "A transaction ended: one line for each MAIL that was accepted or refused by a rule, also if the client left before its message.",
        fields: parts::DECISION,
    },
    EventKind {
        name: "delivery",
        when: "A queued message was delivered, or it was tried: one line for each transaction, and one when a lifetime is over.",
        fields: parts::DELIVERY,
    },
    EventKind {
        name: "report-queued",
        when: "A report on a queued message was queued (RFC 3464).",
        fields: &[
            always("reference", Shape::Text, "The reference of the report."),
            always("queue_id", Shape::Text, "The report in the queue."),
            always("about", Shape::Text, "The reference of the message that it is about."),
            always("forward_path", Shape::Text, "Whom it goes to."),
        ],
    },
    EventKind {
        name: "report-withheld",
        when: "Whoever sent a queued message gets no report on it: our postmaster does, or nobody.",
        fields: &[
            always("about", Shape::Text, "The reference of the message."),
            always("action", Shape::Word(&["failed", "delayed", "relayed", "expanded", "delivered"]), "What became of it (RFC 3464 2.3.3); the gravest, if not the same for all."),
            always("recipients", Shape::List(&Shape::Text), "The recipients that it is about, without angle brackets."),
            always("reason", Shape::Word(&["null-reverse-path", "own-report", "unproven", "unwanted", "too-many"]), "Why: there is no reverse-path, the message is a report itself, the reverse-path may not be the sender's own, whoever sent the message does not want reports, or it would be our postmaster's and is beyond `postmaster_rate`."),
            always("to_postmaster", Shape::Flag, "Our postmaster gets a report in place of the reverse-path."),
        ],
    },
    EventKind {
        name: "unsigned",
        when: "A message leaves without the DKIM signature that it should have.",
        fields: &[
            always("reference", Shape::Text, "The reference of the message."),
            always("domain", Shape::Text, "The domain whose key does not sign."),
            always("detail", Shape::Text, "What went wrong."),
        ],
    },
    EventKind {
        name: "disk-full",
        when: "The disk of the queue has less room than `[queue] reserve`: messages are told 452 4.3.1 until there is more.",
        fields: &[
            always("bytes_free", Shape::Number("bytes"), "What is free."),
            always("bytes_reserved", Shape::Number("bytes"), "What is to stay free."),
        ],
    },
    EventKind {
        name: "disk-free",
        when: "There is enough room on the disk of the queue again.",
        fields: &[always("bytes_free", Shape::Number("bytes"), "What is free.")],
    },
    EventKind {
        name: "disk-fault",
        when: "The disk of the queue can't be written or synced: messages are told 451 4.3.0 until it can.",
        fields: &[
            always("what", Shape::Text, "What was being done."),
            always("detail", Shape::Text, "What the system said."),
        ],
    },
    EventKind {
        name: "disk-works",
        when: "The disk of the queue can be written again.",
        fields: &[],
    },
    EventKind {
        name: "queue-damaged",
        when: "A damaged record of the queue was set aside; the rest is read.",
        fields: &[
            always("segment", Shape::Number(""), "The number of its segment."),
            always("offset", Shape::Number("bytes"), "Where in the segment."),
            always("detail", Shape::Text, "What is wrong with it."),
            maybe("kept_as", Shape::Text, "The file in `corrupt/` that holds it."),
        ],
    },
    EventKind {
        name: "queue-recovered",
        when: "The messages of earlier runs have been read. New ones are accepted meanwhile.",
        fields: &[
            always("messages", Shape::Number(""), "Messages that wait."),
            always("recipients", Shape::Number(""), "Their recipients that wait."),
            always("damaged", Shape::Number(""), "Records that were damaged."),
            always("milliseconds", Shape::Number("ms"), "How long it took."),
        ],
    },
    EventKind {
        name: "queue-changed",
        when: "An operator did something to a queued message (`gatepost queue`): one line for each message.",
        fields: parts::QUEUE_CHANGE,
    },
    EventKind {
        name: "queue-exported",
        when: "An operator moved messages from the queue into a file (`gatepost queue export`).",
        fields: parts::QUEUE_EXPORTED,
    },
    EventKind {
        name: "queue-imported",
        when: "An operator moved messages from a file into the queue (`gatepost queue import`).",
        fields: parts::QUEUE_IMPORTED,
    },
    EventKind {
        name: "queue-export-ended",
        when: "The start ended an export that the run before had left behind.",
        fields: &[
            always("file", Shape::Text, "The file; empty if the note of it was damaged."),
            always("finished", Shape::Flag, "The file was finished: its messages left the queue. If not, they go on."),
            always("messages", Shape::Number(""), "How many messages."),
        ],
    },
    EventKind {
        name: "delivery-suspended",
        when: "An operator suspended deliveries. Restarts keep that.",
        fields: &[
            always("kind", Shape::Word(&["domain", "customer", "site"]), "What the name is one of: a recipient domain, a customer, a destination as `gatepost queue destinations` names it."),
            always("name", Shape::Text, "What is suspended."),
            always("by", Shape::Text, "Who did it, as the system knows the process that asked."),
            maybe("reason", Shape::Text, "Why, in the operator's words."),
        ],
    },
    EventKind {
        name: "delivery-resumed",
        when: "An operator let suspended deliveries go on.",
        fields: &[
            always("kind", Shape::Word(&["domain", "customer", "site"]), "What the name is one of: a recipient domain, a customer, a destination as `gatepost queue destinations` names it."),
            always("name", Shape::Text, "What goes on."),
            always("by", Shape::Text, "Who did it, as the system knows the process that asked."),
            maybe("reason", Shape::Text, "Why, in the operator's words."),
        ],
    },
    EventKind {
        name: "session-ended",
        when: "A session without any transaction ended: scanners, early talkers, clients that were refused or gave up.",
        fields: &[
            always("listener", Shape::Text, "The listener's name."),
            always("client", Shape::Part(&parts::CLIENT), "Who connected."),
            maybe("tls", Shape::Part(&parts::TLS), "The encryption of the session."),
            maybe("ehlo", Shape::Text, "The name given with EHLO or HELO."),
            always("stage", Shape::Word(parts::STAGES), "The last stage that was reached."),
            always("reason", Shape::Word(&["quit", "disconnect", "early-talker", "too-many-errors", "timeout", "refused", "tls-failed", "proxy-failed", "limit", "io", "stop", "fault"]), "What ended it."),
            maybe("detail", Shape::Text, "Particulars."),
            always("bad_commands", Shape::Number(""), "Commands that were refused."),
            maybe("reply", Shape::Part(&parts::REPLY), "The last reply that was not positive."),
            always("milliseconds", Shape::Number("ms"), "How long the session lasted."),
        ],
    },
    EventKind {
        name: "connection-refused",
        when: "A connection was refused before its banner.",
        fields: &[
            always("listener", Shape::Text, "The listener's name."),
            always("client", Shape::Part(&parts::CLIENT), "Who connected."),
            always("reason", Shape::Word(&["listener", "network", "overall", "list", "stopping", "exhausted", "proxy"]), "Why: a limit of the listener, of the client's network or of all listeners, a block list, the state of the process, or a PROXY header that was missing or wrong."),
            maybe("limit", Shape::Number("connections"), "The limit that was reached."),
            maybe("detail", Shape::Text, "What happened, where the reason does not say all."),
            maybe("reply", Shape::Part(&parts::REPLY), "The reply given."),
        ],
    },
    EventKind {
        name: "engine-down",
        when: "An engine stopped answering. Written once, not for each message.",
        fields: &[
            always("engine", Shape::Text, "Its name."),
            always("cause", Shape::Word(parts::UNAVAILABLE_CAUSES), "The kind of failure."),
            always("detail", Shape::Text, "What happened."),
        ],
    },
    EventKind {
        name: "engine-up",
        when: "An engine answers again.",
        fields: &[
            always("engine", Shape::Text, "Its name."),
            always("down_seconds", Shape::Number("s"), "How long it was away."),
        ],
    },
    EventKind {
        name: "nexthop-down",
        when: "A nexthop can no longer be reached.",
        fields: &[
            always("nexthop", Shape::Text, "As in the configuration."),
            always("detail", Shape::Text, "What happened."),
        ],
    },
    EventKind {
        name: "nexthop-up",
        when: "A nexthop can be reached again.",
        fields: &[
            always("nexthop", Shape::Text, "As in the configuration."),
            always("down_seconds", Shape::Number("s"), "How long it was away."),
        ],
    },
    EventKind {
        name: "family-down",
        when: "An address family leads nowhere: servers in several networks can't be reached over it. The other one goes first until this one works again.",
        fields: &[
            always("family", Shape::Word(&["ipv4", "ipv6"]), "The family."),
            always("detail", Shape::Text, "What was told about the last server."),
        ],
    },
    EventKind {
        name: "family-up",
        when: "A server was reached over that family again.",
        fields: &[
            always("family", Shape::Word(&["ipv4", "ipv6"]), "The family."),
            always("down_seconds", Shape::Number("s"), "How long none was."),
        ],
    },
    EventKind {
        name: "dns-down",
        when: "No nameserver answers, also not about the root. Questions fail at once until one does: senders are not authenticated \
               (`temperror`), messages wait in the queue.",
        fields: &[],
    },
    EventKind {
        name: "dns-up",
        when: "A nameserver answered again.",
        fields: &[always("down_seconds", Shape::Number("s"), "How long none did.")],
    },
    EventKind {
        name: "reloaded",
        when: "The configuration was read again and is in force.",
        fields: &[
            always("listeners", Shape::Number(""), "Listeners in it."),
            always("routes", Shape::Number(""), "Routes in it."),
            always("domains", Shape::Number(""), "Recipient domains in it."),
            always("milliseconds", Shape::Number("ms"), "How long it took."),
        ],
    },
    EventKind {
        name: "reload-failed",
        when: "The configuration was read again and is wrong. The old one stays in force.",
        fields: &[always("errors", Shape::List(&Shape::Text), "Every error, with file, line and column.")],
    },
    EventKind {
        name: "certificate-reloaded",
        when: "A certificate changed on disk and is in use.",
        fields: &[
            always("path", Shape::Text, "Its file."),
            always("names", Shape::List(&Shape::Text), "The names it is for."),
        ],
    },
    EventKind {
        name: "certificate-failed",
        when: "A certificate changed on disk and can't be used. The old one stays in use.",
        fields: &[
            always("path", Shape::Text, "Its file."),
            always("detail", Shape::Text, "What is wrong with it."),
        ],
    },
    EventKind {
        name: "started",
        when: "The process is up.",
        fields: &[
            always("version", Shape::Text, "The version of Gatepost."),
            always("node", Shape::Text, "The node's name."),
            always("node_number", Shape::Number(""), "Its number, the first 8 bits of its references."),
            always("pid", Shape::Number(""), "Process id."),
        ],
    },
    EventKind {
        name: "listening",
        when: "A listener accepts connections on an address.",
        fields: &[
            always("listener", Shape::Text, "The listener's name."),
            always("address", Shape::Text, "IP address and port."),
            always("implicit_tls", Shape::Flag, "Whether TLS comes before the banner."),
        ],
    },
    EventKind {
        name: "stopping",
        when: "The process was told to stop: no more connections, open transactions may finish.",
        fields: &[
            always("sessions", Shape::Number(""), "Sessions that are open."),
            always("deadline_seconds", Shape::Number("s"), "How long they have."),
        ],
    },
    EventKind {
        name: "stopped",
        when: "The process ends.",
        fields: &[
            always("sessions_cut", Shape::Number(""), "Sessions that were cut off with 421."),
            always("uptime_seconds", Shape::Number("s"), "How long the process was up."),
        ],
    },
    EventKind {
        name: "list-left-out",
        when: "A list in the DNS failed several times in a row, listed what none may list, or answered that it may not be asked. It \
               is left out, and tried again after a minute that doubles up to an hour.",
        fields: &[
            always("list", Shape::Text, "Its name in the configuration."),
            always("detail", Shape::Text, "What is wrong with it."),
        ],
    },
    EventKind {
        name: "list-back",
        when: "A list in the DNS that was left out has its test points in order, and is asked again.",
        fields: &[always("list", Shape::Text, "Its name in the configuration.")],
    },
    EventKind {
        name: "reputation-damaged",
        when: "What earlier runs knew of senders could not be read at start. It was set aside, and is learnt again.",
        fields: &[
            always("path", Shape::Text, "Where it is now."),
            always("detail", Shape::Text, "What is wrong with it."),
        ],
    },
    EventKind {
        name: "reputation-forgotten",
        when: "An operator had what is known of a sender forgotten.",
        fields: &[
            always("sender", Shape::Text, "Of whom: an address, a network, a host name or a domain."),
            always("by", Shape::Text, "Who did it."),
        ],
    },
    EventKind {
        name: "sts-policy-damaged",
        when: "A kept MTA-STS policy could not be read at start. It is fetched anew when it is needed.",
        fields: &[
            always("path", Shape::Text, "Its file."),
            always("detail", Shape::Text, "What is wrong with it."),
        ],
    },
    EventKind {
        name: "tls-report-sent",
        when: "A report on TLS was sent to a domain that asks for them (RFC 8460): by POST, or into the queue.",
        fields: &[
            always("domain", Shape::Text, "The domain that it is on."),
            always("to", Shape::Text, "Where it was sent."),
            always("successes", Shape::Number("sessions"), "Sessions that were as the domain's policies say."),
            always("failures", Shape::Number("sessions"), "Sessions that were not."),
        ],
    },
    EventKind {
        name: "tls-report-failed",
        when: "A report on TLS could not be sent. It is tried again, for three days.",
        fields: &[
            always("domain", Shape::Text, "The domain that it is on."),
            always("to", Shape::Text, "Where it was to go."),
            always("detail", Shape::Text, "What happened."),
        ],
    },
    EventKind {
        name: "dmarc-report-sent",
        when: "An aggregate report on DMARC was put into the queue, for a domain that asks for them (RFC 9990).",
        fields: &[
            always("domain", Shape::Text, "The domain that it is on."),
            always("to", Shape::Text, "Whom it goes to."),
            always("messages", Shape::Number("messages"), "Messages that it is on."),
        ],
    },
    EventKind {
        name: "dmarc-report-failed",
        when: "An aggregate report on DMARC could not be put into the queue. It is tried again, for three days.",
        fields: &[
            always("domain", Shape::Text, "The domain that it is on."),
            always("to", Shape::Text, "Whom it was to go to."),
            always("detail", Shape::Text, "What happened."),
        ],
    },
    EventKind {
        name: "memory-exhausted",
        when: "A message had to wait or was deferred because the memory for messages is used up. Written at most once a minute.",
        fields: &[
            always("bytes", Shape::Number("bytes"), "In use."),
            always("bytes_max", Shape::Number("bytes"), "The budget."),
        ],
    },
    EventKind {
        name: "lines-lost",
        when: "Lines of this log could not be written and were lost.",
        fields: &[always("lines", Shape::Number(""), "How many.")],
    },
];
