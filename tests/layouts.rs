//! The layouts in `assets/cloud`: every name that they use is one that they define, every command line and variable of Segue is one that
//! the program takes, every address that is asked for a sign of life answers, and the tools that the files are for have
//! nothing to say against them.

#![cfg(all(unix, feature = "cloud"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "layouts/arm.rs"]
mod arm;
#[path = "layouts/stack.rs"]
mod stack;

mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use program::{Home, Process, installed, skip};
use serde_json::Value;

/// A command of Segue in a layout, and what is in its environment.
#[derive(Debug)]
pub(crate) struct Segue {
    /// The file that it stands in.
    pub(crate) of: &'static str,
    pub(crate) args: Vec<String>,
    pub(crate) variables: BTreeMap<String, String>,
}

fn cloud(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/cloud").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(cloud(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn json(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// `NAME=value` lines, as systemd reads them.
fn variables(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.trim().into(), value.trim().trim_matches('"').into())).collect()
}

/// The commands of a unit, with the variables of its own and of the file that it reads.
fn of_unit(name: &'static str) -> Vec<Segue> {
    let unit = text(name).replace("%i", "4533");
    let mut shared = variables(&text("bare-metal/segue.conf"));
    assert!(unit.contains("EnvironmentFile=/etc/segue/segue.conf"), "{name}");
    for line in unit.lines().filter_map(|line| line.strip_prefix("Environment=")) {
        shared.extend(line.split_whitespace().map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        }));
    }
    let options = shared.remove("SEGUE_OPTIONS").unwrap();
    let lines = unit.lines().filter(|line| line.starts_with("ExecStart"));
    let commands = lines.map(|line| {
        let (_, command) = line.split_once('=').unwrap();
        let command = command.replace("$SEGUE_OPTIONS", &options);
        let mut words = command.split_whitespace().map(str::to_owned);
        assert_eq!(words.next().as_deref(), Some("/usr/bin/segue"), "{line}");
        Segue { of: name, args: words.collect(), variables: shared.clone() }
    });
    commands.collect()
}

/// The command of the job for Azure Machine Learning.
fn of_job() -> Segue {
    const NAME: &str = "azure/train-job.json";
    let job = json(NAME);
    assert_eq!(job["type"], "command");
    let command = job["command"].as_str().unwrap();
    let mut words = command.split_whitespace().map(str::to_owned);
    assert_eq!(words.next().as_deref(), Some("segue"));
    let pairs = job["environment_variables"].as_object().unwrap().iter();
    let variables = pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
    Segue { of: NAME, args: words.collect(), variables: variables.collect() }
}

fn all() -> Vec<Segue> {
    let mut all = arm::commands();
    all.extend(stack::commands());
    all.push(of_job());
    for unit in ["bare-metal/segue@.service", "bare-metal/segue-train.service"] {
        all.extend(of_unit(unit));
    }
    all
}

/// A catalog in which nothing is yet.
fn empty(home: &Home) -> String {
    let music = home.path().join("music");
    std::fs::create_dir_all(&music).unwrap();
    let database = home.path().join("catalog.db").display().to_string();
    let data = home.path().join("scanned").display().to_string();
    let args = ["scan", "--music", music.to_str().unwrap(), "--data", &data, "--database", &database];
    content(&mut home.command(&args));
    database
}

#[test]
fn the_program_takes_every_command_and_variable() {
    let all = all();
    let verbs: Vec<&str> = all.iter().map(|segue| segue.args[0].as_str()).collect();
    assert_eq!(verbs.iter().filter(|verb| **verb == "serve").count(), 4, "{verbs:?}");
    assert_eq!(verbs.iter().filter(|verb| **verb == "train").count(), 4, "{verbs:?}");
    for Segue { of, args, variables } in all {
        let home = Home::new();
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        if args[0] == "serve" && !args.contains(&"--check") {
            args.push("--check");
        }
        let mut command = home.command(&args);
        command.envs(&variables).env("SEGUE_DATA", home.path().join("data"));
        if args[0] == "train" {
            // Its database is not here; a file will do.
            command.env("SEGUE_DATABASE", empty(&home));
        }
        let done = command.output().unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{of}: segue {args:?} with {variables:?}\n{said}");
        if args[0] == "serve" {
            assert!(said.contains("The configuration is in order."), "{of}: {said}");
        }
    }
}

