//! OIDC tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::Secret;

/// A text in the form of a signed JWT (RFC 7515 and 7519). No other text is sent as a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Jwt(Secret);

impl Jwt {
    /// Reads a token; `None` for any other text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let parts: Vec<_> = text.split('.').collect();
        let [header, claims, signature] = parts[..] else { return None };
        let is_object = |part: &str| {
            let decoded = URL_SAFE_NO_PAD.decode(part).ok();
            decoded.is_some_and(|decoded| serde_json::from_slice::<Map<String, Value>>(&decoded).is_ok())
        };
        let signed = !signature.is_empty() && URL_SAFE_NO_PAD.decode(signature).is_ok();
        (is_object(header) && is_object(claims) && signed).then(|| Self(Secret::new(text)))
    }

    /// The token itself, to send it.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_shaped_like_a_token_is_one() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let (header, claims, signature) = (part(r#"{"alg":"RS256"}"#), part(r#"{"iss":"https://i"}"#), part("s"));
        let token = format!("{header}.{claims}.{signature}");
        assert_eq!(Jwt::parse(&format!("{token}\n")).unwrap().expose(), token);
        for other in [
            "",
            "..",
            "a.b.c",
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            &format!("{header}.{claims}"),
            &format!("{header}.{claims}."),
            &format!("{header}.{claims}.{signature}.{signature}.{signature}"),
            &format!("{header}.{}.{signature}", part("[]")),
            &format!("{}.{claims}.{signature}", part("\"text\"")),
            &format!("{header}.{}.{signature}", part("secret")),
            &format!("{header}.{claims}=.{signature}"),
            &format!("{header}.{claims}.s+g/"),
            &format!("{header}.{claims}\n.{signature}"),
        ] {
            assert_eq!(Jwt::parse(other), None, "{other}");
        }
    }
}
