//! Who may do what: every endpoint asked by nobody, by the owner of a thing, by somebody else, and by who administers.
//! The table of `docs/security.md` says the same.

use segue::server::{ENDPOINTS, LEFT_OUT, accounts};
use serde_json::Value;

use crate::house::{ANN, House, code};

/// What an endpoint is asked about; made anew for each question.
#[derive(Clone, Copy, PartialEq)]
enum About {
    /// A private playlist of the owner.
    Playlist(&'static str),
    /// A share of the owner.
    Share,
    Station,
    /// A player of the owner.
    Device,
    /// The owner's account.
    Owner,
    /// A third account.
    Third,
    Song,
    Nothing,
}
use About::{Device, Nothing, Owner, Playlist, Share, Song, Station, Third};

/// Endpoint, what about, more parameters, and what comes of it for the owner, somebody else, and who administers: the code of
/// the error, −1 for success.
type Row = (&'static str, About, &'static [(&'static str, &'static str)], [i64; 3]);

const YES: i64 = -1;
/// Only who administers.
const ADMIN: [i64; 3] = [50, 50, YES];
/// Only the owner. That it exists does not show to others, not even to who administers.
const OWN: [i64; 3] = [YES, 70, 70];

/// What is not for everybody. What has no row here is, and answers everybody alike.
const ROWS: &[Row] = &[
    ("getPlaylist", Playlist("id"), &[], OWN),
    ("updatePlaylist", Playlist("playlistId"), &[("name", "x")], OWN),
    ("createPlaylist", Playlist("playlistId"), &[], OWN),
    ("deletePlaylist", Playlist("id"), &[], OWN),
    ("getDevice", Device, &[], OWN),
    ("getDeviceCommands", Device, &[], OWN),
    ("sendToDevice", Device, &[("action", "pause")], OWN),
    ("forgetDevice", Device, &[], OWN),
    ("updateShare", Share, &[("description", "x")], [YES, 70, YES]),
    ("deleteShare", Share, &[], [YES, 70, YES]),
    ("createInternetRadioStation", Nothing, &[("name", "x"), ("streamUrl", "http://x.example/")], ADMIN),
    ("updateInternetRadioStation", Station, &[("name", "y"), ("streamUrl", "http://x.example/")], ADMIN),
    ("deleteInternetRadioStation", Station, &[], ADMIN),
    ("getUser", Owner, &[], [YES, 50, YES]),
    ("getAvatar", Owner, &[], [YES, 50, YES]),
    ("changePassword", Owner, &[("password", "new")], [YES, 50, YES]),
    ("getUsers", Nothing, &[], ADMIN),
    ("getInsights", Nothing, &[], ADMIN),
    ("createUser", Nothing, &[("username", "dora"), ("password", "x")], ADMIN),
    ("updateUser", Third, &[("shareRole", "false")], ADMIN),
    ("deleteUser", Third, &[], ADMIN),
    ("startScan", Nothing, &[], ADMIN),
];

/// Parameters that make other endpoints answer: each takes what it knows.
const MORE: &[(&str, &str)] = &[
    ("query", ""),
    ("type", "newest"),
    ("genre", "Rock"),
    ("rating", "3"),
    ("position", "1"),
    ("mediaType", "song"),
    ("positionMs", "1"),
    ("state", "playing"),
    ("name", "mine"),
    ("streamUrl", "http://x.example/"),
    ("transcodeParams", "none"),
];

const BOB: (&str, &str) = ("bob", "sesame");

struct Matrix {
    house: House,
    song: String,
    /// Keys of the owner, of somebody else, of who administers.
    keys: [String; 3],
}

impl Matrix {
    async fn open() -> Self {
        let house = House::open().await.with_ann().await;
        accounts::add(&house.catalog, BOB.0, BOB.1, false).await.unwrap();
        let keys = [house.key_of(ANN.0).await, house.key_of(BOB.0).await, house.key.clone()];
        Self { song: house.song("One").await, house, keys }
    }

