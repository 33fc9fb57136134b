//! What the binary makes of itself: completions, man pages, password hashes.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::Command;
use clap_complete::Shell;

use super::{complain, say};
use crate::serve::users;

/// Prints the completions for a shell.
pub(super) fn completions(shell: Shell, command: &mut Command) -> ExitCode {
    clap_complete::generate(shell, command, "gatepost", &mut io::stdout());
    ExitCode::SUCCESS
}

/// Writes `gatepost.1` and one page for each command.
pub(super) fn man(folder: &Path, command: Command) -> ExitCode {
    let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("gatepost: {}: {error}", folder.display()));
            ExitCode::FAILURE
        }
    }
}

/// Reads a password from standard input and prints its hash.
pub(super) fn hash_password() -> ExitCode {
    let mut password = String::new();
    if let Err(error) = io::stdin().read_line(&mut password) {
        complain(&format!("gatepost: standard input: {error}"));
        return ExitCode::FAILURE;
    }
    let password = password.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        complain("gatepost: give the password on standard input, for example: echo secret | gatepost hash-password");
        return ExitCode::FAILURE;
    }
    match users::hash(password) {
        Ok(hash) => {
            say(&hash);
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&format!("gatepost: no hash: {error}"));
            ExitCode::FAILURE
        }
    }
}
