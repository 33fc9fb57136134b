//! HTML as a mail client shows it (WHATWG HTML, tokenized by html5gum): the text that can be seen, the text that is there
//! and cannot, the links with what is shown for them, and counts of what pages have and letters have not.
//!
//! No tree is built. A stack of open elements, bounded in depth, carries what decides whether text can be seen; what is
//! deeper is read as if it stood in the deepest. Each piece of markup costs a bounded number of steps.

mod element;
mod facts;
mod tag;
mod tokens;

use html5gum::State;

pub use self::facts::HtmlFacts;

use self::element::{Elements, Hiding, Shown};
use self::tag::{Attribute, Attributes};
use self::tokens::Event;
use super::color::{self, Paint};
use super::fold::{self, FoldFacts};
use super::link::{Link, Place, SHOWN_BYTES_MAX};
use super::style::{Declared, Sheet, Size};

/// Bytes of HTML that are read of one message; what follows is not.
pub const HTML_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Links that are kept of one message.
pub const LINKS_MAX: usize = 500;

/// Bytes of text gathered before it is folded, of the visible and of the hidden each.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;

/// Bytes of scripts that are kept to look for what they do.
const SCRIPT_BYTES_MAX: usize = 256 * 1024;

/// Bytes that a preview line may have; what is hidden before any visible text up to this size is one.
const PREHEADER_BYTES_MAX: usize = 700;

/// What was read of the HTML parts of a message, texts not folded yet.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) visible: String,
    pub(super) hidden: String,
    pub(super) title: String,
    pub(super) scripts: String,
    pub(super) links: Vec<Link>,
    pub(super) facts: HtmlFacts,
    /// Bytes of HTML that were read.
    bytes_read: usize,
}

impl Page {
    /// Reads `html` after what was read before.
    pub(super) fn read(&mut self, html: &str) {
        let mut end = html
            .len()
            .min(HTML_BYTES_MAX.saturating_sub(self.bytes_read));
        while !html.is_char_boundary(end) {
            end -= 1;
        }
        let html = html.get(..end).unwrap_or_default();
        self.bytes_read += html.len();
        self.facts.bytes = self.facts.bytes.saturating_add(html.len());
        self.visible.push('\n');
        let mut reader = Reader::new(self);
        tokens::read(html, |event| reader.event(event));
        reader.finish();
    }
}

/// What the characters that come next are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Text,
    Title,
    Style,
    Script,
    /// Of an element that is never shown.
    Ignored,
}

/// A link to follow whose text is being read.
struct Anchor {
    link: usize,
    start: usize,
}

struct Reader<'p> {
    page: &'p mut Page,
    sheet: Sheet,
    elements: Elements,
    content: Content,
    tag: String,
    attributes: Attributes,
    anchor: Option<Anchor>,
    has_shown_text: bool,
}

