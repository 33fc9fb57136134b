use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn any_bytes_are_a_greylist_or_damaged(bytes: Vec<u8>) {
        let _ = read(&bytes);
        let mut sealed = [MAGIC.as_slice(), &bytes].concat();
        sealed.extend(crc32fast::hash(&sealed).to_le_bytes());
        if let Ok(entries) = read(&sealed) {
            prop_assert_eq!(read(&written(&entries)), Ok(entries));
        }
    }

    #[test]
    fn what_is_written_is_read(seen: Vec<(u128, u64, u32, u32, u32, bool)>) {
        let entries: Entries = seen
            .into_iter()
            .map(|(network, domain, first, last, window, has_passed)| {
                let network = IpAddr::V6(Ipv6Addr::from(network)).to_canonical();
                (Pair { network, domain }, Seen { first, last, has_passed, window })
            })
            .collect();
        prop_assert_eq!(read(&written(&entries)), Ok(entries));
    }
}
