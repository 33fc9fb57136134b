//! Golden files: each `tests/config/NAME.toml` is read, and what comes of it compared with `NAME.expect`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::golden;
use crate::policy::{EngineRule, OnFailure};
use crate::relay_table::RelayTable;

/// The root of this crate.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    files
}

#[test]
fn broken_configurations_give_the_expected_errors() {
    let folder = root().join("tests/config");
    let files = toml_files(&folder);
    assert!(
        files.len() >= 30,
        "only {} broken configurations",
        files.len()
    );
    let prefix = format!("{}/", folder.display());
    for file in files {
        let mut actual = String::new();
        let errors = Config::load(&file).expect_err(&file.display().to_string());
        for error in errors {
            assert!(
                !error.remedy.is_empty() && !error.message.ends_with('.'),
                "{error}"
            );
            // Not the name of whatever machine this runs on.
            let _ = writeln!(actual, "{error}\n  key: {}", error.key);
        }
        golden::check(
            &file.with_extension("expect").display().to_string(),
            &actual.replace(&prefix, ""),
        );
    }
}

#[test]
fn the_reference_is_up_to_date() {
    golden::check("../../docs/configuration.md", &reference_markdown());
}

#[test]
fn every_example_is_valid() {
    let examples = toml_files(&root().join("../../examples"));
    assert!(!examples.is_empty());
    for file in examples {
        // Lists are there beside the example; certificates, which are not, are made by who tries it.
        let text = std::fs::read_to_string(&file).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let source = file.with_extension("");
        let beside = folder.path().join(source.file_name().unwrap());
        std::fs::create_dir(&beside).unwrap();
        for list in std::fs::read_dir(source).unwrap() {
            let list = list.unwrap();
            std::fs::copy(list.path(), beside.join(list.file_name())).unwrap();
        }
        for name in ["mx.example.net", "mail.customer.example"] {
            for extension in ["crt", "key"] {
                std::fs::write(beside.join(format!("{name}.{extension}")), "").unwrap();
            }
        }
        let name = folder.path().join("gatepost.toml");
        let config = Config::parse(name.to_str().unwrap(), &text);
        let errors = config.err().unwrap_or_default();
        assert!(errors.is_empty(), "{}: {}", file.display(), errors[0]);
    }
}

/// The configuration of the issue: scripts rely on these keys.
const ISSUE: &str = r#"
[node]
name = "mx.example.net"
data_dir = "/var/lib/gatepost"
[[listener]]
name = "inbound"
bind = ["127.0.0.1:2525"]
message_size_max = "50MiB"
connections_max = 5000
connections_per_network_max = 100
[[route]]
domains = ["example.com", "*.example.org"]
customer = "acme"
nexthop = ["smtp:127.0.0.1:2600", "smtp:127.0.0.1:2601"]
recipients = "any"
cut_through = true
[engine.clamav]
address = "127.0.0.1:3310"
on_failure = "defer"
"#;

#[test]
fn the_keys_that_scripts_rely_on_are_read() {
    let config = Config::parse("/etc/gatepost.toml", ISSUE).unwrap();
    assert_eq!(config.node.name, "mx.example.net");
    assert_eq!(
        config.node.postmaster.to_string(),
        "postmaster@mx.example.net"
    );
    assert_eq!(config.node.memory_max, 512 << 20);
    assert_eq!(
        config.log.decisions,
        DecisionLog::File("/var/lib/gatepost/decisions.jsonl".into())
    );
    assert_eq!(
        config.admin.control,
        Path::new("/var/lib/gatepost/control.sock")
    );
    assert_eq!(config.scan.deadline, Duration::from_secs(30));
    let listener = &config.listeners[0];
    assert_eq!(listener.name, "inbound");
    assert_eq!(listener.message_size_max, 50 << 20);
    assert_eq!(
        (
            listener.connections_max,
            listener.connections_per_network_max
        ),
        (5000, 100)
    );
    assert_eq!(listener.timeouts.command, Duration::from_secs(300));
    assert_eq!(
        (listener.hostname.as_str(), listener.banner.as_str()),
        ("mx.example.net", "ESMTP Gatepost")
    );
    assert_eq!(listener.tls.mode, TlsMode::Off);
    let route = &config.routes[0];
    let smtp = |port| Nexthop::Smtp {
        host: "127.0.0.1".into(),
        port,
    };
    assert_eq!(route.nexthops, [smtp(2600), smtp(2601)]);
    assert_eq!(
        (route.customer.as_deref(), route.cut_through),
        (Some("acme"), true)
    );
    assert_eq!(
        (&route.recipients, route.origin.as_str()),
        (&RecipientCheck::Any, "/etc/gatepost.toml:11")
    );
    assert_eq!(
        config.engines.keys().collect::<Vec<_>>(),
        ["attachment", "auth", "clamav", "content", "reputation"]
    );
    assert_eq!(config.engines["clamav"].rule.on_failure, OnFailure::Defer);
    assert_eq!(
        config.engines["clamav"]
            .address()
            .map(ToString::to_string)
            .as_deref(),
        Some("127.0.0.1:3310")
    );
}

