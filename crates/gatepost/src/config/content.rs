//! `[engine.content]`: the rule files of the operator, read and compiled with the configuration, so that what is wrong in
//! one is told with all other errors and a reload with a bad one changes nothing; and the classifier's model.

use std::path::Path;
use std::sync::Arc;

use scan::content::rules::Rules;

use super::classifier::Classifier;
use super::error::Fault;
use super::files;
use super::reader::Section;

/// The rules and the model of the content engine. Rules are equal if the files that they were made from are.
#[derive(Clone, Debug)]
pub struct Content {
    /// Name and content of each file, changes of the configuration itself last.
    files: Vec<(String, String)>,
    /// What they make with those that ship.
    pub rules: Arc<Rules>,
    /// The classifier; `None` if it is switched off.
    pub classifier: Option<Classifier>,
}

impl PartialEq for Content {
    fn eq(&self, other: &Content) -> bool {
        self.files == other.files && self.classifier == other.classifier
    }
}

impl Content {
    pub(super) fn read(section: &Section<'_, '_>, data_dir: &Path) -> Option<Content> {
        let mut files = Vec::new();
        for (path, span) in section.list("rules", |path| Ok(path.to_owned())) {
            let path = section.reader.path(&path);
            let name = path.display().to_string();
            let text = files::read(&path).and_then(|bytes| {
                String::from_utf8(bytes).map_err(|_| {
                    Fault::new(format!("{name} is not UTF-8"), "save the file as UTF-8")
                })
            });
            match text {
                Ok(text) => files.push((name, text)),
                Err(fault) => section.error_at(span, "rules", fault),
            }
        }
        let disabled = disabled(section);
        if !disabled.is_empty() {
            files.push(("disabled_rules".to_owned(), disabled));
        }
        let named: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        match Rules::with(&named) {
            Ok(rules) => Some(Content {
                files,
                rules,
                classifier: classifier(section, data_dir),
            }),
            Err(errors) => {
                for error in errors {
                    let fault = Fault::new(error.message, error.remedy);
                    if error.file == "disabled_rules" {
                        section.error("disabled_rules", fault);
                    } else {
                        let key = section.key_path("rules");
                        section
                            .reader
                            .error_at(&error.file, error.line, error.column, &key, fault);
                    }
                }
                None
            }
        }
    }
}

/// The model in use, unless the classifier is switched off.
fn classifier(section: &Section<'_, '_>, data_dir: &Path) -> Option<Classifier> {
    let file = section.path("model");
    let file = file.unwrap_or_else(|| Classifier::default_file(data_dir));
    section
        .toggle("classifier")
        .then(|| Classifier::load(&file))
        .flatten()
}

/// The rules that are switched off, as a rule file says it.
fn disabled(section: &Section<'_, '_>) -> String {
    let symbol = |symbol: &str| {
        let is_symbol = !symbol.is_empty()
            && symbol
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        is_symbol.then(|| symbol.to_owned()).ok_or_else(|| {
            Fault::new(
                "this is no symbol of a rule",
                "`gatepost rules list` shows them",
            )
        })
    };
    let mut symbols: Vec<String> = section
        .list("disabled_rules", symbol)
        .into_iter()
        .map(|(symbol, _)| symbol)
        .collect();
    symbols.sort_unstable();
    symbols.dedup();
    let change = |symbol: &String| format!("[change.{symbol}]\nenabled = false\n");
    symbols.iter().map(change).collect()
}
