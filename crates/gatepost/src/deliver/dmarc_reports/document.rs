//! The report: an XML document, compressed (RFC 9990 section 3 and appendix A), and the message that carries it (section 3.5).

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use ring::digest::{SHA256, digest};
use smtp::Mailbox;

use super::observation::{Published, Row};
use super::tally::Rows;
use crate::config::DailyReportSettings;
use crate::deliver::tls_reports::message::base64_lines;
use crate::deliver::tls_reports::tally::{DayNumber, seconds_of};

/// Rows of one report, those with the most messages first: a reader may not take more.
const ROWS_MAX: usize = 5_000;

/// What is reported: a day of a record.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The UTC day.
    pub day: DayNumber,
    /// The record.
    pub published: Arc<Published>,
    /// What was seen.
    pub rows: Rows,
}

/// A report, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Unique among all reports of this node.
    pub id: String,
    /// The file name that RFC 9990 section 3.5.2 wants.
    pub file_name: String,
    /// The XML text, gzipped (RFC 1952).
    pub gzip: Vec<u8>,
}

impl Reported {
    /// Messages that it is on.
    pub fn messages(&self) -> u64 {
        self.rows
            .values()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The document. `node` is our name.
    ///
    /// # Errors
    /// None that memory does not make.
    pub fn document(&self, settings: &DailyReportSettings, node: &str) -> io::Result<Document> {
        let (start, end) = seconds_of(self.day);
        let domain = &self.published.record.domain;
        let unique = self.unique();
        let id = format!("{start}.{unique}.{domain}@{node}");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(self.xml(settings, &id).as_bytes())?;
        Ok(Document {
            file_name: format!("{node}!{domain}!{start}!{end}!{unique}.xml.gz"),
            gzip: encoder.finish()?,
            id,
        })
    }

    /// Tells apart what a domain published one after the other on the same day: the beginning of a hash.
    fn unique(&self) -> String {
        let text = serde_json::to_vec(&*self.published).unwrap_or_default();
        let hash = digest(&SHA256, &text);
        let beginning = hash.as_ref().iter().take(6);
        beginning.map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn xml(&self, settings: &DailyReportSettings, id: &str) -> String {
        let (start, end) = seconds_of(self.day);
        let record = &self.published.record;
        let mut xml = String::with_capacity(1024 + 512 * self.rows.len());
        xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n<version>1.0</version>\n");
        xml.push_str("<report_metadata>\n");
        element(&mut xml, "org_name", &settings.organization);
        element(&mut xml, "email", &settings.contact.to_string());
        element(&mut xml, "report_id", id);
        let _ = writeln!(
            xml,
            "<date_range><begin>{start}</begin><end>{end}</end></date_range>"
        );
        element(
            &mut xml,
            "generator",
            concat!("Gatepost ", env!("CARGO_PKG_VERSION")),
        );
        xml.push_str("</report_metadata>\n<policy_published>\n");
        element(&mut xml, "domain", &record.domain);
        element(&mut xml, "p", record.policy.word());
        let sp = record.subdomain_policy.unwrap_or(record.policy);
        element(&mut xml, "sp", sp.word());
        if let Some(np) = record.nonexistent_policy {
            element(&mut xml, "np", np.word());
        }
        let alignment = |strict| if strict { "s" } else { "r" };
        element(&mut xml, "adkim", alignment(record.strict_dkim));
        element(&mut xml, "aspf", alignment(record.strict_spf));
        element(&mut xml, "discovery_method", "treewalk");
        element(&mut xml, "fo", &record.failure_options);
        element(&mut xml, "testing", if record.testing { "y" } else { "n" });
        xml.push_str("</policy_published>\n");
        let mut rows: Vec<(&Row, u64)> =
            self.rows.iter().map(|(row, count)| (row, *count)).collect();
        rows.sort_by(|(one, many), (other, more)| {
            more.cmp(many).then(one.source_ip.cmp(&other.source_ip))
        });
        for (row, count) in rows.into_iter().take(ROWS_MAX) {
            row.write(count, &mut xml);
        }
        xml.push_str("</feedback>\n");
        xml
    }
}

impl Row {
    fn write(&self, count: u64, xml: &mut String) {
        let result = |passes| if passes { "pass" } else { "fail" };
        xml.push_str("<record>\n<row>\n");
        element(xml, "source_ip", &self.source_ip.to_string());
        element(xml, "count", &count.to_string());
        xml.push_str("<policy_evaluated>\n");
        element(xml, "disposition", self.disposition.word());
        element(xml, "dkim", result(self.dkim_aligned));
        element(xml, "spf", result(self.spf_aligned));
        if let Some(overridden) = self.overridden {
            xml.push_str("<reason>\n");
            element(xml, "type", overridden.word());
            xml.push_str("</reason>\n");
        }
        xml.push_str("</policy_evaluated>\n</row>\n<identifiers>\n");
        element(xml, "header_from", &self.header_from);
        element(xml, "envelope_from", &self.envelope_from);
        xml.push_str("</identifiers>\n<auth_results>\n");
        for (domain, selector, result) in &self.dkim {
            xml.push_str("<dkim>\n");
            element(xml, "domain", domain);
            element(xml, "selector", selector);
            element(xml, "result", result.word());
            xml.push_str("</dkim>\n");
        }
        if let Some((domain, result)) = &self.spf {
            xml.push_str("<spf>\n");
            element(xml, "domain", domain);
            element(xml, "scope", "mfrom");
            element(xml, "result", result.word());
            xml.push_str("</spf>\n");
        }
        xml.push_str("</auth_results>\n</record>\n");
    }
}

/// An element with a text, which may be of strangers.
fn element(xml: &mut String, name: &str, text: &str) {
    let _ = write!(xml, "<{name}>");
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            // XML 1.0 section 2.2: no text may hold these, not even by reference.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => xml.push('?'),
            c => xml.push(c),
        }
    }
    let _ = writeln!(xml, "</{name}>");
}

/// The message that carries a report, lines ended by CRLF, without a signature.
pub fn message(
    settings: &DailyReportSettings,
    node: &str,
    domain: &str,
    to: &Mailbox,
    document: &Document,
    time: Timestamp,
) -> Vec<u8> {
    let Document {
        id,
        file_name,
        gzip,
    } = document;
    let date = rfc2822::to_string(&time.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default();
    // Nothing in the parts can hold it: one is ours, the other base64.
    let boundary = format!("=_dmarc_{:x}", time.as_millisecond());
    let submitter = settings.from.domain.to_string();
    let mut text = format!(
        "From: {from}\r\nTo: {to}\r\nDate: {date}\r\nMessage-ID: <{id}>\r\n\
         Subject: Report Domain: {domain}\r\n Submitter: {submitter}\r\n Report-ID: <{id}>\r\n\
         Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n\
         --{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
         This is an aggregate report by {node} on messages whose author's domain is\r\n{domain} or below it, as its DNS record \
         _dmarc asks for.\r\n\r\n\
         --{boundary}\r\nContent-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment;\r\n filename=\"{file_name}\"\r\n\r\n",
        from = settings.from,
    );
    base64_lines(gzip, &mut text);
    let _ = write!(text, "\r\n--{boundary}--\r\n");
    text.into_bytes()
}

#[cfg(test)]
mod tests;
