//! Which TLSA records hold for a server (RFC 7672 section 2.2): those of its name, or of what that is an alias of, if all that
//! leads there is secure.

use std::fmt::Write as _;
use std::sync::Arc;

use net::resolver::{DnsError, Resolver, Tlsa};

use super::{Refused, Target, fault};
use crate::deliver::fault::Cause;
use crate::deliver::tls_reports::{PolicyKind, ReportPolicy, ResultType};

/// Records as published, usable or not; at least one.
#[derive(Debug)]
pub(super) struct Records {
    /// The TLSA base domain (section 2.2.3): whose they are.
    pub(super) base: String,
    pub(super) port: u16,
    pub(super) records: Vec<Tlsa>,
}

/// The records of a server; `None` if DANE does not apply to it.
///
/// # Errors
/// They cannot be known now: the server must not be used (section 2.1.2).
pub(super) async fn records(
    resolver: &Resolver,
    target: &Target<'_>,
) -> Result<Option<Records>, Refused> {
    // Section 2.2.1: who names the server insecurely can name any.
    if target.by_mx && !target.secure {
        return Ok(None);
    }
    for base in bases(resolver, target).await? {
        match resolver.tlsa(target.port, base).await {
            Ok(answered) if answered.secure && !answered.value.is_empty() => {
                return Ok(Some(Records {
                    base: base.to_owned(),
                    port: target.port,
                    records: answered.value,
                }));
            }
            Ok(_) => {}
            Err(error) if error.is_absence() => {}
            Err(error) => return Err(unknown(target, &error)),
        }
    }
    Ok(None)
}

/// Section 2.2.3: what an alias stands for comes first, then the name itself. Names without secure addresses are not asked for
/// (section 2.2.2): zones that are not signed may have servers that fail on such questions, and it does not matter.
async fn bases<'a>(resolver: &Resolver, target: &Target<'a>) -> Result<Vec<&'a str>, Refused> {
    let is_alias = target.host != target.canonical;
    if target.ips_secure {
        return Ok(match is_alias {
            true => vec![target.canonical, target.host],
            false => vec![target.host],
        });
    }
    if !is_alias {
        return Ok(Vec::new());
    }
    match resolver.alias(target.host).await {
        Ok(alias) if alias.secure => Ok(vec![target.host]),
        Ok(_) => Ok(Vec::new()),
        Err(error) if error.is_absence() => Ok(Vec::new()),
        Err(error) => Err(unknown(target, &error)),
    }
}

fn unknown(target: &Target<'_>, error: &DnsError) -> Refused {
    let words = format!("its TLSA records cannot be known now: {error}");
    Refused {
        noted: Some((
            ReportPolicy::new(PolicyKind::Tlsa, target.host, Vec::new()),
            ResultType::DnssecInvalid,
        )),
        fault: fault(target, Cause::Dns(words)),
    }
}

impl Records {
    /// For reports: each record as a zone file has its data (RFC 8460 section 4.4).
    pub(super) fn policy(&self) -> Arc<ReportPolicy> {
        let records = self.records.iter().take(16).map(|record| {
            let Tlsa {
                usage,
                selector,
                matching,
                ..
            } = record;
            let mut text = format!("{usage} {selector} {matching} ");
            for byte in record.data.iter().take(64) {
                // Writing to a String can't fail.
                let _ = write!(text, "{byte:02X}");
            }
            text
        });
        let domain = format!("_{}._tcp.{}", self.port, self.base);
        ReportPolicy::new(PolicyKind::Tlsa, &domain, records.collect())
    }
}
