//! What belongs to one listener: what its sessions offer, its certificates, who may log in.

use std::sync::Arc;

use net::network::NetworkSet;
use net::tls::{Acceptor, Certificates};

use super::{ContextError, Services};
use crate::config::{self, Config};
use crate::serve::admission::Admission;
use crate::serve::users::Users;

/// What belongs to one listener.
pub struct ListenerContext {
    /// The listener as configured.
    pub settings: Arc<config::Listener>,
    /// Its name, for events.
    pub name: Arc<str>,
    /// What its sessions offer.
    pub smtp: Arc<smtp::server::Settings>,
    /// Accepts TLS, if it has a certificate.
    pub acceptor: Option<Acceptor>,
    /// The certificates, which may change on disk.
    pub certificates: Option<Arc<Certificates>>,
    /// The connections it holds.
    pub admission: Arc<Admission>,
    /// Who may authenticate, if anybody.
    pub users: Option<Users>,
    /// Networks that must send a PROXY header.
    pub proxy_networks: NetworkSet,
    /// Networks that may use XCLIENT.
    pub xclient_networks: NetworkSet,
}

/// What belongs to each listener, in the order of the configuration.
pub(super) fn listeners(
    config: &Config,
    services: &Services,
    errors: &mut Vec<ContextError>,
) -> Vec<Arc<ListenerContext>> {
    config
        .listeners
        .iter()
        .filter_map(|settings| match ListenerContext::new(settings, services) {
            Ok(listener) => Some(Arc::new(listener)),
            Err(error) => {
                errors.push(error);
                None
            }
        })
        .collect()
}

impl ListenerContext {
    /// The acceptor, if TLS comes with the connection.
    pub fn implicit_tls(&self) -> Option<&Acceptor> {
        self.acceptor
            .as_ref()
            .filter(|_| self.settings.tls.mode == config::TlsMode::Implicit)
    }

    fn new(
        settings: &Arc<config::Listener>,
        services: &Services,
    ) -> Result<ListenerContext, ContextError> {
        let certificates = match settings.tls.mode {
            config::TlsMode::Off => None,
            config::TlsMode::StartTls | config::TlsMode::Implicit => {
                let files: Vec<_> = settings
                    .tls
                    .certificates
                    .iter()
                    .map(|files| net::tls::CertificateFiles {
                        certificate: files.certificate.clone(),
                        key: files.key.clone(),
                    })
                    .collect();
                let loaded = Certificates::load(&files).map_err(|error| ContextError {
                    what: format!("listener {}", settings.name),
                    detail: error.to_string(),
                })?;
                Some(loaded)
            }
        };
        Ok(ListenerContext {
            name: Arc::from(settings.name.as_str()),
            smtp: Arc::new(session_settings(settings)),
            acceptor: certificates
                .as_ref()
                .map(|certificates| net::tls::acceptor(Arc::clone(certificates)))
                .transpose()
                .map_err(|error| ContextError {
                    what: format!("listener {}", settings.name),
                    detail: error.to_string(),
                })?,
            certificates,
            admission: services.admission(&settings.name),
            users: settings
                .auth
                .as_ref()
                .map(|auth| Users::load(&auth.users_file))
                .transpose()
                .map_err(|detail| ContextError {
                    what: format!("listener {}: users_file", settings.name),
                    detail,
                })?,
            proxy_networks: settings.proxy_networks.iter().copied().collect(),
            xclient_networks: settings.xclient_networks.iter().copied().collect(),
            settings: Arc::clone(settings),
        })
    }
}

/// What the sessions of a listener offer.
fn session_settings(listener: &config::Listener) -> smtp::server::Settings {
    smtp::server::Settings {
        hostname: listener.hostname.clone(),
        message_size_max: listener.message_size_max,
        header_bytes_max: usize::try_from(listener.header_size_max).unwrap_or(usize::MAX),
        recipients_max: listener.recipients_max,
        bad_commands_max: listener.bad_commands_max,
        transactions_max: listener.transactions_max,
        bare_newline: match listener.bare_newline {
            config::BareNewline::Refuse => smtp::server::BareNewline::Refuse,
            config::BareNewline::Normalise => smtp::server::BareNewline::Normalise,
        },
        starttls: listener.tls.mode == config::TlsMode::StartTls,
        pipelining: listener.pipelining,
        chunking: listener.chunking,
        smtputf8: listener.smtputf8,
        dsn: listener.dsn,
        prdr: listener.prdr,
        require_tls: listener.requiretls,
        auth: match &listener.auth {
            None => smtp::server::AuthOffer::Never,
            Some(auth) if auth.without_tls => smtp::server::AuthOffer::Always,
            Some(_) => smtp::server::AuthOffer::OverTls,
        },
    }
}
