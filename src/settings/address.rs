//! Addresses of services, and how far away their hosts are.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;

/// An address with `http://` or `https://`, parsed by the parser of the HTTP client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(Uri);

/// The distance of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// This machine.
    Here,
    /// This network: a name without a dot, which containers have, or a private address.
    Near,
    /// Any other place.
    Far,
}

impl Address {
    /// Reads an address; `None` for any other text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let known = matches!(scheme.as_str(), "http" | "https");
        (known && uri.host().is_some_and(|host| !host.is_empty())).then_some(Self(uri))
    }

    /// The host in lower case; an IPv6 address without its brackets.
    pub(crate) fn host(&self) -> String {
        self.0.host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase()
    }

    /// The port; absent if it was not written.
    pub(crate) fn port(&self) -> Option<u16> {
        self.0.port_u16()
    }

    /// Whether the connection is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.scheme_str().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
    }

    /// The distance of the host. Only the plain spellings of near addresses count as near.
    pub(crate) fn reach(&self) -> Reach {
        let host = self.host();
        if host == "localhost" || host.ends_with(".localhost") {
            return Reach::Here;
        }
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return match () {
                () if address.is_loopback() => Reach::Here,
                () if address.is_private() => Reach::Near,
                () => Reach::Far,
            };
        }
        if let Ok(address) = host.parse::<Ipv6Addr>() {
            return match address.octets()[0] {
                _ if address == Ipv6Addr::LOCALHOST => Reach::Here,
                0xfd => Reach::Near,
                _ => Reach::Far,
            };
        }
        // The system may read a name that begins with a digit as a numeric address.
        let is_plain_name = !host.contains('.') && host.starts_with(|c: char| c.is_ascii_alphabetic());
        if is_plain_name { Reach::Near } else { Reach::Far }
    }

    /// Whether it is on this machine.
    pub(crate) fn is_here(&self) -> bool {
        self.reach() == Reach::Here
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_surely_this_machine_is() {
        for here in [
            "http://localhost",
            "http://LOCALHOST:4566/",
            "HTTP://localhost",
            "https://localhost:443/path?x",
            "http://s3.localhost:4566",
            "http://127.0.0.1:80",
            "http://127.255.1.2",
            "http://[::1]:4566",
            "http://user:password@localhost:1",
        ] {
            assert_eq!(Address::parse(here).map(|address| address.reach()), Some(Reach::Here), "{here}");
        }
        for near in [
            "http://localstack:4566",
            "http://aws-emulator",
            "http://10.0.0.1",
            "http://172.16.0.1",
            "http://172.31.255.255:1",
            "http://192.168.1.1",
            "http://[fd00::1]:80",
        ] {
            assert_eq!(Address::parse(near).map(|address| address.reach()), Some(Reach::Near), "{near}");
        }
        for far in [
            "http://127.evil.com",
            "http://127.0.0.1.evil.com",
            "http://localhost.evil.com",
            "http://localhost.",
            "http://notlocalhost.com",
            "http://localhost@evil.com",
            "http://localhost:80@evil.com",
            "http://127.0.0.1@evil.com/localhost",
            "http://evil.com?@localhost",
            "http://evil.com#@localhost",
            "http://evil.com/@localhost",
            "http://[::ffff:127.0.0.1]",
            "http://[::]",
            "http://[fe80::1]",
            "http://[::ffff:10.0.0.1]",
            "http://0.0.0.0",
            "http://2130706433",
            "http://0x7f000001",
            "http://127.1",
            "http://0177.0.0.1",
            "http://169.254.169.254",
            "http://172.32.0.1",
            "http://10.evil.com",
            "https://sts.amazonaws.com",
        ] {
            assert_eq!(Address::parse(far).map(|address| address.reach()), Some(Reach::Far), "{far}");
        }
        for none in [
            "",
            "localhost",
            "//localhost",
            "ftp://localhost",
            "file:///etc/passwd",
            "http://",
            "http:///x",
            "http://:80",
            "http:localhost",
            "http://local host",
            "http://localhost\\@evil.com",
            "http://localhost\t.evil.com",
            " http://localhost",
            "http://[::1",
        ] {
            assert_eq!(Address::parse(none), None, "{none}");
        }
    }
}
