//! From a list of entries to bytes: deflated in parallel, written in order, with one fixed time.

use std::{
    fs::File,
    io::{self, Cursor, Read, Write},
};

use rayon::prelude::*;
use zip::{
    CompressionMethod, DateTime, System, ZipArchive, ZipWriter,
    write::{PreparedZipFile, SimpleFileOptions, ZipFileBuilder},
};

use super::{Entry, Error, Kind, Listed};

/// Entries compressed at once. Bounds what is in memory besides the archive itself.
const BATCH: usize = 256;

/// Writes the entries, in their order, into an archive.
pub(super) fn write(entries: &[Entry]) -> Result<Vec<u8>, Error> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for batch in entries.chunks(BATCH) {
        let prepared: Vec<_> = batch.par_iter().map(prepare).collect::<Result<_, _>>()?;
        for file in prepared {
            archive.add_prepared_file(file).map_err(|error| Error::Write(error.into()))?;
        }
    }
    Ok(archive.finish().map_err(|error| Error::Write(error.into()))?.into_inner())
}

/// The options of every entry. The time is the first that the format knows, 1980-01-01 00:00:00.
fn options(entry: &Entry) -> SimpleFileOptions {
    let method = match entry.kind {
        Kind::File { size: 1.., .. } => CompressionMethod::Deflated,
        Kind::File { size: 0, .. } | Kind::Link { .. } => CompressionMethod::Stored,
    };
    SimpleFileOptions::default()
        .compression_method(method)
        .compression_level(None)
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .external_attributes(entry.mode() << 16)
}

fn prepare(entry: &Entry) -> Result<PreparedZipFile, Error> {
    let written = |error: io::Error| Error::Write(error);
    let mut file = ZipFileBuilder::new(&entry.name, options(entry)).map_err(|error| Error::Write(error.into()))?;
    match &entry.kind {
        Kind::Link { target } => file.write_all(target.as_bytes()).map_err(written)?,
        Kind::File { size, .. } => {
            let unreadable = |error| Error::Unreadable(entry.source.clone(), error);
            let mut bytes = Vec::with_capacity(usize::try_from(*size).unwrap_or_default());
            File::open(&entry.source).and_then(|mut source| source.read_to_end(&mut bytes)).map_err(unreadable)?;
            if bytes.len() as u64 != *size {
                return Err(Error::Changed(entry.source.clone()));
            }
            file.write_all(&bytes).map_err(written)?;
        }
    }
    file.finish().map_err(|error| Error::Write(error.into()))
}

/// The entries of an archive, by its central directory.
///
/// The error is the reason why it is not one.
pub(super) fn list(bytes: &[u8]) -> Result<Vec<Listed>, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    (0..archive.len())
        .map(|index| {
            let entry = archive.by_index_raw(index).map_err(|error| error.to_string())?;
            let mode = entry.unix_mode().unwrap_or_default();
            Ok(Listed { name: String::from_utf8_lossy(entry.name_raw()).into_owned(), mode, size: entry.size() })
        })
        .collect()
}
