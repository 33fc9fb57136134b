//! A message through everything that reads one, on a thread with a small stack, its processor time taken.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use net::network::NetworkSet;
use net::resolver::Resolver;
use scan::attachment::{Attachment, AttachmentSettings};
use scan::auth::{Auth, AuthSettings};
use scan::content::Content;
use scan::content::rules::{RuleFacts, Rules};
use scan::finding::Finding;
use scan::message::Message;
use scan::specimen::Specimen;
use smtp::ReversePath;

/// A quarter of what the threads of the gateway have.
const STACK_BYTES: usize = 512 * 1024;

/// The least processor time of some examinations of `message`, all on a small stack.
pub(crate) fn cpu_of(message: &[u8]) -> Duration {
    let runs = if message.len() > 1_000_000 { 1 } else { 2 };
    let times = (0..runs).map(|_| {
        let message = message.to_vec();
        on_small_stack(move || {
            let before = thread_cpu();
            examined(message);
            thread_cpu().saturating_sub(before)
        })
    });
    times.min().unwrap_or_default()
}

/// Runs `work` on a thread with a small stack.
pub(crate) fn on_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    // Compiled once, on a stack of any size.
    Rules::built_in().expect("the rules that ship");
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(work);
    thread
        .expect("a thread")
        .join()
        .expect("no message ends the thread")
}

/// Everything that reads a message; the symbols of all findings.
pub(crate) fn examined(message: Vec<u8>) -> Vec<String> {
    let specimen = specimen(message);
    let rules = Rules::built_in().expect("the rules that ship");
    let facts = RuleFacts {
        // As many as one transaction has by default.
        recipients: (0..1_000)
            .map(|number| format!("bob{number}@example.net"))
            .collect(),
        ..RuleFacts::default()
    };
    let mut findings: Vec<Finding> = vec![
        Attachment::new(AttachmentSettings::default()).inspect(specimen.message.view()),
        Content::new(rules).inspect(&specimen.message, &facts),
    ];
    let auth = auth();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .thread_stack_size(STACK_BYTES)
        .build()
        .expect("a runtime");
    runtime.block_on(auth.gather(&specimen));
    findings.retain(|finding| finding.score.is_none_or(|score| score.value.is_finite()));
    let symbols = findings.into_iter().flat_map(|finding| finding.symbols);
    let defects = specimen.message.reading().defects().iter();
    symbols
        .map(|symbol| symbol.name)
        .chain(defects.map(|defect| (*defect).to_owned()))
        .collect()
}

fn auth() -> Auth {
    Auth::new(AuthSettings {
        name: "auth".to_owned(),
        resolver: Resolver::zone("").expect("an empty zone"),
        trusted_sealers: Vec::new(),
        trusted_forwarders: NetworkSet::default(),
        trusted_lists: Vec::new(),
    })
}

fn specimen(message: Vec<u8>) -> Specimen {
    Specimen {
        reference: String::new(),
        message: Message::new(Bytes::from(message)),
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

/// The processor time of this thread so far (`/proc/PID/schedstat`, first number, nanoseconds).
pub(crate) fn thread_cpu() -> Duration {
    // The kernel brings the number up to date when a thread gives way.
    thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

/// The most memory that this process has held (`VmHWM`), in MiB.
pub(crate) fn peak_memory_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kib.expect("a number") / 1024
}
