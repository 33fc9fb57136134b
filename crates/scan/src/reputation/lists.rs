//! Lists in the DNS, of those whom one should not hear (DNSBL) and of those whom one may (DNSWL): RFC 5782.
//!
//! A list is data: its zone, what it is asked about, and what its answers weigh. All lists are asked at once, within a
//! deadline. A list that fails, or lists what none may list, is left out and said to be (`standing`, `trial`); an answer
//! that is no listing never counts as one (`code`).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use net::resolver::{DnsError, Resolver};
use tokio::time::{Instant, timeout};

mod code;
mod question;
mod standing;
mod trial;

pub use code::{Answers, AnswersError, Code};
pub use question::{About, Subject};
pub use standing::ListHealth;

use crate::limits::LIST_QUESTIONS_MAX;
use question::Question;
use standing::{Admission, Standing};

/// One list.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// Its name in events, symbols and metrics.
    pub name: String,
    /// The domain under which it answers.
    pub zone: String,
    /// What it is asked about.
    pub asked_about: Vec<Subject>,
    /// What its answers mean; the first that matches an answer counts. Without any, each answer in 127.0.0.0/8 that is no
    /// refusal is a listing.
    pub codes: Vec<Code>,
    /// What a listing weighs where its code does not say, in points; negative for a list of those to be trusted.
    pub weight: f32,
    /// An address or a domain that it lists for tests, where it is not that of RFC 5782 section 5.
    pub test_point: Option<String>,
}

/// A listing.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The list.
    pub list: Arc<str>,
    /// As what the listed one came.
    pub subject: Subject,
    /// Who is listed: an address or a domain.
    pub who: String,
    /// The list's answer.
    pub answer: Ipv4Addr,
    /// What the answer means, in the operator's words; empty if they did not say.
    pub meaning: String,
    /// What it weighs, in points.
    pub weight: f32,
}

/// What the lists said of one message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Round {
    /// Every listing.
    pub hits: Vec<Hit>,
    /// Lists whose word is missing, each with the reason.
    pub silent: Vec<(Arc<str>, String)>,
}

/// Told when a list is left out or taken in again. It is called on the path of a message: it must not block.
pub type ListObserver = Arc<dyn Fn(&str, &ListHealth) + Send + Sync>;

/// All lists of a node.
#[derive(Clone)]
pub struct Lists {
    lists: Arc<[Arc<Kept>]>,
    resolver: Resolver,
    observer: Option<ListObserver>,
}

/// A list and how it stands.
struct Kept {
    list: List,
    name: Arc<str>,
    standing: Mutex<Standing>,
    /// Held while the list is tried for the first time.
    first_trial: tokio::sync::Mutex<()>,
}

/// What one list said of a message.
#[derive(Default)]
struct Answer {
    hits: Vec<Hit>,
    /// Why its word, or part of it, is missing.
    missing: Option<String>,
}

/// What became of one question.
enum Told {
    Hit(Hit),
    NotListed,
    /// It answered what is no listing: that it may not be asked, or nonsense.
    Refusal(String),
    Failure(String),
}

impl Round {
    /// The points of all lists. Of one list only the gravest listing counts: several codes of one zone are one voice.
    pub fn points(&self) -> f32 {
        let mut points: Vec<(&str, f32)> = Vec::new();
        for hit in &self.hits {
            match points.iter_mut().find(|(list, _)| *list == &*hit.list) {
                Some((_, known)) if hit.weight.abs() > known.abs() => *known = hit.weight,
                Some(_) => {}
                None => points.push((&hit.list, hit.weight)),
            }
        }
        points.iter().map(|(_, weight)| weight).sum()
    }

    /// Who is listed as a source of spam, and by which lists: `192.0.2.7 (bl, other)`; empty if nobody is.
    pub fn listed(&self) -> String {
        let hits = self.hits.iter().filter(|hit| hit.weight > 0.0);
        let listings: Vec<(&str, &str)> = hits.map(|hit| (&*hit.who, &*hit.list)).collect();
        gathered(&listings)
    }
}

/// Listings by whom they are of.
pub(super) fn gathered(listings: &[(&str, &str)]) -> String {
    let mut lists_of: Vec<(&str, Vec<&str>)> = Vec::new();
    for (who, list) in listings {
        match lists_of.iter_mut().find(|(known, _)| known == who) {
            Some((_, lists)) if lists.contains(list) => {}
            Some((_, lists)) => lists.push(list),
            None => lists_of.push((who, vec![list])),
        }
    }
    let each = lists_of.iter();
    let each: Vec<String> = each
        .map(|(who, lists)| format!("{who} ({})", lists.join(", ")))
        .collect();
    each.join(", ")
}

