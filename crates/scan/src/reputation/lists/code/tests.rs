use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

fn list(codes: &[(&str, f32)]) -> List {
    let code = |(answers, weight): &(&str, f32)| Code {
        answers: answers.parse().unwrap(),
        weight: Some(*weight),
        meaning: format!("code {answers}"),
        is_refusal: false,
    };
    List {
        name: "test".to_owned(),
        zone: "bl.example".to_owned(),
        asked_about: Vec::new(),
        codes: codes.iter().map(code).collect(),
        weight: 5.0,
        test_point: None,
    }
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

/// `listed 127.0.0.2 code 127.0.0.2`, `not listed`, `refusal ...`
fn told(list: &List, answers: &[&str]) -> String {
    let answers: Vec<Ipv4Addr> = answers.iter().map(|text| ip(text)).collect();
    match read(list, &answers) {
        Reading::Listed { answer, code } => {
            format!("{answer} {}", code.map_or("-", |code| &code.meaning))
        }
        Reading::NotListed => "not listed".to_owned(),
        Reading::Refusal(why) => why,
    }
}

#[test]
fn without_codes_each_answer_is_a_listing_but_those_that_never_are() {
    let list = list(&[]);
    assert_eq!(told(&list, &["127.0.0.2"]), "127.0.0.2 -");
    assert_eq!(told(&list, &["127.0.1.255"]), "127.0.1.255 -");
    for (answer, words) in [
        ("127.255.255.252", "may not be asked"),
        ("127.255.255.254", "may not be asked"),
        ("127.255.255.255", "may not be asked"),
        ("127.0.0.1", "no listing"),
        ("192.0.2.1", "outside 127.0.0.0/8"),
        ("0.0.0.0", "outside 127.0.0.0/8"),
    ] {
        let told = told(&list, &[answer]);
        assert!(told.contains(words), "{answer}: {told}");
    }
}

#[test]
fn one_answer_that_is_no_listing_spoils_the_others() {
    let list = list(&[("127.0.0.2", 5.0)]);
    assert!(told(&list, &["127.0.0.2", "203.0.113.9"]).contains("outside"));
    assert!(told(&list, &["127.0.0.2", "127.255.255.254"]).contains("may not be asked"));
}

#[test]
fn the_gravest_code_counts() {
    let list = list(&[
        ("127.0.0.2", 5.0),
        ("127.0.0.4-127.0.0.7", 6.0),
        ("127.0.0.10/31", 3.0),
    ]);
    assert_eq!(told(&list, &["127.0.0.2"]), "127.0.0.2 code 127.0.0.2");
    let both = ["127.0.0.2", "127.0.0.4", "127.0.0.10"];
    assert_eq!(told(&list, &both), "127.0.0.4 code 127.0.0.4-127.0.0.7");
    assert_eq!(
        told(&list, &["127.0.0.11"]),
        "127.0.0.11 code 127.0.0.10/31"
    );
    assert_eq!(told(&list, &["127.0.0.8"]), "not listed");
}

#[test]
fn bits_of_one_answer_are_several_lists() {
    let list = list(&[("&2", 1.0), ("&8", 4.0), ("&64", 2.0)]);
    assert_eq!(told(&list, &["127.0.0.2"]), "127.0.0.2 code &2");
    assert_eq!(told(&list, &["127.0.0.74"]), "127.0.0.74 code &8");
    assert_eq!(told(&list, &["127.0.0.4"]), "not listed");
}

#[test]
fn a_code_may_be_a_refusal_or_give_127_0_0_1_a_meaning() {
    let mut list = list(&[("127.0.0.1", 2.0), ("127.0.0.255", 0.0)]);
    assert_eq!(told(&list, &["127.0.0.1"]), "127.0.0.1 code 127.0.0.1");
    let last = list.codes.last_mut().unwrap();
    last.is_refusal = true;
    last.meaning = "too many questions".to_owned();
    assert_eq!(
        told(&list, &["127.0.0.255"]),
        "answers 127.0.0.255: too many questions"
    );
    // In whatever order the codes are written.
    list.codes.insert(0, list.codes[0].clone());
    list.codes[0].answers = "&1".parse().unwrap();
    assert_eq!(
        told(&list, &["127.0.0.255"]),
        "answers 127.0.0.255: too many questions"
    );
}

#[test]
fn what_names_no_answers_is_an_error() {
    for text in [
        "",
        "127.0.0",
        "192.0.2.1",
        "127.0.0.9-127.0.0.2",
        "127.0.0.2-128.0.0.1",
        "127.0.0.1/24",
        "127.0.0.0/7",
        "127.0.0.0/33",
        "&0",
        "&256",
        "&",
    ] {
        assert_eq!(text.parse::<Answers>(), Err(AnswersError), "{text}");
    }
}

proptest! {
    #[test]
    fn answers_are_written_as_they_are_read(first: [u8; 3], last: [u8; 3], bits in 1..=u8::MAX) {
        let mut ends = [first, last].map(|[b, c, d]| Ipv4Addr::new(127, b, c, d));
        ends.sort_unstable();
        let [first, last] = ends;
        for answers in [Answers::Range(first, last), Answers::Bits(bits)] {
            prop_assert_eq!(answers.to_string().parse(), Ok(answers));
        }
    }

    #[test]
    fn nothing_outside_of_127_is_ever_listed(answers: Vec<u32>, with_codes: bool) {
        let list = if with_codes { list(&[("127.0.0.0/8", 1.0), ("&1", 2.0)]) } else { list(&[]) };
        let answers: Vec<Ipv4Addr> = answers.into_iter().map(Ipv4Addr::from).collect();
        if let Reading::Listed { answer, .. } = read(&list, &answers) {
            prop_assert!(answers.iter().all(Ipv4Addr::is_loopback));
            prop_assert!(!answer.to_string().starts_with("127.255.255."));
        }
    }

    #[test]
    fn any_text_is_answers_or_not(text: String) {
        if let Ok(answers) = text.parse::<Answers>() {
            prop_assert_eq!(answers.to_string().parse(), Ok(answers));
        }
    }
}
