//! The small language of texts: `{name}` stands for a value, `{if name}...{else}...{end}` for a part that is there
//! only with the value, `{{` and `}}` for braces. A line feed begins another line of the reply.
//!
//! Texts are read when the configuration is, so that an error is found before a reply needs the text.

use std::fmt;

use super::values::{Values, push_clean};

/// Bytes of a text. Replies have 512 bytes a line (RFC 5321 4.5.3.1.5); a few lines are read, more are not.
const TEMPLATE_BYTES_MAX: usize = 2048;

/// A text with its placeholders found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Value(Placeholder),
    If {
        placeholder: Placeholder,
        then: Vec<Piece>,
        otherwise: Vec<Piece>,
    },
}

/// What a text can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placeholder {
    Reference,
    Link,
    Recipient,
    Client,
    Reason,
    Domain,
    SizeMax,
    Postmaster,
}

/// The names of the placeholders.
pub const PLACEHOLDERS: [&str; 8] = [
    "reference",
    "link",
    "recipient",
    "client",
    "reason",
    "domain",
    "size_max",
    "postmaster",
];

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No kind of refusal has that name.
    UnknownKind,
    /// There is no such placeholder.
    UnknownPlaceholder(String),
    /// A `{` without `}`.
    OpenBrace,
    /// A `}` without `{`.
    StrayBrace,
    /// An `{if}` without `{end}`.
    OpenIf,
    /// An `{if}` within an `{if}`.
    NestedIf,
    /// An `{else}` or `{end}` without `{if}`.
    Stray(&'static str),
    /// Nothing in it.
    Empty,
    /// More than 2048 bytes.
    TooLong,
    /// A control character other than a line feed.
    ControlCharacter,
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Template, Vec<Problem>> {
        let mut parser = Parser::default();
        if text.trim().is_empty() {
            parser.problems.push(Problem::Empty);
        }
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(vec![Problem::TooLong]);
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            parser.problems.push(Problem::ControlCharacter);
        }
        parser.read(text);
        parser.finish()
    }

    /// Appends the text with these values.
    pub(super) fn render(&self, values: &Values<'_>, out: &mut String) {
        render(&self.pieces, values, out);
    }
}

fn render(pieces: &[Piece], values: &Values<'_>, out: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                for c in text.chars() {
                    match c {
                        '\n' => out.push('\n'),
                        c => push_clean(c, values.utf8, out),
                    }
                }
            }
            Piece::Value(placeholder) => values.write(*placeholder, out),
            // At most one level deep: the parser takes no `{if}` within an `{if}`.
            Piece::If {
                placeholder,
                then,
                otherwise,
            } => {
                let branch = if values.has(*placeholder) {
                    then
                } else {
                    otherwise
                };
                render(branch, values, out);
            }
        }
    }
}

#[derive(Default)]
struct Parser {
    /// Finished pieces outside of any `{if}`.
    pieces: Vec<Piece>,
    /// The `{if}` that is open.
    open: Option<Open>,
    problems: Vec<Problem>,
}

struct Open {
    /// `None` if its name is unknown.
    placeholder: Option<Placeholder>,
    then: Vec<Piece>,
    /// Set by `{else}`.
    otherwise: Option<Vec<Piece>>,
}

