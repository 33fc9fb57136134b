//! What a human sees of a message, made once for each and shared by all that judge content: its text as the eye takes it
//! and what is hidden beside it, where its links lead, what its header claims, which files come along.
//!
//! Everything is bounded, takes time linear in the message, and never fails. Nothing is judged here.

mod attached;
mod color;
pub mod fold;
pub mod header;
pub mod html;
pub mod link;
mod oddity;
mod style;

pub use self::attached::{ATTACHED_MAX, Attached};
pub use self::oddity::Oddity;

use self::fold::{FoldFacts, fold};
use self::header::HeaderFacts;
use self::html::{HtmlFacts, LINKS_MAX, Page, TEXT_BYTES_MAX};
use self::link::{Link, Place};
use crate::message::Message;
use crate::view::{Kind, Part, View};

/// Bytes of text of one part that are decoded.
const PART_BYTES_MAX: usize = 2 * 1024 * 1024;

/// What a human sees of a message.
#[derive(Debug)]
pub struct Reading {
    subject: String,
    visible: String,
    hidden: String,
    plain: Option<String>,
    enclosed: String,
    title: String,
    links: Vec<Link>,
    html: HtmlFacts,
    header: HeaderFacts,
    attachments: Vec<Attached>,
    oddities: Vec<Oddity>,
    defects: Vec<&'static str>,
    folding: FoldFacts,
    has_html: bool,
}

impl Reading {
    /// Reads `message`.
    pub fn of(message: &Message) -> Reading {
        let view = message.view();
        let mut folding = FoldFacts::default();
        let header = HeaderFacts::of(message, &mut folding);
        let mut gathered = Gathered::default();
        view.parts()
            .iter()
            .enumerate()
            .for_each(|(index, part)| gathered.part(view, index, part));
        let Gathered {
            mut page,
            mut files,
            plain_shown,
            plain_other,
            mut enclosed,
            texts,
            attachments,
            has_html,
        } = gathered;
        let mut visible = fold(&page.visible, TEXT_BYTES_MAX, &mut folding);
        let shown = fold(&plain_shown, TEXT_BYTES_MAX, &mut folding);
        text_links(&shown, &mut page.links);
        if !shown.is_empty() {
            if !visible.is_empty() {
                visible.push('\n');
            }
            html::push_bounded(&mut visible, &shown, 2 * TEXT_BYTES_MAX);
        }
        let subject = header
            .values("subject")
            .next()
            .unwrap_or_default()
            .to_owned();
        let mut unseen = FoldFacts::default();
        html::push_bounded(&mut enclosed, &files.visible, TEXT_BYTES_MAX);
        page.links.append(&mut files.links);
        page.links.truncate(LINKS_MAX);
        Reading {
            subject,
            hidden: fold(&page.hidden, TEXT_BYTES_MAX, &mut unseen),
            plain: plain_other.map(|text| fold(&text, TEXT_BYTES_MAX, &mut unseen)),
            enclosed: fold(&enclosed, TEXT_BYTES_MAX, &mut unseen),
            title: fold(&page.title, 1_024, &mut unseen),
            oddities: oddity::of(&folding, &header, &texts),
            defects: view
                .defects()
                .iter()
                .map(|defect| defect.symbol())
                .collect(),
            visible,
            links: page.links,
            html: page.facts,
            header,
            attachments,
            folding,
            has_html,
        }
    }

    /// The subject, decoded and folded.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The visible text of the parts that a client shows: folded, in its case, blanks collapsed, blocks on lines.
    pub fn visible(&self) -> &str {
        &self.visible
    }

    /// The text that stands in HTML and is not shown, the preview line included.
    pub fn hidden(&self) -> &str {
        &self.hidden
    }

    /// The plain text that an HTML part was taken in place of.
    pub fn plain(&self) -> Option<&str> {
        self.plain.as_deref()
    }

    /// The text of messages and web pages that come along as files.
    pub fn enclosed(&self) -> &str {
        &self.enclosed
    }

    /// The title of an HTML part.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The links, those of web pages that come along as files last.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// What was counted in the HTML parts that a client shows.
    pub fn html(&self) -> &HtmlFacts {
        &self.html
    }

    /// Whether a client shows HTML.
    pub fn has_html(&self) -> bool {
        self.has_html
    }

    /// What the header section says.
    pub fn header(&self) -> &HeaderFacts {
        &self.header
    }

    /// The files that come along.
    pub fn attachments(&self) -> &[Attached] {
        &self.attachments
    }

    /// What is odd in the way that it is written.
    pub fn oddities(&self) -> &[Oddity] {
        &self.oddities
    }

    /// Defects of its MIME structure, as symbols.
    pub fn defects(&self) -> &[&'static str] {
        &self.defects
    }

    /// What folding met in subject, From and visible text.
    pub fn folding(&self) -> &FoldFacts {
        &self.folding
    }
}

