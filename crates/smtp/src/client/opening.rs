//! From the banner to the first transaction: EHLO or LHLO, HELO where that is refused, STARTTLS
//! (RFC 3207), AUTH (RFC 4954), and the recognition of SMTP fixups on the way.

use super::pipeline::Expected;
use super::sasl;
use super::{
    Capabilities, Event, Failure, Phase, PixWorkaround, Protocol, Session, Stage, StartTlsUse,
};
use crate::reply::Reply;

impl Session {
    pub(super) fn on_opening_reply(&mut self, reply: Reply) {
        let stage = self.stage();
        let expected = self.pipeline.answered();
        // A peer that is closing (RFC 5321 section 3.8) is not asked for anything else.
        if reply.code() == 421 {
            return self.fail(Failure::Refused { stage, reply });
        }
        match expected {
            Some(Expected::Banner) => self.on_banner(reply),
            Some(Expected::Ehlo) => self.on_ehlo(reply),
            Some(Expected::Helo) => self.on_helo(reply),
            Some(Expected::StartTls) => self.on_starttls(reply),
            Some(Expected::Auth(step)) => self.on_auth(step, reply),
            _ => self.fail_unexpected(stage, reply),
        }
    }

    /// EHLO, or LHLO for LMTP (RFC 2033 section 4.1).
    pub(super) fn send_ehlo(&mut self) {
        let verb = match self.settings.protocol {
            Protocol::Smtp => "EHLO",
            Protocol::Lmtp => "LHLO",
        };
        let line = format!("{verb} {}", self.settings.ehlo_name);
        self.queue(&line, Expected::Ehlo);
    }

    /// Whether the dialog has to make do with what a fixup lets through. TLS is beyond its reach.
    pub(super) fn works_around_pix(&self) -> bool {
        self.pix && !self.tls && self.settings.pix != PixWorkaround::Off
    }

    fn on_banner(&mut self, reply: Reply) {
        self.banner = Some(reply.clone());
        match reply.code() {
            220 => {}
            400.. => {
                return self.fail(Failure::Refused {
                    stage: Stage::Banner,
                    reply,
                });
            }
            _ => return self.fail_unexpected(Stage::Banner, reply),
        }
        let known = self.settings.pix == PixWorkaround::Known;
        self.pix = self.settings.protocol == Protocol::Smtp && (known || is_masked_banner(&reply));
        if self.works_around_pix() {
            self.send_helo();
        } else {
            self.send_ehlo();
        }
    }

    fn on_ehlo(&mut self, reply: Reply) {
        let masked =
            self.settings.protocol == Protocol::Smtp && !self.tls && has_masked_words(&reply);
        self.pix |= masked;
        match reply.code() {
            250 => {
                self.capabilities = Capabilities::parse(&reply);
                // RFC 8689 section 2: said in clear, anybody on the way may have said it.
                self.capabilities.require_tls &= self.tls;
                // Where STARTTLS has survived, TLS leads around the fixup altogether.
                if masked && self.works_around_pix() && !self.may_start_tls() {
                    self.capabilities = Capabilities::default();
                    return self.send_helo();
                }
                self.secure();
            }
            // RFC 5321 section 3.2: a server that does not know EHLO may know HELO. LMTP has no such past.
            500.. if self.settings.protocol == Protocol::Smtp => self.send_helo(),
            400.. => self.fail(Failure::Refused {
                stage: Stage::Ehlo,
                reply,
            }),
            _ => self.fail_unexpected(Stage::Ehlo, reply),
        }
    }

    fn send_helo(&mut self) {
        let line = format!("HELO {}", self.settings.ehlo_name);
        self.queue(&line, Expected::Helo);
    }

    fn on_helo(&mut self, reply: Reply) {
        match reply.code() {
            250 => self.secure(),
            400.. => self.fail(Failure::Refused {
                stage: Stage::Ehlo,
                reply,
            }),
            _ => self.fail_unexpected(Stage::Ehlo, reply),
        }
    }

    fn may_start_tls(&self) -> bool {
        !self.tls && self.capabilities.starttls && self.settings.starttls != StartTlsUse::Never
    }

    fn secure(&mut self) {
        if self.may_start_tls() {
            self.queue("STARTTLS", Expected::StartTls);
        } else if !self.tls && self.settings.starttls == StartTlsUse::Require {
            self.fail(Failure::TlsNotOffered);
        } else {
            self.authenticate();
        }
    }

    fn on_starttls(&mut self, reply: Reply) {
        match reply.code() {
            220 => {
                self.phase = Phase::Handshake;
                self.events.push_back(Event::StartTls);
            }
            // RFC 3207 section 4: the client decides whether to go on without.
            400.. if self.settings.starttls == StartTlsUse::Opportunistic => self.authenticate(),
            400.. => self.fail(Failure::Refused {
                stage: Stage::StartTls,
                reply,
            }),
            _ => self.fail_unexpected(Stage::StartTls, reply),
        }
    }

    fn authenticate(&mut self) {
        let Some(auth) = &self.settings.auth else {
            return self.ready();
        };
        if !self.tls && !auth.in_clear {
            return self.fail(Failure::AuthNeedsTls);
        }
        match sasl::begin(&self.capabilities, auth) {
            Some((line, step)) => self.queue(&line, Expected::Auth(step)),
            None => self.fail(Failure::AuthNotOffered),
        }
    }

    fn on_auth(&mut self, step: sasl::Step, reply: Reply) {
        match reply.code() {
            235 => self.ready(),
            334 => {
                let response = self
                    .settings
                    .auth
                    .as_ref()
                    .and_then(|auth| sasl::respond(step, auth));
                match response {
                    Some((line, next)) => self.queue(&line, Expected::Auth(next)),
                    None => self.fail_unexpected(Stage::Auth, reply),
                }
            }
            400.. => self.fail(Failure::AuthFailed(reply)),
            _ => self.fail_unexpected(Stage::Auth, reply),
        }
    }

    fn ready(&mut self) {
        self.phase = Phase::Ready;
        self.events.push_back(Event::Ready);
    }
}

/// A fixup masks the banner, all but `2` and `0`, which it needs for the code. Without an asterisk it
/// is not a masked but an empty one.
fn is_masked_banner(reply: &Reply) -> bool {
    let masked = |c| matches!(c, '2' | '0' | '*' | ' ' | '\t');
    reply.text().contains('*') && reply.lines().all(|line| line.chars().all(masked))
}

/// A fixup overwrites extensions in the reply to EHLO (`250-XXXXXXXA`), or EHLO itself, which the
/// server then quotes in its 500.
fn has_masked_words(reply: &Reply) -> bool {
    // The first line of a positive reply is the peer's name.
    let skipped = usize::from(reply.is_positive());
    let is_masked = |word: &str| {
        word.trim_matches(|c: char| !c.is_ascii_alphanumeric())
            .starts_with("XXXX")
    };
    reply
        .lines()
        .skip(skipped)
        .any(|line| line.split(' ').any(is_masked))
}
