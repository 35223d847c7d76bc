//! How every family of benches reports: a row for each goal, then the count, which is also the exit status.

use std::process::ExitCode;

/// The rows of one run.
#[derive(Default)]
pub struct Goals {
    held: u32,
    missed: u32,
    skipped: u32,
}

impl Goals {
    /// A measured goal.
    pub fn row(&mut self, held: bool, name: &str, figure: &str, goal: &str, how: &str) {
        let word = if held { "held" } else { "missed" };
        println!("{word:<8} {name:<44} {figure:<34} goal {goal:<26} {how}");
        if held {
            self.held += 1;
        } else {
            self.missed += 1;
        }
    }

    /// A goal that could not be measured here. It does not count as held.
    #[allow(dead_code, reason = "not every family has peers")]
    pub fn skipped(&mut self, name: &str, why: &str) {
        self.skipped += 1;
        println!("skipped  {name:<44} {why}");
    }

    /// The last line and the exit status, which is good when every goal was measured and held.
    pub fn end(self) -> ExitCode {
        println!("{} held, {} missed", self.held, self.missed);
        if self.missed == 0 && self.skipped == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The middle one.
#[allow(dead_code, reason = "not every family measures times")]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
