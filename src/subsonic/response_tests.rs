use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::subsonic::types::{ItemGenre, ReplayGain};
use crate::subsonic::{convert, xml};

fn read(body: &serde_json::Value) -> Response {
    let mut inner = json!({"status": "ok", "version": "1.16.1"});
    let map = inner.as_object_mut().unwrap();
    map.extend(body.as_object().unwrap().clone());
    Response::from_json(json!({"subsonic-response": inner}).to_string().as_bytes()).unwrap()
}

fn song(body: Response) -> Child {
    match body.body {
        Some(Body::Song(song)) => song,
        other => panic!("{other:?}"),
    }
}

#[test]
fn numbers_as_strings_and_strings_as_numbers() {
    let child = song(read(&json!({"song": {
        "id": 17, "title": 1989, "isDir": "false", "duration": "241", "track": "3", "year": 1989.0,
        "size": "12345678901", "bitRate": 320, "starred": "2024-05-01T10:00:00", "genre": null, "artist": ["odd"],
        "replayGain": {"trackGain": "-7.5"}, "genres": {"name": "Pop"}, "artists": null, "isVideo": 0,
    }})));
    assert_eq!(child.id, "17");
    assert_eq!(child.title, "1989");
    assert_eq!(child.duration, Some(241));
    assert_eq!(child.size, Some(12_345_678_901));
    assert_eq!(child.year, Some(1989));
    assert_eq!(child.artist, None);
    assert_eq!(child.genres.as_deref(), Some(&[ItemGenre { name: "Pop".into() }][..]));
    let track = convert::track(&child).unwrap();
    assert_eq!(track.duration_ms, 241_000);
    assert_eq!(track.replay_gain.track_gain, Some(-7.5));
    assert_eq!(track.marks.starred_at, convert::from_iso("2024-05-01T10:00:00Z"));
}

#[test]
fn one_object_where_a_list_is_due_and_lists_left_out() {
    let response = read(&json!({"searchResult3": {"song": {"id": "a", "title": "A"}}}));
    let Some(Body::SearchResult3(found)) = response.body else { panic!() };
    assert_eq!(found.song.len(), 1);
    assert!(found.album.is_empty() && found.artist.is_empty());

    for nothing in [json!(null), json!(""), json!([]), json!({})] {
        let response = read(&json!({"starred2": nothing}));
        assert_eq!(response.body, Some(Body::Starred2(Found::default())));
    }
}

#[test]
fn folders_with_text_ids_and_playlists_without_changed() {
    let response = read(&json!({"musicFolders": {"musicFolder": [{"id": "7", "name": "Music"}]}}));
    let Some(Body::MusicFolders(folders)) = response.body else { panic!() };
    assert_eq!(folders.music_folder[0].id, 7);

    let response = read(
        &json!({"playlists": {"playlist": [{"id": 3, "name": "P", "created": "2020-01-01T00:00:00Z"}]}}),
    );
    let Some(Body::Playlists(lists)) = response.body else { panic!() };
    let playlist = convert::playlist(&lists.playlist[0]).unwrap();
    assert_eq!(playlist.id.as_str(), "3");
    assert_eq!(playlist.changed_at, playlist.created_at);
    assert!(playlist.created_at > 0);
}

#[test]
fn unknown_fields_and_bodies_pass_by() {
    let response = read(&json!({"somethingNew": {"deep": [1, {"x": null}]}, "status": "failed",
        "error": {"code": "40", "message": 5}}));
    assert!(response.failed);
    let error = response.error.unwrap();
    assert_eq!((error.code, error.message.as_deref()), (40, Some("5")));
    assert_eq!(response.body, None);
}

#[test]
fn every_answer_says_who_speaks() {
    let json = Response::failed(ErrorCode::NotFound, "there is no such song").to_json().unwrap();
    assert_eq!(
        json,
        format!(
            "{{\"subsonic-response\":{{\"status\":\"failed\",\"version\":\"1.16.1\",\"type\":\"segue\",\
             \"serverVersion\":\"{}\",\"openSubsonic\":true,\
             \"error\":{{\"code\":70,\"message\":\"there is no such song\"}}}}}}",
            env!("CARGO_PKG_VERSION")
        )
    );
}

#[test]
fn xml_has_attributes_children_and_text_where_the_schema_has_them() {
    let body = Body::Genres(Genres {
        genre: vec![Genre { value: "R&B <\u{1}live>".into(), song_count: 2, album_count: 1 }],
    });
    let xml = Response::ok(Some(body)).to_xml().unwrap();
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<subsonic-response xmlns=\"http://subsonic.org/restapi\" status=\"ok\" version=\"1.16.1\""));
    assert!(
        xml.contains("<genres><genre songCount=\"2\" albumCount=\"1\">R&amp;B &lt;live&gt;</genre></genres>")
    );

    let body =
        Body::OpenSubsonicExtensions(vec![Extension { name: "formPost".into(), versions: vec![1, 2] }]);
    let xml = Response::ok(Some(body)).to_xml().unwrap();
    assert!(xml.contains(
        "<openSubsonicExtensions name=\"formPost\"><versions>1</versions><versions>2</versions></openSubsonicExtensions>"
    ));
    assert!(Response::ok(None).to_xml().unwrap().ends_with("openSubsonic=\"true\"/>"));
}

