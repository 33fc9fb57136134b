use proptest::prelude::*;

use super::*;

fn seal(body: &str, index: usize) -> Result<Seal, Flaw> {
    let field = Field {
        name: b"ARC-Seal",
        body: body.as_bytes(),
    };
    Seal::parse(&field, index)
}

proptest! {
    /// Each number from 1 on once, in whatever order: else there is no chain.
    #[test]
    fn instances_count_from_one(numbers in prop::collection::vec(0..6_usize, 0..6)) {
        let bodies: Vec<String> = numbers.iter().map(|number| format!(" i={number}; a=b")).collect();
        let fields = bodies.iter().map(|body| Field { name: b"ARC-Seal", body: body.as_bytes() });
        let mut sorted = numbers;
        sorted.sort_unstable();
        let counts = sorted.iter().enumerate().all(|(index, number)| index + 1 == *number);
        let found = instances(fields);
        prop_assert_eq!(found.is_ok(), counts);
        for (index, field) in found.into_iter().flatten().enumerate() {
            prop_assert_eq!(instance(&field), Some(index + 1));
        }
    }

    #[test]
    fn any_seal_is_read_or_refused(parts in prop::collection::vec(prop::sample::select(&[
        "i=1", "i=0", "i=", "a=rsa-sha256", "a=x", "cv=none", "cv=pass", "cv=fail", "d=example.com", "d=-", "s=k1", "s=",
        "b=bG8=", "b=!", "h=from", "t=1", "\u{e4}=1", "", " ", "=",
    ]), 0..9), index in 0..2_usize) {
        if let Ok(seal) = seal(&parts.join(";"), index) {
            let verdict = if index == 0 { "cv=none" } else { "cv=pass" };
            prop_assert!(parts.contains(&verdict) && !parts.contains(&"h=from"));
            prop_assert_eq!((seal.domain.as_str(), seal.selector.as_str()), ("example.com", "k1"));
        }
    }
}

#[test]
fn a_seal_gives_its_values() {
    let whole = "i=1; a=rsa-sha256; cv=none; d=example.com; s=k1; b=bG8=";
    let first = seal(whole, 0).unwrap();
    assert_eq!(
        (first.domain.as_str(), first.selector.as_str()),
        ("example.com", "k1")
    );
    assert_eq!(first.value, b"lo");
    // The second sealer cannot have found that there was no chain.
    assert!(seal(whole, 1).is_err());
}
