//! `gatepost train`, `evaluate` and `learn`: the model of the classifier, made from folders of messages, tried, moved on.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;
use scan::content::classifier::cluster::{Ties, clusters};
use scan::content::classifier::{Example, Features, Model, train};
use scan::content::rules::{RuleFacts, Rules};
use scan::message::Message;

use super::{complain, say};

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

/// Moves a model on by single messages.
#[derive(Debug, Args)]
pub(super) struct LearnOptions {
    /// The model; it is replaced
    #[arg(long)]
    model: PathBuf,
    /// What the messages are
    #[arg(long, value_enum)]
    class: Class,
    /// The messages
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// One JSON object for each message instead of text
    #[arg(long)]
    json: bool,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Class {
    /// Legitimate
    Ham,
    /// Spam
    Spam,
}

/// A message that was read.
struct Read {
    file: PathBuf,
    example: Example,
    ties: Ties,
}

/// Does `gatepost train`.
pub(super) fn run_train(options: &TrainOptions) -> ExitCode {
    ended(training(options))
}

/// Does `gatepost learn`.
pub(super) fn run_learn(options: &LearnOptions) -> ExitCode {
    ended(learning(options))
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

fn training(options: &TrainOptions) -> Result<(), String> {
    let (read, folded) = read_all(&options.ham, &options.spam)?;
    let examples: Vec<&Example> = read.iter().map(|read| &read.example).collect();
    let model = train(&examples, options.seed);
    write(&options.out, &model)?;
    let (ham, spam) = model.trained_with();
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

fn learning(options: &LearnOptions) -> Result<(), String> {
    let rules = rules()?;
    let mut model = load(&options.model)?;
    let is_spam = options.class == Class::Spam;
    for file in &options.files {
        let message = message(file)?;
        let features = features(&rules, &message);
        let before = model.probability(&features);
        let steps = model.learn(&features, is_spam);
        let after = model.probability(&features);
        let name = file.display();
        say(&if options.json {
            serde_json::json!({ "file": file, "before": before, "after": after, "steps": steps })
                .to_string()
        } else {
            format!("{name}: {before:.3} before, {after:.3} now")
        });
    }
    write(&options.model, &model)
}

fn rules() -> Result<std::sync::Arc<Rules>, String> {
    Rules::built_in().map_err(|_| "the rules that ship are damaged".to_owned())
}

fn load(file: &Path) -> Result<Model, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let bytes = std::fs::read(file).map_err(|error| told(&error))?;
    Model::from_bytes(&bytes).map_err(|error| told(&error))
}

/// Writes beside and renames: whoever reads sees the old model or the new one.
fn write(file: &Path, model: &Model) -> Result<(), String> {
    let beside = file.with_added_extension("new");
    std::fs::write(&beside, model.to_bytes())
        .and_then(|()| std::fs::rename(&beside, file))
        .map_err(|error| format!("{}: {error}", file.display()))
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
fn read_all(ham: &[PathBuf], spam: &[PathBuf]) -> Result<(Vec<Read>, usize), String> {
    let rules = rules()?;
    let mut files = Vec::new();
    for (folders, is_spam) in [(ham, false), (spam, true)] {
        for folder in folders {
            let mut found = Vec::new();
            collect(folder, &mut found)?;
            found.sort();
            files.extend(found.into_iter().map(|file| (file, is_spam)));
        }
    }
    let (mut seen, mut read, mut folded) = (std::collections::HashSet::new(), Vec::new(), 0);
    for (index, (file, is_spam)) in files.into_iter().enumerate() {
        if index % PROGRESS_MESSAGES == 0 && index > 0 {
            complain(&format!("{index} messages read"));
        }
        let message = message(&file)?;
        let ties = Ties::of(message.reading());
        if ties.body.is_some_and(|body| !seen.insert(body)) {
            folded += 1;
            continue;
        }
        let example = Example {
            features: features(&rules, &message),
            is_spam,
            cluster: 0,
        };
        read.push(Read {
            file,
            example,
            ties,
        });
    }
    let numbers = clusters(read.iter().map(|read| &read.ties));
    for (read, number) in read.iter_mut().zip(numbers) {
        read.example.cluster = number;
    }
    Ok((read, folded))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.file_name().is_some_and(|name| name != "cmds") {
            files.push(path);
        }
    }
    Ok(())
}
