//! The command line: one file for each command; what a command says goes to standard output, what went wrong to standard error.
//!
//! Exit codes: 0 done; 1 it went wrong, or the answer is no; 2 the command line itself is wrong.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::config::{Config, ConfigError};

mod check;
mod control;
mod generate;
mod serve;

/// The SMTP gateway that refuses with a reason.
#[derive(Debug, Parser)]
#[command(name = "gatepost", version, about, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct ConfigOption {
    /// Configuration file (TOML). Without it: the embedded default
    #[arg(long, short, global = true, value_name = "FILE", env_hide = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take mail
    Serve {
        #[command(flatten)]
        config: ConfigOption,
    },
    /// Read the configuration and tell all its errors at once, with line, column and remedy
    Check {
        #[command(flatten)]
        config: ConfigOption,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Let the running node read its configuration again
    Reload {
        #[command(flatten)]
        config: ConfigOption,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Tell how the running node is
    State {
        #[command(flatten)]
        config: ConfigOption,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Make the hash of a password read from standard input, for a listener's users_file
    HashPassword,
    /// Print the completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write a man page for each command into a folder
    Man {
        /// The folder; made if it is missing
        folder: PathBuf,
    },
    /// Print the version
    Version,
}

/// Runs the command of the process's command line.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Command::Serve { config } => serve::run(&config),
        Command::Check { config, json } => check::run(&config, json),
        Command::Reload { config, json } => control::reload(&config, json),
        Command::State { config, json } => control::state(&config, json),
        Command::HashPassword => generate::hash_password(),
        Command::Completions { shell } => generate::completions(shell, &mut Cli::command()),
        Command::Man { folder } => generate::man(&folder, Cli::command()),
        Command::Version => {
            say(&format!("gatepost {}", env!("CARGO_PKG_VERSION")));
            ExitCode::SUCCESS
        }
    }
}

impl ConfigOption {
    /// The configuration that was asked for.
    ///
    /// # Errors
    /// Every error of the file.
    pub fn load(&self) -> Result<Config, Vec<ConfigError>> {
        match &self.config {
            Some(file) => Config::load(file),
            None => Ok(Config::embedded()),
        }
    }

    /// The configuration that was asked for, or its errors told and the exit code.
    fn load_or_tell(&self) -> Result<Config, ExitCode> {
        self.load().map_err(|errors| {
            tell(errors.iter());
            ExitCode::FAILURE
        })
    }
}

/// Writes a line to standard output; whoever closed it does not want to know.
fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Writes a line to standard error.
fn complain(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Tells every error.
fn tell<E: std::fmt::Display>(errors: impl Iterator<Item = E>) {
    let mut count = 0;
    for error in errors {
        complain(&error.to_string());
        count += 1;
    }
    complain(&format!("gatepost: {count} error{}", if count == 1 { "" } else { "s" }));
}
