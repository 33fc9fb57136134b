//! Ways in which a nexthop may misbehave, at each step, and the enhanced status (RFC 3463) that tells of each: one table, for
//! messages that are handed on while the client waits and for those in the queue.

use super::message;
use super::sink::{Act, Manner, Sink, Step};

/// One way to misbehave.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) step: Step,
    pub(crate) act: Act,
    /// The status of the first attempt.
    pub(crate) status: &'static str,
    /// The nexthop may have taken the message.
    pub(crate) may_repeat: bool,
    /// Bytes of the message.
    size: usize,
}

fn case(name: &'static str, step: Step, act: Act, status: &'static str) -> Case {
    Case {
        name,
        step,
        act,
        status,
        may_repeat: false,
        size: 0,
    }
}

impl Case {
    fn may_repeat(self) -> Case {
        Case {
            may_repeat: true,
            ..self
        }
    }

    fn size(self, size: usize) -> Case {
        Case { size, ..self }
    }

    /// A sink that does so.
    pub(crate) fn sink(&self) -> Sink {
        Manner::smtp().at(self.step, self.act.clone()).start()
    }

    pub(crate) fn recipient(&self) -> String {
        format!("bob@{}.example", self.name)
    }

    pub(crate) fn message(&self) -> Vec<u8> {
        let mut message = message(self.name);
        while message.len() < self.size {
            message.extend_from_slice(&[b'x'; 70]);
            message.extend_from_slice(b"\r\n");
        }
        message
    }
}

/// Nothing more comes.
pub(crate) fn silence() -> Vec<Case> {
    vec![
        case("banner", Step::Banner, Act::Hang, "4.4.1"),
        case("ehlo", Step::Ehlo, Act::Hang, "4.4.1"),
        case("mail", Step::Mail, Act::Hang, "4.4.2"),
        case("rcpt", Step::Rcpt, Act::Hang, "4.4.2"),
        case("data", Step::Data, Act::Hang, "4.4.2"),
        // Larger than what the system's buffers hold, so that it is noticed while sending.
        case("content", Step::Content, Act::Stall, "4.4.2").size(16 << 20),
        case("final", Step::Final, Act::Hang, "4.4.2").may_repeat(),
    ]
}

/// The connection is closed.
pub(crate) fn hang_ups() -> Vec<Case> {
    vec![
        case("banner", Step::Banner, Act::Close, "4.4.1"),
        case("ehlo", Step::Ehlo, Act::Close, "4.4.1"),
        case("mail", Step::Mail, Act::Close, "4.4.2"),
        case("rcpt", Step::Rcpt, Act::Close, "4.4.2"),
        case("data", Step::Data, Act::Close, "4.4.2"),
        case(
            "after354",
            Step::Data,
            Act::SayAndClose("354 go on"),
            "4.4.2",
        )
        .size(1 << 20),
        case("final", Step::Final, Act::Close, "4.4.2").may_repeat(),
    ]
}

/// Transient replies, most with 421 and the end of the connection.
pub(crate) fn requests_for_patience() -> Vec<Case> {
    vec![
        case(
            "banner",
            Step::Banner,
            Act::SayAndClose("421 4.3.2 busy"),
            "4.3.2",
        ),
        case(
            "ehlo",
            Step::Ehlo,
            Act::SayAndClose("421 4.3.2 busy"),
            "4.3.2",
        ),
        case(
            "mail",
            Step::Mail,
            Act::SayAndClose("421 4.3.2 busy"),
            "4.3.2",
        ),
        case(
            "rcpt",
            Step::Rcpt,
            Act::SayAndClose("421 4.3.2 busy"),
            "4.3.2",
        ),
        case(
            "data",
            Step::Data,
            Act::SayAndClose("421 4.3.2 busy"),
            "4.3.2",
        ),
        case(
            "final",
            Step::Final,
            Act::SayAndClose("421 4.3.2 busy"),
            "4.3.2",
        ),
        case("mail451", Step::Mail, Act::Say("451 4.3.0 later"), "4.3.0"),
        case(
            "rcpt450",
            Step::Rcpt,
            Act::Say("450 4.2.1 greylisted"),
            "4.2.1",
        ),
        case(
            "data452",
            Step::Data,
            Act::Say("452 4.3.1 no space"),
            "4.3.1",
        ),
        case(
            "final451",
            Step::Final,
            Act::Say("451 4.7.0 scanning took too long"),
            "4.7.0",
        ),
        // RFC 3463 2: without a status of its own, the class of the code.
        case("bare450", Step::Rcpt, Act::Say("450 try later"), "4.0.0"),
    ]
}

/// Replies that are none.
pub(crate) fn nonsense() -> Vec<Case> {
    let long = [b"220 ".as_slice(), &[b'x'; 1 << 20]].concat();
    let garbage: Vec<u8> = (0..=255_u8).cycle().take(20_000).collect();
    vec![
        case("banner", Step::Banner, Act::Bytes(garbage.clone()), "4.5.0"),
        case(
            "http",
            Step::Banner,
            Act::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
            "4.5.0",
        ),
        case("line", Step::Banner, Act::Bytes(long), "4.5.0"),
        case(
            "forever",
            Step::Banner,
            Act::Forever("220-and more"),
            "4.5.0",
        ),
        case("ehlo", Step::Ehlo, Act::Forever("250-and more"), "4.5.0"),
        case("mail", Step::Mail, Act::Forever("250-and more"), "4.5.0"),
        case(
            "mixed",
            Step::Ehlo,
            Act::Say("250-sink\r\n550 other"),
            "4.5.0",
        ),
        case("rcpt", Step::Rcpt, Act::Bytes(garbage.clone()), "4.5.0"),
        // A positive reply that is none to DATA (RFC 5321 4.2.1: 354 is the only one that lets the message follow).
        case(
            "data",
            Step::Data,
            Act::Say("250 2.0.0 taken already"),
            "4.5.0",
        ),
        case("final", Step::Final, Act::Bytes(garbage), "4.5.0").may_repeat(),
    ]
}
