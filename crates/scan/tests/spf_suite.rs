//! The test suite of RFC 7208 (openspf.org, release 2014.04) through our check and our resolver. It is not part of the
//! repository: without `../shared/suites` beside the workspace this test fails, it does not skip.

#![expect(clippy::expect_used, reason = "a test fails by it")]
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use net::resolver::Resolver;
use scan::auth::spf::{self, Outcome, Question};
use yaml_rust2::{Yaml, YamlLoader};

/// Cases of the suite; fewer read would be a test that tests less.
const CASES: usize = 203;

/// What a domain that gives no explanation is taken to say, as the suite has it.
const DEFAULT_EXPLANATION: &str = "DEFAULT";

#[tokio::test]
async fn every_case_of_the_suite_has_its_result() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/suites/rfc7208-tests.yml");
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let documents = YamlLoader::load_from_str(&text).expect("the suite is YAML");
    let mut failures = Vec::new();
    let mut cases = 0;
    for document in &documents {
        let section = document["description"]
            .as_str()
            .expect("a section has a name");
        let zone = zone(&document["zonedata"]);
        let resolver =
            Resolver::zone(&zone).unwrap_or_else(|error| panic!("{section}: {error}\n{zone}"));
        for (name, case) in document["tests"].as_hash().expect("tests") {
            cases += 1;
            let name = name.as_str().expect("a name");
            let outcome = asked(&resolver, case).await;
            if let Some(problem) = problem(case, &outcome) {
                failures.push(format!("{section} / {name}: {problem} ({outcome:?})"));
            }
        }
    }
    assert_eq!(cases, CASES);
    assert!(
        failures.is_empty(),
        "{} of {cases} cases fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

async fn asked(resolver: &Resolver, case: &Yaml) -> Outcome {
    let helo = case["helo"].as_str().expect("a HELO name");
    let sender = case["mailfrom"].as_str().unwrap_or_default();
    let (local_part, domain) = match sender.rsplit_once('@') {
        Some(("", domain)) => ("postmaster", domain),
        Some((local_part, domain)) => (local_part, domain),
        None => ("postmaster", helo),
    };
    let question = Question {
        ip: case["host"]
            .as_str()
            .expect("a client")
            .parse()
            .expect("an address"),
        domain,
        local_part,
        sender_domain: domain,
        helo,
        receiver: "unknown",
        unix_seconds: 1_400_000_000,
    };
    spf::check(resolver, &question).await
}

fn problem(case: &Yaml, outcome: &Outcome) -> Option<String> {
    let wanted: Vec<&str> = match &case["result"] {
        Yaml::Array(several) => several.iter().filter_map(Yaml::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let result = outcome.result.word();
    if !wanted.contains(&result) {
        return Some(format!("{result} instead of {wanted:?}"));
    }
    let explanation = case["explanation"].as_str()?;
    let said = outcome
        .explanation
        .as_deref()
        .unwrap_or(DEFAULT_EXPLANATION);
    (result == "fail" && said != explanation)
        .then(|| format!("explanation {said:?} instead of {explanation:?}"))
}

/// The zone data of a section as lines of a zone file. Records of the type SPF, which RFC 7208 gave up, are TXT unless there
/// are some already; a TIMEOUT is for what has no record before it.
fn zone(data: &Yaml) -> String {
    let mut zone = String::new();
    for (name, entries) in data.as_hash().expect("zone data") {
        let name = quoted(name.as_str().expect("a name"));
        let entries = entries.as_vec().expect("records");
        let has_txt = entries.iter().any(|entry| !entry["TXT"].is_badvalue());
        let mut texts = 0;
        for entry in entries {
            for (kind, value) in entry.as_hash().into_iter().flatten() {
                let kind = match kind.as_str().expect("a type") {
                    "SPF" if has_txt => continue,
                    "SPF" => "TXT",
                    kind => kind,
                };
                let data = match value {
                    Yaml::String(none) if none == "NONE" => continue,
                    Yaml::String(text) if kind == "TXT" => quoted(text),
                    Yaml::String(text) => quoted(text.trim_end_matches('.')),
                    Yaml::Array(parts) if kind == "TXT" => {
                        let parts = parts.iter().filter_map(Yaml::as_str).map(quoted);
                        parts.collect::<Vec<_>>().join(" ")
                    }
                    Yaml::Array(parts) => {
                        let preference = parts[0].as_i64().expect("a preference");
                        format!(
                            "{preference} {}",
                            exchange(parts[1].as_str().expect("a name"))
                        )
                    }
                    other => panic!("{name}: {other:?}"),
                };
                if data.is_empty() {
                    continue;
                }
                texts += usize::from(kind == "TXT");
                if kind == "PTR" || kind == "CNAME" || kind == "TXT" || kind == "MX" {
                    writeln!(zone, "{name} {kind} {data}").expect("a string");
                } else {
                    writeln!(zone, "{name} {kind} {}", data.trim_matches('"')).expect("a string");
                }
            }
            if entry.as_str() == Some("TIMEOUT") && texts == 0 {
                writeln!(zone, "{name} TIMEOUT").expect("a string");
            }
        }
    }
    zone
}

fn exchange(name: &str) -> String {
    if name.is_empty() {
        ".".to_owned()
    } else {
        quoted(name)
    }
}

/// A character string (RFC 1035 section 5.1).
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            '\0'..='\x1f' => write!(quoted, "\\{:03}", u32::from(character)).expect("a string"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
