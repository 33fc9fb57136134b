//! The bodies of the fuzz targets `reading`, `html` and `condition`.

use bytes::Bytes;

use super::Content;
use super::reading::header::FIELDS_MAX;
use super::reading::html::{LINKS_MAX, TEXT_BYTES_MAX};
use super::reading::{ATTACHED_MAX, Reading};
use super::rules::{RuleFacts, Rules};
use crate::message::Message;

/// A message, read and judged: what is kept is bounded, and so is what is told of it.
pub fn reading(bytes: &[u8]) {
    let message = Message::new(Bytes::copy_from_slice(bytes));
    is_bounded(message.reading());
    if let Ok(rules) = Rules::built_in() {
        let finding = Content::new(rules).inspect(&message, &RuleFacts::default());
        crate::fuzzing::is_bounded(Ok(finding));
    }
}

/// The HTML of a message.
pub fn html(bytes: &[u8]) {
    let message = [b"Content-Type: text/html\r\n\r\n", bytes].concat();
    let reading = Reading::of(&Message::new(Bytes::from(message)));
    is_bounded(&reading);
    // Each byte brings a few steps at most: markup is read once, and stacks are bounded.
    let steps_max = 300 * (bytes.len() as u64 + 1);
    assert!(
        reading.html().steps <= steps_max,
        "{}",
        reading.html().steps
    );
}

/// A rule file, and a condition in one.
pub fn condition(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let told = |text: &str| {
        let Err(errors) = Rules::parse("fuzz", text).map(|_| ()) else {
            return;
        };
        assert!(!errors.is_empty());
        for error in errors {
            assert!(error.line >= 1 && error.column >= 1);
            assert!(!error.message.is_empty() && !error.remedy.is_empty());
        }
    };
    told(text);
    let quoted = text.replace('\'', "");
    told(&format!(
        "[[rule]]\nsymbol = 'A'\ndescription = 'a'\nwhen = '''{quoted}'''\n"
    ));
}

fn is_bounded(reading: &Reading) {
    assert!(reading.visible().len() <= 2 * TEXT_BYTES_MAX);
    assert!(reading.hidden().len() <= TEXT_BYTES_MAX && reading.enclosed().len() <= TEXT_BYTES_MAX);
    assert!(reading.links().len() <= LINKS_MAX);
    assert!(reading.attachments().len() <= ATTACHED_MAX);
    assert!(reading.header().fields.len() <= FIELDS_MAX);
    for link in reading.links() {
        let _ = (
            link.imitates(),
            link.redirects_to(),
            link.is_hosted(),
            link.misleads(),
            link.url(),
        );
    }
}
