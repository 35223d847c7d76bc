//! Whole screens as text at three sizes, compared with what was judged to be right.

use std::fmt::Write;

use super::Stage;

pub const SIZES: [(u16, u16); 3] = [(60, 16), (100, 30), (200, 60)];

/// Every size of one screen in one file.
pub fn picture(name: &str, mut stage: impl FnMut((u16, u16)) -> Stage) {
    let mut all = String::new();
    for size in SIZES {
        let stage = stage(size);
        let text = stage.text();
        assert_eq!(text.lines().count(), usize::from(size.1));
        for line in text.lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= usize::from(size.0), "{line}");
        }
        writeln!(all, "── {}×{}\n{text}", size.0, size.1).unwrap();
    }
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, all);
    });
}
