//! `segue doctor` in set-ups that are broken one way each: it names the cause and what to do.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use program::{Home, Terminal};
use serde_json::Value;

/// What the doctor says: area, level, what and advice of each; and whether it is content.
type Told = (Vec<(String, String, String)>, bool);

/// What the doctor says as (area, level, what + advice), and whether it is content.
fn doctor(home: &Home, args: &[&str], vars: &[(&str, &str)]) -> Told {
    let all: Vec<&str> = ["doctor", "--json"].iter().copied().chain(args.iter().copied()).collect();
    let output = home.command(&all).envs(vars.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let findings: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|e| {
        panic!("{e}: {text}\n{}", String::from_utf8_lossy(&output.stderr));
    });
    let word = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let told = findings
        .iter()
        .map(|f| (word(f, "area"), word(f, "level"), format!("{} {}", word(f, "what"), word(f, "advice"))))
        .collect();
    (told, output.status.success())
}

/// Fails unless there is a finding of this area and level with this text.
fn tells(found: &Told, area: &str, level: &str, text: &str) {
    let there = found.0.iter().any(|(a, l, t)| a == area && l == level && t.contains(text));
    assert!(there, "no {level} of {area} with “{text}” in {:#?}", found.0);
    assert!(level != "wrong" || !found.1, "something is wrong, but it is content");
}

/// A server on loopback that answers ten requests with the same JSON.
fn answering(date: &str, body: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: {date}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    std::thread::spawn(move || {
        for stream in listener.incoming().take(10).flatten() {
            let mut stream = stream;
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    addr
}

fn today() -> String {
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&jiff::Timestamp::now()).unwrap()
}

const OLD: &str = r#"{"subsonic-response":{"status":"ok","version":"1.12.0"}}"#;
const KEY: (&str, &str) = ("SEGUE_API_KEY", "k");

fn at(addr: SocketAddr) -> String {
    format!("http://{addr}")
}

#[test]
fn a_plain_machine() {
    let home = Home::new();
    let found = doctor(&home, &["--output", "silent"], &[]);
    tells(&found, "configuration", "good", "none is needed");
    tells(&found, "folders", "good", "can be written");
    tells(&found, "store", "good", "segue cache verify");
    tells(&found, "server", "note", "demo album");
    tells(&found, "terminal", "note", "no terminal");
}

#[test]
fn mistakes_in_the_configuration() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("config/segue")).unwrap();
    std::fs::write(home.path().join("config/segue/config.toml"), "volume = \"loud\"\n").unwrap();
    let found = doctor(&home, &["--output", "silent"], &[]);
    tells(&found, "configuration", "wrong", "config.toml:1");
    let found = doctor(&home, &["--profile", "work"], &[]);
    tells(&found, "configuration", "wrong", "work");
}

#[test]
fn no_sound_and_no_such_device() {
    let home = Home::new();
    let found = doctor(&home, &["--output", "the moon"], &[("PULSE_SERVER", "unix:/nowhere")]);
    tells(&found, "sound", "wrong", "the moon");
}

#[test]
fn no_keyring() {
    let home = Home::new();
    let found = doctor(&home, &["--output", "silent"], &[("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")]);
    tells(&found, "keyring", "note", "login --file");
}

#[test]
fn a_home_that_cannot_be_written_to() {
    let home = Home::new();
    // Permissions do not hold an administrator back, a file in the place of a folder does.
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let under = file.join("x").display().to_string();
    let found =
        doctor(&home, &["--output", "silent"], &[("XDG_CACHE_HOME", &under), ("XDG_DATA_HOME", &under)]);
    tells(&found, "folders", "wrong", "XDG_DATA_HOME");
}

#[test]
fn servers_that_are_dead_strange_old_or_in_another_time() {
    let home = Home::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let found = doctor(&home, &["--output", "silent", "--server", &at(free)], &[KEY]);
    tells(&found, "server", "wrong", "See that it runs");

    let page = answering(&today(), "<html>Please accept the terms</html>");
    let found = doctor(&home, &["--output", "silent", "--server", &at(page)], &[KEY]);
    tells(&found, "server", "wrong", "login page");

    let old = answering(&today(), OLD);
    let found = doctor(&home, &["--output", "silent", "--server", &at(old)], &[KEY]);
    tells(&found, "server", "note", "does not know OpenSubsonic");

    let late = answering("Sat, 03 Jan 2037 10:00:00 GMT", OLD);
    let found = doctor(&home, &["--output", "silent", "--server", &at(late)], &[KEY]);
    tells(&found, "clock", "wrong", "behind the server's");

    let found = doctor(&home, &["--output", "silent", "--server", &at(late), "--user", "ann"], &[]);
    tells(&found, "server", "wrong", "segue login");
}

