//! Lists in parts: each part that has rows has a heading over it, and a blank line before.
//!
//! Rows are counted through all parts; lines count headings and blanks too.

/// A line of such a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SectionLine {
    /// Between parts.
    Blank,
    /// The heading of this part.
    Heading(usize),
    /// This row, of this part.
    Row(usize, usize),
}

/// Lines of parts with so many rows.
pub(crate) fn lines(lens: &[usize]) -> usize {
    let parts = lens.iter().filter(|len| **len > 0).count();
    lens.iter().sum::<usize>() + parts + parts.saturating_sub(1)
}

/// The line at this height.
pub(crate) fn line(lens: &[usize], mut at: usize) -> Option<SectionLine> {
    let mut row = 0;
    let mut first = true;
    for (part, len) in lens.iter().copied().enumerate().filter(|(_, len)| *len > 0) {
        if !first {
            if at == 0 {
                return Some(SectionLine::Blank);
            }
            at -= 1;
        }
        first = false;
        if at == 0 {
            return Some(SectionLine::Heading(part));
        }
        at -= 1;
        if at < len {
            return Some(SectionLine::Row(row + at, part));
        }
        at -= len;
        row += len;
    }
    None
}

/// The line of this row.
pub(crate) fn line_of(lens: &[usize], row: usize) -> usize {
    let (mut line, mut before) = (0, 0);
    let mut first = true;
    for len in lens.iter().copied().filter(|len| *len > 0) {
        line += if first { 1 } else { 2 };
        first = false;
        if row < before + len {
            return line + row - before;
        }
        line += len;
        before += len;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_rows_agree() {
        for lens in [[0, 0, 0, 0], [2, 1, 0, 3], [0, 1, 2, 0], [3, 1, 2, 4], [0, 0, 0, 2]] {
            let rows: Vec<usize> = (0..lines(&lens))
                .filter_map(|at| match line(&lens, at) {
                    Some(SectionLine::Row(row, _)) => Some((row, at)),
                    _ => None,
                })
                .map(|(row, at)| {
                    assert_eq!(line_of(&lens, row), at);
                    row
                })
                .collect();
            assert_eq!(rows, (0..lens.iter().sum()).collect::<Vec<_>>());
            assert_eq!(line(&lens, lines(&lens)), None);
        }
    }
}
