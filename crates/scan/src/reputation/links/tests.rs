use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn of(body: &str) -> Vec<String> {
    let message = format!("Content-Type: text/html\r\n\r\n{body}\r\n");
    hosts(&Message::new(Bytes::from(message)))
}

#[test]
fn hosts_of_links() {
    let body = "<a href=\"https://www.Example.ORG/path?x=http://inner.example/\">x</a>\r\n\
                HTTP://user:bank.example@evil.example:8080/ ftp://files.example/ see http://dot.example. \
                http://192.0.2.1/ http://localhost/ https://www.example.org/again";
    let hosts = [
        "www.example.org",
        "inner.example",
        "evil.example",
        "dot.example",
        "192.0.2.1",
    ];
    assert_eq!(of(body), hosts);
}

#[test]
fn their_number_is_bounded() {
    let body: String = (0..1000)
        .map(|n| format!("http://h{n}.example/\r\n"))
        .collect();
    assert_eq!(of(&body).len(), LIST_DOMAINS_MAX);
}

proptest! {
    #[test]
    fn any_text_gives_hosts_or_none(text: Vec<u8>) {
        let mut hosts = Vec::new();
        gather(&text, &mut hosts);
        gather(&[b"https://", text.as_slice()].concat(), &mut hosts);
        for host in hosts {
            prop_assert!(host.contains('.') && !host.contains(|c: char| c.is_whitespace() || c == '/'));
        }
    }
}
