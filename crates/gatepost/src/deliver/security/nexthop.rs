//! Nexthops of cut-through routes: a name that the operator chose, so that its TLSA records alone matter.

use super::{Demand, Target, TlsPolicies};
use crate::config::NexthopTls;
use crate::deliver::connection::Manner;
use crate::deliver::fault::Fault;
use crate::deliver::mx::Place;

impl TlsPolicies {
    /// How to talk to the nexthop so that it proves itself as its TLSA records say, if the route wants that (`dane`, `dane-only`).
    ///
    /// # Errors
    /// It must not be used.
    pub(in crate::deliver) async fn of_nexthop(
        &self,
        place: &Place,
        port: u16,
        manner: &Manner,
    ) -> Result<Manner, Fault> {
        let mut secured = manner.clone();
        if !matches!(manner.tls, NexthopTls::Dane | NexthopTls::DaneOnly) {
            return Ok(secured);
        }
        let target = Target {
            domain: &place.name,
            host: &place.name,
            canonical: &place.canonical,
            port,
            by_mx: false,
            secure: true,
            ips_secure: place.secure,
            tls: manner.tls,
            label: &manner.label,
        };
        // Boxed: it is rare, and its room must not stay in the future of every session.
        let security = Box::pin(self.host_security(&target, Demand::default())).await;
        security
            .map_err(|refused| refused.fault)?
            .apply(&mut secured);
        Ok(secured)
    }
}
