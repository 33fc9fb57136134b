//! What sender authentication costs: CPU time of the engine `auth` for a message of 20 KiB with so many signatures, where the DNS
//! answers from memory. Of several batches the fastest counts, which nothing else on the machine has disturbed.
//!
//! `cargo run --release -p scan --example authentication`

#![expect(clippy::print_stdout, reason = "a command that prints its result")]
#![allow(clippy::unwrap_used, reason = "the signer is that of the tests")]
#![allow(dead_code, reason = "the signer is that of the tests")]

#[path = "../tests/signed/signer.rs"]
mod signer;

use std::sync::Arc;
use std::{error, fs};

use bytes::Bytes;
use net::network::NetworkSet;
use net::resolver::Resolver;
use scan::auth::facts::{DkimResult, DmarcResult};
use scan::auth::{Auth, AuthSettings};
use scan::message::Message;
use scan::specimen::Specimen;
use signer::{Key, Recipe};
use smtp::ReversePath;

/// Batches, and examinations in each.
const BATCHES: usize = 5;
const EXAMINATIONS: u32 = 1000;

/// Bytes of the body.
const BODY_BYTES: usize = 20 * 1024;

/// Fields that are signed.
const NAMES: &str = "from:from:to:to:subject:subject:date:date:message-id:message-id";

fn main() -> Result<(), Box<dyn error::Error>> {
    let (rsa, ed) = (Key::rsa(), Key::ed25519());
    let line = "Some words of a line that is as long as lines of messages mostly are, 72\r\n";
    let plain = format!(
        "From: Ann <ann@one.example>\r\nTo: bob@two.example\r\nSubject: hello\r\n\
         Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@one.example>\r\n\r\n{}",
        line.repeat(BODY_BYTES / line.len())
    );
    let recipe = |key, selector| Recipe {
        key,
        form: "relaxed/relaxed",
        selector,
        names: NAMES,
        hashed: None,
        tags: "",
    };
    let signed = |key, selector, times: usize| {
        (0..times).fold(plain.clone(), |message, _| {
            recipe(key, selector).sign(&message)
        })
    };
    let sealed = (1..=2).fold(signed(&rsa, "rsa", 1), |message, instance| {
        let verdict = if instance == 1 { "none" } else { "pass" };
        recipe(&rsa, "rsa").seal(instance, verdict, &message)
    });
    let cases = [
        ("SPF and DMARC, no signature", plain.clone(), 0),
        ("with 1 signature, RSA 2048", signed(&rsa, "rsa", 1), 1),
        ("with 3 signatures, RSA 2048", signed(&rsa, "rsa", 3), 3),
        ("with 10 signatures, RSA 2048", signed(&rsa, "rsa", 10), 10),
        ("with 1 signature, Ed25519", signed(&ed, "ed", 1), 1),
        ("with 1 signature, RSA 2048, 2 sets of ARC", sealed, 1),
    ];
    let engine = engine(&rsa, &ed)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    println!("CPU us per message of {} KiB", BODY_BYTES / 1024);
    for (name, message, signatures) in cases {
        let specimen = specimen(&message)?;
        let mut best = f64::INFINITY;
        for _ in 0..BATCHES {
            let before = cpu_nanos()?;
            for _ in 0..EXAMINATIONS {
                let found = runtime.block_on(engine.gather(&specimen));
                let good = found
                    .dkim
                    .iter()
                    .filter(|fact| fact.result == DkimResult::Pass);
                let dmarc = found.dmarc.map(|fact| fact.result);
                if good.count() != signatures || dmarc != Some(DmarcResult::Pass) {
                    return Err(format!("{name}: not what was signed").into());
                }
            }
            best = best.min((cpu_nanos()? - before) / 1e3 / f64::from(EXAMINATIONS));
        }
        println!("{name:<44}{best:>8.1}");
    }
    Ok(())
}

fn engine(rsa: &Key, ed: &Key) -> Result<Auth, Box<dyn error::Error>> {
    let strings = |text: String| {
        let parts = text.as_bytes().chunks(200);
        let parts = parts.map(|part| format!("\"{}\"", String::from_utf8_lossy(part)));
        parts.collect::<Vec<_>>().join(" ")
    };
    let zone = format!(
        "rsa._domainkey.one.example TXT {}\ned._domainkey.one.example TXT {}\n\
         _dmarc.one.example TXT \"v=DMARC1; p=reject; rua=mailto:a@one.example\"\n\
         one.example TXT \"v=spf1 include:_spf.one.example -all\"\n\
         _spf.one.example TXT \"v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.0/24 ~all\"\n\
         mx.one.example TXT \"v=spf1 a -all\"\nmx.one.example A 192.0.2.1\n\
         1.2.0.192.in-addr.arpa PTR mx.one.example\n",
        strings(format!("v=DKIM1; {}", rsa.public())),
        strings(format!("v=DKIM1; {}", ed.public())),
    );
    Ok(Auth::new(AuthSettings {
        name: "auth".to_owned(),
        resolver: Resolver::zone(&zone).map_err(|error| format!("{error:?}"))?,
        trusted_sealers: vec!["google.com".to_owned()],
        trusted_forwarders: NetworkSet::default(),
        trusted_lists: Vec::new(),
    }))
}

fn specimen(message: &str) -> Result<Specimen, Box<dyn error::Error>> {
    Ok(Specimen {
        reference: String::new(),
        message: Message::new(Bytes::copy_from_slice(message.as_bytes())),
        client_ip: "192.0.2.1".parse()?,
        client_name: None,
        helo: "mx.one.example".to_owned(),
        reverse_path: ReversePath::Mailbox("ann@one.example".parse().map_err(|_| "reverse-path")?),
        recipients: Vec::new(),
        authenticated_as: None,
        authentication: Arc::default(),
        hostname: "mx.gateway.example".to_owned(),
        received: Vec::new(),
    })
}

/// CPU time of this thread so far, in nanoseconds: the first field of `/proc/thread-self/schedstat`.
fn cpu_nanos() -> Result<f64, Box<dyn error::Error>> {
    let stat = fs::read_to_string("/proc/thread-self/schedstat")?;
    let field = stat.split_ascii_whitespace().next();
    Ok(field.ok_or("schedstat is empty")?.parse()?)
}
