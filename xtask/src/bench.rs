//! `cargo xtask bench NAME`: measures Gatepost beside its peers, interleaved in one run, on this machine only.
//!
//! A bench installs what it needs, shows its progress, and says how noisy the machine was. `--quick` takes less than a
//! minute once everything is built; a full run also writes its tables into docs/performance.md. A missed target is shown
//! as missed and is no error: the exit code says whether the measurement itself worked.

mod account;
mod figures;
mod idle;
mod inline;
mod load;
mod machine;
mod page;
mod peers;
mod postal;
mod process;
mod samples;

use anyhow::{Result, bail};

use crate::arguments::Arguments;

use self::peers::Kind;

/// How a bench was asked to run.
struct Options {
    /// Fewer and shorter runs.
    is_quick: bool,
    /// One JSON object as the last line.
    wants_json: bool,
    /// Which servers to measure.
    kinds: Vec<Kind>,
}

/// Runs the bench named on the command line.
pub(crate) fn run(mut arguments: Arguments) -> Result<bool> {
    let name = arguments.word().unwrap_or_default();
    let options = Options {
        is_quick: arguments.flag("--quick"),
        wants_json: arguments.flag("--json"),
        kinds: kinds(arguments.value("--only")?.as_deref())?,
    };
    arguments.finish()?;
    match name.as_str() {
        "inline" => inline::run(&options)?,
        "" => bail!("which bench? There is: inline"),
        other => bail!("no bench {other:?}; there is: inline"),
    }
    Ok(true)
}

/// The servers named in a list with commas; all of them without a list.
fn kinds(list: Option<&str>) -> Result<Vec<Kind>> {
    let Some(list) = list else {
        return Ok(Kind::ALL.to_vec());
    };
    let named = |name: &str| Kind::ALL.into_iter().find(|kind| kind.name() == name);
    list.split(',')
        .map(|name| named(name).ok_or_else(|| anyhow::anyhow!("no server {name:?} to measure")))
        .collect()
}
