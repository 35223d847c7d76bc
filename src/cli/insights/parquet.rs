//! A table as a Parquet file: every column may have no value; text is UTF-8, whole numbers are 64 bits, others doubles.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use crate::catalog::{Column, Kind, Table, Value};

/// Writes the file.
pub(super) fn write(file: &Path, table: &Table) -> Result<(), ParquetError> {
    let fields = table.columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(Type::group_type_builder(&table.name).with_fields(fields).build()?);
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(File::create(file)?, schema, properties)?;
    let mut group = writer.next_row_group()?;
    for (at, column) in table.columns.iter().enumerate() {
        let values = || table.rows.iter().map(|row| row.get(at).unwrap_or(&Value::Nothing));
        // Definition levels: 1 where there is a value.
        let levels: Vec<i16> = values().map(|value| i16::from(holds(value, column.kind))).collect();
        let Some(mut out) = group.next_column()? else { break };
        match column.kind {
            Kind::Text => {
                let texts: Vec<ByteArray> = values()
                    .filter_map(|value| match value {
                        Value::Text(text) => Some(ByteArray::from(text.as_str())),
                        _ => None,
                    })
                    .collect();
                out.typed::<ByteArrayType>().write_batch(&texts, Some(&levels), None)?;
            }
            Kind::Whole => {
                let numbers: Vec<i64> = values()
                    .filter_map(|value| match value {
                        Value::Whole(n) => Some(*n),
                        _ => None,
                    })
                    .collect();
                out.typed::<Int64Type>().write_batch(&numbers, Some(&levels), None)?;
            }
            Kind::Real => {
                let numbers: Vec<f64> =
                    values().filter(|value| holds(value, Kind::Real)).map(Value::number).collect();
                out.typed::<DoubleType>().write_batch(&numbers, Some(&levels), None)?;
            }
        }
        out.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

/// Whether a value is one of this kind.
fn holds(value: &Value, kind: Kind) -> bool {
    match kind {
        Kind::Text => matches!(value, Value::Text(_)),
        Kind::Whole => matches!(value, Value::Whole(_)),
        Kind::Real => matches!(value, Value::Real(_) | Value::Whole(_)),
    }
}

fn field(column: &Column) -> Result<Arc<Type>, ParquetError> {
    let (physical, converted) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
        Kind::Whole => (Physical::INT64, ConvertedType::NONE),
        Kind::Real => (Physical::DOUBLE, ConvertedType::NONE),
    };
    let field = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_converted_type(converted)
        .build()?;
    Ok(Arc::new(field))
}
