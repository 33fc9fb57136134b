//! What a connection that is there already has in common with one that would be made now.
//!
//! Which messages it may carry follows from that in `fitting`.

use net::tls::Proof;

use super::{Connection, Manner};
use crate::config::NexthopAuth;
use crate::deliver::nexthops::Source;
use crate::deliver::security::{Basis, HostSecurity};

impl Connection {
    /// Whether a new one from this source with this login would be no other: a reload changes either.
    pub(in crate::deliver) fn is_made_as(
        &self,
        source: &Source,
        login: Option<&NexthopAuth>,
    ) -> bool {
        let Manner {
            ehlo_name,
            bind,
            auth,
            ..
        } = &self.manner;
        let is_login = match (auth, login) {
            (None, None) => true,
            (Some(auth), Some(login)) => {
                auth.user == login.user && auth.password == login.password.reveal()
            }
            _ => false,
        };
        *ehlo_name == source.ehlo_name && *bind == source.bind && is_login
    }

    /// Whether it may carry a message to which `security` applies: it goes to a server of that name, and was proven no less and
    /// by the same means as a new one would be.
    pub fn meets(&self, security: &HostSecurity) -> bool {
        let is_proven = match security.basis {
            Basis::Off | Basis::Opportunistic | Basis::StsTesting => return true,
            Basis::DaneUnusable => self.is_tls(),
            Basis::Dane => matches!(
                self.wire.proof,
                Proof::DaneEndEntity | Proof::DaneTrustAnchor
            ),
            Basis::Sts | Basis::Verified => self.wire.proof == Proof::Ca,
        };
        is_proven && self.manner.tls_name == security.name
    }
}
