//! What the binary says of itself: version, help, completions, man pages, hashes; and `check`.

use crate::support::{Home, gatepost};

const COMMANDS: [&str; 11] = [
    "serve",
    "check",
    "scan",
    "explain",
    "doctor",
    "reload",
    "state",
    "hash-password",
    "completions",
    "man",
    "version",
];

fn home() -> Home {
    Home::new("[[route]]\ndomains = [\"example.com\"]\nnexthop = [\"maildir:mail\"]\n")
}

#[test]
fn version() {
    let run = home().run(&["version"]);
    assert_eq!(
        (run.code, run.out.as_str()),
        (0, concat!("gatepost ", env!("CARGO_PKG_VERSION"), "\n"))
    );
}

#[test]
fn every_command_has_help_and_takes_config() {
    let home = home();
    let overview = gatepost(&home.path(""), &["--help"], b"");
    for command in COMMANDS {
        overview.line(&[&format!("  {command}")]);
        let run = gatepost(&home.path(""), &["help", command], b"");
        assert_eq!(run.code, 0, "{run:?}");
        run.line(&["--config <FILE>"]);
    }
    let run = gatepost(&home.path(""), &["help", "scan"], b"");
    run.line(&["Exit codes: 0 all accepted"]);
}

#[test]
fn completions_know_every_command() {
    let home = home();
    for shell in ["bash", "zsh", "fish"] {
        let run = home.run(&["completions", shell]);
        assert_eq!(run.code, 0, "{run:?}");
        for command in COMMANDS {
            assert!(run.out.contains(command), "{shell}: {command}");
        }
        assert!(run.out.contains("listener"), "{shell}: options too");
    }
}

#[test]
fn man_pages_of_every_command() {
    let home = home();
    let run = home.run(&["man", "pages/man1"]);
    assert_eq!(run.code, 0, "{run:?}");
    let read = |name: String| std::fs::read_to_string(home.path("pages/man1").join(name)).unwrap();
    assert!(read("gatepost.1".to_owned()).contains(".TH"));
    for command in COMMANDS {
        assert!(
            read(format!("gatepost-{command}.1")).contains(".TH"),
            "{command}"
        );
    }
    assert!(read("gatepost-doctor.1".to_owned()).contains("Exit codes"));

    home.file("file", b"");
    let run = home.run(&["man", "file/pages"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("file/pages"), "{run:?}");
}

#[test]
fn passwords_are_hashed() {
    let home = home();
    let run = home.run_with_input(&["hash-password"], b"secret\n");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.starts_with("$argon2id$"), "{run:?}");
    let again = home.run_with_input(&["hash-password"], b"secret\n");
    assert_ne!(run.out, again.out, "each has a salt of its own");
    assert_eq!(
        home.run(&["hash-password"]).code,
        1,
        "there is no empty password"
    );
}

#[test]
fn check_tells_all_errors_at_once() {
    let home = home();
    let run = home.run(&["check"]);
    assert_eq!(run.code, 0, "{run:?}");
    home.file(
        "gatepost.toml",
        b"[node]\nnmae = \"x\"\n\n[[listener]]\nname = \"inbound\"\nbind = [\"localhost\"]\n",
    );
    let run = home.run(&["check"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("gatepost.toml:2:1: "), "{run:?}");
    assert!(run.err.contains("gatepost.toml:6:"), "{run:?}");
    let run = home.run(&["check", "--json"]);
    assert_eq!(run.code, 1);
    assert!(
        run.json()[0]["errors"].as_array().unwrap().len() >= 2,
        "{run:?}"
    );
}
