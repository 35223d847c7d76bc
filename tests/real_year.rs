//! The page and the picture of a year, opened in a real browser: what it shows, and that it asks nobody for anything. Run by
//! `.ci/run`; `SEGUE_TEST_KEEP=DIR` keeps the pictures to be looked at.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/library.rs"]
mod library;
mod program;

use std::io::Read as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use library::track;
use program::Home;
use segue::catalog::{Batch, Catalog, Heard};
use segue::music::calendar::day_of;
use segue::music::{AccountId, EndReason, Play, PlayContext, Score, Sonic, StartReason};

const DAY: i64 = 86_400_000;

/// The browser, where there is one.
fn browser() -> Option<PathBuf> {
    let found = ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| {
        std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    });
    if found.is_none() {
        assert!(std::env::var_os("SEGUE_TEST_REAL").is_none(), "there is no Chromium");
        println!("skipped: there is no Chromium");
    }
    found
}

/// Whatever the browser wants from the network comes here, and is counted.
fn trap() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut begin = [0; 512];
            let read = stream.read(&mut begin).unwrap_or(0);
            let asked = String::from_utf8_lossy(&begin[..read]).into_owned();
            // The browser's own errands are not the page's.
            if asked.contains("evil.example") {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (port, seen)
}

struct Page<'a> {
    browser: &'a Path,
    home: &'a Home,
    trap: u16,
}

impl Page<'_> {
    /// Opens a file in a window of some size and gives what is printed.
    fn open(&self, file: &Path, size: (u32, u32), more: &[&str]) -> String {
        let proxy = format!("--proxy-server=127.0.0.1:{}", self.trap);
        let window = format!("--window-size={},{}", size.0, size.1);
        let profile = format!("--user-data-dir={}", self.home.path().join("browser").display());
        let output = Command::new(self.browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--force-device-scale-factor=1",
            ])
            .args([
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .args(["--disable-default-apps", "--disable-extensions", "--host-resolver-rules=MAP * ~NOTFOUND"])
            .args([proxy.as_str(), window.as_str(), profile.as_str()])
            .args(more)
            .arg(format!("file://{}", file.display()))
            .env("HOME", self.home.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A picture of a file in a window.
    fn picture(&self, file: &Path, size: (u32, u32), name: &str, more: &[&str]) -> image::RgbImage {
        let at = self.home.path().join(name);
        let shot = format!("--screenshot={}", at.display());
        let args: Vec<&str> = [shot.as_str()].into_iter().chain(more.iter().copied()).collect();
        self.open(file, size, &args);
        if let Some(keep) = std::env::var_os("SEGUE_TEST_KEEP") {
            std::fs::copy(&at, Path::new(&keep).join(name)).unwrap();
        }
        let picture = image::open(&at).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), size, "{name}");
        picture
    }
}

/// How many colours a picture has, and the share of its pixels that are strongly coloured.
fn colours(picture: &image::RgbImage) -> (usize, f64) {
    let mut seen = std::collections::HashSet::new();
    let mut strong = 0;
    for pixel in picture.pixels() {
        let [r, g, b] = pixel.0;
        seen.insert((r >> 3, g >> 3, b >> 3));
        strong += usize::from(r.max(g).max(b) - r.min(g).min(b) > 60);
    }
    (seen.len(), strong as f64 / f64::from(picture.width() * picture.height()))
}

fn mean(picture: &image::RgbImage) -> f64 {
    let sum: u64 = picture.pixels().map(|p| p.0.iter().map(|c| u64::from(*c)).sum::<u64>()).sum();
    sum as f64 / (3.0 * f64::from(picture.width() * picture.height()))
}

