//! What a script may do, and when.

/// What a script may answer.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// What a good server does.
    Usual,
    /// These lines instead, without the last CRLF.
    Say(&'static str),
    /// These bytes, as they are.
    Bytes(Vec<u8>),
    /// These lines, and the connection is closed.
    SayAndClose(&'static str),
    /// What a good server says, and the connection is closed.
    UsualAndClose,
    /// Nothing, and the connection is closed.
    Close,
    /// Nothing more, until the other side closes.
    Hang,
    /// Nothing more, and nothing is read either, until the sink is dropped.
    Stall,
    /// These lines, and then nothing is said or read.
    SayAndStall(&'static str),
    /// Nothing is said, and what comes is read a little at a time, until the other side closes.
    Sip,
    /// This line again and again, until the other side closes.
    Forever(&'static str),
}

/// A moment of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Banner,
    Ehlo,
    StartTls,
    Mail,
    Rcpt,
    Data,
    /// After 354, before the message is read.
    Content,
    /// After the final dot.
    Final,
}

impl Step {
    /// Whether a script asked at `moment` is at this step.
    pub(crate) fn is_at(self, moment: &str) -> bool {
        let beginning = match self {
            Step::Banner => "connect",
            Step::Ehlo => return moment.starts_with("EHLO") || moment.starts_with("LHLO"),
            Step::StartTls => "STARTTLS",
            Step::Mail => "MAIL",
            Step::Rcpt => "RCPT",
            Step::Data => "DATA",
            Step::Content => "content",
            Step::Final => "message",
        };
        moment.starts_with(beginning)
    }
}