impl Lists {
    /// These lists, asked by way of `resolver`.
    pub fn new(lists: Vec<List>, resolver: Resolver, observer: Option<ListObserver>) -> Lists {
        let keep = |list: List| {
            Arc::new(Kept {
                name: Arc::from(list.name.as_str()),
                list,
                standing: Mutex::default(),
                first_trial: tokio::sync::Mutex::default(),
            })
        };
        Lists {
            lists: lists.into_iter().map(keep).collect(),
            resolver,
            observer,
        }
    }

    /// The same, with what `previous` knows of those that are set up as they were: how they stand does not change because a
    /// configuration is read again.
    #[must_use]
    pub fn taken_over(self, previous: &Lists) -> Lists {
        let keep = |kept: &Arc<Kept>| {
            let before = previous
                .lists
                .iter()
                .find(|before| before.list == kept.list);
            Arc::clone(before.unwrap_or(kept))
        };
        Lists {
            lists: self.lists.iter().map(keep).collect(),
            ..self
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// Whether any list is asked about this.
    pub fn want(&self, subject: Subject) -> bool {
        let mut lists = self.lists.iter();
        lists.any(|kept| kept.list.asked_about.contains(&subject))
    }

    /// Asks all lists about a message and its client; whoever has not answered within `deadline` is silent.
    pub async fn ask(&self, about: &About, deadline: Duration) -> Round {
        let lists = self.lists.iter();
        let wanted = lists.map(|kept| (kept, question::questions(&kept.list, about)));
        let wanted: Vec<(&Arc<Kept>, Vec<Question>)> = wanted
            .filter(|(_, questions)| !questions.is_empty())
            .collect();
        let mut round = Round::default();
        let counts: Vec<usize> = wanted
            .iter()
            .map(|(_, questions)| questions.len())
            .collect();
        let share = share(&counts, LIST_QUESTIONS_MAX);
        let asked = wanted.into_iter().map(|(kept, mut questions)| {
            let left_out = questions.len().saturating_sub(share);
            if left_out > 0 {
                let why =
                    format!("{left_out} names of this message were not asked for: it has too many");
                round.silent.push((Arc::clone(&kept.name), why));
            }
            questions.truncate(share);
            self.ask_one(kept, questions, deadline)
        });
        let asked: Vec<_> = asked.collect();
        for (name, answer) in join_all(asked).await {
            round.hits.extend(answer.hits);
            round.silent.extend(answer.missing.map(|why| (name, why)));
        }
        round
    }

    /// How each list stands, in the order of the configuration.
    pub fn health(&self) -> Vec<(Arc<str>, ListHealth)> {
        let health = |kept: &Arc<Kept>| (Arc::clone(&kept.name), kept.lock().health());
        self.lists.iter().map(health).collect()
    }

    /// Looks at the test points of every list now, and tells how each stands.
    pub async fn try_all(&self, deadline: Duration) -> Vec<(Arc<str>, ListHealth)> {
        let trials = self.lists.iter().map(|kept| self.run_trial(kept, deadline));
        join_all(trials).await;
        self.health()
    }

    async fn ask_one(
        &self,
        kept: &Arc<Kept>,
        questions: Vec<Question>,
        deadline: Duration,
    ) -> (Arc<str>, Answer) {
        let name = Arc::clone(&kept.name);
        let until = Instant::now() + deadline;
        let admission = kept.lock().admit(Instant::now());
        match admission {
            Admission::Ask { trial_due: false } => {}
            Admission::Ask { trial_due: true } => self.try_in_background(kept, deadline),
            // Nothing it says counts before it has been found to be a list.
            Admission::AfterTrial => {
                if let Err(why) = self.first_trial(kept, deadline).await {
                    return (name, Answer::missing(why));
                }
            }
            Admission::Leave { why, trial_due } => {
                if trial_due {
                    self.try_in_background(kept, deadline);
                }
                return (name, Answer::missing(why));
            }
        }
        let left = until.saturating_duration_since(Instant::now());
        (name, self.put(kept, &questions, left).await)
    }

    /// Waits for the first trial of a list, which one message runs for all that come meanwhile.
    async fn first_trial(&self, kept: &Kept, deadline: Duration) -> Result<(), String> {
        let trying = async {
            let _alone = kept.first_trial.lock().await;
            if kept.lock().health() == ListHealth::Untried {
                self.run_trial(kept, deadline).await;
            }
        };
        let in_time = timeout(deadline, trying).await.is_ok();
        let health = kept.lock().health();
        match health.trouble() {
            Some(why) => Err(why),
            None if in_time => Ok(()),
            None => Err("its test points did not answer in time".to_owned()),
        }
    }

    /// Puts the questions to one list, and takes note of how it does.
    async fn put(&self, kept: &Kept, questions: &[Question], deadline: Duration) -> Answer {
        let told = questions.iter().map(|question| async move {
            let answer = look_up(&self.resolver, &question.name, deadline).await;
            kept.read(question, answer)
        });
        let mut answer = Answer::default();
        let (mut failures, mut failure) = (0, String::new());
        for told in join_all(told).await {
            match told {
                Told::Hit(hit) => answer.hits.push(hit),
                Told::NotListed => {}
                Told::Refusal(why) => {
                    self.note(kept, |standing, now| standing.refused(&why, now));
                    return Answer::missing(why);
                }
                Told::Failure(why) => {
                    failures += 1;
                    failure = why;
                }
            }
        }
        let asked = questions.len();
        if failures > 0 && failures < asked {
            failure = format!("{failures} of {asked} questions: {failure}");
        }
        // What the resolver still remembers is no sign of life.
        if 2 * failures > asked {
            self.note(kept, |standing, now| standing.failed(&failure, now));
        } else if failures == 0 {
            kept.lock().answered();
        }
        answer.missing = (failures > 0).then_some(failure);
        answer
    }

    fn try_in_background(&self, kept: &Arc<Kept>, deadline: Duration) {
        let (lists, kept) = (self.clone(), Arc::clone(kept));
        tokio::spawn(async move { lists.run_trial(&kept, deadline).await });
    }

    async fn run_trial(&self, kept: &Kept, deadline: Duration) {
        let outcome = trial::run(&self.resolver, &kept.list, deadline).await;
        self.note(kept, |standing, now| standing.tried(outcome, now));
    }

    /// Changes how a list stands, and tells the observer if that is news.
    fn note(&self, kept: &Kept, change: impl FnOnce(&mut Standing, Instant) -> Option<ListHealth>) {
        let news = change(&mut kept.lock(), Instant::now());
        if let (Some(observer), Some(health)) = (&self.observer, news) {
            observer(&kept.name, &health);
        }
    }
}

/// How many questions each list may have, so that all together have no more than `most`: who wants fewer leaves them to others.
fn share(wanted: &[usize], most: usize) -> usize {
    let mut wanted = wanted.to_vec();
    wanted.sort_unstable();
    let mut left = most;
    for (index, count) in wanted.iter().enumerate() {
        let each = left / (wanted.len() - index);
        if *count > each {
            return each;
        }
        left -= count;
    }
    most
}

impl Answer {
    fn missing(why: String) -> Answer {
        Answer {
            hits: Vec::new(),
            missing: Some(why),
        }
    }
}

impl Kept {
    fn lock(&self) -> std::sync::MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, question: &Question, answer: Result<Vec<Ipv4Addr>, DnsError>) -> Told {
        let answers = match answer {
            Ok(answers) => answers,
            Err(error) if error.is_absence() => return Told::NotListed,
            Err(error) => return Told::Failure(error.to_string()),
        };
        match code::read(&self.list, &answers) {
            code::Reading::Listed { answer, code } => Told::Hit(Hit {
                list: Arc::clone(&self.name),
                subject: question.subject,
                who: question.who.clone(),
                answer,
                meaning: code.map_or_else(String::new, |code| code.meaning.clone()),
                weight: code
                    .and_then(|code| code.weight)
                    .unwrap_or(self.list.weight),
            }),
            code::Reading::NotListed => Told::NotListed,
            code::Reading::Refusal(why) => Told::Refusal(why),
        }
    }
}

/// The answer by which the owner of a name is listed, where these answers are listings.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn reading_of(codes: &[Answers], answers: &[Ipv4Addr]) -> Option<Ipv4Addr> {
    let code = |answers: &Answers| Code {
        answers: *answers,
        weight: None,
        meaning: String::new(),
        is_refusal: false,
    };
    let list = List {
        name: String::new(),
        zone: String::new(),
        asked_about: Vec::new(),
        codes: codes.iter().map(code).collect(),
        weight: 1.0,
        test_point: None,
    };
    match code::read(&list, answers) {
        code::Reading::Listed { answer, .. } => Some(answer),
        code::Reading::NotListed | code::Reading::Refusal(_) => None,
    }
}

/// The names that a list would be asked for.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn names_asked(list: &List, about: &About) -> Vec<String> {
    let questions = question::questions(list, about).into_iter();
    questions.map(|question| question.name).collect()
}

/// What a list answers.
async fn look_up(
    resolver: &Resolver,
    name: &str,
    deadline: Duration,
) -> Result<Vec<Ipv4Addr>, DnsError> {
    let answered = timeout(deadline, resolver.ipv4(name)).await;
    let answered = answered.unwrap_or_else(|_| {
        Err(DnsError::Temporary {
            detail: "no answer in time".to_owned(),
        })
    })?;
    let ips = answered.value.into_iter().filter_map(|ip| match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    });
    Ok(ips.collect())
}

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.lists.iter().map(|kept| &kept.name);
        f.debug_list().entries(names).finish()
    }
}

#[cfg(test)]
mod tests;
