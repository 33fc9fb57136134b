//! A name server that knows no name, so that no test asks the network.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Answers every question with NXDOMAIN (RFC 1035 4.1.1) until dropped.
#[derive(Debug)]
pub(crate) struct NoNames {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl NoNames {
    pub(crate) fn start() -> NoNames {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        let address = socket.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        thread::spawn(move || {
            let mut query = [0; 1500];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((length, client)) = socket.recv_from(&mut query) else {
                    continue;
                };
                if let Some(answer) = denial(&query[..length]) {
                    let _ = socket.send_to(&answer, client);
                }
            }
        });
        NoNames { address, stop }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for NoNames {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The question with the header of a negative answer: QR, RA, NXDOMAIN, one question and nothing else.
fn denial(query: &[u8]) -> Option<Vec<u8>> {
    let labels = query.get(12..)?;
    let mut end = 12;
    let mut rest = labels;
    while let Some((&length, after)) = rest.split_first() {
        end += 1;
        if length == 0 {
            break;
        }
        end += usize::from(length);
        rest = after.get(usize::from(length)..)?;
    }
    let mut answer = query.get(..end + 4)?.to_vec();
    answer[2] = 0x81;
    answer[3] = 0x83;
    answer[4..12].copy_from_slice(&[0, 1, 0, 0, 0, 0, 0, 0]);
    Some(answer)
}
