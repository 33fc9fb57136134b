//! The command line of a task: words, `--flag`, `--option VALUE` or `--option=VALUE`, and what follows `--`.
//!
//! No table of options is needed: a task takes what it knows, and `finish` refuses the rest.

use anyhow::{Context, Result, bail};

/// The arguments that no one has taken yet.
pub(crate) struct Arguments {
    waiting: Vec<String>,
    /// What stood behind `--`, passed on unread.
    rest: Vec<String>,
}

impl Arguments {
    /// The arguments of this process, without its own name.
    pub(crate) fn from_environment() -> Arguments {
        Arguments::new(std::env::args().skip(1).collect())
    }

    fn new(mut waiting: Vec<String>) -> Arguments {
        let rest = match waiting.iter().position(|argument| argument == "--") {
            Some(at) => waiting.split_off(at).split_off(1),
            None => Vec::new(),
        };
        Arguments { waiting, rest }
    }

    /// The next argument that is no option.
    pub(crate) fn word(&mut self) -> Option<String> {
        let at = self.waiting.iter().position(|it| !it.starts_with('-'))?;
        Some(self.waiting.remove(at))
    }

    /// Whether `--name` was given.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|it| it != name);
        self.waiting.len() < before
    }

    /// The number of `--name NUMBER`, if it was given.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>> {
        let Some(value) = self.value(name)? else {
            return Ok(None);
        };
        let number = value.parse();
        let number = number.with_context(|| format!("{name} needs a number, not {value:?}"))?;
        Ok(Some(number))
    }

    /// The value of `--name VALUE` or `--name=VALUE`, if it was given.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>> {
        let Some(at) = self
            .waiting
            .iter()
            .position(|it| it.split('=').next() == Some(name))
        else {
            return Ok(None);
        };
        let argument = self.waiting.remove(at);
        let value = match argument.split_once('=') {
            Some((_, value)) => value.to_owned(),
            None if at < self.waiting.len() => self.waiting.remove(at),
            None => bail!("{name} needs a value"),
        };
        Ok(Some(value))
    }

    /// Refuses what nobody took, and gives what stood behind `--`.
    pub(crate) fn finish(self) -> Result<Vec<String>> {
        match self.waiting.first() {
            Some(unknown) => bail!("unexpected argument {unknown:?} (see `cargo xtask help`)"),
            None => Ok(self.rest),
        }
    }
}

#[cfg(test)]
mod tests;
