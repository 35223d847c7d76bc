//! What a plan limits, for clients that know nothing of plans and for those that do.

use futures_util::StreamExt as _;
use reqwest::Response;
use segue::music::{AdRules, Plan};
use segue::server::{Clock, World, accounts};
use serde_json::Value;

use crate::house::{ANN, House, code};

/// 1 December 2026, midnight.
pub(crate) const START: i64 = 1_796_083_200_000;
const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

pub(crate) fn world(clock: &Clock, converts: bool) -> World {
    World { clock: clock.clone(), seed: 7, converts, ..World::default() }
}

/// A house with Ann, who has the plan “free” with another bit rate, and her key.
async fn free(clock: &Clock, converts: bool, max_bit_rate: u32) -> (House, String) {
    let house = House::open_in(world(clock, converts)).await.with_ann().await;
    change(&house, |plan| plan.max_bit_rate = max_bit_rate).await;
    give(&house, Some("free")).await;
    let key = house.key_of(ANN.0).await;
    (house, key)
}

pub(crate) async fn give(house: &House, plan: Option<&str>) {
    accounts::set_plan(&house.catalog, ANN.0, plan, START, None).await.unwrap();
}

async fn change(house: &House, change: impl FnOnce(&mut Plan)) {
    let plans = house.catalog.plans().await.unwrap();
    let mut plan = plans.into_iter().find(|offered| offered.plan.name == "free").unwrap().plan;
    change(&mut plan);
    house.catalog.put_plan(&plan).await.unwrap();
}

/// A request with a key as a client of some name makes it.
async fn get(house: &House, endpoint: &str, key: &str, client: &str, params: &[(&str, &str)]) -> Response {
    let mut all = vec![("apiKey", key), ("c", client), ("f", "json")];
    all.extend_from_slice(params);
    house.http.get(house.url(endpoint, &all)).send().await.unwrap()
}

async fn ask(house: &House, endpoint: &str, key: &str, params: &[(&str, &str)]) -> Value {
    read(get(house, endpoint, key, "test", params).await).await
}

async fn read(reply: Response) -> Value {
    let text = reply.bytes().await.unwrap();
    serde_json::from_slice::<Value>(&text).unwrap()["subsonic-response"].take()
}

/// The code and the sentence of a refusal.
fn refusal(answer: &Value) -> (i64, String) {
    (code(answer), answer["error"]["message"].as_str().unwrap().to_owned())
}

async fn converts(house: &House) -> bool {
    house.json("getOpenSubsonicExtensions", &[]).await.to_string().contains("\"transcoding\"")
}

#[tokio::test]
async fn a_new_server_gives_everything_and_a_change_is_there_at_once() {
    let clock = Clock::by_hand(START);
    let house = House::open_in(world(&clock, true)).await.with_ann().await;
    let key = house.key_of(ANN.0).await;
    let client = segue::subsonic::Client::new(&house.base, segue::subsonic::Credentials::ApiKey(key.clone()));
    let client = client.unwrap();
    let premium = Plan { name: "premium".to_owned(), ..Plan::default() };
    assert_eq!(client.plan().await.unwrap(), premium);
    let user = ask(&house, "getUser", &key, &[("username", ANN.0)]).await["user"].take();
    assert_eq!((&user["downloadRole"], &user["maxBitRate"]), (&true.into(), &Value::Null));

    give(&house, Some("free")).await;
    let free = client.plan().await.unwrap();
    let ads = AdRules { every_ms: 900_000, at_once: 2, inside_albums: false };
    assert_eq!(
        (free.name.as_str(), free.max_bit_rate, free.offline, free.ads),
        ("free", 128, false, Some(ads))
    );
    assert_eq!((free.skips_per_hour, free.streams, free.ends_at), (6, 1, None));
    assert!(free.upgrade.contains("premium"));
    let user = ask(&house, "getUser", &key, &[("username", ANN.0)]).await["user"].take();
    assert_eq!((&user["downloadRole"], &user["maxBitRate"]), (&false.into(), &128.into()));
    let users = house.json("getUsers", &[]).await["users"]["user"].take();
    let rates: Vec<&Value> = users.as_array().unwrap().iter().map(|user| &user["maxBitRate"]).collect();
    assert_eq!(rates, [&Value::Null, &128.into()], "admin, ann");

    change(&house, |plan| plan.max_bit_rate = 96).await;
    assert_eq!(client.plan().await.unwrap().max_bit_rate, 96);
    accounts::set_max_bit_rate(&house.catalog, ANN.0, 64).await.unwrap();
    let user = ask(&house, "getUser", &key, &[("username", ANN.0)]).await["user"].take();
    assert_eq!(user["maxBitRate"], 64, "the lower one of the account's and the plan's");

    give(&house, None).await;
    assert_eq!(client.plan().await.unwrap(), premium);
    house.catalog.set_usual_plan("free").await.unwrap();
    assert_eq!(client.plan().await.unwrap().name, "free");
    assert_eq!(house.client().plan().await.unwrap().name, "free", "who administers is no exception");
    house.close().await;
}

