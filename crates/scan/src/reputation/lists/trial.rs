//! The test points of a list (RFC 5782 section 5): 127.0.0.2 and the domain `test` are listed, 127.0.0.1 and `invalid` are not.
//!
//! A list that lists the latter lists everything, as the zone of one that was given up may; one that does not list the former
//! may be dead, or never have heard of the RFC: it serves, and that is told.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use futures_util::future::join_all;
use net::resolver::{DnsError, Resolver};

use super::standing::Outcome;
use super::{List, Subject, code, look_up, question};

/// A name that a list has to list, or must not.
struct Point {
    label: String,
    shown: String,
}

/// What is known of one test point.
enum Found {
    Listed,
    NotListed,
    Refusal(String),
    Silent(String),
}

/// Looks at the test points of a list.
pub(super) async fn run(resolver: &Resolver, list: &List, deadline: Duration) -> Outcome {
    let (listed, unlisted) = points(list);
    let (listed, unlisted) = tokio::join!(
        look(resolver, list, listed, deadline),
        look(resolver, list, unlisted, deadline),
    );
    let mut caveat = None;
    for (point, found) in &unlisted {
        match found {
            Found::Listed => {
                return Outcome::Wrong(format!(
                    "lists {}, which no list may (RFC 5782 section 5): it lists everything",
                    point.shown
                ));
            }
            Found::Refusal(why) => return Outcome::Wrong(why.clone()),
            Found::Silent(why) => return Outcome::Silent(why.clone()),
            Found::NotListed => {}
        }
    }
    for (point, found) in &listed {
        match found {
            Found::Listed => {}
            Found::Refusal(why) => return Outcome::Wrong(why.clone()),
            Found::Silent(why) => return Outcome::Silent(why.clone()),
            Found::NotListed => {
                caveat = Some(format!(
                    "does not list its test point {} (RFC 5782 section 5): it may be dead",
                    point.shown
                ));
            }
        }
    }
    Outcome::Passed { caveat }
}

async fn look(
    resolver: &Resolver,
    list: &List,
    points: Vec<Point>,
    deadline: Duration,
) -> Vec<(Point, Found)> {
    let look = points.into_iter().map(|point| async move {
        let name = question::under(&list.zone, &point.label);
        let found = match look_up(resolver, &name, deadline).await {
            Ok(answers) => match code::read(list, &answers) {
                code::Reading::Refusal(why) => Found::Refusal(why),
                // Codes of the operator need not know what stands for a test.
                code::Reading::Listed { .. } | code::Reading::NotListed => Found::Listed,
            },
            Err(DnsError::Temporary { detail }) => Found::Silent(detail),
            Err(_) => Found::NotListed,
        };
        (point, found)
    });
    join_all(look).await
}

/// The points that it has to list, and those that it must not.
fn points(list: &List) -> (Vec<Point>, Vec<Point>) {
    let address = |ip: IpAddr| Point {
        label: question::reversed(ip),
        shown: ip.to_string(),
    };
    let domain = |name: &str| Point {
        label: name.to_owned(),
        shown: name.to_owned(),
    };
    let (mut listed, mut unlisted) = (Vec::new(), Vec::new());
    if list.asked_about.contains(&Subject::Ip) {
        unlisted.push(address(Ipv4Addr::LOCALHOST.into()));
        if list.test_point.is_none() {
            listed.push(address(Ipv4Addr::new(127, 0, 0, 2).into()));
        }
    }
    if list
        .asked_about
        .iter()
        .any(|subject| *subject != Subject::Ip)
    {
        unlisted.push(domain("invalid"));
        if list.test_point.is_none() {
            listed.push(domain("test"));
        }
    }
    if let Some(point) = &list.test_point {
        listed.push(match point.parse::<IpAddr>() {
            Ok(ip) => address(ip),
            Err(_) => domain(point),
        });
    }
    (listed, unlisted)
}
