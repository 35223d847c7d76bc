//! Plays on a store and what comes back from there: exported once, without those who want or had to leave, learned from with the
//! same result; and factors that were trained elsewhere.

#![cfg(feature = "cloud")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/crowd.rs"]
mod crowd;
#[path = "common/database.rs"]
mod database;
#[path = "common/library.rs"]
mod library;
#[path = "program/mod.rs"]
mod program;
#[path = "common/tables.rs"]
mod tables;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crowd::{DAY, NOON, account, item, name, play, shelve};
use program::Home;
use segue::catalog::Catalog;
use segue::mixing::{self, Beyond};
use segue::music::Purpose;
use segue::server::lake::{Exported, Place};
use segue::server::privacy::{Keep, erase};
use segue::server::{Config, Lakes, Net, Pace, Server, Stores, World};
use segue::taste::{Als, AlsOptions, History, Interactions, Objective, Weighting};
use tables::{Row, factors_in, plays_in};

/// A few listeners over some days, in a file.
async fn some(folder: &Path) -> Catalog {
    let catalog = database::open(&folder.join("catalog.db")).await.unwrap();
    shelve(&catalog, 8).await;
    for id in ["ann", "bob", "cleo"] {
        catalog.add_account(&account(id)).await.unwrap();
    }
    let plays = [
        play("ann", &item(0), NOON),
        play("ann", &item(0), NOON + 60_000),
        play("bob", &item(0), NOON),
        play("bob", &item(1), NOON - DAY),
        play("cleo", &item(2), NOON - DAY),
    ];
    assert_eq!(catalog.record_plays(&plays).await.unwrap(), [true; 5]);
    catalog
}

fn files(place: &Path) -> Vec<PathBuf> {
    let all = walkdir::WalkDir::new(place).sort_by_file_name().into_iter().map(Result::unwrap);
    all.filter(|entry| entry.file_type().is_file()).map(|entry| entry.path().to_owned()).collect()
}

fn rows(place: &Path) -> Vec<Row> {
    files(place).iter().flat_map(|file| plays_in(file)).collect()
}

#[tokio::test]
async fn plays_are_exported_once_by_day_and_late_ones_too() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = some(folder.path()).await;
    let root = folder.path().join("lake");
    let place = Place::open(&root).unwrap();
    let export = || place.export(&catalog, NOON, 0);
    assert_eq!(export().await.unwrap(), Exported { plays: 5, files: 2, ..Exported::default() });
    assert_eq!(export().await.unwrap(), Exported::default(), "nothing is new");
    let names: Vec<String> =
        files(&root).iter().map(|file| file.strip_prefix(&root).unwrap().display().to_string()).collect();
    assert_eq!(names.len(), 2);
    assert!(
        names[0].starts_with("plays/dt=2026-11-19/part-")
            && names[1].starts_with("plays/dt=2026-11-20/part-")
    );
    // A play of yesterday that was told of today, and one more of today.
    let late = [play("cleo", &item(3), NOON - DAY + 1), play("cleo", &item(3), NOON + 5)];
    catalog.record_plays(&late).await.unwrap();
    let before: BTreeMap<PathBuf, Vec<u8>> =
        files(&root).into_iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect();
    assert_eq!(export().await.unwrap(), Exported { plays: 2, files: 2, ..Exported::default() });
    for (file, bytes) in &before {
        assert!(std::fs::read(file).unwrap() == *bytes, "what was written stays as it is");
    }
    let all = rows(&root);
    assert_eq!(all.len(), 7);
    let cleo = catalog.pseudonym(&"cleo".into()).await.unwrap().unwrap();
    assert!(all.iter().all(|row| row.listener.len() == 32 && row.counted && row.heard_ms == 1000));
    let hers: Vec<_> =
        all.iter().filter(|row| row.listener == cleo).map(|row| (&row.track[..], row.played_at)).collect();
    assert_eq!(hers, [("t00002", NOON - DAY), ("t00003", NOON - DAY + 1), ("t00003", NOON + 5)]);
    let text: Vec<u8> = files(&root).iter().flat_map(|file| std::fs::read(file).unwrap()).collect();
    for id in ["ann", "bob", "cleo"] {
        assert!(!text.windows(id.len()).any(|part| part == id.as_bytes()), "{id} is in a file");
    }
    // A second place has everything as well, and the first is not disturbed.
    let other = Place::open(&folder.path().join("other")).unwrap();
    assert_eq!(other.export(&catalog, NOON, 0).await.unwrap().plays, 7);
    let told = catalog.exported().await.unwrap();
    assert_eq!(told.iter().map(|to| to.plays).collect::<Vec<_>>(), [7, 7]);
    // Days that are over go.
    assert_eq!(export().await.unwrap(), Exported::default());
    let expired = place.export(&catalog, NOON + DAY, 1).await.unwrap();
    assert_eq!((expired.expired, rows(&root).len()), (2, 4));
}