#[test]
fn machines_that_share_no_folder_share_a_key() {
    let home = Home::new();
    let database = empty(&home);
    let users = |folder: &str, key: Option<&str>, args: &[&str]| {
        let data = home.path().join(folder).display().to_string();
        let mut command =
            home.command(&[&["users", "--data", &data, "--database", &database][..], args].concat());
        command.envs(key.map(|key| ("SEGUE_SECRET_KEY", key))).stdin(Stdio::null());
        let done = command.output().unwrap();
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (key, app) = ("0123456789abcdef".repeat(4), ["app-password", "ann"]);
    let mut add = home.command(&["users", "--data", &home.path().join("one").display().to_string()]);
    add.args(["--database", &database, "add", "ann", "--password-stdin"]).stdin(Stdio::piped());
    let mut add = add.spawn().unwrap();
    add.stdin.take().unwrap().write_all(b"a long word\n").unwrap();
    assert!(add.wait().unwrap().success());
    let (done, said) = users("one", Some(&key), &app);
    assert!(done && !home.path().join("one/secret.key").exists(), "{said}");
    // Another machine, with the key and without.
    let (done, said) = users("two", Some(&key), &app);
    assert!(done, "{said}");
    let (done, said) = users("two", None, &app);
    assert!(!done && said.contains("secret.key"), "{said}");
    let (done, said) = users("two", Some("0123"), &app);
    assert!(!done && said.contains("SEGUE_SECRET_KEY") && !said.contains("0123"), "{said}");
}

/// Every name in quotes in the sources of the program.
fn words_of_the_program() -> BTreeSet<String> {
    let sources = walkdir::WalkDir::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let rust =
        sources.into_iter().flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "rs"));
    let words = rust.flat_map(|entry| {
        let code = std::fs::read_to_string(entry.path()).unwrap();
        code.split('"').map(str::to_owned).collect::<Vec<_>>()
    });
    words.filter(|word| word.starts_with("SEGUE_")).collect()
}

#[test]
fn every_variable_is_read_by_somebody() {
    let known = words_of_the_program();
    assert!(known.contains("SEGUE_DATABASE") && known.contains("SEGUE_SECRET_KEY"), "{known:?}");
    // Those of the database's and the stores' own tools.
    let others = [
        "PGPASSWORD",
        "AZURE_STORAGE_ACCOUNT_NAME",
        "AZURE_CLIENT_ID",
        "AWS_REGION",
        "AWS_ENDPOINT",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    ];
    let mut seen = 0;
    for Segue { of, variables, .. } in all() {
        for name in variables.keys() {
            assert!(known.contains(name) || others.contains(&name.as_str()), "{of}: {name}");
            seen += 1;
        }
        // No secret stands in an address, where lists of processes and of settings show it.
        for address in ["SEGUE_DATABASE", "SEGUE_DATABASE_REPLICAS"] {
            let password = variables.get(address).and_then(|url| url.split('@').next()?.split("://").nth(1));
            assert!(password.is_none_or(|user| !user.contains(':')), "{of}: {address}");
        }
    }
    assert!(seen > 40, "{seen}");
}

/// Where the layouts look for a sign of life.
fn probes() -> BTreeSet<String> {
    let mut probes = arm::probes();
    probes.extend(stack::probes());
    let proxy = text("bare-metal/haproxy.cfg");
    let asks = proxy.lines().filter_map(|line| line.split_once("http-check send meth GET uri "));
    probes.extend(asks.map(|(_, path)| path.trim().to_owned()));
    probes
}

