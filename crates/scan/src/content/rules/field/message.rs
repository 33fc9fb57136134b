//! Fields of a message: its texts, its numbers, its flags.

use std::borrow::Cow;

use super::{Field, Subject, flag, maybe, number, size, texts};
use crate::content::reading::header::Mailbox;
use crate::content::reading::link::{Link, Place};

/// Fields of a message.
pub(super) const FIELDS: &[Field] = &[
    texts("subject", "the subject, decoded and folded", |s| {
        one(s.reading.subject())
    }),
    texts("visible", "the text that a client shows", |s| {
        one(s.reading.visible())
    }),
    texts("hidden", "text in HTML that is not shown", |s| {
        one(s.reading.hidden())
    }),
    texts(
        "plain",
        "the plain text in place of which HTML is shown",
        |s| maybe(s.reading.plain()),
    ),
    texts(
        "enclosed",
        "the text of messages and web pages that come along as files",
        |s| one(s.reading.enclosed()),
    ),
    texts("title", "the title of the HTML", |s| one(s.reading.title())),
    texts("from.name", "the display names of From", |s| {
        each(&s.reading.header().from, |m| m.name.as_deref())
    }),
    texts("from.address", "the addresses of From", |s| {
        each(&s.reading.header().from, |m| m.address.as_deref())
    }),
    texts("from.local", "the local-parts of From", |s| {
        each(&s.reading.header().from, Mailbox::local_part)
    }),
    texts("from.domain", "the registrable domains of From", |s| {
        each(&s.reading.header().from, |m| m.registrable.as_deref())
    }),
    texts("reply_to.address", "the addresses of Reply-To", |s| {
        each(&s.reading.header().reply_to, |m| m.address.as_deref())
    }),
    texts(
        "reply_to.domain",
        "the registrable domains of Reply-To",
        |s| each(&s.reading.header().reply_to, |m| m.registrable.as_deref()),
    ),
    texts("to.name", "the display names of To and Cc", |s| {
        each(&s.reading.header().to, |m| m.name.as_deref())
    }),
    texts("to.address", "the addresses of To and Cc", |s| {
        each(&s.reading.header().to, |m| m.address.as_deref())
    }),
    texts("message_id", "the Message-ID without angle brackets", |s| {
        maybe(s.reading.header().message_id.as_deref())
    }),
    texts("message_id.domain", "what follows the @ in it", |s| {
        maybe(s.reading.header().message_id_domain.as_deref())
    }),
    texts("mailer", "what the writer's program calls itself", |s| {
        maybe(s.reading.header().mailer.as_deref())
    }),
    texts(
        "name.brand",
        "a company whose name From bears without being it",
        |s| maybe(s.reading.header().name_brand),
    ),
    texts(
        "name.address",
        "an address of another domain in the display name of From",
        |s| maybe(s.reading.header().name_address.as_deref()),
    ),
    texts(
        "oddity",
        "what is odd in the way it is written, by name",
        |s| {
            s.reading
                .oddities()
                .iter()
                .map(|oddity| Cow::Borrowed(oddity.name()))
                .collect()
        },
    ),
    texts("defect", "defects of its structure, by symbol", |s| {
        s.reading
            .defects()
            .iter()
            .map(|defect| Cow::Borrowed(*defect))
            .collect()
    }),
    texts("helo", "the name that the client gave with EHLO", |s| {
        one(&s.facts.helo)
    }),
    texts("client_name", "the client's confirmed reverse name", |s| {
        maybe(s.facts.client_name.as_deref())
    }),
    texts("reverse_path", "the envelope's sender", |s| {
        one(&s.facts.reverse_path)
    }),
    number("subject.length", "characters of the subject", |s| {
        size(s.reading.subject().chars().count())
    }),
    number(
        "subject.capitals",
        "share of capitals among its letters, from 8 letters on",
        |s| capitals(s.reading.subject()),
    ),
    number("visible.bytes", "bytes of visible text", |s| {
        size(s.reading.visible().len())
    }),
    number("visible.words", "words of subject and visible text", |s| {
        Some(f64::from(s.reading.folding().words))
    }),
    number(
        "visible.capitals",
        "share of capitals in the visible text",
        |s| capitals(s.reading.visible()),
    ),
    number(
        "unseen.bytes",
        "bytes of text that cannot be seen, less the preview line",
        |s| size(s.reading.html().unseen_bytes()),
    ),
    number("tiny.bytes", "bytes of text too small to be read", |s| {
        size(s.reading.html().tiny_bytes)
    }),
    number(
        "vanishing.bytes",
        "bytes of text in the colour of its ground",
        |s| size(s.reading.html().vanishing_bytes),
    ),
    number(
        "off_screen.bytes",
        "bytes of text outside of the screen",
        |s| size(s.reading.html().off_screen_bytes),
    ),
    number(
        "zero_width",
        "characters that show nothing inside of words",
        |s| Some(f64::from(s.reading.folding().zero_width_in_words)),
    ),
    number("from.count", "mailboxes of From", |s| {
        size(s.reading.header().from.len())
    }),
    number("to.count", "mailboxes of To and Cc", |s| {
        size(s.reading.header().to.len())
    }),
    number("received.count", "Received fields", |s| {
        Some(f64::from(s.reading.header().received))
    }),
    number(
        "date.skew",
        "seconds by which Date lies after the receipt",
        |s| {
            // Seconds of any date that a message can give fit a double exactly.
            s.reading
                .header()
                .date_skew(s.facts.received_at)
                .map(|skew| skew as f64)
        },
    ),
    number(
        "date.zone",
        "minutes of the zone of Date east of Greenwich",
        |s| s.reading.header().zone_minutes.map(f64::from),
    ),
    number(
        "repeated",
        "fields that must stand alone and come again",
        |s| Some(f64::from(s.reading.header().repeated)),
    ),
    number("html.bytes", "bytes of HTML", |s| {
        size(s.reading.html().bytes)
    }),
    number("html.tags", "start tags", |s| {
        Some(f64::from(s.reading.html().tags))
    }),
    number("html.forms", "forms", |s| {
        Some(f64::from(s.reading.html().forms))
    }),
    number("html.password_inputs", "inputs for a password", |s| {
        Some(f64::from(s.reading.html().password_inputs))
    }),
    number("html.text_inputs", "inputs for other text", |s| {
        Some(f64::from(s.reading.html().text_inputs))
    }),
    number("html.scripts", "script elements", |s| {
        Some(f64::from(s.reading.html().scripts))
    }),
    number(
        "html.event_attributes",
        "attributes that hold a script",
        |s| Some(f64::from(s.reading.html().event_attributes)),
    ),
    number("html.frames", "frames", |s| {
        Some(f64::from(s.reading.html().frames))
    }),
    number("html.objects", "objects and embedded things", |s| {
        Some(f64::from(s.reading.html().objects))
    }),
    number("html.images", "pictures", |s| {
        Some(f64::from(s.reading.html().images))
    }),
    number("html.tiny_images", "pictures of one pixel", |s| {
        Some(f64::from(s.reading.html().tiny_images))
    }),
    number(
        "html.data_images",
        "pictures given in the link itself",
        |s| Some(f64::from(s.reading.html().data_images)),
    ),
    number("html.refreshes", "requests to load another page", |s| {
        Some(f64::from(s.reading.html().refreshes))
    }),
    number("html.relative_links", "links that lead nowhere", |s| {
        Some(f64::from(s.reading.html().relative_links))
    }),
    number(
        "html.reversed",
        "elements that turn the direction of writing",
        |s| Some(f64::from(s.reading.html().reversed)),
    ),
    number("html.comment_bytes", "bytes of comments", |s| {
        size(s.reading.html().comment_bytes)
    }),
    number("links.count", "links of the web to follow", |s| {
        size(web_links(s).count())
    }),
    number(
        "links.domains",
        "registrable domains of those",
        link_domains,
    ),
    number("attachments.count", "files", |s| {
        size(s.reading.attachments().len())
    }),
    number("recipients.count", "recipients of the envelope", |s| {
        size(s.facts.recipients.len())
    }),
    flag("html", "a client shows HTML", |s| s.reading.has_html()),
    flag(
        "over_deep",
        "HTML elements nest deeper than is followed",
        |s| s.reading.html().is_over_deep,
    ),
    flag("from.missing", "there is no From with an address", |s| {
        !s.reading
            .header()
            .from
            .iter()
            .any(|mailbox| mailbox.domain.is_some())
    }),
    flag("to.missing", "there is neither To nor Cc", |s| {
        !s.reading.header().has("to") && !s.reading.header().has("cc")
    }),
    flag(
        "to.is_from",
        "it is addressed to the address of From",
        |s| {
            let header = s.reading.header();
            let from = header
                .from
                .first()
                .and_then(|mailbox| mailbox.address.as_deref());
            from.is_some()
                && header
                    .to
                    .iter()
                    .any(|mailbox| mailbox.address.as_deref() == from)
        },
    ),
    flag(
        "subject.missing",
        "there is no Subject, or an empty one",
        |s| s.reading.subject().is_empty(),
    ),
    flag("date.missing", "there is no Date", |s| {
        !s.reading.header().has("date")
    }),
    flag("date.malformed", "Date cannot be read", |s| {
        s.reading.header().is_date_malformed
    }),
    flag("message_id.missing", "there is no Message-ID", |s| {
        !s.reading.header().has("message-id")
    }),
    flag(
        "message_id.malformed",
        "Message-ID is none by RFC 5322",
        |s| s.reading.header().is_message_id_malformed,
    ),
    flag("bulk", "it says itself that it goes to many", |s| {
        s.reading.header().is_bulk()
    }),
    flag(
        "reply_to.differs",
        "Reply-To has another registrable domain than From",
        |s| differs(s, s.reading.header().reply_to.first()),
    ),
    flag(
        "sender.differs",
        "Sender has another registrable domain than From",
        |s| differs(s, s.reading.header().sender.as_ref()),
    ),
    flag(
        "authenticated",
        "a domain of From passed DKIM or SPF",
        |s| {
            let domain = s
                .reading
                .header()
                .from
                .first()
                .and_then(|mailbox| mailbox.registrable.as_ref());
            domain.is_some_and(|domain| s.facts.authenticated_domains.contains(domain))
        },
    ),
];

