//! The page of keys in `docs/` says what the program does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;

/// `SEGUE_WRITE_DOCS=1 cargo test --test tui_manual` writes the page anew.
#[test]
fn the_page_of_keys_is_made_from_the_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/keys.md");
    let page = segue::tui::manual::keys();
    if std::env::var_os("SEGUE_WRITE_DOCS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == page, "docs/keys.md is old: SEGUE_WRITE_DOCS=1 cargo test --test tui_manual");
}
