//! Segments in a file: every list with its length before it, little-endian, and a sum over all of it at the end. What can be
//! worked out quickly (minima, groups) is not kept. A file that is short, altered or of another make is refused, and
//! then the index is built again.

use std::io::{self, Read, Write};

use super::segment::Segment;

/// Changes with the format, and with how texts become words.
const MAGIC: [u8; 8] = *b"segueix3";

/// A sum that notices what disks do to files; it does not resist an enemy, who could as well alter the catalog.
#[derive(Clone, Copy)]
struct Sum(u64);

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        const K: u64 = 0x9e37_79b9_7f4a_7c15;
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.0 = (self.0 ^ u64::from_le_bytes(*word)).wrapping_mul(K).rotate_left(29);
        }
        for byte in rest {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(K).rotate_left(29);
        }
    }
}

struct Out<W> {
    to: W,
    sum: Sum,
}

impl<W: Write> Out<W> {
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.add(bytes);
        self.to.write_all(bytes)
    }

    fn list<const N: usize, T: Copy>(&mut self, list: &[T], bytes: impl Fn(T) -> [u8; N]) -> io::Result<()> {
        self.bytes(&(list.len() as u64).to_le_bytes())?;
        for part in list.chunks(STEP) {
            let part: Vec<u8> = part.iter().flat_map(|item| bytes(*item)).collect();
            self.bytes(&part)?;
        }
        Ok(())
    }
}

struct In<R> {
    from: R,
    sum: Sum,
}

/// Items read or written together.
const STEP: usize = 16 * 1024;

impl<R: Read> In<R> {
    fn bytes(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.from.read_exact(bytes)?;
        self.sum.add(bytes);
        Ok(())
    }

