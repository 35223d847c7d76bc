//! What a server tells its administrators (extension `segueInsights`): tables of sums, each cell as text.

use super::lenient::wire;

wire! {
    /// The body of `getInsights`.
    pub struct OperatorInsights {
        /// The first day, as `2026-11-24`.
        req since: String,
        /// The last day.
        req until: String,
        /// No row about listeners rests on fewer of them.
        req minimum: u64,
        /// Why there is little to see, if there is.
        opt note: String,
        /// The tables.
        list table: InsightsTable,
    }

    /// One table.
    pub struct InsightsTable {
        /// Its name in files.
        req name: String,
        /// Its name for people.
        req title: String,
        /// What is counted, in a sentence.
        req about: String,
        /// Whether its rows follow each other in time.
        req in_time: bool,
        /// Its columns.
        list column: InsightsColumn,
        /// Its rows.
        list row: InsightsRow,
    }

    /// A column.
    pub struct InsightsColumn {
        /// Its name in files.
        req name: String,
        /// Its name for people.
        req title: String,
        /// `text`, `whole` or `real`.
        req kind: String,
    }

    /// A row, with a cell for every column.
    pub struct InsightsRow {
        /// Its cells.
        list cell: InsightsCell,
    }

    /// A cell.
    pub struct InsightsCell {
        /// What stands in it; nothing where that may not be told.
        opt value: String,
    }
}
