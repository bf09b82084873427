//! Parts of an entry's name.

/// The last part of a path.
pub(super) fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The text after the last `.` of the last part; empty without a `.`.
pub(super) fn extension(name: &str) -> &str {
    base(name).rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// The path up to the first `.` of its last part.
pub(super) fn stem(name: &str) -> &str {
    let folder = name.len() - base(name).len();
    let end = base(name).find('.').unwrap_or(base(name).len());
    &name[..folder + end]
}
