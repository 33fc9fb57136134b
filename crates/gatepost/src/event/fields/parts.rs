//! The objects that events are made of: the decision and its parts.
//!
//! The Rust types are in `crate::decision`, `crate::policy` and `scan::finding`.

use super::authentication;
use super::{Field, Part, Shape, always, maybe};

/// How far a session or transaction came.
pub(super) const STAGES: &[&str] = &["connect", "ehlo", "auth", "mail", "rcpt", "data", "message"];

/// Why an engine gave no answer.
#[rustfmt::skip]
pub(super) const UNAVAILABLE_CAUSES: &[&str] = &[
    "timeout", "connect", "protocol", "refused", "panic", "too-large", "back-off",
];

#[rustfmt::skip]
const KINDS: &[&str] = &[
    "spam", "virus", "attachment", "size", "line", "bare-newline", "loop", "relay", "mailbox", "list", "dmarc",
    "spf-fail", "reputation", "reputation-defer", "listed", "listed-defer", "greylist", "rate", "policy", "engine-unavailable", "nexthop-down", "another-transaction", "exhausted", "queue-fault",
];

/// What `decided` tells.
#[rustfmt::skip]
pub(super) const DECISION: &[Field] = &[
    always("reference", Shape::Text, "The id of the transaction, as in the reply, the Received field and the result fields."),
    always("begun", Shape::Time, "When MAIL was given."),
    always("node", Shape::Text, "The node's name."),
    always("listener", Shape::Text, "The listener's name."),
    always("client", Shape::Part(&CLIENT), "Who connected."),
    maybe("tls", Shape::Part(&TLS), "The encryption of the session."),
    maybe("ehlo", Shape::Text, "The name given with EHLO, HELO or LHLO."),
    maybe("authenticated_as", Shape::Text, "The identity proven by AUTH."),
    always("protocol", Shape::Word(&["SMTP", "ESMTP", "ESMTPA", "ESMTPS", "ESMTPSA", "UTF8SMTP", "UTF8SMTPA", "UTF8SMTPS", "UTF8SMTPSA"]), "The protocol in the words of RFC 3848 and RFC 6531 4.3."),
    always("reverse_path", Shape::Text, "Without angle brackets; `<>` for the null reverse-path."),
    maybe("mail_parameters", Shape::Part(&MAIL_PARAMETERS), "What came with MAIL."),
    maybe("recipients", Shape::List(&Shape::Part(&RECIPIENT)), "Each recipient that was named, refused ones too, in the order of RCPT."),
    maybe("sizes", Shape::Part(&SIZES), "How large the message was."),
    maybe("message_id", Shape::Text, "The header field Message-ID, without angle brackets, shortened."),
    always("stage", Shape::Word(STAGES), "The last stage that was reached."),
    maybe("lists", Shape::List(&Shape::Part(&LIST_MATCH)), "The list entries that matched the client, the reverse-path or the header field From."),
    maybe("findings", Shape::List(&Shape::Part(&FINDING)), "What the engines said."),
    maybe("verdict", Shape::Part(&VERDICT), "What was decided on the whole."),
    maybe("reply", Shape::Part(&REPLY), "The last reply given in the transaction."),
    always("timings", Shape::Part(&TIMINGS), "How long things took."),
    always("ended_by", Shape::Word(&["reply", "rset", "quit", "disconnect", "timeout", "stop"]), "What ended the transaction."),
];

/// What `delivery` tells.
#[rustfmt::skip]
pub(super) const DELIVERY: &[Field] = &[
    always("reference", Shape::Text, "The reference of the transaction that brought the message."),
    always("queue_id", Shape::Text, "The message in the queue."),
    maybe("customer", Shape::Text, "Whose message it is."),
    always("reverse_path", Shape::Text, "Without angle brackets; `<>` for the null reverse-path."),
    always("recipients", Shape::List(&Shape::Part(&DELIVERED_RECIPIENT)), "The recipients that it was about."),
    maybe("nexthop", Shape::Text, "The nexthop that was spoken to, or was to be."),
    maybe("tls", Shape::Part(&TLS), "The encryption of the connection."),
    maybe("proof", Shape::Word(&["none", "ca", "dane-ee", "dane-ta"]), "How the server has proven over TLS who it is: not at all, by a certificate of a CA, or by a TLSA record (RFC 7672)."),
    always("bytes", Shape::Number("bytes"), "The size of the message."),
    always("attempts", Shape::Number(""), "How often delivery was tried, this time included."),
    maybe("repeatable", Shape::Flag, "The final reply was lost, so that the message may arrive twice."),
    always("age_seconds", Shape::Number("s"), "How long ago the message was accepted."),
    always("milliseconds", Shape::Number("ms"), "How long the transaction took."),
];

