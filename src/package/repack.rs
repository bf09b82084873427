//! Unpacks a ready archive, so that its files are packed as all others: the same contents give the same bytes.

use std::fs;
use std::io::Read;
use std::path::Path;

use tempfile::TempDir;

use super::inspect::{Contents, is_link};
use super::ready::{Ready, plain};
use super::select::{Entry, Kind, Selection, modified};
use super::{Error, Listed, UNPACKED_LIMIT, unpacked};

/// Unpacks an archive into a folder for temporary files, which its entries lie in. Nested archives stay as they are.
pub(super) fn unpack(shown: &Path, archive: &Ready) -> Result<(Selection, TempDir), Error> {
    let files: Vec<_> = archive.entries().iter().filter(|entry| !entry.name.ends_with('/')).collect();
    if let Some(signature) = files.iter().find(|entry| is_signature(&plain(&entry.name))) {
        return Err(Error::Signed { archive: shown.to_owned(), signature: signature.name.clone() });
    }
    let all = unpacked(archive.entries());
    if all > UNPACKED_LIMIT {
        return Err(Error::TooLarge(all));
    }
    let folder = TempDir::new().map_err(Error::Temporary)?;
    let entry = |(number, listed): (usize, &&Listed)| {
        let contents = contents(archive, listed);
        let damaged = || Error::Dubious(shown.to_owned(), format!("its entry `{}` cannot be unpacked", listed.name));
        let contents = contents.ok_or_else(damaged)?;
        let source = folder.path().join(number.to_string());
        let kind = if is_link(listed) {
            Kind::Link { target: String::from_utf8(contents).map_err(|_| damaged())? }
        } else {
            fs::write(&source, &contents).map_err(Error::Temporary)?;
            let metadata = fs::metadata(&source).map_err(Error::Temporary)?;
            let executable = listed.mode & 0o111 != 0;
            Kind::File { size: metadata.len(), modified: modified(&metadata), executable }
        };
        Ok(Entry { name: plain(&listed.name), source, kind })
    };
    let mut entries = files.iter().enumerate().map(entry).collect::<Result<Vec<_>, Error>>()?;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((Selection { entries, left_out: Vec::new() }, folder))
}

/// The contents of an entry; `None` if they cannot be read, or are not those that the archive lists.
fn contents(archive: &Ready, listed: &Listed) -> Option<Vec<u8>> {
    let mut contents = Vec::new();
    archive.open(listed).ok()?.read_to_end(&mut contents).ok()?;
    let is_whole = contents.len() as u64 == listed.size && crc32fast::hash(&contents) == listed.crc32;
    is_whole.then_some(contents)
}

/// Whether a file signs the archive, as `jarsigner` and AWS Signer do. A signature of an archive inside is of no concern.
/// <https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html#signed-jar-file>
fn is_signature(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.strip_prefix("META-INF/").is_some_and(|base| {
        let ending = base.rsplit_once('.').map_or("", |(_, ending)| ending);
        !base.contains('/') && (matches!(ending, "SF" | "RSA" | "DSA" | "EC") || base.starts_with("SIG-"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_recognised_by_their_place_and_ending() {
        for (name, signs) in [
            ("META-INF/SIGNER.SF", true),
            ("META-INF/signer.rsa", true),
            ("meta-inf/A.DSA", true),
            ("META-INF/A.EC", true),
            ("META-INF/SIG-A", true),
            ("META-INF/aws_signer_signature_v1.0.SF", true),
            ("META-INF/MANIFEST.MF", false),
            ("META-INF/services/a.SF", false),
            ("lib/a.RSA", false),
            ("x/META-INF/A.RSA", false),
        ] {
            assert_eq!(is_signature(name), signs, "{name}");
        }
    }
}
