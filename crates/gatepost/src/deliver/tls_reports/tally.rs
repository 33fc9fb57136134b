//! The counts: by UTC day, recipient domain, policy and failure; in memory and, as additions to it, on disk.
//!
//! A file for each day holds JSON lines that add up. What was noted is appended now and then, so a crash costs a minute of counts;
//! a file that has grown is written anew. Days that were reported are removed. Everything is bounded: what is beyond is counted
//! without its particulars, or not at all.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Failure, ReportPolicy};

/// Recipient domains of one day.
const DOMAINS_MAX: usize = 50_000;
/// Policies of one domain and day.
const POLICIES_MAX: usize = 32;
/// Failures of one policy and day that are told apart.
const FAILURES_MAX: usize = 100;
/// Bytes of one day in memory. Strangers choose how long their policies are, and how many domains they have.
const DAY_BYTES_MAX: usize = 64 << 20;
/// Bytes that an entry of a map costs beyond its text.
const ENTRY_BYTES: usize = 96;
/// Bytes kept free for failures of a policy that are not told apart: one entry for each result.
const KINDS_BYTES: usize = 11 * ENTRY_BYTES;
/// Characters of a reason.
const REASON_CHARACTERS_MAX: usize = 200;
/// Days that wait to be reported; older ones are given up.
const DAYS_MAX: u64 = 3;
/// Bytes of a line that is read.
const LINE_BYTES_MAX: u64 = 256 * 1024;
/// Lines of a file before it is written anew.
const LINES_MIN: usize = 1000;
const DAY_SECONDS: u64 = 86_400;

/// A UTC day, counted from 1970.
pub type DayNumber = u64;

/// All counts that are not reported yet.
#[derive(Debug)]
pub(super) struct Tally {
    folder: PathBuf,
    days: BTreeMap<DayNumber, Day>,
    /// Days whose files are to be removed.
    gone: BTreeSet<DayNumber>,
}

/// What a policy of a domain has seen on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions as the policy says.
    pub successes: u64,
    /// Sessions that were not.
    pub failures: u64,
    /// Of these, how many failed in which way.
    pub details: BTreeMap<Failure, u64>,
}

#[derive(Debug, Default)]
struct Day {
    domains: BTreeMap<String, BTreeMap<Arc<ReportPolicy>, Counts>>,
    reported: BTreeSet<String>,
    /// What is not on disk yet.
    unsaved: HashMap<Key, u64>,
    unsaved_reports: Vec<String>,
    /// About what `domains` take in memory.
    bytes: usize,
    /// Lines of the file.
    lines: usize,
}

type Key = (String, Arc<ReportPolicy>, Option<Failure>);

/// A line of a file.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Noted {
        domain: String,
        policy: Arc<ReportPolicy>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        count: u64,
    },
    Reported {
        reported: String,
    },
}

/// What is to be written for one day.
pub(super) struct Batch {
    day: DayNumber,
    path: PathBuf,
    unsaved: HashMap<Key, u64>,
    reports: Vec<String>,
    /// All of the day, in place of what the file holds.
    anew: Option<Vec<Line>>,
}

