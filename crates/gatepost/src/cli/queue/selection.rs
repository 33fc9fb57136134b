//! Which messages a command is about: names and filters of the command line, as the node takes them.

use clap::Args;

use crate::serve::admin::queue::Filter;

/// Messages by name and by filters; all that is given must hold.
#[derive(Clone, Debug, Default, Args)]
#[group(id = "selection", multiple = true)]
pub(super) struct Selection {
    /// Numbers in the queue, or references of transactions
    #[arg(value_name = "ID")]
    names: Vec<String>,
    /// Recipients of this domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// This reverse-path; '@DOMAIN' for all of a domain, '<>' for the null reverse-path
    #[arg(long, value_name = "ADDRESS")]
    reverse_path: Option<String>,
    /// This recipient; '@DOMAIN' for all of a domain
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
    /// Messages of this customer
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
    /// In the queue for longer than this, such as 2h
    #[arg(long, value_name = "TIME")]
    older_than: Option<String>,
    /// In the queue for less than this
    #[arg(long, value_name = "TIME")]
    younger_than: Option<String>,
    /// Words of the last reply, or of what happened in its place; case does not matter
    #[arg(long, value_name = "WORDS")]
    text: Option<String>,
    /// The state: new, delayed, waiting (either of these), held, active (under way just now) or suspended
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// A part of the name of the destination, as `queue destinations` has it
    #[arg(long, value_name = "PART")]
    site: Option<String>,
    /// A part of the nexthop that was tried last, or that an operator chose
    #[arg(long, value_name = "PART")]
    nexthop: Option<String>,
    /// So many messages at most, the oldest
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
}

impl Selection {
    /// As the node takes it.
    pub(super) fn filter(&self) -> Filter {
        Filter {
            id: (!self.names.is_empty()).then(|| self.names.join(",")),
            reference: None,
            domain: self.domain.clone(),
            reverse_path: self.reverse_path.clone(),
            recipient: self.recipient.clone(),
            customer: self.customer.clone(),
            older_than: self.older_than.clone(),
            younger_than: self.younger_than.clone(),
            text: self.text.clone(),
            state: self.state.clone(),
            site: self.site.clone(),
            nexthop: self.nexthop.clone(),
            up_to: None,
            limit: self.limit.map(|limit| limit.to_string()),
        }
    }
}
