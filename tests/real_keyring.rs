//! Passwords in a real keyring: `gnome-keyring` on a session bus of the test's own. Run by `.ci/run`.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use program::{Home, installed, skip};

const SERVER: &str = "http://127.0.0.1:9";

/// Runs `script` in a session with an unlocked keyring; `$SEGUE` is the binary.
fn session(home: &Home, script: &str) -> Output {
    let unlock = "printf keyring | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1";
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "sh", "-c", &format!("{unlock}; sleep 1; {script}")]);
    command.env_clear().envs(home.variables()).env("SEGUE", env!("CARGO_BIN_EXE_segue"));
    std::fs::create_dir_all(home.path().join("run")).unwrap();
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_password_is_kept_used_and_forgotten() {
    for tool in ["dbus-run-session", "gnome-keyring-daemon"] {
        if installed(tool).is_none() {
            return skip(tool);
        }
    }
    let home = Home::new();
    let account = format!("--server {SERVER} --user guido");
    let script = format!(
        "printf 'hexachord\\n' | $SEGUE login {account}; $SEGUE search x {account}; \
         $SEGUE login --forget {account}; $SEGUE search x {account}"
    );
    let output = session(&home, &script);
    let said = text(&output);
    assert!(said.contains("Kept in the keyring"), "{said}");
    // With the password the only trouble is that nobody listens at that address; without it, it is asked for.
    assert_eq!(said.matches("cannot be reached").count(), 1, "{said}");
    assert!(said.contains("Forgotten"), "{said}");
    assert_eq!(said.matches("the password of guido is needed").count(), 1, "{said}");
    assert!(!said.contains("hexachord"), "{said}");
    assert!(!home.path().join("config/segue/credentials.toml").exists());
    assert!(!home.log().contains("hexachord"));
}

#[test]
fn without_a_keyring_a_file_is_used_only_when_asked_for() {
    let home = Home::new();
    let login = |more: &[&str]| {
        let mut args = vec!["login", "--server", SERVER, "--user", "guido"];
        args.extend_from_slice(more);
        let mut command = home.command(&args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"hexachord\n").unwrap();
        child.wait_with_output().unwrap()
    };
    let file = home.path().join("config/segue/credentials.toml");
    let refused = login(&[]);
    assert!(!refused.status.success() && !file.exists(), "{}", text(&refused));
    assert!(text(&refused).contains("--file"), "{}", text(&refused));
    let kept = login(&["--file"]);
    assert!(kept.status.success(), "{}", text(&kept));
    assert!(std::fs::read_to_string(&file).unwrap().contains("guido@http://127.0.0.1:9"));
    let forgotten = login(&["--forget"]);
    assert!(forgotten.status.success() && !std::fs::read_to_string(&file).unwrap().contains("hexachord"));
}
