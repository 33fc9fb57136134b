use futures_util::future::BoxFuture;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::double::{MESSAGE, specimen};
use crate::engine::Engine;
use crate::finding::VirusClass;

/// What a fake engine does after a delay.
#[derive(Clone, Copy)]
enum Conduct {
    Answer,
    Virus,
    Fail,
    Panic,
}

struct Fake {
    name: &'static str,
    delay: Duration,
    conduct: Conduct,
    timeouts: AtomicUsize,
    ended: Arc<AtomicUsize>,
}

struct CountDrop(Arc<AtomicUsize>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Engine for Fake {
    fn name(&self) -> &str {
        self.name
    }

    fn examine(&self, _: Arc<Specimen>) -> BoxFuture<'_, Result<Finding, Unavailable>> {
        let guard = CountDrop(Arc::clone(&self.ended));
        Box::pin(async move {
            let _guard = guard;
            tokio::time::sleep(self.delay).await;
            match self.conduct {
                Conduct::Answer => Ok(Finding::new(self.name)),
                Conduct::Virus => Ok(Finding {
                    virus: Some(VirusClass::Virus),
                    ..Finding::new(self.name)
                }),
                Conduct::Fail => Err(Unavailable::new(UnavailableCause::Refused, "no")),
                Conduct::Panic => panic!("a fault of the engine's own"),
            }
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, Unavailable>> {
        Box::pin(async { Ok(String::new()) })
    }

    fn timed_out(&self) {
        self.timeouts.fetch_add(1, Ordering::SeqCst);
    }
}

fn fake(name: &'static str, milliseconds: u64, conduct: Conduct) -> Arc<Fake> {
    Arc::new(Fake {
        name,
        delay: Duration::from_millis(milliseconds),
        conduct,
        timeouts: AtomicUsize::new(0),
        ended: Arc::default(),
    })
}

fn armed(fakes: &[Arc<Fake>]) -> Vec<Armed> {
    let arm = |fake: &Arc<Fake>| Armed::new(Arc::clone(fake) as Arc<dyn Engine>);
    fakes.iter().map(arm).collect()
}

const DEADLINE: Duration = Duration::from_secs(30);

fn summary(findings: &[Finding]) -> Vec<(&str, Option<UnavailableCause>, bool)> {
    let row = |finding: &'_ Finding| finding.unavailable.as_ref().map(|why| why.cause);
    findings
        .iter()
        .map(|finding| (finding.engine.as_str(), row(finding), finding.not_awaited))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn all_engines_run_at_once_and_findings_keep_their_order() {
    let fakes = [
        fake("slow", 3000, Conduct::Answer),
        fake("quick", 1000, Conduct::Answer),
        fake("middle", 2000, Conduct::Fail),
    ];
    let mut seen = Vec::new();
    let started = Instant::now();
    let findings = scan(
        &armed(&fakes),
        specimen(MESSAGE),
        DEADLINE,
        &mut |findings| {
            seen.push(
                findings
                    .iter()
                    .map(|finding| finding.engine.clone())
                    .collect::<Vec<_>>()
                    .join(" "),
            );
            false
        },
    )
    .await;
    assert_eq!(started.elapsed(), Duration::from_secs(3));
    assert_eq!(seen, ["quick", "quick middle", "slow quick middle"]);
    assert_eq!(
        summary(&findings),
        [
            ("slow", None, false),
            ("quick", None, false),
            ("middle", Some(UnavailableCause::Refused), false)
        ]
    );
    let milliseconds: Vec<f32> = findings
        .iter()
        .map(|finding| finding.milliseconds)
        .collect();
    assert_eq!(milliseconds, [3000.0, 1000.0, 2000.0]);
}

#[tokio::test(start_paused = true)]
async fn the_wave_ends_when_the_verdict_is_certain() {
    let fakes = [
        fake("slow", 5000, Conduct::Answer),
        fake("virus", 1000, Conduct::Virus),
        fake("late", 9000, Conduct::Answer),
    ];
    let started = Instant::now();
    let certain = &mut |findings: &[Finding]| {
        findings
            .iter()
            .any(|finding| finding.virus == Some(VirusClass::Virus))
    };
    let findings = scan(&armed(&fakes), specimen(MESSAGE), DEADLINE, certain).await;
    assert_eq!(started.elapsed(), Duration::from_secs(1));
    assert_eq!(
        summary(&findings),
        [
            ("slow", None, true),
            ("virus", None, false),
            ("late", None, true)
        ]
    );
    tokio::task::yield_now().await;
    for fake in &fakes {
        assert_eq!(
            fake.ended.load(Ordering::SeqCst),
            1,
            "{} was left running",
            fake.name
        );
        assert_eq!(
            fake.timeouts.load(Ordering::SeqCst),
            0,
            "an early end is no fault of {}",
            fake.name
        );
    }
}

#[tokio::test(start_paused = true)]
async fn each_engine_has_its_deadline_and_the_wave_one() {
    let fakes = [
        fake("a", 60_000, Conduct::Answer),
        fake("b", 60_000, Conduct::Answer),
        fake("c", 100, Conduct::Answer),
    ];
    let mut engines = armed(&fakes);
    engines[0].deadline = Duration::from_secs(2);
    engines[1].deadline = Duration::from_secs(50);
    let started = Instant::now();
    let findings = scan(
        &engines,
        specimen(MESSAGE),
        Duration::from_secs(7),
        &mut |_| false,
    )
    .await;
    assert_eq!(started.elapsed(), Duration::from_secs(7));
    let timeout = Some(UnavailableCause::Timeout);
    assert_eq!(
        summary(&findings),
        [
            ("a", timeout, false),
            ("b", timeout, false),
            ("c", None, false)
        ]
    );
    assert_eq!(
        findings[0].unavailable.as_ref().unwrap().detail,
        "no answer within 2 s"
    );
    let timeouts: Vec<usize> = fakes
        .iter()
        .map(|fake| fake.timeouts.load(Ordering::SeqCst))
        .collect();
    assert_eq!(timeouts, [1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_finding() {
    let fakes = [
        fake("faulty", 10, Conduct::Panic),
        fake("sound", 20, Conduct::Answer),
    ];
    let findings = scan(&armed(&fakes), specimen(MESSAGE), DEADLINE, &mut |_| false).await;
    assert_eq!(
        summary(&findings),
        [
            ("faulty", Some(UnavailableCause::Panic), false),
            ("sound", None, false)
        ]
    );
}

#[tokio::test]
async fn without_engines_there_is_nothing_to_wait_for() {
    let findings = scan(&[], specimen(MESSAGE), Duration::ZERO, &mut |_| {
        panic!("nothing was found")
    })
    .await;
    assert_eq!(findings, []);
}

/// An engine that never gives its thread back.
struct Blocking(std::sync::Mutex<std::sync::mpsc::Receiver<()>>);

impl Engine for Blocking {
    fn name(&self) -> &'static str {
        "blocking"
    }

    fn examine(&self, _: Arc<Specimen>) -> BoxFuture<'_, Result<Finding, Unavailable>> {
        Box::pin(async {
            let _ = self.0.lock().unwrap().recv();
            Ok(Finding::new("blocking"))
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, Unavailable>> {
        Box::pin(async { Ok(String::new()) })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_blocks_its_thread_holds_up_nobody() {
    let (release, blocked) = std::sync::mpsc::channel();
    let engine = Armed {
        engine: Arc::new(Blocking(blocked.into())),
        deadline: Duration::from_millis(50),
    };
    let findings = scan(&[engine], specimen(MESSAGE), DEADLINE, &mut |_| false).await;
    assert_eq!(
        summary(&findings),
        [("blocking", Some(UnavailableCause::Timeout), false)]
    );
    drop(release);
}
