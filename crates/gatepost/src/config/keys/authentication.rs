//! Keys of `[auth]` and `[dmarc_reports]`.

use super::{Key, Kind, Scope};

pub(super) const SCOPES: &[Scope] = &[
    AUTH,
    Scope {
        name: "dmarc_reports",
        title: "[dmarc_reports]",
        doc: "Daily aggregate reports to domains that ask for them: which clients sent messages in their name, how many, and what SPF, \
              DKIM and DMARC said. They hold no addresses of senders or recipients.",
        keys: &[
            Key::new(
                "enabled",
                Kind::Toggle,
                "false",
                "Keeps count, and sends the reports.",
            )
            .from("RFC 9990"),
            Key::optional(
                "organization",
                Kind::Text,
                "`name` of `[node]`",
                "Who reports, in words.",
            )
            .from("RFC 9990 3.1.2"),
            Key::optional(
                "contact",
                Kind::Mailbox,
                "`postmaster` of `[node]`",
                "Whom the reader of a report may write to.",
            )
            .from("RFC 9990 3.1.2"),
            Key::optional(
                "from",
                Kind::Mailbox,
                "`postmaster` of `[node]`",
                "The author of reports. Its domain should have a DKIM key here: reports that are not authenticated are thrown away.",
            )
            .from("RFC 9990 3.5"),
        ],
    },
];

const AUTH: Scope = Scope {
    name: "auth",
    title: "[auth]",
    doc: "What is made of sender authentication (SPF, DKIM, DMARC, ARC), and who is trusted to hand on messages of others. \
          What follows from DMARC is said by `dmarc` of a route. See [authentication](authentication.md).",
    keys: &[
        Key::optional(
            "authserv_id",
            Kind::Name,
            "`name` of `[node]`",
            "Whose word the field `Authentication-Results` is. Fields of that name that come in with a message are taken out: \
             nodes that stand behind each other need names of their own, and nodes side by side can share one.",
        )
        .from("RFC 8601 2.5, 5"),
        Key::new(
            "trusted_sealers",
            Kind::List("domains such as `\"google.com\"`"),
            "[]",
            "Domains whose seal of ARC counts, subdomains included: what they found before they changed a message excuses it \
             from DMARC. Only the unbroken end of a chain that is all of such domains counts.",
        )
        .from("RFC 8617 7.2.1"),
        Key::new(
            "trusted_forwarders",
            Kind::List("IP addresses and networks (CIDR)"),
            "[]",
            "Clients that hand on messages of others, such as your own forwarding servers: DMARC and SPF are noted for what they \
             send, and nothing follows.",
        ),
        Key::new(
            "trusted_lists",
            Kind::List("list identifiers such as `\"lists.example.org\"`"),
            "[]",
            "Mailing lists by their `List-Id`, those below included, which are excused from DMARC. The list's own domain must be \
             authenticated by SPF or DKIM: anybody can write a `List-Id`.",
        )
        .from("RFC 2919 3"),
        Key::new(
            "spf_fail_at_mail",
            Kind::Toggle,
            "false",
            "A reverse-path for whose domain SPF says that this client may not send is refused at MAIL (550 5.7.23). Breaks \
             forwarding; without it SPF counts by way of DMARC.",
        )
        .from("RFC 7208 8.4"),
    ],
};
