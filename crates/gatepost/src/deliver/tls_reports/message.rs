//! The message that carries a report (RFC 8460 section 5.3): multipart/report (RFC 6522) of the type `tlsrpt`.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use smtp::Mailbox;

use super::document::Document;
use crate::config::DailyReportSettings;

/// Bytes that one line of base64 stands for (RFC 2045 section 6.8: 76 characters).
const LINE_BYTES: usize = 57;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What a message is made of, besides the report.
#[derive(Clone, Copy, Debug)]
pub struct Letterhead<'a> {
    /// Who reports.
    pub settings: &'a DailyReportSettings,
    /// Our name.
    pub node: &'a str,
    /// The domain that the report is on.
    pub domain: &'a str,
    /// Who gets it.
    pub to: &'a Mailbox,
    /// Now.
    pub time: Timestamp,
}

/// The message, lines ended by CRLF, without a signature.
pub fn message(letterhead: &Letterhead<'_>, document: &Document) -> Vec<u8> {
    let Letterhead {
        settings,
        node,
        domain,
        to,
        time,
    } = letterhead;
    let Document {
        id,
        file_name,
        gzip,
    } = document;
    let date = rfc2822::to_string(&time.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default();
    // Nothing in the parts can hold it: one is ours, the other base64.
    let boundary = format!("=_tlsrpt_{:x}", time.as_millisecond());
    let submitter = settings.from.domain.to_string();
    let mut text = format!(
        "From: {from}\r\nTo: {to}\r\nDate: {date}\r\nMessage-ID: <{id}>\r\n\
         Subject: Report Domain: {domain}\r\n Submitter: {submitter}\r\n Report-ID: <{id}>\r\n\
         TLS-Report-Domain: {domain}\r\nTLS-Report-Submitter: {submitter}\r\nTLS-Required: No\r\n\
         Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n boundary=\"{boundary}\"\r\n\r\n\
         --{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
         This is a report by {node} on TLS towards the mail servers of\r\n{domain}, as its DNS record _smtp._tls asks for.\r\n\r\n\
         --{boundary}\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment;\r\n filename=\"{file_name}\"\r\n\r\n",
        from = settings.from,
    );
    base64_lines(gzip, &mut text);
    // Writing to a String can't fail.
    let _ = write!(text, "\r\n--{boundary}--\r\n");
    text.into_bytes()
}

/// Base64 in lines (RFC 2045 section 6.8).
pub(in crate::deliver) fn base64_lines(bytes: &[u8], text: &mut String) {
    for line in bytes.chunks(LINE_BYTES) {
        for group in line.chunks(3) {
            let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for place in 0..4 {
                let index = (bits >> (18 - 6 * place)) & 63;
                let character = ALPHABET
                    .get(index as usize)
                    .filter(|_| place <= group.len());
                text.push(character.map_or('=', |&character| char::from(character)));
            }
        }
        text.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests;
