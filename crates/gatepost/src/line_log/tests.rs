//! Lines arrive whole, in order, and gaps are told.

use super::*;
use std::sync::mpsc;

fn gap(lost: u64) -> String {
    format!("lost {lost}\n")
}

#[test]
fn lines_are_appended_in_order_and_flushed_on_close() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let log = LineLog::open(Target::File(path.clone()), gap).unwrap();
    for n in 0..1000 {
        log.append(|out| out.extend_from_slice(format!("line {n}\n").as_bytes()));
    }
    log.close();
    let expected: String = (0..1000).map(|n| format!("line {n}\n")).collect();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
}

#[test]
fn reopen_follows_a_rotation() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let log = LineLog::open(Target::File(path.clone()), gap).unwrap();
    std::fs::rename(&path, dir.path().join("log.1")).unwrap();
    log.reopen();
    log.append(|out| out.extend_from_slice(b"after\n"));
    log.close();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "after\n");
}

/// A stream that blocks until it is told to go on.
struct Gate(mpsc::Receiver<()>, mpsc::Sender<Vec<u8>>);

impl Write for Gate {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        // A closed channel opens the gate for good.
        let _ = self.0.recv();
        let _ = self.1.send(buf.to_vec());
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stalled_target_costs_bounded_memory_and_the_gap_is_told() {
    let (open, gate) = mpsc::channel();
    let (written, seen) = mpsc::channel();
    let log = LineLog::open(Target::Stream(Box::new(Gate(gate, written))), gap).unwrap();
    let line = vec![b'x'; 1024 * 1024];
    for _ in 0..200 {
        log.append(|out| out.extend_from_slice(&line));
    }
    assert!(log.shared.state().waiting.len() <= BACKLOG_BYTES_MAX + line.len());
    drop(open);
    log.close();
    let all: Vec<u8> = seen.iter().flatten().collect();
    let told = String::from_utf8_lossy(&all[all.len() - 20..]).into_owned();
    assert!(told.contains("lost "), "the last line tells the gap: {told:?}");
}
