//! The shape of every answer, against a table of what the API's own schema (1.16.1) and the specification of OpenSubsonic demand:
//! names, kinds, what must be there. The same answer is asked for in XML, JSON and JSONP.

use std::collections::HashMap;

use reqwest::Url;
use roxmltree::Node;
use segue::music::{AdRules, Plan};
use segue::server::{ENDPOINTS, LEFT_OUT, accounts, plans};
use serde_json::Value;

use crate::house::{ANN, House, ODD_TITLE, data};

/// A type: its name; its attributes; its elements. `name:kind` must be there, `name?:kind` may. Kinds are `text`, `int`, `number`,
/// `bool`, `time`, or another type; `[kind]` is a list. `@` is the text of an XML element, and `value` in JSON.
type Type = (&'static str, &'static str, &'static str);

/// What both formats have. Lists of attributes are those of 1.16.1, but that OpenSubsonic has `playQueue.current` as text.
const TYPES: &[Type] = &[
    ("License", "valid:bool email?:text licenseExpires?:time trialExpires?:time", ""),
    ("Error", "code:int message?:text helpUrl?:text", ""),
    ("MusicFolders", "", "musicFolder:[MusicFolder]"),
    ("MusicFolder", "id:int name?:text", ""),
    ("Indexes", "lastModified:int ignoredArticles:text", "shortcut:[Artist] index:[Index] child:[Child]"),
    ("Index", "name:text", "artist:[Artist]"),
    (
        "Artist",
        "id:text name:text artistImageUrl?:text starred?:time userRating?:int averageRating?:number",
        "",
    ),
    ("Devices", "", "device:[Device]"),
    (
        "Device",
        "id:text name:text kind:text online:bool seen:time revision:int lastCommand:int",
        "status?:DeviceStatus queue?:DeviceQueue",
    ),
    (
        "DeviceStatus",
        "state:text position:int age:int volume:int muted:bool private:bool shuffle:bool repeat:text done:int \
         trackId?:text context?:text trouble?:text",
        "",
    ),
    ("DeviceQueue", "current?:int upNext:int", "entry:[DeviceEntry]"),
    ("DeviceEntry", "uid:int id:text", ""),
    ("DeviceCommands", "", "command:[DeviceCommand]"),
    (
        "DeviceCommand",
        "sequence:int action:text index?:int position?:int upNext?:int name?:text by?:int volume?:int shuffle?:bool \
         repeat?:text play?:bool",
        "trackId:[text] uid:[int]",
    ),
    ("Genres", "", "genre:[Genre]"),
    ("Genre", "@:text songCount:int albumCount:int", ""),
    ("Artists", "ignoredArticles:text", "index:[IndexID3]"),
    ("IndexID3", "name:text", "artist:[ArtistID3]"),
    ("ArtistID3", "id:text name:text coverArt?:text artistImageUrl?:text albumCount:int starred?:time", ""),
    ("ArtistWithAlbums", "=ArtistID3", "album:[AlbumID3]"),
    (
        "AlbumID3",
        "id:text name:text artist?:text artistId?:text coverArt?:text songCount:int duration:int playCount?:int \
         created:time starred?:time year?:int genre?:text",
        "",
    ),
    ("AlbumWithSongs", "=AlbumID3", "song:[Child]"),
    (
        "Directory",
        "id:text parent?:text name:text starred?:time userRating?:int averageRating?:number playCount?:int",
        "child:[Child]",
    ),
    (
        "Child",
        "id:text parent?:text isDir:bool title:text album?:text artist?:text track?:int year?:int genre?:text \
         coverArt?:text size?:int contentType?:text suffix?:text transcodedContentType?:text transcodedSuffix?:text \
         duration?:int bitRate?:int path?:text isVideo?:bool userRating?:int averageRating?:number playCount?:int \
         discNumber?:int created?:time starred?:time albumId?:text artistId?:text type?:text bookmarkPosition?:int",
        "",
    ),
    ("NowPlaying", "", "entry:[NowPlayingEntry]"),
    ("NowPlayingEntry", "=Child username:text minutesAgo:int playerId:int playerName?:text", ""),
    ("SearchResult", "offset:int totalHits:int", "match:[Child]"),
    ("SearchResult2", "", "artist:[Artist] album:[Child] song:[Child]"),
    ("SearchResult3", "", "artist:[ArtistID3] album:[AlbumID3] song:[Child]"),
    ("Playlists", "", "playlist:[Playlist]"),
    (
        "Playlist",
        "id:text name:text comment?:text owner?:text public?:bool songCount:int duration:int created:time changed:time \
         coverArt?:text",
        "allowedUser:[text]",
    ),
    ("PlaylistWithSongs", "=Playlist", "entry:[Child]"),
    ("AlbumList", "", "album:[Child]"),
    ("AlbumList2", "", "album:[AlbumID3]"),
    ("Songs", "", "song:[Child]"),
    ("Lyrics", "@:text artist?:text title?:text", ""),
    ("Stations", "", "internetRadioStation:[Station]"),
    ("Station", "id:text name:text streamUrl:text homePageUrl?:text", ""),
    ("Bookmarks", "", "bookmark:[Bookmark]"),
    ("Bookmark", "position:int username:text comment?:text created:time changed:time", "entry:Child"),
    ("PlayQueue", "current?:text position?:int username:text changed:time changedBy:text", "entry:[Child]"),
    ("Shares", "", "share:[Share]"),
    (
        "Share",
        "id:text url:text description?:text username:text created:time expires?:time lastVisited?:time visitCount:int",
        "entry:[Child]",
    ),
    ("Starred", "", "artist:[Artist] album:[Child] song:[Child]"),
    ("Starred2", "", "artist:[ArtistID3] album:[AlbumID3] song:[Child]"),
    (
        "AlbumInfo",
        "",
        "notes?:text musicBrainzId?:text lastFmUrl?:text smallImageUrl?:text mediumImageUrl?:text largeImageUrl?:text",
    ),
    (
        "ArtistInfo",
        "",
        "biography?:text musicBrainzId?:text lastFmUrl?:text smallImageUrl?:text mediumImageUrl?:text \
         largeImageUrl?:text similarArtist:[Artist]",
    ),
    (
        "ArtistInfo2",
        "",
        "biography?:text musicBrainzId?:text lastFmUrl?:text smallImageUrl?:text mediumImageUrl?:text \
         largeImageUrl?:text similarArtist:[ArtistID3]",
    ),
    ("ScanStatus", "scanning:bool count?:int", ""),
    ("Users", "", "user:[User]"),
    (
        "User",
        "username:text email?:text scrobblingEnabled:bool maxBitRate?:int adminRole:bool settingsRole:bool \
         downloadRole:bool uploadRole:bool playlistRole:bool coverArtRole:bool commentRole:bool podcastRole:bool \
         streamRole:bool jukeboxRole:bool shareRole:bool videoConversionRole:bool avatarLastChanged?:time",
        "folder:[int]",
    ),
    // Of OpenSubsonic alone.
    ("Extensions", "", "[Extension]"),
    ("Extension", "name:text", "versions:[int]"),
    ("Matches", "", "[Match]"),
    ("Match", "similarity:number", "entry:Child"),
    ("Insights", "since:text until:text minimum:int note?:text", "table:[InsightsTable]"),
    (
        "InsightsTable",
        "name:text title:text about:text inTime:bool",
        "column?:[InsightsColumn] row?:[InsightsRow]",
    ),
    ("InsightsColumn", "name:text title:text kind:text", ""),
    ("InsightsRow", "", "cell:[InsightsCell]"),
    ("InsightsCell", "@?:text", ""),
    (
        "Privacy",
        "profiling:bool textVersion?:int eraseAt?:time",
        "purpose:[PrivacyPurpose] stored:[PrivacyStored]",
    ),
    ("PrivacyPurpose", "name:text on:bool version?:int decided?:time basis:text title:text text:text", ""),
    ("PrivacyStored", "name:text count:int", ""),
    ("TokenInfo", "username:text", ""),
    (
        "Plan",
        "name:text ends?:time price?:text upgrade?:text maxBitRate:int offline:bool skipsPerHour:int streams:int adsEvery:int \
         adsAtOnce:int adsInsideAlbums:bool",
        "",
    ),
    ("Ads", "", "ad:[Ad]"),
    (
        "Ad",
        "ticket:text songId:text title:text advertiser:text durationMs:int skippableAfterMs?:int countsAfterMs:int gain:number \
         peak:number expires:time",
        "",
    ),
    (
        "PlayQueueByIndex",
        "currentIndex?:int position?:int username:text changed:time changedBy:text",
        "entry:[Child]",
    ),
    ("LyricsList", "", "structuredLyrics:[StructuredLyrics]"),
    (
        "StructuredLyrics",
        "lang:text synced:bool displayArtist?:text displayTitle?:text offset?:number kind?:text",
        "line:[Line] cueLine:[CueLine]",
    ),
    ("Line", "@:text start?:number", ""),
    ("CueLine", "@:text index:int start?:int end?:int agentId?:text", "cue:[Cue]"),
    ("Cue", "@:text start:int end?:int byteStart:int byteEnd:int", ""),
    (
        "TranscodeDecision",
        "canDirectPlay:bool canTranscode:bool errorReason?:text transcodeParams?:text",
        "transcodeReason:[text] sourceStream?:StreamDetails transcodeStream?:StreamDetails",
    ),
    (
        "StreamDetails",
        "protocol:text container:text codec:text audioChannels?:int audioBitrate?:int audioProfile?:text \
         audioSamplerate?:int audioBitdepth?:int",
        "",
    ),
    (
        "ReplayGain",
        "trackGain?:number albumGain?:number trackPeak?:number albumPeak?:number baseGain?:number",
        "",
    ),
    ("ItemGenre", "name:text", ""),
    (
        "Credit",
        "id:text name:text coverArt?:text albumCount?:int musicBrainzId?:text sortName?:text",
        "roles:[text]",
    ),
    ("ItemDate", "year?:int month?:int day?:int", ""),
    ("DiscTitle", "disc:int title:text", ""),
    ("Contributor", "role:text subRole?:text", "artist:Credit"),
    ("Work", "name:text musicBrainzId?:text", ""),
    ("Movement", "name:text number?:int count?:int", ""),
    ("RecordLabel", "name:text", ""),
];

/// What OpenSubsonic adds to types of 1.16.1.
const ADDED: &[(&str, &str, &str)] = &[
    (
        "Child",
        "mediaType?:text musicBrainzId?:text sortName?:text comment?:text bpm?:int bitDepth?:int samplingRate?:int \
         channelCount?:int displayArtist?:text displayAlbumArtist?:text displayComposer?:text played?:time \
         explicitStatus?:text",
        "genres:[ItemGenre] artists:[Credit] albumArtists:[Credit] replayGain?:ReplayGain isrc:[text] moods:[text] \
         contributors:[Contributor] works:[Work] movements:[Movement] groupings:[text]",
    ),
    (
        "AlbumID3",
        "played?:time userRating?:int musicBrainzId?:text displayArtist?:text sortName?:text version?:text \
         isCompilation?:bool explicitStatus?:text",
        "genres:[ItemGenre] artists:[Credit] moods:[text] releaseTypes:[text] discTitles:[DiscTitle] \
         originalReleaseDate?:ItemDate releaseDate?:ItemDate recordLabels:[RecordLabel]",
    ),
    ("ArtistID3", "musicBrainzId?:text sortName?:text userRating?:int", "roles:[text]"),
    ("Artist", "coverArt?:text albumCount?:int musicBrainzId?:text sortName?:text", "roles:[text]"),
    ("NowPlayingEntry", "state?:text positionMs?:int playbackRate?:number", ""),
    ("Playlist", "readonly?:bool validUntil?:time", ""),
    ("ScanStatus", "folderCount?:int lastScan?:time", ""),
];

/// Endpoints by the name of their answer's body and its type.
const BODIES: &[(&str, &str, &str)] = &[
    ("createPlaylist", "playlist", "PlaylistWithSongs"),
    ("createShare", "shares", "Shares"),
    ("findSonicPath", "sonicMatch", "Matches"),
    ("getAds", "ads", "Ads"),
    ("getAlbum", "album", "AlbumWithSongs"),
    ("getAlbumInfo", "albumInfo", "AlbumInfo"),
    ("getAlbumInfo2", "albumInfo", "AlbumInfo"),
    ("getAlbumList", "albumList", "AlbumList"),
    ("getAlbumList2", "albumList2", "AlbumList2"),
    ("getArtist", "artist", "ArtistWithAlbums"),
    ("getArtistInfo", "artistInfo", "ArtistInfo"),
    ("getArtistInfo2", "artistInfo2", "ArtistInfo2"),
    ("getArtists", "artists", "Artists"),
    ("getBookmarks", "bookmarks", "Bookmarks"),
    ("getDevice", "device", "Device"),
    ("getDeviceCommands", "deviceCommands", "DeviceCommands"),
    ("getDevices", "devices", "Devices"),
    ("getGenres", "genres", "Genres"),
    ("getInsights", "insights", "Insights"),
    ("getIndexes", "indexes", "Indexes"),
    ("getInternetRadioStations", "internetRadioStations", "Stations"),
    ("getLicense", "license", "License"),
    ("getLyrics", "lyrics", "Lyrics"),
    ("getLyricsBySongId", "lyricsList", "LyricsList"),
    ("getMusicDirectory", "directory", "Directory"),
    ("getMusicFolders", "musicFolders", "MusicFolders"),
    ("getNowPlaying", "nowPlaying", "NowPlaying"),
    ("getOpenSubsonicExtensions", "openSubsonicExtensions", "Extensions"),
    ("getPlayQueue", "playQueue", "PlayQueue"),
    ("getPlayQueueByIndex", "playQueueByIndex", "PlayQueueByIndex"),
    ("getPlan", "plan", "Plan"),
    ("getPlaylist", "playlist", "PlaylistWithSongs"),
    ("getPlaylists", "playlists", "Playlists"),
    ("getPrivacy", "privacy", "Privacy"),
    ("getRandomSongs", "randomSongs", "Songs"),
    ("getScanStatus", "scanStatus", "ScanStatus"),
    ("getShares", "shares", "Shares"),
    ("getSimilarSongs", "similarSongs", "Songs"),
    ("getSimilarSongs2", "similarSongs2", "Songs"),
    ("getSong", "song", "Child"),
    ("getSongsByGenre", "songsByGenre", "Songs"),
    ("getSonicSimilarTracks", "sonicMatch", "Matches"),
    ("getStarred", "starred", "Starred"),
    ("getStarred2", "starred2", "Starred2"),
    ("getTopSongs", "topSongs", "Songs"),
    ("getTranscodeDecision", "transcodeDecision", "TranscodeDecision"),
    ("getUser", "user", "User"),
    ("getUsers", "users", "Users"),
    ("reportDevice", "device", "Device"),
    ("search", "searchResult", "SearchResult"),
    ("search2", "searchResult2", "SearchResult2"),
    ("search3", "searchResult3", "SearchResult3"),
    ("sendToDevice", "deviceCommand", "DeviceCommand"),
    ("setPrivacy", "privacy", "Privacy"),
    ("startScan", "scanStatus", "ScanStatus"),
    ("tokenInfo", "tokenInfo", "TokenInfo"),
];

/// Endpoints that send bytes of their own, and those that want POST and a password.
const BYTES: &[&str] = &[
    "download",
    "eraseAccount",
    "exportAccount",
    "getAvatar",
    "getCoverArt",
    "getTranscodeStream",
    "stream",
];

#[derive(Clone, Copy)]
struct Part {
    name: &'static str,
    required: bool,
    kind: &'static str,
}

#[derive(Clone, Default)]
struct Shape {
    attributes: Vec<Part>,
    elements: Vec<Part>,
}

fn parts(text: &'static str) -> impl Iterator<Item = Part> {
    text.split_whitespace().filter(|word| !word.starts_with('=') && !word.starts_with('[')).map(|word| {
        let (name, kind) = word.split_once(':').unwrap();
        let plain = name.trim_end_matches('?');
        Part { name: plain, required: plain == name && !kind.starts_with('['), kind }
    })
}

fn shape(name: &str) -> Shape {
    let (_, attributes, elements) = TYPES.iter().find(|of| of.0 == name).unwrap_or_else(|| panic!("{name}"));
    let mut shape = match attributes.split_whitespace().next().and_then(|word| word.strip_prefix('=')) {
        Some(base) => self::shape(base),
        None => Shape::default(),
    };
    shape.attributes.extend(parts(attributes));
    shape.elements.extend(parts(elements));
    for (_, attributes, elements) in ADDED.iter().filter(|added| added.0 == name) {
        shape.attributes.extend(parts(attributes));
        shape.elements.extend(parts(elements));
    }
    shape
}

fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

fn fits(kind: &str, text: &str) -> bool {
    match kind {
        "text" => true,
        "int" => text.parse::<i64>().is_ok(),
        "number" => text.parse::<f64>().is_ok_and(f64::is_finite),
        "bool" => matches!(text, "true" | "false"),
        // An item that was never played has an empty time, as the specification allows.
        "time" => text.is_empty() || is_time(text),
        _ => false,
    }
}

fn is_simple(kind: &str) -> bool {
    matches!(kind, "text" | "int" | "number" | "bool" | "time")
}

fn inner(kind: &'static str) -> &'static str {
    kind.trim_start_matches('[').trim_end_matches(']')
}

fn check_xml(node: Node<'_, '_>, kind: &'static str, at: &str) {
    let shape = shape(kind);
    for attribute in node.attributes() {
        let part = shape.attributes.iter().find(|part| part.name == attribute.name());
        let part = part.unwrap_or_else(|| panic!("{at}: nobody knows the attribute {}", attribute.name()));
        assert!(fits(part.kind, attribute.value()), "{at}: {} is {:?}", part.name, attribute.value());
    }
    for part in shape.attributes.iter().filter(|part| part.required && part.name != "@") {
        assert!(node.has_attribute(part.name), "{at}: without {}", part.name);
    }
    let texts = shape.attributes.iter().any(|part| part.name == "@");
    let loose =
        node.children().filter(Node::is_text).filter_map(|text| text.text()).any(|t| !t.trim().is_empty());
    assert!(texts || !loose, "{at}: text where there is none");
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        let part = shape.elements.iter().find(|part| part.name == name);
        let part = part.unwrap_or_else(|| panic!("{at}: nobody knows the element {name}"));
        let at = format!("{at}/{name}");
        if is_simple(inner(part.kind)) {
            assert!(fits(inner(part.kind), child.text().unwrap_or_default()), "{at}");
            assert_eq!(child.attributes().len(), 0, "{at}");
        } else {
            check_xml(child, inner(part.kind), &at);
        }
    }
    for part in &shape.elements {
        let count = node.children().filter(|child| child.has_tag_name((NAMESPACE, part.name))).count();
        let most = if part.kind.starts_with('[') { usize::MAX } else { 1 };
        assert!(count <= most && (count > 0 || !part.required), "{at}: {count} of {}", part.name);
    }
}

const NAMESPACE: &str = "http://subsonic.org/restapi";

fn check_json(value: &Value, kind: &'static str, at: &str) {
    if kind.starts_with('[') {
        let list = value.as_array().unwrap_or_else(|| panic!("{at}: a list is an array, not {value}"));
        return list.iter().for_each(|one| check_json(one, inner(kind), at));
    }
    if is_simple(kind) {
        let fits = match kind {
            "text" => value.is_string(),
            "int" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "bool" => value.is_boolean(),
            _ => value.as_str().is_some_and(|text| fits("time", text)),
        };
        assert!(fits, "{at}: {value} is no {kind}");
        return;
    }
    if kind == "Extensions" {
        return check_json(value, "[Extension]", at);
    }
    if kind == "Matches" {
        return check_json(value, "[Match]", at);
    }
    let shape = shape(kind);
    let parts: Vec<Part> = shape.attributes.iter().chain(&shape.elements).copied().collect();
    let name_of = |part: &Part| if part.name == "@" { "value" } else { part.name };
    let object = value.as_object().unwrap_or_else(|| panic!("{at}: {value}"));
    for (name, value) in object {
        let part = parts.iter().find(|part| name_of(part) == name);
        let part = part.unwrap_or_else(|| panic!("{at}: nobody knows {name}"));
        check_json(value, part.kind, &format!("{at}/{name}"));
    }
    for part in parts.iter().filter(|part| part.required) {
        assert!(object.contains_key(name_of(part)), "{at}: without {}", part.name);
    }
}

/// Parameters that make as many endpoints as possible answer with something in it.
fn parameters(ids: &HashMap<&'static str, String>, endpoint: &str) -> Vec<(&'static str, String)> {
    let id = match endpoint {
        "getAlbum" | "getAlbumInfo" | "getAlbumInfo2" | "getMusicDirectory" => "album",
        "getArtist" | "getArtistInfo" | "getArtistInfo2" => "artist",
        "getPlaylist" | "deletePlaylist" => "playlist",
        "updateShare" | "deleteShare" => "share",
        "updateInternetRadioStation" | "deleteInternetRadioStation" => "station",
        _ => "song",
    };
    let mut all =
        vec![("id", ids[id].clone()), ("mediaId", ids["song"].clone()), ("songId", ids["song"].clone())];
    match endpoint {
        "getAds" => all.push(("count", "2".to_owned())),
        "reportDevice" | "getDevice" | "getDeviceCommands" | "sendToDevice" | "forgetDevice" => {
            let told = [("kind", "speaker"), ("repeat", "off"), ("queue", "false"), ("action", "pause")];
            all.extend(told.map(|(name, value)| (name, value.to_owned())));
        }
        "reportAds" => {
            let now = jiff::Timestamp::now().as_millisecond().to_string();
            all.extend([("ticket", ids["ticket"].clone()), ("heard", "1".to_owned()), ("time", now)]);
        }
        _ => {}
    }
    if endpoint == "updatePlaylist" {
        all.push(("playlistId", ids["playlist"].clone()));
    }
    let username =
        if matches!(endpoint, "createUser" | "updateUser" | "deleteUser") { "carl" } else { "admin" };
    let more = [
        ("username", username),
        ("password", "sesame"),
        ("query", ""),
        ("any", "one"),
        ("artist", "Alpha"),
        ("title", "One"),
        ("type", "alphabeticalByName"),
        ("genre", "Rock"),
        ("rating", "3"),
        ("position", "1"),
        ("current", ids["song"].as_str()),
        ("currentIndex", "0"),
        ("mediaType", "song"),
        ("positionMs", "1"),
        ("state", "playing"),
        ("streamUrl", "http://radio.example/"),
        ("name", "a name"),
        ("startSongId", ids["song"].as_str()),
        ("endSongId", ids["song"].as_str()),
        ("profiling", "true"),
        ("enhanced", "true"),
        ("comment", "a comment"),
        ("description", "a description"),
        ("homepageUrl", "http://radio.example/home"),
    ];
    all.extend(more.map(|(name, value)| (name, value.to_owned())));
    if endpoint == "changePassword" {
        all.retain(|(name, _)| *name != "username");
        all.push(("username", ANN.0.to_owned()));
    }
    all
}

async fn furnished(house: &House) -> HashMap<&'static str, String> {
    let song = house.song("One").await;
    let album = house.album("First Light").await;
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned();
    let list = house.json("createPlaylist", &[("name", "P"), ("songId", &song)]).await;
    let share = house.json("createShare", &[("id", &song), ("expires", "4102444800000")]).await;
    house.http.get(text(&share["shares"]["share"][0]["url"])).send().await.unwrap();
    let station =
        [("name", "R"), ("streamUrl", "http://radio.example/"), ("homepageUrl", "http://radio.example/h")];
    house.json("createInternetRadioStation", &station).await;
    let stations = house.json("getInternetRadioStations", &[]).await;
    let device = [
        ("id", song.as_str()),
        ("name", "hall"),
        ("kind", "speaker"),
        ("state", "paused"),
        ("repeat", "off"),
    ];
    let queue =
        [("queue", "true"), ("entryId", &song), ("entryUid", "1"), ("current", "0"), ("trackId", &song)];
    let device: Vec<_> = device.into_iter().chain(queue).collect();
    assert_eq!(house.json("reportDevice", &device).await["status"], "ok");
    let ads = AdRules { every_ms: 900_000, at_once: 2, inside_albums: false };
    let (price, upgrade) = ("€ 1".to_owned(), "Ask.".to_owned());
    let plan = Plan { name: "ads".to_owned(), ads: Some(ads), price, upgrade, ..Plan::default() };
    house.catalog.put_plan(&plan).await.unwrap();
    let (from, until) = (0, Some(4_102_444_800_000));
    accounts::set_plan(&house.catalog, "admin", Some("ads"), from, until).await.unwrap();
    plans::add_house_ads(&house.catalog, &data(&house.folder), 0).await.unwrap();
    let ads = house.json("getAds", &[]).await;
    let ids = HashMap::from([
        ("ticket", text(&ads["ads"]["ad"][0]["ticket"])),
        ("artist", text(&album["artistId"])),
        ("album", text(&album["id"])),
        ("playlist", text(&list["playlist"]["id"])),
        ("share", text(&share["shares"]["share"][0]["id"])),
        ("station", text(&stations["internetRadioStations"]["internetRadioStation"][0]["id"])),
        ("song", song),
    ]);
    let (song, album, artist) = (ids["song"].as_str(), ids["album"].as_str(), ids["artist"].as_str());
    for (endpoint, params) in [
        ("star", vec![("id", song), ("albumId", album), ("artistId", artist)]),
        ("setRating", vec![("id", song), ("rating", "4")]),
        ("setRating", vec![("id", album), ("rating", "4")]),
        ("scrobble", vec![("id", song)]),
        ("scrobble", vec![("id", song), ("submission", "false")]),
        ("createBookmark", vec![("id", song), ("position", "5"), ("comment", "c")]),
        ("savePlayQueue", vec![("id", song), ("current", song), ("position", "3")]),
        (
            "updatePlaylist",
            vec![("playlistId", ids["playlist"].as_str()), ("comment", "c"), ("public", "true")],
        ),
    ] {
        assert_eq!(house.json(endpoint, &params).await["status"], "ok", "{endpoint}");
    }
    ids
}

