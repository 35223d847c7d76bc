//! Thousands of random keys, sizes and news: nothing panics, every cursor stays in its list, every frame draws.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use proptest::prelude::*;
use segue::tui::effects::Msg;
use tui_stage::{Shelf, Stage};

#[derive(Debug, Clone)]
enum Step {
    Keys(&'static str),
    Char(char),
    Resize(u16, u16),
    Wait,
    Advance(u64),
    Generation,
    Paste(String),
}

fn step() -> impl Strategy<Value = Step> {
    const KEYS: &[&str] = &[
        "j", "k", "h", "l", "gg", "G", "<C-d>", "<C-u>", "<Enter>", " ", "a", "A", "o", "f", "F", "*3", "J",
        "K", "d", "D", "gh", "gl", "gs", "gq", "ga", "gr", "g", "?", ":", "/", "n", "N", "<Esc>", "<Tab>",
        "<BS>", ">", "<", "<Left>", "<Right>", "<Up>", "<Down>", "s", "S", "r", "q", "<C-l>", "7j", "12k",
        "3G", "<A-x>", "<C-w>", "0", "gf", "L", "]", "[", "v", "<C-p>", ".", "gt", "g,", "gL",
    ];
    prop_oneof![
        12 => proptest::sample::select(KEYS).prop_map(Step::Keys),
        4 => proptest::sample::select(vec!['b', 'j', 'ö', '青', 'ي', '0', '9', ' ', 'e', '\u{301}', '👩'])
            .prop_map(Step::Char),
        1 => (0u16..320, 0u16..110).prop_map(|(w, h)| Step::Resize(w, h)),
        1 => Just(Step::Wait),
        1 => (0u64..400_000).prop_map(Step::Advance),
        1 => Just(Step::Generation),
        1 => "\\PC{0,12}".prop_map(Step::Paste),
    ]
}

fn take(stage: &mut Stage, step: Step) {
    match step {
        Step::Keys(keys) => {
            stage.keys(keys);
        }
        Step::Char(c) => {
            stage.keys(&c.to_string());
        }
        Step::Resize(width, height) => stage.resize(width, height),
        Step::Wait => stage.wait(),
        Step::Advance(ms) => stage.player(|status| status.position_ms = ms),
        Step::Generation => stage.session(|session| session.catalog_generation += 1),
        Step::Paste(text) => stage.tell(Msg::Paste(text)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks(steps in proptest::collection::vec(step(), 150..400)) {
        let mut stage = Stage::new(Shelf::Full, (100, 30));
        for (i, step) in steps.into_iter().enumerate() {
            // `tell` checks the invariants after every message.
            take(&mut stage, step);
            if i % 3 == 0 {
                let _ = stage.terminal();
            }
        }
    }
}
