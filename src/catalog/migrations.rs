//! The schema, step by step. One text for both databases.

use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

use super::sql::{self, Engine};

/// Every migration in order: version, name, SQL. They only go forward, and a released one never changes; adding
/// one is a file and a line here.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "catalog", include_str!("migrations/0001_catalog.sql")),
    (2, "accounts", include_str!("migrations/0002_accounts.sql")),
    (3, "popularity", include_str!("migrations/0003_popularity.sql")),
    (4, "pins", include_str!("migrations/0004_pins.sql")),
    (5, "queue", include_str!("migrations/0005_queue.sql")),
    (6, "serving", include_str!("migrations/0006_serving.sql")),
    (7, "tags", include_str!("migrations/0007_tags.sql")),
    (8, "taste", include_str!("migrations/0008_taste.sql")),
    (9, "sonic", include_str!("migrations/0009_sonic.sql")),
    (10, "search", include_str!("migrations/0010_search.sql")),
    (12, "server", include_str!("migrations/0012_server.sql")),
    (14, "mixes", include_str!("migrations/0014_mixes.sql")),
    (15, "scan", include_str!("migrations/0015_scan.sql")),
    (16, "smart", include_str!("migrations/0016_smart.sql")),
    (17, "slices", include_str!("migrations/0017_slices.sql")),
    (18, "scrobbles", include_str!("migrations/0018_scrobbles.sql")),
    (19, "plans", include_str!("migrations/0019_plans.sql")),
    (20, "ads", include_str!("migrations/0020_ads.sql")),
    (21, "privacy", include_str!("migrations/0021_privacy.sql")),
    (22, "insights", include_str!("migrations/0022_insights.sql")),
    (23, "stores", include_str!("migrations/0023_stores.sql")),
    (24, "devices", include_str!("migrations/0024_devices.sql")),
    (25, "cluster", include_str!("migrations/0025_cluster.sql")),
];

/// How far a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has none of it.
    Empty,
    /// It is at this version, and wants the rest.
    Behind(i64),
    Current,
    /// A later release wrote it.
    Newer(i64),
}

/// Where a database is.
pub(super) async fn state(pool: &sql::Pool) -> Result<State, sql::Error> {
    let known: i64 = sql::query_scalar(pool.engine().either(
        "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'",
        "SELECT COUNT(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = current_schema() AND c.relname = '_sqlx_migrations'",
    ))
    .fetch_one(pool)
    .await?;
    if known == 0 {
        return Ok(State::Empty);
    }
    let (applied, count): (i64, i64) =
        sql::query_as("SELECT COALESCE(MAX(version), 0), COUNT(*) FROM _sqlx_migrations")
            .fetch_one(pool)
            .await?;
    let newest = MIGRATIONS.iter().map(|m| m.0).max().unwrap_or(0);
    Ok(match applied {
        0 => State::Empty,
        applied if applied > newest => State::Newer(applied),
        // Not the newest number alone: a program from between two releases may have run a later one first.
        applied if applied == newest && usize::try_from(count) == Ok(MIGRATIONS.len()) => State::Current,
        applied => State::Behind(applied),
    })
}

/// What brings a database up to date.
pub(super) fn migrator(engine: Engine) -> Migrator {
    let migration = |(version, name, text): &(i64, &'static str, &'static str)| {
        let text = AssertSqlSafe(text_for(engine, text)).into_sql_str();
        Migration::new(*version, (*name).into(), MigrationType::Simple, text, false)
    };
    Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
}

/// Texts are compared byte by byte, as SQLite does it; a PostgreSQL would compare them by the rules of the language that its
/// database was made for, and lists and their rulers would disagree.
fn text_for(engine: Engine, text: &'static str) -> Cow<'static, str> {
    if !engine.is_shared() {
        return text.into();
    }
    let mut all = String::with_capacity(text.len() * 5 / 4);
    for line in text.lines() {
        if line.starts_with("--") {
            continue;
        }
        let mut rest = line;
        while let Some((before, after)) = rest.split_once(" TEXT") {
            all.push_str(before);
            all.push_str(" TEXT");
            if !after.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                all.push_str(" COLLATE \"C\"");
            }
            rest = after;
        }
        all.push_str(rest);
        all.push('\n');
    }
    all.into()
}

#[cfg(all(test, feature = "cloud"))]
mod tests {
    use super::*;

    #[test]
    fn every_text_column_is_compared_by_its_bytes() {
        let text = text_for(
            Engine::Postgres,
            "-- a TEXT\nCREATE TABLE t (a TEXT NOT NULL, TEXTS BIGINT,\n b TEXT\n);\n",
        );
        assert_eq!(
            text,
            "CREATE TABLE t (a TEXT COLLATE \"C\" NOT NULL, TEXTS BIGINT,\n b TEXT COLLATE \"C\"\n);\n"
        );
        for (_, name, text) in MIGRATIONS {
            let plain = text.lines().filter(|line| !line.starts_with("--")).collect::<String>();
            let wanted = plain.matches(" TEXT").count();
            assert_eq!(text_for(Engine::Postgres, text).matches(" TEXT COLLATE").count(), wanted, "{name}");
        }
    }
}
