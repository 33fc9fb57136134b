//! `cargo xtask bench NAME`: measures Gatepost beside its peers, interleaved in one run, on this machine only.
//!
//! A bench installs what it needs, shows its progress, and says how noisy the machine was. `--quick` takes a minute or a few
//! once everything is built; a full run also writes its tables into a page of docs/. A missed target is shown as missed and is
//! no error: the exit code says whether the measurement itself worked.

pub(crate) mod account;
mod accuracy;
mod backlog;
mod figures;
mod idle;
mod inline;
mod load;
pub(crate) mod machine;
pub(crate) mod metrics;
mod page;
mod peers;
mod postal;
pub(crate) mod process;
mod publish;
mod queue;
mod runs;
mod samples;
mod spool;

use anyhow::{Result, bail};

use crate::arguments::Arguments;

use self::peers::Kind;
use self::spool::engine::Engine;

/// How a bench was asked to run.
struct Options {
    /// Fewer and shorter runs.
    is_quick: bool,
    /// One JSON object as the last line.
    wants_json: bool,
    /// Which servers to measure.
    kinds: Vec<Kind>,
    /// Which engines to measure.
    engines: Vec<Engine>,
    /// The part of a bench to run, if not all of it.
    part: Option<String>,
}

impl Options {
    fn wants(&self, part: &str) -> bool {
        self.part.as_deref().is_none_or(|it| it == part)
    }
}

/// Trains the model that ships anew: `cargo xtask model`.
pub(crate) fn model(mut arguments: Arguments) -> Result<bool> {
    let is_check = arguments.flag("--check");
    arguments.finish()?;
    accuracy::model::run(is_check)?;
    Ok(true)
}

/// Runs the bench named on the command line.
pub(crate) fn run(mut arguments: Arguments) -> Result<bool> {
    let name = arguments.word().unwrap_or_default();
    let (all, parts): (&[Kind], &[&str]) = match name.as_str() {
        "inline" => (Kind::IN_LINE, &[]),
        "queue" => (Kind::QUEUED, queue::PARTS),
        "spool" | "accuracy" => (&[], &[]),
        "" => bail!("which bench? There are: inline, queue, spool, accuracy"),
        other => bail!("no bench {other:?}; there are: inline, queue, spool, accuracy"),
    };
    let only = arguments.value("--only")?;
    let (mut kinds, mut engines) = (all.to_vec(), Engine::ALL.to_vec());
    if let Some(only) = &only {
        match name.as_str() {
            "spool" => engines = named(&Engine::ALL, Engine::name, only)?,
            _ => kinds = named(all, Kind::name, only)?,
        }
    }
    let options = Options {
        is_quick: arguments.flag("--quick"),
        wants_json: arguments.flag("--json"),
        kinds,
        engines,
        part: arguments.value("--part")?,
    };
    arguments.finish()?;
    if let Some(part) = &options.part
        && !parts.contains(&part.as_str())
    {
        bail!("bench {name} has no part {part:?}");
    }
    match name.as_str() {
        "inline" => inline::run(&options)?,
        "queue" => queue::run(&options)?,
        "accuracy" => accuracy::run(&options)?,
        _ => spool::run(&options)?,
    }
    Ok(true)
}

/// Those that are named in a list with commas.
fn named<T: Copy>(all: &[T], name_of: fn(T) -> &'static str, list: &str) -> Result<Vec<T>> {
    let one = |name: &str| {
        let found = all.iter().copied().find(|&it| name_of(it) == name);
        found.ok_or_else(|| anyhow::anyhow!("there is no {name:?} to measure"))
    };
    list.split(',').map(one).collect()
}
