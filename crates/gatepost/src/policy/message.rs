//! The verdict on a message: the rule of two over spam and over viruses, attachments, lists, engines that are away.
//!
//! * Refused as spam: one engine is sure, or two find it likely. One likely alone never refuses.
//! * Refused as virus: one engine is sure (`virus`), or two find it likely (`high`). Nothing lifts that, no allow list.
//!   Spam and virus are two claims and are counted apart: a likely spam and a likely virus confirm neither.
//! * An allow entry lifts what would be refused by a block list, for an attachment or as spam.
//! * Refused for DMARC: the author's domain is not authenticated, its owner asks for rejection, the route follows, and
//!   nobody trusted vouches for the message. An allow entry for the client or the recipient lifts it; one for the
//!   reverse-path or the author does not, since these are what may be forged.
//! * Of several reasons the gravest is told: virus, list, attachment, DMARC, spam, policy, engine unavailable.
//! * An engine that is away and must not be gone without defers the message, unless it is refused anyway, allow list
//!   or not. If it is away because it cannot examine *this* message (too large, refused by its daemon), trying again
//!   would bring the same: the message goes on and the decision says so.

use scan::auth::facts::DmarcPolicy;
use scan::finding::{Finding, SpamClass, Unavailable, UnavailableCause, VirusClass};
use scan::reputation;

use super::{
    DmarcAction, Kind, Likelihood, List, MessageFacts, Note, OnFailure, Reason, Settings, Verdict,
    allowed, allowed_unforged, blocked, dmarc_likelihood, likelihood, likelihood::held_against,
    listed, virus_likelihood,
};

/// The verdict on a message.
pub fn message(facts: &MessageFacts, findings: &[Finding], settings: &Settings) -> Verdict {
    let tally = Tally::new(findings, settings);
    let allow = allowed(&facts.lists);
    // In the order of gravity; the policy kind has no fact of its own at this stage.
    if let Some(reason) = tally.virus() {
        return Verdict::because(reason);
    }
    if let Some(entry) = blocked(&facts.lists) {
        return Verdict::because(listed(entry));
    }
    let dmarc = tally.dmarc(settings);
    let unforged = allowed_unforged(&facts.lists);
    let attachment = tally.attachment();
    if let Some(reason) = attachment.as_ref().filter(|_| allow.is_none()) {
        return Verdict::because(reason.clone());
    }
    if let Some(reason) = dmarc.as_ref().filter(|_| unforged.is_none()) {
        return Verdict::because(reason.clone());
    }
    let spam = tally.spam();
    if let Some(reason) = spam.as_ref().filter(|_| allow.is_none()) {
        return Verdict::because(reason.clone());
    }
    let refusals = [attachment, dmarc, spam];
    if let Some(reason) = tally.engine_unavailable() {
        return Verdict::because(reason);
    }
    let mut notes = Vec::new();
    if let Some(list) = allow {
        let block = facts.lists.iter().find(|entry| entry.list == List::Block);
        let lifted = block.map(|_| Kind::List).into_iter();
        let lifted = lifted.chain(refusals.iter().flatten().map(|reason| reason.kind));
        notes.extend(lifted.map(|kind| Note::Allowed {
            kind,
            list: list.clone(),
        }));
    }
    tally.note(&mut notes);
    Verdict::Accept { notes }
}

/// Whether the verdict can no longer change for the better: what the engines in `awaited` will say need not be waited
/// for.
///
/// Any refusal is certain: findings only ever add reasons. One that is still awaited could at most change the type
/// (to virus), which is not worth the sender's time; what is released later is examined again. Being accepted or
/// deferred is certain only when nobody is awaited whose word counts.
pub fn certain(
    facts: &MessageFacts,
    findings: &[Finding],
    awaited: &[&str],
    settings: &Settings,
) -> bool {
    awaited.iter().all(|engine| !settings.rule(engine).enabled)
        || matches!(message(facts, findings, settings), Verdict::Refuse { .. })
}

/// The findings that count, each with what it means.
struct Tally<'a> {
    votes: Vec<Vote<'a>>,
}

struct Vote<'a> {
    finding: &'a Finding,
    spam: Likelihood,
    virus: Likelihood,
    on_failure: OnFailure,
}