    fn number(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Grows step by step, so that a wrong length is an error and not a demand for all memory.
    fn list<const N: usize, T>(&mut self, item: impl Fn([u8; N]) -> T) -> io::Result<Vec<T>> {
        let mut left = usize::try_from(self.number()?).map_err(|_| broken())?;
        let mut list = Vec::with_capacity(left.min(64 * STEP));
        let mut buffer = vec![0; STEP * N];
        while left > 0 {
            let now = left.min(STEP);
            let part = buffer.get_mut(..now * N).ok_or_else(broken)?;
            self.bytes(part)?;
            if list.capacity() - list.len() < now {
                list.reserve_exact(left.min(16 * list.len().max(STEP)));
            }
            list.extend(part.as_chunks::<N>().0.iter().map(|bytes| item(*bytes)));
            left -= now;
        }
        list.shrink_to_fit();
        Ok(list)
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the search index is damaged")
}

/// Writes segments with a name that says what they are an index of.
pub(in crate::catalog) fn write(to: impl Write, name: &str, segments: &[&Segment]) -> io::Result<()> {
    let mut out = Out { to, sum: Sum(1) };
    out.bytes(&MAGIC)?;
    out.list(name.as_bytes(), |b: u8| [b])?;
    for s in segments {
        for list in [
            &s.word_text,
            &s.shared,
            &s.titles,
            &s.companies,
            &s.ids.bytes,
            &s.steps,
            &s.verses.text,
            &s.verses.docs,
        ] {
            out.list(list, |b: u8| [b])?;
        }
        for list in [
            &s.word_starts,
            &s.posting_starts,
            &s.postings,
            &s.title_starts,
            &s.by_title,
            &s.company,
            &s.company_starts,
            &s.ids.starts,
            &s.added,
            &s.genres,
            &s.verses.text_starts,
            &s.verses.doc_starts,
        ] {
            out.list(list, u32::to_le_bytes)?;
        }
        out.list(&s.years, i16::to_le_bytes)?;
        out.list(s.genre_sets.join("\u{0}").as_bytes(), |b: u8| [b])?;
    }
    let sum = out.sum.0;
    out.to.write_all(&sum.to_le_bytes())?;
    out.to.flush()
}

/// Reads so many segments, if they bear this name.
pub(in crate::catalog) fn read(from: impl Read, name: &str, count: usize) -> io::Result<Vec<Segment>> {
    let mut input = In { from, sum: Sum(1) };
    let mut magic = [0; 8];
    input.bytes(&mut magic)?;
    if magic != MAGIC || input.list(|[b]: [u8; 1]| b)? != name.as_bytes() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the search index is of another make"));
    }
    let mut segments = Vec::with_capacity(count);
    for _ in 0..count {
        let mut s = Segment::default();
        for list in [
            &mut s.word_text,
            &mut s.shared,
            &mut s.titles,
            &mut s.companies,
            &mut s.ids.bytes,
            &mut s.steps,
            &mut s.verses.text,
            &mut s.verses.docs,
        ] {
            *list = input.list(|[b]: [u8; 1]| b)?;
        }
        for list in [
            &mut s.word_starts,
            &mut s.posting_starts,
            &mut s.postings,
            &mut s.title_starts,
            &mut s.by_title,
            &mut s.company,
            &mut s.company_starts,
            &mut s.ids.starts,
            &mut s.added,
            &mut s.genres,
            &mut s.verses.text_starts,
            &mut s.verses.doc_starts,
        ] {
            *list = input.list(u32::from_le_bytes)?;
        }
        s.years = input.list(i16::from_le_bytes)?;
        let sets = String::from_utf8(input.list(|[b]: [u8; 1]| b)?).map_err(|_| broken())?;
        s.genre_sets = sets.split('\u{0}').map(str::to_owned).collect();
        segments.push(s);
    }
    let sum = input.sum.0;
    let mut kept = [0; 8];
    input.from.read_exact(&mut kept)?;
    if u64::from_le_bytes(kept) != sum || !segments.iter().all(is_sound) {
        return Err(broken());
    }
    Ok(segments.into_iter().map(Segment::ready).collect())
}

/// Whether the lists fit together.
fn is_sound(s: &Segment) -> bool {
    let documents = s.steps.len();
    let starts = |starts: &[u32], slots: usize, end: usize| {
        starts.len() == slots + 1
            && starts.is_sorted()
            && starts.last().is_some_and(|last| *last as usize == end)
    };
    let inside = |list: &[u32]| list.iter().all(|doc| (*doc as usize) < documents);
    starts(&s.word_starts, s.shared.len(), s.word_text.len())
        && starts(&s.posting_starts, s.shared.len(), s.postings.len())
        && starts(&s.title_starts, documents, s.titles.len())
        && s.ids.is_sound(documents)
        && s.steps.is_sorted_by(|a, b| a >= b)
        && starts(&s.company_starts, s.company_starts.len().saturating_sub(1), s.companies.len())
        && [s.by_title.len(), s.company.len(), s.added.len(), s.genres.len(), s.years.len()] == [documents; 5]
        && inside(&s.postings)
        && inside(&s.by_title)
        && s.verses.is_sound(documents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::index::{Builder, Entry};

    fn sample() -> Vec<u8> {
        let mut builder = Builder::default();
        for (id, title) in [("a", "One Song"), ("b", "Zwölf"), ("0123456789abcdef0123456789abcdef", "東京")]
        {
            builder.add(&Entry {
                id,
                title,
                lyrics: "la la\nlu",
                genres: "Rock\nJazz",
                year: Some(1999),
                ..Entry::default()
            });
        }
        let mut bytes = Vec::new();
        write(&mut bytes, "mine", &[&builder.finish()]).unwrap();
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        let segment = read(sample().as_slice(), "mine", 1).unwrap().pop().unwrap();
        assert_eq!(segment.len(), 3);
        let doc = segment.doc("0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(segment.id(doc), "0123456789abcdef0123456789abcdef");
        assert_eq!(segment.genre_sets[segment.genre_set(doc)], "rock\njazz");
        assert!(read(sample().as_slice(), "yours", 1).is_err());
    }

    #[test]
    fn damage_is_noticed() {
        let whole = sample();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            assert!(read(bytes.as_slice(), "mine", 1).is_err(), "byte {at}");
            assert!(read(&whole[..at], "mine", 1).is_err(), "cut at {at}");
        }
    }
}
