//! Parquet as others read and write it: by the crate alone, without any of the program's own code.

#![allow(dead_code, reason = "not every test needs all of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::data_type::{ByteArrayType, FloatType, Int32Type};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::RowAccessor as _;
use parquet::schema::parser::parse_message_type;

/// A play in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) listener: String,
    pub(crate) track: String,
    pub(crate) played_at: i64,
    pub(crate) heard_ms: i64,
    pub(crate) counted: bool,
}

/// The plays in a file.
pub(crate) fn plays_in(file: &Path) -> Vec<Row> {
    let reader = SerializedFileReader::new(File::open(file).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
    rows.map(|row| Row {
        listener: row.get_string(0).unwrap().clone(),
        track: row.get_string(1).unwrap().clone(),
        played_at: row.get_timestamp_millis(2).unwrap(),
        heard_ms: row.get_long(3).unwrap(),
        counted: row.get_bool(4).unwrap(),
    })
    .collect()
}

/// Numbers and lists of them in a file, as Spark writes factors.
pub(crate) fn lists_in(file: &Path) -> Vec<(i32, Vec<f32>)> {
    use parquet::record::ListAccessor as _;
    let reader = SerializedFileReader::new(File::open(file).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
    rows.map(|row| {
        let list = row.get_list(1).unwrap();
        (row.get_int(0).unwrap(), (0..list.len()).map(|at| list.get_float(at).unwrap()).collect())
    })
    .collect()
}

/// Numbers and names in a file.
pub(crate) fn names_in(file: &Path) -> Vec<(i32, String)> {
    let reader = SerializedFileReader::new(File::open(file).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
    rows.map(|row| (row.get_int(0).unwrap(), row.get_string(1).unwrap().clone())).collect()
}

/// Leaves factors and a manifest in a folder, in two parts, as Spark does it.
pub(crate) fn factors_in(folder: &Path, made: &str, rows: &[(i32, &[f32])], names: &[(i32, String)]) {
    let schema = "message spark_schema { required int32 id; optional group features (LIST) { repeated group list { \
                  required float element; } } }";
    let factors = folder.join(made).join("item_factors");
    std::fs::create_dir_all(&factors).unwrap();
    std::fs::write(factors.join("_SUCCESS"), "").unwrap();
    let (first, second) = rows.split_at(rows.len() / 2);
    for (part, rows) in [first, second].into_iter().enumerate() {
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let file = File::create(factors.join(format!("part-{part:05}.snappy.parquet"))).unwrap();
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let ids: Vec<i32> = rows.iter().map(|(id, _)| *id).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int32Type>().write_batch(&ids, None, None).unwrap();
        column.close().unwrap();
        let values: Vec<f32> = rows.iter().flat_map(|(_, row)| row.iter().copied()).collect();
        let repeats: Vec<i16> =
            rows.iter().flat_map(|(_, row)| (0..row.len()).map(|at| i16::from(at > 0))).collect();
        let mut column = group.next_column().unwrap().unwrap();
        let defined = vec![2; values.len()];
        column.typed::<FloatType>().write_batch(&values, Some(&defined), Some(&repeats)).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
    }
    let items = folder.join(made).join("items");
    std::fs::create_dir_all(&items).unwrap();
    let schema = Arc::new(
        parse_message_type("message items { required int32 id; optional binary track (UTF8); }").unwrap(),
    );
    let file = File::create(items.join("part-00000.parquet")).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let ids: Vec<i32> = names.iter().map(|(id, _)| *id).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&ids, None, None).unwrap();
    column.close().unwrap();
    let texts: Vec<_> = names.iter().map(|(_, name)| name.as_str().into()).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&texts, Some(&vec![1; texts.len()]), None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    let rank = rows.first().map_or(0, |(_, row)| row.len());
    let manifest = format!(
        "{{\"form\": 1, \"made\": \"{made}\", \"rank\": {rank}, \"iterations\": 10, \"alpha\": 40.0, \"regularisation\": 0.1, \
         \"weighting\": \"played\", \"item_factors\": \"{made}/item_factors\", \"items\": \"{made}/items\"}}"
    );
    std::fs::write(folder.join("manifest.json"), manifest).unwrap();
}
