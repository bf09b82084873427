//! The variables that say how this machine reaches AWS: proxies, and the certificates to trust.

use std::{cell::OnceCell, path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Uri;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::files;
use crate::host::Host;
use crate::place::{Place, Problem};

/// The variables that name a proxy.
const PROXIES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// The variable that names a file of certificates, as for AWS' own tools.
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// The largest file of certificates, in bytes. The bundles of systems have about 250 kB.
const MOST_CERTIFICATES: u64 = 8 << 20;

/// The problems of the proxies. A message never holds a value: it may contain a password.
pub(super) fn proxies(host: &Host) -> Vec<Problem> {
    let wrong = |name: &str| host.variable(name).is_some_and(|value| !is_proxy(value));
    let problem = |name: &str| {
        let problem = Problem::new("is not the URL of a proxy").at(&Place::Variable(name.to_owned()));
        problem.help("set it to a URL like `http://proxy.example.org:3128`, or unset it; SOCKS proxies cannot be used")
    };
    PROXIES.into_iter().filter(|name| wrong(name)).map(problem).collect()
}

/// Whether the client can use a proxy. A missing scheme means `http://`.
fn is_proxy(value: &str) -> bool {
    let scheme = |uri: &Uri| uri.scheme_str().is_none_or(|scheme| matches!(scheme, "http" | "https"));
    value.parse::<Uri>().is_ok_and(|uri| scheme(&uri) && uri.host().is_some_and(|host| !host.is_empty()))
}

/// The certificates to trust, read when a block first needs them.
#[derive(Default)]
pub(super) struct Certificates(OnceCell<Result<Option<Arc<[u8]>>, Problem>>);

impl Certificates {
    /// The certificates in the file that `AWS_CA_BUNDLE` names, as PEM; `None` if it is not set.
    pub(super) fn of(&self, host: &Host) -> Result<Option<Arc<[u8]>>, Problem> {
        self.0.get_or_init(|| read_certificates(host)).clone()
    }
}

fn read_certificates(host: &Host) -> Result<Option<Arc<[u8]>>, Problem> {
    let Some(path) = host.variable(CA_BUNDLE) else { return Ok(None) };
    let wrong = |why: &str| {
        let problem = Problem::new(format!("the certificates in `{path}` cannot be used: {why}"));
        let problem = problem.at(&Place::Variable(CA_BUNDLE.to_owned()));
        problem.help(format!("set `{CA_BUNDLE}` to a PEM file, or unset it to trust the certificates of the system"))
    };
    let bytes = files::bytes(&host.directory.join(Path::new(path)), MOST_CERTIFICATES);
    let bytes = bytes.map_err(|error| wrong(&error.to_string()))?;
    let mut usable = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| wrong(&error.to_string()))?;
        // The client cannot refuse a certificate that it cannot read. Bundles contain some that are of no use.
        if RootCertStore::empty().add(certificate.clone()).is_ok() {
            let text = STANDARD.encode(&certificate);
            usable.extend(format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n").into_bytes());
        }
    }
    if usable.is_empty() { Err(wrong("there is none in it")) } else { Ok(Some(usable.into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_url_with_a_host() {
        for value in ["http://proxy:3128", "https://user:word@proxy.example.org", "proxy:3128", "10.0.0.1:80"] {
            assert!(is_proxy(value), "{value}");
        }
        for value in ["not a url", "http://", "socks5://proxy:1080", "ftp://proxy", "/path", "http://[::"] {
            assert!(!is_proxy(value), "{value}");
        }
    }
}
