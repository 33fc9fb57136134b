//! `gatepost rules`: which rules there are on content, what they find in a message, whether a rule file is right.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use clap::Subcommand;
use scan::content::Content;
use scan::content::rules::{Rule, RuleError, RuleFacts, Rules};
use scan::message::Message;

use super::{ConfigOption, complain, say, tell};
use crate::config::{Config, EngineKind};

/// Bytes of the largest file that is read.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What `--help` says at its end.
pub(super) const AFTER_HELP: &str = "\
Rules are those that ship and those of the files that `[engine.content] rules` names.

Examples:   gatepost rules list --config /etc/gatepost/gatepost.toml
            gatepost rules test suspicious.eml --json | jq .score
            gatepost rules check /etc/gatepost/our-rules.toml";

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Tell all rules: symbol, weight, what a match means
    List {
        /// One JSON object for each rule, one to a line
        #[arg(long)]
        json: bool,
    },
    /// Tell all fields that conditions can ask for
    Fields {
        /// One JSON object for each field, one to a line
        #[arg(long)]
        json: bool,
    },
    /// Tell which rules match a message, and on what
    Test {
        /// The message, or - for standard input
        file: PathBuf,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Tell all errors of rule files, with line, column and remedy; without files, of those that the configuration names
    Check {
        /// Rule files, in the order in which they are read
        files: Vec<PathBuf>,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
}

/// Does it.
pub(super) fn run(option: &ConfigOption, command: &RulesCommand) -> ExitCode {
    match command {
        RulesCommand::List { json } => with_rules(option, |rules| {
            for rule in rules.rules() {
                say(&if *json {
                    object(rule).to_string()
                } else {
                    line(rule)
                });
            }
            ExitCode::SUCCESS
        }),
        RulesCommand::Fields { json } => {
            for (scope, name, kind, meaning) in Rules::fields() {
                say(&if *json {
                    serde_json::json!({ "scope": scope, "name": name, "kind": kind, "meaning": meaning }).to_string()
                } else {
                    format!("{scope:<11} {name:<22} {kind:<7} {meaning}")
                });
            }
            ExitCode::SUCCESS
        }
        RulesCommand::Test { file, json } => with_rules(option, |rules| test(rules, file, *json)),
        RulesCommand::Check { files, json } if files.is_empty() => {
            with_rules(option, |rules| told(&Ok(rules.rules().len()), *json))
        }
        RulesCommand::Check { files, json } => check(files, *json),
    }
}

fn with_rules(option: &ConfigOption, act: impl FnOnce(&Arc<Rules>) -> ExitCode) -> ExitCode {
    match option.load_or_tell() {
        Ok(config) => match rules_of(&config) {
            Some(rules) => act(rules),
            None => {
                complain("gatepost: the configuration has no engine `content`");
                ExitCode::FAILURE
            }
        },
        Err(code) => code,
    }
}

fn rules_of(config: &Config) -> Option<&Arc<Rules>> {
    config
        .engines
        .values()
        .find_map(|engine| match &engine.kind {
            EngineKind::Content(content) => Some(&content.rules),
            _ => None,
        })
}

fn line(rule: &Rule) -> String {
    let off = if rule.is_enabled { "" } else { " (off)" };
    format!(
        "{:>5.1}  {:<32} {}{off}",
        rule.weight, rule.symbol, rule.description
    )
}

fn object(rule: &Rule) -> serde_json::Value {
    serde_json::json!({
        "symbol": rule.symbol, "weight": rule.weight, "description": rule.description,
        "enabled": rule.is_enabled, "when": rule.when, "file": rule.file,
    })
}

fn test(rules: &Arc<Rules>, file: &Path, json: bool) -> ExitCode {
    let bytes = match read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            complain(&format!("gatepost: {}: {error}", file.display()));
            return ExitCode::FAILURE;
        }
    };
    let engine = Content::new(Arc::clone(rules));
    let finding = engine.inspect(&Message::new(Bytes::from(bytes)), &RuleFacts::default());
    if json {
        return match serde_json::to_string(&finding) {
            Ok(text) => {
                say(&text);
                ExitCode::SUCCESS
            }
            Err(error) => {
                complain(&format!("gatepost: {error}"));
                ExitCode::FAILURE
            }
        };
    }
    for symbol in &finding.symbols {
        let description = rules.rules().iter().find(|rule| rule.symbol == symbol.name);
        let description = description.map_or("", |rule| rule.description.as_str());
        let detail = symbol
            .detail
            .as_deref()
            .map_or(String::new(), |detail| format!(" [{detail}]"));
        let score = symbol.score.unwrap_or_default();
        say(&format!(
            "{score:>5.1}  {:<32} {description}{detail}",
            symbol.name
        ));
    }
    say(&finding.reason);
    ExitCode::SUCCESS
}

fn check(files: &[PathBuf], json: bool) -> ExitCode {
    let mut texts = Vec::new();
    for file in files {
        let name = file.display().to_string();
        match std::fs::read_to_string(file) {
            Ok(text) => texts.push((name, text)),
            Err(error) => {
                complain(&format!("gatepost: {name}: {error}"));
                return ExitCode::FAILURE;
            }
        }
    }
    let named: Vec<(&str, &str)> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    told(&Rules::with(&named).map(|rules| rules.rules().len()), json)
}

fn told(result: &Result<usize, Vec<RuleError>>, json: bool) -> ExitCode {
    let errors = result.as_ref().err().map(Vec::as_slice).unwrap_or_default();
    if json {
        let errors: Vec<_> = errors
            .iter()
            .map(|error| {
                serde_json::json!({
                    "file": error.file, "line": error.line, "column": error.column,
                    "message": error.message, "remedy": error.remedy,
                })
            })
            .collect();
        say(&serde_json::json!({ "ok": result.is_ok(), "errors": errors }).to_string());
    } else if let Ok(count) = result {
        say(&format!("ok: {count} rules"));
    } else {
        tell(errors.iter());
    }
    if result.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin()
            .take(FILE_BYTES_MAX)
            .read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(file)?
            .take(FILE_BYTES_MAX)
            .read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