/// What is gathered from the parts before it is folded.
#[derive(Default)]
struct Gathered<'v> {
    page: Page,
    /// Web pages that come along as files.
    files: Page,
    plain_shown: String,
    plain_other: Option<String>,
    enclosed: String,
    texts: Vec<&'v Part>,
    attachments: Vec<Attached>,
    has_html: bool,
}

impl<'v> Gathered<'v> {
    fn part(&mut self, view: &'v View, index: usize, part: &'v Part) {
        if part.kind() != Kind::Leaf {
            return;
        }
        if is_within_message(view, part) {
            if part.is_text() && self.enclosed.len() < TEXT_BYTES_MAX {
                html::push_bounded(&mut self.enclosed, &text_of(part), TEXT_BYTES_MAX);
                html::push_bounded(&mut self.enclosed, "\n", TEXT_BYTES_MAX);
            }
        } else if attached::is_attached(part) {
            if self.attachments.len() < ATTACHED_MAX {
                self.attachments.push(Attached::of(part, &mut self.files));
            }
        } else {
            self.text(view, index, part);
        }
    }

    fn text(&mut self, view: &'v View, index: usize, part: &'v Part) {
        self.texts.push(part);
        let text = text_of(part);
        if part.media_type() == "text/html" || (is_root(part) && looks_like_html(&text)) {
            self.has_html = true;
            self.page.read(&text);
        } else if has_html_alternative(view, index, part) {
            let other = self.plain_other.get_or_insert_default();
            html::push_bounded(other, &text, TEXT_BYTES_MAX);
        } else {
            html::push_bounded(&mut self.plain_shown, &text, TEXT_BYTES_MAX);
            html::push_bounded(&mut self.plain_shown, "\n", TEXT_BYTES_MAX);
        }
    }
}

fn is_root(part: &Part) -> bool {
    part.container().is_none()
}

/// A message without a type whose body is a web page: some clients show it as one.
fn looks_like_html(text: &str) -> bool {
    let start = text.trim_start();
    ["<html", "<!doctype html"].iter().any(|tag| {
        start
            .get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag))
    })
}

/// The text of `part`, of a bounded piece of it if it is very large.
fn text_of(part: &Part) -> String {
    if part.raw().len() <= PART_BYTES_MAX {
        return part.text().into_owned();
    }
    String::from_utf8_lossy(&part.head(PART_BYTES_MAX)).into_owned()
}

/// Whether `part` lies in a message that is itself a part.
fn is_within_message(view: &View, part: &Part) -> bool {
    containers(view, part).any(|container| container.kind() == Kind::Message)
}

/// What holds `part`, from the inside out; bounded by the depth of the view.
fn containers<'v>(view: &'v View, part: &'v Part) -> impl Iterator<Item = &'v Part> {
    std::iter::successors(part.container(), |index| {
        view.parts().get(*index)?.container()
    })
    .filter_map(|index| view.parts().get(index))
}

/// Whether a client takes HTML in place of `part`: a later part of the innermost alternative around it is HTML.
fn has_html_alternative(view: &View, index: usize, part: &Part) -> bool {
    let alternative = std::iter::successors(part.container(), |index| {
        view.parts().get(*index)?.container()
    })
    .find(|index| {
        let container = view.parts().get(*index);
        container.is_some_and(|part| part.media_type() == "multipart/alternative")
    });
    let Some(alternative) = alternative else {
        return false;
    };
    let depth = view.parts().get(alternative).map_or(0, Part::depth);
    view.parts()
        .iter()
        .skip(index + 1)
        .take_while(|later| later.depth() > depth)
        .take(50)
        .any(|later| later.kind() == Kind::Leaf && later.media_type() == "text/html")
}

/// Adds the addresses of the web in mere text, of which clients make links.
fn text_links(text: &str, links: &mut Vec<Link>) {
    let mut rest = text;
    while links.len() < LINKS_MAX {
        let Some(at) = next_address(rest) else { return };
        let tail = rest.get(at..).unwrap_or_default();
        let end = tail
            .find(|char: char| char.is_whitespace() || matches!(char, '<' | '>' | '"' | '(' | ')'))
            .unwrap_or(tail.len());
        let (word, after) = tail.split_at(end);
        rest = after;
        let word = word.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', ']', '*']);
        let link = if word
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("www."))
        {
            Link::parse(&format!("http://{word}"), Place::Text)
        } else {
            Link::parse(word, Place::Text)
        };
        links.extend(link);
    }
}

/// Where the next `http://`, `https://` or `www.` begins.
fn next_address(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_start = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        before.is_none_or(|byte| !byte.is_ascii_alphanumeric())
    };
    let starts_with = |at: usize, prefix: &[u8]| {
        bytes
            .get(at..at + prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    memchr::memchr3_iter(b'h', b'H', b'w', bytes).find(|at| {
        is_start(*at)
            && (starts_with(*at, b"http://")
                || starts_with(*at, b"https://")
                || starts_with(*at, b"www."))
    })
}

#[cfg(test)]
mod tests;