/// A year of evenings; one title wants more than to be read.
fn listened(home: &Home) {
    let file = home.path().join("data/segue/profiles/home/catalog.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let catalog = Catalog::open(&file).await.unwrap();
        let evil = "</b><img src=http://evil.example/x.png><script>document.title='owned'</script>";
        let names = [
            ("Says", "Nils Frahm", "Spaces", "Ambient"),
            ("Jóga", "Björk", "Homogenic", "Electronic"),
            (
                evil,
                "<svg onload=document.title='owned'>",
                "@import url(http://evil.example/y.css)",
                "Pop & <i>more</i>",
            ),
            ("Svefn-g-englar", "Sigur Rós", "Ágætis byrjun", "Post-Rock"),
            ("青い影", "坂本龍一", "音楽図鑑", "Ambient"),
            ("Zombie", "Fela Kuti", "Zombie", "Afrobeat"),
        ];
        let tracks = names.iter().enumerate().map(|(n, (title, artist, album, genre))| {
            let mut track = track(&format!("t{n}"), title, artist, Some((&format!("al{n}"), album)));
            track.genres = vec![(*genre).to_owned()];
            track
        });
        catalog.apply(&Batch { tracks: tracks.collect(), ..Batch::default() }).await.unwrap();
        let score = |value| Score { value, confidence: 1.0 };
        let sounds: Vec<Heard> = (0..names.len())
            .map(|n| {
                let part = n as f32 / 6.0;
                let sound = Sonic {
                    version: 1,
                    energy: score(part),
                    calm: score(1.0 - part),
                    brightness: score(0.2 + part / 2.0),
                    danceability: score((part * 2.0).fract()),
                    ..Sonic::default()
                };
                Heard {
                    track: format!("t{n}").as_str().into(),
                    size: 1,
                    version: 1,
                    blocks: String::new(),
                    sound: Ok(sound),
                }
            })
            .collect();
        catalog.put_heard(&sounds).await.unwrap();
        let me = catalog.listener(&AccountId::from("me"));
        let context = PlayContext { offset_minutes: 60, device: "desk".into(), source: String::new() };
        for n in 0..1500_i64 {
            let day = (n * 7919 + n * n * 31) % 365;
            if day % 11 == 4 {
                continue;
            }
            let hour = [20, 21, 21, 22, 8, 17, 19, 23][(n % 8) as usize];
            // Quiet in the winter, loud in the summer.
            let season = (day - 182).abs() / 37;
            let track = ((n * n % 3 + 5 - season.min(5)).rem_euclid(6)).min(5);
            let at = day_of(2025, 1, 1) * DAY + day * DAY + hour * 3_600_000 + n % 3000 * 1000;
            let play = Play {
                track: format!("t{track}").as_str().into(),
                started_at: at,
                heard_ms: 150_000 + (n.unsigned_abs() % 9) * 40_000,
                start: StartReason::Chosen,
                end: EndReason::Finished,
            };
            me.record_play_in(&play, &context).await.unwrap();
        }
        catalog.close().await;
    });
}

#[test]
fn a_year_in_a_browser() {
    let Some(browser) = browser() else { return };
    let home = Home::new();
    listened(&home);
    let (html, svg) = (home.path().join("year.html"), home.path().join("year.svg"));
    let said = home
        .command(&["year", "2025", "--html", html.to_str().unwrap(), "--svg", svg.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let told = home.command(&["year", "2025"]).output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let minutes = told.lines().find_map(|line| line.trim().strip_suffix(" minutes of music")).unwrap();
    let (trap, asked) = trap();
    let page = Page { browser: &browser, home: &home, trap };

    if let Some(keep) = std::env::var_os("SEGUE_TEST_KEEP") {
        std::fs::copy(&html, Path::new(&keep).join("year.html")).unwrap();
    }
    let dom = page.open(&html, (1280, 800), &["--dump-dom"]);
    assert!(dom.contains(&format!("<div class=\"big\">{minutes}</div>")), "{minutes}");
    assert!(dom.contains("<title>2025 in music</title>"), "no script has run");
    assert!(!dom.contains("<script") && !dom.contains("<img") && !dom.contains("onload=\""));
    assert!(dom.contains("青い影") && dom.contains("Svefn-g-englar"));
    assert_eq!(dom.matches("<section").count(), 10);

    let light = page.picture(&html, (1280, 800), "year-light.png", &[]);
    let dark = page.picture(
        &html,
        (1280, 800),
        "year-dark.png",
        &["--force-dark-mode", "--blink-settings=preferredColorScheme=0"],
    );
    let long = page.picture(&html, (900, 9000), "year-long.png", &[]);
    let poster = page.picture(&svg, (1080, 1350), "year-poster.png", &[]);
    for (name, picture) in [("light", &light), ("dark", &dark), ("long", &long), ("poster", &poster)] {
        let (many, strong) = colours(picture);
        println!("{name}: {many} colours, {:.1} % strong, mean {:.0}", strong * 100.0, mean(picture));
        assert!(many > 150 && strong > 0.003, "{name}: {many} colours, {strong}");
    }
    assert!(mean(&light) > 190.0 && mean(&poster) < 80.0);
    assert!(mean(&dark) < mean(&light) - 80.0, "it follows the dark scheme");

    let paper = home.path().join("year.pdf");
    page.open(&html, (1280, 800), &[&format!("--print-to-pdf={}", paper.display())]);
    assert!(std::fs::metadata(&paper).unwrap().len() > 20_000);
    assert_eq!(asked.load(Ordering::SeqCst), 0, "the page asked for something");
}
