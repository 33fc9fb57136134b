//! What became of queued recipients, as the decision log, the metrics and `gatepost queue` tell it.

use serde_json::Value;

use super::await_some_or;
use super::client::Client;
use super::gateway::Gateway;

/// One attempt to deliver to one recipient, or the end of its lifetime: a line of the event `delivery`.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) recipient: String,
    /// `delivered`, `delayed`, `failed` or `expired`.
    pub(crate) result: String,
    /// The enhanced status; empty where there is none.
    pub(crate) status: String,
    /// The whole event, for what else is in it.
    pub(crate) text: String,
    pub(crate) event: Value,
}

/// What waits in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Waiting {
    pub(crate) messages: u64,
    pub(crate) recipients: u64,
}

impl Gateway {
    /// Hands in a message from ann@example.net that must be accepted.
    #[track_caller]
    pub(crate) fn submit(&self, recipients: &[&str], message: &[u8]) {
        let mut client = Client::envelope(self.address(), recipients);
        client.data(message).expect(250, "2.6.0");
        client.quit();
    }

    /// All attempts so far, of all recipients, in order.
    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        for event in self.events("delivery") {
            for recipient in event["recipients"].as_array().into_iter().flatten() {
                let text = |name: &str| recipient[name].as_str().unwrap_or_default().to_owned();
                attempts.push(Attempt {
                    recipient: text("forward_path"),
                    result: text("result"),
                    status: text("status"),
                    text: event.to_string(),
                    event: event.clone(),
                });
            }
        }
        attempts
    }

    /// The first attempt for this recipient that ended so; waits for it.
    pub(crate) fn attempt(&self, recipient: &str, result: &str) -> Attempt {
        let found = || {
            self.attempts()
                .into_iter()
                .find(|it| it.recipient == recipient && it.result == result)
        };
        await_some_or(
            || format!("{recipient} was not {result}: {:#?}", self.log()),
            found,
        )
    }

    /// What was told when nobody at this nexthop could be reached; the status stands before the words. Waits for it.
    pub(crate) fn unreachable(&self, nexthop: &str) -> String {
        let event = self.await_event("nexthop-down", |event| {
            event["nexthop"]
                .as_str()
                .is_some_and(|it| it.contains(nexthop))
        });
        event["detail"].as_str().unwrap().to_owned()
    }

    /// What waits in the queue now.
    pub(crate) fn waiting(&self) -> Waiting {
        Waiting {
            messages: whole(self.metric("gatepost_queue_messages")),
            recipients: whole(self.metric("gatepost_queue_recipients")),
        }
    }

    /// Waits until nothing waits any more.
    pub(crate) fn await_empty_queue(&self) {
        await_some_or(
            || format!("{:?} in {:#?}", self.waiting(), self.log()),
            || (self.waiting() == Waiting::default()).then_some(()),
        );
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are small"
)]
fn whole(value: f64) -> u64 {
    value as u64
}
