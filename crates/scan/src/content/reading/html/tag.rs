//! Which tags break lines and which have no content; the attributes that the reader looks at.

use super::push_bounded;

/// Bytes of one attribute that are read; longer ones are data and style sheets.
const VALUE_BYTES_MAX: usize = 4 * 1024;

/// Whether an element begins and ends a line.
pub(super) fn is_block(tag: &str) -> bool {
    matches!(
        tag,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "br"
            | "center"
            | "dd"
            | "details"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "html"
            | "legend"
            | "li"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "option"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tr"
            | "ul"
    )
}

/// Whether an element has no content (WHATWG HTML section 13.1.2).
pub(super) fn is_void(tag: &str) -> bool {
    matches!(
        tag,
        "area"
            | "base"
            | "basefont"
            | "bgsound"
            | "br"
            | "col"
            | "embed"
            | "frame"
            | "hr"
            | "image"
            | "img"
            | "input"
            | "keygen"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

/// An attribute that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    Action,
    Alt,
    Background,
    BackgroundColor,
    Class,
    Color,
    Content,
    Data,
    Height,
    Hidden,
    Href,
    HttpEquiv,
    Id,
    Size,
    Source,
    Style,
    Text,
    Type,
    Width,
}

/// How many there are.
const COUNT: usize = 19;

impl Attribute {
    fn of(name: &[u8]) -> Option<Attribute> {
        Some(match name {
            b"action" => Attribute::Action,
            b"alt" => Attribute::Alt,
            b"background" => Attribute::Background,
            b"bgcolor" => Attribute::BackgroundColor,
            b"class" => Attribute::Class,
            b"color" => Attribute::Color,
            b"content" => Attribute::Content,
            b"data" => Attribute::Data,
            b"height" => Attribute::Height,
            b"hidden" => Attribute::Hidden,
            b"href" => Attribute::Href,
            b"http-equiv" => Attribute::HttpEquiv,
            b"id" => Attribute::Id,
            b"size" => Attribute::Size,
            b"src" => Attribute::Source,
            b"style" => Attribute::Style,
            b"text" => Attribute::Text,
            b"type" => Attribute::Type,
            b"width" => Attribute::Width,
            _ => return None,
        })
    }
}

/// The attributes of one tag.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    values: [String; COUNT],
    given: [bool; COUNT],
}

impl Attributes {
    pub(super) fn clear(&mut self) {
        for (value, given) in self.values.iter_mut().zip(&mut self.given) {
            if std::mem::take(given) {
                value.clear();
            }
        }
    }

    /// An attribute's name has come. Which it is, if its value is wanted: of several the first counts.
    pub(super) fn begin(&mut self, name: &[u8]) -> Option<Attribute> {
        let attribute = Attribute::of(name)?;
        let given = self.given.get_mut(attribute as usize)?;
        (!std::mem::replace(given, true)).then_some(attribute)
    }

    pub(super) fn set(&mut self, attribute: Attribute, value: &[u8]) {
        if let Some(kept) = self.values.get_mut(attribute as usize) {
            let value = value.get(..VALUE_BYTES_MAX).unwrap_or(value);
            push_bounded(kept, &String::from_utf8_lossy(value), VALUE_BYTES_MAX);
        }
    }

    pub(super) fn has(&self, attribute: Attribute) -> bool {
        self.given
            .get(attribute as usize)
            .is_some_and(|given| *given)
    }

    /// Its value; empty if it has none.
    pub(super) fn value(&self, attribute: Attribute) -> &str {
        self.values
            .get(attribute as usize)
            .map_or("", String::as_str)
    }

    pub(super) fn value_if_any(&self, attribute: Attribute) -> Option<&str> {
        self.has(attribute).then(|| self.value(attribute))
    }
}
