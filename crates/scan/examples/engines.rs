//! What the engines of our own make of messages together, and what that costs: attachment, sender authentication (against a
//! DNS that answers at once and knows nothing), reputation with an empty record, and content with the classifier that ships,
//! once over every file of the folders given. Time is from the bytes to the last finding, as a session waits for it.
//!
//! `cargo run --release -p scan --example engines -- FOLDER... [--json]`; with `--json` the last line is an object for
//! `cargo xtask bench accuracy`.

#![expect(clippy::print_stdout, reason = "a command that prints its result")]

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, error, fs, io};

use bytes::Bytes;
use futures_util::future::join_all;
use net::network::NetworkSet;
use net::resolver::Resolver;
use scan::attachment::{Attachment, AttachmentSettings};
use scan::auth::{Auth, AuthSettings};
use scan::content::classifier::Model;
use scan::content::rules::Rules;
use scan::content::{Content, LIKELY_POINTS};
use scan::engine::Engine;
use scan::message::Message;
use scan::reputation::lists::Lists;
use scan::reputation::record::{Record, RecordSettings};
use scan::reputation::{Reputation, ReputationSettings};
use scan::specimen::Specimen;
use smtp::ReversePath;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn error::Error>> {
    let (options, folders): (Vec<_>, Vec<_>) = env::args().skip(1).partition(|it| it == "--json");
    let engines = engines()?;
    let mut millis = Vec::new();
    let mut likely = serde_json::Map::new();
    let mut files = Vec::new();
    for folder in &folders {
        let mut of_folder = Vec::new();
        collect(Path::new(folder), &mut of_folder)?;
        let name = Path::new(folder).file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        files.extend(of_folder.into_iter().map(|file| (name.clone(), file)));
    }
    let cpu_before = cpu_seconds()?;
    let begun = Instant::now();
    for (folder, file) in &files {
        let specimen = Arc::new(specimen(Bytes::from(fs::read(file)?)));
        let start = Instant::now();
        let findings = join_all(engines.iter().map(|it| it.examine(Arc::clone(&specimen)))).await;
        millis.push(start.elapsed().as_secs_f64() * 1e3);
        let mut points = 0.0;
        for finding in findings {
            let finding = finding.map_err(|error| format!("{}: {error:?}", file.display()))?;
            if let Some(score) = finding
                .score
                .filter(|_| finding.engine == scan::content::NAME)
            {
                points = score.value;
            }
        }
        let counted = likely.entry(folder.clone()).or_insert(0.into());
        *counted = (counted.as_u64().unwrap_or(0) + u64::from(points >= LIKELY_POINTS)).into();
    }
    let wall = begun.elapsed().as_secs_f64();
    let count = f64::from(u32::try_from(millis.len().max(1))?);
    let cpu = (cpu_seconds()? - cpu_before) / count * 1e3;
    millis.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let at = (millis.len() * percent / 100).min(millis.len().saturating_sub(1));
        millis.get(at).copied().unwrap_or_default()
    };
    let (median, p99, rate) = (at(50), at(99), count / wall);
    println!("{count} messages: {rate:.0} per s, one after the other");
    println!(
        "ms per message: median {median:.3}, p99 {p99:.3}, max {:.3}",
        at(100)
    );
    println!("CPU s per 1,000 messages: {cpu:.3}");
    for (folder, count) in &likely {
        println!("{folder}: {count} likely");
    }
    if !options.is_empty() {
        let object = serde_json::json!({
            "messages": millis.len(), "messages_per_second": rate, "milliseconds_median": median,
            "milliseconds_p99": p99, "processor_seconds_per_1000": cpu, "likely": likely,
        });
        println!("{object}");
    }
    Ok(())
}

fn engines() -> Result<Vec<Box<dyn Engine>>, Box<dyn error::Error>> {
    let rules = Rules::built_in().map_err(|errors| format!("{errors:?}"))?;
    let resolver = Resolver::zone("")?;
    let reputation = ReputationSettings {
        name: "reputation".to_owned(),
        record: Arc::new(Record::new(RecordSettings::default())),
        lists: Lists::new(Vec::new(), resolver.clone(), None),
        lists_deadline: Duration::from_secs(3),
        deadline: Duration::from_secs(10),
    };
    let auth = AuthSettings {
        name: "auth".to_owned(),
        resolver,
        trusted_sealers: Vec::new(),
        trusted_forwarders: NetworkSet::default(),
        trusted_lists: Vec::new(),
    };
    Ok(vec![
        Box::new(Attachment::new(AttachmentSettings::default())),
        Box::new(Auth::new(auth)),
        Box::new(Reputation::new(reputation)),
        Box::new(
            Content::new(rules).with_classifier(Model::shipped()?, "the classifier that ships"),
        ),
    ])
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

/// Processor time of all threads of this process, in seconds.
fn cpu_seconds() -> io::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // After the name of the command, which may hold blanks, the 12th and the 13th number, in hundredths (proc(5)).
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after.split_whitespace().skip(11).take(2);
    Ok(ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
