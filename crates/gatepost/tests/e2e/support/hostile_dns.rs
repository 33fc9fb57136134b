//! A name server that lies and breaks off: truncated answers without TCP behind them, answers of sixty kilobytes, hundreds of
//! records, loops of aliases, silence, and garbage. What it answers depends on the first label of the name.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const CNAME: u16 = 5;
const MX: u16 = 15;

/// Answers until dropped:
///
/// | first label | answer |
/// |---|---|
/// | `silent` | none |
/// | `servfail` | SERVFAIL |
/// | `refused` | REFUSED |
/// | `truncated` | TC, and nothing listens on TCP |
/// | `oversized` | 3,000 MX records in one packet of some 60 KB |
/// | `many` | 500 MX records to names that do not exist |
/// | `loop` | an alias of `loop2`, which is an alias of `loop` |
/// | `chain` | an alias of `chain1`, and so on without an end |
/// | `garbage` | bytes without sense |
/// | `counts` | a header that promises more records than there are |
/// | `pointer` | a compressed name that points to itself |
///
/// Anything else does not exist.
#[derive(Debug)]
pub(crate) struct HostileDns {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    is_silent: Arc<AtomicBool>,
    questions: Arc<AtomicUsize>,
}

impl HostileDns {
    pub(crate) fn start() -> HostileDns {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        let address = socket.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let (is_silent, questions) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (silent, asked) = (Arc::clone(&is_silent), Arc::clone(&questions));
        thread::spawn(move || {
            let mut query = [0; 1500];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((length, client)) = socket.recv_from(&mut query) else {
                    continue;
                };
                asked.fetch_add(1, Ordering::SeqCst);
                if silent.load(Ordering::SeqCst) {
                    continue;
                }
                let question = Question::read(&query[..length]);
                if let Some(answer) = question.and_then(|question| question.answer()) {
                    let _ = socket.send_to(&answer, client);
                }
            }
        });
        HostileDns {
            address,
            stop,
            is_silent,
            questions,
        }
    }

    /// Takes every question and says nothing, or answers again.
    pub(crate) fn fall_silent(&self, is_silent: bool) {
        self.is_silent.store(is_silent, Ordering::SeqCst);
    }

    /// Questions that came.
    pub(crate) fn questions(&self) -> usize {
        self.questions.load(Ordering::SeqCst)
    }

    /// As one of `nameservers`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for HostileDns {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// RFC 1035 4.1.2, with the header before it.
struct Question {
    /// Header and question as they came, without additional records.
    bytes: Vec<u8>,
    labels: Vec<String>,
    kind: u16,
}

impl Question {
    fn read(query: &[u8]) -> Option<Question> {
        let mut rest = query.get(12..)?;
        let mut labels = Vec::new();
        let mut end = 12;
        loop {
            let (&length, after) = rest.split_first()?;
            let length = usize::from(length);
            end += 1 + length;
            if length == 0 {
                break;
            }
            labels.push(String::from_utf8_lossy(after.get(..length)?).to_lowercase());
            rest = after.get(length..)?;
        }
        let kind = u16::from_be_bytes([*query.get(end)?, *query.get(end + 1)?]);
        Some(Question {
            bytes: query.get(..end + 4)?.to_vec(),
            labels,
            kind,
        })
    }

    fn answer(&self) -> Option<Vec<u8>> {
        let first = self.labels.first().map_or("", String::as_str);
        let answer = match first {
            "silent" => return None,
            "servfail" => self.header(2, 0),
            "refused" => self.header(5, 0),
            "truncated" => {
                let mut answer = self.header(0, 0);
                answer[2] |= 0x02;
                answer
            }
            "oversized" if self.kind == MX => self.exchangers(3000),
            "many" if self.kind == MX => self.exchangers(500),
            "loop" => self.alias("loop2"),
            "loop2" => self.alias("loop"),
            "garbage" => {
                let mut answer = self.bytes[..2].to_vec();
                answer.extend((0..400).map(|_| fastrand::u8(..)));
                answer
            }
            "counts" => self.header(0, u16::MAX),
            "pointer" => self.pointer(),
            _ => match first.strip_prefix("chain") {
                Some(number) => {
                    let next = number.parse::<u32>().unwrap_or(0) + 1;
                    self.alias(&format!("chain{next}"))
                }
                None => self.header(3, 0),
            },
        };
        Some(answer)
    }

    /// The question with the header of an answer: QR, AA, RD, RA, this code and count of answers.
    fn header(&self, code: u8, answers: u16) -> Vec<u8> {
        let mut answer = self.bytes.clone();
        answer[2] = 0x85;
        answer[3] = 0x80 | code;
        answer[4..12].copy_from_slice(&[0, 1, 0, 0, 0, 0, 0, 0]);
        answer[6..8].copy_from_slice(&answers.to_be_bytes());
        answer
    }

    /// So many exchangers, each a label below the question's name.
    fn exchangers(&self, count: u16) -> Vec<u8> {
        let mut answer = self.header(0, count);
        for number in 0..count {
            let label = format!("{number:x}");
            let mut data = number.to_be_bytes().to_vec();
            data.push(u8::try_from(label.len()).unwrap());
            data.extend_from_slice(label.as_bytes());
            data.extend_from_slice(&[0xc0, 12]);
            record(&mut answer, MX, &data);
        }
        answer
    }

    /// The question's name is an alias of this label in the same domain.
    fn alias(&self, label: &str) -> Vec<u8> {
        let mut answer = self.header(0, 1);
        let mut data = vec![u8::try_from(label.len()).unwrap()];
        data.extend_from_slice(label.as_bytes());
        // RFC 1035 4.1.4: the rest is what follows the question's first label.
        let rest = 12 + 1 + u8::try_from(self.labels[0].len()).unwrap();
        data.extend_from_slice(&[0xc0, rest]);
        record(&mut answer, CNAME, &data);
        answer
    }

    fn pointer(&self) -> Vec<u8> {
        let mut answer = self.header(0, 1);
        let here = u8::try_from(answer.len()).unwrap() + 12;
        record(&mut answer, CNAME, &[0xc0, here]);
        answer
    }
}

/// A record of the question's name, valid for a minute.
fn record(answer: &mut Vec<u8>, kind: u16, data: &[u8]) {
    answer.extend_from_slice(&[0xc0, 12]);
    answer.extend_from_slice(&kind.to_be_bytes());
    answer.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
    answer.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
    answer.extend_from_slice(data);
}
