//! Links as Markdown writes them.

use std::path::{Path, PathBuf};

use super::{targets, within};

#[test]
fn only_links_to_files_are_followed() {
    let text =
        "[a](docs/a.md#part) and [b](../b.md \"title\")\n[c](https://example.com/) [d](#here)\n";
    assert_eq!(targets(text), [(1, "docs/a.md"), (1, "../b.md")]);
}

#[test]
fn a_link_stays_within_the_checkout() {
    assert_eq!(
        within(Path::new("docs/../a.md")),
        Some(PathBuf::from("a.md"))
    );
    assert_eq!(within(Path::new("docs/../../a.md")), None);
}