/// What `queue-changed` tells.
#[rustfmt::skip]
pub(super) const QUEUE_CHANGE: &[Field] = &[
    always("action", Shape::Word(&["retry", "hold", "release", "remove", "reroute"]), "What was done."),
    always("queue_id", Shape::Text, "The message in the queue."),
    always("reference", Shape::Text, "The reference of the transaction that brought the message."),
    always("reverse_path", Shape::Text, "Without angle brackets; `<>` for the null reverse-path."),
    always("recipients", Shape::List(&Shape::Text), "The recipients to whom it was done, without angle brackets."),
    maybe("nexthop", Shape::Text, "The nexthop that was chosen; left out for the configured one."),
    maybe("reported", Shape::Flag, "Whoever must be told that it is not delivered was told (RFC 3464); left out if not."),
    always("by", Shape::Text, "Who did it, as the system knows the process that asked."),
    maybe("reason", Shape::Text, "Why, in the operator's words."),
];

/// What `queue-exported` tells.
#[rustfmt::skip]
pub(super) const QUEUE_EXPORTED: &[Field] = &[
    always("file", Shape::Text, "The file."),
    always("messages", Shape::Number(""), "Messages moved."),
    always("recipients", Shape::Number(""), "Their recipients."),
    always("left_out", Shape::Number(""), "Messages that were meant and stay in the queue."),
    always("damaged", Shape::Number(""), "Always 0."),
    always("by", Shape::Text, "Who did it, as the system knows the process that asked."),
    maybe("reason", Shape::Text, "Why, in the operator's words."),
];

/// What `queue-imported` tells.
#[rustfmt::skip]
pub(super) const QUEUE_IMPORTED: &[Field] = &[
    always("file", Shape::Text, "The file."),
    maybe("node", Shape::Text, "The node that has written the file, if it says so."),
    always("messages", Shape::Number(""), "Messages moved."),
    always("recipients", Shape::Number(""), "Their recipients."),
    always("left_out", Shape::Number(""), "Always 0."),
    always("damaged", Shape::Number(""), "Stretches of the file that could not be read."),
    always("by", Shape::Text, "Who did it, as the system knows the process that asked."),
    maybe("reason", Shape::Text, "Why, in the operator's words."),
];

#[rustfmt::skip]
const DELIVERED_RECIPIENT: Part = Part {
    name: "delivered recipient",
    meaning: "What became of a queued message for one recipient.",
    fields: &[
        always("forward_path", Shape::Text, "Without angle brackets."),
        always("result", Shape::Word(&["delivered", "delayed", "failed", "expired"]), "What became of it."),
        maybe("status", Shape::Text, "The enhanced status (RFC 3463)."),
        maybe("reply", Shape::Text, "The nexthop's reply, or what happened in its place."),
    ],
};

/// Who connected.
#[rustfmt::skip]
pub(super) const CLIENT: Part = Part {
    name: "client",
    meaning: "Who connected.",
    fields: &[
        always("ip", Shape::Text, "Its address: that of the PROXY header or of XCLIENT, where one is trusted."),
        always("port", Shape::Number(""), "Its port."),
        maybe("name", Shape::Text, "Its name in the DNS, if the name leads back to the address."),
        maybe("proxied_by", Shape::Text, "The address of the proxy that named the client."),
    ],
};

/// The encryption of a session.
#[rustfmt::skip]
pub(super) const TLS: Part = Part {
    name: "tls",
    meaning: "The encryption of a session.",
    fields: &[
        always("version", Shape::Text, "Such as `TLSv1.3`."),
        always("cipher", Shape::Text, "Such as `TLS_AES_128_GCM_SHA256`."),
        maybe("server_name", Shape::Text, "The name that the client asked for (SNI)."),
    ],
};

