//! Headers of both versions, good and broken, in any pieces, with the client's bytes left where
//! they are.

use std::io::Cursor;

use proptest::prelude::*;
use tokio::io::{AsyncWriteExt, duplex};

use super::*;

const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn header(source: &str, destination: &str) -> Header {
    Header {
        source: Some(source.parse().unwrap()),
        destination: Some(destination.parse().unwrap()),
    }
}

fn version2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap();
    [V2, &[command, family], &length.to_be_bytes(), rest].concat()
}

/// What `parse` makes of a whole header with the client's own bytes behind it.
fn parse_before_client(bytes: &[u8]) -> Parsed {
    fuzz(bytes);
    parse(&[bytes, b"EHLO client.example\r\n"].concat())
}

fn invalid(bytes: &[u8]) -> Invalid {
    match parse_before_client(bytes) {
        Parsed::Invalid(invalid) => invalid,
        other => panic!("{other:?} of {:?}", String::from_utf8_lossy(bytes)),
    }
}

#[test]
fn version1_names_the_client() {
    for (line, expected) in [
        (
            "PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n",
            header("192.0.2.1:56324", "198.51.100.1:25"),
        ),
        (
            "PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n",
            header("[2001:db8::1]:0", "[2001:db8::2]:65535"),
        ),
        (
            "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.1 1 2\r\n",
            header("192.0.2.1:1", "198.51.100.1:2"),
        ),
        ("PROXY UNKNOWN\r\n", Header::default()),
        ("PROXY UNKNOWN ffff::1 any thing 7\r\n", Header::default()),
    ] {
        let parsed = parse_before_client(line.as_bytes());
        assert_eq!(
            parsed,
            Parsed::Header {
                header: expected,
                bytes: line.len()
            },
            "{line:?}"
        );
    }
}

#[test]
fn the_longest_line_of_version1_fits() {
    let ip = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    let line = format!("PROXY UNKNOWN {ip} {ip} 65535 65535\r\n");
    assert_eq!(line.len(), 107);
    assert_eq!(
        parse(line.as_bytes()),
        Parsed::Header {
            header: Header::default(),
            bytes: 107
        }
    );
    let longer = line.replace("65535\r", "655350\r");
    assert_eq!(invalid(longer.as_bytes()), Invalid::Line);
    assert_eq!(
        invalid(&[b"PROXY UNKNOWN ", [b'x'; 200].as_slice()].concat()),
        Invalid::Line
    );
}

#[test]
fn version1_is_strict() {
    for (line, expected) in [
        ("EHLO client.example\r\n", Invalid::Signature),
        (
            "PROXIED TCP4 192.0.2.1 198.51.100.1 1 2\r\n",
            Invalid::Signature,
        ),
        ("PROXY\r\n", Invalid::Signature),
        (
            "proxy TCP4 192.0.2.1 198.51.100.1 1 2\r\n",
            Invalid::Signature,
        ),
        ("PROXY \r\n", Invalid::Kind),
        ("PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n", Invalid::Kind),
        ("PROXY  TCP4 192.0.2.1 198.51.100.1 1 2\r\n", Invalid::Kind),
        ("PROXY TCP4 192.0.2.1 198.51.100.1 1 2\n", Invalid::Line),
        ("PROXY TCP4 192.0.2.1\r198.51.100.1 1 2\r\n", Invalid::Line),
        (
            "PROXY TCP4 192.0.2.1  198.51.100.1 1 2\r\n",
            Invalid::Address,
        ),
        ("PROXY TCP4 192.0.2.1 198.51.100.1 1\r\n", Invalid::Address),
        (
            "PROXY TCP4 192.0.2.1 198.51.100.1 1 2 3\r\n",
            Invalid::Address,
        ),
        (
            "PROXY TCP4 192.0.2.1 198.51.100.1 1 2 \r\n",
            Invalid::Address,
        ),
        (
            "PROXY TCP4 192.0.2.1 198.51.100.1 01 2\r\n",
            Invalid::Address,
        ),
        (
            "PROXY TCP4 192.0.2.1 198.51.100.1 +1 2\r\n",
            Invalid::Address,
        ),
        (
            "PROXY TCP4 192.0.2.1 198.51.100.1 1 65536\r\n",
            Invalid::Address,
        ),
        ("PROXY TCP4 192.0.2.1 198.51.100.1 1 \r\n", Invalid::Address),
        (
            "PROXY TCP4 192.0.2.01 198.51.100.1 1 2\r\n",
            Invalid::Address,
        ),
        (
            "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
            Invalid::Address,
        ),
        (
            "PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n",
            Invalid::Address,
        ),
        (
            "PROXY TCP4 192.0.2.\u{e9} 198.51.100.1 1 2\r\n",
            Invalid::Address,
        ),
    ] {
        assert_eq!(invalid(line.as_bytes()), expected, "{line:?}");
    }
    assert_eq!(
        invalid(b"PROXY TCP4 \xff\0 198.51.100.1 1 2\r\n"),
        Invalid::Address
    );
}

