//! Texts: every built-in one as it goes over the wire, and what operators and hostile values can do to them.

use proptest::prelude::*;
use smtp::limits::REPLY_LINE_BYTES_MAX;

use super::*;
use crate::reference::Reference;

const LINK: &str = "https://release.example.net/r/K7QX3M9D2F-5d41402abc4b2a76";

fn reference() -> Reference {
    "K7QX-3M9D-2F".parse().unwrap()
}

fn values() -> Values<'static> {
    Values {
        reference: Some(reference()),
        link: "",
        recipient: "jane@example.com",
        client: "mail.example.org",
        reason: "",
        domain: "example.com",
        size_max: Some(50 * 1024 * 1024),
        postmaster: "postmaster@example.net",
        utf8: false,
    }
}

fn wire(reply: &Reply) -> String {
    let mut out = Vec::new();
    reply.write_to(&mut out);
    String::from_utf8(out).unwrap()
}

fn overrides(texts: &[(&str, &str, &str)]) -> Result<Templates, Vec<TemplateError>> {
    let mut by_language: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (language, kind, text) in texts {
        by_language
            .entry((*language).to_owned())
            .or_default()
            .insert((*kind).to_owned(), (*text).to_owned());
    }
    Templates::with_overrides(&by_language)
}

#[test]
fn every_kind_in_every_language_is_that_of_the_golden_file() {
    let templates = Templates::builtin();
    let told = |kind| match kind {
        Kind::Virus => "Eicar-Test-Signature",
        Kind::Attachment => "invoice.pdf.exe: executable file",
        _ => "",
    };
    let mut page = String::from(
        "# Every built-in reply: bare, with all values, with a link. Made by `UPDATE_EXPECT=1 cargo test`.\n",
    );
    for (language, _) in builtin::LANGUAGES {
        for kind in Kind::ALL {
            page.push_str(&format!("\n{language} {kind}\n"));
            let full = Values {
                reason: told(kind),
                ..values()
            };
            let bare = Values {
                recipient: "jane@example.com",
                ..Values::default()
            };
            let linked = Values { link: LINK, ..full };
            let mut variants: Vec<String> = Vec::new();
            for values in [bare, full, linked] {
                let reply = templates.render(kind, language, &values);
                assert_eq!(reply.code(), kind.code());
                assert_eq!(reply.status(), Some(kind.status()));
                let line = wire(&reply).replace("\r\n", "\n");
                // One line is what most systems show.
                assert_eq!(line.matches('\n').count(), 1, "{line}");
                variants.push(line);
            }
            variants.dedup();
            page.extend(variants);
        }
    }
    crate::golden::check("tests/replies.txt", &page);
}

#[test]
fn every_builtin_text_is_a_valid_template_in_ascii() {
    for (language, text_of) in builtin::LANGUAGES {
        for kind in Kind::ALL {
            let text = text_of(kind);
            assert!(text.is_ascii(), "{language} {kind}");
            assert!(Template::parse(text).is_ok(), "{language} {kind}");
        }
    }
}

#[test]
fn reference_and_link_come_first() {
    let linked = Values {
        link: LINK,
        ..values()
    };
    let reply = Templates::builtin().render(Kind::Spam, "en", &linked);
    let begin = format!("550 5.7.1 [K7QX-3M9D-2F] {LINK} The message looks like spam");
    assert!(wire(&reply).starts_with(&begin));
    let reply = Templates::builtin().render(Kind::Spam, "en", &values());
    assert!(wire(&reply).starts_with("550 5.7.1 [K7QX-3M9D-2F] The message looks like spam"));
}

#[test]
fn in_place_of_the_banner_the_codes_are_those_of_a_banner() {
    let templates = Templates::builtin();
    let reply = templates.render_at_connect(Kind::List, "en", &values());
    assert_eq!(reply.code(), 554);
    let reply = templates.render_at_connect(Kind::Exhausted, "en", &values());
    assert_eq!(reply.code(), 421);
}

