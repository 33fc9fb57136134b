use proptest::prelude::*;

use super::*;

fn id(records: &[&str]) -> Option<String> {
    let records: Vec<String> = records.iter().map(|&record| record.to_owned()).collect();
    policy_id(&records).map(str::to_owned)
}

#[test]
fn one_record_with_an_id() {
    for record in [
        "v=STSv1; id=20160831085700Z;",
        "v=STSv1;id=20160831085700Z",
        "v=STSv1 ;\tid=20160831085700Z ; ",
        "v=STSv1; x-ext=any/thing:at.all; id=20160831085700Z;",
    ] {
        assert_eq!(
            id(&[record]).as_deref(),
            Some("20160831085700Z"),
            "{record}"
        );
        // Records of other kinds under the same name are passed over.
        let found = id(&["v=spf1 -all", record, "v=STSv12; id=1;"]);
        assert_eq!(found.as_deref(), Some("20160831085700Z"));
    }
}

#[test]
fn everything_else_is_no_policy() {
    let long = format!("v=STSv1; id={};", "1".repeat(33));
    for record in [
        "",
        "v=STSv1",
        "v=STSv1;",
        "v=STSv1; id=;",
        "v=STSv1; id=a-b;",
        "v=STSv1; id=1; id=2;",
        "v=STSv1; id=1; ;",
        "v=STSv1; id=1; =2;",
        "v=STSv1; id=1; _x=2;",
        "v=STSv1; id=1; x=\u{e9};",
        "V=STSv1; id=1;",
        " v=STSv1; id=1;",
        "v=STSv1 id=1;",
        long.as_str(),
    ] {
        assert_eq!(id(&[record]), None, "{record}");
    }
    assert_eq!(id(&[]), None);
    assert_eq!(id(&["v=STSv1; id=1;", "v=STSv1; id=1;"]), None);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(v=STSv1;)?[ -~é;=]{0,80}") {
        if let Some(id) = policy_id(&[text]) {
            prop_assert!((1..=ID_CHARACTERS_MAX).contains(&id.len()));
        }
    }
}
