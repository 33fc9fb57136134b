//! What the tokenizer finds, as events: text in whole runs, a start tag from its name over its attributes to its end.
//!
//! html5gum 0.5 is used on purpose: its states are a loop. From 0.6 to 0.9 a state may call the next one, so that some thousand
//! attributes in one tag overflow the stack.

use html5gum::{Emitter, Error, State, Tokenizer};

/// Something that was found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event<'t> {
    /// A start tag begins; its attributes follow.
    OpenStartTag(&'t [u8]),
    /// An attribute of it.
    Attribute {
        name: &'t [u8],
        /// Character references are resolved; empty if it has none.
        value: &'t [u8],
    },
    /// The start tag ends. Whoever takes this event says how what follows is to be read.
    CloseStartTag,
    EndTag(&'t [u8]),
    Text(&'t [u8]),
    /// A comment of so many bytes.
    Comment(usize),
}

/// Tells of everything in `html`, in its order.
pub(super) fn read(html: &str, told: impl FnMut(Event<'_>) -> Option<State>) {
    let tokens = Tokens {
        told,
        text: Vec::new(),
        name: Vec::new(),
        kind: Kind::Comment,
        is_open: false,
        attribute: None,
        value: Vec::new(),
        comment_bytes: 0,
        last_start_tag: Vec::new(),
    };
    // The events are all there is to it: no token comes out, so the first call reads to the end.
    let mut tokenizer = Tokenizer::new_with_emitter(html, tokens).infallible();
    let _: Option<Never> = tokenizer.next();
}

/// What is being put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    StartTag,
    EndTag,
    Comment,
}

/// No token.
#[derive(Debug)]
enum Never {}

struct Tokens<F> {
    told: F,
    text: Vec<u8>,
    name: Vec<u8>,
    kind: Kind,
    /// Whether the start tag was told of.
    is_open: bool,
    /// The name of the attribute that is being read.
    attribute: Option<Vec<u8>>,
    value: Vec<u8>,
    comment_bytes: usize,
    last_start_tag: Vec<u8>,
}

impl<F: FnMut(Event<'_>) -> Option<State>> Tokens<F> {
    fn tell(&mut self, event: Event<'_>) {
        // Only the end of a start tag changes how the rest is read.
        let _: Option<State> = (self.told)(event);
    }

    fn end_text(&mut self) {
        let text = std::mem::take(&mut self.text);
        if !text.is_empty() {
            self.tell(Event::Text(&text));
        }
        self.text = text;
        self.text.clear();
    }

    fn open(&mut self) {
        if !self.is_open {
            self.is_open = true;
            let name = std::mem::take(&mut self.name);
            self.tell(Event::OpenStartTag(&name));
            self.name = name;
        }
    }

    fn end_attribute(&mut self) {
        let Some(name) = self.attribute.take() else {
            return;
        };
        let value = std::mem::take(&mut self.value);
        if self.kind == Kind::StartTag {
            self.open();
            self.tell(Event::Attribute {
                name: &name,
                value: &value,
            });
        }
        self.value = value;
        self.value.clear();
    }

    fn begin(&mut self, kind: Kind) {
        self.end_text();
        self.kind = kind;
        self.name.clear();
        self.is_open = false;
        self.attribute = None;
        self.value.clear();
        self.comment_bytes = 0;
    }
}

impl<F: FnMut(Event<'_>) -> Option<State>> Emitter for Tokens<F> {
    type Token = Never;

    fn set_last_start_tag(&mut self, last_start_tag: Option<&[u8]>) {
        self.last_start_tag.clear();
        self.last_start_tag
            .extend_from_slice(last_start_tag.unwrap_or_default());
    }

    fn emit_eof(&mut self) {
        self.end_text();
    }

    fn emit_error(&mut self, _: Error) {}

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn pop_token(&mut self) -> Option<Never> {
        None
    }

    fn emit_string(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
    }

    fn init_start_tag(&mut self) {
        self.begin(Kind::StartTag);
    }

    fn init_end_tag(&mut self) {
        // What looks like an end tag within a script may turn out to be its text, which goes on then.
        self.kind = Kind::EndTag;
        self.name.clear();
        self.attribute = None;
        self.value.clear();
    }

    fn init_comment(&mut self) {
        self.begin(Kind::Comment);
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        self.end_text();
        self.end_attribute();
        if self.kind == Kind::EndTag {
            let name = std::mem::take(&mut self.name);
            self.tell(Event::EndTag(&name));
            self.name = name;
            return None;
        }
        self.open();
        self.last_start_tag.clone_from(&self.name);
        (self.told)(Event::CloseStartTag)
    }

    fn emit_current_comment(&mut self) {
        self.tell(Event::Comment(self.comment_bytes));
    }

    fn emit_current_doctype(&mut self) {}

    fn set_self_closing(&mut self) {}

    fn set_force_quirks(&mut self) {}

    fn push_tag_name(&mut self, name: &[u8]) {
        self.name.extend_from_slice(name);
    }

    fn push_comment(&mut self, text: &[u8]) {
        self.comment_bytes += text.len();
    }

    fn push_doctype_name(&mut self, _: &[u8]) {}

    fn init_doctype(&mut self) {
        self.begin(Kind::Comment);
    }

    fn init_attribute(&mut self) {
        self.end_attribute();
        self.attribute = Some(Vec::new());
    }

    fn push_attribute_name(&mut self, name: &[u8]) {
        if let Some(attribute) = &mut self.attribute {
            attribute.extend_from_slice(name);
        }
    }

    fn push_attribute_value(&mut self, value: &[u8]) {
        self.value.extend_from_slice(value);
    }

    fn set_doctype_public_identifier(&mut self, _: &[u8]) {}

    fn set_doctype_system_identifier(&mut self, _: &[u8]) {}

    fn push_doctype_public_identifier(&mut self, _: &[u8]) {}

    fn push_doctype_system_identifier(&mut self, _: &[u8]) {}

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.kind == Kind::EndTag
            && !self.last_start_tag.is_empty()
            && self.last_start_tag == self.name
    }
}
