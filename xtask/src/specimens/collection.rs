//! What `testdata/legitimate` holds: texts by language, locales, mailers and layouts, read and checked.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// All that a message is made of.
pub(super) struct Collection {
    pub(super) messages: Vec<Message>,
    locales: BTreeMap<String, Locale>,
    mailers: BTreeMap<String, Mailer>,
    layouts: BTreeMap<String, Layout>,
}

/// What a message is sent for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// To many, of the sender's own accord: newsletters, offers, invitations.
    Marketing,
    /// To one, because of something that happened: orders, codes, notices.
    Transactional,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Marketing => "marketing",
            Kind::Transactional => "transactional",
        }
    }
}

/// How the links of a message are written.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Links {
    /// The bare page.
    Direct,
    /// The page with a token of the recipient's.
    Token,
    /// The page with campaign parameters.
    Utm,
    /// A host of the sender's that counts clicks.
    Tracked,
    /// A public shortener.
    Short,
}

/// What a message is made of.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "lowercase")]
pub(super) enum Shape {
    /// Plain text and HTML.
    Alternative,
    /// HTML alone.
    Html,
    /// Plain text alone.
    Text,
    /// HTML with its pictures in the message.
    Related,
    /// Plain text and HTML, with a document.
    Pdf,
    /// Plain text, HTML and an invitation.
    Ics,
}

/// One text. Placeholders in braces are filled for each recipient; `body` is described in the folder's README.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    pub(super) id: String,
    #[serde(skip)]
    pub(super) language: String,
    pub(super) kind: Kind,
    pub(super) layout: String,
    pub(super) mailer: String,
    pub(super) from: String,
    pub(super) subject: String,
    #[serde(default)]
    pub(super) preheader: String,
    pub(super) body: String,
    #[serde(default)]
    pub(super) footer: String,
    #[serde(default = "alternative")]
    pub(super) shape: Shape,
    #[serde(default = "tracked")]
    pub(super) links: Links,
    #[serde(default = "utf8")]
    pub(super) charset: String,
    #[serde(default = "quoted_printable")]
    pub(super) encoding: String,
}

fn alternative() -> Shape {
    Shape::Alternative
}

fn tracked() -> Links {
    Links::Tracked
}

fn utf8() -> String {
    "utf-8".to_owned()
}

fn quoted_printable() -> String {
    "quoted-printable".to_owned()
}

impl Message {
    /// The display name of the sender.
    pub(super) fn sender_name(&self) -> &str {
        self.from.split(" <").next().unwrap_or(&self.from)
    }

    /// The address of the sender.
    pub(super) fn sender_address(&self) -> &str {
        let address = self.from.rsplit('<').next().unwrap_or(&self.from);
        address.trim_end_matches('>')
    }

    /// The domain of the sender's address.
    pub(super) fn sender_domain(&self) -> &str {
        let address = self.sender_address();
        address.rsplit('@').next().unwrap_or(address)
    }

    /// The domain that the sender registered: the last two labels.
    pub(super) fn organisation(&self) -> &str {
        let domain = self.sender_domain();
        let dots = domain.rmatch_indices('.').nth(1);
        dots.map_or(domain, |(at, _)| domain.get(at + 1..).unwrap_or(domain))
    }
}

/// Names, places and ways of writing of one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Locale {
    pub(super) given: Vec<String>,
    pub(super) family: Vec<String>,
    /// The family names in letters of an address.
    #[serde(default)]
    pub(super) ascii: Vec<String>,
    pub(super) streets: Vec<String>,
    pub(super) cities: Vec<String>,
    pub(super) months: Vec<String>,
    /// With `{d}`, `{m}`, `{mm}` and `{y}`.
    pub(super) date: String,
    /// With `{n}`.
    pub(super) amount: String,
    pub(super) decimal: String,
    pub(super) group: String,
    #[serde(default)]
    pub(super) family_first: bool,
    #[serde(default)]
    pub(super) right_to_left: bool,
    pub(super) view: String,
    pub(super) unsubscribe: String,
    pub(super) zone: String,
}

/// The header of one kind of sending software.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mailer {
    pub(super) boundary: String,
    /// Field by field, in this software's order; `Content:` stands for the MIME fields.
    pub(super) fields: String,
}

/// A page and the blocks it is filled with.
#[derive(Debug)]
pub(super) struct Layout {
    sections: BTreeMap<String, String>,
}

impl Layout {
    fn parse(text: &str) -> Layout {
        let mut sections = BTreeMap::<String, String>::new();
        let mut current = String::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("%% ") {
                current = name.trim().to_owned();
            } else {
                let section = sections.entry(current.clone()).or_default();
                section.push_str(line);
                section.push('\n');
            }
        }
        Layout { sections }
    }

    /// The template of `page` or of a kind of block.
    pub(super) fn section(&self, name: &str) -> Option<&str> {
        self.sections.get(name).map(String::as_str)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    message: Vec<Message>,
}

impl Collection {
    /// Reads the folder; every message has what it refers to, and a name of its own.
    pub(super) fn read(folder: &Path) -> Result<Collection> {
        let mut layouts = BTreeMap::new();
        for (name, text) in files(&folder.join("layouts"), "html")? {
            layouts.insert(name, Layout::parse(&text));
        }
        let locales = toml::from_str(&read(&folder.join("locales.toml"))?).context("locales")?;
        let mailers = toml::from_str(&read(&folder.join("mailers.toml"))?).context("mailers")?;
        let mut messages = Vec::<Message>::new();
        for (name, text) in files(&folder.join("texts"), "toml")? {
            let texts: Texts = toml::from_str(&text).with_context(|| name.clone())?;
            let language = name.split('-').next().unwrap_or(&name);
            messages.extend(texts.message.into_iter().map(|it| Message {
                language: language.to_owned(),
                ..it
            }));
        }
        messages.sort_by(|a, b| a.id.cmp(&b.id));
        let collection = Collection {
            messages,
            locales,
            mailers,
            layouts,
        };
        collection.check()?;
        Ok(collection)
    }

    fn check(&self) -> Result<()> {
        for (message, next) in self.messages.iter().zip(self.messages.iter().skip(1)) {
            ensure!(message.id != next.id, "two messages are {}", next.id);
        }
        for message in &self.messages {
            self.locale(message)?;
            self.mailer(message)?;
            self.template(message, "page")?;
        }
        Ok(())
    }

    pub(super) fn locale(&self, message: &Message) -> Result<&Locale> {
        let locale = self.locales.get(&message.language);
        locale.with_context(|| format!("no locale {}", message.language))
    }

    pub(super) fn mailer(&self, message: &Message) -> Result<&Mailer> {
        let mailer = self.mailers.get(&message.mailer);
        mailer.with_context(|| format!("{}: no mailer {}", message.id, message.mailer))
    }

    /// A section of the message's layout, or of `base`, which has one for every kind of block.
    pub(super) fn template(&self, message: &Message, section: &str) -> Result<&str> {
        let Some(layout) = self.layouts.get(&message.layout) else {
            bail!("{}: no layout {}", message.id, message.layout);
        };
        let base = self.layouts.get("base");
        let found = layout
            .section(section)
            .or_else(|| base.and_then(|it| it.section(section)));
        found.with_context(|| format!("layout {} has no {section}", message.layout))
    }
}

/// The files of a folder with this ending: name without it, and content.
fn files(folder: &Path, ending: &str) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == ending) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            files.push((name.into_owned(), read(&path)?));
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}