#[test]
fn a_route_changes_the_rules_of_engines() {
    let text = ISSUE.replace(
        "cut_through = true",
        "engines = { clamav = false, spamassassin = { likely = 6, sure = 11.5, on_failure = \"defer\" }, sophos = false }",
    ) + "[engine.spamassassin]\nenabled = false\n";
    let config = Config::parse("c.toml", &text).unwrap();
    let rules = &config.routes[0].engines;
    assert_eq!(
        rules.keys().collect::<Vec<_>>(),
        [
            "attachment",
            "auth",
            "clamav",
            "content",
            "reputation",
            "spamassassin"
        ]
    );
    assert!(!rules["clamav"].enabled && rules["attachment"].enabled);
    let changed = EngineRule {
        enabled: true,
        likely: Some(6.0),
        sure: Some(11.5),
        on_failure: OnFailure::Defer,
    };
    assert_eq!(rules["spamassassin"], changed);
    let general = config.engines["spamassassin"].rule;
    assert_eq!(
        (general.enabled, general.likely, general.sure),
        (false, None, None)
    );
}

#[test]
fn relative_paths_start_at_the_folder_of_the_file() {
    let text = ISSUE.replace("/var/lib/gatepost", "data").replace(
        "[\"smtp:127.0.0.1:2600\", \"smtp:127.0.0.1:2601\"]",
        "[\"maildir:mail\"]",
    );
    let config = Config::parse("/etc/gatepost/gatepost.toml", &text).unwrap();
    assert_eq!(config.node.data_dir, Path::new("/etc/gatepost/data"));
    assert_eq!(
        config.routes[0].nexthops,
        [Nexthop::Maildir("/etc/gatepost/mail".into())]
    );
}

#[test]
fn the_embedded_configuration_serves_the_example_domains_on_loopback() {
    let config = Config::embedded(Path::new("./here"));
    assert_eq!(config.file, None);
    assert_eq!(
        config.listeners[0].bind,
        ["127.0.0.1:2525".parse().unwrap()]
    );
    assert_eq!(config.admin.bind, ["127.0.0.1:8025".parse().unwrap()]);
    assert_eq!(config.node.data_dir, Path::new("./here"));
    assert_eq!(
        config.engines.keys().collect::<Vec<_>>(),
        ["attachment", "auth", "content", "reputation"]
    );
    let table = RelayTable::new(&config);
    for domain in ["example.com", "a.example.net", "a.b.example.org"] {
        let route = table.route_for_text(domain).unwrap();
        assert_eq!(
            route.nexthops,
            [Nexthop::Maildir("./here/maildir".into())],
            "{domain}"
        );
    }
    assert_eq!(table.route_for_text("example.edu"), None);
}

#[test]
fn secrets_do_not_show() {
    let text = ISSUE.replace(
        "cut_through = true",
        "nexthop_auth = { user = \"u\", password = \"s3cr3t\" }",
    ) + "[engine.rspamd]\npassword = \"hunter2\"\n";
    let config = Config::parse("c.toml", &text).unwrap();
    let auth = config.routes[0].nexthop_auth.as_ref().unwrap();
    assert_eq!(auth.password.reveal(), "s3cr3t");
    let shown = format!("{config:?}");
    assert!(!shown.contains("s3cr3t") && !shown.contains("hunter2"));
    assert!(shown.contains("[redacted]"));
    let wrong = Config::parse("c.toml", &text.replace("\"s3cr3t\"", "[\"s3cr3t\"]")).unwrap_err();
    assert!(!format!("{wrong:?}").contains("s3cr3t"));
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Config::load(&folder.path().join("none.toml")).unwrap_err();
    assert_eq!(missing.len(), 1);
    assert!(
        missing[0].message.starts_with("cannot read"),
        "{}",
        missing[0]
    );
    let latin = folder.path().join("latin.toml");
    std::fs::write(&latin, b"[node]\nname = \"m\xfcnchen\"\n").unwrap();
    let errors = Config::load(&latin).unwrap_err();
    assert_eq!((errors[0].line, errors[0].column), (2, 10));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,400}") {
        let _ = Config::parse("any.toml", &text);
    }

    /// Closer to home: the configuration of the issue with something cut out and something else put in.
    #[test]
    fn damaged_configurations_are_read_or_refused(
        from in 0..ISSUE.len(),
        length in 0..60_usize,
        put in "[\\[\\]{}=\"'.,#\n a-z0-9_:*@/-]{0,20}",
    ) {
        let to = (from + length).min(ISSUE.len());
        let text = format!("{}{put}{}", &ISSUE[..from], &ISSUE[to..]);
        // Relative to a folder that is not there: nothing of this machine is read.
        match Config::parse("/nonexistent/any.toml", &text) {
            Ok(config) => prop_assert!(!config.listeners.is_empty() && !config.routes.is_empty()),
            Err(errors) => prop_assert!(!errors.is_empty() && errors.len() <= error::ERRORS_MAX),
        }
    }
}

/// `examples/provider.toml` is where operators begin: only the certificates are theirs to make.
#[test]
fn the_example_of_a_provider_lacks_only_its_certificates() {
    let example = root().join("../../examples/provider.toml");
    let errors = Config::load(&example).err().unwrap_or_default();
    for error in &errors {
        let text = error.to_string();
        assert!(
            text.contains("cannot read") && (text.contains(".crt:") || text.contains(".key:")),
            "{text}"
        );
    }
}
