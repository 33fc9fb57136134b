//! Fields of one link, inside of `link(...)`.

use std::borrow::Cow;

use super::{Field, flag, maybe, number, texts};
use crate::content::reading::link::{Link, Place};

/// Fields of one link, inside of `link(...)`.
pub(super) const FIELDS: &[Field] = &[
    texts("scheme", "the scheme", |s| {
        maybe(s.link.map(|link| link.scheme.as_str()))
    }),
    texts("host", "the host", |s| {
        maybe(s.link.and_then(|link| link.host.as_deref()))
    }),
    texts("domain", "its registrable domain", |s| {
        maybe(s.link.and_then(|link| link.registrable.as_deref()))
    }),
    texts("path", "the path", |s| {
        maybe(s.link.map(|link| link.path.as_str()))
    }),
    texts("query", "the query", |s| {
        maybe(s.link.map(|link| link.query.as_str()))
    }),
    texts("url", "the whole link", |s| {
        s.link
            .map(|link| Cow::Owned(link.url()))
            .into_iter()
            .collect()
    }),
    texts("shown", "the text shown for it", |s| {
        maybe(s.link.and_then(|link| link.shown.as_deref()))
    }),
    texts(
        "place",
        "href, image, form, frame, text or automatic",
        |s| maybe(s.link.map(|link| place(link.place))),
    ),
    texts(
        "target",
        "the host of an address in its query or path",
        |s| {
            s.link
                .and_then(Link::redirects_to)
                .map(Cow::Owned)
                .into_iter()
                .collect()
        },
    ),
    number("port", "the port, if one is given", |s| {
        s.link.and_then(|link| link.port).map(f64::from)
    }),
    flag("web", "it leads to the web", |s| {
        s.link.is_some_and(Link::is_web)
    }),
    flag("address", "its host is an IP address", |s| {
        s.link.is_some_and(Link::is_address)
    }),
    flag("disguised", "its host is an IP address in disguise", |s| {
        s.link.is_some_and(|l| l.is_disguised_address)
    }),
    flag("userinfo", "it names a user before the host", |s| {
        s.link.is_some_and(|l| l.has_userinfo)
    }),
    flag("international", "its host has A-labels", |s| {
        s.link.is_some_and(Link::is_international)
    }),
    flag(
        "imitates",
        "its host is made of letters that look like Latin ones",
        |s| s.link.is_some_and(|link| link.imitates().is_some()),
    ),
    flag("shortened", "its host is a link shortener", |s| {
        s.link.is_some_and(Link::is_shortened)
    }),
    flag("hosted", "everybody can have pages on its host", |s| {
        s.link.is_some_and(Link::is_hosted)
    }),
    flag(
        "misleads",
        "the text shown for it names another place",
        |s| s.link.is_some_and(Link::misleads),
    ),
    flag(
        "foreign",
        "its registrable domain is not that of From",
        |s| {
            let from = s
                .reading
                .header()
                .from
                .first()
                .and_then(|mailbox| mailbox.registrable.as_ref());
            let link = s.link.filter(|link| link.host.is_some());
            from.is_some() && link.is_some_and(|link| link.registrable.as_ref() != from)
        },
    ),
    flag(
        "names_recipient",
        "it holds the address of a recipient",
        |s| {
            s.link.is_some_and(|link| {
                let url = link.url().to_lowercase().replace("%40", "@");
                let envelope = s.facts.recipients.iter().map(String::as_str);
                let header = s
                    .reading
                    .header()
                    .to
                    .iter()
                    .filter_map(|mailbox| mailbox.address.as_deref());
                envelope
                    .chain(header)
                    .any(|address| address.contains('@') && url.contains(&address.to_lowercase()))
            })
        },
    ),
];

fn place(place: Place) -> &'static str {
    match place {
        Place::Href => "href",
        Place::Image => "image",
        Place::Form => "form",
        Place::Frame => "frame",
        Place::Text => "text",
        Place::Automatic => "automatic",
    }
}
