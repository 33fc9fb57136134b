//! What the one who sent a message reads when it is refused: typed texts, in his language if an operator chose it.
//!
//! The reference comes first, in square brackets, the link to the release page directly behind it: many systems show
//! only the first line of a reply and some cut it. Texts are templates (`template`), built in for five languages
//! (`builtin`) and replaceable one by one. No scores and no names of rules reach a text. Codes are in `policy::Kind`.

use std::collections::BTreeMap;
use std::fmt;

use smtp::Reply;

use crate::policy::Kind;

mod builtin;
mod template;
mod values;

use template::Template;
pub use template::{PLACEHOLDERS, Problem};
pub use values::Values;

/// The tags of the built-in languages.
pub fn builtin_languages() -> impl Iterator<Item = &'static str> {
    builtin::LANGUAGES.iter().map(|(language, _)| *language)
}

/// The language of last resort.
pub const LANGUAGE_DEFAULT: &str = "en";

/// All texts of a node: the built-in ones and what the operator put in their place.
#[derive(Clone, Debug, PartialEq)]
pub struct Templates {
    languages: BTreeMap<String, BTreeMap<Kind, Template>>,
}

/// What is wrong with an operator's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The language it is for.
    pub language: String,
    /// The kind it is for, as given.
    pub kind: String,
    /// What is wrong.
    pub problem: Problem,
}

impl Templates {
    /// The built-in texts: English, German, French, Spanish and Swedish.
    pub fn builtin() -> Templates {
        let languages = builtin::LANGUAGES.iter().map(|(language, text_of)| {
            // Every built-in text is a valid template: a test reads them all.
            let template = |kind: Kind| Template::parse(text_of(kind)).unwrap_or_default();
            let texts = Kind::ALL.map(|kind| (kind, template(kind)));
            ((*language).to_owned(), BTreeMap::from(texts))
        });
        Templates {
            languages: languages.collect(),
        }
    }

    /// The built-in texts with the operator's in their place: language tag, name of the kind, text.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn with_overrides(
        overrides: &BTreeMap<String, BTreeMap<String, String>>,
    ) -> Result<Templates, Vec<TemplateError>> {
        let mut templates = Templates::builtin();
        let mut errors = Vec::new();
        for (language, texts) in overrides {
            let own = templates
                .languages
                .entry(language.to_ascii_lowercase())
                .or_default();
            for (name, text) in texts {
                let mut fail = |problem| {
                    errors.push(TemplateError {
                        language: language.clone(),
                        kind: name.clone(),
                        problem,
                    });
                };
                match (name.parse::<Kind>(), Template::parse(text)) {
                    (Ok(kind), Ok(template)) => {
                        own.insert(kind, template);
                    }
                    (kind, template) => {
                        if kind.is_err() {
                            fail(Problem::UnknownKind);
                        }
                        template.err().into_iter().flatten().for_each(fail);
                    }
                }
            }
        }
        if errors.is_empty() {
            Ok(templates)
        } else {
            Err(errors)
        }
    }

    /// The tags of all languages that have texts.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages.keys().map(String::as_str)
    }

    /// The reply for this kind. `language` is a tag: `de-AT` falls back to `de`, and everything to English.
    pub fn render(&self, kind: Kind, language: &str, values: &Values<'_>) -> Reply {
        Reply::new(
            kind.code(),
            kind.status(),
            self.text(kind, language, values),
        )
    }

    /// The reply for this kind in place of the banner: 554 or 421 (RFC 5321 3.1, 4.3.2).
    pub fn render_at_connect(&self, kind: Kind, language: &str, values: &Values<'_>) -> Reply {
        let text = self.text(kind, language, values);
        Reply::new(kind.code_at_connect(), kind.status(), text)
    }

    /// The text alone, reference and link included.
    fn text(&self, kind: Kind, language: &str, values: &Values<'_>) -> String {
        let mut text = String::with_capacity(256);
        values.begin(&mut text);
        if let Some(template) = self.template(kind, language) {
            template.render(values, &mut text);
        }
        text.truncate(text.trim_end().len());
        text
    }

    fn template(&self, kind: Kind, language: &str) -> Option<&Template> {
        let language = language.to_ascii_lowercase();
        let primary = language.split('-').next().unwrap_or_default();
        [language.as_str(), primary, LANGUAGE_DEFAULT]
            .into_iter()
            .find_map(|tag| self.languages.get(tag)?.get(&kind))
    }
}

impl Default for Templates {
    fn default() -> Templates {
        Templates::builtin()
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TemplateError {
            language,
            kind,
            problem,
        } = self;
        write!(f, "replies.{language}.{kind}: {problem}")
    }
}

impl std::error::Error for TemplateError {}

#[cfg(test)]
mod tests;
