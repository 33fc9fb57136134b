//! Servers that tests talk to: a CA of the test's own, a web server, a server that shakes hands; all on loopback, each for as long as it is
//! held.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use net::tls::{Acceptor, CertificateFiles, Certificates, Roots};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A CA, and the folder with its files.
pub(super) struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A server's certificate.
pub(super) struct Issued {
    pub(super) acceptor: Acceptor,
    pub(super) der: Vec<u8>,
}

impl Authority {
    pub(super) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Test CA");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.crt"), issuer.pem()).unwrap();
        Authority { folder, issuer }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn ca_file(&self) -> PathBuf {
        self.path().join("ca.crt")
    }

    pub(super) fn roots(&self) -> Roots {
        Roots::load(Some(&self.ca_file())).unwrap()
    }

    pub(super) fn issue(&self, name: &str) -> Issued {
        self.issue_until(name, 2100)
    }

    pub(super) fn issue_until(&self, name: &str, year: i32) -> Issued {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let issued = params.signed_by(&key, &self.issuer).unwrap();
        let place = |end| self.path().join(format!("{name}.{year}.{end}"));
        let files = CertificateFiles {
            certificate: place("crt"),
            key: place("key"),
        };
        fs::write(&files.certificate, issued.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        let certificates = Certificates::load(&[files]).unwrap();
        Issued {
            acceptor: net::tls::acceptor(certificates).unwrap(),
            der: issued.der().to_vec(),
        }
    }
}

/// A web server, stopped when dropped.
pub(super) struct WebServer {
    pub(super) address: SocketAddr,
    pages: Arc<Mutex<HashMap<String, Page>>>,
    requests: Arc<Mutex<Vec<(String, Bytes)>>>,
    task: JoinHandle<()>,
}

/// What is answered.
#[derive(Clone)]
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) media_type: &'static str,
    pub(super) content: Bytes,
}

impl WebServer {
    pub(super) async fn start(acceptor: Acceptor) -> WebServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let pages: Arc<Mutex<HashMap<String, Page>>> = Arc::default();
        let requests: Arc<Mutex<Vec<(String, Bytes)>>> = Arc::default();
        let (served, noted) = (Arc::clone(&pages), Arc::clone(&requests));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(stream) = net::tls::accept(stream, &acceptor).await else {
                    continue;
                };
                let (served, noted) = (Arc::clone(&served), Arc::clone(&noted));
                let answer = service_fn(move |request| {
                    answer(Arc::clone(&served), Arc::clone(&noted), request)
                });
                let serving = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), answer);
                tokio::spawn(serving);
            }
        });
        WebServer {
            address,
            pages,
            requests,
            task,
        }
    }

    pub(super) fn serve(&self, path: &str, page: Page) {
        self.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    /// Path and content of what was asked so far.
    pub(super) fn requests(&self) -> Vec<(String, Bytes)> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    pages: Arc<Mutex<HashMap<String, Page>>>,
    requests: Arc<Mutex<Vec<(String, Bytes)>>>,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let content = request.into_body().collect().await.unwrap().to_bytes();
    requests.lock().unwrap().push((path.clone(), content));
    let page = pages.lock().unwrap().get(&path).cloned();
    let page = page.unwrap_or(Page {
        status: 404,
        media_type: "text/plain",
        content: Bytes::new(),
    });
    Ok(Response::builder()
        .status(page.status)
        .header("Content-Type", page.media_type)
        .header("Location", "https://elsewhere.example/")
        .body(Full::new(page.content))
        .unwrap())
}

/// A server that shakes hands with whoever comes, and says nothing.
pub(super) async fn tls_server(acceptor: Acceptor) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = net::tls::accept(stream, &acceptor).await {
                held.push(stream);
            }
        }
    });
    address
}
