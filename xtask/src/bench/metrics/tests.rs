//! The text form of metrics.

use super::Metrics;

#[test]
fn values_are_added_over_labels_and_names_are_whole() {
    let metrics = Metrics {
        text: "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"1 2\"} 3\na_total{x=\"b\"} 4.5\na_total_more 100\nb 7\n"
            .to_owned(),
    };
    assert_eq!(metrics.sum("a_total"), Some(7.5));
    assert_eq!(metrics.sum("b"), Some(7.0));
    assert_eq!(metrics.sum("a"), None);
    assert_eq!(metrics.sum("c"), None);
}
