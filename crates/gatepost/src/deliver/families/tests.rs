//! The order of addresses, and what several networks out of reach say about their family.

use proptest::prelude::*;

use super::*;

type Told = Arc<Mutex<Vec<FamilyChange>>>;

const ANY: Delivery = Delivery {
    inet_protocols: InetProtocols::All,
    address_preference: AddressPreference::Any,
    loopback: true,
};

fn families() -> (Families, Told) {
    let told = Told::default();
    let notes = Arc::clone(&told);
    let families = Families::new(Arc::new(move |change| notes.lock().unwrap().push(change)));
    (families, told)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn six(network: u16) -> IpAddr {
    Ipv6Addr::new(0x2001, 0xdb8, network, 0, 0, 0, 0, 0x25).into()
}

fn unreachable() -> io::Error {
    io::Error::new(io::ErrorKind::HostUnreachable, "No route to host")
}

/// How many addresses of each family are among the first `count`.
fn counts(ordered: &[IpAddr], count: usize) -> (usize, usize) {
    let ipv4 = ordered[..count].iter().filter(|ip| ip.is_ipv4()).count();
    (ipv4, count - ipv4)
}

proptest! {
    #[test]
    fn no_family_has_more_than_half_as_long_as_the_other_has_any(ipv4 in 0..12_u8, ipv6 in 0..12_u16, seed: u64) {
        fastrand::seed(seed);
        let ips: Vec<IpAddr> = (0..ipv4)
            .map(|last| Ipv4Addr::new(192, 0, 2, last).into())
            .chain((0..ipv6).map(six))
            .collect();
        let (families, _) = families();
        let ordered = families.order(&ips, ANY, None);
        let mut same = ordered.clone();
        same.sort();
        let mut given = ips;
        given.sort();
        prop_assert_eq!(same, given);
        for count in 0..=ordered.len() {
            let (four, six) = counts(&ordered, count);
            prop_assert!(four <= count.div_ceil(2) || six == usize::from(ipv6));
            prop_assert!(six <= count.div_ceil(2) || four == usize::from(ipv4));
        }
    }
}

#[test]
fn the_preferred_family_comes_first_and_the_other_by_turns() {
    let ips = [ip("192.0.2.1"), ip("192.0.2.2"), six(1), six(2)];
    let (families, _) = families();
    let shown = |delivery, last| -> Vec<bool> {
        let ordered = families.order(&ips, delivery, last);
        ordered.iter().map(IpAddr::is_ipv6).collect()
    };
    let preferring = |address_preference| Delivery {
        address_preference,
        ..ANY
    };
    for last in [None, Some(Family::Ipv4), Some(Family::Ipv6)] {
        assert_eq!(
            shown(preferring(AddressPreference::Ipv6), last),
            [true, false, true, false]
        );
        assert_eq!(
            shown(preferring(AddressPreference::Ipv4), last),
            [false, true, false, true]
        );
    }
    // The next host of the same message begins with the family whose turn it is.
    assert!(shown(ANY, Some(Family::Ipv4))[0]);
    assert!(!shown(ANY, Some(Family::Ipv6))[0]);
    let firsts: HashSet<bool> = (0..100).map(|_| shown(ANY, None)[0]).collect();
    assert_eq!(firsts.len(), 2, "chance decides");
    let only = |inet_protocols| Delivery {
        inet_protocols,
        ..ANY
    };
    assert_eq!(shown(only(InetProtocols::Ipv4), None), [false, false]);
    assert_eq!(shown(only(InetProtocols::Ipv6), None), [true, true]);
}

#[test]
fn an_address_that_failed_goes_last_until_it_works() {
    let (families, told) = families();
    let ips = [six(1), six(2), ip("192.0.2.1")];
    families.fails(six(1), &io::ErrorKind::ConnectionRefused.into());
    for _ in 0..20 {
        assert_eq!(families.order(&ips, ANY, None)[2], six(1));
    }
    families.fails(six(2), &io::ErrorKind::ConnectionReset.into());
    assert_eq!(families.order(&ips, ANY, None)[0], ip("192.0.2.1"));
    families.works(six(2));
    families.works(six(1));
    let last: HashSet<IpAddr> = (0..200)
        .map(|_| families.order(&ips, ANY, None)[2])
        .collect();
    assert!(last.contains(&six(1)) && last.contains(&six(2)));
    assert!(told.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn several_networks_out_of_reach_put_their_family_last_for_a_while() {
    let (families, told) = families();
    let fresh = [six(100), ip("198.51.100.1")];
    let leads = |families: &Families| families.order(&fresh, ANY, Some(Family::Ipv4))[0];
    // Many addresses of one network, and refusals, are no outage.
    for last in 0..20 {
        families.fails(
            Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, last).into(),
            &unreachable(),
        );
        families.fails(six(20 + last), &io::ErrorKind::ConnectionRefused.into());
    }
    families.fails(six(2), &io::ErrorKind::TimedOut.into());
    assert_eq!(leads(&families), six(100));
    families.fails(six(3), &unreachable());
    assert_eq!(leads(&families), ip("198.51.100.1"));
    assert_eq!(
        families.down(),
        [(Family::Ipv6, "No route to host".to_owned())]
    );
    // Told once; tried again after a minute, then after two, and so on up to ten.
    let mut network = 10;
    for minutes in [1, 2, 4, 8, 10, 10] {
        tokio::time::advance(Duration::from_secs(minutes * 60 - 1)).await;
        assert_eq!(leads(&families), ip("198.51.100.1"), "{minutes}");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(leads(&families), six(100), "{minutes}");
        for _ in 0..NETWORKS_MIN {
            network += 1;
            families.fails(six(network + 200), &unreachable());
        }
    }
    assert_eq!(told.lock().unwrap().len(), 1);
    families.works(six(50));
    assert_eq!(families.down(), []);
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 2);
    assert_eq!((told[1].family, &told[1].fault), (Family::Ipv6, &None));
    assert!(told[1].down >= Duration::from_secs(35 * 60));
}

#[test]
fn what_is_near_tells_nothing_about_the_family() {
    let (families, told) = families();
    for third in 0..10 {
        families.fails(Ipv4Addr::new(10, 0, third, 1).into(), &unreachable());
        families.fails(
            Ipv6Addr::new(0xfd00, third.into(), 0, 0, 0, 0, 0, 1).into(),
            &unreachable(),
        );
        families.fails(Ipv4Addr::new(127, 0, third, 1).into(), &unreachable());
    }
    assert_eq!(families.down(), []);
    assert!(told.lock().unwrap().is_empty());
}

#[test]
fn the_system_knows_whether_there_is_a_way() {
    assert!(route_to(ip("127.0.0.1"), None).is_ok());
    assert!(route_to(ip("127.0.0.1"), Some(ip("127.0.0.2"))).is_ok());
    // 192.0.2.0/24 is for documentation (RFC 5737): no machine has it.
    let error = route_to(ip("127.0.0.1"), Some(ip("192.0.2.1"))).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
}