#[test]
fn version2_names_the_client() {
    let ipv4 = [192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 0x04, 0, 25];
    let ipv6 = ["2001:db8::1", "2001:db8::2"]
        .map(|ip| ip.parse::<std::net::Ipv6Addr>().unwrap().octets())
        .concat();
    let ipv6 = [ipv6.as_slice(), &[0, 1, 0, 2]].concat();
    let with_tlv = [ipv4.as_slice(), &[0x04, 0, 3, 1, 2, 3]].concat();
    for (command, family, rest, expected) in [
        (
            0x21,
            0x11,
            ipv4.as_slice(),
            header("192.0.2.1:56324", "198.51.100.1:25"),
        ),
        (
            0x21,
            0x11,
            &with_tlv,
            header("192.0.2.1:56324", "198.51.100.1:25"),
        ),
        (
            0x21,
            0x21,
            &ipv6,
            header("[2001:db8::1]:1", "[2001:db8::2]:2"),
        ),
        (0x21, 0x31, &[b'/'; 216], Header::default()),
        (0x21, 0x00, &[], Header::default()),
        (0x21, 0x00, &[9; 300], Header::default()),
        (0x20, 0x00, &[], Header::default()),
        (0x20, 0x11, &ipv4, Header::default()),
        (0x20, 0xff, &[1, 2, 3], Header::default()),
        (0x20, 0x00, &[0; 4080], Header::default()),
    ] {
        let bytes = version2(command, family, rest);
        let parsed = parse_before_client(&bytes);
        assert_eq!(
            parsed,
            Parsed::Header {
                header: expected,
                bytes: bytes.len()
            },
            "{command:x} {family:x}"
        );
    }
}

#[test]
fn version2_is_strict() {
    for (command, family, rest, expected) in [
        (0x11, 0x11, [0; 12].as_slice(), Invalid::Kind),
        (0x22, 0x11, &[0; 12], Invalid::Kind),
        (0x21, 0x12, &[0; 12], Invalid::Kind),
        (0x21, 0x10, &[0; 12], Invalid::Kind),
        (0x21, 0x41, &[0; 12], Invalid::Kind),
        (0x21, 0x11, &[0; 11], Invalid::Address),
        (0x21, 0x21, &[0; 35], Invalid::Address),
        (0x21, 0x31, &[0; 215], Invalid::Address),
        (0x21, 0x00, &[0; 4081], Invalid::Length),
        (0x20, 0x00, &[0; 65535], Invalid::Length),
    ] {
        assert_eq!(
            invalid(&version2(command, family, rest)),
            expected,
            "{command:x} {family:x} {}",
            rest.len()
        );
    }
    assert_eq!(invalid(b"\r\n\r\nQUIT\r\n"), Invalid::Signature);
    assert_eq!(invalid(&[0]), Invalid::Signature);
}

#[tokio::test]
async fn reading_leaves_the_client_its_bytes() {
    let line = b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n".as_slice();
    let binary = version2(
        0x21,
        0x11,
        &[192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 0x04, 0, 25, 1, 0, 1, 0],
    );
    for bytes in [line, &binary] {
        let mut stream = Cursor::new([bytes, b"EHLO client.example\r\n"].concat());
        assert_eq!(
            read(&mut stream).await.unwrap(),
            header("192.0.2.1:56324", "198.51.100.1:25")
        );
        assert_eq!(stream.position(), bytes.len() as u64);
    }
}