#[tokio::test]
async fn a_plan_begins_and_ends_by_the_clock() {
    let clock = Clock::by_hand(START);
    let house = House::open_in(world(&clock, true)).await.with_ann().await;
    house.catalog.set_usual_plan("free").await.unwrap();
    change(&house, |plan| plan.max_bit_rate = 64).await;
    let (from, until) = (START + HOUR, START + 3 * HOUR);
    accounts::set_plan(&house.catalog, ANN.0, Some("premium"), from, Some(until)).await.unwrap();
    let key = house.key_of(ANN.0).await;
    let album = house.album("First Light").await["id"].as_str().unwrap().to_owned();
    let convertible = converts(&house).await;
    for (now, name) in [(from - 1, "free"), (from, "premium"), (until - 1, "premium"), (until, "free")] {
        clock.set(now);
        let plan = ask(&house, "getPlan", &key, &[]).await["plan"].take();
        assert_eq!(plan["name"], name, "{}", now - START);
        assert_eq!(plan["ends"].is_string(), name == "premium");
        // The catalog did not change; lists of a moment ago must not be given again all the same.
        let song = ask(&house, "getAlbum", &key, &[("id", &album)]).await["album"]["song"][0].take();
        assert_eq!(song["transcodedSuffix"] == "mp3", name == "free" && convertible, "{song}");
        assert_eq!(song["transcodedContentType"] == "audio/mpeg", name == "free" && convertible);
        assert_eq!((&song["bitRate"], &song["suffix"]), (&128.into(), &"wav".into()), "those of the file");
    }
    house.close().await;
}

#[tokio::test]
async fn plans_and_accounts_hold_on_to_each_other() {
    let house = House::open_in(World::default()).await.with_ann().await;
    let catalog = &house.catalog;
    assert!(catalog.remove_plan("premium").await.unwrap_err().to_string().contains("is the usual plan"));
    give(&house, Some("free")).await;
    assert!(
        catalog.remove_plan("free").await.unwrap_err().to_string().contains("give them another one first")
    );
    assert!(catalog.set_usual_plan("gold").await.is_err());
    let unknown = accounts::set_plan(catalog, ANN.0, Some("gold"), 0, None).await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no plan “gold”: there are premium, free");
    accounts::remove(catalog, ANN.0).await.unwrap();
    catalog.remove_plan("free").await.unwrap();
    house.close().await;
}

#[tokio::test]
async fn more_than_the_plan_has_is_made_smaller_however_it_is_asked_for() {
    let clock = Clock::by_hand(START);
    let (house, key) = free(&clock, true, 64).await;
    if !converts(&house).await {
        eprintln!("skipped: ffmpeg is not installed");
        return;
    }
    let song = house.song("long").await;
    let whole = 3_200_000;
    let asked: [&[(&str, &str)]; 6] = [
        &[],
        &[("format", "raw")],
        &[("maxBitRate", "320")],
        &[("format", "flac")],
        &[("format", "raw"), ("maxBitRate", "0")],
        &[("format", "opus"), ("maxBitRate", "256")],
    ];
    for params in asked {
        let mut all = vec![("id", song.as_str())];
        all.extend_from_slice(params);
        let reply = get(&house, "stream", &key, "test", &all).await;
        let kind = reply.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind == "audio/mpeg" || kind == "audio/ogg", "{params:?}: {kind}");
        let length = reply.bytes().await.unwrap().len();
        assert!((1000..whole * 6 / 10).contains(&length), "{params:?}: {length} bytes of {whole}");
    }
    let url =
        house.url("stream", &[("apiKey", key.as_str()), ("c", "test"), ("id", &song), ("format", "raw")]);
    let part = house.http.get(&url).header("range", "bytes=0-99").send().await.unwrap();
    assert_eq!(part.headers()["content-type"], "audio/mpeg", "a range of it, which is on the shelf by now");
    assert!(!part.bytes().await.unwrap().starts_with(b"RIFF"));
    let form = [("apiKey", key.as_str()), ("c", "test"), ("id", &song), ("format", "raw")];
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let post = house.http.post(format!("{}/rest/stream.view", house.base));
    let post =
        post.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
    assert_eq!(post.headers()["content-type"], "audio/mpeg");

    let media = [("mediaId", song.as_str()), ("mediaType", "song")];
    let body = r#"{"name":"x","platform":"y","directPlayProfiles":[{"containers":["wav"],"audioCodecs":[],"protocols":["http"]}],
        "transcodingProfiles":[{"container":"ogg","audioCodec":"opus","protocol":"http"}]}"#;
    let mut all = vec![("apiKey", key.as_str()), ("f", "json")];
    all.extend(media);
    let url = house.url("getTranscodeDecision", &all);
    let reply =
        house.http.post(url).header("content-type", "application/json").body(body).send().await.unwrap();
    let decision = read(reply).await["transcodeDecision"].take();
    assert_eq!((&decision["canDirectPlay"], &decision["canTranscode"]), (&false.into(), &true.into()));
    assert_eq!(decision["transcodeParams"], "opus-64");
    for (ticket, refused) in [("opus-64", false), ("opus-128", true), ("flac-0", true), ("mp3-320", true)] {
        let mut all = media.to_vec();
        all.push(("transcodeParams", ticket));
        let reply = get(&house, "getTranscodeStream", &key, "test", &all).await;
        let kind = reply.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(kind == "application/json", refused, "{ticket}");
        if refused {
            assert_eq!(refusal(&read(reply).await), (50, "this account is sent at most 64 kbit/s".into()));
        }
    }
    give(&house, Some("premium")).await;
    let reply = get(&house, "stream", &key, "test", &[("id", &song)]).await;
    assert_eq!(reply.headers()["content-type"], "audio/wav", "at once, and as it is");
    house.close().await;
}

