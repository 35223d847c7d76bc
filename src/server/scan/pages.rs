//! A file as tag readers like it: they jump between beginning and end and read a few bytes at a time, and each jump costs an ordinary
//! buffer what it holds. A few pages are kept here, so that most files cost two or three reads; and there is an end to what
//! one file may make a reader read.

use std::{
    fs::File,
    io::{Error, ErrorKind, Read, Result, Seek, SeekFrom},
};

use crate::server::storage::Reader;

/// Bytes in a page.
const PAGE: usize = 16 << 10;
/// Pages kept.
const PAGES: usize = 4;

#[derive(Debug)]
struct Page {
    /// Where it begins in the file, in pages.
    number: u64,
    bytes: Vec<u8>,
}

/// A file with a few of its pages.
#[derive(Debug)]
pub(super) struct Pages {
    file: Reader,
    length: u64,
    at: u64,
    /// The one used last comes first.
    held: Vec<Page>,
    /// Bytes that may still be read.
    budget: u64,
}

impl Pages {
    /// Begins at the beginning. After `budget` bytes reading ends with [`ErrorKind::FileTooLarge`].
    pub(super) fn new(file: Reader, budget: u64) -> Result<Self> {
        let length = file.length()?;
        Ok(Self { file, length, at: 0, held: Vec::with_capacity(PAGES), budget })
    }

    fn page(&mut self, number: u64) -> Result<&[u8]> {
        let known = self.held.iter().position(|page| page.number == number);
        let page = if let Some(at) = known {
            self.held.remove(at)
        } else {
            let mut bytes = match self.held.pop() {
                Some(oldest) if self.held.len() + 1 >= PAGES => oldest.bytes,
                Some(other) => {
                    self.held.push(other);
                    Vec::new()
                }
                None => Vec::new(),
            };
            bytes.resize(PAGE, 0);
            let read = read_at(&mut self.file, &mut bytes, number * PAGE as u64)?;
            bytes.truncate(read);
            Page { number, bytes }
        };
        self.held.insert(0, page);
        Ok(self.held.first().map_or(&[], |page| page.bytes.as_slice()))
    }
}

impl Read for Pages {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = out.len().min(left);
        if wanted == 0 {
            return Ok(0);
        }
        if self.budget < wanted as u64 {
            return Err(Error::from(ErrorKind::FileTooLarge));
        }
        let read = if wanted >= PAGE {
            let at = self.at;
            read_at(&mut self.file, out.get_mut(..wanted).unwrap_or_default(), at)?
        } else {
            let inside = (self.at % PAGE as u64) as usize;
            let page = self.page(self.at / PAGE as u64)?;
            let bytes = page.get(inside..).unwrap_or_default();
            let count = bytes.len().min(wanted);
            if let (Some(to), Some(from)) = (out.get_mut(..count), bytes.get(..count)) {
                to.copy_from_slice(from);
            }
            count
        };
        self.at += read as u64;
        self.budget -= read as u64;
        Ok(read)
    }
}

impl Seek for Pages {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

/// Reads until `out` is full or the file ends.
fn read_at(reader: &mut Reader, out: &mut [u8], at: u64) -> Result<usize> {
    let mut done = 0;
    while let Some(rest) = out.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let at = at + done as u64;
        let some = match reader {
            Reader::File(file) => some_at(file, rest, at),
            Reader::Object(object) => object.seek(SeekFrom::Start(at)).and_then(|_| object.read(rest)),
        };
        match some {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

#[cfg(unix)]
fn some_at(file: &File, out: &mut [u8], at: u64) -> Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, out, at)
}

#[cfg(not(unix))]
fn some_at(mut file: &File, out: &mut [u8], at: u64) -> Result<usize> {
    file.seek(SeekFrom::Start(at))?;
    file.read(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(length: usize) -> (tempfile::NamedTempFile, Vec<u8>) {
        let bytes: Vec<u8> = (0..length).map(|n| (n * 31 % 251) as u8).collect();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        (file, bytes)
    }

    proptest! {
        #[test]
        fn bytes_are_those_of_the_file(steps in prop::collection::vec((0_u64..200_000, 0_usize..40_000), 1..40)) {
            let (file, bytes) = file(150_000);
            let mut pages = Pages::new(Reader::File(File::open(file.path()).unwrap()), u64::MAX).unwrap();
            for (at, count) in steps {
                pages.seek(SeekFrom::Start(at)).unwrap();
                let mut read = Vec::new();
                pages.by_ref().take(count as u64).read_to_end(&mut read).unwrap();
                let from = (at as usize).min(bytes.len());
                let to = (from + count).min(bytes.len());
                prop_assert_eq!(read.as_slice(), &bytes[from..to]);
            }
        }
    }

    #[test]
    fn reading_ends_with_the_budget() {
        let (file, _) = file(100_000);
        let mut pages = Pages::new(Reader::File(File::open(file.path()).unwrap()), 50_000).unwrap();
        let error = std::io::copy(&mut pages, &mut std::io::sink()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
    }
}
