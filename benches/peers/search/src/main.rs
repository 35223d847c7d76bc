//! tantivy and SQLite's FTS5 over the same rows and queries as Segue's index: `search-peers ROWS QUERIES`. ROWS has a line for
//! each track, best first: title, tab, artist and album, all folded. QUERIES has a folded query a line. Prints for each engine a
//! line with its name, seconds to build and bytes; then a line for each query: nanoseconds.

use std::{collections::HashMap, error::Error, fs, time::Instant};

use tantivy::{
    Index, Order, TantivyDocument, Term,
    collector::TopDocs,
    query::{BooleanQuery, FuzzyTermQuery, Occur, Query},
    schema::{FAST, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
};

type Done = Result<(), Box<dyn Error>>;
const LIMIT: usize = 20;
const FEW: usize = 10;

fn main() -> Done {
    let mut args = std::env::args().skip(1);
    let (Some(rows), Some(queries)) = (args.next(), args.next()) else { return Err("ROWS QUERIES".into()) };
    let (rows, queries) = (fs::read_to_string(rows)?, fs::read_to_string(queries)?);
    let rows: Vec<(&str, &str)> = rows.lines().filter_map(|l| l.split_once('\t')).collect();
    let queries: Vec<&str> = queries.lines().collect();
    tantivy(&rows, &queries)?;
    fts5(&rows, &queries)
}

fn allowed(word: &str) -> u8 {
    match word.chars().count() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

fn tantivy(rows: &[(&str, &str)], queries: &[&str]) -> Done {
    let began = Instant::now();
    let mut schema = Schema::builder();
    let indexing = TextFieldIndexing::default().set_tokenizer("default").set_index_option(IndexRecordOption::Basic);
    let words = schema.add_text_field("words", TextOptions::default().set_indexing_options(indexing));
    let rank = schema.add_u64_field("rank", FAST);
    let index = Index::create_in_ram(schema.build());
    let mut writer = index.writer_with_num_threads(2, 400_000_000)?;
    for (at, (title, more)) in rows.iter().enumerate() {
        let mut document = TantivyDocument::default();
        document.add_text(words, title);
        document.add_text(words, more);
        document.add_u64(rank, at as u64);
        writer.add_document(document)?;
    }
    writer.commit()?;
    writer.wait_merging_threads()?;
    let bytes = index.reader()?.searcher().space_usage()?.total().get_bytes();
    println!("tantivy {:.2} {bytes}", began.elapsed().as_secs_f64());
    let searcher = index.reader()?.searcher();
    for query in queries {
        let began = Instant::now();
        let mut found = 0;
        for fuzzy in [false, true] {
            let clauses: Vec<(Occur, Box<dyn Query>)> = query
                .split(' ')
                .map(|word| {
                    let errors = if fuzzy { allowed(word) } else { 0 };
                    let term = Term::from_field_text(words, word);
                    let prefix: Box<dyn Query> = Box::new(FuzzyTermQuery::new_prefix(term, errors, true));
                    (Occur::Must, prefix)
                })
                .collect();
            let collector = TopDocs::with_limit(LIMIT).order_by_u64_field("rank", Order::Asc);
            found += searcher.search(&BooleanQuery::new(clauses), &collector)?.len();
            if found >= FEW {
                break;
            }
        }
        println!("{}", began.elapsed().as_nanos());
    }
    Ok(())
}

/// Row numbers are the rank; where little is found, the dictionary gives words at one deletion's distance (SymSpell).
fn fts5(rows: &[(&str, &str)], queries: &[&str]) -> Done {
    let began = Instant::now();
    let mut db = rusqlite::Connection::open_in_memory()?;
    db.execute_batch("CREATE VIRTUAL TABLE t USING fts5(a, b, content='', prefix='1 2 3')")?;
    let all = db.transaction()?;
    {
        let mut insert = all.prepare("INSERT INTO t (rowid, a, b) VALUES (?1, ?2, ?3)")?;
        for (at, (title, more)) in rows.iter().enumerate() {
            insert.execute((at as i64 + 1, title, more))?;
        }
    }
    all.commit()?;
    let mut dictionary: HashMap<String, Vec<&str>> = HashMap::new();
    let mut seen = std::collections::HashSet::new();
    for word in rows.iter().flat_map(|(a, b)| a.split(' ').chain(b.split(' '))) {
        if word.len() >= 4 && seen.insert(word) {
            for shorter in deletions(word) {
                dictionary.entry(shorter).or_default().push(word);
            }
        }
    }
    let pages: i64 = db.query_row("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", [], |r| r.get(0))?;
    println!("fts5 {:.2} {pages}", began.elapsed().as_secs_f64());
    let mut select = db.prepare("SELECT rowid FROM t WHERE t MATCH ?1 ORDER BY rowid LIMIT 20")?;
    for query in queries {
        let began = Instant::now();
        let quoted = |word: &str| format!("\"{}\"*", word.replace('"', ""));
        let exact: Vec<String> = query.split(' ').map(quoted).collect();
        let mut found = select.query_map([exact.join(" AND ")], |r| r.get::<_, i64>(0))?.count();
        if found < FEW {
            let near: Vec<String> = query
                .split(' ')
                .map(|word| {
                    let like = deletions(word).into_iter().filter_map(|s| dictionary.get(&s)).flatten().take(50);
                    let words: Vec<String> = like.map(|w| quoted(w)).chain([quoted(word)]).collect();
                    format!("({})", words.join(" OR "))
                })
                .collect();
            found += select.query_map([near.join(" AND ")], |r| r.get::<_, i64>(0))?.count();
        }
        std::hint::black_box(found);
        println!("{}", began.elapsed().as_nanos());
    }
    Ok(())
}

fn deletions(word: &str) -> Vec<String> {
    let without = |(at, c): (usize, char)| format!("{}{}", &word[..at], &word[at + c.len_utf8()..]);
    word.char_indices().map(without).chain([word.to_owned()]).collect()
}