#[tokio::test]
async fn without_ffmpeg_what_is_small_is_sent_and_what_is_not_is_refused() {
    let clock = Clock::by_hand(START);
    let (house, key) = free(&clock, false, 128).await;
    let song = house.song("long").await;
    for format in ["raw", "mp3", ""] {
        let reply = get(&house, "stream", &key, "test", &[("id", &song), ("format", format)]).await;
        assert_eq!(reply.headers()["content-type"], "audio/wav", "{format}: 128 kbit/s are within 128");
    }
    change(&house, |plan| plan.max_bit_rate = 127).await;
    for format in ["raw", "mp3", ""] {
        let answer = ask(&house, "stream", &key, &[("id", &song), ("format", format)]).await;
        let (code, why) = refusal(&answer);
        assert_eq!(code, 0, "{format}");
        assert!(why.contains("at most 127 kbit/s") && why.contains("install ffmpeg"), "{why}");
    }
    let song = ask(&house, "getSong", &key, &[("id", &song)]).await["song"].take();
    assert_eq!(song["transcodedSuffix"], Value::Null, "nothing is made, and nothing else is said");
    house.close().await;
}

#[tokio::test]
async fn downloads_are_refused_with_the_plans_name() {
    let clock = Clock::by_hand(START);
    let (house, key) = free(&clock, true, 128).await;
    let (song, album) = (house.song("One").await, house.album("First Light").await);
    for id in [song.as_str(), album["id"].as_str().unwrap()] {
        let (code, why) = refusal(&ask(&house, "download", &key, &[("id", id)]).await);
        assert_eq!(code, 50);
        assert!(why.starts_with("the plan “free” does not let music be downloaded"), "{why}");
        assert!(why.ends_with("Ask who runs this server for the plan “premium”."), "{why}");
    }
    // A client that knows the oldest API alone reads the same refusal in its own format.
    let url = house.url("download.view", &[("apiKey", key.as_str()), ("id", &song)]);
    let reply = house.http.get(url).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert!(reply.text().await.unwrap().contains("<error code=\"50\" message=\"the plan “free”"));
    accounts::set_plan(&house.catalog, "admin", Some("free"), START, None).await.unwrap();
    assert_eq!(house.code("download", &[("id", &song)]).await, 50, "who administers is no exception");
    give(&house, Some("premium")).await;
    assert_eq!(
        get(&house, "download", &key, "test", &[("id", &song)]).await.headers()["content-type"],
        "audio/wav"
    );
    house.close().await;
}

