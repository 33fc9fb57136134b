//! Pages with and without markers.

use super::replace;

const PART: &str = "<!-- bench inline: begin -->\nnew\n<!-- bench inline: end -->";

#[test]
fn only_the_part_between_the_markers_changes() {
    let page = "# P\n\n<!-- bench inline: begin -->\nold\n<!-- bench inline: end -->\n\nrest\n";
    assert_eq!(
        replace(page, "inline", "new\n"),
        format!("# P\n\n{PART}\n\nrest\n")
    );
}

#[test]
fn a_page_without_markers_gets_them_at_its_end() {
    assert_eq!(
        replace("# P\n", "inline", "new"),
        format!("# P\n\n{PART}\n")
    );
}

#[test]
fn writing_twice_changes_nothing() {
    let once = replace("# P\n", "inline", "new");
    assert_eq!(replace(&once, "inline", "new"), once);
}
