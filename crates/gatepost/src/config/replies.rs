//! `[replies.LANGUAGE]`: texts of refusals that an operator has changed or translated.
//!
//! Templates, their language and the built-in ones live in `crate::replies`; here they get their place in the file.

use std::collections::BTreeMap;

use super::error::{Fault, Span};
use super::reader::Section;
use crate::policy::Kind;
use crate::replies::{TemplateError, Templates};

/// The texts of the file over the built-in ones.
pub(super) fn read(file: &Section<'_, '_>) -> Templates {
    let mut overrides = BTreeMap::new();
    let mut spans = BTreeMap::new();
    for (language, section) in file.named_tables("replies") {
        if !is_language(language) {
            let fault = Fault::new(
                format!("`{}` is not a language tag", language.escape_debug()),
                "write a tag in lower case, such as `en`, `de` or `pt-br`",
            );
            section.error_at(section.span(""), "", fault);
            continue;
        }
        let mut texts = BTreeMap::new();
        for kind in Kind::ALL {
            let key = key_of(kind);
            if let Some(text) = section.form(&key, |text| Ok(text.to_owned())) {
                spans.insert((language.to_owned(), kind.name()), section.span(&key));
                texts.insert(kind.name().to_owned(), text);
            }
        }
        overrides.insert(language.to_owned(), texts);
    }
    Templates::with_overrides(&overrides).unwrap_or_else(|errors| {
        errors.iter().for_each(|error| note(file, &spans, error));
        Templates::builtin()
    })
}

/// The key of a kind: its name, written as keys are.
pub(super) fn key_of(kind: Kind) -> String {
    kind.name().replace('-', "_")
}

fn note(file: &Section<'_, '_>, spans: &BTreeMap<(String, &str), Span>, error: &TemplateError) {
    let TemplateError {
        language,
        kind,
        problem,
    } = error;
    let found = spans
        .iter()
        .find(|((tag, name), _)| tag == language && name == kind);
    let span = found.map_or_else(|| file.span("replies"), |(_, span)| span.clone());
    let problem = problem.to_string();
    let (message, remedy) = problem.split_once("; ").unwrap_or((
        &problem,
        "write `{name}` for a value and `{if name}...{else}...{end}` for a part that depends on one",
    ));
    file.error_at(span, "replies", Fault::new(message, remedy));
}

/// RFC 5646 2.1, as much of it as anybody needs here.
fn is_language(tag: &str) -> bool {
    let subtag = |subtag: &str| {
        (1..=8).contains(&subtag.len())
            && subtag
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    tag.len() <= 35 && tag.split('-').all(subtag)
}