fn one(text: &str) -> Vec<Cow<'_, str>> {
    if text.is_empty() {
        Vec::new()
    } else {
        vec![Cow::Borrowed(text)]
    }
}

fn each<'m>(boxes: &'m [Mailbox], part: fn(&'m Mailbox) -> Option<&'m str>) -> Vec<Cow<'m, str>> {
    boxes.iter().filter_map(part).map(Cow::Borrowed).collect()
}

/// The share of capitals among the letters of `text`, if it has enough letters to tell.
fn capitals(text: &str) -> Option<f64> {
    let (mut letters, mut upper) = (0_u32, 0_u32);
    for char in text
        .chars()
        .filter(|char| char.is_alphabetic())
        .take(20_000)
    {
        letters += 1;
        upper += u32::from(char.is_uppercase());
    }
    (letters >= 8).then(|| f64::from(upper) / f64::from(letters))
}

/// Whether the registrable domain of a mailbox is another than that of From.
fn differs(subject: &Subject<'_>, mailbox: Option<&Mailbox>) -> bool {
    let domain =
        |mailbox: Option<&Mailbox>| mailbox.and_then(|mailbox| mailbox.registrable.clone());
    match (
        domain(mailbox),
        domain(subject.reading.header().from.first()),
    ) {
        (Some(one), Some(other)) => one != other,
        _ => false,
    }
}

fn web_links<'m>(subject: &Subject<'m>) -> impl Iterator<Item = &'m Link> {
    let links = subject.reading.links().iter();
    links.filter(|link| link.is_web() && matches!(link.place, Place::Href | Place::Text))
}

fn link_domains(subject: &Subject<'_>) -> Option<f64> {
    let mut domains: Vec<&str> = web_links(subject)
        .filter_map(|link| link.registrable.as_deref().or(link.host.as_deref()))
        .collect();
    domains.sort_unstable();
    domains.dedup();
    size(domains.len())
}
