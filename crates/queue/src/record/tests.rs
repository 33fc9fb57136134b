use proptest::prelude::*;
use smtp::{Body, MailParameters, Notify, RcptParameters, Ret};

use super::{Found, HEADER_BYTES, RecordHeader, SegmentHeader, envelope, scan};
use crate::{Envelope, Origin, QueuedRecipient};

const SALT: u64 = 0x5a17_0000_cafe_f00d;

fn recipients() -> impl Strategy<Value = Vec<QueuedRecipient>> {
    let path = prop_oneof![
        Just("Postmaster".to_owned()),
        "[a-z]{1,8}@[a-z]{1,8}\\.example",
        Just("\"a \\\" b\"@[192.0.2.1]".to_owned()),
        Just("jörg@bücher.example".to_owned()),
    ];
    let orcpt = proptest::option::of(prop_oneof![
        Just("rfc822;a+b@c.example".to_owned()),
        Just("utf-8;ü@b.example".to_owned())
    ]);
    let notify = proptest::option::of((any::<bool>(), any::<bool>(), any::<bool>()));
    let recipient = (path, orcpt, notify).prop_map(|(path, orcpt, notify)| {
        let notify = notify.map(|(success, failure, delay)| Notify {
            success,
            failure,
            delay,
        });
        QueuedRecipient {
            forward_path: path.parse().unwrap(),
            parameters: RcptParameters { notify, orcpt },
        }
    });
    proptest::collection::vec(recipient, 1..6)
}

prop_compose! {
    fn envelopes()(
        reference in "[A-Z0-9-]{0,12}",
        arrived: u64,
        customer in "[a-z.]{0,20}",
        reverse_path in prop_oneof![Just(String::new()), "[a-z]{1,9}@[a-z]{1,9}\\.example"],
        envid in proptest::option::of("[ -~]{1,30}"),
        (size, smtputf8, require_tls, eight_bit, submitted) in any::<(Option<u64>, bool, bool, bool, bool)>(),
        lifetime: u64,
        delay_warning: u64,
        recipients in recipients(),
    ) -> Envelope {
        let mail = MailParameters {
            size, smtputf8, require_tls, envid,
            body: Some(Body::EightBitMime),
            ret: Some(Ret::Headers),
            ..MailParameters::default()
        };
        Envelope {
            reference, arrived, eight_bit, submitted, lifetime, delay_warning, recipients, mail,
            origin: Origin::Report,
            customer: customer.as_str().into(),
            reverse_path: reverse_path.parse().unwrap(),
        }
    }
}

proptest! {
    #[test]
    fn an_envelope_is_read_back(envelope in envelopes()) {
        prop_assert_eq!(envelope::decode(&envelope::encode(&envelope)), Some(envelope));
    }

    #[test]
    fn any_bytes_are_an_envelope_or_none(bytes: Vec<u8>) {
        if let Some(envelope) = envelope::decode(&bytes) {
            prop_assert_eq!(envelope::decode(&envelope::encode(&envelope)), Some(envelope));
        }
    }

    #[test]
    fn an_envelope_with_a_flipped_byte_never_panics(envelope in envelopes(), at: prop::sample::Index, bit in 0..8_u8) {
        let mut coded = envelope::encode(&envelope);
        let at = at.index(coded.len());
        coded[at] ^= 1 << bit;
        let _ = envelope::decode(&coded);
    }

    #[test]
    fn undamaged_records_are_found_around_damage(contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..8), at: prop::sample::Index) {
        let (bytes, offsets) = segment(&contents);
        let mut damaged = bytes.clone();
        let at = HEADER_BYTES + at.index(bytes.len() - HEADER_BYTES);
        damaged[at] ^= 0x10;
        let hit = offsets.iter().rposition(|offset| *offset <= at).unwrap();
        let found = ids(&damaged);
        let expected: Vec<u64> = (0..contents.len() as u64).filter(|id| *id != hit as u64).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_scan_accounts_for_each_byte(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let total: u64 = scan(&bytes, SALT).iter().map(|found| match found {
            Found::Record { header, .. } => header.record_bytes(),
            Found::Damaged { bytes, .. } => *bytes,
        }).sum();
        prop_assert_eq!(total, bytes.len().saturating_sub(HEADER_BYTES) as u64);
    }
}

fn record(id: u64, content: &[u8], salt: u64) -> Vec<u8> {
    let envelope = b"not looked into here";
    let header = RecordHeader {
        id,
        apart: false,
        moved: false,
        envelope_bytes: envelope.len() as u32,
        content_bytes: content.len() as u64,
        envelope_crc: crc32fast::hash(envelope),
        content_crc: crc32fast::hash(content),
    };
    [&header.encode(salt)[..], envelope, content].concat()
}

fn segment(contents: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = SegmentHeader {
        number: 1,
        salt: SALT,
        before: 0,
        before_end: 0,
        cut: false,
    }
    .encode()
    .to_vec();
    let mut offsets = Vec::new();
    for (id, content) in contents.iter().enumerate() {
        offsets.push(bytes.len());
        bytes.extend(record(id as u64, content, SALT));
    }
    (bytes, offsets)
}

fn ids(bytes: &[u8]) -> Vec<u64> {
    let found = scan(bytes, SALT).into_iter();
    found
        .filter_map(|found| {
            if let Found::Record { header, .. } = found {
                Some(header.id)
            } else {
                None
            }
        })
        .collect()
}

#[test]
fn content_that_imitates_a_record_is_not_taken_for_one() {
    // Its sender knows the format, but not the salt of the segment.
    let forged = record(666, b"buy", 0);
    let (mut bytes, offsets) = segment(&[forged, b"next".to_vec()]);
    bytes[offsets[0]] ^= 1;
    assert_eq!(ids(&bytes), [1]);
}

#[test]
fn a_cut_record_at_the_end_is_told_from_damage() {
    let (bytes, _) = segment(&[b"one".to_vec(), b"two".to_vec()]);
    let found = scan(&bytes[..bytes.len() - 1], SALT);
    assert!(matches!(
        found.last(),
        Some(Found::Damaged {
            last: true,
            detail: "the record is cut short",
            ..
        })
    ));
}
