//! Tables in Parquet: plays as they are exported, and columns of whatever engines write.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, FloatType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader as _, RowGroupReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use crate::catalog::ExportedPlay;
use crate::music::TrackId;

/// The columns of a play, in the order in which they are written.
const PLAYS: &str = "message plays {
    required binary listener (UTF8);
    required binary track (UTF8);
    required int64 played_at (TIMESTAMP_MILLIS);
    required int64 heard_ms;
    required boolean counted;
    required binary start (UTF8);
    required binary end (UTF8);
    required int32 offset_minutes;
}";
/// Rows of a group: what is in memory at once beside the file.
const GROUP: usize = 50_000;

type Result<T> = std::result::Result<T, ParquetError>;

/// A file of plays that is being made, in memory.
pub(super) struct PlaysFile {
    writer: SerializedFileWriter<Vec<u8>>,
    waiting: Vec<ExportedPlay>,
    rows: u64,
}

impl PlaysFile {
    pub(super) fn new() -> Result<Self> {
        let schema = Arc::new(parse_message_type(PLAYS)?);
        let times = ColumnPath::from("played_at");
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            // They rise, and none is like another.
            .set_column_dictionary_enabled(times.clone(), false)
            .set_column_encoding(times, Encoding::DELTA_BINARY_PACKED)
            .build();
        let writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
        Ok(Self { writer, waiting: Vec::new(), rows: 0 })
    }

    /// Plays in it.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds a play.
    pub(super) fn push(&mut self, play: ExportedPlay) -> Result<()> {
        self.waiting.push(play);
        self.rows += 1;
        if self.waiting.len() == GROUP { self.write_group() } else { Ok(()) }
    }

    /// The file.
    pub(super) fn finish(mut self) -> Result<Bytes> {
        if !self.waiting.is_empty() {
            self.write_group()?;
        }
        Ok(self.writer.into_inner()?.into())
    }

    fn write_group(&mut self) -> Result<()> {
        let plays = std::mem::take(&mut self.waiting);
        let mut group = self.writer.next_row_group()?;
        let texts = |of: fn(&ExportedPlay) -> &str| -> Vec<ByteArray> {
            plays.iter().map(|play| ByteArray::from(of(play))).collect()
        };
        let listeners = texts(|play| &play.listener);
        put::<ByteArrayType>(&mut group, &listeners)?;
        let tracks = texts(|play| play.track.as_str());
        put::<ByteArrayType>(&mut group, &tracks)?;
        put::<Int64Type>(&mut group, &plays.iter().map(|play| play.played_at).collect::<Vec<_>>())?;
        put::<Int64Type>(&mut group, &plays.iter().map(|play| play.heard_ms).collect::<Vec<_>>())?;
        put::<BoolType>(&mut group, &plays.iter().map(|play| play.counted).collect::<Vec<_>>())?;
        let starts = texts(|play| &play.start);
        put::<ByteArrayType>(&mut group, &starts)?;
        let ends = texts(|play| &play.end);
        put::<ByteArrayType>(&mut group, &ends)?;
        put::<Int32Type>(&mut group, &plays.iter().map(|play| play.offset_minutes).collect::<Vec<_>>())?;
        group.close()?;
        Ok(())
    }
}

