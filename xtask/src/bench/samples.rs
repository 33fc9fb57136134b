//! Runs of one cell on one server, and what they say together: the median of those that were not disturbed.

use super::figures::{median, number};
use super::machine::Noise;

/// What one run gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sample {
    /// Messages that the server took each second, until the load generator was done.
    pub(super) accepted_per_second: f64,
    /// Messages that reached the sink each second.
    pub(super) delivered_per_second: f64,
    /// Processor seconds for 1,000 messages, of the server and of the two ends.
    pub(super) server_seconds: f64,
    pub(super) source_seconds: f64,
    pub(super) sink_seconds: f64,
    /// Peak resident memory of the server, in MiB.
    pub(super) resident_mib: f64,
    /// From final dot to 250, in milliseconds.
    pub(super) wait_p50: f64,
    pub(super) wait_p99: f64,
    /// Syncs for each message by the server's own count, if it has one.
    pub(super) syncs_each: Option<f64>,
    pub(super) noise: Noise,
}

/// What the runs say together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) median: Sample,
    /// Runs that were not disturbed, and all of them. With none quiet, the least disturbed is the median.
    quiet: usize,
    all: usize,
}

/// Sums up the runs; nothing of no runs.
pub(super) fn summary(samples: &[Sample]) -> Option<Summary> {
    let disturbance = |sample: &Sample| sample.noise.disturbance();
    let least = samples
        .iter()
        .min_by(|a, b| disturbance(a).total_cmp(&disturbance(b)))?;
    let mut chosen: Vec<&Sample> = samples.iter().filter(|it| it.noise.is_quiet()).collect();
    let quiet = chosen.len();
    if chosen.is_empty() {
        chosen.push(least);
    }
    let of = |field: fn(&Sample) -> f64| median(chosen.iter().copied().map(field).collect());
    Some(Summary {
        median: Sample {
            accepted_per_second: of(|it| it.accepted_per_second),
            delivered_per_second: of(|it| it.delivered_per_second),
            server_seconds: of(|it| it.server_seconds),
            source_seconds: of(|it| it.source_seconds),
            sink_seconds: of(|it| it.sink_seconds),
            // Peaks: a disturbed run may show the highest.
            resident_mib: samples.iter().map(|it| it.resident_mib).fold(0.0, f64::max),
            wait_p50: of(|it| it.wait_p50),
            wait_p99: of(|it| it.wait_p99),
            syncs_each: {
                let known: Vec<f64> = chosen.iter().filter_map(|it| it.syncs_each).collect();
                (!known.is_empty()).then(|| median(known))
            },
            noise: Noise {
                steal: of(|it| it.noise.steal),
                others: of(|it| it.noise.others),
            },
        },
        quiet,
        all: samples.len(),
    })
}

/// The head of the table of a cell.
pub(super) const HEAD: &str = "\
| server | accepted/s | delivered/s | CPU s per 1,000 | source / sink CPU s | p50 / p99 ms to 250 | peak RSS MiB | steal / others % | quiet runs |
|---|---|---|---|---|---|---|---|---|
";

impl Summary {
    /// One line of the table of a cell; `has_server` is false for the bare sink, whose processor time is a column anyway.
    pub(super) fn row(&self, name: &str, has_server: bool) -> String {
        let it = &self.median;
        let star = if self.quiet == 0 { "*" } else { "" };
        let (server, resident) = if has_server {
            (number(it.server_seconds), number(it.resident_mib))
        } else {
            ("-".to_owned(), "-".to_owned())
        };
        format!(
            "| {name} | {}{star} | {}{star} | {server}{star} | {} / {} | {} / {}{star} | {resident} | {:.0} / {:.0} | {}/{} |\n",
            number(it.accepted_per_second),
            number(it.delivered_per_second),
            number(it.source_seconds),
            number(it.sink_seconds),
            number(it.wait_p50),
            number(it.wait_p99),
            100.0 * it.noise.steal,
            100.0 * it.noise.others,
            self.quiet,
            self.all,
        )
    }
}

#[cfg(test)]
mod tests;