    /// The parameter that names the thing, which is made now.
    async fn make(&self, about: About) -> Option<(&'static str, String)> {
        let owner = ("apiKey", self.keys[0].as_str());
        let id = |answer: &Value, path: &str| answer.pointer(path).unwrap().as_str().unwrap().to_owned();
        match about {
            Playlist(name) => {
                let made = self
                    .house
                    .anybody("createPlaylist", &[owner, ("name", "x"), ("songId", &self.song)])
                    .await;
                Some((name, id(&made, "/playlist/id")))
            }
            Share => {
                let made = self.house.anybody("createShare", &[owner, ("id", &self.song)]).await;
                Some(("id", id(&made, "/shares/share/0/id")))
            }
            Station => {
                let new = [("name", "x"), ("streamUrl", "http://x.example/")];
                self.house.json("createInternetRadioStation", &new).await;
                let all = self.house.json("getInternetRadioStations", &[]).await;
                Some(("id", id(&all, "/internetRadioStations/internetRadioStation/0/id")))
            }
            Device => {
                let told = [("kind", "speaker"), ("state", "paused"), ("repeat", "off"), ("name", "x")];
                let told: Vec<_> = told.into_iter().chain([owner, ("id", "k1")]).collect();
                assert_eq!(self.house.anybody("reportDevice", &told).await["status"], "ok");
                Some(("id", "k1".to_owned()))
            }
            Owner => Some(("username", ANN.0.to_owned())),
            Third => {
                // It may be there already.
                let _ = accounts::add(&self.house.catalog, "carl", "x", false).await;
                Some(("username", "carl".to_owned()))
            }
            Song => Some(("id", self.song.clone())),
            Nothing => None,
        }
    }

    /// The code of the error that comes of a question, −1 when it is answered.
    async fn ask(&self, who: Option<usize>, row: Row) -> i64 {
        let (endpoint, about, more, _) = row;
        let made = self.make(about).await;
        let mut params: Vec<(&str, &str)> = vec![("f", "json")];
        params.extend(who.map(|who| ("apiKey", self.keys[who].as_str())));
        params.extend(made.as_ref().map(|(name, value)| (*name, value.as_str())));
        if about == Song {
            params.extend([("songId", self.song.as_str()), ("mediaId", self.song.as_str())]);
        }
        params.extend_from_slice(more);
        let reply = self.house.http.get(self.house.url(endpoint, &params)).send().await.unwrap();
        let bytes = reply.bytes().await.unwrap();
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(mut answer) if answer["subsonic-response"]["status"] == "failed" => {
                code(&answer["subsonic-response"].take())
            }
            _ => YES,
        }
    }
}

#[tokio::test]
async fn every_endpoint_for_nobody_the_owner_somebody_and_who_administers() {
    let matrix = Matrix::open().await;
    for (endpoint, ..) in ROWS {
        assert!(ENDPOINTS.contains(endpoint), "{endpoint} is no endpoint");
    }
    for &row in ROWS {
        let endpoint = row.0;
        assert_eq!(matrix.ask(None, row).await, 10, "{endpoint} for nobody");
        for (who, expected) in row.3.into_iter().enumerate().rev() {
            let word = ["the owner", "somebody else", "who administers"][who];
            assert_eq!(matrix.ask(Some(who), row).await, expected, "{endpoint} for {word}");
        }
    }
    let mut answered = 0;
    for &endpoint in ENDPOINTS.iter().chain(LEFT_OUT) {
        if ROWS.iter().any(|row| row.0 == endpoint) {
            continue;
        }
        let row = (endpoint, Song, MORE, [YES; 3]);
        let nobody = matrix.ask(None, row).await;
        if endpoint == "getOpenSubsonicExtensions" {
            assert_eq!(nobody, YES, "clients ask this before they know how to log in");
            continue;
        }
        assert_eq!(nobody, 10, "{endpoint} for nobody");
        let owner = matrix.ask(Some(0), row).await;
        assert_ne!(owner, 50, "{endpoint} is for everybody, or has a row");
        for who in [1, 2] {
            assert_eq!(matrix.ask(Some(who), row).await, owner, "{endpoint} answers everybody alike");
        }
        answered += usize::from(owner == YES);
    }
    assert!(answered > 30, "most of them were asked well: {answered}");
    matrix.house.close().await;
}

/// The table of the page is that of this file.
#[test]
fn the_page_says_who_may() {
    let page = std::fs::read_to_string("docs/security.md").unwrap();
    for (endpoint, about, _, [owner, other, admin]) in ROWS {
        let whose = match about {
            Owner => "one's own account",
            Third => "an account",
            Playlist(_) => "a private playlist",
            Share => "a share",
            Device => "a player",
            _ => "",
        };
        let word = |code: &i64| match *code {
            YES => "yes".to_owned(),
            code => format!("error {code}"),
        };
        let row = format!("| {endpoint} | {whose} | {} | {} | {} |", word(owner), word(other), word(admin));
        assert!(page.contains(&row), "docs/security.md lacks {row}");
    }
}