#[tokio::test]
async fn an_export_that_broke_off_is_gone_on_with_and_doubles_nothing() {
    if database::about_files("taking an export back") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let catalog = some(folder.path()).await;
    let root = folder.path().join("lake");
    let place = Place::open(&root).unwrap();
    let store = place.name().to_owned();
    // It ended after the files were there and before that was written down.
    let range = catalog.begin_export(&store).await.unwrap().unwrap();
    place.export(&catalog, NOON, 0).await.unwrap();
    let written = rows(&root);
    undo(&folder.path().join("catalog.db"), range.after).await;
    catalog.record_plays(&[play("ann", &item(5), NOON + 1)]).await.unwrap();
    assert_eq!(catalog.begin_export(&store).await.unwrap(), Some(range), "the same plays again");
    // Somebody left between the two tries: what is there is written anew without them.
    let bob = catalog.pseudonym(&"bob".into()).await.unwrap().unwrap();
    assert_eq!(written.iter().filter(|row| row.listener == bob).count(), 2);
    catalog.listener(&"bob".into()).set_profiled(false).await.unwrap();
    let done = place.export(&catalog, NOON, 0).await.unwrap();
    assert_eq!(done.plays, 3 + 1);
    let now = rows(&root);
    assert!(now.iter().all(|row| row.listener != bob));
    assert_eq!(now.len(), 3 + 1);
    // Two at once do the same thing.
    catalog.record_plays(&[play("ann", &item(6), NOON + 9)]).await.unwrap();
    let other = Place::open(&root).unwrap();
    let (one, two) = tokio::join!(place.export(&catalog, NOON, 0), other.export(&catalog, NOON, 0));
    assert!(one.unwrap().plays + two.unwrap().plays >= 1);
    assert_eq!(rows(&root).iter().filter(|row| row.track == item(6)).count(), 1);
    assert_eq!(catalog.begin_export(&store).await.unwrap(), None);
}

/// Takes back that an export was done.
async fn undo(file: &Path, done: i64) {
    use sqlx::Connection as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut conn = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("UPDATE play_exports SET done = $1").bind(done).execute(&mut conn).await.unwrap();
}

