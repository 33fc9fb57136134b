//! Keys of `[delivery]`.

use super::{Key, Kind, Scope};

pub(super) const SCOPES: &[Scope] = &[Scope {
    name: "delivery",
    title: "[delivery]",
    doc: "How servers are reached that messages go to.",
    keys: &[
        Key::new(
            "inet_protocols",
            Kind::Choice(&["all", "ipv4", "ipv6"]),
            "\"all\"",
            "The address families that are used at all. A machine without IPv6 needs no setting: what has no route is never tried.",
        ),
        Key::new(
            "address_preference",
            Kind::Choice(&["any", "ipv6", "ipv4"]),
            "\"any\"",
            "Which family of a server's addresses comes first. With `any` chance decides and the families take turns, so that an \
             outage of one of them leaves no mail stuck.",
        )
        .from("RFC 5321 5.1"),
        Key::new(
            "loopback",
            Kind::Toggle,
            "false",
            "Whether the mail exchangers of a domain may be at loopback addresses (127.0.0.0/8, ::1). Without it those addresses are \
             passed over, and a domain that has no other ones gets nothing (5.4.6): what listens there is this machine's own, and \
             whoever has a domain could reach it. Nexthops that the configuration names are not concerned, nor are the addresses of \
             private networks (RFC 1918), which many mail exchangers have inside of a network.",
        ),
    ],
}];
