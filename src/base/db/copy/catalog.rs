//! The tables of a database, read from its catalogue: those of outside modules are among them.

use anyhow::{Context, bail, ensure};

use super::side::Side;
use super::unfinished;
use super::value::Kind;

/// A table with what is needed to read and write all of its rows.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The columns of the primary key in its order; empty without one.
    pub(super) key: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// A table of the source, and the same one of the target with its columns in the same order.
pub(super) struct Pair {
    pub(super) source: Table,
    pub(super) target: Table,
}

/// Table, column, type, and its place in the primary key from 0, else -1.
type Listed = (String, String, String, i64);

/// A migrator's own table: each database has its own migrations.
pub(super) const MIGRATIONS: &str = "_sqlx_migrations";

/// What a server makes of the other tables by itself: the search index.
const DERIVED: [&str; 3] = ["search_index", "search_queue", "search_progress"];

/// Every ordinary table, but for the migrations', the record of a copy and [`DERIVED`] ones. Tables behind a virtual
/// table of SQLite are not listed: they are an index of the same rows.
pub(super) async fn tables(side: &mut Side) -> anyhow::Result<Vec<Table>> {
    const SQLITE: &str = "SELECT t.name, c.name, c.type, c.pk - 1 FROM pragma_table_list t \
        JOIN pragma_table_info(t.name) c WHERE t.schema = 'main' AND t.type = 'table' \
        AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY t.name, c.cid";
    const POSTGRES: &str = "SELECT c.relname::TEXT, a.attname::TEXT, t.typname::TEXT, \
        COALESCE(array_position(i.indkey::INT2[], a.attnum), -1)::BIGINT \
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 \
        AND NOT a.attisdropped AND a.attgenerated = '' JOIN pg_type t ON t.oid = a.atttypid \
        LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary \
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::REGNAMESPACE \
        ORDER BY c.relname COLLATE \"C\", a.attnum";
    let listed: Vec<Listed> = side.all(side.pick(SQLITE, POSTGRES)).await?;
    let mut tables: Vec<(Table, Vec<(i64, usize)>)> = Vec::new();
    for (table, name, type_name, in_key) in listed {
        let is_derived = DERIVED.contains(&table.as_str());
        if table == MIGRATIONS || table == unfinished::TABLE || is_derived {
            continue;
        }
        let Some(kind) = Kind::from_type(&type_name) else {
            bail!("column {name} of table {table} has the type {type_name}, which is not copied");
        };
        if tables.last().is_none_or(|(last, _)| last.name != table) {
            let (columns, key) = (Vec::new(), Vec::new());
            let name = table.clone();
            tables.push((Table { name, columns, key }, Vec::new()));
        }
        let (table, key) = tables.last_mut().context("a table")?;
        if in_key >= 0 {
            key.push((in_key, table.columns.len()));
        }
        table.columns.push(Column { name, kind });
    }
    let with_key = tables.into_iter().map(|(mut table, mut key)| {
        key.sort_unstable();
        table.key = key.into_iter().map(|(_, column)| column).collect();
        table
    });
    Ok(with_key.collect())
}

/// The tables of both sides by name. PostgreSQL lowers the letters of names that a migration does
/// not quote.
///
/// # Errors
/// When one side has a table or a column that the other does not, or of another kind.
pub(super) fn pairs(source: Vec<Table>, mut targets: Vec<Table>) -> anyhow::Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for source in source {
        let name = &source.name;
        let found = targets.iter().position(|table| is_same(&table.name, name));
        let Some(found) = found else {
            bail!("the source has a table {name}, which this program does not know");
        };
        let target = in_order_of(targets.swap_remove(found), &source)?;
        pairs.push(Pair { source, target });
    }
    let other = targets.first().map(|table| &table.name);
    ensure!(
        other.is_none(),
        "the source has no table {}",
        other.map_or("", |name| name)
    );
    Ok(pairs)
}

fn in_order_of(mut table: Table, source: &Table) -> anyhow::Result<Table> {
    let differs = || format!("the table {} is another one in the target", source.name);
    ensure!(table.columns.len() == source.columns.len(), differs());
    let mut columns = Vec::new();
    for wanted in &source.columns {
        let same = |column: &Column| is_same(&column.name, &wanted.name);
        let found = table.columns.iter().position(same);
        let column = table.columns.swap_remove(found.with_context(differs)?);
        ensure!(column.kind == wanted.kind, differs());
        columns.push(column);
    }
    table.key.clone_from(&source.key);
    Ok(Table { columns, ..table })
}

fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// A name as SQL quotes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Table {
    /// The statement that reads all rows in the order of [`Self::sorted_by`], or those after a key.
    /// Text is compared by bytes, which both databases do alike.
    pub(super) fn select(&self, side: &Side, after_key: bool) -> String {
        let binary = side.pick("COLLATE BINARY", "COLLATE \"C\"");
        let of = |column: usize| {
            let Column { name, kind } = &self.columns[column];
            let collate = if *kind == Kind::Text { binary } else { "" };
            format!("t.{} {collate}", quoted(name))
        };
        let columns = self.columns.iter().map(|Column { name, kind }| {
            let name = quoted(name);
            let as_kind = format!("t.{name}::{}", kind.postgres());
            side.pick(format!("t.{name}"), as_kind)
        });
        let columns: Vec<_> = columns.collect();
        let mut sql = format!(
            "SELECT {} FROM {} AS t",
            columns.join(", "),
            quoted(&self.name)
        );
        let key: Vec<_> = self.key.iter().map(|column| of(*column)).collect();
        if after_key && !key.is_empty() {
            let values: Vec<_> = (1..=key.len()).map(|number| format!("${number}")).collect();
            sql += &format!(" WHERE ({}) > ({})", key.join(", "), values.join(", "));
        }
        let nulls_first = |column| format!("{} IS NOT NULL, {}", of(column), of(column));
        let order = match key.is_empty() {
            true => (0..self.columns.len()).map(nulls_first).collect(),
            false => key,
        };
        sql + " ORDER BY " + &order.join(", ")
    }

    /// The columns that rows are sorted by: the primary key, or all of them without one.
    pub(super) fn sorted_by(&self) -> Vec<usize> {
        match self.key.is_empty() {
            true => (0..self.columns.len()).collect(),
            false => self.key.clone(),
        }
    }

    /// The names of the columns, quoted, for an `INSERT`.
    pub(super) fn column_list(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|one| quoted(&one.name)).collect();
        names.join(", ")
    }
}