impl Parser {
    fn read(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            self.text(before);
            if let Some(after) = from.strip_prefix("{{") {
                self.text("{");
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                self.text("}");
                rest = after;
            } else if let Some(after) = from.strip_prefix('}') {
                self.problems.push(Problem::StrayBrace);
                rest = after;
            } else if let Some((tag, after)) = from.trim_start_matches('{').split_once('}') {
                self.tag(tag.trim());
                rest = after;
            } else {
                self.problems.push(Problem::OpenBrace);
                rest = "";
            }
        }
        self.text(rest);
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let pieces = self.pieces();
        if let Some(Piece::Text(last)) = pieces.last_mut() {
            last.push_str(text);
        } else {
            pieces.push(Piece::Text(text.to_owned()));
        }
    }

    fn tag(&mut self, tag: &str) {
        match tag.strip_prefix("if ") {
            Some(name) => self.begin_if(name.trim()),
            None if tag == "else" => match &mut self.open {
                Some(open) if open.otherwise.is_none() => open.otherwise = Some(Vec::new()),
                _ => self.problems.push(Problem::Stray("else")),
            },
            None if tag == "end" => self.end_if(),
            None => {
                if let Some(placeholder) = self.placeholder(tag) {
                    self.pieces().push(Piece::Value(placeholder));
                }
            }
        }
    }

    fn begin_if(&mut self, name: &str) {
        let placeholder = self.placeholder(name);
        if self.open.is_some() {
            self.problems.push(Problem::NestedIf);
            return;
        }
        self.open = Some(Open {
            placeholder,
            then: Vec::new(),
            otherwise: None,
        });
    }

    fn end_if(&mut self) {
        let Some(open) = self.open.take() else {
            self.problems.push(Problem::Stray("end"));
            return;
        };
        if let Some(placeholder) = open.placeholder {
            self.pieces.push(Piece::If {
                placeholder,
                then: open.then,
                otherwise: open.otherwise.unwrap_or_default(),
            });
        }
    }

    /// Where the next piece goes.
    fn pieces(&mut self) -> &mut Vec<Piece> {
        match &mut self.open {
            Some(open) => open.otherwise.as_mut().unwrap_or(&mut open.then),
            None => &mut self.pieces,
        }
    }

    fn placeholder(&mut self, name: &str) -> Option<Placeholder> {
        let placeholder = Placeholder::from_name(name);
        if placeholder.is_none() {
            self.problems
                .push(Problem::UnknownPlaceholder(name.to_owned()));
        }
        placeholder
    }

    fn finish(mut self) -> Result<Template, Vec<Problem>> {
        if self.open.is_some() {
            self.problems.push(Problem::OpenIf);
        }
        if self.problems.is_empty() {
            Ok(Template {
                pieces: self.pieces,
            })
        } else {
            Err(self.problems)
        }
    }
}

impl Placeholder {
    const ALL: [Placeholder; 8] = [
        Placeholder::Reference,
        Placeholder::Link,
        Placeholder::Recipient,
        Placeholder::Client,
        Placeholder::Reason,
        Placeholder::Domain,
        Placeholder::SizeMax,
        Placeholder::Postmaster,
    ];

    fn from_name(name: &str) -> Option<Placeholder> {
        let at = PLACEHOLDERS.iter().position(|known| *known == name)?;
        Placeholder::ALL.get(at).copied()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::UnknownKind => {
                f.write_str("no such kind of reply; known are ")?;
                let names = crate::policy::Kind::ALL.map(crate::policy::Kind::name);
                f.write_str(&names.join(", "))
            }
            Problem::UnknownPlaceholder(name) => {
                let known = PLACEHOLDERS.join("}, {");
                write!(f, "unknown placeholder {{{name}}}; known are {{{known}}}")
            }
            Problem::OpenBrace => f.write_str("`{` without `}`; write `{{` for a brace"),
            Problem::StrayBrace => f.write_str("`}` without `{`; write `}}` for a brace"),
            Problem::OpenIf => f.write_str("`{if ...}` without `{end}`"),
            Problem::NestedIf => f.write_str("`{if ...}` within another; end that one first"),
            Problem::Stray(tag) => write!(f, "`{{{tag}}}` without `{{if ...}}`"),
            Problem::Empty => f.write_str("empty text; leave it out to have the built-in one"),
            Problem::TooLong => write!(f, "longer than {TEMPLATE_BYTES_MAX} bytes; shorten it"),
            Problem::ControlCharacter => {
                f.write_str("control character; only line feeds may be in a text")
            }
        }
    }
}
