//! `gatepost train`, `evaluate` and `learn`: the model of the classifier, made from folders of messages, tried, moved on.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;
use jiff::Timestamp;
use scan::content::classifier::cluster::{Ties, clusters};
use scan::content::classifier::{Example, Features, Model, train};
use scan::content::rules::{RuleFacts, Rules};
use scan::message::Message;

use super::{ConfigOption, complain, say};
use crate::config::{self, Config, EngineKind};
use crate::learning::{Class, Learning, NotLearned, Source, replace_model};

mod evaluation;

pub(super) use self::evaluation::{EvaluateOptions, evaluate};

/// Bytes of a message that are read.
const MESSAGE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Messages between two lines of progress.
const PROGRESS_MESSAGES: usize = 1_000;

/// Trains a model.
#[derive(Debug, Args)]
pub(super) struct TrainOptions {
    /// Folders with legitimate messages, one to a file
    #[arg(long, required = true, num_args = 1..)]
    ham: Vec<PathBuf>,
    /// Folders with spam, one to a file
    #[arg(long, required = true, num_args = 1..)]
    spam: Vec<PathBuf>,
    /// The file for the model
    #[arg(long)]
    out: PathBuf,
    /// Sets the order of training: the same seed and messages give the same model
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Moves the model of the installation on by single messages.
#[derive(Debug, Args)]
pub(super) struct LearnOptions {
    /// The model, in place of that of `[engine.content]`
    #[arg(long)]
    model: Option<PathBuf>,
    /// What the messages are
    #[arg(long, value_enum)]
    class: Class,
    /// On whose word: each source has a limit of messages a day
    #[arg(long, value_enum, default_value = "operator")]
    source: Source,
    /// The messages
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// One JSON object for each message instead of text
    #[arg(long)]
    json: bool,
}

/// A message that was read.
struct Read {
    file: PathBuf,
    example: Example,
    ties: Ties,
}

/// Does `gatepost train`.
pub(super) fn run_train(config: &ConfigOption, options: &TrainOptions) -> ExitCode {
    with_content(config, |content| training(content, options))
}

/// Does `gatepost learn`.
pub(super) fn run_learn(config: &ConfigOption, options: &LearnOptions) -> ExitCode {
    with_content(config, |content| learning(content, options))
}

/// Does something with the rules and the model of the configuration.
fn with_content(
    option: &ConfigOption,
    act: impl FnOnce(&config::Content) -> Result<(), String>,
) -> ExitCode {
    let config = match option.load_or_tell() {
        Ok(config) => config,
        Err(code) => return code,
    };
    ended(match content_of(&config) {
        Some(content) => act(content),
        None => Err("the configuration has no engine `content`".to_owned()),
    })
}

fn content_of(config: &Config) -> Option<&config::Content> {
    let mut kinds = config.engines.values().map(|engine| &engine.kind);
    kinds.find_map(|kind| match kind {
        EngineKind::Content(content) => Some(content),
        _ => None,
    })
}

fn ended(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("gatepost: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn training(content: &config::Content, options: &TrainOptions) -> Result<(), String> {
    let folders = |folders: &[PathBuf]| -> Vec<PathBuf> {
        let real = folders.iter().map(|folder| folder.canonicalize());
        real.filter_map(Result::ok).collect()
    };
    let spam = folders(&options.spam);
    for ham in folders(&options.ham) {
        if let Some(other) = spam
            .iter()
            .find(|it| it.starts_with(&ham) || ham.starts_with(it))
        {
            return Err(format!(
                "{} is given as ham and {} as spam: no folder can be both",
                ham.display(),
                other.display()
            ));
        }
    }
    let (read, folded) = read_all(&content.rules, &options.ham, &options.spam)?;
    let examples: Vec<&Example> = read.iter().map(|read| &read.example).collect();
    let model = train(&examples, options.seed);
    let (ham, spam) = model.trained_with();
    if ham == 0 || spam == 0 {
        return Err(format!(
            "{ham} ham and {spam} spam were found: a model needs both, a thousand of each at least"
        ));
    }
    if ham.min(spam) < FEW_MESSAGES {
        complain(&format!(
            "a model of {ham} ham and {spam} spam knows little: a thousand of each are the least that is worth using"
        ));
    }
    replace_model(&options.out, &model)?;
    let out = options.out.display();
    say(&if options.json {
        serde_json::json!({
            "model": options.out, "ham": ham, "spam": spam, "duplicates": folded, "seed": options.seed,
        })
        .to_string()
    } else {
        format!("{out}: trained with {ham} ham and {spam} spam, {folded} duplicates left out")
    });
    Ok(())
}

fn learning(content: &config::Content, options: &LearnOptions) -> Result<(), String> {
    let configured = content
        .classifier
        .as_ref()
        .map(|classifier| &classifier.file);
    let file = options.model.as_ref().or(configured).ok_or(
        "the classifier is switched off: switch `[engine.content] classifier` on, or name a --model",
    )?;
    let mut learning = Learning::begin(file)?;
    let (mut not_learned, mut failed, mut is_again) = (0, 0, false);
    for path in &options.files {
        // One that can't be read does not undo what was learned before it.
        let learned = message(path).and_then(|message| {
            let (class, source) = (options.class, options.source);
            let learned = learning.learn(&message, &content.rules, class, source, Timestamp::now());
            is_again = learned == Err(NotLearned::Again);
            learned.map_err(|why| why.to_string())
        });
        not_learned += usize::from(learned.is_err());
        failed += usize::from(learned.is_err() && !std::mem::take(&mut is_again));
        let name = path.display();
        say(&match (learned, options.json) {
            (Ok(learned), true) => serde_json::json!({
                "file": path, "before": learned.before, "after": learned.after, "steps": learned.steps,
            })
            .to_string(),
            (Ok(learned), false) => {
                format!("{name}: probability of spam {:.3} before, {:.3} now", learned.before, learned.after)
            }
            (Err(why), true) => {
                serde_json::json!({ "file": path, "not_learned": why }).to_string()
            }
            (Err(why), false) => format!("{name}: not learned: {why}"),
        });
    }
    learning.finish()?;
    if !options.json && not_learned < options.files.len() && options.model.is_none() {
        complain("`gatepost reload` has a running server use it");
    }
    // What was learned before is what was asked for.
    match failed {
        0 => Ok(()),
        count => Err(format!(
            "{count} of {} messages were not learned",
            options.files.len()
        )),
    }
}

/// Messages of a class below which a model is not worth using.
const FEW_MESSAGES: u32 = 1_000;

fn load(file: &Path) -> Result<Model, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let bytes = std::fs::read(file).map_err(|error| told(&error))?;
    Model::from_bytes(&bytes).map_err(|error| told(&error))
}

fn message(file: &Path) -> Result<Message, String> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(file)
        .and_then(|open| open.take(MESSAGE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|error| format!("{}: {error}", file.display()))?;
    // Messages out of an mbox bear its separator.
    if bytes.starts_with(b"From ") {
        let line = bytes.iter().position(|byte| *byte == b'\n');
        bytes.drain(..line.map_or(0, |end| end + 1));
    }
    Ok(Message::new(Bytes::from(bytes)))
}

fn features(rules: &Rules, message: &Message) -> Features {
    let reading = message.reading();
    Features::of(reading, &rules.match_(reading, &RuleFacts::default()))
}

/// All messages of the folders in the order of their paths, each body once, with clusters; and how many were folded.
fn read_all(
    rules: &Rules,
    ham: &[PathBuf],
    spam: &[PathBuf],
) -> Result<(Vec<Read>, usize), String> {
    let mut files = Vec::new();
    for (folders, is_spam) in [(ham, false), (spam, true)] {
        for folder in folders {
            let mut found = Vec::new();
            collect(folder, &mut found)?;
            found.sort();
            files.extend(found.into_iter().map(|file| (file, is_spam)));
        }
    }
    let (mut seen, mut read, mut folded) = (std::collections::HashMap::new(), Vec::new(), 0);
    let (mut no_messages, mut conflicts) = (0, 0);
    for (index, (file, is_spam)) in files.into_iter().enumerate() {
        if index % PROGRESS_MESSAGES == 0 && index > 0 {
            complain(&format!("{index} messages read"));
        }
        let message = message(&file)?;
        if message.header_fields().next().is_none() {
            no_messages += 1;
            continue;
        }
        let ties = Ties::of(message.reading());
        if let Some(body) = ties.body {
            match seen.get(&body) {
                Some(known) => {
                    folded += 1;
                    conflicts += usize::from(*known != is_spam);
                    continue;
                }
                None => seen.insert(body, is_spam),
            };
        }
        let example = Example {
            features: features(rules, &message),
            is_spam,
            cluster: 0,
        };
        read.push(Read {
            file,
            example,
            ties,
        });
    }
    if no_messages > 0 {
        complain(&format!(
            "{no_messages} files that begin with no header field are left out: they are no messages"
        ));
    }
    if conflicts > 0 {
        complain(&format!(
            "{conflicts} messages are ham as well as spam, and count as ham"
        ));
    }
    let numbers = clusters(read.iter().map(|read| &read.ties));
    for (read, number) in read.iter_mut().zip(numbers) {
        read.example.cluster = number;
    }
    Ok((read, folded))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let told = |error: std::io::Error| {
        format!(
            "{}: {error}: name a folder with one message in a file",
            folder.display()
        )
    };
    for entry in std::fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name != "cmds" && !name.starts_with('.'))
        {
            files.push(path);
        }
    }
    Ok(())
}
