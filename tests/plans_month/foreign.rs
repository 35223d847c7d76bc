//! A client that knows the oldest API alone, on an account that is free, premium for a week, and free again.

#[allow(dead_code, reason = "a house has more rooms than this needs")]
#[path = "../server_http/house.rs"]
mod house;

use house::{ANN, House};
use segue::server::{Clock, World, accounts};

use super::{DAY, START};

/// What a stream turned out to be.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    AsItIs,
    Smaller,
    Refused,
}

/// Asks as old clients do: with name and password, for a song and nothing else, and reads XML where it is no song.
async fn stream(house: &House, song: &str) -> Sent {
    let url =
        house.url("stream.view", &[("u", ANN.0), ("p", ANN.1), ("v", "1.8.0"), ("c", "Old"), ("id", song)]);
    let reply = house.http.get(url).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    let kind = reply.headers()["content-type"].to_str().unwrap().to_owned();
    let bytes = reply.bytes().await.unwrap();
    if kind.starts_with("text/xml") {
        let text = std::str::from_utf8(&bytes).unwrap();
        let document = roxmltree::Document::parse(text).unwrap();
        let error = document.root_element().first_element_child().unwrap();
        assert_eq!(error.attribute("code"), Some("0"));
        assert!(error.attribute("message").unwrap().contains("at most 96 kbit/s"), "{text}");
        return Sent::Refused;
    }
    if bytes.starts_with(b"RIFF") { Sent::AsItIs } else { Sent::Smaller }
}

async fn month(converts: bool) {
    let clock = Clock::by_hand(START);
    let house = House::open_in(World { clock: clock.clone(), seed: 1, converts, ..World::default() })
        .await
        .with_ann()
        .await;
    let free = house.catalog.plans().await.unwrap().into_iter().find(|offered| offered.plan.name == "free");
    let free = segue::music::Plan { max_bit_rate: 96, ..free.unwrap().plan };
    house.catalog.put_plan(&free).await.unwrap();
    house.catalog.set_usual_plan("free").await.unwrap();
    let (from, until) = (START + 10 * DAY, START + 17 * DAY);
    accounts::set_plan(&house.catalog, ANN.0, Some("premium"), from, Some(until)).await.unwrap();
    let song = house.song("long").await;
    let offers = house.json("getOpenSubsonicExtensions", &[]).await.to_string();
    let capped = if offers.contains("\"transcoding\"") { Sent::Smaller } else { Sent::Refused };
    assert!(converts || capped == Sent::Refused);
    let mut seen = Vec::new();
    for day in 0..30 {
        clock.set(START + day * DAY);
        let sent = stream(&house, &song).await;
        let premium = (10..17).contains(&day);
        assert_eq!(sent == Sent::AsItIs, premium, "day {day}");
        let login = [("u", ANN.0), ("p", ANN.1), ("c", "Old"), ("id", song.as_str())];
        let reply = house.http.get(house.url("download.view", &login)).send().await.unwrap();
        let kind = reply.headers()["content-type"].to_str().unwrap();
        assert_eq!(kind == "audio/wav", premium, "a download on day {day}: {kind}");
        for endpoint in ["getSong", "getAlbumList2", "search3"] {
            let ask = [("u", ANN.0), ("p", ANN.1), ("id", song.as_str()), ("type", "newest"), ("query", "")];
            let answer = house.anybody(endpoint, &ask).await;
            assert_eq!(answer["status"], "ok", "{endpoint} is not broken");
        }
        seen.push(sent);
    }
    assert_eq!(seen.iter().filter(|sent| **sent == Sent::AsItIs).count(), 7);
    assert_eq!(seen.iter().filter(|sent| **sent == capped).count(), 23);
    let given = house.catalog.ad_counts(clock.now()).await.unwrap();
    assert!(given.is_empty(), "who does not ask for ads gets none");
    house.close().await;
}

#[tokio::test]
async fn a_foreign_client_is_held_to_the_plan_and_not_broken() {
    month(true).await;
}

#[tokio::test]
async fn nor_where_nothing_can_be_converted() {
    month(false).await;
}
