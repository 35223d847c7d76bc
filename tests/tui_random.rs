//! Ten thousand random keys, clicks, sizes and news under every preset: nothing panics, every cursor stays in its list,
//! every frame draws.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tui_stage;

use crossterm::event::{KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;
use segue::tui::Fresh;
use segue::tui::effects::Msg;
use segue::tui::keymap::{Key, Keymap, Layer, PRESETS};
use tui_stage::records::discography;
use tui_stage::{Asks, Shelf, Stage};

#[derive(Debug, Clone)]
enum Step {
    /// All keys of a binding of the preset, by its place among all.
    Bound(usize),
    /// A way to a page, as vim has it: under other presets these are only keys.
    Keys(&'static str),
    Char(char),
    Mouse(u8, u16, u16),
    Resize(u16, u16),
    Wait,
    Advance(u64),
    Generation,
    Paste(String),
    Focus(bool),
    Fails(bool),
}

fn step() -> impl Strategy<Value = Step> {
    const KEYS: &[&str] = &[
        "gl", "gs", "gq", "ga", "gA", "gr", "gp", "gt", "g,", "gL", "gD", "i", "b", "o", "q", "j", "k", "h",
        "l", "gg", "G", "<C-d>", "<Enter>", "<Esc>", "<Tab>", "<BS>", "7j", "12k", "3G", "<C-w>", "'b", "/a",
        ":", "?", ".", "<C-p>", "v", "<C-l>",
    ];
    prop_oneof![
        12 => (0usize..1000).prop_map(Step::Bound),
        8 => proptest::sample::select(KEYS).prop_map(Step::Keys),
        4 => proptest::sample::select(vec!['b', 'j', 'ö', '青', 'ي', '0', '9', ' ', 'e', '\u{301}', '👩'])
            .prop_map(Step::Char),
        3 => (0u8..5, 0u16..200, 0u16..60).prop_map(|(what, x, y)| Step::Mouse(what, x, y)),
        1 => (0u16..320, 0u16..110).prop_map(|(w, h)| Step::Resize(w, h)),
        1 => Just(Step::Wait),
        1 => (0u64..400_000).prop_map(Step::Advance),
        1 => Just(Step::Generation),
        1 => "\\PC{0,12}".prop_map(Step::Paste),
        1 => any::<bool>().prop_map(Step::Focus),
        1 => any::<bool>().prop_map(Step::Fails),
    ]
}

/// Every sequence of keys that a preset binds to anything.
fn sequences(map: &Keymap) -> Vec<Vec<Key>> {
    const LAYERS: [Layer; 23] = [
        Layer::Everywhere,
        Layer::Home,
        Layer::Library,
        Layer::Search,
        Layer::Queue,
        Layer::Album,
        Layer::Downloads,
        Layer::Player,
        Layer::Mix,
        Layer::Playlists,
        Layer::Playlist,
        Layer::Statistics,
        Layer::Settings,
        Layer::Log,
        Layer::Artist,
        Layer::Details,
        Layer::Doctor,
        Layer::Year,
        Layer::Insights,
        Layer::Privacy,
        Layer::Typing,
        Layer::Help,
        Layer::Everywhere,
    ];
    LAYERS.iter().flat_map(|layer| map.bindings(*layer)).map(|binding| binding.keys.clone()).collect()
}

fn take(stage: &mut Stage, bound: &[Vec<Key>], step: Step) {
    match step {
        Step::Bound(at) => {
            for key in &bound[at % bound.len()] {
                stage.tell(Msg::Key(KeyEvent::new(key.code, key.held)));
            }
        }
        Step::Keys(keys) => {
            stage.keys(keys);
        }
        Step::Char(c) => {
            stage.keys(&c.to_string());
        }
        Step::Mouse(what, column, row) => {
            let kind = match what {
                0 => MouseEventKind::Down(MouseButton::Right),
                1 => MouseEventKind::ScrollDown,
                2 => MouseEventKind::ScrollUp,
                3 => MouseEventKind::Drag(MouseButton::Left),
                _ => MouseEventKind::Down(MouseButton::Left),
            };
            stage.tell(Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
        }
        Step::Resize(width, height) => stage.resize(width, height),
        Step::Wait => stage.wait(),
        Step::Advance(ms) => stage.player(|status| status.position_ms = ms),
        Step::Generation => stage.session(|session| session.catalog_generation += 1),
        Step::Paste(text) => stage.tell(Msg::Paste(text)),
        Step::Focus(focused) => stage.tell(Msg::Focus(focused)),
        Step::Fails(fails) => {
            stage.asks(if fails { Asks::Refused } else { Asks::Answered });
        }
    }
}

fn walk(preset: &str, steps: Vec<Step>) {
    let (_, text) = PRESETS.iter().find(|(name, _)| *name == preset).unwrap();
    let keymap = Keymap::from_toml(text).unwrap();
    let bound = sequences(&keymap);
    let mut stage = Stage::new(Shelf::Full, (100, 30));
    discography(&mut stage);
    stage.tell(Msg::Fresh(Box::new(Fresh { keymap, ..Fresh::default() })));
    for (i, step) in steps.into_iter().enumerate() {
        // `tell` checks the invariants after every message.
        take(&mut stage, &bound, step);
        if i % 5 == 0 {
            let _ = stage.terminal();
        }
    }
}

proptest! {
    // Two walks of 1,250 steps under each of the four presets.
    #![proptest_config(ProptestConfig { cases: 2, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks_under_vim(steps in proptest::collection::vec(step(), 1_250)) {
        walk("vim", steps);
    }

    #[test]
    fn nothing_breaks_under_emacs(steps in proptest::collection::vec(step(), 1_250)) {
        walk("emacs", steps);
    }

    #[test]
    fn nothing_breaks_under_cmus(steps in proptest::collection::vec(step(), 1_250)) {
        walk("cmus", steps);
    }

    #[test]
    fn nothing_breaks_under_ncmpcpp(steps in proptest::collection::vec(step(), 1_250)) {
        walk("ncmpcpp", steps);
    }
}