#[test]
fn languages_fall_back_to_their_primary_tag_and_to_english() {
    let templates = overrides(&[
        ("de-CH", "spam", "Grüezi {recipient}"),
        ("nl", "spam", "Nee"),
    ])
    .unwrap();
    let text = |kind, language| {
        let reply = templates.render(kind, language, &Values::default());
        reply.text().to_owned()
    };
    assert_eq!(text(Kind::Spam, "de-ch"), "Gruezi");
    assert_eq!(text(Kind::Virus, "DE-ch"), text(Kind::Virus, "de"));
    assert_eq!(text(Kind::Spam, "de-AT"), text(Kind::Spam, "de"));
    assert_eq!(text(Kind::Spam, "nl"), "Nee");
    assert_eq!(text(Kind::Virus, "nl"), text(Kind::Virus, "en"));
    assert_eq!(text(Kind::Spam, ""), text(Kind::Spam, "en"));
    assert!(
        templates
            .languages()
            .eq(["de", "de-ch", "en", "es", "fr", "nl", "sv"])
    );
    assert!(builtin_languages().eq(["en", "de", "fr", "es", "sv"]));
}

#[test]
fn templates_hold_values_conditions_braces_and_lines() {
    let text = "{{{recipient}}} {if link}<{link}>{else}no link{end}{if reason}: {reason}{end}\nsecond {size_max}";
    let templates = overrides(&[("en", "spam", text)]).unwrap();
    let reply = templates.render(Kind::Spam, "en", &values());
    assert_eq!(
        wire(&reply),
        "550-5.7.1 [K7QX-3M9D-2F] {jane@example.com} no link\r\n550 5.7.1 second 50 MiB\r\n"
    );
    let all = "{reference} {link} {recipient} {client} {reason} {domain} {size_max} {postmaster}";
    let templates = overrides(&[("en", "spam", all)]).unwrap();
    let full = Values {
        link: "L",
        reason: "R",
        ..values()
    };
    assert_eq!(
        templates.render(Kind::Spam, "en", &full).text(),
        "[K7QX-3M9D-2F] L K7QX-3M9D-2F L jane@example.com mail.example.org R example.com 50 MiB postmaster@example.net"
    );
}

#[test]
fn every_error_of_every_text_is_told_at_once() {
    let long = "x".repeat(2049);
    let errors = overrides(&[
        ("en", "spam", "{refrence} and {if lnk}x{end} {reason}"),
        ("en", "virus", "{recipient"),
        ("en", "size", "a } b"),
        ("de", "list", "{if link}a{if reason}b{end}{end}"),
        ("de", "line", "{if link}a"),
        ("de", "policy", "{else}{end}"),
        ("de", "relay", " "),
        ("de", "mailbox", "a\tb"),
        ("de", "nexthop-down", &long),
        ("de", "spam-ish", "{foo}"),
    ])
    .unwrap_err();
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let begins = [
        "replies.de.line: `{if ...}` without `{end}`",
        "replies.de.list: `{if ...}` within another",
        "replies.de.list: `{end}` without `{if ...}`",
        "replies.de.mailbox: control character",
        "replies.de.nexthop-down: longer than 2048 bytes",
        "replies.de.policy: `{else}` without `{if ...}`",
        "replies.de.policy: `{end}` without `{if ...}`",
        "replies.de.relay: empty text",
        "replies.de.spam-ish: no such kind of reply; known are spam, virus",
        "replies.de.spam-ish: unknown placeholder {foo}",
        "replies.en.size: `}` without `{`",
        "replies.en.spam: unknown placeholder {refrence}; known are {reference}, {link}",
        "replies.en.spam: unknown placeholder {lnk}",
        "replies.en.virus: `{` without `}`",
    ];
    assert_eq!(told.len(), begins.len(), "{told:#?}");
    for (told, begin) in told.iter().zip(begins) {
        assert!(told.starts_with(begin), "{told}");
    }
}