#[test]
fn what_is_asked_for_a_sign_of_life_answers() {
    let probes = probes();
    assert_eq!(probes, BTreeSet::from(["/healthz".to_owned(), "/readyz".to_owned()]));
    let home = Home::new();
    let music = home.path().join("music");
    std::fs::create_dir_all(&music).unwrap();
    let mut child = home
        .command(&["serve", "--music", music.to_str().unwrap()])
        .env("SEGUE_DATA", home.path().join("data"))
        .env("SEGUE_LISTEN", "127.0.0.1:0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let _process = Process(child);
    let address = lines.find_map(|line| Some(line.split_once("http://")?.1.trim().to_owned())).unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    for path in probes {
        let mut socket = TcpStream::connect(&address).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
    }
}

#[test]
fn every_door_leads_to_the_port_that_is_listened_on() {
    let help = Home::new().command(&["serve", "--help"]).output().unwrap();
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(help.contains("[default: 127.0.0.1:4533]"), "{help}");
    for Segue { of, args, variables } in all() {
        let listens = variables.get("SEGUE_LISTEN");
        assert_eq!(listens.is_some(), args[0] == "serve", "{of}");
        assert!(listens.is_none_or(|address| address.ends_with(":4533")), "{of}: {listens:?}");
    }
    assert!(arm::ports().iter().chain(&stack::ports()).all(|port| *port == 4533));
    for proxy in ["bare-metal/haproxy.cfg", "bare-metal/nginx.conf"] {
        let proxy = text(proxy);
        for port in [4533, 4534, 4535] {
            assert!(proxy.contains(&format!("127.0.0.1:{port}")), "{port}");
        }
    }
}

/// A tool that has nothing to say against a file.
fn content(command: &mut Command) {
    let done = command.stdin(Stdio::null()).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{command:?}\n{said}");
}

#[test]
fn proxies_take_their_configuration() {
    let folder = tempfile::tempdir().unwrap();
    for (program, file, args) in [
        ("haproxy", "bare-metal/haproxy.cfg", &["-c", "-f"][..]),
        ("nginx", "bare-metal/nginx.conf", &["-t", "-e", "stderr", "-c"]),
    ] {
        // Debian keeps them where only root looks.
        let found =
            installed(program).or_else(|| installed("sh").map(|_| Path::new("/usr/sbin").join(program)));
        let Some(found) = found.filter(|found| found.is_file()) else {
            skip(program);
            continue;
        };
        let at = folder.path().display().to_string();
        let here =
            text(file).replace("/tmp/segue-nginx", &at).replace("/run/nginx-segue.pid", &format!("{at}/pid"));
        let copy = folder.path().join(program);
        std::fs::write(&copy, here).unwrap();
        content(Command::new(found).args(args).arg(&copy));
    }
}

#[test]
fn systemd_takes_the_units() {
    let Some(analyze) = installed("systemd-analyze") else { return skip("systemd-analyze") };
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new();
    let binary = home.command(&[]).get_program().to_str().unwrap().to_owned();
    let mut files = Vec::new();
    for (file, name) in [
        ("segue@.service", "segue@4533.service"),
        ("segue-train.service", "segue-train.service"),
        ("segue-train.timer", "segue-train.timer"),
    ] {
        let unit = text(&format!("bare-metal/{file}")).replace("/usr/bin/segue", &binary);
        files.push(folder.path().join(name));
        std::fs::write(files.last().unwrap(), unit).unwrap();
    }
    content(Command::new(analyze).args(["verify", "--man=no"]).args(files));
}

#[test]
fn amazons_own_checker_takes_the_stack() {
    let named = std::env::var_os("SEGUE_TEST_CFN_LINT").map(PathBuf::from);
    let Some(lint) = named.or_else(|| installed("cfn-lint")) else { return skip("cfn-lint") };
    content(Command::new(lint).arg("--").arg(cloud("aws/template.json")));
}

#[test]
fn the_primary_has_a_connection_for_every_process() {
    let settings = variables(&text("bare-metal/postgresql.conf"));
    let most: u32 = settings["max_connections"].parse().unwrap();
    // Sixteen each (`pool_size`), and three machines of three.
    assert!(most >= 9 * 16 + 20, "{most}");
    assert_eq!(settings["wal_level"], "replica");
}
