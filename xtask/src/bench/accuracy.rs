//! `bench accuracy`: how much spam is caught for how many false positives, by the classifier of ours and by other filters, on the
//! same messages.
//!
//! `messages` unpacks and strips them (`strip`); ours is `gatepost evaluate`, whose cross-validation by clusters gives each message
//! a fold; `filters` asks the others, trained with the same folds where they learn; `report` sums up.

mod engines;
mod filters;
mod messages;
pub(super) mod model;
mod report;
mod strip;

#[path = "../../../crates/scan/tests/support/daemons.rs"]
mod daemons;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use self::messages::{PARTS, Part, Role};
use super::Options;
use crate::{install, workspace};

/// Folds of `gatepost evaluate`.
const FOLDS: u64 = 5;

/// Of so many messages spamd is given one.
const SPAMD_STEP: usize = 8;
/// The same for a quick run.
const SPAMD_STEP_QUICK: usize = 60;
/// Of so many messages rspamd is given one in a quick run.
const RSPAMD_STEP_QUICK: usize = 10;

/// A message, and what our classifier says of it.
struct Judged {
    file: PathBuf,
    part: Part,
    fold: u64,
    log_odds: f64,
}

/// What a filter says of a message of this part.
#[derive(Clone, Copy, Debug)]
struct Scored {
    part: Part,
    score: f64,
}

/// What a filter said of all messages that it was given.
struct Filter {
    name: String,
    scores: Vec<Scored>,
    /// Processor seconds for 1,000 messages, if measured; of ours those of all engines together.
    seconds_per_1000: Option<f64>,
}

impl Judged {
    fn scored(&self, score: f64) -> Scored {
        Scored {
            part: self.part,
            score,
        }
    }
}

/// Runs the bench and reports.
pub(super) fn run(options: &Options) -> Result<()> {
    install::packages(install::TESTS)?;
    install::packages(install::FILTERS)?;
    let folder = messages::prepare()?;
    let judged = judge(&folder)?;
    println!("engines");
    let speed = engines::measure(&folder)?;
    let beside_others = engines::measure_all(&folder)?;
    let mut all = vec![Filter {
        name: "gatepost".to_owned(),
        scores: judged.iter().map(|it| it.scored(it.log_odds)).collect(),
        seconds_per_1000: Some(beside_others.processor_seconds_per_1000),
    }];
    let scratch = filters::scratch()?;
    let (rspamd_step, spamd_step) = match options.is_quick {
        true => (RSPAMD_STEP_QUICK, SPAMD_STEP_QUICK),
        false => (1, SPAMD_STEP),
    };
    println!("bogofilter");
    all.push(filter("bogofilter", 1, filters::bogofilter(&judged)?));
    println!("rspamd");
    let sample = filters::sample(&judged, rspamd_step);
    let outcome = filters::rspamd(&sample, &scratch)?;
    all.push(filter("rspamd", rspamd_step, outcome));
    println!("spamd -L");
    let sample = filters::sample(&judged, spamd_step);
    let outcome = filters::spamd(&sample, &scratch)?;
    all.push(filter("spamd -L", spamd_step, outcome));
    report::publish(options, &all, &speed)
}

fn filter(name: &str, step: usize, outcome: filters::Outcome) -> Filter {
    let count = outcome.scores.len().max(1) as f64;
    let name = match step {
        1 => name.to_owned(),
        _ => format!("{name} (1 of {step})"),
    };
    Filter {
        name,
        scores: outcome.scores,
        seconds_per_1000: Some(outcome.processor.as_secs_f64() / count * 1_000.0),
    }
}

/// Builds the program, and tells where it is.
fn build() -> Result<PathBuf> {
    println!("building gatepost --release");
    let status = workspace::cargo()
        .args(["build", "--locked", "--release", "--package", "gatepost"])
        .status()
        .context("cargo build")?;
    ensure!(status.success(), "gatepost does not build");
    Ok(workspace::target("release/gatepost"))
}

/// The folders of the parts with one of these roles.
fn folders(folder: &Path, roles: &[Role]) -> Vec<PathBuf> {
    let wanted = PARTS.iter().filter(|part| roles.contains(&part.role));
    wanted.map(|part| folder.join(part.name)).collect()
}

/// Has `gatepost evaluate` train with some folds and judge the others.
fn judge(folder: &Path) -> Result<Vec<Judged>> {
    let gatepost = build()?;
    println!("gatepost evaluate");
    let scores = workspace::target("accuracy/scores.json");
    let folders = |roles: &[Role]| folders(folder, roles);
    let output = Command::new(gatepost)
        .arg("evaluate")
        .arg("--ham")
        .args(folders(&[Role::Ham]))
        .arg("--spam")
        .args(folders(&[Role::Spam]))
        .arg("--unseen")
        .args(folders(&[Role::UnseenHam, Role::UnseenSpam]))
        .arg("--scores")
        .arg(&scores)
        .arg("--json")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("gatepost evaluate")?;
    ensure!(output.status.success(), "gatepost evaluate failed");
    let text = fs::read_to_string(&scores)?;
    text.lines().map(line).collect()
}

fn line(line: &str) -> Result<Judged> {
    let object: serde_json::Value = serde_json::from_str(line)?;
    let file = PathBuf::from(object["file"].as_str().context("a line without a file")?);
    let folder = file.parent().and_then(Path::file_name);
    let part = PARTS
        .into_iter()
        .find(|part| folder.is_some_and(|folder| folder == part.name));
    Ok(Judged {
        part: part.context("a message of no part")?,
        fold: object["fold"].as_u64().context("no fold")?,
        log_odds: object["log_odds"].as_f64().context("no log_odds")?,
        file,
    })
}