fn url(
    house: &House,
    endpoint: &str,
    params: &[(&'static str, String)],
    format: &[(&'static str, &str)],
) -> Url {
    let mut all: Vec<(&str, &str)> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend_from_slice(format);
    house.own_url(endpoint, &all).parse().unwrap()
}

/// The body of an answer; a decision wants to be told something.
async fn text(house: &House, endpoint: &str, url: Url) -> (String, String) {
    let mut request = house.http.get(url.clone());
    if endpoint == "getTranscodeDecision" {
        let client = r#"{"name":"x","platform":"y","directPlayProfiles":[],"transcodingProfiles":[]}"#;
        request = house.http.post(url).header("content-type", "application/json").body(client);
    }
    let reply = request.send().await.unwrap();
    let kind = reply.headers()["content-type"].to_str().unwrap().to_owned();
    (kind, String::from_utf8(reply.bytes().await.unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn every_answer_has_the_shape_of_the_specification() {
    let house = House::open().await.with_ann().await;
    let lyrics = "[00:00.01]<00:00.01>some <00:00.03>words<00:00.05>\n[00:00.06]<00:00.06>more<00:00.08>";
    std::fs::write(house.folder.path().join("music/Alpha/First Light/01.lrc"), lyrics).unwrap();
    house.json("startScan", &[]).await;
    while house.json("getScanStatus", &[]).await["scanStatus"]["scanning"] == true {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let ids = furnished(&house).await;
    let mut endpoints: Vec<&str> = ENDPOINTS.iter().chain(LEFT_OUT).copied().collect();
    // What takes things away comes last.
    endpoints.sort_by_key(|endpoint| endpoint.starts_with("delete") || endpoint.starts_with("forget"));
    for endpoint in endpoints.into_iter().filter(|endpoint| !BYTES.contains(endpoint)) {
        let params = parameters(&ids, endpoint);
        let body = BODIES.iter().find(|body| body.0 == endpoint);
        let changes = body.is_none() || endpoint.starts_with("create");

        let (kind, xml) = text(&house, endpoint, url(&house, endpoint, &params, &[])).await;
        assert_eq!(kind, "text/xml; charset=utf-8", "{endpoint}");
        let document = roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{endpoint}: {error}"));
        let root = document.root_element();
        assert!(root.has_tag_name((NAMESPACE, "subsonic-response")), "{endpoint}");
        // The jukebox of this house is nobody; what it answers is looked at where it is somebody.
        let failed = LEFT_OUT.contains(&endpoint) || endpoint == "jukeboxControl";
        for (name, value) in [("version", "1.16.1"), ("type", "segue"), ("openSubsonic", "true")] {
            assert_eq!(root.attribute(name), Some(value), "{endpoint}");
        }
        assert_eq!(root.attribute("status"), Some(if failed { "failed" } else { "ok" }), "{endpoint}: {xml}");
        assert_eq!(root.attribute("serverVersion"), Some(env!("CARGO_PKG_VERSION")));
        let bodies: Vec<Node<'_, '_>> = root.children().filter(Node::is_element).collect();
        match body {
            _ if failed => check_xml(bodies[0], "Error", endpoint),
            None => assert!(bodies.is_empty(), "{endpoint}: {xml}"),
            Some((_, name, kind)) => {
                // Nothing was analysed here, so that nothing sounds alike.
                assert!(
                    !bodies.is_empty() || endpoint == "getSonicSimilarTracks",
                    "{endpoint}: nothing in it"
                );
                let kind = match *kind {
                    "Extensions" => "Extension",
                    "Matches" => "Match",
                    kind => kind,
                };
                for body in bodies {
                    assert!(body.has_tag_name((NAMESPACE, *name)), "{endpoint}: {xml}");
                    check_xml(body, kind, endpoint);
                }
            }
        }
        if changes && !failed && !endpoint.starts_with("get") && endpoint != "createPlaylist" {
            continue; // it is done; a second time it would be another question
        }
        let (kind, json) = text(&house, endpoint, url(&house, endpoint, &params, &[("f", "json")])).await;
        assert_eq!(kind, "application/json", "{endpoint}");
        let envelope = serde_json::from_str::<Value>(&json).unwrap()["subsonic-response"].take();
        assert_eq!(envelope["status"], if failed { "failed" } else { "ok" }, "{endpoint}: {json}");
        assert_eq!((&envelope["version"], &envelope["type"]), (&"1.16.1".into(), &"segue".into()));
        assert!(envelope["openSubsonic"] == true && envelope["serverVersion"].is_string());
        match body {
            _ if failed => check_json(&envelope["error"], "Error", endpoint),
            None => assert_eq!(envelope.as_object().unwrap().len(), 5, "{endpoint}: {json}"),
            Some((_, name, kind)) => {
                assert_eq!(envelope.as_object().unwrap().len(), 6, "{endpoint}: {json}");
                check_json(&envelope[*name], kind, endpoint);
            }
        }
        let jsonp = url(&house, endpoint, &params, &[("f", "jsonp"), ("callback", "app.take")]);
        let (kind, script) = text(&house, endpoint, jsonp).await;
        assert_eq!(kind, "text/javascript; charset=utf-8", "{endpoint}");
        let inside = script.strip_prefix("/**/app.take(").and_then(|rest| rest.strip_suffix(");"));
        let inside: Value = serde_json::from_str(inside.unwrap_or_else(|| panic!("{script}"))).unwrap();
        assert_eq!(inside["subsonic-response"]["status"], envelope["status"], "{endpoint}");
    }
    house.close().await;
}

#[tokio::test]
async fn refusals_have_it_too() {
    let house = House::open().await;
    for endpoint in ENDPOINTS.iter().filter(|endpoint| **endpoint != "getOpenSubsonicExtensions") {
        let xml = house.http.get(house.url(endpoint, &[])).send().await.unwrap().text().await.unwrap();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let error = document.root_element().first_element_child().unwrap();
        check_xml(error, "Error", endpoint);
        let json = house.anybody(endpoint, &[]).await;
        check_json(&json["error"], "Error", endpoint);
        assert_eq!((error.attribute("code"), &json["error"]["code"]), (Some("10"), &10.into()), "{endpoint}");
    }
    house.close().await;
}

#[tokio::test]
async fn odd_words_are_whole_in_every_format() {
    let house = House::open().await;
    let song = house.song(ODD_TITLE).await;
    let params = vec![("id", song)];
    let (_, xml) = text(&house, "getSong", url(&house, "getSong", &params, &[])).await;
    let document = roxmltree::Document::parse(&xml).unwrap();
    assert_eq!(document.root_element().first_element_child().unwrap().attribute("title"), Some(ODD_TITLE));
    let jsonp = url(&house, "getSong", &params, &[("f", "jsonp"), ("callback", "f")]);
    let (_, script) = text(&house, "getSong", jsonp).await;
    let inside = script.strip_prefix("/**/f(").and_then(|rest| rest.strip_suffix(");")).unwrap();
    let inside: Value = serde_json::from_str(inside).unwrap();
    assert_eq!(inside["subsonic-response"]["song"]["title"], ODD_TITLE);
    house.close().await;
}