#[test]
fn an_empty_list_is_written_in_json() {
    let json = Response::ok(Some(Body::SearchResult3(Found::default()))).to_json().unwrap();
    assert!(json.contains("\"searchResult3\":{\"artist\":[],\"album\":[],\"song\":[]}"));
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z &<>\"'\u{0}-\u{1f}\u{fffe}]{0,12}".prop_map(String::from)]
}

/// Decibels as tags have them: a few digits, which JSON carries exactly.
fn hundredths() -> impl Strategy<Value = f64> {
    (-6000..6000).prop_map(|hundredths| f64::from(hundredths) / 100.0)
}

prop_compose! {
    fn children()(
        (id, title, album, artist) in (words(), words(), proptest::option::of(words()), proptest::option::of(words())),
        (track, year, size, duration) in (any::<Option<u32>>(), any::<Option<i32>>(), any::<Option<u64>>(), any::<Option<u64>>()),
        (is_dir, is_video, rating) in (any::<bool>(), any::<Option<bool>>(), proptest::option::of(1..=5_u32)),
        (kind, starred, comment) in (proptest::option::of(words()), proptest::option::of(words()), proptest::option::of(words())),
        genres in proptest::option::of(proptest::collection::vec(words().prop_map(|name| ItemGenre { name }), 0..3)),
        artists in proptest::option::of(proptest::collection::vec((words(), words()), 0..3)),
        gain in proptest::option::of((proptest::option::of(hundredths()), proptest::option::of(hundredths()))),
    ) -> Child {
        Child {
            id, title, album, artist, track, year, size, duration, is_dir, is_video, user_rating: rating, kind, starred,
            comment, genres,
            artists: artists.map(|all| {
                all.into_iter().map(|(id, name)| ArtistID3 { id, name, ..ArtistID3::default() }).collect()
            }),
            replay_gain: gain.map(|(track_gain, track_peak)| ReplayGain { track_gain, track_peak, ..ReplayGain::default() }),
            ..Child::default()
        }
    }
}

/// Walks a document: every tag closed in its turn, every attribute named and quoted, no character that XML
/// forbids. Gives the number of elements.
fn well_formed(document: &str) -> Result<usize, String> {
    assert!(document.chars().all(xml::is_allowed));
    let mut rest =
        document.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").ok_or("no declaration")?;
    let (mut open, mut count) = (Vec::new(), 0);
    while let Some(start) = rest.find('<') {
        let text = &rest[..start];
        if text.contains('>') || text.contains('"') && open.is_empty() {
            return Err(format!("loose text {text:?}"));
        }
        let end = start + rest[start..].find('>').ok_or("an open tag")?;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("{name} closes what is not open"));
            }
            continue;
        }
        count += 1;
        let alone = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(format!("element {name:?}"));
        }
        while !attributes.is_empty() {
            let (key, value) =
                attributes.split_once("=\"").ok_or_else(|| format!("attribute {attributes:?}"))?;
            let (value, after) = value.split_once('"').ok_or("an open quote")?;
            if !key.trim().chars().all(|c| c.is_ascii_alphanumeric()) || value.contains('<') {
                return Err(format!("attribute {key:?}={value:?}"));
            }
            attributes = after.trim_start();
        }
        if !alone {
            open.push(name);
        }
    }
    if open.is_empty() && rest.is_empty() {
        Ok(count)
    } else {
        Err(format!("left open: {open:?}, after it {rest:?}"))
    }
}

proptest! {
    #[test]
    fn any_song_survives_the_wire(child in children()) {
        let response = Response::ok(Some(Body::Song(child)));
        let json = response.to_json().unwrap();
        let back = Response::from_json(json.as_bytes()).unwrap();
        prop_assert_eq!(&back, &response);
        prop_assert_eq!(back.to_json().unwrap(), json);
    }

    #[test]
    fn any_song_is_well_formed_xml(child in children()) {
        let inner = child.genres.as_ref().map_or(0, Vec::len)
            + child.artists.as_ref().map_or(0, Vec::len)
            + usize::from(child.replay_gain.is_some());
        let document = Response::ok(Some(Body::Song(child))).to_xml().unwrap();
        prop_assert_eq!(well_formed(&document), Ok(2 + inner), "{}", document);
    }

    #[test]
    fn reading_never_panics_and_never_refuses_an_object(id in any::<i64>(), odd in words(), list in any::<Vec<bool>>()) {
        let response = read(&json!({"album": {"id": id, "name": list, "song": odd, "duration": odd, "artists": id,
            "genres": list.first()}}));
        prop_assert!(matches!(response.body, Some(Body::Album(_))));
    }

    #[test]
    fn times_survive(ms in -62_135_596_800_000_i64..253_402_300_799_999) {
        prop_assert_eq!(convert::from_iso(&convert::iso(ms)), Some(ms));
    }
}
