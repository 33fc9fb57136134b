//! Keys of `[allow]`, `[block]` and `[replies.LANGUAGE]`.

use super::{Key, Kind, Scope};

pub(super) const SCOPES: &[Scope] = &[
    Scope {
        name: "allow",
        title: "[allow]",
        doc: "Who is never refused as spam, for an attachment or by `[block]`. Viruses are refused all the same.",
        keys: LISTS,
    },
    Scope {
        name: "block",
        title: "[block]",
        doc: "Who is always refused.",
        keys: LISTS,
    },
    Scope {
        name: "replies.LANGUAGE",
        title: "[replies.LANGUAGE]",
        doc: "Texts of refusals in a language, by its tag (`en`, `de`, `pt-br`). A route chooses it by `language`. A text \
              that is not given stays as it is built in.",
        keys: &[
            reply("spam", "Refused as spam."),
            reply("virus", "Refused for a virus."),
            reply("attachment", "Refused for a banned attachment."),
            reply("size", "Refused for its size."),
            reply("line", "Refused for a line that is too long."),
            reply("bare_newline", "Refused for a bare CR or LF."),
            reply("loop", "Refused because it goes round in circles."),
            reply("relay", "Not a domain that is relayed for."),
            reply("mailbox", "No such mailbox."),
            reply("list", "On a block list."),
            reply("dmarc", "Refused for DMARC."),
            reply("spf_fail", "Refused for SPF at MAIL."),
            reply(
                "reputation",
                "Nearly all that came from this sender was refused.",
            ),
            reply(
                "reputation_defer",
                "The same, where it is not beyond doubt.",
            ),
            reply(
                "listed",
                "Lists in the DNS have the sending server as a source of spam.",
            ),
            reply("listed_defer", "The same, where too few lists do."),
            reply("greylist", "A newcomer is asked to come again."),
            reply("rate", "More comes in a time than is taken."),
            reply("policy", "Against a policy."),
            reply("engine_unavailable", "An engine that must answer does not."),
            reply("nexthop_down", "No nexthop can be reached."),
            reply(
                "another_transaction",
                "The recipient needs a transaction of its own.",
            ),
            reply("exhausted", "Memory or disk is used up for the moment."),
            reply("queue_fault", "The queue can't be written."),
        ],
    },
];

const LISTS: &[Key] = &[
    Key::new(
        "client",
        Kind::List("IP addresses, networks (CIDR), `\"file:PATH\"`"),
        "[]",
        "By the client's address.",
    ),
    Key::new(
        "reverse_path",
        Kind::List(MAILBOXES),
        "[]",
        "By the reverse-path.",
    )
    .from("RFC 5321 4.1.1.2"),
    Key::new(
        "from",
        Kind::List(MAILBOXES),
        "[]",
        "By the addresses of the `From` header field.",
    )
    .from("RFC 5322 3.6.2"),
    Key::new(
        "recipient",
        Kind::List(MAILBOXES),
        "[]",
        "By the recipient; in `[allow]`: recipients who want their spam.",
    )
    .from("RFC 5321 4.1.1.3"),
];

const MAILBOXES: &str = "mailboxes `\"a@example.org\"`, domains `\"example.org\"` or `\"@example.org\"`, \
                         `\"*.example.org\"`, `\"file:PATH\"`";

const fn reply(name: &'static str, doc: &'static str) -> Key {
    Key::optional(name, Kind::Text, "the built-in text", doc)
}
