//! Sockets on loopback, the words of their errors, and a child that is started as systemd would
//! start it.

use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn any_port(ip: &str) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), 0)
}

#[tokio::test]
async fn listens_and_connects() {
    let listener = bind(any_port("127.0.0.1"), 16).unwrap();
    let address = listener.local_addr().unwrap();
    let stream = connect(address, Some("127.0.0.2".parse().unwrap()), SECOND)
        .await
        .unwrap();
    let (accepted, peer) = listener.accept().await.unwrap();
    assert_eq!(peer.ip().to_string(), "127.0.0.2");
    assert!(stream.nodelay().unwrap());
    assert!(accepted.nodelay().unwrap());
}

#[tokio::test]
async fn both_families_share_a_port() {
    let ipv6 = match bind(any_port("::"), 16) {
        Ok(listener) => listener,
        // A machine without IPv6 (many containers) cannot show this, but it can show the error.
        Err(error) => {
            assert!(
                error.to_string().starts_with("cannot listen on [::]:0: "),
                "{error}"
            );
            return;
        }
    };
    let port = ipv6.local_addr().unwrap().port();
    bind(SocketAddr::new("0.0.0.0".parse().unwrap(), port), 16).unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let listener = bind(any_port("127.0.0.1"), 16).unwrap();
    let address = listener.local_addr().unwrap();
    let error = bind(address, 16).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {address}: Address already in use")
    );
}

#[tokio::test]
async fn a_restart_takes_the_address_over() {
    let listener = bind(any_port("127.0.0.1"), 16).unwrap();
    let address = listener.local_addr().unwrap();
    let client = connect(address, None, SECOND).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    drop((listener, server, client));
    bind(address, 16).unwrap();
}

#[tokio::test]
async fn a_refusal_is_told_from_an_unreachable_network() {
    let listener = bind(any_port("127.0.0.1"), 16).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = connect(address, None, SECOND).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(
        error.to_string(),
        format!("cannot connect to {address}: Connection refused")
    );
    assert!(!is_unreachable(&error));
}

#[test]
fn no_route_keeps_its_kind_and_words() {
    let system = io::Error::from_raw_os_error(libc::EHOSTUNREACH);
    let error = failure("connect to", "[2001:db8::1]:25".to_owned(), system);
    assert_eq!(
        error.to_string(),
        "cannot connect to [2001:db8::1]:25: No route to host"
    );
    assert_eq!(error.kind(), io::ErrorKind::HostUnreachable);
    assert!(is_unreachable(&error));
    assert!(is_unreachable(&without_family(
        io::Error::from_raw_os_error(libc::EAFNOSUPPORT)
    )));
    assert!(!is_unreachable(&without_family(
        io::Error::from_raw_os_error(libc::EMFILE)
    )));
}

#[tokio::test]
async fn a_source_of_the_other_family_is_a_mistake() {
    let error = connect(
        "127.0.0.1:25".parse().unwrap(),
        Some("::1".parse().unwrap()),
        SECOND,
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(
        error.to_string().contains("::1 cannot be the source"),
        "{error}"
    );
}

#[tokio::test]
async fn a_source_that_is_not_ours_moves_on_to_the_next_address() {
    let error = connect(
        any_port("127.0.0.1"),
        Some("192.0.2.1".parse().unwrap()),
        SECOND,
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    assert!(is_unreachable(&error));
}

#[tokio::test(start_paused = true)]
async fn silence_ends_in_time() {
    let error = within(SECOND, std::future::pending::<io::Result<()>>())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "no answer within 1 s");
}

#[tokio::test]
async fn unix_sockets_connect_or_say_which_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clamd.ctl");
    let error = connect_unix(&path, SECOND).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(
        error.to_string(),
        format!(
            "cannot connect to {}: No such file or directory",
            path.display()
        )
    );
    let _listener = tokio::net::UnixListener::bind(&path).unwrap();
    connect_unix(&path, SECOND).await.unwrap();
}

/// Runs `activated_child` as systemd would: sockets from descriptor 3 on, and the variables.
fn run_activated(variables: &str, sockets: [OwnedFd; 2]) -> (bool, String) {
    let [first, second] = sockets;
    let script = format!(
        "exec 3<&0 4<&1 0</dev/null 1>&2; {variables} LISTEN_PID=$$ exec \"$0\" --exact \"$1\" --ignored"
    );
    let child = Command::new("sh")
        .args(["-c", &script])
        .arg(env::current_exe().unwrap())
        .arg("socket::tests::activated_child")
        .stdin(Stdio::from(first))
        .stdout(Stdio::from(second))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.wait_with_output().unwrap();
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

fn listener() -> std::net::TcpListener {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap()
}

#[test]
fn sockets_of_systemd_come_with_their_names() {
    let (first, second) = (listener(), listener());
    let ports = [
        first.local_addr().unwrap().port(),
        second.local_addr().unwrap().port(),
    ];
    let expected = format!(
        "LISTEN_FDS=2 LISTEN_FDNAMES=inbound EXPECTED=inbound:{},unknown:{}",
        ports[0], ports[1]
    );
    let (success, output) = run_activated(&expected, [first.into(), second.into()]);
    assert!(success, "{output}");
}

#[test]
fn a_socket_of_systemd_that_is_no_tcp_socket_is_named() {
    let (unix, _) = std::os::unix::net::UnixStream::pair().unwrap();
    let expected =
        "LISTEN_FDS=2 LISTEN_FDNAMES=inbound:control EXPECTED='cannot take over socket control'";
    let (success, output) = run_activated(expected, [listener().into(), unix.into()]);
    assert!(success, "{output}");
}

/// Not a test by itself: what `run_activated` starts.
#[test]
#[ignore = "started by the tests above, with sockets to take over"]
fn activated_child() {
    let expected = env::var("EXPECTED").unwrap();
    let found = match activated() {
        Ok(listeners) => {
            let texts = listeners.iter().map(|(name, listener)| {
                format!("{name}:{}", listener.local_addr().unwrap().port())
            });
            texts.collect::<Vec<_>>().join(",")
        }
        Err(error) => error.to_string(),
    };
    assert!(
        found.starts_with(&expected),
        "{found:?} instead of {expected:?}"
    );
    assert!(activated().unwrap().is_empty(), "taken once");
}
