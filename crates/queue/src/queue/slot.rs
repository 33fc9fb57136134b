//! The right to one more connection.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use crate::{Entered, LaneKey, Parcel, Quota, SiteFault, SiteLimits, Taken};

/// The right to one more connection for a lane. Dropping it gives it back.
#[derive(Debug)]
pub struct Slot {
    pub(crate) shared: Arc<Shared>,
    pub(crate) lane: LaneKey,
}

#[expect(missing_docs, reason = "signatures ahead of their bodies")]
#[allow(
    unused_variables,
    clippy::unused_async,
    clippy::needless_pass_by_value,
    clippy::unimplemented
)]
impl Slot {
    pub fn lane(&self) -> &LaneKey {
        &self.lane
    }
    pub fn enter(&mut self, site: &str, limits: &SiteLimits, quotas: &[Quota]) -> Entered {
        unimplemented!()
    }
    pub fn take(&mut self) -> Taken {
        unimplemented!()
    }
    pub async fn take_within(&mut self, idle: Duration) -> Option<Parcel> {
        unimplemented!()
    }
    pub fn worked(&mut self) {
        unimplemented!()
    }
    pub fn busy(&mut self) {
        unimplemented!()
    }
    pub fn failed(self, fault: SiteFault) {
        unimplemented!()
    }
}
