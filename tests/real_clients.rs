//! The server asked by clients that others wrote: py-sonic and py-opensonic from the Python Package Index. Run by `.ci/run`, which installs
//! them. What they cover stands in `docs/conformance.md`, which this test keeps true.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "server_http/hall.rs"]
mod hall;
#[path = "server_http/house.rs"]
#[allow(dead_code, reason = "it serves more tests than these")]
mod house;
mod program;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use house::{House, data};
use program::{installed, skip};
use segue::server::{ENDPOINTS, LEFT_OUT, accounts};

/// Names of the endpoints that a client asked for, all of them answered well.
async fn ask(python: &Path, script: &str, house: &House, secret: &str) -> Vec<String> {
    let port = house.base.rsplit(':').next().unwrap().to_owned();
    let (python, script, secret) =
        (python.to_owned(), Path::new("tests/clients").join(script), secret.to_owned());
    let run = move || {
        Command::new(python).arg(script).args(["http://127.0.0.1", &port, "admin", &secret]).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// A house with a jukebox that is on.
async fn furnished() -> House {
    let house = hall::with_jukebox().await;
    let songs = [house.song("One").await, house.song("Three").await];
    drop(hall::hall(&house, &songs).await);
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_others_work_and_the_page_says_so() {
    let Some(python) = std::env::var_os("SEGUE_TEST_CLIENTS").map(PathBuf::from) else {
        skip("py-sonic and py-opensonic");
        return;
    };
    if installed("ffmpeg").is_none() {
        skip("ffmpeg");
        return;
    }
    let house = furnished().await;
    let app =
        accounts::new_app_password(&house.catalog, &data(&house.folder), "admin", "test").await.unwrap();
    let classic = ask(&python, "py_sonic.py", &house, &app).await;
    house.close().await;
    let house = furnished().await;
    let open = ask(&python, "py_opensonic.py", &house, &house.key).await;
    house.close().await;

    let file = Path::new("docs/conformance.md");
    let before = std::fs::read_to_string(file).unwrap_or_default();
    let page = page(&classic, &open, &before);
    if std::env::var_os("SEGUE_UPDATE_DOCS").is_some() {
        std::fs::write(file, &page).unwrap();
    }
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    assert_eq!(kept, page, "docs/conformance.md is out of date: run this test with SEGUE_UPDATE_DOCS=1");
}

/// Files of our own tests that ask for an endpoint by its name.
fn own_tests() -> BTreeMap<String, String> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir("tests/server_http").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.push("tests/real_transcoding.rs".into());
    files.sort();
    let named = files.into_iter().filter(|file| !file.ends_with("house.rs"));
    named
        .map(|file| {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(file).unwrap())
        })
        .collect()
}

/// The file that the page names for an endpoint.
fn named_before<'a>(page: &'a str, endpoint: &str) -> Option<&'a str> {
    page.lines().find_map(|line| line.strip_prefix(&format!("| {endpoint} | "))?.split(" |").next())
}

/// Endpoints are there as soon as the program answers them; who asks for them is found out with the real clients.
#[test]
fn the_page_names_every_endpoint() {
    let page = std::fs::read_to_string("docs/conformance.md").unwrap();
    for endpoint in ENDPOINTS {
        let file = named_before(&page, endpoint).unwrap_or_else(|| {
            panic!("{endpoint} is missing: run `cargo test --test real_clients` as CONTRIBUTING.md says")
        });
        assert!(
            own_tests()[file].contains(&format!("\"{endpoint}\"")),
            "tests/…/{file}.rs does not ask for {endpoint}"
        );
    }
}

/// The page; a file of our own tests that stood there `before` stays as long as it asks for its endpoint, so that a new test elsewhere
/// does not make the page old.
fn page(classic: &[String], open: &[String], before: &str) -> String {
    let tests = own_tests();
    let mut page = String::from(
        "# What the server answers\n\n\
         Every endpoint of the API that a music server has a use for, and who has asked for it: our own tests (the file in \
         `tests/` that says the most about it), and two clients that others wrote, py-sonic 1.2.0 (classic API, token \
         authentication, forms) and py-opensonic 10.4.1 (OpenSubsonic, API key, JSON bodies). Every endpoint is also asked by strangers \
         and with hostile values (`hostile`). This page is written by `tests/real_clients.rs` and checked by `.ci/run`.\n\n\
         | endpoint | our own tests | py-sonic | py-opensonic |\n|---|---|---|---|\n",
    );
    let tick =
        |names: &[String], name: &str| if names.iter().any(|asked| asked == name) { "✓" } else { "" };
    for endpoint in ENDPOINTS {
        let quoted = format!("\"{endpoint}\"");
        let asks = |text: &str| text.matches(&quoted).count();
        let kept =
            named_before(before, endpoint).filter(|name| tests.get(*name).is_some_and(|text| asks(text) > 0));
        let most = || {
            let asked = tests.iter().filter(|(name, text)| *name != "hostile" && asks(text) > 0);
            asked.max_by_key(|(_, text)| asks(text)).map(|(name, _)| name.as_str())
        };
        let own = kept.or_else(most);
        let own = own.unwrap_or_else(|| panic!("no test of our own asks for {endpoint}"));
        let _ = writeln!(
            page,
            "| {endpoint} | {} | {} | {} |",
            own,
            tick(classic, endpoint),
            tick(open, endpoint)
        );
    }
    page.push_str(
        "\npy-opensonic 10.4.1 is not asked for three of them, which it cannot do by itself: it reads the list of getMusicFolders as \
         its one element, wants the shape of getAlbumList2 from getAlbumList, and sends updateShare's end without its name.\n",
    );
    let _ = write!(
        page,
        "\nLeft out, because a music server has no use for them; they refuse with HTTP 501: {}.\n",
        LEFT_OUT.join(", ")
    );
    page
}
