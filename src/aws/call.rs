//! What a message says of a call.

/// An action of AWS, by its name in policies, and its resource.
pub(super) struct Call<'a> {
    pub action: &'a str,
    pub resource: &'a str,
}
