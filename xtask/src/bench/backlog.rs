//! The other part of `bench queue`: Gatepost is started with 1,000,000 messages for 10,000 destinations, of which half are dead,
//! as it may be after a long outage.
//!
//! The queue is filled through the queue crate's own interface by `bench/spool`. Everything else runs in a network namespace of
//! its own, whose loopback has an address for each destination: this program calls itself there. Of the dead destinations, most
//! refuse connections, and every tenth lets them wait.

mod measure;
mod report;
mod world;

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::Options;
use super::process::Reaper;
use super::spool::engine;

use self::world::World;

/// Set where this program runs in the network of its own.
const INSIDE: &str = "GATEPOST_BENCH_OWN_NETWORK";
/// Recipient domains, each with a route and a nexthop of its own.
const DESTINATIONS: u64 = 10_000;

/// How much to measure.
struct Plan {
    /// Messages in the queue at the start.
    queued: u64,
    /// Messages that arrive while the dead ones are tried again.
    fresh: u64,
}

impl Plan {
    fn new(is_quick: bool) -> Plan {
        if is_quick {
            return Plan {
                queued: 50_000,
                fresh: 2_000,
            };
        }
        Plan {
            queued: 1_000_000,
            fresh: 20_000,
        }
    }
}

/// Runs the bench in a network of its own, and reports.
pub(super) fn run(options: &Options) -> Result<()> {
    if std::env::var_os(INSIDE).is_some() {
        return inside(options);
    }
    engine::build()?;
    let own = std::env::current_exe().context("this program's own path")?;
    let mut command = Command::new("unshare");
    command
        .args([
            "--net",
            "sh",
            "-c",
            "ip link set lo up && exec \"$@\"",
            "sh",
        ])
        .arg(own)
        .args(["bench", "queue", "--part=backlog", "--only=gatepost"])
        .env(INSIDE, "1");
    if options.is_quick {
        command.arg("--quick");
    }
    if options.wants_json {
        command.arg("--json");
    }
    let status = command.status().context("unshare")?;
    ensure!(status.success(), "the bench in a network of its own failed");
    Ok(())
}

fn inside(options: &Options) -> Result<()> {
    let plan = Plan::new(options.is_quick);
    let reaper = Reaper::start()?;
    let start = Instant::now();
    let world = World::make(&reaper, plan.queued)?;
    let results = measure::measure(&reaper, &plan, &world)?;
    println!("\nmeasured in {:.0} s\n", start.elapsed().as_secs_f64());
    report::publish(options, &plan, &results)
}
