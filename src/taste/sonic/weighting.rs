//! The K-weighting of ITU-R BS.1770-4: a shelf for the head and a high-pass, at any rate by the bilinear transform of the
//! analogue filters that the standard's coefficients for 48 kHz come from. Both channels go through side by side.

use std::f64::consts::PI;

/// State below this is nothing; keeps silence from ending in denormal numbers, which are slow.
const NOTHING: f64 = 1e-15;

/// A second-order section, for both channels (transposed direct form II).
struct Section {
    b: [f64; 3],
    a: [f64; 2],
    one: [f64; 2],
    two: [f64; 2],
}

impl Section {
    fn step(&mut self, x: [f64; 2]) -> [f64; 2] {
        // What does not need `y` comes first: the next frame waits for `one`.
        let ahead = [self.b[1] * x[0] + self.two[0], self.b[1] * x[1] + self.two[1]];
        let y = [self.b[0] * x[0] + self.one[0], self.b[0] * x[1] + self.one[1]];
        self.one = [ahead[0] - self.a[0] * y[0], ahead[1] - self.a[0] * y[1]];
        self.two = [self.b[2] * x[0] - self.a[1] * y[0], self.b[2] * x[1] - self.a[1] * y[1]];
        y
    }

    fn settle(&mut self) {
        for state in self.one.iter_mut().chain(&mut self.two) {
            if state.abs() < NOTHING {
                *state = 0.0;
            }
        }
    }
}

/// The filter at one rate.
pub(super) struct Weighting {
    rate: u32,
    shelf: Section,
    pass: Section,
}

impl Weighting {
    /// At this rate, frames per second.
    pub(super) fn new(rate: u32) -> Self {
        let section = |b, a| Section { b, a, one: [0.0; 2], two: [0.0; 2] };
        let tangent = |hz: f64| (PI * hz / f64::from(rate)).tan();
        // +4 dB from about 1.7 kHz up.
        let (k, q) = (tangent(1_681.974_450_955_533), 0.707_175_236_955_419_6);
        let high = 10.0_f64.powf(3.999_843_853_973_347 / 20.0);
        let band = high.powf(0.499_666_774_154_541_6);
        let a0 = 1.0 + k / q + k * k;
        let shelf = section(
            [
                (high + band * k / q + k * k) / a0,
                2.0 * (k * k - high) / a0,
                (high - band * k / q + k * k) / a0,
            ],
            [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0],
        );
        // Nothing below about 38 Hz.
        let (k, q) = (tangent(38.135_470_876_024_44), 0.500_327_037_323_877_3);
        let a0 = 1.0 + k / q + k * k;
        let pass = section([1.0, -2.0, 1.0], [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0]);
        Self { rate, shelf, pass }
    }

    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// Weighs frames, and gives the sum of the squares of both channels.
    pub(super) fn take(&mut self, frames: &[[f32; 2]]) -> f64 {
        let mut sums = [0.0_f64; 2];
        for [left, right] in frames {
            let y = self.pass.step(self.shelf.step([f64::from(*left), f64::from(*right)]));
            sums = [sums[0] + y[0] * y[0], sums[1] + y[1] * y[1]];
        }
        self.shelf.settle();
        self.pass.settle();
        sums[0] + sums[1]
    }
}
