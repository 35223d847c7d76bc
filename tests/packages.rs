//! What a release is made of: `.ci/release source` gives an archive and recipes that fit it, the same every time.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

const ADDRESS: &str = "https://segue.example.org/files";

/// Whether a program is there; says so where it is not.
fn there(name: &str) -> bool {
    let found = Command::new(name).arg("--version").output().is_ok();
    if !found {
        println!("skipped: {name} is not installed");
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn text(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The archive and the recipes; none where the source is not in git, as in a package of it.
fn release() -> Option<tempfile::TempDir> {
    if !there("git") || !root().join(".git").exists() {
        println!("skipped: the source is not in git");
        return None;
    }
    let out = tempfile::tempdir().unwrap();
    let mut command = Command::new(root().join(".ci/release"));
    text(command.arg("source").env("SEGUE_ADDRESS", ADDRESS).env("SEGUE_PACKAGES", out.path()));
    Some(out)
}

#[test]
fn the_source_archive_is_whole_and_the_same_every_time() {
    let (Some(first), Some(second)) = (release(), release()) else { return };
    let name = format!("segue-{}.tar.gz", env!("CARGO_PKG_VERSION"));
    let archive = first.path().join(&name);
    assert_eq!(std::fs::read(&archive).unwrap(), std::fs::read(second.path().join(&name)).unwrap());
    let list = text(Command::new("tar").arg("-tzf").arg(&archive));
    let top = name.trim_end_matches(".tar.gz");
    for file in
        ["Cargo.toml", "Cargo.lock", "src/main.rs", "assets/demo/cover.png", "LICENSE", "docs/README.md"]
    {
        assert!(list.lines().any(|line| line == format!("{top}/{file}")), "{file} is missing");
    }
    assert!(list.lines().all(|line| line.starts_with(top) && !line.contains("/target/")), "{list}");
}

#[test]
fn the_recipes_name_the_archive_and_its_sum() {
    let Some(out) = release() else { return };
    let version = env!("CARGO_PKG_VERSION");
    let archive = out.path().join(format!("segue-{version}.tar.gz"));
    let sum = text(Command::new("sha256sum").arg(&archive)).split(' ').next().unwrap().to_owned();
    let script = "source \"$1\"; printf '%s\\n' \"$pkgver\" \"${source[0]}\" \"${sha256sums[0]}\"; \
                  for part in prepare build check package; do declare -F \"$part\"; done";
    let recipe = out.path().join("PKGBUILD");
    let said = text(Command::new("bash").args(["-euc", script, "bash"]).arg(&recipe));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..3], [version, &format!("{ADDRESS}/segue-{version}.tar.gz"), &sum], "{said}");
    assert_eq!(lines[3..], ["prepare", "build", "check", "package"]);

    let formula = std::fs::read_to_string(out.path().join("segue.rb")).unwrap();
    assert!(formula.contains(&format!("url \"{ADDRESS}/segue-{version}.tar.gz\"")), "{formula}");
    assert!(formula.contains(&format!("sha256 \"{sum}\"")), "{formula}");
    for recipe in ["PKGBUILD", "segue.rb"] {
        let text = std::fs::read_to_string(out.path().join(recipe)).unwrap();
        for blank in ["@VERSION@", "@ADDRESS@", "@SHA256@"] {
            assert!(!text.contains(blank), "{recipe} still has {blank}");
        }
    }
    if there("ruby") {
        text(Command::new("ruby").arg("-c").arg(out.path().join("segue.rb")));
    }
}

#[test]
fn the_flake_can_be_read() {
    if !there("nix-instantiate") {
        return;
    }
    let store = tempfile::tempdir().unwrap();
    let mut command = Command::new("nix-instantiate");
    command.arg("--parse").arg(root().join("assets/packages/flake.nix")).env("NIX_STORE_DIR", store.path());
    text(command.env("NIX_STATE_DIR", store.path()).env("HOME", store.path()));
}

/// What recipes take from the tree is there.
#[test]
fn files_that_recipes_install_exist() {
    for recipe in ["assets/packages/PKGBUILD.in", "assets/packages/flake.nix", ".ci/release", "Cargo.toml"] {
        let recipe_text = std::fs::read_to_string(root().join(recipe)).unwrap();
        let words = recipe_text.split(|c: char| c.is_whitespace() || "\"'()[],".contains(c));
        let named: Vec<&str> = words
            .filter(|word| word.starts_with("assets/") || word.starts_with("docs/"))
            .filter(|word| !word.contains(['$', '*']) && word.len() > "assets/".len())
            .collect();
        assert!(!named.is_empty(), "{recipe} installs nothing");
        for file in named {
            assert!(root().join(file.trim_end_matches(';')).exists(), "{recipe} wants {file}");
        }
    }
}
