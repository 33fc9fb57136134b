//! Real mail through the view, the attachment engine and sender authentication: 6,294 messages of the SpamAssassin corpus, 4,997 of phishing.

#![expect(clippy::print_stdout, reason = "the counts are of interest")]

#[path = "support/corpora.rs"]
mod corpora;

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use net::network::NetworkSet;
use net::resolver::Resolver;
use scan::attachment::{Attachment, AttachmentSettings};
use scan::auth::facts::DmarcResult;
use scan::auth::{Auth, AuthSettings};
use scan::finding::Finding;
use scan::message::Message;
use scan::specimen::Specimen;
use scan::view::View;
use smtp::ReversePath;

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

/// What strangers sign is read without trouble, and where the DNS knows nothing, nothing is authenticated and nobody fails.
#[tokio::test]
async fn authentication_without_any_dns() {
    let engine = Auth::new(AuthSettings {
        name: "auth".to_owned(),
        resolver: Resolver::zone("").unwrap_or_else(|error| panic!("{error}")),
        trusted_sealers: Vec::new(),
        trusted_forwarders: NetworkSet::default(),
        trusted_lists: Vec::new(),
    });
    let mut results: BTreeMap<String, usize> = BTreeMap::new();
    let files = [corpora::spamassassin(), corpora::phishing()];
    for file in files.iter().flat_map(|folder| corpora::messages(folder)) {
        let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let facts = engine.gather(&specimen(Bytes::from(bytes))).await;
        assert_eq!(
            facts.authenticated_domains().count(),
            0,
            "{}",
            file.display()
        );
        let fails = facts
            .dmarc
            .is_some_and(|fact| fact.result != DmarcResult::None);
        assert!(!fails, "{}", file.display());
        for fact in &facts.dkim {
            // A key that is missing says that all else was read.
            let problem = fact.problem.as_deref().unwrap_or_default();
            let problem = problem.split(" at ").next().unwrap_or(problem);
            *results.entry(format!("dkim {problem}")).or_insert(0) += 1;
        }
        if let Some(fact) = &facts.arc {
            let problem = fact.problem.as_deref().unwrap_or_default();
            let problem = problem.split(" at ").next().unwrap_or(problem);
            *results.entry(format!("arc {problem}")).or_insert(0) += 1;
        }
    }
    println!("{results:?}");
    let keyless = |method: &str| results.get(&format!("{method} there is no key")).copied();
    assert!(
        keyless("dkim").is_some_and(|count| count > 1_000),
        "{results:?}"
    );
}

fn specimen(message: Bytes) -> Specimen {
    Specimen {
        reference: String::new(),
        message: Message::new(message),
        client_ip: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        client_name: None,
        helo: "mx.example.org".to_owned(),
        reverse_path: ReversePath::Null,
        recipients: Vec::new(),
        authenticated_as: None,
        authentication: Arc::default(),
        hostname: "mx.example.net".to_owned(),
        received: Vec::new(),
    }
}
