//! The report: a JSON document, compressed (RFC 8460 section 4).

use std::io::{self, Write as _};
use std::net::IpAddr;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::Serialize;

use super::tally::{Counts, DayNumber, seconds_of};
use super::{PolicyKind, ReportPolicy, ResultType};
use crate::config::DailyReportSettings;

/// What is reported: a day of a domain.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The UTC day.
    pub day: DayNumber,
    /// The recipient domain.
    pub domain: String,
    /// What its policies have seen.
    pub policies: Vec<(Arc<ReportPolicy>, Counts)>,
}

/// A report, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Unique among all reports of this node.
    pub id: String,
    /// The file name that RFC 8460 section 5.1 wants.
    pub file_name: String,
    /// The JSON text, gzipped (RFC 1952).
    pub gzip: Vec<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Report<'a> {
    organization_name: &'a str,
    date_range: DateRange,
    contact_info: String,
    report_id: &'a str,
    policies: Vec<PolicyResult<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct DateRange {
    start_datetime: String,
    end_datetime: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct PolicyResult<'a> {
    policy: Policy<'a>,
    summary: Summary,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failure_details: Vec<Detail<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Policy<'a> {
    policy_type: PolicyKind,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    policy_string: &'a [String],
    policy_domain: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    mx_host: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Summary {
    total_successful_session_count: u64,
    total_failure_session_count: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Detail<'a> {
    result_type: ResultType,
    #[serde(skip_serializing_if = "Option::is_none")]
    sending_mta_ip: Option<IpAddr>,
    receiving_mx_hostname: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiving_ip: Option<IpAddr>,
    failed_session_count: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    failure_reason_code: &'a str,
}

impl Reported {
    /// The document. `node` is our name.
    ///
    /// # Errors
    /// None that memory does not make.
    pub fn document(&self, settings: &DailyReportSettings, node: &str) -> io::Result<Document> {
        let (start, end) = seconds_of(self.day);
        let id = format!("{start}.{}@{node}", self.domain);
        let json = serde_json::to_vec(&self.report(settings, &id))?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&json)?;
        Ok(Document {
            file_name: format!("{node}!{}!{start}!{end}.json.gz", self.domain),
            gzip: encoder.finish()?,
            id,
        })
    }

    fn report<'a>(&'a self, settings: &'a DailyReportSettings, id: &'a str) -> Report<'a> {
        let (start, end) = seconds_of(self.day);
        let policies = self.policies.iter().map(|(policy, counts)| PolicyResult {
            policy: Policy {
                policy_type: policy.kind,
                policy_string: &policy.strings,
                policy_domain: &policy.domain,
                mx_host: &policy.mx_hosts,
            },
            summary: Summary {
                total_successful_session_count: counts.successes,
                total_failure_session_count: counts.failures,
            },
            failure_details: details(counts).collect(),
        });
        Report {
            organization_name: &settings.organization,
            date_range: DateRange {
                start_datetime: date_time(start),
                end_datetime: date_time(end),
            },
            contact_info: settings.contact.to_string(),
            report_id: id,
            policies: policies.collect(),
        }
    }
}

fn details(counts: &Counts) -> impl Iterator<Item = Detail<'_>> {
    counts.details.iter().map(|(failure, count)| Detail {
        result_type: failure.result,
        sending_mta_ip: failure.sending_ip,
        receiving_mx_hostname: &failure.receiving_host,
        receiving_ip: failure.receiving_ip,
        failed_session_count: *count,
        failure_reason_code: &failure.reason,
    })
}

/// RFC 3339, in seconds.
fn date_time(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(0);
    Timestamp::from_second(seconds)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_string()
}

#[cfg(test)]
pub(in crate::deliver) mod tests;
