//! `gatepost queue` as operators type it, and the gateways and sinks to try it on.

use std::process::Output;

use serde_json::Value;

use super::gateway::{Gateway, Setup};
use super::sink::{Act, Manner, Sink};

/// Queues, and does not try again by itself while a test lasts.
pub(crate) const QUEUES: &str = "cut_through = false\nretry_min = \"1h\"\nretry_max = \"2h\"";

/// A message may go to several addresses of one domain; each gets words of its own from the sink.
pub(crate) fn two_routes(first: &str, second: &str) -> Gateway {
    let keys = format!("{QUEUES}\ncustomer = \"acme\"");
    Setup::new()
        .route_for("first.example", first, QUEUES)
        .route_for("second.example", second, &keys)
        .start()
}

/// A sink that puts off each recipient, with their own address in the reply.
pub(crate) fn putting_off() -> Sink {
    let script = |moment: &str| match moment.strip_prefix("RCPT TO:") {
        Some(path) => {
            Act::Bytes(format!("451 4.7.1 later, says the sink of {path}\r\n").into_bytes())
        }
        None => Act::Usual,
    };
    Manner::smtp().script(script).start()
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

impl Gateway {
    /// `gatepost queue ...`, whatever becomes of it.
    pub(crate) fn queue(&self, words: &[&str]) -> Output {
        let words: Vec<&str> = ["queue"].iter().chain(words).copied().collect();
        self.command(&words)
    }

    /// The same, which must succeed; standard output.
    #[track_caller]
    pub(crate) fn queue_done(&self, words: &[&str]) -> String {
        let output = self.queue(words);
        assert!(
            output.status.success(),
            "{words:?}: {}{}",
            out(&output),
            err(&output)
        );
        out(&output)
    }

    /// The same, which must fail without having done anything; standard error.
    #[track_caller]
    pub(crate) fn queue_refused(&self, words: &[&str]) -> String {
        let output = self.queue(words);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{words:?}: {}{}",
            out(&output),
            err(&output)
        );
        err(&output)
    }

    /// Messages in a list, and its last line.
    #[track_caller]
    pub(crate) fn listed(&self, filters: &[&str]) -> (Vec<Value>, Value) {
        let words: Vec<&str> = ["list", "--json"].iter().chain(filters).copied().collect();
        let text = self.queue_done(&words);
        let mut lines: Vec<Value> = text
            .lines()
            .map(|it| serde_json::from_str(it).unwrap())
            .collect();
        let last = lines.pop().unwrap();
        (lines, last["summary"].clone())
    }

    /// The recipients that a list names, in their order.
    #[track_caller]
    pub(crate) fn recipients(&self, filters: &[&str]) -> Vec<String> {
        let (messages, summary) = self.listed(filters);
        let of = |message: &Value| -> Vec<String> {
            let recipients = message["recipients"].as_array().unwrap().iter();
            recipients
                .map(|it| it["forward_path"].as_str().unwrap().to_owned())
                .collect()
        };
        let recipients: Vec<String> = messages.iter().flat_map(of).collect();
        assert_eq!(summary["recipients"], recipients.len(), "{summary}");
        assert_eq!(summary["complete"], true, "{summary}");
        recipients
    }

    /// Waits until an attempt for each of these has failed.
    pub(crate) fn await_delays(&self, recipients: &[&str]) {
        for recipient in recipients {
            self.attempt(recipient, "delayed");
        }
    }

    /// The only change of the queue so far that did this. The log is written behind the answer.
    #[track_caller]
    pub(crate) fn change(&self, action: &str) -> Value {
        let first = self.await_event("queue-changed", |it| it["action"] == action);
        let all = self.events("queue-changed").into_iter();
        assert_eq!(all.filter(|it| it["action"] == action).count(), 1);
        first
    }
}
