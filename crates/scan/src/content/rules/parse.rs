//! The condition language, from words to a tree:
//!
//! ```text
//! condition = all { "or" all }
//! all       = term { "and" term }
//! term      = "not" term | "(" condition ")" | SYMBOL | field [ comparison ]
//!           | "link(" condition ")" | "attachment(" condition ")" | "count(" condition { "," condition } ")" compare number
//! comparison= "~" /pattern/ | "!~" /pattern/ | "==" value | "!=" value | "<" number ... | "in (" text { "," text } ")"
//! ```
//!
//! Trees are bounded in depth, so that they can be walked by recursion.

use super::field::{self, Source};
use super::lex::{Fault, Token, Word, words};
use super::{Scope, pattern};
use regex::bytes::Regex;

/// Levels of a condition in one another.
pub(super) const DEPTH_MAX: usize = 40;

/// Bytes of one condition.
const CONDITION_BYTES_MAX: usize = 16 * 1024;

/// What has to hold.
#[derive(Debug)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// Another rule has matched; its symbol first, later its place among the rules.
    Symbol {
        name: String,
        at: usize,
        rule: usize,
    },
    Flag(field::Flag),
    Number(field::Number, Compare, f64),
    /// Any of the field's texts is any of these.
    Equals(field::Texts, Vec<String>),
    /// There is any text.
    Present(field::Texts),
    Matches(Pattern),
    /// There is a header field whose value matches.
    Some(Scope, Box<Condition>),
    /// As many of these hold.
    Count(Vec<Condition>, Compare, f64),
}

/// A pattern and what it is matched with.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) what: What,
    pub(super) regex: Regex,
    /// Among the patterns that are matched at once, where it is one of those.
    pub(super) set: Option<(usize, usize)>,
    pub(super) source: String,
}

/// Texts of a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    /// A field of the table, by name.
    Field(&'static str, Scope),
    /// A header field, its name in lower case.
    Header(String),
}

/// How numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
}

impl Compare {
    fn of(sign: &str) -> Option<Compare> {
        Some(match sign {
            "<" => Compare::Less,
            "<=" => Compare::LessOrEqual,
            "==" => Compare::Equal,
            "!=" => Compare::NotEqual,
            ">=" => Compare::GreaterOrEqual,
            ">" => Compare::Greater,
            _ => return None,
        })
    }

    pub(super) fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Compare::Less => left < right,
            Compare::LessOrEqual => left <= right,
            Compare::Equal => (left - right).abs() < f64::EPSILON,
            Compare::NotEqual => (left - right).abs() >= f64::EPSILON,
            Compare::GreaterOrEqual => left >= right,
            Compare::Greater => left > right,
        }
    }
}

/// Reads a condition.
pub(super) fn parse(text: &str) -> Result<Condition, Fault> {
    if text.len() > CONDITION_BYTES_MAX {
        let message = format!("a condition of more than {CONDITION_BYTES_MAX} bytes");
        return Err(Fault::new(
            0,
            message,
            "divide it into several rules that refer to each other",
        ));
    }
    let mut parser = Parser {
        words: words(text)?,
        position: 0,
        end: text.len(),
        scope: Scope::Message,
        depth: 0,
    };
    let condition = parser.condition()?;
    match parser.peek() {
        None => Ok(condition),
        Some(word) => Err(Fault::new(
            word.at,
            "the condition is complete before this",
            "join conditions by `and` or `or`",
        )),
    }
}

struct Parser {
    words: Vec<Word>,
    position: usize,
    end: usize,
    scope: Scope,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Word> {
        self.words.get(self.position)
    }

    fn at(&self) -> usize {
        self.peek().map_or(self.end, |word| word.at)
    }

    fn next(&mut self) -> Option<Token> {
        let word = self.words.get(self.position)?;
        self.position += 1;
        Some(word.token.clone())
    }

