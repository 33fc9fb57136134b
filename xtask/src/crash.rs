//! `cargo xtask crash`: Gatepost under load, killed with SIGKILL at random moments and started again at once, 200 times.
//!
//! The load comes from clients of its own and from smtp-source(1), at three listeners. Every message that got 250 has to reach
//! the sink, unharmed. A message may reach it twice only if it was in flight: if a kill followed so soon that its delivery was
//! not yet noted. The moments are drawn from a seed, which is printed; what happens at them is up to the machine. A kill takes
//! nothing from the page cache: lost and torn writes are the simulation's affair, in the queue crate.

mod gateway;
mod ledger;
mod load;
mod message;
mod report;
mod sink;
mod source;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};

use crate::arguments::Arguments;
use crate::bench::process::Reaper;
use crate::steps::Tally;
use crate::workspace;

use self::gateway::Gateway;
use self::ledger::Ledger;
use self::load::Load;
use self::report::Report;
use self::sink::Sink;
use self::source::Source;
use crate::random::Random;

/// Kills of a whole run, and of the small one among the tests.
const KILLS: u64 = 200;
const KILLS_OF_TEST: u64 = 5;
/// The seed of the small one.
const SEED_OF_TEST: u64 = 1;
/// The middle time from a start to the next kill.
const GAP: Duration = Duration::from_millis(1_000);
/// At the end: this long without a delivery, and what is missing counts as lost.
const STANDSTILL_MAX: Duration = Duration::from_secs(60);
/// How long a server that was stopped in good order is watched, once started again, for deliveries that it should not repeat.
const AFTER_CLEAN_STOP: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(50);

/// What to do.
struct Settings {
    kills: u64,
    seed: u64,
    /// The middle time from a start to the next kill.
    gap: Duration,
    program: PathBuf,
}

/// `cargo xtask crash [--kills N] [--seed S] [--seconds N] [--json]`; `false` if a promise was broken.
pub(crate) fn run(mut arguments: Arguments) -> Result<bool> {
    let kills = arguments.number("--kills")?.unwrap_or(KILLS).max(1);
    let seed = arguments.number("--seed")?;
    let seconds = arguments.number("--seconds")?;
    let wants_json = arguments.flag("--json");
    arguments.finish()?;
    let settings = Settings {
        kills,
        seed: seed.unwrap_or_else(seed_of_the_moment),
        gap: seconds.map_or(GAP, |seconds| {
            Duration::from_secs_f64(seconds as f64 / kills as f64)
        }),
        program: build("release")?,
    };
    let report = crash(&settings)?;
    println!("{report}");
    if wants_json {
        println!("{}", report.json());
    }
    Ok(report.is_good())
}

/// The small version among the tests.
pub(crate) fn check() -> Result<Tally> {
    let report = crash(&Settings {
        kills: KILLS_OF_TEST,
        seed: SEED_OF_TEST,
        gap: GAP,
        program: build("dev")?,
    })?;
    println!("{report}");
    Ok(Tally::of(report.is_good()))
}

fn build(profile: &str) -> Result<PathBuf> {
    let status = workspace::cargo()
        .args(["build", "--locked", "--profile", profile])
        .args(["--package", "gatepost", "--bin", "gatepost"])
        .status()
        .context("cargo build")?;
    ensure!(status.success(), "gatepost does not build");
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(workspace::target(folder).join("gatepost"))
}

fn seed_of_the_moment() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |now| now.as_micros() as u64 % 1_000_000_000)
}

fn crash(settings: &Settings) -> Result<Report> {
    println!("{} kills, seed {}", settings.kills, settings.seed);
    let reaper = Reaper::start()?;
    let ledger = Arc::new(Ledger::new());
    let sink = Sink::start(settings.seed, Arc::clone(&ledger))?;
    let mut gateway = Gateway::start(&reaper, &settings.program, sink.port())?;
    let load = Load::start(settings.seed, gateway.ports(), &ledger);
    let source = Source::start(gateway.ports(), &ledger)?;
    let start = Instant::now();
    let killed = kill_often(settings, &reaper, &mut gateway, &ledger);
    let refusals = load.stop()?;
    source.stop()?;
    killed?;
    drain(&mut gateway, &ledger)?;
    let repeated_after_stop = repeated_after_clean_stop(&reaper, &mut gateway, &ledger)?;
    let mut report = Report::of(&ledger.close(), sink.harmed());
    ensure!(report.sourced > 0, "no message of smtp-source was accepted");
    report.seed = settings.seed;
    report.seconds = start.elapsed().as_secs_f64();
    report.repeated_after_clean_stop = repeated_after_stop;
    report.refusals = refusals;
    Ok(report)
}

/// Kills and starts, each time after a while that the seed gives; also before the start is quite over.
fn kill_often(
    settings: &Settings,
    reaper: &Reaper,
    gateway: &mut Gateway,
    ledger: &Ledger,
) -> Result<()> {
    let mut random = Random::new(settings.seed);
    for kill in 1..=settings.kills {
        let gap = settings.gap.mul_f64(2.0 * random.share());
        let until = Instant::now() + gap;
        while Instant::now() < until {
            gateway.ensure_running()?;
            thread::sleep(POLL.min(until.saturating_duration_since(Instant::now())));
        }
        gateway.kill()?;
        ledger.killed(Instant::now());
        if kill % 20 == 0 || kill == settings.kills {
            println!("  {kill}/{}: {}", settings.kills, ledger.progress());
        }
        gateway.start_again(reaper)?;
    }
    Ok(())
}

/// Waits until everything has arrived and the queue is empty, or nothing moves any more.
fn drain(gateway: &mut Gateway, ledger: &Ledger) -> Result<()> {
    println!("  draining: {}", ledger.progress());
    let (mut last, mut since) = (ledger.deliveries(), Instant::now());
    loop {
        gateway.ensure_running()?;
        if ledger.missing() == 0 && gateway.queued()? == 0 {
            return Ok(());
        }
        let now = ledger.deliveries();
        if now > last {
            (last, since) = (now, Instant::now());
        }
        if since.elapsed() > STANDSTILL_MAX {
            println!(
                "  nothing moves any more; {} messages queued",
                gateway.queued()?
            );
            return Ok(());
        }
        thread::sleep(POLL);
    }
}

/// Stops the server in good order, starts it, and counts what comes once more: it had time to write everything down.
fn repeated_after_clean_stop(
    reaper: &Reaper,
    gateway: &mut Gateway,
    ledger: &Ledger,
) -> Result<u64> {
    let before = ledger.deliveries();
    gateway.stop();
    gateway.start_again(reaper)?;
    thread::sleep(AFTER_CLEAN_STOP);
    if gateway.queued()? > 0 && ledger.missing() == 0 {
        bail!("a queue that was empty is not, after a stop and a start");
    }
    Ok(ledger.deliveries() - before)
}
