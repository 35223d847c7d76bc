//! What administrators are told of the listening, and others not.

use segue::music::Purpose;
use segue::server::accounts;
use serde_json::Value;

use crate::house::{ANN, House, code};

fn table<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let tables = answer["insights"]["table"].as_array().unwrap();
    tables.iter().find(|table| table["name"] == name).unwrap_or_else(|| panic!("{name}: {answer}"))
}

fn cells(table: &Value) -> Vec<Vec<String>> {
    let rows = table["row"].as_array().unwrap().iter();
    let text = |cell: &Value| cell["value"].as_str().unwrap_or_default().to_owned();
    rows.map(|row| row["cell"].as_array().unwrap().iter().map(text).collect()).collect()
}

#[tokio::test]
async fn insights_are_for_administrators() {
    let house = House::open().await.with_ann().await;
    let ann = house.key_of(ANN.0).await;
    assert_eq!(code(&house.anybody("getInsights", &[("apiKey", &ann)]).await), 50);
    assert_eq!(house.code("getInsights", &[("since", "yesterday")]).await, 0);
    assert_eq!(house.code("getInsights", &[("since", "2026-02-02"), ("until", "2026-02-01")]).await, 0);
    let offers = house.json("getOpenSubsonicExtensions", &[]).await.to_string();
    assert!(offers.contains("segueInsights"), "{offers}");

    let answer = house.json("getInsights", &[("since", "2026-02-01"), ("until", "2026-02-28")]).await;
    let told = &answer["insights"];
    assert_eq!(
        (&told["since"], &told["until"], &told["minimum"]),
        (&"2026-02-01".into(), &"2026-02-28".into(), &5.into())
    );
    assert!(told["note"].as_str().unwrap().contains("Fewer than 5"), "{told}");
    assert!(cells(table(&answer, "active_days")).is_empty());
    // What the machine has is no secret of anybody's.
    assert_eq!(cells(table(&answer, "storage"))[0][0], "wav");
    let xml = house.http.get(house.own_url("getInsights", &[])).send().await.unwrap().text().await.unwrap();
    assert!(xml.contains("<column name=\"listeners\" title=\"Listeners\" kind=\"whole\"/>"), "{xml}");
    house.close().await;
}

#[tokio::test]
async fn five_listeners_who_agreed_are_a_group() {
    let house = House::open().await;
    let song = house.song("One").await;
    let song = song.as_str();
    for n in 0..5 {
        let name = format!("listener {n}");
        accounts::add(&house.catalog, &name, "secret words", false).await.unwrap();
        let key = house.key_of(&name).await;
        let as_them = |more: &[(&'static str, &'static str)]| {
            let mut all = vec![("apiKey", key.clone())];
            all.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
            all
        };
        let ask = async |endpoint: &str, params: Vec<(&'static str, String)>| {
            let params: Vec<(&str, &str)> =
                params.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = house.anybody(endpoint, &params).await;
            assert_eq!(answer["status"], "ok", "{answer}");
        };
        if n == 4 {
            // Four are none.
            let answer = house.json("getInsights", &[]).await;
            assert!(cells(table(&answer, "top_tracks")).is_empty());
        }
        ask("setPrivacy", as_them(&[("purpose", "analytics"), ("on", "true"), ("version", "1")])).await;
        let mut play = as_them(&[]);
        play.push(("id", song.to_owned()));
        ask("scrobble", play).await;
        ask("search3", as_them(&[("query", "Radiohead")])).await;
    }
    assert_eq!(Purpose::TEXT_VERSION, 1, "the version above");
    let answer = house.json("getInsights", &[]).await;
    assert_eq!(answer["insights"]["note"], Value::Null);
    let days = cells(table(&answer, "active_days"));
    assert_eq!((days.len(), days[0][1].as_str()), (1, "5"));
    assert_eq!(cells(table(&answer, "top_tracks"))[0][2], "5");
    // Searches of today are counted tomorrow.
    assert!(cells(table(&answer, "search_misses")).is_empty());
    let served = cells(table(&answer, "served"));
    assert!(served[0][3].parse::<u64>().unwrap() >= 1, "{served:?}");

    // What a song weighs is counted when it leaves.
    let before: u64 = served[0][1].parse().unwrap();
    let bytes =
        house.http.get(house.own_url("stream", &[("id", song)])).send().await.unwrap().bytes().await.unwrap();
    let answer = house.json("getInsights", &[]).await;
    let after: u64 = cells(table(&answer, "served"))[0][1].parse().unwrap();
    assert_eq!(after - before, bytes.len() as u64);
    house.close().await;
}