impl Tally {
    pub(super) fn open(folder: PathBuf) -> io::Result<Tally> {
        fs::create_dir_all(&folder)?;
        let mut days = BTreeMap::new();
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            if let Some(day) = name.and_then(day_of_file) {
                days.insert(day, Day::read(&path)?);
            }
        }
        Ok(Tally {
            folder,
            days,
            gone: BTreeSet::new(),
        })
    }

    pub(super) fn note(
        &mut self,
        now: u64,
        domain: &str,
        policy: &Arc<ReportPolicy>,
        failure: Option<Failure>,
    ) {
        let day = self.days.entry(now / DAY_SECONDS).or_default();
        let failure = failure.map(bounded);
        if let Some(failure) = day.add(domain, policy, failure.as_ref(), 1) {
            let key = (domain.to_owned(), Arc::clone(policy), failure);
            *day.unsaved.entry(key).or_default() += 1;
        }
    }

    /// Days and domains before today that are not reported. Days that are too old are given up.
    pub(super) fn due(&mut self, now: u64) -> Vec<(DayNumber, String)> {
        let today = now / DAY_SECONDS;
        let old: Vec<DayNumber> = self
            .days
            .range(..today.saturating_sub(DAYS_MAX))
            .map(|(day, _)| *day)
            .collect();
        for day in old {
            self.remove(day);
        }
        let before = self.days.range(..today);
        let due = before.flat_map(|(number, day)| {
            let open = |domain: &&String| !day.reported.contains(*domain);
            let domains = day.domains.keys().filter(open);
            domains.map(|domain| (*number, domain.clone()))
        });
        due.collect()
    }

    /// What there is to report.
    pub(super) fn of(&self, day: DayNumber, domain: &str) -> Vec<(Arc<ReportPolicy>, Counts)> {
        let policies = self.days.get(&day).and_then(|day| day.domains.get(domain));
        let policies = policies.into_iter().flatten();
        policies
            .map(|(policy, counts)| (Arc::clone(policy), counts.clone()))
            .collect()
    }

    /// It is reported, or nobody wants it.
    pub(super) fn done(&mut self, number: DayNumber, domain: &str) {
        let Some(day) = self.days.get_mut(&number) else {
            return;
        };
        day.reported.insert(domain.to_owned());
        day.unsaved_reports.push(domain.to_owned());
        if day.reported.len() >= day.domains.len() {
            self.remove(number);
        }
    }

    fn remove(&mut self, day: DayNumber) {
        self.days.remove(&day);
        self.gone.insert(day);
    }

    /// The files of days that are reported or given up: for whoever may block on the file system to remove.
    pub(super) fn take_gone(&mut self) -> Vec<PathBuf> {
        let gone = std::mem::take(&mut self.gone);
        gone.into_iter()
            // A clock that was set back has begun it anew.
            .filter(|day| !self.days.contains_key(day))
            .map(|day| self.path(day))
            .collect()
    }

    fn path(&self, day: DayNumber) -> PathBuf {
        self.folder.join(format!("{}.jsonl", day_text(day)))
    }

    /// What has to be written. It is taken for written: what could not be is given back.
    pub(super) fn take(&mut self) -> Vec<Batch> {
        let folder = &self.folder;
        let unsaved = self
            .days
            .iter_mut()
            .filter(|(_, day)| !day.unsaved.is_empty() || !day.unsaved_reports.is_empty());
        let batches = unsaved.map(|(number, day)| {
            let added = day.unsaved.len() + day.unsaved_reports.len();
            let keys: usize = day.domains.values().map(BTreeMap::len).sum();
            let grown = day.lines + added > LINES_MIN.max(4 * keys);
            let anew = grown.then(|| day.all_lines());
            day.lines = anew.as_ref().map_or(day.lines + added, Vec::len);
            Batch {
                day: *number,
                path: folder.join(format!("{}.jsonl", day_text(*number))),
                unsaved: std::mem::take(&mut day.unsaved),
                reports: std::mem::take(&mut day.unsaved_reports),
                anew,
            }
        });
        batches.collect()
    }

    pub(super) fn give_back(&mut self, batch: Batch) {
        // A day that is gone was reported meanwhile.
        if let Some(day) = self.days.get_mut(&batch.day) {
            for (key, count) in batch.unsaved {
                *day.unsaved.entry(key).or_default() += count;
            }
            day.unsaved_reports.extend(batch.reports);
        }
    }
}

impl Day {
    fn read(path: &Path) -> io::Result<Day> {
        let mut day = Day::default();
        let mut reader = BufReader::new(File::open(path)?);
        let mut torn = false;
        loop {
            let mut line = Vec::new();
            let mut bounded = io::Read::take(&mut reader, LINE_BYTES_MAX);
            if bounded.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            torn = !line.ends_with(b"\n");
            day.lines += 1;
            // What a crash has torn is lost; so is what was damaged later.
            match serde_json::from_slice(&line) {
                Ok(Line::Noted {
                    domain,
                    policy,
                    failure,
                    count,
                }) => _ = day.add(&domain, &policy, failure.as_ref(), count),
                Ok(Line::Reported { reported }) => _ = day.reported.insert(reported),
                Err(_) => {}
            }
        }
        if torn {
            // What is appended must not continue the torn line.
            let mut file = OpenOptions::new().append(true).open(path)?;
            file.write_all(b"\n")?;
        }
        Ok(day)
    }

