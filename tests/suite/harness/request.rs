//! A request as it arrives on a connection.

use std::io::BufRead;

use percent_encoding::percent_decode_str;

/// Head and body of a request.
#[derive(Clone)]
pub struct Request {
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    /// The next request of a connection; none when the connection ends before it is complete.
    pub fn read(from: &mut impl BufRead) -> Option<Self> {
        let mut request = Self::read_head(from)?;
        request.read_body(from)?;
        Some(request)
    }

    /// The head of the next request of a connection.
    pub fn read_head(from: &mut impl BufRead) -> Option<Self> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if from.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        Some(Self { head, body: Vec::new() })
    }

    /// Reads the body after the head.
    pub fn read_body(&mut self, from: &mut impl BufRead) -> Option<()> {
        let length = self.header("content-length").map_or(0, |length| length.parse().unwrap());
        self.body.resize(length, 0);
        from.read_exact(&mut self.body).ok()
    }

    pub fn method(&self) -> &str {
        self.head.split(' ').next().unwrap_or_default()
    }

    fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The path as it was sent, with its escapes.
    pub fn path(&self) -> &str {
        self.target().split('?').next().unwrap_or_default()
    }

    /// Names and values of the query, in their order.
    pub fn query(&self) -> Vec<(String, String)> {
        pairs(self.target().split_once('?').map_or("", |(_, query)| query))
    }

    /// Names, in lower case, and values of the headers.
    pub fn headers(&self) -> impl Iterator<Item = (String, &str)> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Names and values of a query or a form.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| decode(&text.replace('+', " "));
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').unwrap_or((part, ""))).map(|(n, v)| (decoded(n), decoded(v))).collect()
}

/// A text without its percent escapes.
pub fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
