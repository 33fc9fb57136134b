//! The blocks of a body: read from its lines, written as HTML by the layout and as plain text.
//!
//! A line that begins with `# ` is a heading, `- ` an item, `| ` a row of cells, `= ` a code or a figure in large
//! letters, `> ` a panel, `! ` a picture with its alternative text, `[Text](/path)` alone a button, `---` a rule; every
//! other line is a paragraph, with `**bold**` and `[links](/path)`.

use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::collection::{Collection, Message};

/// One block of a body.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Block<'a> {
    Heading(&'a str),
    Paragraph(&'a str),
    Panel(&'a str),
    Figure(&'a str),
    Picture(&'a str),
    Button(&'a str, &'a str),
    Items(Vec<&'a str>),
    Rows(Vec<&'a str>),
    Rule,
}

/// Divides a filled body.
pub(super) fn parse(body: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    for line in body.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let after = |mark: &str| line.strip_prefix(mark);
        if let Some(item) = after("- ") {
            match blocks.last_mut() {
                Some(Block::Items(items)) => items.push(item),
                _ => blocks.push(Block::Items(vec![item])),
            }
        } else if let Some(row) = after("| ") {
            match blocks.last_mut() {
                Some(Block::Rows(rows)) => rows.push(row),
                _ => blocks.push(Block::Rows(vec![row])),
            }
        } else {
            blocks.push(if let Some(text) = after("# ") {
                Block::Heading(text)
            } else if let Some(text) = after("> ") {
                Block::Panel(text)
            } else if let Some(text) = after("= ") {
                Block::Figure(text)
            } else if let Some(text) = after("! ") {
                Block::Picture(text)
            } else if line == "---" {
                Block::Rule
            } else if let Some((text, path)) = button(line) {
                Block::Button(text, path)
            } else {
                Block::Paragraph(line)
            });
        }
    }
    blocks
}

fn button(line: &str) -> Option<(&str, &str)> {
    let inner = line.strip_prefix('[')?.strip_suffix(')')?;
    let (text, path) = inner.split_once("](")?;
    (!path.contains(')')).then_some((text, path))
}

/// Where the links of one copy lead, and where its pictures are.
pub(super) trait Addresses {
    /// The URL of a page.
    fn link(&self, path: &str) -> Result<String>;
    /// The URL of the n-th picture.
    fn picture(&self, number: usize) -> Result<String>;
}

/// The blocks as HTML, by the sections of the message's layout.
pub(super) fn html(
    collection: &Collection,
    message: &Message,
    blocks: &[Block<'_>],
    addresses: &dyn Addresses,
) -> Result<String> {
    let section = |name: &str| collection.template(message, name);
    let mut html = String::new();
    let mut pictures = 0;
    for block in blocks {
        let written = match block {
            Block::Heading(text) => section("h")?.replace("{{text}}", &inline(text, addresses)?),
            Block::Paragraph(text) => section("p")?.replace("{{text}}", &inline(text, addresses)?),
            Block::Panel(text) => section("panel")?.replace("{{text}}", &inline(text, addresses)?),
            Block::Figure(text) => section("code")?.replace("{{text}}", &escape(text)),
            Block::Rule => section("rule")?.to_owned(),
            Block::Picture(text) => {
                pictures += 1;
                section("image")?
                    .replace("{{text}}", &escape(text))
                    .replace("{{src}}", &addresses.picture(pictures)?)
                    .replace("{{href}}", &escape(&addresses.link("/")?))
            }
            Block::Button(text, path) => section("button")?
                .replace("{{text}}", &escape(text))
                .replace("{{href}}", &escape(&addresses.link(path)?)),
            Block::Items(items) => {
                let mut inner = String::new();
                for item in items {
                    inner += &section("item")?.replace("{{text}}", &inline(item, addresses)?);
                }
                section("list")?.replace("{{items}}", &inner)
            }
            Block::Rows(rows) => {
                let mut inner = String::new();
                for row in rows {
                    let mut cells = String::new();
                    for cell in row.split(" | ") {
                        let text = inline(cell, addresses)?;
                        cells += section("cell")?.replace("{{text}}", &text).trim_end();
                    }
                    inner += &section("row")?.replace("{{cells}}", &cells);
                }
                section("table")?.replace("{{rows}}", &inner)
            }
        };
        html.push_str(&written);
    }
    Ok(html)
}

/// Text with its markup of characters, as HTML.
pub(super) fn inline(text: &str, addresses: &dyn Addresses) -> Result<String> {
    let mut html = String::new();
    for (at, part) in text.split("**").enumerate() {
        let part = links(part, |label, path| {
            let url = escape(&addresses.link(path)?);
            Ok(format!("<a href=\"{url}\">{}</a>", escape(label)))
        })?;
        if at % 2 == 1 {
            write!(html, "<strong>{part}</strong>")?;
        } else {
            html.push_str(&part);
        }
    }
    Ok(html)
}

/// Writes every `[label](path)` by `write`, and the text between them escaped.
fn links(text: &str, write: impl Fn(&str, &str) -> Result<String>) -> Result<String> {
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        written.push_str(&escape(before));
        let (label, after) = after.split_once("](").context("a link has no target")?;
        let (path, after) = after.split_once(')').context("a link is not closed")?;
        written.push_str(&write(label, path)?);
        rest = after;
    }
    written.push_str(&escape(rest));
    Ok(written)
}

/// The blocks as plain text, in lines of at most 74 letters where the language has spaces.
pub(super) fn text(blocks: &[Block<'_>], addresses: &dyn Addresses) -> Result<String> {
    let mut text = String::new();
    for block in blocks {
        match block {
            Block::Heading(line) => {
                let line = plain(line, addresses)?;
                let width = line.chars().count().min(60);
                writeln!(text, "{}\n{}", wrapped(&line), "=".repeat(width))?;
            }
            Block::Paragraph(line) | Block::Panel(line) => {
                writeln!(text, "{}", wrapped(&plain(line, addresses)?))?;
            }
            Block::Figure(line) => writeln!(text, "    {line}")?,
            Block::Picture(line) => writeln!(text, "[{line}]")?,
            Block::Button(label, path) => writeln!(text, "{label}:\n{}", addresses.link(path)?)?,
            Block::Items(items) => {
                for item in items {
                    writeln!(text, "* {}", wrapped(&plain(item, addresses)?))?;
                }
            }
            Block::Rows(rows) => {
                for row in rows {
                    writeln!(text, "{}", plain(row, addresses)?.replace(" | ", "   "))?;
                }
            }
            Block::Rule => writeln!(text, "{}", "-".repeat(40))?,
        }
        text.push('\n');
    }
    Ok(text)
}

fn plain(text: &str, addresses: &dyn Addresses) -> Result<String> {
    let mut written = String::new();
    let bare = text.replace("**", "");
    let mut rest = bare.as_str();
    while let Some((before, after)) = rest.split_once('[') {
        written.push_str(before);
        let (label, after) = after.split_once("](").context("a link has no target")?;
        let (path, after) = after.split_once(')').context("a link is not closed")?;
        write!(written, "{label} ( {} )", addresses.link(path)?)?;
        rest = after;
    }
    written.push_str(rest);
    Ok(written)
}

/// Breaks lines at spaces, and text without spaces after so many letters.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split(' ') {
        let count = word.chars().count();
        if width > 0 && width + count >= 74 {
            lines.push('\n');
            width = 0;
        } else if width > 0 {
            lines.push(' ');
            width += 1;
        }
        if word.is_ascii() || count < 40 {
            lines.push_str(word);
            width += count;
            continue;
        }
        for letter in word.chars() {
            if width >= 36 {
                lines.push('\n');
                width = 0;
            }
            lines.push(letter);
            width += 1;
        }
    }
    lines
}

/// Text as HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
