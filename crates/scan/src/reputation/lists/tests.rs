use super::*;
use crate::limits::LIST_DOMAINS_MAX;

const DEADLINE: Duration = Duration::from_secs(3);

/// Two lists of clients, one of domains, one of trusted clients.
const ZONE: &str = "
2.0.0.127.bl.example A 127.0.0.2
99.2.0.192.bl.example A 127.0.0.2
99.2.0.192.bl.example A 127.0.0.4
2.0.0.127.other.example A 127.0.0.2
99.2.0.192.other.example A 127.0.0.3
2.0.0.127.wl.example A 127.0.0.2
98.2.0.192.wl.example A 127.0.10.3
99.2.0.192.wl.example A 127.0.10.1
test.dbl.example A 127.0.1.2
spam.example.dbl.example A 127.0.1.2
";

fn list(zone: &str, asked_about: &[Subject], weight: f32) -> List {
    List {
        name: zone.split('.').next().unwrap().to_owned(),
        zone: zone.to_owned(),
        asked_about: asked_about.to_vec(),
        codes: Vec::new(),
        weight,
        test_point: None,
    }
}

fn lists(zone_text: &str, lists: Vec<List>) -> Lists {
    Lists::new(lists, Resolver::zone(zone_text).unwrap(), None)
}

fn client(ip: &str) -> About {
    About {
        ip: Some(ip.parse().unwrap()),
        ..About::default()
    }
}

#[tokio::test]
async fn all_lists_are_asked_and_each_counts_once() {
    let ip = &[Subject::Ip];
    let mut first = list("bl.example", ip, 5.0);
    first.codes = vec![
        Code {
            answers: "127.0.0.2".parse().unwrap(),
            weight: Some(4.0),
            meaning: "spammers".to_owned(),
            is_refusal: false,
        },
        Code {
            answers: "127.0.0.4".parse().unwrap(),
            weight: None,
            meaning: "captured machines".to_owned(),
            is_refusal: false,
        },
    ];
    let domains = [Subject::ReversePath, Subject::From, Subject::Url];
    let all = vec![
        first,
        list("other.example", ip, 3.0),
        list("wl.example", ip, -2.5),
        list("dbl.example", &domains, 4.0),
    ];
    let lists = lists(ZONE, all);
    let mut about = client("192.0.2.99");
    about.reverse_path = Some("bounces.spam.example".to_owned());
    about.links = vec!["spam.example".to_owned(), "www.spam.example".to_owned()];
    let round = lists.ask(&about, DEADLINE).await;
    assert_eq!(round.silent, []);
    let told: Vec<String> = round
        .hits
        .iter()
        .map(|hit| format!("{} {} {} {}", hit.list, hit.who, hit.answer, hit.meaning))
        .collect();
    assert_eq!(
        told,
        [
            "bl 192.0.2.99 127.0.0.4 captured machines",
            "other 192.0.2.99 127.0.0.3 ",
            "wl 192.0.2.99 127.0.10.1 ",
            "dbl spam.example 127.0.1.2 ",
        ]
    );
    assert_eq!(round.points(), 5.0 + 3.0 - 2.5 + 4.0);
    let clean = lists.ask(&client("192.0.2.1"), DEADLINE).await;
    assert_eq!(clean, Round::default());
    let trusted = lists.ask(&client("192.0.2.98"), DEADLINE).await;
    assert_eq!(trusted.points(), -2.5);
}

#[tokio::test]
async fn a_list_that_lists_everything_counts_for_nothing() {
    let zone = "
1.0.0.127.bl.example A 127.0.0.2
2.0.0.127.bl.example A 127.0.0.2
99.2.0.192.bl.example A 127.0.0.2
invalid.dbl.example A 127.0.1.2
spam.example.dbl.example A 127.0.1.2
";
    let all = vec![
        list("bl.example", &[Subject::Ip], 5.0),
        list("dbl.example", &[Subject::ReversePath], 5.0),
    ];
    let news: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&news);
    let observer: ListObserver = Arc::new(move |name, health| {
        let line = format!("{name}: {}", health.trouble().unwrap_or_default());
        told.lock().unwrap().push(line);
    });
    let lists = Lists::new(all, Resolver::zone(zone).unwrap(), Some(observer));
    let mut about = client("192.0.2.99");
    about.reverse_path = Some("spam.example".to_owned());
    // The very first round must not believe it, nor any after.
    for _ in 0..3 {
        let round = lists.ask(&about, DEADLINE).await;
        assert_eq!(round.hits, []);
        assert_eq!(round.silent.len(), 2);
        assert!(
            round
                .silent
                .iter()
                .all(|(_, why)| why.contains("lists everything"))
        );
    }
    let news = news.lock().unwrap();
    assert_eq!(news.len(), 2, "told once each: {news:?}");
    assert!(
        news.iter()
            .any(|line| line.starts_with("bl: lists 127.0.0.1"))
    );
    assert!(
        news.iter()
            .any(|line| line.starts_with("dbl: lists invalid"))
    );
}