#[tokio::test]
async fn players_at_one_time_are_counted_and_not_their_requests() {
    let clock = Clock::by_hand(START);
    let (house, key) = free(&clock, true, 128).await;
    let (long, next) = (house.song("long").await, house.song("Two").await);
    let stream = async |client: &str, id: &str| get(&house, "stream", &key, client, &[("id", id)]).await;
    let is_sound = |reply: &Response| reply.headers()["content-type"] == "audio/wav";
    // More than fits between the two ends, so that it flows as long as nobody reads it.
    let file = house.folder.path().join("music/long.wav");
    std::fs::File::options().write(true).open(file).unwrap().set_len(256 << 20).unwrap();
    let mut flowing = stream("phone", &long).await;
    assert!(is_sound(&flowing) && flowing.chunk().await.unwrap().is_some());
    assert!(is_sound(&stream("phone", &next).await), "the next track, ahead");
    let url = house.url("stream", &[("apiKey", key.as_str()), ("c", "phone"), ("id", &long)]);
    let part = house.http.get(&url).header("range", "bytes=5000-5999").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.bytes().await.unwrap().len()), (206, 1000));
    let other = stream("laptop", &next).await;
    assert_eq!(other.status(), 200, "an error of the API, which foreign clients can read");
    let (code, why) = refusal(&read(other).await);
    assert_eq!(code, 50);
    assert!(
        why.starts_with("the plan “free” sends music to 1 player at a time, and now “phone” is listening"),
        "{why}"
    );
    let media = [("mediaId", next.as_str()), ("mediaType", "song"), ("transcodeParams", "mp3-64")];
    let answer = read(get(&house, "getTranscodeStream", &key, "laptop", &media).await).await;
    assert_eq!(refusal(&answer).0, 50, "by the other door, too");
    let head = house.url("stream", &[("apiKey", key.as_str()), ("c", "laptop"), ("id", &next)]);
    assert_eq!(
        house.http.head(head).send().await.unwrap().headers()["content-type"],
        "audio/wav",
        "no bytes"
    );
    let admin = house.own_url("stream", &[("id", &next)]);
    assert!(is_sound(&house.http.get(admin).send().await.unwrap()), "another account");

    clock.set(START + HOUR);
    assert_eq!(refusal(&read(stream("laptop", &next).await).await).0, 50, "a long song is still a song");
    drop(flowing);
    // The server sees that the other end is gone when it writes again.
    let metrics = format!("{}/metrics", house.base);
    while !house.http.get(&metrics).send().await.unwrap().text().await.unwrap().contains("segue_streams 0\n")
    {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    clock.set(START + HOUR + MINUTE - 1);
    assert_eq!(refusal(&read(stream("laptop", &next).await).await).0, 50, "between two tracks");
    clock.set(START + HOUR + MINUTE);
    assert!(is_sound(&stream("laptop", &next).await), "the phone is away");
    assert_eq!(refusal(&read(stream("phone", &next).await).await).0, 50);
    change(&house, |plan| plan.streams = 2).await;
    assert!(is_sound(&stream("phone", &next).await), "two, at once");
    assert_eq!(refusal(&read(stream("tablet", &next).await).await).0, 50);
    give(&house, Some("premium")).await;
    for client in ["tablet", "car", "kitchen"] {
        assert!(is_sound(&stream(client, &next).await), "{client}");
    }
    house.close().await;
}

#[tokio::test]
async fn shares_of_a_free_account_give_no_more_than_it_has() {
    let clock = Clock::by_hand(START);
    let (house, key) = free(&clock, true, 64).await;
    let song = house.song("long").await;
    let made = ask(&house, "createShare", &key, &[("id", &song)]).await;
    let url = made["shares"]["share"][0]["url"].as_str().unwrap().to_owned();
    let open = async || house.http.get(format!("{url}/{song}")).send().await.unwrap();
    if converts(&house).await {
        let reply = open().await;
        assert_eq!(reply.headers()["content-type"], "audio/mpeg");
        assert!(reply.bytes().await.unwrap().len() < 3_200_000 * 6 / 10);
        // The visitor is one of Ann's players.
        let answer = ask(&house, "stream", &key, &[("id", &song)]).await;
        assert!(refusal(&answer).1.contains("“a share” is listening"), "{answer}");
        clock.set(START + HOUR);
        let mut own = get(&house, "stream", &key, "test", &[("id", &song)]).await;
        assert!(own.chunk().await.unwrap().is_some());
        assert_eq!(open().await.status(), 429);
    }
    let folder = house.close().await;
    let config = crate::house::config(&folder);
    let house = House::start_in(folder, config, world(&Clock::by_hand(START + 2 * HOUR), false)).await;
    let path = url.rsplit_once("/share/").unwrap().1;
    let address = format!("{}/share/{path}/{song}", house.base);
    let reply = house.http.get(&address).send().await.unwrap();
    assert_eq!(reply.status(), 503, "neither the whole nor less");
    give(&house, Some("premium")).await;
    let mut whole = house.http.get(&address).send().await.unwrap().bytes_stream();
    assert!(whole.next().await.unwrap().unwrap().starts_with(b"RIFF"));
    house.close().await;
}