#[rustfmt::skip]
const MAIL_PARAMETERS: Part = Part {
    name: "mail_parameters",
    meaning: "What came with MAIL.",
    fields: &[
        maybe("size", Shape::Number("bytes"), "SIZE."),
        maybe("body", Shape::Word(&["7BIT", "8BITMIME"]), "BODY."),
        maybe("smtputf8", Shape::Flag, "SMTPUTF8."),
        maybe("ret", Shape::Word(&["FULL", "HDRS"]), "RET."),
        maybe("envid", Shape::Text, "ENVID, decoded."),
        maybe("auth", Shape::Text, "AUTH, decoded."),
        maybe("prdr", Shape::Flag, "PRDR."),
        maybe("require_tls", Shape::Flag, "REQUIRETLS."),
    ],
};

#[rustfmt::skip]
const RECIPIENT: Part = Part {
    name: "recipient",
    meaning: "One recipient of a transaction.",
    fields: &[
        always("forward_path", Shape::Text, "Without angle brackets; `Postmaster` for the one without a domain."),
        maybe("route", Shape::Text, "The route that has its domain."),
        maybe("customer", Shape::Text, "Whose domain it is."),
        maybe("policy", Shape::Text, "A fingerprint of the policy settings that the verdict was made by; equal settings have equal ones."),
        maybe("lists", Shape::List(&Shape::Part(&LIST_MATCH)), "The list entries that matched this recipient."),
        maybe("verdict", Shape::Part(&VERDICT), "What was decided for it."),
        maybe("reply", Shape::Part(&REPLY), "Our reply to RCPT, or with PRDR to the message."),
        maybe("nexthop", Shape::Text, "The nexthop that was spoken to."),
        maybe("nexthop_reply", Shape::Part(&REPLY), "Its last reply about this recipient."),
        maybe("nexthop_fault", Shape::Text, "What kept the nexthop from having the message, where the message was queued for it."),
        maybe("queue_id", Shape::Text, "The message in the queue."),
        always("disposition", Shape::Word(&["refused", "deferred", "relayed", "delivered", "queued", "abandoned"]), "What became of the message for it: told 5xx, told 4xx, taken by the nexthop, in the maildir, in the queue, or never given."),
    ],
};

#[rustfmt::skip]
const SIZES: Part = Part {
    name: "sizes",
    meaning: "How large a message was, as received.",
    fields: &[
        always("bytes", Shape::Number("bytes"), "The message, dot-unstuffed."),
        always("header_bytes", Shape::Number("bytes"), "Its header section, the empty line included."),
    ],
};

#[rustfmt::skip]
const TIMINGS: Part = Part {
    name: "timings",
    meaning: "How long things took.",
    fields: &[
        always("total", Shape::Number("ms"), "From MAIL to the end of the transaction."),
        maybe("receive", Shape::Number("ms"), "From DATA to the final dot."),
        maybe("scan", Shape::Number("ms"), "All engines."),
        maybe("dispose", Shape::Number("ms"), "From the verdict to the nexthop's last reply, or to safety on disk."),
    ],
};

#[rustfmt::skip]
const LIST_MATCH: Part = Part {
    name: "list_match",
    meaning: "An entry of an allow or block list that matched.",
    fields: &[
        always("list", Shape::Word(&["allow", "block"]), "Which list."),
        always("field", Shape::Word(&["client", "reverse-path", "from", "recipient"]), "What it matched on."),
        always("entry", Shape::Text, "As in the configuration."),
    ],
};

#[rustfmt::skip]
const VERDICT: Part = Part {
    name: "verdict",
    meaning: "What was decided.",
    fields: &[
        always("outcome", Shape::Word(&["accept", "refuse", "defer"]), "Goes on, 5xx or 4xx."),
        maybe("notes", Shape::List(&Shape::Part(&NOTE)), "With `accept`: what was noticed but did not change the outcome."),
        maybe("reason", Shape::Part(&REASON), "With `refuse` and `defer`: why."),
    ],
};