#[tokio::test]
async fn who_opts_out_or_is_erased_is_in_no_file_after_the_next_export_and_in_no_lesson_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = some(folder.path()).await;
    let root = folder.path().join("lake");
    let place = Place::open(&root).unwrap();
    // Who opted out before is never in it.
    catalog.listener(&"cleo".into()).set_profiled(false).await.unwrap();
    let learned = async || {
        let plays = place.plays(&catalog.withheld().await.unwrap()).await.unwrap();
        plays.into_iter().map(|one| one.listener).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(place.export(&catalog, NOON, 0).await.unwrap().plays, 4);
    assert_eq!(learned().await, 2);
    let pseudonym = async |id: &str| catalog.pseudonym(&id.into()).await.unwrap().unwrap();
    let (ann, bob, cleo) = (pseudonym("ann").await, pseudonym("bob").await, pseudonym("cleo").await);
    let of = |who: &str| rows(&root).iter().filter(|row| row.listener == who).count();
    assert_eq!((of(&ann), of(&bob), of(&cleo)), (2, 2, 0));

    catalog.listener(&"ann".into()).decide(Purpose::History, false, 1).await.unwrap();
    assert_eq!((of(&ann), learned().await), (2, 1), "withheld before the files are written anew");
    let done = place.export(&catalog, NOON, 0).await.unwrap();
    assert_eq!((done.plays, done.rewritten), (0, 1), "one of two files has her");
    assert_eq!((of(&ann), of(&bob)), (0, 2));

    let account = catalog.account_named("bob").await.unwrap().unwrap();
    erase(&catalog, folder.path(), &account, &Keep::default()).await.unwrap();
    assert_eq!((of(&bob), learned().await), (2, 0));
    assert_eq!(place.export(&catalog, NOON, 0).await.unwrap().rewritten, 2);
    assert!(files(&root).is_empty(), "nobody is left");
    assert!(catalog.play_erasures(place.name()).await.unwrap().is_empty());
    assert!(place.plays(&HashSet::new()).await.unwrap_err().to_string().contains("segue plays export"));
    // Who agrees again is exported from then on.
    catalog.listener(&"ann".into()).decide(Purpose::History, true, 1).await.unwrap();
    catalog.record_plays(&[play("ann", &item(4), NOON + 7)]).await.unwrap();
    assert_eq!(place.export(&catalog, NOON, 0).await.unwrap().plays, 1);
    assert_eq!(of(&ann), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn training_from_exported_plays_is_training_from_the_catalog() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = database::open(&folder.path().join("catalog.db")).await.unwrap();
    shelve(&catalog, 240).await;
    let crowd = crowd::tastes(90, 240, 14, 5);
    crowd::gather(&catalog, &crowd).await;
    let place = Place::open(&folder.path().join("lake")).unwrap();
    place.export(&catalog, NOON, 0).await.unwrap();
    let plays = place.plays(&catalog.withheld().await.unwrap()).await.unwrap();
    assert_eq!(plays.len(), crowd.len());
    let own = mixing::train(&catalog, 0, |_| ()).await.unwrap();
    let beyond = Beyond { plays: Some(plays), factors: None };
    let from = mixing::train_beyond(&catalog, beyond, 0, |_| ()).await.unwrap();
    assert_eq!(own.lesson, from.lesson);
    assert_eq!((own.lesson.listeners, own.lesson.pairs), (90, crowd.len()));
    let (own, from) = (own.model.unwrap(), from.model.unwrap());
    assert_eq!(own.model().table(), from.model().table());
    for user in [3_u32, 17, 60] {
        let heard =
            crowd.iter().filter(|(of, ..)| *of == user).map(|(_, item, plays)| (*item, *plays as f32));
        let heard = History::new(heard);
        assert_eq!(own.model().recommend(&heard, 30), from.model().recommend(&heard, 30));
    }
}

/// A model as an engine would leave it: its factors and the manifest.
struct Left {
    options: AlsOptions,
    als: Als,
}

impl Left {
    /// Of a crowd over so many items, by the objective that engines have.
    fn of(crowd: &[(u32, u32, u32)], users: u32, items: u32) -> Self {
        let cells = crowd.iter().map(|(user, item, plays)| (*user, *item, *plays as f32));
        let data = Interactions::new(users as usize, items as usize, cells);
        let options = AlsOptions {
            objective: Objective::Confidence,
            factors: 16,
            iterations: 10,
            weighting: Weighting::Binary,
            unobserved: 1.0 / 40.0,
            regularisation: 0.1 / 40.0,
            frequency: 1.0,
            ..AlsOptions::default()
        };
        Self { options, als: Als::train(&data, options, 2) }
    }

    fn leave(&self, folder: &Path, made: &str, items: u32) {
        let rows: Vec<(i32, &[f32])> =
            (0..).zip(self.als.item_factors().chunks_exact(self.options.factors)).collect();
        let names: Vec<(i32, String)> = (0..).zip((0..items).map(item)).collect();
        factors_in(folder, made, &rows, &names);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn factors_from_elsewhere_take_the_place_of_our_own_in_the_blend() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = database::open(&folder.path().join("catalog.db")).await.unwrap();
    shelve(&catalog, 240).await;
    let crowd = crowd::tastes(90, 240, 14, 6);
    crowd::gather(&catalog, &crowd).await;
    let left = Left::of(&crowd, 90, 240);
    let root = folder.path().join("models");
    let place = Place::open(&root).unwrap();
    assert!(place.factors(None).await.unwrap().is_none(), "there are none yet");
    left.leave(&root, "20261127T000000Z", 240);
    let factors = place.factors(None).await.unwrap().unwrap();
    assert!(place.factors(Some("20261127T000000Z")).await.unwrap().is_none(), "they are known");
    assert_eq!((factors.tracks.len(), factors.rank), (240, 16));
    // The same equations: what is scored with them is what the engine's own factors would score.
    let over = factors.over(240, |track| track.as_str()[1..].parse().ok());
    let (mut ours, mut theirs) = (vec![0.0; 240], vec![0.0; 240]);
    let heard = History::new([(3, 1.0), (27, 1.0), (51, 2.0)]);
    over.score(&heard, 2, &mut ours);
    left.als.score(&heard, 2, &mut theirs);
    assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-4));

    let beyond = || Beyond { plays: None, factors: Some(&factors) };
    let trained = mixing::train_beyond(&catalog, beyond(), 0, |_| ()).await.unwrap().model.unwrap();
    let table = trained.model().table();
    assert!(table.contains("als played d=16") && !table.contains("ials "), "{table}");
    // Whether they get a weight is for the check to say; where there are too few for one, they have half of it.
    assert!(trained.model().tried().iter().any(|tried| tried.recipe.to_string().starts_with("als played")));

    // What makes no sense is refused in a sentence, and what is not there is nothing.
    let manifest = root.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    for (from, to, why) in [
        ("\"form\": 1", "\"form\": 9", "form 9"),
        ("\"rank\": 16", "\"rank\": 8", "8 numbers"),
        ("\"played\"", "\"loud\"", "weighting"),
        ("\"alpha\": 40", "\"alpha\": -1", "makes no sense"),
        ("\"20261127T000000Z/items\"", "\"../items\"", "no folder"),
        ("\"20261127T000000Z/items\"", "\"20261127T000000Z/none\"", "no name"),
        ("\"form\"", "form", "cannot be read"),
    ] {
        std::fs::write(&manifest, text.replace(from, to)).unwrap();
        let said = place.factors(None).await.unwrap_err().to_string();
        assert!(said.contains(why), "{why}: {said}");
    }
}

