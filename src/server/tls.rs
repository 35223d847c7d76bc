//! TLS from certificate files, which are read again when they change, so that a renewed certificate needs no restart.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::ServerError;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(30);

/// A certificate and its key, both PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by those that vouch for it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl TlsFiles {
    fn load(&self) -> Result<ServerConfig, ServerError> {
        let bad = |file: &PathBuf, why: String| ServerError::Certificate {
            file: file.clone(),
            why: why.to_lowercase(),
        };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .map_err(|error| bad(&self.certificate, error.to_string()))?;
        let key =
            PrivateKeyDer::from_pem_file(&self.key).map_err(|error| bad(&self.key, error.to_string()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| bad(&self.certificate, error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| bad(&self.certificate, error.to_string()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key].map(|file| std::fs::metadata(file).and_then(|m| m.modified()).ok())
    }
}

/// The certificate that is good now.
pub(crate) struct Tls {
    files: TlsFiles,
    acceptor: RwLock<TlsAcceptor>,
}

impl Tls {
    /// Reads the files; a server does not start with broken ones.
    pub(crate) fn open(files: TlsFiles) -> Result<Self, ServerError> {
        let acceptor = RwLock::new(TlsAcceptor::from(Arc::new(files.load()?)));
        Ok(Self { files, acceptor })
    }

    /// Who shakes hands with the next client.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files again when they change; broken ones change nothing.
    pub(crate) async fn keep_fresh(self: Arc<Self>, stop: CancellationToken) {
        let mut known = self.files.changed_at();
        while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            let now = self.files.changed_at();
            if now == known {
                continue;
            }
            match self.files.load() {
                Ok(config) => {
                    let fresh = TlsAcceptor::from(Arc::new(config));
                    *self.acceptor.write().unwrap_or_else(PoisonError::into_inner) = fresh;
                    tracing::info!("the certificate was read again");
                }
                Err(error) => tracing::warn!("the old certificate stays: {error}"),
            }
            known = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let files = TlsFiles { certificate: dir.path().join("c.pem"), key: dir.path().join("k.pem") };
        assert!(Tls::open(files.clone()).err().unwrap().to_string().contains("c.pem"));
        std::fs::write(&files.certificate, "rubbish").unwrap();
        assert!(Tls::open(files.clone()).is_err());
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        std::fs::write(&files.certificate, made.cert.pem()).unwrap();
        assert!(Tls::open(files.clone()).err().unwrap().to_string().contains("k.pem"));
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        Tls::open(files).unwrap();
    }
}
