//! Reading the rows of a table in the order of its key, and inserting them in batches.

use anyhow::{Context, anyhow, ensure};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe};

use super::catalog::{Table, quoted};
use super::side::Side;
use super::value::{Kind, Value};

pub(super) type Row = Vec<Value>;

/// Rows of a statement for SQLite: a parsed statement is sent over to its thread once for them.
const MAX_STATEMENT_ROWS: usize = 50;
/// Values of a statement for SQLite, which takes 32,766.
const MAX_STATEMENT_VALUES: usize = 30_000;

/// The rows after a key, or all, in the order of [`Table::sorted_by`]. They are read as they are
/// taken, not ahead.
pub(super) fn read<'a>(
    side: &'a mut Side,
    table: &'a Table,
    after: Option<&'a [Value]>,
) -> BoxStream<'a, anyhow::Result<Row>> {
    let sql = AssertSqlSafe(table.select(side, after.is_some()));
    let key = after.unwrap_or_default();
    match side {
        Side::Sqlite { connection, .. } => {
            let mut query = sqlx::query(sql);
            for value in key {
                query = match value {
                    Value::Null => query.bind(None::<i64>),
                    Value::Integer(value) => query.bind(value),
                    Value::Boolean(value) => query.bind(value),
                    Value::Real(value) => query.bind(value),
                    Value::Text(value) => query.bind(value),
                    Value::Bytes(value) => query.bind(value),
                };
            }
            let rows = query
                .fetch(connection)
                .map_err(|error| unreadable(table, error));
            rows.and_then(async |row| decode(table, |kind, at| kind.read_sqlite(&row, at)))
                .boxed()
        }
        Side::Postgres(connection) => {
            let mut query = sqlx::query(sql);
            for value in key {
                query = match value {
                    Value::Null => query.bind(None::<i64>),
                    Value::Integer(value) => query.bind(value),
                    Value::Boolean(value) => query.bind(value),
                    Value::Real(value) => query.bind(value),
                    Value::Text(value) => query.bind(value),
                    Value::Bytes(value) => query.bind(value),
                };
            }
            let rows = query
                .fetch(connection)
                .map_err(|error| unreadable(table, error));
            rows.and_then(async |row| decode(table, |kind, at| kind.read_postgres(&row, at)))
                .boxed()
        }
    }
}

fn unreadable(table: &Table, error: sqlx::Error) -> anyhow::Error {
    anyhow!(error).context(format!("the table {} cannot be read", table.name))
}

/// Reads all columns; an error names the row.
fn decode(
    table: &Table,
    read: impl Fn(Kind, usize) -> Result<Value, String>,
) -> anyhow::Result<Row> {
    let columns = table.columns.iter().enumerate();
    let values: Vec<_> = columns.map(|(at, column)| read(column.kind, at)).collect();
    let failed = values.iter().position(Result::is_err);
    let known = |value: &Result<Value, String>| value.clone().unwrap_or(Value::Null);
    if let Some(failed) = failed {
        let known: Row = values.iter().map(known).collect();
        let reason = values[failed].clone().err().unwrap_or_default();
        let (row, column) = (row_name(table, &known), &table.columns[failed].name);
        return Err(anyhow!("{row}: the column {column} {reason}"));
    }
    Ok(values.into_iter().flatten().collect())
}

/// A row in words, by its key: `messages (id 4711)`.
pub(super) fn row_name(table: &Table, row: &Row) -> String {
    let columns = table.sorted_by().into_iter();
    let named = columns.map(|at| format!("{} {}", table.columns[at].name, row[at]));
    format!("{} ({})", table.name, named.collect::<Vec<_>>().join(", "))
}

/// # Errors
/// When one of the rows is one that this database cannot store.
pub(super) fn check_storable(side: &Side, table: &Table, row: &Row) -> anyhow::Result<()> {
    if matches!(side, Side::Sqlite { .. }) {
        return Ok(());
    }
    let with_nul = row.iter().position(Value::has_nul);
    let column = with_nul.map_or("", |at| table.columns[at].name.as_str());
    ensure!(
        with_nul.is_none(),
        "{}: the column {column} holds a NUL, which PostgreSQL does not store; take it out of the \
        source, then go on with the same command",
        row_name(table, row)
    );
    Ok(())
}

/// Inserts a batch of rows in the transaction that is open.
pub(super) async fn insert(side: &mut Side, table: &Table, rows: &[Row]) -> anyhow::Result<()> {
    let Some((first, last)) = rows.first().zip(rows.last()) else {
        return Ok(());
    };
    let inserted = match side {
        Side::Sqlite { .. } => insert_sqlite(side, table, rows).await,
        Side::Postgres(_) => insert_postgres(side, table, rows).await,
    };
    inserted.with_context(|| {
        let (first, last) = (row_name(table, first), row_name(table, last));
        format!("the rows from {first} to {last} cannot be written")
    })
}

async fn insert_sqlite(side: &mut Side, table: &Table, rows: &[Row]) -> anyhow::Result<()> {
    let Side::Sqlite { connection, .. } = side else {
        return Ok(());
    };
    let columns = table.columns.len().max(1);
    let row = format!("({})", vec!["?"; columns].join(", "));
    let into = format!(
        "INSERT INTO {} ({}) VALUES",
        quoted(&table.name),
        table.column_list()
    );
    let most = MAX_STATEMENT_ROWS
        .min(MAX_STATEMENT_VALUES / columns)
        .max(1);
    for rows in rows.chunks(most) {
        let sql = format!("{into} {}", vec![row.as_str(); rows.len()].join(", "));
        let mut arguments = SqliteArguments::default();
        for value in rows.iter().flatten() {
            let added = match value {
                Value::Null => arguments.add(None::<i64>),
                Value::Integer(value) => arguments.add(value),
                Value::Boolean(value) => arguments.add(value),
                Value::Real(value) => arguments.add(value),
                Value::Text(value) => arguments.add(value.clone()),
                Value::Bytes(value) => arguments.add(value.clone()),
            };
            added.map_err(anyhow::Error::from_boxed)?;
        }
        let insert = sqlx::query_with(AssertSqlSafe(sql), arguments);
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// One statement for all rows, with an array for each column.
async fn insert_postgres(side: &mut Side, table: &Table, rows: &[Row]) -> anyhow::Result<()> {
    let Side::Postgres(connection) = side else {
        return Ok(());
    };
    let mut arguments = PgArguments::default();
    let mut arrays = Vec::new();
    for (at, column) in table.columns.iter().enumerate() {
        macro_rules! array {
            ($kind:ident) => {{
                let of = |row: &Row| match &row[at] {
                    Value::$kind(value) => Some(value.clone()),
                    _ => None,
                };
                arguments.add(rows.iter().map(of).collect::<Vec<_>>())
            }};
        }
        let added = match column.kind {
            Kind::Integer => array!(Integer),
            Kind::Boolean => array!(Boolean),
            Kind::Real => array!(Real),
            Kind::Text => array!(Text),
            Kind::Bytes => array!(Bytes),
        };
        added.map_err(anyhow::Error::from_boxed)?;
        arrays.push(format!("${}::{}[]", at + 1, column.kind.postgres()));
    }
    let (name, columns) = (quoted(&table.name), table.column_list());
    let arrays = arrays.join(", ");
    let sql = format!("INSERT INTO {name} ({columns}) SELECT * FROM UNNEST({arrays})");
    let insert = sqlx::query_with(AssertSqlSafe(sql), arguments);
    insert.execute(connection).await?;
    Ok(())
}