#[test]
fn values_forge_neither_lines_nor_placeholders() {
    let templates = overrides(&[("en", "mailbox", "No {recipient}, {reason}.")]).unwrap();
    let hostile = Values {
        recipient: "a\r\n250 2.0.0 OK\u{0}{link}",
        reason: "\u{202e}evil\u{2028}Zoë Straße \u{4f60}",
        ..values()
    };
    assert_eq!(
        wire(&templates.render(Kind::Mailbox, "en", &hostile)),
        "550 5.1.1 [K7QX-3M9D-2F] No a  250 2.0.0 OK {link},  evil Zoe Strasse ?.\r\n"
    );
    let utf8 = Values {
        utf8: true,
        ..hostile
    };
    assert_eq!(
        templates.render(Kind::Mailbox, "en", &utf8).text(),
        "[K7QX-3M9D-2F] No a  250 2.0.0 OK {link},  evil Zoë Straße \u{4f60}."
    );
}

#[test]
fn an_overlong_link_is_left_out_and_the_postmaster_is_always_somebody() {
    let long = format!("https://release.example.net/{}", "x".repeat(400));
    let values = Values {
        link: &long,
        postmaster: "",
        ..values()
    };
    let reply = Templates::builtin().render(Kind::Spam, "en", &values);
    assert!(reply.text().starts_with("[K7QX-3M9D-2F] The message"));
    assert!(
        reply
            .text()
            .contains("please ask postmaster@example.com and")
    );
    let reply = Templates::builtin().render(Kind::Spam, "en", &Values::default());
    assert!(reply.text().contains("please ask postmaster and"));
}

#[test]
fn sizes_are_told_in_round_units() {
    let templates = overrides(&[("en", "size", "{size_max}")]).unwrap();
    let told = |bytes| {
        let values = Values {
            size_max: Some(bytes),
            ..Values::default()
        };
        templates
            .render(Kind::Size, "en", &values)
            .text()
            .to_owned()
    };
    assert_eq!(told(0), "0 bytes");
    assert_eq!(told(1023), "1023 bytes");
    assert_eq!(told(1024), "1 KiB");
    assert_eq!(told(25_000_000), "23.8 MiB");
    assert_eq!(told(50 << 20), "50 MiB");
    assert_eq!(told((3 << 30) - 1), "2.9 GiB");
    assert_eq!(told(u64::MAX), "17179869183.9 GiB");
}

proptest! {
    #[test]
    fn every_line_is_short_printable_and_begins_with_the_code(
        recipient in "\\PC{0,400}",
        reason in any::<String>(),
        link in "[!-~]{0,500}",
        kind in 0..Kind::ALL.len(),
        language in 0..builtin::LANGUAGES.len(),
    ) {
        let kind = Kind::ALL[kind];
        let (language, _) = builtin::LANGUAGES[language];
        let values = Values {
            link: &link,
            recipient: &recipient,
            reason: &reason,
            domain: &reason,
            ..values()
        };
        let wire = wire(&Templates::builtin().render(kind, language, &values));
        let code = kind.code().to_string();
        prop_assert!(wire.starts_with(&code));
        for line in wire.split_terminator("\r\n") {
            prop_assert!(line.len() + 2 <= REPLY_LINE_BYTES_MAX);
            prop_assert!(line.starts_with(&code));
            prop_assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')));
        }
        if (1..=400).contains(&link.len()) {
            let first = wire.split("\r\n").next().unwrap();
            let begin = format!("[K7QX-3M9D-2F] {link}");
            prop_assert!(first.contains(&begin));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = Template::parse(&text);
    }

    #[test]
    fn a_text_without_braces_is_itself(text in "[ -z]{1,100}") {
        prop_assume!(!text.trim().is_empty());
        let template = Template::parse(&text).unwrap();
        let mut out = String::new();
        template.render(&Values::default(), &mut out);
        prop_assert_eq!(out, text);
    }
}
