//! What is made of a sender's authentication, in words: what counts as proof, who is excused, and who is told of it.

use scan::limits::{DKIM_RSA_BITS_MIN, DKIM_SIGNATURES_MAX};

use super::Envelope;
use crate::config::Config;
use crate::deliver::dmarc_reports::destination::DESTINATIONS_MAX;

/// The lines for an envelope whose route has the engine `auth`.
pub(super) fn lines(config: &Config, envelope: &Envelope) -> Vec<String> {
    vec![
        format!(
            "{DKIM_SIGNATURES_MAX} DKIM signatures count, the uppermost and the lowermost; RSA keys below {DKIM_RSA_BITS_MIN} bits, SHA-1 and bodies \
             signed in part (l=) prove nothing"
        ),
        "what the DNS does not tell in time is no failure, and refuses nothing".to_owned(),
        spf(config),
        excused(config, envelope),
        reports(config),
    ]
}

fn spf(config: &Config) -> String {
    if config.auth.spf_fail_at_mail {
        "what SPF says no to is refused at MAIL ([auth] spf_fail_at_mail)".to_owned()
    } else {
        "SPF alone refuses nothing ([auth] spf_fail_at_mail)".to_owned()
    }
}

fn excused(config: &Config, envelope: &Envelope) -> String {
    let auth = &config.auth;
    let contains = |ip| auth.trusted_forwarders.iter().any(|net| net.contains(&ip));
    if envelope.client.is_some_and(contains) {
        return "DMARC brings nothing here: the client is one of trusted_forwarders".to_owned();
    }
    let forwarders: Vec<String> = auth
        .trusted_forwarders
        .iter()
        .map(ToString::to_string)
        .collect();
    let named = [
        ("clients", &forwarders),
        ("lists", &auth.trusted_lists),
        ("sealers", &auth.trusted_sealers),
    ];
    let named = named.into_iter().filter(|(_, names)| !names.is_empty());
    let named: Vec<String> = named
        .map(|(what, names)| format!("{what} {}", names.join(", ")))
        .collect();
    if named.is_empty() {
        return "nobody is excused from DMARC ([auth] trusted_forwarders, trusted_lists, trusted_sealers)".to_owned();
    }
    format!("excused from DMARC: {}", named.join("; "))
}

fn reports(config: &Config) -> String {
    if !config.dmarc_reports.enabled {
        return "owners of domains get no reports on this ([dmarc_reports])".to_owned();
    }
    format!(
        "owners of domains get a report each day: the first {DESTINATIONS_MAX} addresses of their record; those of another \
         organisation only if that has a record DOMAIN._report._dmarc"
    )
}