    /// Counts, and tells under which failure; `None` if there was no room. Beyond the failures that are told apart, only their kinds
    /// are.
    fn add(
        &mut self,
        domain: &str,
        policy: &Arc<ReportPolicy>,
        failure: Option<&Failure>,
        count: u64,
    ) -> Option<Option<Failure>> {
        let known = self.domains.get(domain);
        let is_counted = known.is_some_and(|policies| policies.contains_key(policy));
        if !is_counted {
            let bytes = domain.len() + ENTRY_BYTES + bytes_of(policy);
            let is_full = match known {
                Some(policies) => policies.len() >= POLICIES_MAX,
                None => self.domains.len() >= DOMAINS_MAX,
            };
            if is_full || self.bytes + bytes > DAY_BYTES_MAX {
                return None;
            }
            self.bytes += bytes;
        }
        let policies = self.domains.entry(domain.to_owned()).or_default();
        let counts = policies.entry(Arc::clone(policy)).or_default();
        let Some(failure) = failure else {
            counts.successes = counts.successes.saturating_add(count);
            return Some(None);
        };
        counts.failures = counts.failures.saturating_add(count);
        let is_known = counts.details.contains_key(failure);
        let bytes = ENTRY_BYTES + failure.receiving_host.len() + failure.reason.len();
        let has_room = counts.details.len() < FAILURES_MAX && self.bytes + bytes <= DAY_BYTES_MAX;
        if has_room && !is_known {
            self.bytes += bytes;
        }
        let failure = match has_room || is_known {
            true => failure.clone(),
            false => Failure {
                result: failure.result,
                sending_ip: None,
                receiving_host: String::new(),
                receiving_ip: None,
                reason: String::new(),
            },
        };
        let detail = counts.details.entry(failure.clone()).or_default();
        *detail = detail.saturating_add(count);
        Some(Some(failure))
    }

    /// Lines that add up to the day.
    fn all_lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for (domain, policies) in &self.domains {
            for (policy, counts) in policies {
                let line = |failure, count| Line::Noted {
                    domain: domain.clone(),
                    policy: Arc::clone(policy),
                    failure,
                    count,
                };
                if counts.successes > 0 {
                    lines.push(line(None, counts.successes));
                }
                let failures = counts.details.iter();
                lines.extend(failures.map(|(failure, count)| line(Some(failure.clone()), *count)));
            }
        }
        let reported = self.reported.iter().cloned();
        lines.extend(reported.map(|reported| Line::Reported { reported }));
        lines
    }
}

impl Batch {
    /// It blocks.
    pub(super) fn write(&self) -> io::Result<()> {
        let mut text = Vec::new();
        if let Some(lines) = &self.anew {
            for line in lines {
                append(&mut text, line)?;
            }
            let draft = self.path.with_extension("new");
            fs::write(&draft, text)?;
            return fs::rename(&draft, &self.path);
        }
        for ((domain, policy, failure), count) in &self.unsaved {
            let line = Line::Noted {
                domain: domain.clone(),
                policy: Arc::clone(policy),
                failure: failure.clone(),
                count: *count,
            };
            append(&mut text, &line)?;
        }
        for reported in &self.reports {
            let reported = reported.clone();
            append(&mut text, &Line::Reported { reported })?;
        }
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.path);
        file?.write_all(&text)
    }
}

fn append(text: &mut Vec<u8>, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *text, line)?;
    text.push(b'\n');
    Ok(())
}

/// About what a policy takes in memory, with room for each kind of failure.
fn bytes_of(policy: &ReportPolicy) -> usize {
    let texts = policy.strings.iter().chain(&policy.mx_hosts);
    let texts: usize = texts.map(|text| size_of::<String>() + text.len()).sum();
    ENTRY_BYTES + KINDS_BYTES + policy.domain.len() + texts
}

fn bounded(failure: Failure) -> Failure {
    let printable = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    let reason = failure.reason.chars().take(REASON_CHARACTERS_MAX);
    Failure {
        reason: reason.map(printable).collect(),
        ..failure
    }
}

/// First and last second of a day.
pub fn seconds_of(day: DayNumber) -> (u64, u64) {
    let start = day.saturating_mul(DAY_SECONDS);
    (start, start + (DAY_SECONDS - 1))
}

pub(in crate::deliver) fn day_text(day: DayNumber) -> String {
    let seconds = i64::try_from(seconds_of(day).0).unwrap_or(0);
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_string().chars().take(10).collect()
}

pub(in crate::deliver) fn day_of_file(name: &str) -> Option<DayNumber> {
    let day = name.strip_suffix(".jsonl")?;
    let start: Timestamp = format!("{day}T00:00:00Z").parse().ok()?;
    u64::try_from(start.as_second())
        .ok()
        .map(|seconds| seconds / DAY_SECONDS)
}

#[cfg(test)]
mod tests;
