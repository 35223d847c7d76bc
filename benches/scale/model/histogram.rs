//! Durations counted in buckets that are never wider than a sixty-fourth of what is in them.

/// Buckets of one doubling.
const STEPS: u64 = 64;

/// Counts of durations in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

fn bucket(us: u64) -> usize {
    if us < STEPS {
        return us as usize;
    }
    let shift = u64::from(us.ilog2()) - 6;
    (STEPS * (shift + 1) + (us >> shift) - STEPS) as usize
}

/// The smallest duration of a bucket.
fn least(bucket: usize) -> u64 {
    let at = bucket as u64;
    if at < STEPS { at } else { (STEPS + at % STEPS) << (at / STEPS - 1) }
}

impl Histogram {
    pub fn add(&mut self, us: u64) {
        let at = bucket(us);
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += 1;
        self.total += 1;
    }

    pub fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
    }

    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Milliseconds that this part of all stayed below; none of nothing.
    pub fn below(&self, part: f64) -> Option<f64> {
        let wanted = ((self.total as f64 * part).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0;
        let at = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        })?;
        Some(least(at) as f64 / 1000.0)
    }
}
