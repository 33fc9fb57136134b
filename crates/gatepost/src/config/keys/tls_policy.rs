//! Keys of `[tls_policy]` and `[tls_reports]`.

use super::{Key, Kind, Scope};

pub(super) const SCOPES: &[Scope] = &[
    Scope {
        name: "tls_policy",
        title: "[tls_policy]",
        doc: "How servers that take messages must prove who they are, where their domains say so.",
        keys: &[
            Key::new(
                "dane",
                Kind::Toggle,
                "true",
                "TLSA records in signed zones hold: a server with such records gets messages over TLS only, and only with a \
                 certificate that they name. Needs a resolver that validates DNSSEC.",
            )
            .from("RFC 7672"),
            Key::new(
                "mta_sts",
                Kind::Toggle,
                "true",
                "MTA-STS policies of recipient domains hold: messages go over TLS only, to servers that the policy names and \
                 that have a certificate for their name. A server's TLSA records come first.",
            )
            .from("RFC 8461"),
            Key::optional(
                "ca_file",
                Kind::File,
                "the system's CAs alone",
                "A PEM file of CAs that are trusted besides those of the system: for MTA-STS, `nexthop_tls = \"require\"` and \
                 REQUIRETLS.",
            ),
        ],
    },
    Scope {
        name: "tls_reports",
        title: "[tls_reports]",
        doc: "Daily reports to domains that ask for them: how many sessions were secured as the domain's policies say, and \
              why others failed. They hold no addresses of senders or recipients.",
        keys: &[
            Key::new(
                "enabled",
                Kind::Toggle,
                "false",
                "Keeps count, and sends the reports.",
            )
            .from("RFC 8460"),
            Key::optional(
                "organization",
                Kind::Text,
                "`name` of `[node]`",
                "Who reports, in words.",
            )
            .from("RFC 8460 4.4"),
            Key::optional(
                "contact",
                Kind::Mailbox,
                "`postmaster` of `[node]`",
                "Whom the reader of a report may write to.",
            )
            .from("RFC 8460 4.4"),
            Key::optional(
                "from",
                Kind::Mailbox,
                "`postmaster` of `[node]`",
                "The author of reports. Its domain should have a DKIM key here: many take signed reports only.",
            )
            .from("RFC 8460 3"),
        ],
    },
];
