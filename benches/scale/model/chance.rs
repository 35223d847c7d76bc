//! Seeded randomness and the one function that it needs, from arithmetic that every machine does alike.

/// `SplitMix64` (Steele, Lea and Flood 2014): small, fast, and good enough for times between requests.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub const fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly between 0 and 1, never 0.
    pub fn even(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Exponentially distributed with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -ln(self.even()) * mean
    }

    /// One of so many.
    pub fn below(&mut self, many: usize) -> usize {
        ((self.even() * many as f64) as usize).min(many.saturating_sub(1))
    }
}

/// The natural logarithm of a positive number: the exponent, and a series in (m-1)/(m+1) for the mantissa.
pub fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as f64 - 1023.0;
    let mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let square = t * t;
    let mut power = t;
    let mut sum = 0.0;
    for n in 0..16 {
        sum += power / f64::from(2 * n + 1);
        power *= square;
    }
    2.0 * sum + exponent * std::f64::consts::LN_2
}

/// The logarithm to the base 10.
pub fn log10(x: f64) -> f64 {
    ln(x) / std::f64::consts::LN_10
}
