//! The library: artists, genres or years, the albums of one, the tracks of one of these.

use super::listing::{Listing, Row};
use crate::catalog::AlbumList;
use crate::music::{Album, AlbumId, Artist, ArtistId, Track};

/// A column of the library. The first one is one of three.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Column {
    /// Album artists.
    #[default]
    Artists,
    /// Genres.
    Genres,
    /// Decades and years.
    Years,
    /// Albums of what is selected in the first column.
    Albums,
    /// Tracks of the selected album.
    Tracks,
}

impl Column {
    /// What the first column may list.
    pub(crate) const FIRST: [Self; 3] = [Self::Artists, Self::Genres, Self::Years];

    /// Its title.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Artists => "Artists",
            Self::Genres => "Genres",
            Self::Years => "Years",
            Self::Albums => "Albums",
            Self::Tracks => "Tracks",
        }
    }
}

/// A genre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GenreRow {
    pub(crate) name: String,
    pub(crate) albums: u64,
}

impl Row for GenreRow {
    fn key(&self) -> &str {
        &self.name
    }
    fn words(&self) -> String {
        self.name.clone()
    }
}

/// A decade, or a year of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct YearRow {
    pub(crate) from: i32,
    pub(crate) to: i32,
    pub(crate) albums: u64,
    /// `1990s` or `1997`.
    pub(crate) name: String,
}

impl Row for YearRow {
    fn key(&self) -> &str {
        &self.name
    }
    fn words(&self) -> String {
        self.name.clone()
    }
}

impl YearRow {
    /// Whether it is a whole decade.
    pub(crate) const fn decade(&self) -> bool {
        self.from != self.to
    }
}

/// Years with their albums, the last one first, as rows: each decade before its years.
pub(crate) fn by_decades(years: &[(i32, u64)]) -> Vec<YearRow> {
    let mut rows = Vec::new();
    for of_one in years.chunk_by(|a, b| a.0.div_euclid(10) == b.0.div_euclid(10)) {
        let Some((first, _)) = of_one.first() else { continue };
        let from = first.div_euclid(10) * 10;
        let albums = of_one.iter().map(|(_, n)| n).sum();
        rows.push(YearRow { from, to: from + 9, albums, name: format!("{from}s") });
        rows.extend(of_one.iter().map(|(year, albums)| YearRow {
            from: *year,
            to: *year,
            albums: *albums,
            name: year.to_string(),
        }));
    }
    rows
}

/// Whose albums stand in the second column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Root {
    /// An artist's, all at once.
    Artist(ArtistId),
    /// Those of a list of the catalog, in windows.
    List(AlbumList),
}

/// State of the library screen.
#[derive(Debug, Default)]
pub(crate) struct Library {
    pub(crate) column: Column,
    /// What the first column lists.
    pub(crate) by: Column,
    pub(crate) artists: Listing<Artist>,
    pub(crate) genres: Listing<GenreRow>,
    pub(crate) years: Listing<YearRow>,
    pub(crate) albums: Listing<Album>,
    pub(crate) tracks: Listing<Track>,
    /// Whose albums are shown or on the way, and the first question for them.
    pub(crate) albums_of: Option<(Root, u64)>,
    /// Whose tracks are shown or on the way, and the question for them.
    pub(crate) tracks_of: Option<(AlbumId, u64)>,
    /// The question for rows that match the filter.
    pub(crate) finding: Option<u64>,
    /// The question for the place where letters lead.
    pub(crate) jumping: Option<u64>,
    /// The question for the years.
    pub(crate) counting: Option<u64>,
    /// Whose albums and tracks were asked for last: the same ones again do not move the cursor.
    pub(crate) last_root: Option<Root>,
    pub(crate) last_album: Option<AlbumId>,
    /// An artist to put the cursor on, and the question for its place.
    pub(crate) seek: Option<(ArtistId, Option<u64>)>,
    /// Pages of artists and genres are dropped when they answer an older generation than this question.
    pub(crate) oldest: u64,
    pub(crate) error: Option<String>,
    pub(crate) fresh: Option<u64>,
}

impl Library {
    /// Puts the cursor on this artist as soon as its place in the list is known.
    pub(crate) fn show(&mut self, artist: ArtistId) {
        self.turn(Column::Artists);
        self.artists.widen();
        self.seek = Some((artist, None));
    }

    /// Lists something else in the first column, and goes there.
    pub(crate) fn turn(&mut self, by: Column) {
        self.by = by;
        self.column = by;
    }

    /// What is listed after this in the first column.
    pub(crate) fn next(&self) -> Column {
        let at = Column::FIRST.iter().position(|column| *column == self.by).unwrap_or(0);
        Column::FIRST.get(at + 1).copied().unwrap_or_default()
    }

    /// What is selected in the first column.
    pub(crate) fn root(&self) -> Option<Root> {
        Some(match self.by {
            Column::Genres => Root::List(AlbumList::ByGenre(self.genres.selected()?.name.clone())),
            Column::Years => {
                let years = self.years.selected()?;
                // Of a decade the last year comes first, as decades do.
                Root::List(AlbumList::ByYear { from: years.to, to: years.from })
            }
            _ => Root::Artist(self.artists.selected()?.id.clone()),
        })
    }

    /// The list whose albums are shown or on the way, where it is one of the catalog's.
    pub(crate) fn list(&self) -> Option<&AlbumList> {
        match &self.albums_of {
            Some((Root::List(list), _)) => Some(list),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_stand_before_their_years() {
        let rows = by_decades(&[(2011, 2), (2010, 1), (1999, 4), (-3, 1)]);
        let names: Vec<(&str, u64)> = rows.iter().map(|row| (row.name.as_str(), row.albums)).collect();
        assert_eq!(
            names,
            [("2010s", 3), ("2011", 2), ("2010", 1), ("1990s", 4), ("1999", 4), ("-10s", 1), ("-3", 1)]
        );
        assert!(by_decades(&[]).is_empty());
    }

    #[test]
    fn the_first_column_goes_round() {
        let mut library = Library::default();
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(library.by);
            library.turn(library.next());
        }
        assert_eq!(seen, [Column::Artists, Column::Genres, Column::Years, Column::Artists]);
    }
}
