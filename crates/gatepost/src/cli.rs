//! The command line: one file for each command; what a command says goes to standard output, what went wrong to standard error.
//!
//! Exit codes: 0 done; 1 it went wrong, or the answer is no; 2 the command line itself is wrong; 3 `scan` and `explain`:
//! refused or deferred.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::config::{Config, ConfigError};
use crate::context::{Context, Services};

mod check;
mod classifier;
mod control;
mod doctor;
mod envelope;
mod explain;
mod generate;
mod queue;
mod reputation;
mod rules;
mod scan;
mod serve;
mod socket;

/// Where the embedded default keeps everything.
const EMBEDDED_DATA_DIR: &str = "./gatepost-data";

/// Exit code where a message or a recipient would be refused or deferred.
const EXIT_REFUSED: u8 = 3;

/// The SMTP gateway that refuses with a reason.
#[derive(Debug, Parser)]
#[command(
    name = "gatepost",
    version,
    about,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Cli {
    #[command(flatten)]
    config: ConfigOption,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct ConfigOption {
    /// Configuration file (TOML). Without it: the embedded default
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take mail, until SIGTERM or Ctrl-C; SIGHUP reads the configuration again
    Serve,
    /// Tell all errors of the configuration at once, with line, column and remedy
    Check {
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Tell what would happen to messages in files, and why
    #[command(after_help = scan::AFTER_HELP)]
    Scan(scan::ScanOptions),
    /// Tell which route, check, lists and engines hold for a recipient, and what the client would be told
    #[command(after_help = explain::AFTER_HELP)]
    Explain(explain::ExplainOptions),
    /// Check the surroundings: this machine, DNS, engines, nexthops, IPv6, firewalls in the path
    #[command(after_help = doctor::AFTER_HELP)]
    Doctor(doctor::DoctorOptions),
    /// Tell the rules on content, try them on a message, check files with rules
    #[command(subcommand, after_help = rules::AFTER_HELP)]
    Rules(rules::RulesCommand),
    /// Train a model of the classifier on folders of ham and spam
    Train(classifier::TrainOptions),
    /// Tell how well a model tells ham from spam, with its worst mistakes
    Evaluate(classifier::EvaluateOptions),
    /// Teach a model single messages
    Learn(classifier::LearnOptions),
    /// Let the running node read its configuration again
    Reload {
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Tell how the running node is
    State {
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Tell what waits in the queue of the running node, and act on it
    #[command(after_help = queue::AFTER_HELP)]
    Queue {
        #[command(subcommand)]
        command: queue::QueueCommand,
    },
    /// Tell what the running node knows of a sender, or have it forgotten
    #[command(after_help = reputation::AFTER_HELP)]
    Reputation {
        #[command(subcommand)]
        command: reputation::ReputationCommand,
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
    let Cli { config, command } = Cli::parse();
    match command {
        Command::Serve => serve::run(&config),
        Command::Check { json } => check::run(&config, json),
        Command::Scan(options) => scan::run(&config, &options),
        Command::Explain(options) => explain::run(&config, &options),
        Command::Doctor(options) => doctor::run(&config, &options),
        Command::Rules(command) => rules::run(&config, &command),
        Command::Train(options) => classifier::run_train(&config, &options),
        Command::Evaluate(options) => classifier::evaluate(&config, &options),
        Command::Learn(options) => classifier::run_learn(&config, &options),
        Command::Reload { json } => control::reload(&config, json),
        Command::State { json } => control::state(&config, json),
        Command::Queue { command } => queue::run(&config, command),
        Command::Reputation { command } => reputation::run(&config, &command),
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
            None => Ok(Config::embedded(Path::new(EMBEDDED_DATA_DIR))),
        }
    }

    /// The control socket of the running node. Its configuration file may be wrong by now.
    fn control_socket(&self) -> Result<PathBuf, String> {
        let Some(file) = &self.config else {
            return Ok(Config::embedded(Path::new(EMBEDDED_DATA_DIR)).admin.control);
        };
        match Config::load(file) {
            Ok(config) => Ok(config.admin.control),
            Err(errors) => Config::control_socket(file).ok_or_else(|| {
                let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
                format!(
                    "{}\nthe file does not tell where the node's control socket is",
                    errors.join("\n")
                )
            }),
        }
    }

    /// The configuration that was asked for, or its errors told and the exit code.
    fn load_or_tell(&self) -> Result<Config, ExitCode> {
        self.load().map_err(|errors| {
            tell(errors.iter());
            ExitCode::FAILURE
        })
    }

    /// A snapshot of that configuration for a command that takes no mail, or its errors told and the exit code.
    fn context_or_tell(&self) -> Result<Context, ExitCode> {
        let config = self.load_or_tell()?;
        let services = Services::unwritten(&config).map_err(|error| {
            complain(&format!("gatepost: {error}"));
            ExitCode::FAILURE
        })?;
        Context::new(config, services, None).map_err(|errors| {
            tell(errors.iter());
            ExitCode::FAILURE
        })
    }
}

/// The runtime of a command, or the exit code.
fn runtime() -> Result<tokio::runtime::Runtime, ExitCode> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().build().map_err(|error| {
        complain(&format!("gatepost: threads can't be started: {error}"));
        ExitCode::FAILURE
    })
}

/// That no listener has this name, and which there are.
fn no_listener(cx: &Context, name: Option<&str>) -> String {
    let names: Vec<&str> = cx
        .listeners
        .iter()
        .map(|listener| &*listener.name)
        .collect();
    format!(
        "no listener is named {}; there are: {}",
        name.unwrap_or_default(),
        names.join(", ")
    )
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
    complain(&format!(
        "gatepost: {count} error{}",
        if count == 1 { "" } else { "s" }
    ));
}