#[tokio::test]
async fn one_byte_at_a_time_is_the_same() {
    let bytes = b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n\x16\x03";
    let (mut near, mut far) = duplex(1);
    let writing = tokio::spawn(async move { far.write_all(bytes).await });
    assert_eq!(
        read(&mut near).await.unwrap(),
        header("[2001:db8::1]:1", "[2001:db8::2]:2")
    );
    let mut rest = Vec::new();
    near.read_to_end(&mut rest).await.unwrap();
    writing.await.unwrap().unwrap();
    assert_eq!(rest, b"\x16\x03");
}

#[tokio::test]
async fn a_client_of_smtp_is_found_out_by_its_first_bytes() {
    let (mut near, mut far) = duplex(64);
    // Left open: the answer must not wait for more.
    far.write_all(b"E").await.unwrap();
    let error = read(&mut near).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert_eq!(error.to_string(), "no PROXY header");
}

#[tokio::test]
async fn an_end_inside_the_header_is_told() {
    let error = read(&mut b"PROXY TC".as_slice()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(
        error.to_string(),
        "the connection ended after 8 bytes of a PROXY header"
    );
}

/// Bytes that are often nearly a header.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let line = "PROXY (TCP4|TCP6|UNKNOWN|UDP4)?( [0-9a-f:.]{0,20}){0,3}( [0-9]{0,6}){0,3} ?\r?\n?";
    let text = proptest::string::string_regex(line)
        .unwrap()
        .prop_map(String::into_bytes);
    let family = proptest::sample::select(vec![0x00, 0x11, 0x12, 0x21, 0x31, 0x77]);
    let binary = (
        0x1f..0x23_u8,
        family,
        proptest::collection::vec(any::<u8>(), 0..300),
    )
        .prop_map(|(command, family, rest)| version2(command, family, &rest));
    let tail = proptest::collection::vec(any::<u8>(), 0..20);
    let whole = (prop_oneof![text, binary], tail).prop_map(|(head, tail)| [head, tail].concat());
    prop_oneof![4 => whole, 1 => proptest::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #[test]
    fn any_bytes_keep_the_promises(bytes in nearly(), cut in any::<proptest::sample::Index>()) {
        fuzz(&bytes);
        fuzz(&bytes[..cut.index(bytes.len() + 1)]);
    }

    #[test]
    fn any_chunking_reads_the_same(bytes in nearly(), pipe in 1usize..40) {
        let whole = match parse(&bytes) {
            Parsed::Header { header, .. } => Ok(header),
            Parsed::Need(_) => Err(io::ErrorKind::UnexpectedEof),
            Parsed::Invalid(_) => Err(io::ErrorKind::InvalidData),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let chunked = runtime.block_on(async {
            let (mut near, mut far) = duplex(pipe);
            let bytes = bytes.clone();
            tokio::spawn(async move { far.write_all(&bytes).await });
            read(&mut near).await.map_err(|error| error.kind())
        });
        match (whole, chunked) {
            // Less may have been seen when it ended, but a broken header is never taken for one.
            (Err(_), Err(_)) => {}
            (whole, chunked) => prop_assert_eq!(whole, chunked),
        }
    }

    #[test]
    fn what_a_balancer_writes_is_understood(
        source in any::<(std::net::Ipv4Addr, u16)>(), destination in any::<(std::net::Ipv4Addr, u16)>()
    ) {
        let (source, destination) = (SocketAddr::from(source), SocketAddr::from(destination));
        let line = format!(
            "PROXY TCP4 {} {} {} {}\r\n", source.ip(), destination.ip(), source.port(), destination.port()
        );
        let expected = Header { source: Some(source), destination: Some(destination) };
        prop_assert_eq!(parse(line.as_bytes()), Parsed::Header { header: expected, bytes: line.len() });
    }
}
