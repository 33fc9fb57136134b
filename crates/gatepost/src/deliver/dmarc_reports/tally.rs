//! The counts: by UTC day, record and row; in memory and, as additions to it, on disk.
//!
//! A file for each day holds JSON lines that add up. What was noted is appended now and then, so a crash costs a minute of counts;
//! a file that has grown is written anew. Days that were reported are removed. Everything is bounded: what is beyond is not counted.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::observation::{Observation, Published, Row};
use crate::deliver::tls_reports::tally::{DayNumber, day_of_file, day_text};

/// Records of one day.
const RECORDS_MAX: usize = 20_000;
/// Rows of one record and day.
const ROWS_MAX: usize = 5_000;
/// Rows of one day.
const DAY_ROWS_MAX: usize = 200_000;
/// Days that wait to be reported; older ones are given up.
const DAYS_MAX: u64 = 3;
/// Bytes of a line that is read.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// Lines of a file before it is written anew.
const LINES_MIN: usize = 1000;
const DAY_SECONDS: u64 = 86_400;

/// All counts that are not reported yet.
#[derive(Debug)]
pub(super) struct Tally {
    folder: PathBuf,
    days: BTreeMap<DayNumber, Day>,
}

/// How often each row of a record was seen.
pub type Rows = HashMap<Row, u64>;

#[derive(Debug, Default)]
struct Day {
    records: HashMap<Arc<Published>, Rows>,
    rows: usize,
    reported: HashSet<Arc<Published>>,
    /// What is not on disk yet.
    unsaved: HashMap<(Arc<Published>, Row), u64>,
    unsaved_reports: Vec<Arc<Published>>,
    /// Lines of the file.
    lines: usize,
}

/// A line of a file.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Noted {
        published: Arc<Published>,
        row: Row,
        count: u64,
    },
    Reported {
        reported: Arc<Published>,
    },
}

/// What is to be written for one day.
pub(super) struct Batch {
    day: DayNumber,
    path: PathBuf,
    unsaved: HashMap<(Arc<Published>, Row), u64>,
    reports: Vec<Arc<Published>>,
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
        Ok(Tally { folder, days })
    }

    pub(super) fn note(&mut self, now: u64, observation: &Observation) {
        let day = self.days.entry(now / DAY_SECONDS).or_default();
        if let Some(published) = day.add(&observation.published, &observation.row, 1) {
            let key = (published, observation.row.clone());
            *day.unsaved.entry(key).or_default() += 1;
        }
    }

    /// Days and records before today that are not reported. Days that are too old are given up.
    pub(super) fn due(&mut self, now: u64) -> Vec<(DayNumber, Arc<Published>)> {
        let today = now / DAY_SECONDS;
        let old = self.days.range(..today.saturating_sub(DAYS_MAX));
        let old: Vec<DayNumber> = old.map(|(day, _)| *day).collect();
        for day in old {
            self.remove(day);
        }
        let before = self.days.range(..today);
        let due = before.flat_map(|(number, day)| {
            let open = |published: &&Arc<Published>| !day.reported.contains(*published);
            let records = day.records.keys().filter(open);
            records.map(|published| (*number, Arc::clone(published)))
        });
        due.collect()
    }

    /// What there is to report.
    pub(super) fn of(&self, day: DayNumber, published: &Arc<Published>) -> Rows {
        let rows = self
            .days
            .get(&day)
            .and_then(|day| day.records.get(published));
        rows.cloned().unwrap_or_default()
    }

    /// It is reported, or nobody may have it.
    pub(super) fn done(&mut self, number: DayNumber, published: &Arc<Published>) {
        let Some(day) = self.days.get_mut(&number) else {
            return;
        };
        day.reported.insert(Arc::clone(published));
        day.unsaved_reports.push(Arc::clone(published));
        if day.reported.len() >= day.records.len() {
            self.remove(number);
        }
    }

    fn remove(&mut self, day: DayNumber) {
        self.days.remove(&day);
        // It may never have been written.
        let _ = fs::remove_file(self.path(day));
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
            let grown = day.lines + added > LINES_MIN.max(4 * day.rows);
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
                    published,
                    row,
                    count,
                }) => _ = day.add(&published, &row, count),
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

    /// Counts, and gives the record as it is kept; `None` if there was no room.
    fn add(&mut self, published: &Arc<Published>, row: &Row, count: u64) -> Option<Arc<Published>> {
        let (kept, known) = match self.records.get_key_value(published) {
            Some((kept, rows)) => (Arc::clone(kept), rows.len()),
            None if self.records.len() >= RECORDS_MAX => return None,
            None => (Arc::clone(published), 0),
        };
        let rows = self.records.entry(Arc::clone(&kept)).or_default();
        if let Some(counted) = rows.get_mut(row) {
            *counted = counted.saturating_add(count);
        } else if known >= ROWS_MAX || self.rows >= DAY_ROWS_MAX {
            return None;
        } else {
            rows.insert(row.clone(), count);
            self.rows += 1;
        }
        Some(kept)
    }

    /// Lines that add up to the day.
    fn all_lines(&self) -> Vec<Line> {
        let rows = self.records.iter().flat_map(|(published, rows)| {
            rows.iter().map(|(row, count)| Line::Noted {
                published: Arc::clone(published),
                row: row.clone(),
                count: *count,
            })
        });
        let reported = self.reported.iter().map(|reported| Line::Reported {
            reported: Arc::clone(reported),
        });
        rows.chain(reported).collect()
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
        for ((published, row), count) in &self.unsaved {
            let line = Line::Noted {
                published: Arc::clone(published),
                row: row.clone(),
                count: *count,
            };
            append(&mut text, &line)?;
        }
        for reported in &self.reports {
            let reported = Arc::clone(reported);
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

#[cfg(test)]
pub(in crate::deliver::dmarc_reports) mod tests;
