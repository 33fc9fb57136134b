use proptest::prelude::*;

use super::*;

fn tcp(host: &str, port: u16) -> Result<Address, AddressError> {
    Ok(Address::Tcp(host.to_owned(), port))
}

#[test]
fn addresses_are_read() {
    let table = [
        ("127.0.0.1:3310", tcp("127.0.0.1", 3310)),
        ("[::1]:3310", tcp("::1", 3310)),
        ("clamd.example:3310", tcp("clamd.example", 3310)),
        ("localhost.:1", tcp("localhost.", 1)),
        (
            "unix:/run/clamd.ctl",
            Ok(Address::Unix("/run/clamd.ctl".into())),
        ),
        ("unix:clamd.ctl", Err(AddressError::Path)),
        ("unix:", Err(AddressError::Path)),
        ("unix:/a\0b", Err(AddressError::Path)),
        ("::1", Err(AddressError::Brackets)),
        ("2001:db8::1:zz", Err(AddressError::Brackets)),
        ("[::1", Err(AddressError::Brackets)),
        ("[127.0.0.1]:1", Err(AddressError::Brackets)),
        ("[::1]", Err(AddressError::Port)),
        ("clamd.example", Err(AddressError::Port)),
        ("clamd.example:", Err(AddressError::Port)),
        ("clamd.example:0", Err(AddressError::Port)),
        ("clamd.example:+1", Err(AddressError::Port)),
        ("clamd.example:65536", Err(AddressError::Port)),
        (":3310", Err(AddressError::Host)),
        ("a..b:3310", Err(AddressError::Host)),
        ("a b:3310", Err(AddressError::Host)),
    ];
    for (text, expected) in table {
        assert_eq!(text.parse::<Address>(), expected, "{text:?}");
    }
}

proptest! {
    #[test]
    fn what_is_read_is_written_alike(text in "\\PC{0,40}|[a-z0-9.:\\[\\]-]{0,20}|unix:/[a-z/]{0,20}") {
        if let Ok(address) = text.parse::<Address>() {
            prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
        }
    }
}