/// What was logged in this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    async fn says(&self, what: &str) {
        for _ in 0..600 {
            if String::from_utf8_lossy(&self.0.lock().unwrap()).contains(what) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("never said: {what}\n{}", String::from_utf8_lossy(&self.0.lock().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_exports_by_itself_and_takes_new_factors_over_when_they_appear() {
    let log = Log::default();
    let sink = log.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || sink.clone()).init();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir_all(folder.path().join("music")).unwrap();
    let file = segue::server::catalog_file(&data);
    let catalog = database::open(&file).await.unwrap();
    shelve(&catalog, 48).await;
    let crowd = crowd::tastes(12, 48, 8, 7);
    crowd::gather(&catalog, &crowd).await;
    let (lake, models) = (folder.path().join("lake"), folder.path().join("models"));
    let config = Config {
        music: vec![folder.path().join("music")],
        data,
        database: database::place(&file),
        listen: "127.0.0.1:0".parse().unwrap(),
        watch: true,
        net: Net::default(),
        keep: Keep::default(),
        stores: Stores::default(),
    };
    let soon = Duration::from_millis(200);
    let pace = Pace {
        settle: soon,
        mixes: soon,
        learned: Duration::from_hours(1),
        tidy: Duration::from_hours(1),
        ..Pace::default()
    };
    let lakes = Lakes { plays: Some(lake.clone()), factors: Some(models.clone()), every: soon };
    let server = Server::start_in(config, World { pace, lakes, ..World::default() }).await.unwrap();
    log.says("plays were exported").await;
    assert_eq!(rows(&lake).len(), crowd.iter().map(|(.., plays)| *plays as usize).sum::<usize>());
    log.says("learned").await;
    let left = Left::of(&crowd, 12, 48);
    left.leave(&models, "20261127T000001Z", 48);
    log.says("20261127T000001Z").await;
    // A newer one that cannot be read changes nothing; a whole one does.
    std::fs::write(models.join("manifest.json"), "{ half").unwrap();
    log.says("no new factors were taken over").await;
    left.leave(&models, "20261127T000002Z", 48);
    log.says("20261127T000002Z").await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_exports_tells_and_trains() {
    let home = Home::new();
    let data = home.path().join("server");
    let catalog = database::open(&segue::server::catalog_file(&data)).await.unwrap();
    shelve(&catalog, 48).await;
    let crowd = crowd::tastes(12, 48, 8, 8);
    crowd::gather(&catalog, &crowd).await;
    Left::of(&crowd, 12, 48).leave(&home.path().join("models"), "20261127T000003Z", 48);
    let run = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend(["--data", data.to_str().unwrap()]);
        let mut command = database::told(home.command(&all), &all);
        let said = command.output().unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        (said.status.success(), text)
    };
    let lake = home.path().join("lake");
    let (lake, models) = (lake.to_str().unwrap(), home.path().join("models"));
    assert!(run(&["plays", "status"]).1.contains("No plays were exported yet"));
    let (ok, said) = run(&["plays", "export", "--plays-store", lake]);
    assert!(ok && said.contains("plays in 5 files exported to"), "{said}");
    assert!(run(&["plays", "export", "--plays-store", lake]).1.contains("0 plays in 0 files"));
    assert!(run(&["plays", "status"]).1.contains(lake));
    let (ok, said) = run(&["train", "--plays", lake, "--factors", models.to_str().unwrap()]);
    assert!(
        ok && said.contains("12 listeners, 48 tracks") && said.contains("0.500  als played d=16"),
        "{said}"
    );
    let (ok, said) = run(&["train", "--factors", lake]);
    assert!(!ok && said.contains("no manifest.json"), "{said}");
    assert_eq!(catalog.accounts().await.unwrap().len(), 12);
    assert!(catalog.listener(&name(0).as_str().into()).mixes().await.is_ok());
}
