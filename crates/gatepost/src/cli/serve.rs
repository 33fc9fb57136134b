//! `gatepost serve`: runs the server until it is told to stop.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{ConfigOption, complain, say, tell};
use crate::config::{Config, Level};
use crate::metrics;
use crate::serve::{Activated, Server, admin};

/// Takes mail until SIGTERM or SIGINT.
pub(super) fn run(option: &ConfigOption) -> ExitCode {
    let config = match option.load_or_tell() {
        Ok(config) => config,
        Err(code) => return code,
    };
    init_tracing(config.log.level);
    // Takes variables out of the environment: before there are threads.
    let activated = match net::socket::activated() {
        Ok(activated) => activated,
        Err(error) => {
            complain(&format!("gatepost: sockets from systemd: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all();
    if let Some(threads) = config.node.threads {
        builder.worker_threads(threads);
    }
    let runtime = match builder.build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("gatepost: threads can't be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(serve(config, activated)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(errors) => {
            tell(errors.iter());
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config, activated: Activated) -> Result<(), Vec<String>> {
    let handle = metrics::install().map_err(|error| vec![format!("metrics: {error}")])?;
    let one = |error: std::io::Error| vec![format!("signals: {error}")];
    // Before anything is bound: a signal that comes early must not end the process in the middle.
    let mut terminate = signal(SignalKind::terminate()).map_err(one)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(one)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(one)?;
    let embedded = config.file.is_none();
    let server = Server::start(config, activated).await?;
    admin::serve(Arc::clone(&server), handle)
        .await
        .map_err(|error| vec![error])?;
    tokio::spawn(Arc::clone(&server).keep_house());
    tokio::spawn(Arc::clone(&server).keep_tls());
    if embedded {
        greet(&server).await;
    }
    notify(&[sd_notify::NotifyState::Ready]);
    until_stopped(&server, &mut hangup, &mut terminate, &mut interrupt).await;
    notify(&[sd_notify::NotifyState::Stopping]);
    server.stop().await;
    Ok(())
}

async fn until_stopped(
    server: &Server,
    hangup: &mut Signal,
    terminate: &mut Signal,
    interrupt: &mut Signal,
) {
    loop {
        tokio::select! {
            _ = terminate.recv() => return,
            _ = interrupt.recv() => return,
            _ = hangup.recv() => {
                // What is wrong with the file is told by the event.
                let _ = server.reload().await;
            }
        }
    }
}

/// Tells systemd; without it nobody listens.
fn notify(state: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd can't be notified");
    }
}

/// What libraries have to say goes to standard error; mail itself is told by the journal.
fn init_tracing(level: Level) {
    let level = match level {
        Level::Error => tracing::Level::ERROR,
        // Libraries have nothing at info that an operator wants to read.
        Level::Warn | Level::Info => tracing::Level::WARN,
        Level::Debug => tracing::Level::DEBUG,
        Level::Trace => tracing::Level::TRACE,
    };
    // An Err means that a subscriber is installed already, as in tests.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
}

/// What to try on the embedded default.
async fn greet(server: &Server) {
    let cx = server.current.load();
    let Some(address) = server.addresses().await.into_iter().next() else {
        return;
    };
    let (ip, port) = (address.ip(), address.port());
    let admin = cx
        .config
        .admin
        .bind
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    let domain = "example.com";
    say(&format!(
        "Gatepost runs on its embedded default: mail for {domain} is examined by the embedded engine and delivered into\n\
         {maildir}. Things to try:\n\n\
         \x20 swaks --server {ip}:{port} --to someone@{domain} --from me@example.org\n\
         \x20 printf 'EHLO me\\r\\nMAIL FROM:<me@example.org>\\r\\nRCPT TO:<someone@{domain}>\\r\\nDATA\\r\\nSubject: hello\\r\\n\\r\\nHello.\\r\\n.\\r\\nQUIT\\r\\n' | nc {ip} {port}\n\
         \x20 curl http://{admin}/metrics\n\n\
         Decisions: {data}/decisions.jsonl. Stop with Ctrl-C. A configuration to start from: examples/provider.toml.",
        maildir = cx.config.node.data_dir.join("maildir/new").display(),
        data = cx.config.node.data_dir.display(),
    ));
}
