//! The body of the fuzz target `authentication`: the same bytes as a record of each kind, as a header field, and as a message.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use net::network::NetworkSet;
use net::resolver::Resolver;
use smtp::ReversePath;

use super::dkim::key::Key;
use super::facts::{Authentication, DkimResult};
use super::results::Results;
use super::{Auth, AuthSettings, dmarc, spf};
use crate::limits::DKIM_SIGNATURES_MAX;
use crate::message::Message;
use crate::specimen::Specimen;

/// The key that the seeds are signed with (RFC 8463 appendix A).
const ZONE: &str = "brisbane._domainkey.football.example.com TXT \
                    \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"";

/// Records and messages: none has more results than are looked at, and what is told is fit for a header field.
pub fn authentication(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    spf::fuzz(&text);
    dmarc::fuzz(&text);
    let _ = Key::parse(&text);
    let _ = Results::parse(&text);
    let facts = gathered(bytes);
    assert!(facts.dkim.len() <= DKIM_SIGNATURES_MAX);
    for fact in &facts.dkim {
        assert_eq!(fact.problem.is_none(), fact.result == DkimResult::Pass);
    }
    let body = facts.results("us.example", &text, &text, "192.0.2.1");
    assert!(body.is_ascii());
    assert!(
        body.split("\r\n")
            .skip(1)
            .all(|line| line.starts_with('\t'))
    );
    let read = Results::parse(&body);
    assert!(read.is_some_and(|read| read.authserv_id == "us.example"));
}

fn gathered(bytes: &[u8]) -> Authentication {
    let (Ok(resolver), Ok(runtime)) = (
        Resolver::zone(ZONE),
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build(),
    ) else {
        return Authentication::default();
    };
    let engine = Auth::new(AuthSettings {
        name: "auth".to_owned(),
        resolver,
        trusted_sealers: vec!["example".to_owned()],
        trusted_forwarders: NetworkSet::default(),
        trusted_lists: Vec::new(),
    });
    let specimen = Specimen {
        reference: String::new(),
        message: Message::new(Bytes::copy_from_slice(bytes)),
        client_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        client_name: None,
        helo: "mx.example.com".to_owned(),
        reverse_path: ReversePath::Null,
        recipients: Vec::new(),
        authenticated_as: None,
        authentication: Arc::default(),
        hostname: "us.example".to_owned(),
        received: Vec::new(),
    };
    runtime.block_on(engine.gather(&specimen))
}
