//! Lists and search.

use super::super::load::Level;
use super::{Call, Refusal, Said};
use crate::catalog::{AlbumList, Hits, RandomFilter, SearchWindows};
use crate::music::{Album, Window};
use crate::subsonic::convert::album_as_directory;
use crate::subsonic::response::{self, AlbumList2, Found, FoundOld, Matches, Songs};
use crate::subsonic::types::{AlbumID3, ArtistID3, Child};
use crate::subsonic::{Body, ErrorCode};

/// What one page of a list may hold, as the API has it.
const LARGEST_PAGE: u64 = 500;
/// What one page of a search may hold: clients that copy the whole library ask for much at once.
const LARGEST_SEARCH_PAGE: u64 = 20_000;
/// The largest offset that SQL can count to.
const ANY_OFFSET: u64 = i64::MAX as u64;

async fn albums(call: &Call<'_>) -> Result<Vec<Album>, Refusal> {
    let params = call.params;
    let year = |name| {
        params.required(name)?;
        params.parsed::<i32>(name).map(Option::unwrap_or_default)
    };
    let list = match params.required("type")? {
        "random" => AlbumList::Random,
        "newest" => AlbumList::Newest,
        "highest" => AlbumList::Highest,
        "frequent" => AlbumList::Frequent,
        "recent" => AlbumList::Recent,
        "alphabeticalByName" => AlbumList::ByName,
        "alphabeticalByArtist" => AlbumList::ByArtist,
        "starred" => AlbumList::Starred,
        "byYear" => AlbumList::ByYear { from: year("fromYear")?, to: year("toYear")? },
        "byGenre" => AlbumList::ByGenre(params.required("genre")?.to_owned()),
        _ => return Err(Refusal::new(ErrorCode::Generic, "the parameter “type” names no list of albums")),
    };
    let limit = params.count("size", 10, LARGEST_PAGE)?;
    let offset = params.count("offset", 0, ANY_OFFSET)?;
    Ok(call.listener.albums(&list, Window::new(offset, limit)).await?)
}

pub(super) async fn album_list(call: &Call<'_>) -> Said {
    let album = albums(call).await?.iter().map(album_as_directory).collect();
    Ok(Body::AlbumList(response::AlbumList { album }).into())
}

pub(super) async fn album_list2(call: &Call<'_>) -> Said {
    let album = albums(call).await?.iter().map(AlbumID3::from).collect();
    Ok(Body::AlbumList2(AlbumList2 { album }).into())
}

pub(super) async fn random_songs(call: &Call<'_>) -> Said {
    let params = call.params;
    let filter = RandomFilter {
        size: params.count("size", 10, LARGEST_PAGE)?,
        genre: params.get("genre").filter(|genre| !genre.is_empty()).map(str::to_owned),
        from_year: params.parsed("fromYear")?,
        to_year: params.parsed("toYear")?,
    };
    let song = call.listener.random_tracks(&filter).await?.iter().map(Child::from).collect();
    Ok(Body::RandomSongs(Songs { song }).into())
}

pub(super) async fn songs_by_genre(call: &Call<'_>) -> Said {
    let genre = call.params.required("genre")?;
    let limit = call.params.count("count", 10, LARGEST_PAGE)?;
    let offset = call.params.count("offset", 0, ANY_OFFSET)?;
    let tracks = call.listener.tracks_in_genre(genre, Window::new(offset, limit)).await?;
    Ok(Body::SongsByGenre(Songs { song: tracks.iter().map(Child::from).collect() }).into())
}

fn found(hits: &Hits) -> Found {
    Found {
        artist: hits.artists.iter().map(ArtistID3::from).collect(),
        album: hits.albums.iter().map(AlbumID3::from).collect(),
        song: hits.tracks.iter().map(Child::from).collect(),
    }
}

fn found_old(hits: &Hits) -> FoundOld {
    FoundOld {
        artist: hits.artists.iter().map(ArtistID3::from).collect(),
        album: hits.albums.iter().map(album_as_directory).collect(),
        song: hits.tracks.iter().map(Child::from).collect(),
    }
}

pub(super) async fn starred(call: &Call<'_>) -> Said {
    Ok(Body::Starred(found_old(&call.listener.starred().await?)).into())
}

pub(super) async fn starred2(call: &Call<'_>) -> Said {
    Ok(Body::Starred2(found(&call.listener.starred().await?)).into())
}

impl Call<'_> {
    /// Searches, as well as there is time for.
    async fn find(&self, query: &str, windows: SearchWindows) -> Result<Hits, Refusal> {
        if self.shared.load.level() < Level::PlainSearch {
            return Ok(self.listener.search(query, windows).await?);
        }
        self.shared.metrics.put_off("search ranking");
        Ok(self.listener.search_plainly(query, windows).await?)
    }
}

/// Everything for an empty query and for `""`; a query that is not there at all counts as empty too.
async fn hits(call: &Call<'_>) -> Result<Hits, Refusal> {
    let params = call.params;
    let window = |count, offset| {
        let limit = params.count(count, 20, LARGEST_SEARCH_PAGE)?;
        Ok::<_, Refusal>(Window::new(params.count(offset, 0, ANY_OFFSET)?, limit))
    };
    let windows = SearchWindows {
        artists: window("artistCount", "artistOffset")?,
        albums: window("albumCount", "albumOffset")?,
        tracks: window("songCount", "songOffset")?,
        ..SearchWindows::first(0)
    };
    let query = params.get("query").unwrap_or_default();
    let found = call.find(query, windows).await?;
    let nothing = found.artists.is_empty() && found.albums.is_empty() && found.tracks.is_empty();
    let asked = |window: Window| window.offset == 0 && window.limit > 0;
    // The end of a list is no search in vain, nor is one for a part of what there may be, nor one that was not done in full.
    let in_full = call.shared.load.level() < Level::PlainSearch;
    if nothing && in_full && asked(windows.artists) && asked(windows.albums) && asked(windows.tracks) {
        call.shared.tally.missed(&call.account.id, query);
    }
    Ok(found)
}

/// The oldest search: songs by parts of their names.
pub(super) async fn search(call: &Call<'_>) -> Said {
    let params = call.params;
    let words = ["any", "title", "album", "artist"].map(|name| params.get(name).unwrap_or_default());
    let window =
        Window::new(params.count("offset", 0, ANY_OFFSET)?, params.count("count", 20, LARGEST_SEARCH_PAGE)?);
    let windows = SearchWindows { tracks: window, ..SearchWindows::first(0) };
    let query = words.join(" ");
    // Unlike its successors it finds nothing where nothing is asked for.
    let tracks = match query.trim() {
        "" => Vec::new(),
        query => call.find(query, windows).await?.tracks,
    };
    let offset = window.offset;
    let total_hits = offset + tracks.len() as u64;
    let r#match = tracks.iter().map(Child::from).collect();
    Ok(Body::SearchResult(Matches { offset, total_hits, r#match }).into())
}

pub(super) async fn search2(call: &Call<'_>) -> Said {
    Ok(Body::SearchResult2(found_old(&hits(call).await?)).into())
}

pub(super) async fn search3(call: &Call<'_>) -> Said {
    Ok(Body::SearchResult3(found(&hits(call).await?)).into())
}