#[rustfmt::skip]
const REASON: Part = Part {
    name: "reason",
    meaning: "Why something is refused or deferred.",
    fields: &[
        always("kind", Shape::Word(KINDS), "The type, from which reply code, status and text follow."),
        maybe("detail", Shape::Text, "For the postmaster: scores, names of viruses, list entries."),
        maybe("told", Shape::Text, "What the one who sent the message is told of it."),
        maybe("engines", Shape::List(&Shape::Text), "The engines that led to it."),
    ],
};

#[rustfmt::skip]
const NOTE: Part = Part {
    name: "note",
    meaning: "What was noticed about a message that goes on.",
    fields: &[
        always("note", Shape::Word(&["unexamined", "likely-alone", "asked-to-wait", "allowed"]), "An engine could not examine it and its rule is to go on; an engine found it likely spam or a virus and was alone; an engine would have seen it later; an allow list let it through."),
        maybe("engine", Shape::Text, "Which engine."),
        maybe("kind", Shape::Word(KINDS), "With `allowed`: what it would have been refused for."),
        maybe("list", Shape::Part(&LIST_MATCH), "With `allowed`: the entry that let it through."),
    ],
};

/// A reply.
#[rustfmt::skip]
pub(super) const REPLY: Part = Part {
    name: "reply",
    meaning: "A reply, ours or a nexthop's.",
    fields: &[
        always("code", Shape::Number(""), "The reply code."),
        maybe("status", Shape::Text, "The enhanced status."),
        always("text", Shape::Text, "The text, lines joined by a blank."),
    ],
};

#[rustfmt::skip]
const FINDING: Part = Part {
    name: "finding",
    meaning: "What one engine said.",
    fields: &[
        always("engine", Shape::Text, "Its name."),
        maybe("spam", Shape::Word(&["nonspam", "unknown", "suspect", "valid-bulk", "bulk", "confirmed"]), "Its rating as spam."),
        maybe("virus", Shape::Word(&["nonvirus", "unknown", "medium", "high", "virus"]), "Its rating as malware."),
        maybe("virus_name", Shape::Text, "The name of what it found."),
        maybe("banned", Shape::Part(&BANNED), "An attachment of a kind that is not let through."),
        maybe("score", Shape::Part(&SCORE), "Its own score."),
        maybe("action", Shape::Text, "Its own advice in its own word."),
        maybe("reference", Shape::Text, "Its own reference to this finding."),
        maybe("policy", Shape::Part(&authentication::POLICY_FAILURE), "What the owner of the author's domain asks for, if that is not authenticated."),
        maybe("authentication", Shape::Part(&authentication::AUTHENTICATION), "What is known of the sender's authentication."),
        maybe("symbols", Shape::List(&Shape::Part(&SYMBOL)), "What it observed."),
        maybe("reason", Shape::Text, "One line for the postmaster."),
        maybe("unavailable", Shape::Part(&UNAVAILABLE), "Why it gave no answer; there is nothing else then."),
        maybe("not_awaited", Shape::Flag, "The verdict was certain before it answered; there is nothing else then."),
        always("milliseconds", Shape::Number("ms"), "How long it took."),
    ],
};

#[rustfmt::skip]
const BANNED: Part = Part {
    name: "banned",
    meaning: "An attachment of a kind that is not let through.",
    fields: &[
        always("what", Shape::Text, "Its file name."),
        always("why", Shape::Text, "What is wrong with it."),
    ],
};

#[rustfmt::skip]
const SCORE: Part = Part {
    name: "score",
    meaning: "A score on an engine's own scale.",
    fields: &[
        always("value", Shape::Number("points"), "The message's score."),
        maybe("required", Shape::Number("points"), "The score from which the engine itself calls a message spam."),
    ],
};

#[rustfmt::skip]
const SYMBOL: Part = Part {
    name: "symbol",
    meaning: "A named observation, such as a rule that matched.",
    fields: &[
        always("name", Shape::Text, "The engine's own name of it."),
        maybe("score", Shape::Number("points"), "What it added to the engine's score."),
        maybe("detail", Shape::Text, "What it was found on."),
    ],
};

#[rustfmt::skip]
const UNAVAILABLE: Part = Part {
    name: "unavailable",
    meaning: "Why an engine gave no answer.",
    fields: &[
        always("cause", Shape::Word(UNAVAILABLE_CAUSES), "The kind of failure."),
        always("detail", Shape::Text, "What happened."),
    ],
};
