use proptest::prelude::*;

use super::{Builder, Summary, decode};

prop_compose! {
    fn summaries()(
        id: u64, offset: u64, record_bytes: u64, apart: bool, moved: bool, arrived: u64, lifetime: u64, delay_warning: u64,
        customer in 0..4_u8, domains in proptest::collection::vec(0..6_u8, 1..5),
    ) -> Summary {
        Summary {
            id, offset, record_bytes, apart, moved, arrived, lifetime, delay_warning,
            customer: format!("customer-{customer}").into(),
            domains: domains.into_iter().map(|domain| format!("d{domain}.example").into()).collect(),
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(records in proptest::collection::vec(summaries(), 0..20), number: u64, salt: u64, end: u64) {
        let mut builder = Builder::default();
        for record in &records {
            builder.add(record);
        }
        let sidecar = decode(&builder.finish(number, salt, end)).unwrap();
        prop_assert_eq!((sidecar.number, sidecar.salt, sidecar.end), (number, salt, end));
        prop_assert_eq!(sidecar.records, records);
    }

    #[test]
    fn a_damaged_sidecar_is_none(records in proptest::collection::vec(summaries(), 1..5), at: prop::sample::Index, bit in 0..8_u8) {
        let mut builder = Builder::default();
        for record in &records {
            builder.add(record);
        }
        let mut bytes = builder.finish(1, 2, 3);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(decode(&bytes), None);
    }

    #[test]
    fn counts_that_lie_cost_no_memory(body in proptest::collection::vec(any::<u8>(), 0..60)) {
        let crc = crc32fast::hash(&body).to_le_bytes();
        let _ = decode(&[b"GPINDEX1".as_slice(), &crc, &body].concat());
    }
}
