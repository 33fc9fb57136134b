use tokio::io::AsyncReadExt;

use super::*;

fn pair() -> (Wire, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (Wire::new(Stream::Unix(ours)), theirs)
}

async fn hearing(text: &[u8]) -> Wire {
    let (wire, mut theirs) = pair();
    theirs.write_all(text).await.unwrap();
    wire
}

#[tokio::test]
async fn lines_are_read_one_by_one() {
    let mut wire = hearing(b"one\r\ntwo\n\r\nrest").await;
    assert_eq!(wire.line().await.unwrap(), b"one");
    assert_eq!(wire.line().await.unwrap(), b"two");
    assert_eq!(wire.line().await.unwrap(), b"");
    assert_eq!(
        wire.line().await.unwrap_err().cause,
        UnavailableCause::Connect
    );
}

#[tokio::test]
async fn lines_up_to_an_empty_one_are_read_together() {
    let mut wire = hearing(b"a\nb\r\n\r\nrest").await;
    assert_eq!(wire.lines_to_empty(100).await.unwrap(), b"a\r\nb\r\n\r\n");
    assert_eq!(wire.rest(None, 100).await.unwrap(), b"rest");
}

#[tokio::test]
async fn what_exceeds_its_bound_is_refused() {
    let endless = vec![b'a'; limits::REPLY_LINE_BYTES_MAX * 2];
    assert_eq!(
        hearing(&endless).await.line().await.unwrap_err().cause,
        UnavailableCause::Protocol
    );
    assert_eq!(
        hearing(b"a\nb\nc\n\n")
            .await
            .lines_to_empty(5)
            .await
            .unwrap_err()
            .cause,
        UnavailableCause::Protocol
    );
    assert_eq!(
        hearing(&endless)
            .await
            .rest(None, 100)
            .await
            .unwrap_err()
            .cause,
        UnavailableCause::Protocol
    );
    assert_eq!(
        hearing(b"abc")
            .await
            .rest(Some(101), 100)
            .await
            .unwrap_err()
            .cause,
        UnavailableCause::Protocol
    );
}

#[tokio::test]
async fn a_length_is_kept_to() {
    let mut wire = hearing(b"abcdef").await;
    assert_eq!(wire.rest(Some(3), 100).await.unwrap(), b"abc");
    assert_eq!(
        wire.rest(Some(4), 100).await.unwrap_err().cause,
        UnavailableCause::Connect
    );
}

#[tokio::test]
async fn a_quiet_connection_is_neither_closed_nor_spoken_on() {
    let (mut wire, theirs) = pair();
    assert!(wire.is_quiet());
    drop(theirs);
    for mut wire in [wire, hearing(b"x").await] {
        // What has happened is known once the runtime has looked at its sockets.
        while wire.is_quiet() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_large_message_is_sent_whole_while_the_peer_speaks() {
    let (mut wire, theirs) = pair();
    let message = vec![7; 2 * 1024 * 1024];
    let (mut reader, mut writer) = theirs.into_split();
    let peer = tokio::spawn(async move {
        writer.write_all(b"go on\n").await.unwrap();
        let mut heard = Vec::new();
        reader.read_to_end(&mut heard).await.unwrap();
        heard.len()
    });
    wire.send(&message[..]).await.unwrap();
    assert_eq!(wire.line().await.unwrap(), b"go on");
    drop(wire);
    assert_eq!(peer.await.unwrap(), message.len());
}

#[tokio::test]
async fn last_words_of_a_peer_that_closes_are_heard() {
    let (mut wire, mut theirs) = pair();
    theirs.write_all(b"too much\n").await.unwrap();
    drop(theirs);
    wire.send(&vec![7; 2 * 1024 * 1024][..]).await.unwrap();
    assert_eq!(wire.line().await.unwrap(), b"too much");

    let (mut wire, theirs) = pair();
    drop(theirs);
    assert_eq!(
        wire.send(&b"x"[..]).await.unwrap_err().cause,
        UnavailableCause::Connect
    );
    assert!(wire.is_unanswered());
}