fn put<T: DataType>(group: &mut SerializedRowGroupWriter<'_, Vec<u8>>, values: &[T::T]) -> Result<()> {
    let column = group.next_column()?;
    let mut column = column.ok_or_else(|| ParquetError::General("a column too many".to_owned()))?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

/// A file that is read, group by group.
pub(super) struct Table(SerializedFileReader<Bytes>);

impl Table {
    pub(super) fn open(bytes: Bytes) -> Result<Self> {
        Ok(Self(SerializedFileReader::new(bytes)?))
    }

    /// Calls `each` for every group.
    pub(super) fn groups(&self, mut each: impl FnMut(&Group<'_>) -> Result<()>) -> Result<()> {
        for at in 0..self.0.num_row_groups() {
            each(&Group(self.0.get_row_group(at)?))?;
        }
        Ok(())
    }

    /// Every play, in the order of the file.
    pub(super) fn plays(&self, mut each: impl FnMut(ExportedPlay) -> Result<()>) -> Result<()> {
        self.groups(|group| {
            let (listeners, tracks) = (group.texts("listener")?, group.texts("track")?);
            let (played, heard) =
                (group.values::<Int64Type>("played_at")?, group.values::<Int64Type>("heard_ms")?);
            let (counted, offsets) =
                (group.values::<BoolType>("counted")?, group.values::<Int32Type>("offset_minutes")?);
            let (starts, ends) = (group.texts("start")?, group.texts("end")?);
            let texts = listeners.into_iter().zip(tracks).zip(starts.into_iter().zip(ends));
            let numbers = played.into_iter().zip(heard).zip(counted.into_iter().zip(offsets));
            for (((listener, track), (start, end)), ((played_at, heard_ms), (counted, offset_minutes))) in
                texts.zip(numbers)
            {
                let track = TrackId::from(track);
                each(ExportedPlay {
                    listener,
                    track,
                    played_at,
                    heard_ms,
                    counted,
                    start,
                    end,
                    offset_minutes,
                })?;
            }
            Ok(())
        })
    }
}

/// A file without the plays of some listeners; nothing where it has none of them, and an empty one where it has no others.
pub(super) fn without(bytes: Bytes, gone: &HashSet<String>) -> Result<Option<(u64, Bytes)>> {
    let table = Table::open(bytes)?;
    let (mut file, mut left_out) = (PlaysFile::new()?, false);
    table.plays(|play| {
        if gone.contains(&play.listener) {
            left_out = true;
            return Ok(());
        }
        file.push(play)
    })?;
    let rows = file.rows();
    if left_out { Ok(Some((rows, file.finish()?))) } else { Ok(None) }
}

/// Some rows of a file.
pub(super) struct Group<'a>(Box<dyn RowGroupReader + 'a>);

impl Group<'_> {
    fn rows(&self) -> usize {
        usize::try_from(self.0.metadata().num_rows()).unwrap_or(0)
    }

    /// Where a column is whose path begins so.
    fn place(&self, name: &str) -> Result<usize> {
        let meta = self.0.metadata();
        let found = (0..meta.num_columns())
            .find(|at| meta.column(*at).column_path().parts().first().is_some_and(|part| part == name));
        found.ok_or_else(|| ParquetError::General(format!("it has no column “{name}”")))
    }

    /// The values of a column that has one in each row.
    pub(super) fn values<T: DataType>(&self, name: &str) -> Result<Vec<T::T>> {
        let values = self.all::<T>(name)?;
        if values.len() == self.rows() {
            return Ok(values);
        }
        Err(ParquetError::General(format!("its column “{name}” has not one value in each row")))
    }

    /// The values of a column of lists, all behind one another, each of `length`.
    pub(super) fn lists(&self, name: &str, length: usize) -> Result<Vec<f32>> {
        let values = self.all::<FloatType>(name)?;
        if values.len() == self.rows() * length {
            return Ok(values);
        }
        Err(ParquetError::General(format!("its column “{name}” has not {length} numbers in each row")))
    }

    fn all<T: DataType>(&self, name: &str) -> Result<Vec<T::T>> {
        let reader = T::get_column_reader(self.0.get_column_reader(self.place(name)?)?);
        let mut reader =
            reader.ok_or_else(|| ParquetError::General(format!("its column “{name}” is of another type")))?;
        let (mut values, mut levels, mut repeats) = (Vec::new(), Vec::new(), Vec::new());
        reader.read_records(self.rows(), Some(&mut levels), Some(&mut repeats), &mut values)?;
        Ok(values)
    }

    /// The same for texts.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>> {
        let texts = self.values::<ByteArrayType>(name)?;
        texts.iter().map(|text| Ok(text.as_utf8()?.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(n: i64) -> ExportedPlay {
        ExportedPlay {
            listener: format!("listener {}", n % 3),
            track: format!("träck {}", n % 7).into(),
            played_at: 1_700_000_000_000 + n,
            heard_ms: n,
            counted: n % 2 == 0,
            start: "chosen".to_owned(),
            end: "finished".to_owned(),
            offset_minutes: -60,
        }
    }

    #[test]
    fn what_is_written_is_read_and_nobody_is_left_who_is_to_go() {
        let all: Vec<ExportedPlay> = (0..i64::try_from(GROUP).unwrap() + 500).map(play).collect();
        let mut file = PlaysFile::new().unwrap();
        for play in &all {
            file.push(play.clone()).unwrap();
        }
        assert_eq!(file.rows(), all.len() as u64);
        let bytes = file.finish().unwrap();
        // Names are in it once.
        assert!(bytes.len() < all.len() * 24, "{}", bytes.len());
        let read = |bytes: &Bytes| {
            let mut read = Vec::new();
            let table = Table::open(bytes.clone()).unwrap();
            table
                .plays(|play| {
                    read.push(play);
                    Ok(())
                })
                .unwrap();
            read
        };
        assert!(read(&bytes) == all);

        let gone = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<HashSet<_>>();
        assert!(without(bytes.clone(), &gone(&["somebody else"])).unwrap().is_none());
        let (rows, rest) = without(bytes.clone(), &gone(&["listener 1"])).unwrap().unwrap();
        let kept: Vec<_> = all.iter().filter(|play| play.listener != "listener 1").cloned().collect();
        assert_eq!(rows, kept.len() as u64);
        assert!(read(&rest) == kept);
        assert!(!rest.windows(10).any(|part| part == b"listener 1"));
        let everybody = gone(&["listener 0", "listener 1", "listener 2"]);
        assert_eq!(without(bytes, &everybody).unwrap().unwrap().0, 0);
        assert!(Table::open(Bytes::from_static(b"no table")).is_err());
    }
}
