//! `docs/privacy.md` promises a test for each duty; each of them is there.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;

#[test]
fn every_test_that_the_page_on_privacy_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/privacy.md")).unwrap();
    let mut code = String::new();
    for folder in ["src", "tests"] {
        for entry in walkdir::WalkDir::new(root.join(folder)) {
            let entry = entry.unwrap();
            if entry.path().extension().is_some_and(|end| end == "rs") {
                code.push_str(&std::fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    let table = page.split("## Duties and where they are met").nth(1).unwrap();
    let rows: Vec<&str> =
        table.lines().filter(|line| line.starts_with("| GDPR") || line.starts_with("| CCPA")).collect();
    assert!(rows.len() > 15, "the table is gone");
    for row in rows {
        let named = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let tests: Vec<&str> = named.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test in: {row}");
        for test in tests {
            let after = code.split(&format!("fn {test}()")).next().unwrap();
            assert!(after.len() < code.len(), "there is no test {test}");
            let before = after.trim_end().trim_end_matches("async").trim_end();
            assert!(
                before.ends_with("#[test]") || before.ends_with("#[tokio::test]") || before.ends_with(']'),
                "{test} is no test"
            );
        }
    }
    for article in ["5", "6", "7", "13", "15", "17", "18", "20", "21", "22", "25", "30", "32"] {
        let named = table.lines().any(|line| {
            let duty = line.split('|').nth(1).unwrap_or_default();
            duty.split(|c: char| !c.is_ascii_digit()).any(|number| number == article)
        });
        assert!(named, "article {article} is not in the table");
    }
    assert!(page.contains("no legal advice"));
}
