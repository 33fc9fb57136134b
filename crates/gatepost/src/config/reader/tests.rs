//! Defaults, ranges, and the order of errors.

use toml::de::DeValue;

use super::*;

/// A default that fails the checks of its own key would silently become zero.
#[test]
fn every_default_passes_the_checks_of_its_key() {
    for (scope, key) in
        keys::scopes().flat_map(|scope| scope.keys.iter().map(move |key| (scope, key)))
    {
        let Default::Value(default) = key.default else {
            continue;
        };
        let value = DeValue::parse(default).unwrap();
        let value = value.get_ref();
        let checked = match key.kind {
            Kind::Toggle => convert::toggle(key, value).map(drop),
            Kind::Integer { .. } => convert::integer(key, value).map(drop),
            Kind::Number { .. } => convert::number(key, value).map(drop),
            Kind::Bytes { .. } => convert::bytes(key, value).map(drop),
            Kind::Duration { .. } => convert::duration(key, value).map(drop),
            Kind::Choice(_) => convert::choice(key, value).map(drop),
            Kind::List(_) => convert::array(key, value).map(drop),
            Kind::Name => convert::string(key, value).and_then(value::name).map(drop),
            Kind::Address => convert::string(key, value)
                .and_then(value::address)
                .map(drop),
            Kind::Text | Kind::Form(_) | Kind::Path => convert::string(key, value).map(drop),
            kind => panic!("{kind:?} has no default"),
        };
        assert_eq!(checked, Ok(()), "{} of {}", key.name, scope.title);
    }
}

#[test]
fn ranges_hold_at_both_ends() {
    let key = keys::scope("scan").unwrap().key("deadline").unwrap();
    let read = |text: &'static str| convert::duration(key, DeValue::parse(text).unwrap().get_ref());
    assert_eq!(read("\"1s\""), Ok(Duration::from_secs(1)));
    assert_eq!(read("600"), Ok(Duration::from_secs(600)));
    let fault = read("\"999ms\"").unwrap_err();
    assert_eq!(
        fault.message,
        "`deadline` is 999ms, which is not within 1s to 10m"
    );
    assert!(
        read("601").is_err()
            && read("-1").is_err()
            && read("1.5").is_err()
            && read("true").is_err()
    );
}

#[test]
fn numbers_that_are_none_are_refused() {
    let key = keys::scope("engine.rspamd").unwrap().key("sure").unwrap();
    let read = |text: &'static str| convert::number(key, DeValue::parse(text).unwrap().get_ref());
    assert_eq!(read("20"), Ok(20.0));
    assert_eq!(read("-0.5"), Ok(-0.5));
    for text in ["nan", "inf", "-inf", "1e9", "0x10", "\"5\""] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn sizes_and_durations_are_shown_in_their_largest_unit() {
    for (bytes, shown) in [
        (0, "0B"),
        (1000, "1000B"),
        (1024, "1KiB"),
        (50 << 20, "50MiB"),
        (3 << 30, "3GiB"),
    ] {
        assert_eq!(convert::show_bytes(bytes), shown);
    }
    for (milliseconds, shown) in [
        (0, "0s"),
        (250, "250ms"),
        (90_000, "90s"),
        (3_600_000, "1h"),
    ] {
        assert_eq!(
            convert::show_duration(Duration::from_millis(milliseconds)),
            shown
        );
    }
}

#[test]
fn errors_are_bounded_and_in_order() {
    let reader = Reader::new("a.toml", "x\ny\nz\n");
    reader.error_at("list", 1, 1, "k", Fault::new("other file", "r"));
    reader.error(4..4, "k", Fault::new("third line", "r"));
    for _ in 0..1000 {
        reader.error(0..0, "k", Fault::new("first line", "r"));
    }
    let errors = reader.into_errors();
    assert_eq!(errors.len(), ERRORS_MAX);
    assert_eq!(errors.first().map(|error| error.line), Some(1));
    assert_eq!(errors.last().map(|error| error.file.as_str()), Some("list"));
}
