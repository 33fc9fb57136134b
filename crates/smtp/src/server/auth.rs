//! AUTH (RFC 4954) with PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login): the exchange up to
//! the credentials. Whether they are right is the caller's to say.

mod base64;

use std::fmt;

use super::{Asked, Session, Stage, Step, replies};
use crate::command::{AuthArgument, Verb};
use crate::limits::CREDENTIALS_BYTES_MAX;
use crate::reply::write_reply;
use crate::server::request::Request;

#[cfg(test)]
mod tests;

/// What a client has authenticated with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// How it came.
    pub mechanism: Mechanism,
    /// Whom the client wants to act as; empty: as itself (RFC 4616 2).
    pub authorization_identity: String,
    /// Who the client is.
    pub authentication_identity: String,
    /// Its password.
    pub password: String,
}

/// A SASL mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// The older one of many clients.
    Login,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("mechanism", &self.mechanism)
            .field("authorization_identity", &self.authorization_identity)
            .field("authentication_identity", &self.authentication_identity)
            .finish_non_exhaustive()
    }
}

/// What the next response of the client holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    Plain,
    LoginUser,
    LoginPassword { user: String },
}

impl Session {
    pub(super) fn begin_auth<'a>(&mut self, argument: AuthArgument<'_>) -> Option<Step<'a>> {
        let exchange = if argument.mechanism.eq_ignore_ascii_case("PLAIN") {
            Exchange::Plain
        } else if argument.mechanism.eq_ignore_ascii_case("LOGIN") {
            Exchange::LoginUser
        } else {
            return self.refuse_command(Verb::Auth, replies::AUTH_MECHANISM);
        };
        match argument.initial_response {
            None => self.challenge(exchange),
            // RFC 4954 4: a single equals sign is the empty response.
            Some("=") => self.respond(exchange, b""),
            Some(response) => self.respond(exchange, response.as_bytes()),
        }
    }

    /// A line of the client's in an exchange.
    pub(super) fn continue_auth<'a>(
        &mut self,
        exchange: Exchange,
        line: &[u8],
    ) -> Option<Step<'a>> {
        if line == b"*" {
            self.last_refused = Some((Verb::Auth, replies::AUTH_CANCELLED.code));
            self.say(replies::AUTH_CANCELLED);
            return None;
        }
        self.respond(exchange, line)
    }

    fn respond<'a>(&mut self, exchange: Exchange, response: &[u8]) -> Option<Step<'a>> {
        let Some(response) = decode(response) else {
            return self.refuse_command(Verb::Auth, replies::AUTH_MALFORMED);
        };
        let credentials = match exchange {
            Exchange::LoginUser => {
                return self.challenge(Exchange::LoginPassword { user: response });
            }
            Exchange::LoginPassword { user } => Credentials {
                mechanism: Mechanism::Login,
                authorization_identity: String::new(),
                authentication_identity: user,
                password: response,
            },
            Exchange::Plain => match plain(&response) {
                Some(credentials) => credentials,
                None => return self.refuse_command(Verb::Auth, replies::AUTH_MALFORMED),
            },
        };
        let identities = [
            &credentials.authentication_identity,
            &credentials.authorization_identity,
        ];
        let forged = identities.iter().any(|id| id.chars().any(char::is_control));
        if forged || credentials.authentication_identity.is_empty() {
            return self.refuse_command(Verb::Auth, replies::AUTH_MALFORMED);
        }
        self.asked = Asked::Auth;
        Some(Step::Request(Request::Auth(credentials)))
    }

    fn challenge<'a>(&mut self, exchange: Exchange) -> Option<Step<'a>> {
        let challenge = match exchange {
            Exchange::Plain => "",
            // "Username:" and "Password:", as every client of LOGIN expects them.
            Exchange::LoginUser => "VXNlcm5hbWU6",
            Exchange::LoginPassword { .. } => "UGFzc3dvcmQ6",
        };
        write_reply(&mut self.output, 334, None, challenge, false);
        self.stage = Stage::Auth(Box::new(exchange));
        None
    }
}

/// RFC 4616 2: `[authzid] NUL authcid NUL passwd`.
fn plain(response: &str) -> Option<Credentials> {
    let mut parts = response.split('\0');
    let (authorization, authentication, password) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Some(Credentials {
        mechanism: Mechanism::Plain,
        authorization_identity: authorization.to_owned(),
        authentication_identity: authentication.to_owned(),
        password: password.to_owned(),
    })
}

/// A response in base64, which must be UTF-8 inside.
fn decode(response: &[u8]) -> Option<String> {
    if response.len() > CREDENTIALS_BYTES_MAX.div_ceil(3) * 4 {
        return None;
    }
    String::from_utf8(base64::decode(response)?).ok()
}