impl<'p> Reader<'p> {
    fn new(page: &'p mut Page) -> Reader<'p> {
        Reader {
            page,
            sheet: Sheet::default(),
            elements: Elements::new(),
            content: Content::Text,
            tag: String::new(),
            attributes: Attributes::default(),
            anchor: None,
            has_shown_text: false,
        }
    }

    fn event(&mut self, event: Event<'_>) -> Option<State> {
        self.page.facts.steps += 1;
        match event {
            Event::OpenStartTag(name) => {
                self.tag.clear();
                self.tag
                    .push_str(&String::from_utf8_lossy(name.get(..32).unwrap_or(name)));
                self.attributes.clear();
            }
            Event::Attribute { name, value } => {
                if name.starts_with(b"on") {
                    self.page.facts.event_attributes += 1;
                }
                if let Some(attribute) = self.attributes.begin(name) {
                    self.attributes.set(attribute, value);
                }
            }
            Event::CloseStartTag => return self.start_tag(),
            Event::EndTag(name) => self.end_tag(&String::from_utf8_lossy(name)),
            Event::Text(text) => self.text(&String::from_utf8_lossy(text)),
            Event::Comment(bytes) => {
                let comments = &mut self.page.facts.comment_bytes;
                *comments = comments.saturating_add(bytes);
            }
        }
        None
    }

    /// The start tag is complete: what it brings, and how its text is to be read.
    fn start_tag(&mut self) -> Option<State> {
        let tag = std::mem::take(&mut self.tag);
        let facts = &mut self.page.facts;
        facts.tags += 1;
        if tag::is_block(&tag) {
            self.elements.close_paragraph(&mut facts.steps);
            self.line_end();
        } else if matches!(tag.as_str(), "td" | "th") {
            self.put(" ");
        }
        self.count(&tag);
        self.link(&tag);
        if !tag::is_void(&tag) {
            let shown = self.shown(&tag);
            self.elements.open(&tag, shown, &mut self.page.facts);
        }
        let (content, state) = match tag.as_str() {
            "title" if !self.elements.is_within_svg() => (Content::Title, State::RcData),
            "textarea" => (Content::Text, State::RcData),
            "style" => (Content::Style, State::RawText),
            "script" => (Content::Script, State::ScriptData),
            "xmp" => (Content::Text, State::RawText),
            "iframe" | "noembed" | "noframes" => (Content::Ignored, State::RawText),
            "plaintext" => (Content::Text, State::PlainText),
            _ => {
                self.content = Content::Text;
                self.tag = tag;
                return None;
            }
        };
        self.content = content;
        self.tag = tag;
        Some(state)
    }

    fn end_tag(&mut self, tag: &str) {
        self.content = Content::Text;
        if tag == "a" {
            self.end_anchor();
        }
        self.elements.close(tag, &mut self.page.facts.steps);
        if tag::is_block(tag) {
            self.line_end();
        }
    }

    /// How text in the element that begins is shown.
    fn shown(&self, tag: &str) -> Shown {
        let attribute = |attribute| self.attributes.value(attribute);
        let class = attribute(Attribute::Class);
        let mut declared = self.sheet.of(tag, class, attribute(Attribute::Id));
        let style = attribute(Attribute::Style);
        if !style.is_empty() {
            declared.overlay(&Declared::parse(style));
        }
        self.presentation(tag, &mut declared);
        let mut shown = self.elements.shown();
        if tag == "a" && self.attributes.has(Attribute::Href) {
            // Clients give links a colour of their own.
            shown.color = Paint::Unknown;
        }
        shown.apply(&declared);
        if self.attributes.has(Attribute::Hidden) || matches!(tag, "template" | "datalist") {
            shown.hide(Hiding::NotDisplayed);
        }
        shown
    }

    /// Attributes from before CSS, which any declaration overrules.
    fn presentation(&self, tag: &str, declared: &mut Declared) {
        let mut older = Declared::default();
        if self.attributes.has(Attribute::BackgroundColor) {
            let value = self.attributes.value(Attribute::BackgroundColor);
            older.background = Some(color::attribute(value));
        }
        if self.attributes.has(Attribute::Background) {
            older.background = Some(Paint::Unknown);
        }
        if tag == "font" && self.attributes.has(Attribute::Color) {
            older.color = Some(color::attribute(self.attributes.value(Attribute::Color)));
        }
        if tag == "body" && self.attributes.has(Attribute::Text) {
            older.color = Some(color::attribute(self.attributes.value(Attribute::Text)));
        }
        if tag == "font" && self.attributes.has(Attribute::Size) {
            // The smallest of the seven sizes is of ten pixels.
            older.size = Some(Size::Pixels(10.0));
        }
        older.overlay(declared);
        *declared = older;
    }

    fn count(&mut self, tag: &str) {
        let attributes = &self.attributes;
        let facts = &mut self.page.facts;
        match tag {
            "form" => facts.forms += 1,
            "input" => match attributes
                .value(Attribute::Type)
                .to_ascii_lowercase()
                .as_str()
            {
                "password" => facts.password_inputs += 1,
                "hidden" | "submit" | "button" | "image" | "reset" => {}
                _ => facts.text_inputs += 1,
            },
            "script" => facts.scripts += 1,
            "iframe" | "frame" => facts.frames += 1,
            "object" | "embed" | "applet" => facts.objects += 1,
            "img" | "image" => {
                facts.images += 1;
                let is_tiny =
                    |attribute| matches!(attributes.value(attribute).trim(), "0" | "1" | "1px");
                if is_tiny(Attribute::Width) && is_tiny(Attribute::Height) {
                    facts.tiny_images += 1;
                }
                facts.alternative_bytes = facts
                    .alternative_bytes
                    .saturating_add(attributes.value(Attribute::Alt).trim().len());
            }
            "bdo" => facts.reversed += 1,
            "meta"
                if attributes
                    .value(Attribute::HttpEquiv)
                    .eq_ignore_ascii_case("refresh") =>
            {
                facts.refreshes += 1;
            }
            _ => {}
        }
    }

    fn link(&mut self, tag: &str) {
        let (attribute, place) = match tag {
            "a" | "area" => (Attribute::Href, Place::Href),
            "img" | "image" => (Attribute::Source, Place::Image),
            "form" => (Attribute::Action, Place::Form),
            "iframe" | "frame" | "embed" | "script" => (Attribute::Source, Place::Frame),
            "object" => (Attribute::Data, Place::Frame),
            "base" => (Attribute::Href, Place::Automatic),
            "meta" if self.page.facts.refreshes > 0 => (Attribute::Content, Place::Automatic),
            _ => return,
        };
        if tag == "a" {
            self.end_anchor();
        }
        let Some(text) = self.attributes.value_if_any(attribute) else {
            return;
        };
        let text = match tag {
            "meta" => refresh_target(text),
            _ => text,
        };
        let Some(link) = Link::parse(text, place) else {
            self.page.facts.relative_links += u32::from(place == Place::Href);
            return;
        };
        if place == Place::Image && link.scheme == "data" {
            self.page.facts.data_images += 1;
            return;
        }
        if self.page.links.len() >= LINKS_MAX {
            self.page.facts.has_more_links = true;
            return;
        }
        self.page.links.push(link);
        if tag == "a" {
            self.anchor = Some(Anchor {
                link: self.page.links.len() - 1,
                start: self.page.visible.len(),
            });
        }
    }

    /// The text of a link is complete.
    fn end_anchor(&mut self) {
        let Some(anchor) = self.anchor.take() else {
            return;
        };
        let text = self.page.visible.get(anchor.start..).unwrap_or_default();
        // Folding shortens as a rule; four times what is kept is enough to cut first.
        let mut end = text.len().min(4 * SHOWN_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text.get(..end).unwrap_or_default();
        let shown = fold::fold(text, SHOWN_BYTES_MAX, &mut FoldFacts::default());
        if let Some(link) = self.page.links.get_mut(anchor.link) {
            link.shown = (!shown.is_empty()).then_some(shown);
        }
    }

    fn text(&mut self, text: &str) {
        let page = &mut *self.page;
        match self.content {
            Content::Title => push_bounded(&mut page.title, text, 1_024),
            Content::Style => {
                page.facts.style_bytes = page.facts.style_bytes.saturating_add(text.len());
                self.sheet.add(text);
            }
            Content::Script => {
                page.facts.script_bytes = page.facts.script_bytes.saturating_add(text.len());
                push_bounded(&mut page.scripts, text, SCRIPT_BYTES_MAX);
            }
            Content::Ignored => {}
            Content::Text => self.shown_text(text),
        }
    }

    fn shown_text(&mut self, text: &str) {
        let is_blank = text
            .chars()
            .all(|char| char.is_whitespace() || char == '\u{200c}');
        let Some(hiding) = self.elements.shown().hiding() else {
            self.has_shown_text |= !is_blank;
            // A line end in the source is a blank.
            for (index, line) in text.split('\n').enumerate() {
                if index > 0 {
                    self.put(" ");
                }
                self.put(line);
            }
            return;
        };
        if is_blank {
            return;
        }
        let bytes = text.trim().len();
        let facts = &mut self.page.facts;
        if !self.has_shown_text
            && facts.preheader_bytes.saturating_add(bytes) <= PREHEADER_BYTES_MAX
        {
            facts.preheader_bytes += bytes;
        } else {
            facts.hide(hiding, bytes);
        }
        push_bounded(&mut self.page.hidden, text, TEXT_BYTES_MAX);
        push_bounded(&mut self.page.hidden, " ", TEXT_BYTES_MAX);
    }

    fn put(&mut self, text: &str) {
        push_bounded(&mut self.page.visible, text, TEXT_BYTES_MAX);
    }

    fn line_end(&mut self) {
        if !self.page.visible.ends_with('\n') {
            self.put("\n");
        }
    }

    fn finish(mut self) {
        self.end_anchor();
    }
}

/// The address in `5; url=https://...`.
fn refresh_target(content: &str) -> &str {
    let lower = content.to_ascii_lowercase();
    let target = lower.find("url=").and_then(|at| content.get(at + 4..));
    target
        .unwrap_or_default()
        .trim_matches(|char| matches!(char, ' ' | '\'' | '"'))
}

/// Appends as much of `text` as `bytes_max` allows.
pub(super) fn push_bounded(to: &mut String, text: &str, bytes_max: usize) {
    let mut end = text.len().min(bytes_max.saturating_sub(to.len()));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    to.push_str(text.get(..end).unwrap_or_default());
}

#[cfg(test)]
mod tests;