#[tokio::test]
async fn a_refusal_and_a_rewritten_absence_are_no_listings() {
    let zone = "
2.0.0.127.quota.example A 127.0.0.2
99.2.0.192.quota.example A 127.255.255.254
2.0.0.127.parked.example A 127.0.0.2
99.2.0.192.parked.example A 198.51.100.7
";
    let ip = &[Subject::Ip];
    let all = vec![
        list("quota.example", ip, 5.0),
        list("parked.example", ip, 5.0),
    ];
    let lists = lists(zone, all);
    let round = lists.ask(&client("192.0.2.99"), DEADLINE).await;
    assert_eq!(round.hits, []);
    assert_eq!(round.silent.len(), 2);
    // Both are left out from here on, whoever the client is.
    let round = lists.ask(&client("192.0.2.1"), DEADLINE).await;
    assert_eq!(round.silent.len(), 2);
    let health = lists.health();
    assert!(health.iter().all(|(_, health)| health.trouble().is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_dead_list_is_left_out_and_comes_back() {
    let zone = "
2.0.0.127.bl.example A 127.0.0.2
1.2.0.192.bl.example SERVFAIL
2.2.0.192.bl.example TIMEOUT
99.2.0.192.bl.example A 127.0.0.2
";
    let lists = lists(zone, vec![list("bl.example", &[Subject::Ip], 5.0)]);
    let listed = lists.ask(&client("192.0.2.99"), DEADLINE).await;
    assert_eq!(listed.points(), 5.0);
    for ip in ["192.0.2.1", "192.0.2.2", "192.0.2.1"] {
        let round = lists.ask(&client(ip), DEADLINE).await;
        assert_eq!((round.hits.len(), round.silent.len()), (0, 1));
        tokio::time::advance(crate::limits::LIST_FAILURE_SPACING).await;
    }
    let left_out = lists.ask(&client("192.0.2.99"), DEADLINE).await;
    assert_eq!((left_out.hits.len(), left_out.silent.len()), (0, 1));
    tokio::time::advance(crate::limits::LIST_BACK_OFF_MIN).await;
    // The first message after that has it tried, and does not wait for it.
    lists.ask(&client("192.0.2.99"), DEADLINE).await;
    while lists
        .health()
        .iter()
        .any(|(_, health)| health.trouble().is_some())
    {
        tokio::task::yield_now().await;
    }
    let again = lists.ask(&client("192.0.2.99"), DEADLINE).await;
    assert_eq!(again.points(), 5.0);
}

/// A resolver that remembers one name is no sign that the list lives.
#[tokio::test(start_paused = true)]
async fn what_is_missing_of_a_round_is_told_and_counts() {
    let zone = "
test.dbl.example A 127.0.1.2
known.example.dbl.example A 127.0.1.2
a.example.dbl.example SERVFAIL
b.example.dbl.example SERVFAIL
";
    let lists = lists(zone, vec![list("dbl.example", &[Subject::Url], 5.0)]);
    let about = |links: &[&str]| About {
        links: links.iter().map(|&link| link.to_owned()).collect(),
        ..About::default()
    };
    for _ in 0..3 {
        let asked = about(&["known.example", "a.example", "b.example"]);
        let round = lists.ask(&asked, DEADLINE).await;
        assert_eq!((round.hits.len(), round.silent.len()), (1, 1));
        assert!(
            round.silent[0].1.starts_with("2 of 3 questions"),
            "{round:?}"
        );
        tokio::time::advance(crate::limits::LIST_FAILURE_SPACING).await;
    }
    let round = lists.ask(&about(&["known.example"]), DEADLINE).await;
    assert_eq!((round.hits.len(), round.silent.len()), (0, 1));
}

/// A message that names very many domains does not keep the lists of addresses from being asked.
#[tokio::test]
async fn each_list_has_its_share_of_the_questions() {
    let zone = "
test.dbl.example A 127.0.1.2
test.dbl2.example A 127.0.1.2
2.0.0.127.bl.example A 127.0.0.2
99.2.0.192.bl.example A 127.0.0.2
99.2.0.192.dbl2.example A 127.0.0.2
";
    let all = Subject::ALL;
    let every = vec![
        list("dbl.example", &[Subject::Url, Subject::From], 5.0),
        list(
            "dbl2.example",
            &[all[4], all[3], all[2], all[1], all[0]],
            5.0,
        ),
        list("dbl3.example", &[Subject::Url, Subject::From], 5.0),
        list("bl.example", &[Subject::Ip], 5.0),
    ];
    let lists = lists(zone, every);
    let names =
        |kind: &'static str| (0..LIST_DOMAINS_MAX).map(move |n| format!("a.b.c.{kind}{n}.example"));
    let about = About {
        ip: Some("192.0.2.99".parse().unwrap()),
        links: names("link").collect(),
        from: names("from").collect(),
        ..About::default()
    };
    let round = lists.ask(&about, DEADLINE).await;
    let listed: Vec<&str> = round.hits.iter().map(|hit| &*hit.list).collect();
    assert_eq!(listed, ["dbl2", "bl"]);
    let cut = round
        .silent
        .iter()
        .filter(|(_, why)| why.contains("were not asked for"));
    assert_eq!(cut.count(), 3, "{round:?}");
}

#[test]
fn shares_leave_nothing_over_that_somebody_wants() {
    assert_eq!(share(&[1, 100, 100, 100], 250), 83);
    assert_eq!(share(&[10, 20], 250), 250);
    assert_eq!(share(&[200, 200], 250), 125);
    assert_eq!(share(&[], 250), 250);
}

#[tokio::test]
async fn how_a_list_stands_outlives_a_reload_of_its_configuration() {
    let zone = "2.0.0.127.bl.example A 127.0.0.2\n99.2.0.192.bl.example A 127.255.255.254";
    let mine = || list("bl.example", &[Subject::Ip], 5.0);
    let before = lists(zone, vec![mine()]);
    before.ask(&client("192.0.2.99"), DEADLINE).await;
    let is_left_out = |lists: &Lists| {
        lists
            .health()
            .iter()
            .any(|(_, health)| health.trouble().is_some())
    };
    assert!(is_left_out(&before));
    assert!(is_left_out(&lists(zone, vec![mine()]).taken_over(&before)));
    let mut other = mine();
    other.weight = 4.0;
    assert!(!is_left_out(&lists(zone, vec![other]).taken_over(&before)));
}

#[tokio::test]
async fn thousands_of_answers_are_one_listing() {
    let mut zone = "2.0.0.127.bl.example A 127.0.0.2\n".to_owned();
    for n in 0..10_000_u32 {
        let answer = Ipv4Addr::from(0x7f00_0002 + n);
        zone.push_str(&format!("99.2.0.192.bl.example A {answer}\n"));
    }
    let mut many = list("bl.example", &[Subject::Ip], 5.0);
    many.codes = (0..64)
        .map(|n| Code {
            answers: format!("127.0.{n}.0/24").parse().unwrap(),
            weight: Some(0.1),
            meaning: String::new(),
            is_refusal: false,
        })
        .collect();
    let round = lists(&zone, vec![many])
        .ask(&client("192.0.2.99"), DEADLINE)
        .await;
    assert_eq!(round.hits.len(), 1);
    assert_eq!(round.listed(), "192.0.2.99 (bl)");
}

#[tokio::test]
async fn a_list_without_its_test_point_serves_with_a_caveat() {
    let zone = "99.2.0.192.bl.example A 127.0.0.2\n9.9.9.9.other.example A 127.0.0.2";
    let mut other = list("other.example", &[Subject::Ip], 1.0);
    other.test_point = Some("9.9.9.9".to_owned());
    let lists = lists(zone, vec![list("bl.example", &[Subject::Ip], 5.0), other]);
    let health = lists.try_all(DEADLINE).await;
    let caveats: Vec<bool> = health
        .iter()
        .map(|(_, health)| matches!(health, ListHealth::Serving { caveat: Some(_) }))
        .collect();
    assert_eq!(caveats, [true, false]);
    let round = lists.ask(&client("192.0.2.99"), DEADLINE).await;
    assert_eq!(round.points(), 5.0);
}