/// What engines vote on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim {
    Spam,
    Virus,
}

impl Vote<'_> {
    fn of(&self, claim: Claim) -> Likelihood {
        match claim {
            Claim::Spam => self.spam,
            Claim::Virus => self.virus,
        }
    }
}

impl<'a> Tally<'a> {
    fn new(findings: &'a [Finding], settings: &Settings) -> Tally<'a> {
        let vote = |finding: &'a Finding| {
            let rule = settings.rule(&finding.engine);
            rule.enabled.then(|| Vote {
                finding,
                spam: likelihood(finding, &rule).max(dmarc_likelihood(
                    finding,
                    &rule,
                    settings.dmarc,
                )),
                virus: virus_likelihood(finding, &rule),
                on_failure: rule.on_failure,
            })
        };
        Tally {
            votes: findings.iter().filter_map(vote).collect(),
        }
    }

    fn virus(&self) -> Option<Reason> {
        let led = self.rule_of_two(Claim::Virus)?;
        let named = |vote: &&&Vote<'_>| vote.finding.virus_name.is_some();
        // The name comes from an engine that led to the refusal, the surest first.
        let sure = led.iter().filter(|vote| vote.virus == Likelihood::Sure);
        let name = sure
            .chain(&led)
            .find(named)
            .and_then(|vote| vote.finding.virus_name.clone());
        Some(Reason {
            told: name.unwrap_or_default(),
            ..reason(Kind::Virus, &led)
        })
    }

    fn spam(&self) -> Option<Reason> {
        let led = self.rule_of_two(Claim::Spam)?;
        Some(reason(Kind::Spam, &led))
    }

    fn attachment(&self) -> Option<Reason> {
        let vote = self.examined().find(|vote| vote.finding.banned.is_some())?;
        let banned = vote.finding.banned.as_ref()?;
        let told = format!("{}: {}", banned.what, banned.why);
        Some(Reason {
            kind: Kind::Attachment,
            detail: told.clone(),
            told,
            engines: vec![vote.finding.engine.clone()],
        })
    }

    /// That the owner of the author's domain asks for it.
    fn dmarc(&self, settings: &Settings) -> Option<Reason> {
        if settings.dmarc != DmarcAction::Refuse {
            return None;
        }
        let asks = |vote: &&Vote<'a>| {
            held_against(vote.finding).is_some_and(|failure| failure.asked == DmarcPolicy::Reject)
        };
        let vote = self.examined().find(asks)?;
        let failure = vote.finding.policy.as_ref()?;
        let told = format!("{}: {}", failure.domain, failure.what_failed);
        Some(Reason {
            kind: Kind::Dmarc,
            detail: told.clone(),
            told,
            engines: vec![vote.finding.engine.clone()],
        })
    }

    fn engine_unavailable(&self) -> Option<Reason> {
        let defers = |vote: &&Vote<'a>| {
            vote.on_failure == OnFailure::Defer
                && vote.finding.unavailable.as_ref().is_some_and(may_pass)
        };
        let led: Vec<&Vote<'a>> = self.votes.iter().filter(defers).collect();
        (!led.is_empty()).then(|| reason(Kind::EngineUnavailable, &led))
    }

    /// Every vote that finds it likely or more, if one is sure or two engines agree.
    fn rule_of_two(&self, claim: Claim) -> Option<Vec<&Vote<'a>>> {
        let likely: Vec<&Vote<'a>> = self
            .votes
            .iter()
            .filter(|vote| vote.of(claim) >= Likelihood::Likely)
            .collect();
        let first = likely.first()?;
        // Two findings of one engine are one voice.
        let two = likely
            .iter()
            .any(|vote| vote.finding.engine != first.finding.engine);
        let sure = likely.iter().any(|vote| vote.of(claim) == Likelihood::Sure);
        (sure || two).then_some(likely)
    }

    fn examined(&self) -> impl Iterator<Item = &Vote<'a>> {
        self.votes
            .iter()
            .filter(|vote| vote.finding.unavailable.is_none())
    }

    fn note(&self, notes: &mut Vec<Note>) {
        let [spam, virus] = [Claim::Spam, Claim::Virus].map(|claim| self.alone(claim));
        for vote in &self.votes {
            let engine = || vote.finding.engine.clone();
            if vote.finding.unavailable.is_some() {
                notes.push(Note::Unexamined { engine: engine() });
                continue;
            }
            let name = Some(vote.finding.engine.as_str());
            if name == spam || name == virus {
                notes.push(Note::LikelyAlone { engine: engine() });
            }
            if matches!(
                vote.finding.action.as_deref(),
                Some("greylist" | "soft reject")
            ) {
                notes.push(Note::AskedToWait { engine: engine() });
            }
        }
    }

    /// The engine that finds it likely while no other does.
    fn alone(&self, claim: Claim) -> Option<&'a str> {
        let likely = |vote: &&Vote<'_>| vote.of(claim) >= Likelihood::Likely;
        let first = self.votes.iter().find(likely)?;
        self.rule_of_two(claim)
            .is_none()
            .then_some(first.finding.engine.as_str())
    }
}

