//! What is known of an unfinished copy: a table of the target, which is dropped at the end. While
//! it is there no server starts on the target.

use anyhow::{bail, ensure};

use super::side::Side;
use super::unfinished::TABLE;
use super::value::Value;

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// The target may lack tables.
    Begun,
    /// It has its tables, without rows and foreign keys.
    Prepared,
    /// It has all rows, and its foreign keys again.
    Complete,
}

/// How far a table is.
#[derive(Default)]
pub(super) struct TableProgress {
    /// The key of the last row; none when no row is there.
    pub(super) after: Option<Vec<Value>>,
    pub(super) rows: i64,
    pub(super) is_done: bool,
}

/// Makes the record in an empty target, or finds that of an unfinished copy.
///
/// # Errors
/// When the target holds something else.
pub(super) async fn open(side: &mut Side, source: &str) -> anyhow::Result<Step> {
    const COUNT_SQLITE: &str = "SELECT COUNT(*) FROM sqlite_schema";
    const COUNT_POSTGRES: &str = "SELECT COUNT(*) FROM pg_class WHERE relkind IN ('r', 'p') \
        AND relnamespace = current_schema()::REGNAMESPACE";
    const CREATE: &str = "CREATE TABLE database_copy (kind TEXT NOT NULL, name TEXT NOT NULL, \
        value TEXT NOT NULL, row_count BIGINT NOT NULL, is_done BOOLEAN NOT NULL, \
        PRIMARY KEY (kind, name))";
    if side.has_table(TABLE).await? {
        let (of, step) = (get(side, "source", "").await?, get(side, "step", "").await?);
        let Some((of, ..)) = of else {
            bail!("the record of an unfinished copy in the target is damaged; empty the target");
        };
        ensure!(
            of == source,
            "the target is an unfinished copy of {of}, not of {source}; empty it, or go on with \
            that one"
        );
        return Ok(match step.map(|(step, ..)| step).as_deref() {
            Some("complete") => Step::Complete,
            Some("prepared") => Step::Prepared,
            _ => Step::Begun,
        });
    }
    let count = side.number(side.pick(COUNT_SQLITE, COUNT_POSTGRES)).await?;
    ensure!(
        count == 0,
        "the target is not empty; name a new folder, or an empty database"
    );
    side.run("BEGIN").await?;
    side.run(CREATE).await?;
    put(side, "source", "", source, 0, false).await?;
    side.run("COMMIT").await?;
    Ok(Step::Begun)
}

/// In the transaction that is open.
pub(super) async fn set_step(side: &mut Side, step: Step) -> anyhow::Result<()> {
    let name = match step {
        Step::Begun => "begun",
        Step::Prepared => "prepared",
        Step::Complete => "complete",
    };
    put(side, "step", "", name, 0, false).await
}

/// How far a table of the source is copied.
pub(super) async fn progress(side: &mut Side, table: &str) -> anyhow::Result<TableProgress> {
    let Some((after, rows, is_done)) = get(side, "table", table).await? else {
        return Ok(TableProgress::default());
    };
    let after = serde_json::from_str(&after)?;
    Ok(TableProgress {
        after,
        rows,
        is_done,
    })
}

/// In the transaction that inserts the rows.
pub(super) async fn set_progress(
    side: &mut Side,
    table: &str,
    progress: &TableProgress,
) -> anyhow::Result<()> {
    let after = serde_json::to_string(&progress.after)?;
    put(
        side,
        "table",
        table,
        &after,
        progress.rows,
        progress.is_done,
    )
    .await
}

/// Notes a foreign key, as the statement that makes it, before it is dropped.
pub(super) async fn add_foreign_key(
    side: &mut Side,
    name: &str,
    statement: &str,
) -> anyhow::Result<()> {
    put(side, "foreign key", name, statement, 0, false).await
}

/// The statements that make the foreign keys.
pub(super) async fn foreign_keys(side: &mut Side) -> anyhow::Result<Vec<String>> {
    const READ: &str = "SELECT value FROM database_copy WHERE kind = 'foreign key' ORDER BY name";
    let statements: Vec<(String,)> = side.all(READ).await?;
    Ok(statements
        .into_iter()
        .map(|(statement,)| statement)
        .collect())
}

/// Value, rows and whether it is done.
type Item = (String, i64, bool);

async fn get(side: &mut Side, kind: &str, name: &str) -> anyhow::Result<Option<Item>> {
    const GET: &str = "SELECT value, row_count, is_done FROM database_copy \
        WHERE kind = $1 AND name = $2";
    let found = match side {
        Side::Sqlite { connection, .. } => {
            let get = sqlx::query_as(GET).bind(kind).bind(name);
            get.fetch_optional(connection).await
        }
        Side::Postgres(connection) => {
            let get = sqlx::query_as(GET).bind(kind).bind(name);
            get.fetch_optional(connection).await
        }
    };
    Ok(found?)
}

async fn put(
    side: &mut Side,
    kind: &str,
    name: &str,
    value: &str,
    rows: i64,
    is_done: bool,
) -> anyhow::Result<()> {
    const PUT: &str = "INSERT INTO database_copy (kind, name, value, row_count, is_done) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, name) DO UPDATE SET \
        value = excluded.value, row_count = excluded.row_count, is_done = excluded.is_done";
    match side {
        Side::Sqlite { connection, .. } => {
            let put = sqlx::query(PUT).bind(kind).bind(name).bind(value);
            put.bind(rows).bind(is_done).execute(connection).await?;
        }
        Side::Postgres(connection) => {
            let put = sqlx::query(PUT).bind(kind).bind(name).bind(value);
            put.bind(rows).bind(is_done).execute(connection).await?;
        }
    }
    Ok(())
}
