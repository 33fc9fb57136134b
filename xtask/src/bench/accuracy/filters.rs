//! The filters beside ours on the same messages: bogofilter, trained with the same folds; `spamd -L` and rspamd as Debian ships
//! them, with nothing that asks the network or has learned.

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::daemons::{Rspamd, Spamd};
use super::messages::Role;
use super::{FOLDS, Judged, Scored};
use crate::bench::account::Account;
use crate::workspace;

/// How long a daemon may take for one message.
const REPLY_TIME_MAX: Duration = Duration::from_secs(300);

/// What a filter said, and what that took.
pub(super) struct Outcome {
    /// The higher the more it is spam, by message.
    pub(super) scores: Vec<Scored>,
    /// Processor time for all of them, without training.
    pub(super) processor: Duration,
}

/// bogofilter: for each fold a list of words from the other folds, with which it judges this one.
pub(super) fn bogofilter(judged: &[Judged]) -> Result<Outcome> {
    let folder = workspace::target("accuracy/bogofilter");
    let _ = fs::remove_dir_all(&folder);
    let account = Account::open("bogofilter").context("no control group can be made")?;
    let (mut scores, mut processor) = (Vec::new(), Duration::ZERO);
    for fold in 0..FOLDS {
        let list = folder.join(fold.to_string());
        fs::create_dir_all(&list)?;
        for (role, option) in [(Role::Spam, "-s"), (Role::Ham, "-n")] {
            let inside = judged
                .iter()
                .filter(|it| it.part.role == role && it.fold != fold);
            run_bogofilter(None, &list, &[option], inside.map(|it| it.file.as_path()))?;
        }
        let ours: HashMap<&Path, &Judged> = judged
            .iter()
            .filter(|it| it.fold == fold)
            .map(|it| (it.file.as_path(), it))
            .collect();
        let before = account.processor_time()?;
        let said = run_bogofilter(Some(&account), &list, &["-T", "-v"], ours.keys().copied())?;
        processor += account.processor_time()?.saturating_sub(before);
        for line in said.lines() {
            // The name of the file, a letter, the probability.
            let mut words = line.rsplitn(3, ' ');
            let probability = words.next().and_then(|word| word.parse().ok());
            let name = words.nth(1).map(Path::new);
            if let (Some(score), Some(judged)) = (probability, name.and_then(|it| ours.get(it))) {
                scores.push(judged.scored(score));
            }
        }
    }
    account.close(Duration::from_secs(1));
    Ok(Outcome { scores, processor })
}

fn run_bogofilter<'f>(
    account: Option<&Account>,
    list: &Path,
    options: &[&str],
    files: impl Iterator<Item = &'f Path>,
) -> Result<String> {
    let names: String = files.map(|file| format!("{}\n", file.display())).collect();
    let mut child = Account::command(account, Path::new("bogofilter"))
        .arg("-d")
        .arg(list)
        .args(options)
        .arg("-b")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("bogofilter")?;
    let mut input = child.stdin.take().context("bogofilter's input")?;
    // Written beside reading: both pipes may fill.
    let writing = thread::spawn(move || input.write_all(names.as_bytes()));
    let output = child.wait_with_output()?;
    ensure!(
        writing.join().is_ok_and(|written| written.is_ok()),
        "bogofilter did not read"
    );
    // The codes 0 to 2 say spam, ham, unsure.
    ensure!(
        output.status.code().is_some_and(|code| code < 3),
        "bogofilter failed"
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// rspamd with one worker.
pub(super) fn rspamd(messages: &[&Judged], scratch: &Path) -> Result<Outcome> {
    let daemon = Rspamd::start(scratch);
    let account = Account::Tree {
        root: daemon.process_id(),
    };
    ask_all(messages, &account, |message| {
        let request = format!(
            "POST /checkv2 HTTP/1.0\r\nContent-Length: {}\r\n\r\n",
            message.len()
        );
        let reply = exchange(daemon.address(), request.as_bytes(), message)?;
        let body = reply.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let object: serde_json::Value = serde_json::from_str(body).context("rspamd's reply")?;
        object["score"].as_f64().context("rspamd gives no score")
    })
}

/// spamd with two children.
pub(super) fn spamd(messages: &[&Judged], scratch: &Path) -> Result<Outcome> {
    let daemon = Spamd::start(scratch);
    let account = Account::Tree {
        root: daemon.process_id(),
    };
    ask_all(messages, &account, |message| {
        let request = format!(
            "CHECK SPAMC/1.5\r\nContent-length: {}\r\n\r\n",
            message.len()
        );
        let reply = exchange(daemon.address(), request.as_bytes(), message)?;
        // Spam: True ; 15.0 / 5.0
        let score = reply
            .split_once("Spam: ")
            .and_then(|(_, rest)| rest.split_once(';'))
            .and_then(|(_, rest)| rest.split_once('/'))
            .and_then(|(score, _)| score.trim().parse().ok());
        score.with_context(|| format!("spamd answered {reply:?}"))
    })
}

/// Asks for all messages, two at a time.
fn ask_all(
    messages: &[&Judged],
    account: &Account,
    ask: impl Fn(&[u8]) -> Result<f64> + Sync,
) -> Result<Outcome> {
    // The first one makes it read its rules.
    ask(b"Subject: warm\r\n\r\nup\r\n")?;
    let before = account.processor_time()?;
    let ask_half = |half: &[&Judged]| -> Result<Vec<Scored>> {
        let scored = half.iter().map(|judged| {
            let score = ask(&fs::read(&judged.file)?);
            Ok(judged.scored(score.with_context(|| judged.file.display().to_string())?))
        });
        scored.collect()
    };
    let (one, other) = messages.split_at(messages.len() / 2);
    let halves = thread::scope(|scope| {
        let running = scope.spawn(|| ask_half(one));
        let other = ask_half(other);
        [
            running
                .join()
                .unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked"))),
            other,
        ]
    });
    let mut scores = Vec::with_capacity(messages.len());
    for half in halves {
        scores.extend(half?);
    }
    let processor = account.processor_time()?.saturating_sub(before);
    Ok(Outcome { scores, processor })
}

fn exchange(address: SocketAddr, request: &[u8], message: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(REPLY_TIME_MAX))?;
    stream.write_all(request)?;
    stream.write_all(message)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

/// The versions of all three.
pub(super) fn versions() -> Vec<String> {
    let first = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text
            .lines()
            .find(|line| line.chars().any(|c| c.is_ascii_digit()))?;
        Some(line.trim().to_owned())
    };
    [
        first("bogofilter", &["--version"]),
        first("spamd", &["--version"]),
        first("rspamd", &["--version"]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Every `step`th message: spamd takes a quarter of a second for each.
pub(super) fn sample(judged: &[Judged], step: usize) -> Vec<&Judged> {
    let mut all: Vec<&Judged> = judged.iter().collect();
    all.sort_by(|a, b| a.file.cmp(&b.file));
    all.into_iter().step_by(step.max(1)).collect()
}

/// A folder for the files of daemons.
pub(super) fn scratch() -> Result<PathBuf> {
    let folder = workspace::target("accuracy/daemons");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
