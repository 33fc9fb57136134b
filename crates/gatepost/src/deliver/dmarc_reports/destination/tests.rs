use super::super::observation::tests::published;
use super::*;

async fn found(uris: &[&str], zone: &str) -> Result<Vec<String>, Unknown> {
    let resolver = Resolver::zone(zone).unwrap();
    let found = destinations(&resolver, &published(uris)).await?;
    Ok(found.iter().map(ToString::to_string).collect())
}

/// RFC 9990 section 4.
#[tokio::test]
async fn strangers_must_have_consented() {
    let consent = "example.org._report._dmarc.reports.example TXT \"v=DMARC1\"";
    let inside = "mailto:a@mail.example.org";
    let outside = "mailto:b@reports.example";
    assert_eq!(
        found(&[inside, "mailto:a@example.org"], "").await.unwrap(),
        ["a@mail.example.org", "a@example.org"]
    );
    assert_eq!(found(&[outside], "").await.unwrap(), Vec::<String>::new());
    assert_eq!(
        found(&[outside], consent).await.unwrap(),
        ["b@reports.example"]
    );
    let other = "example.org._report._dmarc.reports.example TXT \"v=spf1 -all\"";
    assert_eq!(
        found(&[outside], other).await.unwrap(),
        Vec::<String>::new()
    );
    let silent = "example.org._report._dmarc.reports.example SERVFAIL";
    assert_eq!(found(&[outside], silent).await, Err(Unknown));
    // Those that are sure have it today.
    assert_eq!(
        found(&[outside, inside], silent).await.unwrap(),
        ["a@mail.example.org"]
    );
    assert_eq!(
        found(&["mailto:a@badexample.org"], "").await.unwrap(),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn only_mailboxes_take_reports() {
    let uris = [
        "https://example.org/in",
        "MAILTO:a@example.org?subject=x",
        "mailto:a%40example.org",
        "mailto:nobody",
        "mailto:a@[192.0.2.1]",
    ];
    assert_eq!(found(&uris, "").await.unwrap(), ["a@example.org"]);
    let many: Vec<String> = (0..9)
        .map(|index| format!("mailto:a{index}@example.org"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(found(&many, "").await.unwrap().len(), DESTINATIONS_MAX);
}
