//! Which policy holds, as records and web servers come and go.

use bytes::Bytes;

use super::*;
use crate::deliver::double::{Authority, Page, WebServer};

const PATH: &str = "/.well-known/mta-sts.txt";

struct World {
    authority: Authority,
    server: WebServer,
    policies: StsPolicies,
}

impl World {
    async fn new() -> World {
        let authority = Authority::new();
        let server = WebServer::start(authority.issue("mta-sts.example.net").acceptor).await;
        let policies = open(&authority, &server);
        World {
            authority,
            server,
            policies,
        }
    }

    fn serve(&self, mode: &str, max_age: u64) {
        let text =
            format!("version: STSv1\nmode: {mode}\nmx: mx.example.net\nmax_age: {max_age}\n");
        self.answer(200, text);
    }

    fn answer(&self, status: u16, text: String) {
        let page = Page {
            status,
            media_type: "text/plain",
            content: Bytes::from(text),
        };
        self.server.serve(PATH, page);
    }

    /// What is found while the record has this id.
    async fn find(&self, id: Option<&str>) -> Found {
        let (resolver, https) = self.surroundings(id);
        self.policies.find(&resolver, &https, "example.net").await
    }

    fn surroundings(&self, id: Option<&str>) -> (Resolver, Https) {
        let record = id.map(|id| format!("_mta-sts.example.net TXT \"v=STSv1; id={id};\""));
        let zone = format!(
            "mta-sts.example.net A 127.0.0.1\n{}",
            record.unwrap_or_default()
        );
        let resolver = Resolver::zone(&zone).unwrap();
        let https = Https::new(resolver.clone(), self.authority.roots().connector());
        (resolver, https)
    }

    fn asked(&self) -> usize {
        self.server.requests().len()
    }
}

fn open(authority: &Authority, server: &WebServer) -> StsPolicies {
    let (mut policies, damaged) = StsPolicies::open(authority.path().join("mta-sts"));
    assert_eq!(damaged, []);
    policies.port = server.address.port();
    policies
}

fn mode(found: &Found) -> Option<Mode> {
    found.policy.as_ref().map(|kept| kept.policy.mode)
}

#[tokio::test]
async fn a_policy_is_fetched_once_for_each_id() {
    let world = World::new().await;
    world.serve("enforce", 1000);
    assert_eq!(world.find(None).await.policy, None);
    assert_eq!(world.asked(), 0);
    for _ in 0..3 {
        assert_eq!(mode(&world.find(Some("1")).await), Some(Mode::Enforce));
    }
    assert_eq!(world.asked(), 1);
    world.serve("testing", 1000);
    assert_eq!(mode(&world.find(Some("1")).await), Some(Mode::Enforce));
    assert_eq!(mode(&world.find(Some("2")).await), Some(Mode::Testing));
    assert_eq!(world.asked(), 2);
}

#[tokio::test]
async fn many_messages_fetch_it_once() {
    let world = World::new().await;
    world.serve("enforce", 1000);
    let all = (0..20).map(|_| world.find(Some("1")));
    for found in futures_util::future::join_all(all).await {
        assert_eq!(mode(&found), Some(Mode::Enforce));
    }
    assert_eq!(world.asked(), 1);
    assert!(lock(&world.policies.fetching).is_empty());
}

#[tokio::test]
async fn a_policy_outlives_record_web_server_and_restart() {
    let world = World::new().await;
    world.serve("enforce", 1000);
    world.find(Some("1")).await;
    assert_eq!(mode(&world.find(None).await), Some(Mode::Enforce));
    world.answer(500, String::new());
    let found = world.find(Some("2")).await;
    assert_eq!(mode(&found), Some(Mode::Enforce));
    assert_eq!(found.failure.unwrap().kind, fetch::FetchFault::Fetch);
    let again = open(&world.authority, &world.server);
    let (resolver, https) = world.surroundings(None);
    let found = again.find(&resolver, &https, "example.net").await;
    assert_eq!(mode(&found), Some(Mode::Enforce));
}

#[tokio::test]
async fn a_web_server_that_failed_is_left_alone() {
    let world = World::new().await;
    world.answer(200, "hello".to_owned());
    for _ in 0..3 {
        let found = world.find(Some("1")).await;
        assert_eq!(found.policy, None);
        assert_eq!(found.failure.unwrap().kind, fetch::FetchFault::Invalid);
    }
    assert_eq!(world.asked(), 1);
    // A new id is a new chance.
    world.serve("enforce", 1000);
    assert_eq!(mode(&world.find(Some("2")).await), Some(Mode::Enforce));
}

#[tokio::test]
async fn none_takes_a_policy_back() {
    let world = World::new().await;
    world.serve("enforce", 1000);
    world.find(Some("1")).await;
    world.serve("none", 1000);
    assert_eq!(world.find(Some("2")).await.policy, None);
    assert_eq!(world.find(None).await.policy, None);
}

#[tokio::test]
async fn a_policy_ends_with_its_time() {
    let world = World::new().await;
    world.serve("enforce", 0);
    assert_eq!(world.find(Some("1")).await.policy, None);
    assert_eq!(world.find(None).await.policy, None);
    assert_eq!(world.policies.due(unix_seconds()), Vec::<String>::new());
    assert!(lock(&world.policies.kept).is_empty());
}

#[tokio::test]
async fn what_is_in_use_is_refreshed_in_time() {
    let world = World::new().await;
    world.serve("enforce", 1000);
    world.find(Some("1")).await;
    let now = unix_seconds();
    assert_eq!(world.policies.due(now + 400), Vec::<String>::new());
    assert_eq!(world.policies.due(now + 600), ["example.net"]);
    let age = |seconds| {
        let mut kept = lock(&world.policies.kept);
        let remembered = kept.get_mut("example.net").unwrap();
        Arc::make_mut(&mut remembered.kept).fetched = now - seconds;
    };
    age(900);
    let (resolver, https) = world.surroundings(Some("1"));
    world.policies.refresh(&resolver, &https).await;
    assert_eq!(world.asked(), 2);
    assert!(world.policies.kept("example.net").unwrap().fetched >= now);
    // A failed refresh takes nothing away.
    age(900);
    world.answer(500, String::new());
    world.policies.refresh(&resolver, &https).await;
    assert_eq!(world.asked(), 3);
    assert_eq!(mode(&world.find(None).await), Some(Mode::Enforce));
    // Nobody has sent there for long.
    lock(&world.policies.kept)
        .get_mut("example.net")
        .unwrap()
        .used = now - USED_SECONDS_MAX;
    assert_eq!(world.policies.due(now), Vec::<String>::new());
}