/// Whether an engine that is away now may examine the same message later.
fn may_pass(unavailable: &Unavailable) -> bool {
    !matches!(
        unavailable.cause,
        UnavailableCause::TooLarge | UnavailableCause::Refused
    )
}

/// The reason that these votes make, told to the postmaster engine by engine.
fn reason(kind: Kind, led: &[&Vote<'_>]) -> Reason {
    let mut engines: Vec<String> = Vec::with_capacity(led.len());
    let mut detail = String::new();
    for vote in led {
        if !engines.contains(&vote.finding.engine) {
            engines.push(vote.finding.engine.clone());
        }
        if !detail.is_empty() {
            detail.push_str("; ");
        }
        describe(kind, vote.finding, &mut detail);
    }
    // A sender that is listed can do something about that.
    let listed = led
        .iter()
        .filter_map(|vote| reputation::listed(vote.finding));
    let told = match kind {
        Kind::Spam => listed.collect::<Vec<_>>().join(", "),
        _ => String::new(),
    };
    Reason {
        kind,
        detail,
        told,
        engines,
    }
}

/// `clamav: Eicar-Test-Signature`, `spamassassin: 17.2 of 5`, `ctasd: bulk`: the engine and what it said.
fn describe(kind: Kind, finding: &Finding, out: &mut String) {
    use std::fmt::Write as _;
    out.push_str(&finding.engine);
    out.push_str(": ");
    // Writing to a String cannot fail.
    let _ = match (kind, &finding.unavailable, &finding.virus_name) {
        (_, Some(unavailable), _) => write!(out, "{}", unavailable.detail),
        (Kind::Virus, _, Some(name)) => write!(out, "{name}"),
        (Kind::Virus, _, None) => write!(out, "no name given"),
        _ => describe_spam(finding, out),
    };
}

fn describe_spam(finding: &Finding, out: &mut String) -> std::fmt::Result {
    use std::fmt::Write as _;
    match (finding.score, finding.spam) {
        // To two places, as a person reads points.
        (Some(score), _) => write!(out, "{}", (score.value * 100.0).round() / 100.0)?,
        (None, Some(class)) => out.push_str(spam_word(class)),
        (None, None) => {}
    }
    if let Some(required) = finding.score.and_then(|score| score.required) {
        write!(out, " of {required}")?;
    }
    if let Some(failure) = &finding.policy {
        write!(
            out,
            "DMARC of {} asks for {}",
            failure.domain,
            failure.asked.word()
        )?;
    }
    if let Some(action) = &finding.action {
        let comma = if out.ends_with(' ') { "" } else { ", " };
        write!(out, "{comma}{action}")?;
    }
    Ok(())
}

/// The wire name of a class.
pub(crate) fn spam_word(class: SpamClass) -> &'static str {
    match class {
        SpamClass::Nonspam => "nonspam",
        SpamClass::Unknown => "unknown",
        SpamClass::Suspect => "suspect",
        SpamClass::ValidBulk => "valid-bulk",
        SpamClass::Bulk => "bulk",
        SpamClass::Confirmed => "confirmed",
    }
}

/// The wire name of a class.
pub(crate) fn virus_word(class: VirusClass) -> &'static str {
    match class {
        VirusClass::Nonvirus => "nonvirus",
        VirusClass::Unknown => "unknown",
        VirusClass::Medium => "medium",
        VirusClass::High => "high",
        VirusClass::Virus => "virus",
    }
}
