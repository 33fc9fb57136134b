//! What is known of a sender's authentication, in the words of RFC 8601.
//!
//! The Rust types are in `scan::auth::facts`.

use super::{Field, Part, Shape, always, maybe};

const POLICIES: &[&str] = &["none", "quarantine", "reject"];

/// The owner of the author's domain asks for something.
#[rustfmt::skip]
pub(super) const POLICY_FAILURE: Part = Part {
    name: "policy failure",
    meaning: "The author's domain is not authenticated, and its owner published what is to be done then (DMARC).",
    fields: &[
        always("domain", Shape::Text, "The author's domain."),
        always("what_failed", Shape::Text, "What did not authenticate it."),
        always("asked", Shape::Word(POLICIES), "What its owner asks for."),
        maybe("excused_by", Shape::Part(&EXCUSE), "Why that is not held against the message."),
    ],
};

#[rustfmt::skip]
const EXCUSE: Part = Part {
    name: "excuse",
    meaning: "Whom the operator trusts to hand on messages of others (`[auth]`).",
    fields: &[
        always("by", Shape::Word(&["forwarder", "list", "sealer"]), "The client; an authenticated mailing list; one who found the author authentic and sealed that (ARC)."),
        maybe("name", Shape::Text, "The `List-Id`, or the domain of the sealer."),
    ],
};

/// All that is known.
#[rustfmt::skip]
pub(super) const AUTHENTICATION: Part = Part {
    name: "authentication",
    meaning: "What is known of the sender's authentication.",
    fields: &[
        maybe("iprev", Shape::Part(&IPREV), "Whether the client's name and address agree."),
        maybe("spf_helo", Shape::Part(&SPF), "SPF of the name given with EHLO, if its domain says anything."),
        maybe("spf_mail", Shape::Part(&SPF), "SPF of the reverse-path, or of the name given with EHLO if that is null."),
        maybe("dkim", Shape::List(&Shape::Part(&DKIM)), "The DKIM signatures, topmost first."),
        maybe("dkim_skipped", Shape::Number(""), "DKIM signatures that were not looked at, since there are so many."),
        maybe("arc", Shape::Part(&ARC), "The chain of ARC."),
        maybe("dmarc", Shape::Part(&DMARC), "DMARC of the author's domain; of several, of the one that fares worst."),
        maybe("list_id", Shape::Text, "The `List-Id` of the message."),
    ],
};

#[rustfmt::skip]
const IPREV: Part = Part {
    name: "iprev",
    meaning: "Whether reverse and forward look-up of the client agree (RFC 8601 3).",
    fields: &[
        always("result", Shape::Word(&["pass", "fail", "temperror"]), "The result."),
        maybe("name", Shape::Text, "The name that both agree on."),
    ],
};

#[rustfmt::skip]
const SPF: Part = Part {
    name: "spf",
    meaning: "What SPF says of one identity (RFC 7208).",
    fields: &[
        always("result", Shape::Word(&["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"]), "The result."),
        always("domain", Shape::Text, "The domain whose record was asked for."),
        maybe("term", Shape::Text, "The term that matched, as published."),
        maybe("explanation", Shape::Text, "What the domain says to one whom it rejects."),
        maybe("problem", Shape::Text, "What went wrong."),
    ],
};

#[rustfmt::skip]
const DKIM: Part = Part {
    name: "dkim",
    meaning: "What one DKIM signature comes to (RFC 6376).",
    fields: &[
        always("result", Shape::Word(&["pass", "fail", "policy", "neutral", "temperror", "permerror"]), "The result."),
        always("domain", Shape::Text, "`d=`; empty if the signature could not be read."),
        always("selector", Shape::Text, "`s=`."),
        always("algorithm", Shape::Text, "`a=`."),
        always("value_start", Shape::Text, "The first characters of `b=` (RFC 6008)."),
        maybe("key_bits", Shape::Number("bits"), "The length of the key."),
        maybe("testing", Shape::Flag, "The key says that its domain is testing."),
        maybe("problem", Shape::Text, "Why it did not pass."),
    ],
};

#[rustfmt::skip]
const ARC: Part = Part {
    name: "arc",
    meaning: "What a chain of ARC comes to (RFC 8617).",
    fields: &[
        always("result", Shape::Word(&["pass", "fail", "temperror"]), "The result."),
        always("sealers", Shape::List(&Shape::Text), "Who sealed, the first one first."),
        maybe("vouched_by", Shape::Text, "Who is trusted and found the author authentic."),
        maybe("problem", Shape::Text, "Why the chain is not good."),
    ],
};

#[rustfmt::skip]
const DMARC: Part = Part {
    name: "dmarc",
    meaning: "What DMARC says of the author's domain (RFC 9989).",
    fields: &[
        always("result", Shape::Word(&["none", "pass", "fail", "temperror", "permerror"]), "The result."),
        always("from_domain", Shape::Text, "The author's domain."),
        always("organizational_domain", Shape::Text, "Its organisational domain, as far as the DNS tells."),
        maybe("published", Shape::Part(&RECORD), "The record that applies."),
        always("policy", Shape::Word(POLICIES), "What is asked for messages that fail, one step milder in test mode."),
        maybe("dkim_aligned", Shape::Text, "The aligned domain of a DKIM signature that passes."),
        maybe("spf_aligned", Shape::Text, "The aligned domain of SPF, if it passes."),
        maybe("problem", Shape::Text, "What went wrong."),
    ],
};

#[rustfmt::skip]
const RECORD_FIELDS: &[Field] = &[
    always("domain", Shape::Text, "Where it stands, without `_dmarc`."),
    always("policy", Shape::Word(POLICIES), "`p`."),
    maybe("subdomain_policy", Shape::Word(POLICIES), "`sp`."),
    maybe("nonexistent_policy", Shape::Word(POLICIES), "`np`."),
    always("strict_dkim", Shape::Flag, "`adkim=s`."),
    always("strict_spf", Shape::Flag, "`aspf=s`."),
    always("testing", Shape::Flag, "`t=y`."),
    always("failure_options", Shape::Text, "`fo`."),
    always("public_suffix", Shape::Word(&["yes", "no", "unsaid"]), "`psd`."),
    maybe("report_uris", Shape::List(&Shape::Text), "`rua`."),
];

const RECORD: Part = Part {
    name: "dmarc record",
    meaning: "A record of DMARC as it was understood.",
    fields: RECORD_FIELDS,
};
