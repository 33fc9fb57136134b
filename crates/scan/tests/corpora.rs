//! Real mail through the view and the attachment engine: 6,294 messages of the SpamAssassin corpus, 4,997 of phishing.

#![expect(clippy::print_stdout, reason = "the counts are of interest")]

#[path = "support/corpora.rs"]
mod corpora;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use scan::attachment::{Attachment, AttachmentSettings};
use scan::finding::Finding;
use scan::view::View;

fn examine(file: &Path) -> Finding {
    let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let message = Bytes::from(bytes);
    let view = View::parse(&message);
    assert!(!view.parts().is_empty(), "{}", file.display());
    let content: usize = view.leaves().map(|part| part.content().len()).sum();
    assert!(content <= message.len(), "{}", file.display());
    Attachment::new(AttachmentSettings::default()).inspect(&view)
}

/// Counts of symbols and of bans, and each ban in words.
fn tally(folder: &Path) -> (BTreeMap<String, usize>, Vec<(String, String)>) {
    let mut symbols = BTreeMap::new();
    let mut banned = Vec::new();
    for file in corpora::messages(folder) {
        let finding = examine(&file);
        for symbol in &finding.symbols {
            *symbols.entry(symbol.name.clone()).or_insert(0) += 1;
        }
        if finding.banned.is_some() {
            let path = file.strip_prefix(folder).unwrap_or(&file);
            banned.push((path.display().to_string(), finding.reason));
        }
    }
    println!("{}: {symbols:?}, banned: {banned:?}", folder.display());
    (symbols, banned)
}

/// No legitimate message is banned. (One holds a shortcut to a web page, `Liberalism in America.url`, which is let
/// through for what is in it.)
#[test]
fn spamassassin() {
    let (symbols, banned) = tally(&corpora::spamassassin());
    let ham: Vec<_> = banned
        .iter()
        .filter(|(path, _)| corpora::is_ham(Path::new(path)))
        .collect();
    assert_eq!(ham, Vec::<&(String, String)>::new());
    // Real mail breaks many rules, but it exceeds no limit of ours.
    assert_eq!(symbols.get("MIME_LIMIT"), None);
    assert_eq!(symbols.get("MIME_FIELD_TOO_LONG"), None);
    assert!(symbols.contains_key("MIME_UNCLOSED_MULTIPART"));
}

/// The one file that runs is found by its name and by its content. Other files are documents and pictures.
#[test]
fn phishing() {
    let (symbols, banned) = tally(&corpora::phishing());
    let expected = [(
        "sample-1266.eml".to_owned(),
        "quotation.iso: disc image (.iso)".to_owned(),
    )];
    assert_eq!(banned, expected);
    assert_eq!(symbols.get("EXECUTABLE_CONTENT"), Some(&1));
    assert_eq!(symbols.get("MIME_LIMIT"), None);
}
