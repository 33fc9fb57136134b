//! Whether the public keys of our DKIM keys are in the DNS, and are theirs (RFC 6376 3.6): what a signature is worth nothing
//! without.

use std::sync::Arc;

use net::resolver::DnsError;
use tokio::time::timeout;

use super::{CHECK_WAIT_MAX, Check, Checks, tell};
use crate::config::Dkim;
use crate::context::Context;

/// Records that are looked up: a large provider has thousands, which the first tell enough of.
const RECORDS_MAX: usize = 100;

/// Checks the record of each key and domain.
pub(super) async fn check(cx: Arc<Context>, checks: Checks) {
    let mut left = RECORDS_MAX;
    for key in &cx.config.dkim {
        for domain in &key.domains {
            let Some(fewer) = left.checked_sub(1) else {
                return;
            };
            left = fewer;
            tell(&checks, asked(&cx, key, domain).await);
        }
    }
}

async fn asked(cx: &Context, key: &Dkim, domain: &str) -> Check {
    let name = format!("{}._domainkey.{domain}", key.selector);
    let answer = timeout(CHECK_WAIT_MAX, cx.resolver.txt(&name)).await;
    let answer = answer.unwrap_or_else(|_| {
        Err(DnsError::Temporary {
            detail: "no answer in time".to_owned(),
        })
    });
    compared(key, &name, answer)
}

fn compared(key: &Dkim, name: &str, answer: Result<Vec<String>, DnsError>) -> Check {
    let record = key.key.public_record();
    let remedy = format!("publish at {name} the TXT record: {record}");
    match answer {
        Ok(texts)
            if texts
                .iter()
                .any(|text| public_key(text) == public_key(&record)) =>
        {
            Check::ok(
                "dkim",
                format!("{name} holds the public key of {}", key.file.display()),
            )
        }
        Ok(_) => Check::failed(
            "dkim",
            format!(
                "{name} holds another key than {}: receivers take its signatures for forged",
                key.file.display()
            ),
            remedy,
        ),
        Err(DnsError::NoSuchName | DnsError::NoRecord) => Check::failed(
            "dkim",
            format!(
                "{name} does not exist: the signatures of {} can't be verified",
                key.file.display()
            ),
            remedy,
        ),
        Err(error) => Check::warning("dkim", format!("{name}: {error}"), "try again"),
    }
}

/// The tag `p=` without blanks.
fn public_key(record: &str) -> Option<String> {
    let value = record
        .split(';')
        .find_map(|tag| tag.trim().strip_prefix('p')?.trim_start().strip_prefix('='))?;
    Some(value.chars().filter(|c| !c.is_whitespace()).collect())
}

#[cfg(test)]
mod tests;