/// A server on loopback whose certificate no authority has signed; it lets ten clients try.
fn unsigned() -> SocketAddr {
    let names = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = names.self_signed(&key).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let (config, listener) = (std::sync::Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().take(10).flatten() {
            let Ok(mut tls) = rustls::ServerConnection::new(config.clone()) else { return };
            let _ = rustls::Stream::new(&mut tls, &mut stream).read(&mut [0; 4096]);
        }
    });
    addr
}

#[test]
fn a_server_whose_certificate_nobody_knows() {
    let home = Home::new();
    let found =
        doctor(&home, &["--output", "silent", "--server", &format!("https://{}", unsigned())], &[KEY]);
    tells(&found, "server", "wrong", "Mend its certificate");
    // One that speaks no TLS at all.
    let plain = answering(&today(), OLD);
    let found = doctor(&home, &["--output", "silent", "--server", &format!("https://{plain}")], &[KEY]);
    tells(&found, "server", "wrong", "TLS");
}

#[test]
fn no_home() {
    let home = Home::new();
    let nowhere = ("HOME", "/proc/nowhere");
    let all = ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"].map(|name| (name, ""));
    let vars: Vec<(&str, &str)> = all.into_iter().chain([nowhere]).collect();
    let found = doctor(&home, &["--output", "silent"], &vars);
    tells(&found, "folders", "wrong", "There is no home folder: HOME is /proc/nowhere");
    tells(&found, "folders", "wrong", "cannot be written to");
}

/// What the doctor says where a disk of a megabyte, with these options, is mounted over the folder and `first` was done
/// there; none on machines that let nobody mount anything.
fn on_a_disk(home: &Home, options: &str, first: &str) -> Option<Told> {
    let disk = home.path().join("disk");
    std::fs::create_dir_all(&disk).unwrap();
    let mount = format!("mount -t tmpfs -o size=1m tmpfs \"$1\" && cd \"$1\" && {first} && {options}");
    let script =
        format!("{{ {mount}; }} >/dev/null 2>&1 || exit 77; exec \"$0\" doctor --json --output silent");
    let inner = home.command(&[]);
    let output = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .arg(inner.get_program())
        .arg(&disk)
        .env_clear()
        .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(
            ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"]
                .map(|name| (name, &disk)),
        )
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Ok(findings) = serde_json::from_str::<Vec<Value>>(&text) else {
        println!("skipped: nothing can be mounted here: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    };
    let word = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let told = findings
        .iter()
        .map(|f| (word(f, "area"), word(f, "level"), format!("{} {}", word(f, "what"), word(f, "advice"))))
        .collect();
    Some((told, output.status.success()))
}

#[test]
fn a_full_disk() {
    let home = Home::new();
    let Some(found) = on_a_disk(&home, "true", "{ head -c 2m /dev/zero > full || true; }") else { return };
    tells(&found, "disk", "wrong", "Only 0 MB are free");
    tells(&found, "disk", "wrong", "segue cache clear");
    tells(&found, "folders", "wrong", "No space left on device");
}

#[test]
fn a_home_that_is_mounted_to_be_read_only() {
    let home = Home::new();
    let Some(found) = on_a_disk(&home, "mount -o remount,ro \"$1\"", "true") else { return };
    tells(&found, "folders", "wrong", "Read-only file system");
}

#[test]
fn terminals_that_are_tiny_or_dumb() {
    let home = Home::new();
    let mut tiny = Terminal::start(&home, &["doctor", "--output", "silent"], &[], (40, 50));
    tiny.wait_for("40 × 50");
    tiny.wait_for("60 × 16");
    assert!(!tiny.ended(), "a tiny window is wrong");
    let mut dumb = Terminal::start(&home, &["doctor", "--output", "silent"], &[("TERM", "dumb")], (120, 40));
    dumb.wait_for("TERM=dumb");
    assert!(!dumb.ended());
}

#[test]
fn completions_and_the_manual() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = home.command(&["completions", shell]).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("doctor"), "{shell}");
    }
    let page = home.command(&["man"]).output().unwrap().stdout;
    assert!(String::from_utf8_lossy(&page).starts_with(".ie"), "roff");
}
