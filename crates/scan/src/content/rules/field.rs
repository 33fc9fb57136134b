//! What conditions can ask for: the fields by name, each with its kind, its meaning and where its value comes from.
//!
//! The tables below are the only place where a field is named; the list that operators see is made from them.

use std::borrow::Cow;

use super::{RuleFacts, Scope};
use crate::content::reading::header::Mailbox;
use crate::content::reading::link::{Link, Place};
use crate::content::reading::{Attached, Reading};

/// What a condition is asked of: a message, or one link or file of it.
#[derive(Clone, Copy)]
pub(super) struct Subject<'m> {
    pub(super) reading: &'m Reading,
    pub(super) facts: &'m RuleFacts,
    pub(super) link: Option<&'m Link>,
    pub(super) file: Option<&'m Attached>,
}

/// A field that holds texts; a message may have none or several.
pub(super) type Texts = for<'m> fn(&Subject<'m>) -> Vec<Cow<'m, str>>;
/// A field that holds a number, unless it cannot be known.
pub(super) type Number = fn(&Subject<'_>) -> Option<f64>;
/// A field that is true or false.
pub(super) type Flag = fn(&Subject<'_>) -> bool;

/// Where a field's value comes from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Texts(Texts),
    Number(Number),
    Flag(Flag),
}

/// A field.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) source: Source,
    pub(super) meaning: &'static str,
}

/// The field called `name` in `scope`.
pub(super) fn find(scope: Scope, name: &str) -> Option<&'static Field> {
    of(scope).iter().find(|field| field.name == name)
}

/// The fields of a scope.
pub(super) fn of(scope: Scope) -> &'static [Field] {
    match scope {
        Scope::Message => MESSAGE,
        Scope::Link => LINK,
        Scope::File => FILE,
    }
}

const fn texts(name: &'static str, meaning: &'static str, texts: Texts) -> Field {
    Field {
        name,
        source: Source::Texts(texts),
        meaning,
    }
}

const fn number(name: &'static str, meaning: &'static str, number: Number) -> Field {
    Field {
        name,
        source: Source::Number(number),
        meaning,
    }
}

const fn flag(name: &'static str, meaning: &'static str, flag: Flag) -> Field {
    Field {
        name,
        source: Source::Flag(flag),
        meaning,
    }
}

fn one(text: &str) -> Vec<Cow<'_, str>> {
    if text.is_empty() {
        Vec::new()
    } else {
        vec![Cow::Borrowed(text)]
    }
}

fn maybe(text: Option<&str>) -> Vec<Cow<'_, str>> {
    text.map(Cow::Borrowed).into_iter().collect()
}

fn each<'m>(boxes: &'m [Mailbox], part: fn(&'m Mailbox) -> Option<&'m str>) -> Vec<Cow<'m, str>> {
    boxes.iter().filter_map(part).map(Cow::Borrowed).collect()
}

fn size(count: usize) -> Option<f64> {
    u32::try_from(count).ok().map(f64::from)
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

/// Fields of a message.
const MESSAGE: &[Field] = &[
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

/// Fields of one link, inside of `link(...)`.
const LINK: &[Field] = &[
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

/// Fields of one file, inside of `attachment(...)`.
const FILE: &[Field] = &[
    texts("name", "the file name", |s| {
        maybe(s.file.map(|file| file.name.as_str()))
    }),
    texts("extension", "its extension in lower case", |s| {
        maybe(s.file.map(|file| file.extension.as_str()))
    }),
    texts("type", "the declared media type", |s| {
        maybe(s.file.map(|file| file.media_type.as_str()))
    }),
    texts("executable", "what it runs when opened, in words", |s| {
        maybe(s.file.and_then(|file| file.executable))
    }),
    texts(
        "inner_executable",
        "what runs in the archive, in words",
        |s| maybe(s.file.and_then(|file| file.inner_executable)),
    ),
    texts(
        "mismatch",
        "the media type it has although its name promises another",
        |s| maybe(s.file.and_then(|file| file.mismatch)),
    ),
    number("bytes", "bytes as sent", |s| size(s.file?.bytes)),
    number("forms", "forms of a web page", |s| {
        Some(f64::from(s.file?.forms))
    }),
    number(
        "password_inputs",
        "inputs for a password of a web page",
        |s| Some(f64::from(s.file?.password_inputs)),
    ),
    number(
        "pdf_links",
        "links of a PDF, as far as they stand in the clear",
        |s| Some(f64::from(s.file?.pdf_links)),
    ),
    flag(
        "disguised",
        "its name is made to show another extension",
        |s| s.file.is_some_and(|f| f.is_disguised),
    ),
    flag("archive", "it is an archive", |s| {
        s.file.is_some_and(|file| file.is_archive)
    }),
    flag("encrypted", "it opens by a password only", |s| {
        s.file.is_some_and(|file| file.is_encrypted)
    }),
    flag("macro", "it is an office document with macros", |s| {
        s.file.is_some_and(|file| file.has_macro)
    }),
    flag("web_page", "it is a web page", |s| {
        s.file.is_some_and(|file| file.is_html)
    }),
    flag(
        "smuggles",
        "it is a web page that makes a file of what it carries",
        |s| s.file.is_some_and(|f| f.smuggles),
    ),
    flag(
        "obfuscates",
        "it is a web page written anew by a script",
        |s| s.file.is_some_and(|f| f.obfuscates),
    ),
    flag("redirects", "it is a web page that leads elsewhere", |s| {
        s.file.is_some_and(|file| file.redirects)
    }),
    flag(
        "pdf_runs",
        "it is a PDF that runs a script or a program",
        |s| s.file.is_some_and(|file| file.pdf_runs),
    ),
];
