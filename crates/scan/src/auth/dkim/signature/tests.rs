use proptest::prelude::*;

use super::*;

const WHOLE: &str = "v=1; a=rsa-sha256; c=relaxed/simple; d=example.com; s=k1; i=@mail.example.com; l=7; x=9; h=From:To; bh=aGFs; b=bG8=";

fn parsed(body: &str, kind: Kind) -> Result<Signature, Flaw> {
    let field = Field {
        name: b"DKIM-Signature",
        body: body.as_bytes(),
    };
    Signature::parse(&field, kind)
}

#[test]
fn a_signature_gives_its_values() {
    let signature = parsed(WHOLE, Kind::Dkim).unwrap();
    let (domain, selector) = (signature.domain.as_str(), signature.selector.as_str());
    assert_eq!((domain, selector), ("example.com", "k1"));
    assert_eq!(signature.identity.as_deref(), Some("@mail.example.com"));
    assert_eq!((signature.length, signature.expires), (Some(7), Some(9)));
    assert_eq!(signature.names, ["from", "to"]);
    assert_eq!(
        (signature.body_hash, signature.value),
        (b"hal".to_vec(), b"lo".to_vec())
    );
}

proptest! {
    /// What is read is fit to ask the DNS with and bounded; and its value is no part of what is signed.
    #[test]
    fn any_list_is_read_or_refused(
        parts in prop::collection::vec(prop::sample::select(&[
            "v=1", "a=rsa-sha256", "a=ed25519-sha256", "a=", "c=relaxed", "c=simple/", "d=example.com", "d=.", "d=ä.example", "s=k1",
            "s=_k", "i=@example.com", "i=@", "l=7", "l=99999999999999999999999", "t=9", "x=8", "q=dns/txt", "q=", "h=from",
            "h=From : To", "h=:", "bh=aGFs", "bh=!", "b=bG8=", "b", "z=\u{e4}", " ", "=", "\r\n\t",
        ]), 0..4),
        order in any::<bool>(),
        is_arc in any::<bool>(),
    ) {
        let kind = if is_arc { Kind::Arc } else { Kind::Dkim };
        let (begin, end) = if order { (WHOLE, parts.join(";")) } else { ("", format!("{};{WHOLE}", parts.join(";"))) };
        let body = format!("{begin};{end}");
        if let Ok(signature) = parsed(&body, kind) {
            prop_assert!(signature.names.iter().any(|name| name == "from"));
            prop_assert!(signature.names.len() <= DKIM_SIGNED_FIELDS_MAX);
            prop_assert!(!signature.value.is_empty() && !signature.body_hash.is_empty());
            for name in [&signature.domain, &signature.selector] {
                let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                prop_assert!(name.chars().all(fits) && (1..=253).contains(&name.len()), "{}", name);
            }
        }
        let without = without_value(body.as_bytes());
        prop_assert_eq!(&without_value(&without), &without);
        prop_assert_eq!(without_value(body.replace("bG8=", "AAAA").as_bytes()), without);
    }
}
