//! Web servers of every kind.

use bytes::Bytes;
use net::resolver::Resolver;

use super::*;
use crate::deliver::double::{Authority, Page, WebServer};
use crate::deliver::sts::policy::Mode;

const POLICY: &str = "version: STSv1\nmode: enforce\nmx: mx.example.net\nmax_age: 1000\n";
const PATH: &str = "/.well-known/mta-sts.txt";

fn page(content: impl Into<Bytes>) -> Page {
    Page {
        status: 200,
        media_type: "text/plain",
        content: content.into(),
    }
}

fn https(authority: &Authority) -> Https {
    let resolver = Resolver::zone("mta-sts.example.net A 127.0.0.1").unwrap();
    Https::new(resolver, authority.roots().connector())
}

#[tokio::test]
async fn a_policy_is_fetched() {
    let authority = Authority::new();
    let server = WebServer::start(authority.issue("mta-sts.example.net").acceptor).await;
    server.serve(PATH, page(POLICY));
    let policy = fetch(&https(&authority), "example.net", server.address.port()).await;
    assert_eq!(policy.unwrap().mode, Mode::Enforce);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn each_fault_has_its_kind() {
    let authority = Authority::new();
    let server = WebServer::start(authority.issue("mta-sts.example.net").acceptor).await;
    let port = server.address.port();
    let cases = [
        (
            Page {
                status: 404,
                ..page(POLICY)
            },
            FetchFault::Fetch,
            "404",
        ),
        (
            Page {
                status: 301,
                ..page(POLICY)
            },
            FetchFault::Fetch,
            "301",
        ),
        (
            Page {
                media_type: "text/html",
                ..page(POLICY)
            },
            FetchFault::Invalid,
            "text/html",
        ),
        (page("hello"), FetchFault::Invalid, "no field"),
        (page(&[0xff, 0xfe][..]), FetchFault::Invalid, "UTF-8"),
        (
            page(vec![b'x'; POLICY_BYTES_MAX + 1]),
            FetchFault::Fetch,
            "larger",
        ),
    ];
    for (page, kind, words) in cases {
        server.serve(PATH, page);
        let error = fetch(&https(&authority), "example.net", port)
            .await
            .unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let media_type = "text/plain; charset=utf-8";
    server.serve(
        PATH,
        Page {
            media_type,
            ..page(POLICY)
        },
    );
    fetch(&https(&authority), "example.net", port)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_web_server_must_prove_itself() {
    let authority = Authority::new();
    for acceptor in [
        authority.issue("www.example.net").acceptor,
        authority.issue_until("mta-sts.example.net", 2002).acceptor,
        Authority::new().issue("mta-sts.example.net").acceptor,
    ] {
        let server = WebServer::start(acceptor).await;
        server.serve(PATH, page(POLICY));
        let fetched = fetch(&https(&authority), "example.net", server.address.port()).await;
        assert_eq!(fetched.unwrap_err().kind, FetchFault::WebPki);
        assert_eq!(server.requests(), []);
    }
}

#[tokio::test]
async fn no_web_server_is_no_policy() {
    let authority = Authority::new();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    for domain in ["example.net", "example.org"] {
        let error = fetch(&https(&authority), domain, closed).await.unwrap_err();
        assert_eq!(error.kind, FetchFault::Fetch, "{error}");
    }
}