    fn takes_name(&mut self, name: &str) -> bool {
        let is_it =
            matches!(self.peek(), Some(Word { token: Token::Name(found), .. }) if found == name);
        self.position += usize::from(is_it);
        is_it
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let is_it =
            matches!(self.peek(), Some(Word { token: Token::Sign(found), .. }) if *found == sign);
        self.position += usize::from(is_it);
        is_it
    }

    fn needs_sign(&mut self, sign: &str) -> Result<(), Fault> {
        let at = self.at();
        if self.takes_sign(sign) {
            return Ok(());
        }
        Err(Fault::new(
            at,
            format!("`{sign}` is missing here"),
            format!("write `{sign}`"),
        ))
    }

    fn condition(&mut self) -> Result<Condition, Fault> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let message = format!("conditions nest more than {DEPTH_MAX} levels deep");
            return Err(Fault::new(
                self.at(),
                message,
                "divide it into several rules",
            ));
        }
        let mut any = vec![self.all()?];
        while self.takes_name("or") {
            any.push(self.all()?);
        }
        self.depth -= 1;
        Ok(single(any, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, Fault> {
        let mut all = vec![self.term()?];
        while self.takes_name("and") {
            all.push(self.term()?);
        }
        Ok(single(all, Condition::All))
    }

    fn term(&mut self) -> Result<Condition, Fault> {
        let mut negations = 0_usize;
        while self.takes_name("not") {
            negations += 1;
        }
        let term = self.plain_term()?;
        Ok(if negations % 2 == 1 {
            Condition::Not(Box::new(term))
        } else {
            term
        })
    }

    fn plain_term(&mut self) -> Result<Condition, Fault> {
        let at = self.at();
        match self.next() {
            Some(Token::Sign("(")) => {
                let inner = self.condition()?;
                self.needs_sign(")")?;
                Ok(inner)
            }
            Some(Token::Name(name)) => match name.as_str() {
                "link" | "attachment" if self.scope == Scope::Message => self.some(&name),
                "count" => self.count(),
                _ if is_symbol(&name) => Ok(Condition::Symbol { name, at, rule: 0 }),
                _ => self.field(&name, at),
            },
            _ => Err(Fault::new(
                at,
                "a condition is missing here",
                "write a field such as `subject ~ /free/i`, a symbol, or a condition in parentheses",
            )),
        }
    }

    /// `link(...)` or `attachment(...)`.
    fn some(&mut self, name: &str) -> Result<Condition, Fault> {
        let scope = if name == "link" {
            Scope::Link
        } else {
            Scope::File
        };
        self.needs_sign("(")?;
        self.scope = scope;
        let inner = self.condition();
        self.scope = Scope::Message;
        let inner = inner?;
        self.needs_sign(")")?;
        Ok(Condition::Some(scope, Box::new(inner)))
    }

    fn count(&mut self) -> Result<Condition, Fault> {
        self.needs_sign("(")?;
        let mut conditions = vec![self.condition()?];
        while self.takes_sign(",") {
            conditions.push(self.condition()?);
        }
        self.needs_sign(")")?;
        let (compare, number) = self.number_comparison()?;
        Ok(Condition::Count(conditions, compare, number))
    }

    fn number_comparison(&mut self) -> Result<(Compare, f64), Fault> {
        let at = self.at();
        let compare = match self.next() {
            Some(Token::Sign(sign)) => Compare::of(sign),
            _ => None,
        };
        match (compare, self.next()) {
            (Some(compare), Some(Token::Number(number))) => Ok((compare, number)),
            _ => Err(Fault::new(
                at,
                "a comparison with a number is missing here",
                "write it like `>= 3`",
            )),
        }
    }

    fn field(&mut self, name: &str, at: usize) -> Result<Condition, Fault> {
        if let Some(header) = name.strip_prefix("header.") {
            if self.scope != Scope::Message || header.is_empty() {
                return Err(unknown(name, at, self.scope));
            }
            return self.text(
                What::Header(header.to_ascii_lowercase()),
                header_texts_are_matched,
                at,
            );
        }
        let Some(field) = field::find(self.scope, name) else {
            return Err(unknown(name, at, self.scope));
        };
        match field.source {
            Source::Flag(flag) => Ok(Condition::Flag(flag)),
            Source::Number(number) => {
                let (compare, than) = self.number_comparison()?;
                Ok(Condition::Number(number, compare, than))
            }
            Source::Texts(texts) => self.text(What::Field(field.name, self.scope), texts, at),
        }
    }

    fn text(&mut self, what: What, texts: field::Texts, at: usize) -> Result<Condition, Fault> {
        let is_header = matches!(what, What::Header(_));
        if self.takes_name("in") && !is_header {
            return Ok(Condition::Equals(texts, self.list()?));
        }
        let sign = match self.peek() {
            Some(Word {
                token: Token::Sign(sign),
                ..
            }) if matches!(*sign, "~" | "!~" | "==" | "!=") => *sign,
            _ if is_header => return self.matches(what, ".", "s", at),
            _ => return Ok(Condition::Present(texts)),
        };
        self.position += 1;
        let at = self.at();
        let found = match (sign, self.next()) {
            ("~" | "!~", Some(Token::Pattern { pattern, flags })) => {
                self.matches(what, &pattern, &flags, at)?
            }
            ("==" | "!=", Some(Token::Text(text))) if is_header => {
                self.matches(what, &format!("^{}$", regex::escape(&text)), "", at)?
            }
            ("==" | "!=", Some(Token::Text(text))) => Condition::Equals(texts, vec![text]),
            ("~" | "!~", _) => {
                return Err(Fault::new(
                    at,
                    "a pattern is missing here",
                    "write it between slashes: `/free/i`",
                ));
            }
            _ => {
                return Err(Fault::new(
                    at,
                    "a text is missing here",
                    "write it in quotation marks",
                ));
            }
        };
        Ok(if sign.starts_with('!') {
            Condition::Not(Box::new(found))
        } else {
            found
        })
    }

    fn matches(
        &self,
        what: What,
        pattern: &str,
        flags: &str,
        at: usize,
    ) -> Result<Condition, Fault> {
        let source = pattern::source(pattern, flags, at)?;
        Ok(Condition::Matches(Pattern {
            what,
            regex: pattern::compile(&source, at)?,
            set: None,
            source,
        }))
    }

    fn list(&mut self) -> Result<Vec<String>, Fault> {
        self.needs_sign("(")?;
        let mut texts = Vec::new();
        loop {
            let at = self.at();
            let Some(Token::Text(text)) = self.next() else {
                return Err(Fault::new(
                    at,
                    "a text is missing here",
                    "write texts in quotation marks, with commas between",
                ));
            };
            texts.push(text);
            if !self.takes_sign(",") {
                self.needs_sign(")")?;
                return Ok(texts);
            }
        }
    }
}

/// Header fields have no place in the table; all that is asked of them becomes a pattern.
fn header_texts_are_matched<'m>(_: &field::Subject<'m>) -> Vec<std::borrow::Cow<'m, str>> {
    Vec::new()
}

fn single(mut conditions: Vec<Condition>, many: fn(Vec<Condition>) -> Condition) -> Condition {
    match conditions.pop() {
        Some(only) if conditions.is_empty() => only,
        Some(last) => {
            conditions.push(last);
            many(conditions)
        }
        None => many(conditions),
    }
}

/// Whether `name` is written like a symbol.
pub(super) fn is_symbol(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn unknown(name: &str, at: usize, scope: Scope) -> Fault {
    let place = match scope {
        Scope::Message => "a message",
        Scope::Link => "a link",
        Scope::File => "a file",
    };
    let near = field::of(scope)
        .iter()
        .map(|field| field.name)
        .find(|known| known.starts_with(name) || name.starts_with(known) || known.ends_with(name));
    let remedy = match near {
        Some(near) => format!("did you mean `{near}`? `gatepost rules fields` lists them all"),
        None => "`gatepost rules fields` lists what there is; a header field is written `header.x-mailer`".to_owned(),
    };
    Fault::new(at, format!("{place} has no field `{name}`"), remedy)
}

#[cfg(test)]
mod tests;
