//! Asks the nexthop of a route whether it takes a recipient: MAIL from the null reverse-path, RCPT, RSET. No message goes.

use std::time::Duration;

use smtp::{ForwardPath, MailParameters, RcptParameters, Reply, ReversePath};
use tokio::time::timeout;

use super::Taken;
use crate::config::RecipientCheck;
use crate::context::Context;
use crate::deliver::nexthops::{NotOpened, Opened, Opening};

/// How long a nexthop may take on a route that has no callout of its own.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(20);

/// What the nexthop said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It answered RCPT, or refused MAIL before.
    Answered {
        /// Which one, as configured.
        nexthop: String,
        /// Its words.
        reply: Reply,
    },
    /// None answered, or none takes such an address; why.
    Unanswered(String),
}

impl Asked {
    /// Whether the nexthop takes the recipient.
    pub fn is_taken(&self) -> bool {
        matches!(self, Asked::Answered { reply, .. } if reply.is_positive())
    }
}

/// Asks the first nexthop of the route that works.
pub async fn ask(cx: &Context, taken: &Taken, forward_path: &ForwardPath) -> Asked {
    let opening = Opening {
        reverse_path: &ReversePath::Null,
        mail: &MailParameters::default(),
        forward_path,
        rcpt: &RcptParameters::default(),
    };
    let limit = match &taken.route.route.recipients {
        RecipientCheck::Callout(callout) => callout.timeout,
        _ => ANSWER_WAIT_MAX,
    };
    let nexthops = &cx.services.nexthops;
    let opened = timeout(
        limit,
        nexthops.open(&taken.route.route, &cx.dialling, opening),
    )
    .await;
    match opened {
        Ok(Ok(Opened {
            lease,
            mail_reply,
            rcpt_reply,
        })) => {
            let nexthop = lease.nexthop().to_owned();
            lease.abandon();
            Asked::Answered {
                nexthop,
                reply: rcpt_reply.unwrap_or(mail_reply),
            }
        }
        Ok(Err(NotOpened::Fault(fault))) => Asked::Unanswered(fault.to_string()),
        Ok(Err(NotOpened::Unsupported(unsupported))) => Asked::Unanswered(unsupported.to_string()),
        Err(_) => Asked::Unanswered(format!("no answer within {} s", limit.as_secs())),
    }
}
