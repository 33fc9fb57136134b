//! The arithmetic of the load client, and its dialog with a server of three lines.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use super::{Cell, content, percentile, usual_recipient, waits};

#[test]
fn percentiles_are_values_that_occurred() {
    let sorted: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
    assert_eq!(percentile(&sorted, 0.99), Duration::from_millis(99));
    assert_eq!(percentile(&sorted, 1.0), Duration::from_millis(100));
    assert_eq!(percentile(&sorted[..1], 0.5), Duration::from_millis(1));
    assert_eq!(percentile(&[], 0.99), Duration::ZERO);
}

#[test]
fn a_message_has_its_size_and_its_dot() {
    let content = content(4096);
    assert!((4000..4100).contains(&content.len()), "{}", content.len());
    assert!(content.ends_with(b"X\r\n.\r\n"));
}

/// Answers one connection after the other until `messages` have come.
fn serve(listener: &TcpListener, mut messages: u32) {
    while messages > 0 {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        stream.write_all(b"220 hello\r\n").unwrap();
        while let Some(Ok(line)) = lines.next() {
            let reply: &[u8] = match line.as_bytes() {
                [b'E', b'H', ..] => b"250-hello\r\n250 SIZE\r\n",
                b"DATA" => b"354 go\r\n",
                b"QUIT" => b"221 bye\r\n",
                b"." => {
                    messages -= 1;
                    b"250 taken\r\n"
                }
                [b'M' | b'R', ..] if line.contains('<') && line.contains("FROM") => b"250 ok\r\n",
                [b'R', ..] => b"250 ok\r\n",
                _ => b"",
            };
            stream.write_all(reply).unwrap();
        }
    }
}

#[test]
fn every_message_is_sent_once_and_timed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || serve(&listener, 7));
    for (is_kept, messages) in [(false, 3), (true, 4)] {
        let cell = Cell {
            sessions: 1,
            is_kept,
            message_bytes: 512,
        };
        assert_eq!(
            waits(cell, port, messages, usual_recipient).unwrap().len(),
            messages as usize
        );
    }
    server.join().unwrap();
}
