//! `segue bug-report`: everything that helps is in it, and nothing that is somebody's own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use program::Home;

/// What is planted and must not come out; all in lower case.
const PLANTED: &[&str] = &[
    "plantedann",
    "plantedbob",
    "plantedcarla",
    "plantedpass",
    "planted words and",
    "plantedkey",
    "plantedcommand",
    "plantedhost",
    "plantedelsewhere",
    "plantedprofile",
    "plantedfolder",
    "plantedtitle",
    "plantedold",
    "10.20.30.40",
    "fd00::77",
    "a1b2c3d4e5f6a7b8c9d0",
    "s3cr3t",
];

const CONFIG: &str = r#"
server = "http://plantedhost.invalid:4533/music"
user = "plantedann"
password_command = "echo plantedcommand"
volume = 33
music = "/srv/plantedfolder/of mine"

[profiles.plantedprofile]
server = "https://plantedbob:s3cr3t@plantedelsewhere.invalid"
user = "plantedbob"
"#;

const LOG: &str = "\
2026-11-26T10:00:00.000001Z  INFO segue::client::session: connected server=plantedhost.invalid:4533 kind=navidrome
2026-11-26T10:00:01.000001Z  WARN segue::client: http://plantedhost.invalid:4533/rest/ping?u=plantedann&t=s3cr3t&s=s3cr3t does not answer
2026-11-26T10:00:02.000001Z  WARN segue::client: GET /rest/ping?u=plantedcarla&p=enc:s3cr3t&apiKey=s3cr3t&v=1.16.1
2026-11-26T10:00:03.000001Z  INFO segue::cli::rig: began track=a1b2c3d4e5f6a7b8c9d0 title=PlantedTitle of a song
2026-11-26T10:00:04.000001Z ERROR segue::server: peer 10.20.30.40:5555 and [fd00::77]:80 left
2026-11-26T10:00:05.000001Z ERROR segue::x: cannot read /srv/plantedfolder/of mine/x.flac or /home/plantedcarla/y.flac
2026-11-26T10:00:06.000001Z ERROR segue::x: authorization: Bearer s3cr3t, mail to plantedcarla@example.org
2026-11-26T10:00:07.000001Z ERROR segue::x: it said planted words and more, PLANTEDPASS, plantedkey
2026-11-26T10:00:08.000001Z ERROR segue::x: the disk is full
";

fn planted() -> Home {
    let home = Home::new();
    let put = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put("config/segue/config.toml", CONFIG);
    put(
        "config/segue/credentials.toml",
        "\"plantedcarla@https://plantedold.invalid\" = \"planted words and more\"\n",
    );
    put("state/segue/segue.log", LOG);
    put("data/segue/profiles/plantedcarla@plantedold.invalid-4533/catalog.db", "");
    home
}

fn clean(home: &Home, report: &str) {
    let lower = report.to_lowercase();
    for secret in PLANTED {
        assert!(!lower.contains(secret), "{secret} is in\n{report}");
    }
    assert!(!report.contains(home.path().to_str().unwrap()), "the home folder is in\n{report}");
}

fn variables() -> [(&'static str, &'static str); 4] {
    [
        ("SEGUE_PASSWORD", "plantedpass"),
        ("SEGUE_ADMIN_PASSWORD", "plantedkey"),
        ("USER", "plantedcarla"),
        ("SEGUE_OUTPUT", "silent"),
    ]
}

#[test]
fn nothing_private_is_in_it_and_all_that_helps_is() {
    let home = planted();
    let output = home.command(&["bug-report"]).envs(variables()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = String::from_utf8(output.stdout).unwrap();
    clean(&home, &report);
    for part in ["== segue\n", "== system\n", "== doctor\n", "== configuration\n", "== log\n"] {
        assert!(report.contains(part), "{part} is not in\n{report}");
    }
    for helps in [
        env!("CARGO_PKG_VERSION"),
        "volume: 33 (config.toml)",
        "user: set (left out) (config.toml)",
        "SSH_CONNECTION is not set",
        "TERM=xterm-256color",
        "2026-11-26T10:00:08.000001Z ERROR segue::x: the disk is full",
        "kind=navidrome",
        "does not answer",
        "title=<title>",
        "v=1.16.1",
    ] {
        assert!(report.contains(helps), "{helps} is not in\n{report}");
    }
}

#[test]
fn it_goes_into_a_new_file_and_never_over_another() {
    let home = planted();
    let file = home.path().join("report.txt");
    let write = || home.command(&["bug-report", file.to_str().unwrap()]).envs(variables()).output().unwrap();
    let output = write();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Read it before"));
    let report = std::fs::read_to_string(&file).unwrap();
    clean(&home, &report);
    assert!(report.contains("the disk is full"));
    let again = write();
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("cannot write"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), report);
}

#[test]
fn a_long_log_is_cut_at_its_beginning() {
    let home = planted();
    let line =
        |n: usize| format!("2026-11-26T10:00:00Z  INFO segue: line {n} plantedpass {}\n", "x ".repeat(40));
    let log: String = (0..20_000).map(line).collect();
    std::fs::write(home.path().join("state/segue/segue.log"), log).unwrap();
    let output = home.command(&["bug-report"]).envs(variables()).output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    clean(&home, &report);
    assert!(
        report.contains("line 19999 ") && !report.contains("line 19699 ") && report.contains("line 19700 ")
    );
}
