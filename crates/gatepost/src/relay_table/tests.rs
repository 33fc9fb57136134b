//! Which rule wins, and how many look-ups it takes.

use proptest::prelude::*;

use super::*;

const NODE: &str =
    "[node]\nname = \"mx.example.net\"\n[[listener]]\nname = \"in\"\nbind = [\"127.0.0.1:0\"]\n";

fn table(routes: &[(&str, &[&str])]) -> RelayTable {
    let mut text = NODE.to_owned();
    for (customer, domains) in routes {
        text += &format!(
            "[[route]]\ncustomer = \"{customer}\"\ndomains = {domains:?}\nnexthop = [\"maildir:m\"]\n"
        );
    }
    RelayTable::new(&Config::parse("test.toml", &text).unwrap())
}

fn customer<'t>(table: &'t RelayTable, domain: &str) -> Option<&'t str> {
    let route = table.route_for_text(domain)?;
    route.customer.as_deref()
}

#[test]
fn exact_wins_over_wildcards_and_longer_wildcards_over_shorter() {
    let table = table(&[
        ("wild", &["*.example.org"]),
        ("exact", &["example.org", "mail.example.org"]),
        ("deep", &["*.deep.example.org"]),
    ]);
    for (domain, expected) in [
        ("example.org", Some("exact")),
        ("mail.example.org", Some("exact")),
        ("www.example.org", Some("wild")),
        ("a.b.c.example.org", Some("wild")),
        ("x.mail.example.org", Some("wild")),
        ("deep.example.org", Some("wild")),
        ("a.deep.example.org", Some("deep")),
        ("a.b.deep.example.org", Some("deep")),
        ("org", None),
        ("notexample.org", None),
        ("example.org.evil.example", None),
        ("", None),
        (".example.org", None),
        ("..example.org", None),
    ] {
        assert_eq!(customer(&table, domain), expected, "{domain}");
    }
}

#[test]
fn the_form_of_a_domain_does_not_matter() {
    let table = table(&[
        ("idn", &["bücher.example", "*.xn--strae-oqa.example"]),
        ("literal", &["[192.0.2.1]", "[IPv6:2001:db8::1]"]),
    ]);
    for (domain, expected) in [
        ("Bücher.Example", Some("idn")),
        ("XN--bcher-kva.example.", Some("idn")),
        ("www.straße.example", Some("idn")),
        ("straße.example", None),
        ("[192.0.2.1]", Some("literal")),
        ("[ipv6:2001:DB8::0:1]", Some("literal")),
        ("192.0.2.1", None),
        ("[192.0.2.2]", None),
    ] {
        assert_eq!(customer(&table, domain), expected, "{domain}");
        if let Ok(domain) = domain.trim_end_matches('.').parse::<Domain>() {
            let found = table
                .route_for(&domain)
                .and_then(|route| route.customer.as_deref());
            assert_eq!(found, expected, "{domain}");
        }
    }
}

#[test]
fn explain_names_the_rule() {
    let table = table(&[("a", &["*.bücher.example", "example.org"])]);
    let explain = |domain: &str| table.explain_route(&domain.parse().unwrap());
    let found = explain("Mail.BÜCHER.example").unwrap();
    assert_eq!(found.rule, "*.xn--bcher-kva.example");
    assert_eq!(found.domain, "mail.xn--bcher-kva.example");
    assert_eq!(found.route.origin, "test.toml:6");
    assert_eq!(explain("example.org").unwrap().rule, "example.org");
    assert_eq!(explain("example.net"), None);
}

/// Constant time: what bounds a look-up is the domain looked up, never the table.
#[test]
fn probes_are_bounded_by_labels_at_a_hundred_thousand_domains() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = String::from("# many\n");
    for number in 0..50_000 {
        list += &format!("d{number}.example\n*.w{number}.example   # wildcard\n\n");
    }
    std::fs::write(folder.path().join("domains"), list).unwrap();
    let file = folder.path().join("gatepost.toml");
    let text =
        format!("{NODE}[[route]]\ndomains = [\"file:domains\"]\nnexthop = [\"maildir:m\"]\n");
    let config = Config::parse(file.to_str().unwrap(), &text).unwrap();
    let table = RelayTable::new(&config);
    assert_eq!(table.domains_len(), 100_000);
    for (domain, probes) in [
        ("d49999.example", Some(1)),
        ("a.w49999.example", Some(2)),
        ("a.b.c.w0.example", Some(4)),
        ("w0.example", None),
        ("d50000.example", None),
    ] {
        let found = table.explain_route(&domain.parse().unwrap());
        assert_eq!(found.map(|found| found.probes), probes, "{domain}");
        assert!(
            domain_rules(domain).count() <= domain.split('.').count(),
            "{domain}"
        );
    }
}

proptest! {
    #[test]
    fn agrees_with_a_plain_reading_of_the_rules(domain in "[ab]{1,2}(\\.[ab]{1,2}){0,4}") {
        let rules = ["a.b", "*.b", "*.a.b", "*.b.a.b", "b.a"];
        let customers: Vec<String> = (0..rules.len()).map(|at| format!("r{at}")).collect();
        let entries: Vec<[&str; 1]> = rules.iter().map(|rule| [*rule]).collect();
        let routes: Vec<(&str, &[&str])> =
            customers.iter().zip(&entries).map(|(name, entry)| (name.as_str(), entry.as_slice())).collect();
        let covers = |rule: &str| match rule.strip_prefix('*') {
            Some(suffix) => domain.ends_with(suffix),
            None => domain == rule,
        };
        let expected = (0..rules.len())
            .filter(|&at| covers(rules[at]))
            .max_by_key(|&at| (!rules[at].starts_with('*'), rules[at].len()));
        let table = table(&routes);
        prop_assert_eq!(customer(&table, &domain), expected.map(|at| customers[at].as_str()));
    }

    #[test]
    fn any_text_is_looked_up(domain in "\\PC{0,300}") {
        let table = table(&[("a", &["*.example.org"])]);
        table.route_for_text(&domain);
    }
}
