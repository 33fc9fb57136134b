//! What EHLO is answered with (RFC 5321 4.1.1.1): the extensions that this session offers now.

use std::fmt::Write as _;

use super::{AuthOffer, Session};
use crate::command::XclientAttribute;

impl Session {
    /// The extensions, one a line, each line begun by a line feed: behind the greeting.
    pub(super) fn extensions(&self) -> String {
        let settings = &self.settings;
        let mut text = String::with_capacity(256);
        let mut offer = |offered: bool, keyword: &str| {
            if offered {
                text.push('\n');
                text.push_str(keyword);
            }
        };
        offer(settings.pipelining, "PIPELINING");
        offer(true, "8BITMIME");
        offer(true, "ENHANCEDSTATUSCODES");
        offer(settings.smtputf8, "SMTPUTF8");
        offer(settings.chunking, "CHUNKING");
        offer(settings.dsn, "DSN");
        offer(settings.prdr, "PRDR");
        offer(self.offers_starttls(), "STARTTLS");
        // RFC 8689 section 2: never before TLS.
        offer(settings.require_tls && self.tls, "REQUIRETLS");
        offer(self.offers_auth(), "AUTH PLAIN LOGIN");
        // Writing to a String cannot fail.
        let _ = write!(text, "\nSIZE {}", settings.message_size_max);
        let _ = write!(
            text,
            "\nLIMITS RCPTMAX={} MAILMAX={}",
            settings.recipients_max, settings.transactions_max
        );
        if self.trust.xclient {
            text.push_str("\nXCLIENT");
            for attribute in XclientAttribute::ALL {
                text.push(' ');
                text.push_str(attribute.as_str());
            }
        }
        text
    }

    /// RFC 3207 4.2: not once TLS is active.
    pub(super) fn offers_starttls(&self) -> bool {
        self.settings.starttls && !self.tls
    }

    /// RFC 4954 4: what would send a password in clear is not offered without TLS.
    pub(super) fn offers_auth(&self) -> bool {
        match self.settings.auth {
            AuthOffer::Never => false,
            AuthOffer::OverTls => self.tls,
            AuthOffer::Always => true,
        }
    }
}
