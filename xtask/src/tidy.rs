//! `cargo xtask tidy`: the house rules that neither rustc nor clippy knows.
//!
//! `size` limits files and functions, with `ratchet` for what is still too long; `layers` says which crate may use
//! which; `purity` keeps clocks and sockets out of pure code; `names` and `text` are about words. `source` reads Rust
//! just well enough for these.

mod layers;
pub(crate) mod links;
mod names;
mod purity;
mod ratchet;
mod size;
mod source;
mod text;

use std::fs;

use anyhow::{Context, Result};

use crate::arguments::Arguments;
use crate::steps::Tally;
use crate::workspace;

use self::ratchet::Ratchet;
use self::source::Source;

/// What a rule found, as `file:line: what and what to do`.
pub(crate) type Problems = Vec<String>;

/// Runs every rule; with `--bless` it first lowers the ratchets to what is there now.
pub(crate) fn run(mut arguments: Arguments) -> Result<bool> {
    let bless = arguments.flag("--bless");
    arguments.finish()?;
    if bless {
        let sizes = measure(&mut Problems::new())?;
        Ratchet::read()?.lowered_to(&sizes).write()?;
    }
    Ok(check()?.failed == 0)
}

/// Runs every rule and prints what is wrong.
pub(crate) fn check() -> Result<Tally> {
    let mut problems = Problems::new();
    let sizes = measure(&mut problems)?;
    Ratchet::read()?.compare(&sizes, &mut problems);
    layers::check(&mut problems)?;
    problems.sort();
    for problem in &problems {
        println!("{problem}");
    }
    if !problems.is_empty() {
        println!("tidy: {} to mend", problems.len());
    }
    Ok(Tally::of(problems.is_empty()))
}

/// Walks all files once: problems go to the list, sizes over a limit are given back.
fn measure(problems: &mut Problems) -> Result<Vec<size::Size>> {
    let mut sizes = Vec::new();
    for path in workspace::files()? {
        names::check_path(&path, problems);
        links::check(&path, problems)?;
        if path == "Cargo.lock" {
            sizes.push(size::packages(&read(&path)?));
        }
        if !text::is_ours(&path) {
            continue;
        }
        let content = read(&path)?;
        text::check(&path, &content, problems);
        if path.ends_with(".rs") {
            let source = Source::new(&path, &content);
            text::check_rust(&source, problems);
            names::check(&source, problems);
            purity::check(&source, problems);
            size::measure(&source, &mut sizes);
        }
    }
    Ok(sizes)
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(workspace::root().join(path)).with_context(|| path.to_owned())
}
