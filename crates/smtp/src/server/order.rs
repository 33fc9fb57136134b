//! Which command may come in which state: RFC 5321 4.1.4 and the extensions' own rules, as one
//! table.
//!
//! What TLS, authentication and the listener's settings forbid besides is in `execute`.

use super::replies::{self, Fixed};
use crate::command::Verb;

#[cfg(test)]
mod tests;

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Neither EHLO nor HELO has been accepted.
    Connected,
    /// No transaction is in progress.
    Ready,
    /// MAIL was accepted, no recipient yet.
    Mail,
    /// At least one recipient was accepted.
    Rcpt,
    /// A chunk was accepted, not the last one.
    Bdat,
    /// A chunk was refused: RFC 3030 2 demands RSET.
    BdatFailed,
}

impl State {
    #[cfg(test)]
    pub(super) const ALL: [State; 6] = [
        State::Connected,
        State::Ready,
        State::Mail,
        State::Rcpt,
        State::Bdat,
        State::BdatFailed,
    ];
}

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permission {
    /// It is executed.
    Proceed,
    /// It is refused; a mistake of the client's.
    Refuse(Fixed),
    /// It is refused; no mistake if the command before it was refused, for then it was pipelined
    /// (RFC 2920 3.1).
    RefuseInSequence(Fixed),
}

/// The table.
pub(super) fn permission(state: State, verb: Verb) -> Permission {
    use Permission::{Proceed, Refuse, RefuseInSequence};
    use State::{Bdat, BdatFailed, Connected, Mail, Rcpt, Ready};
    match (verb, state) {
        (Verb::Unknown, _) => Refuse(replies::UNKNOWN_COMMAND),

        // RFC 5321 4.1.4: at any time. EHLO and HELO end a transaction as RSET does.
        (
            Verb::Ehlo
            | Verb::Helo
            | Verb::Rset
            | Verb::Noop
            | Verb::Vrfy
            | Verb::Expn
            | Verb::Help
            | Verb::Quit,
            _,
        ) => Proceed,

        // RFC 5321 4.1.4: a session that contains transactions begins with EHLO or HELO.
        (Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Bdat, Connected) => {
            Refuse(replies::EHLO_FIRST)
        }
        // RFC 3207 4 and RFC 4954 3: the client has seen the offer in the answer to EHLO.
        (Verb::StartTls | Verb::Auth, Connected) => Refuse(replies::EHLO_FIRST),

        // RFC 3030 2: nothing but RSET clears a sequence of chunks that has failed. Chunks that
        // were pipelined behind the failure are no mistake.
        (Verb::Bdat, BdatFailed) => RefuseInSequence(replies::RSET_FIRST),
        (Verb::Mail | Verb::Rcpt | Verb::Data, BdatFailed) => Refuse(replies::RSET_FIRST),

        // RFC 5321 4.1.1.2: no transaction within a transaction.
        (Verb::Mail, Ready) => Proceed,
        (Verb::Mail, Mail | Rcpt | Bdat) => Refuse(replies::NESTED_MAIL),

        (Verb::Rcpt, Ready) => RefuseInSequence(replies::MAIL_FIRST),
        (Verb::Rcpt, Mail | Rcpt) => Proceed,

        // RFC 5321 3.3: without a recipient 503 or 554.
        (Verb::Data | Verb::Bdat, Ready) => RefuseInSequence(replies::MAIL_FIRST),
        (Verb::Data | Verb::Bdat, Mail) => RefuseInSequence(replies::RCPT_FIRST),
        (Verb::Data | Verb::Bdat, Rcpt) | (Verb::Bdat, Bdat) => Proceed,

        // RFC 3030 2: DATA and BDAT cannot be used in the same transaction, and recipients come
        // before the content.
        (Verb::Rcpt | Verb::Data, Bdat) => Refuse(replies::CHUNKS_IN_PROGRESS),

        // RFC 4954 4 forbids AUTH within a transaction; the others would change under it for whom
        // it is.
        (Verb::StartTls | Verb::Auth, Ready) => Proceed,
        (Verb::Xclient, Connected | Ready) => Proceed,
        (Verb::StartTls | Verb::Auth | Verb::Xclient, Mail | Rcpt | Bdat | BdatFailed) => {
            Refuse(replies::TRANSACTION_IN_PROGRESS)
        }
    }
}
