//! Copies a whole database into another of the same or the other kind, in steps that a later run
//! goes on from, and compares every row: `tidepool copy-database`.

mod catalog;
mod compare;
mod prepare;
mod record;
mod report;
mod rows;
mod side;
pub(super) mod unfinished;
mod value;

use anyhow::{Context, ensure};
use futures_util::TryStreamExt;

use super::positions::POSITION_GAP;
use catalog::{Pair, Table, quoted};
use compare::Differences;
pub use prepare::ModuleMigration;
use record::{Step, TableProgress};
use report::Report;
use rows::Row;
use side::{Address, Side};
use value::Value;

/// Rows of a transaction.
const MAX_BATCH_ROWS: usize = 5_000;
/// About the memory of a transaction's rows.
const MAX_BATCH_BYTES: usize = 4 << 20;

/// What became of a copy.
pub struct Copied {
    /// Tables that were compared.
    pub tables: usize,
    /// Rows that are equal on both sides.
    pub rows: u64,
    /// Rows that are not.
    pub differing: u64,
    /// The first of them, in English.
    pub differences: Vec<String>,
}

/// Copies the database `from` into `to`: each the path of a data folder or of its SQLite file, or
/// an address that begins with `postgres://`. Goes on with a copy that was ended. `modules` are the
/// migrations of all modules from outside.
///
/// # Errors
/// When a server runs on either, the source is of another version, the target is neither empty nor
/// an unfinished copy of the source, a row cannot be stored, or a database fails.
pub async fn copy(from: &str, to: &str, modules: &[ModuleMigration]) -> anyhow::Result<Copied> {
    let from_address = Address::parse(from).context("--from")?;
    let to_address = Address::parse(to).context("--to")?;
    ensure!(
        from_address != to_address,
        "the source and the target are the same"
    );
    let mut source = from_address.open_source().await?;
    prepare::check_source(&mut source, modules).await?;
    let mut target = to_address.open_target().await?;
    let step = record::open(&mut target, &from_address.name()).await?;
    if step < Step::Prepared {
        prepare::prepare(&mut target, modules).await?;
    }
    let tables = catalog::tables(&mut source).await?;
    let pairs = catalog::pairs(tables, catalog::tables(&mut target).await?)?;
    let mut report = Report::new();
    if step < Step::Complete {
        for pair in &pairs {
            copy_table(&mut source, &mut target, pair, &mut report).await?;
        }
        prepare::complete(&mut target).await?;
    }
    let (mut rows, mut differences) = (0, Differences::default());
    for pair in &pairs {
        let total = count(&mut source, &pair.source).await?;
        report.begin("comparing", &pair.source.name, total, 0);
        let (found, report) = (&mut differences, &mut report);
        rows += compare::table(&mut source, &mut target, pair, found, report).await?;
    }
    // With a difference the record stays, so that no server starts on it.
    if differences.count == 0 {
        prepare::finish(&mut target).await?;
    }
    source.close(false).await?;
    target.close(true).await?;
    Ok(Copied {
        tables: pairs.len(),
        rows,
        differing: differences.count,
        differences: differences.listed,
    })
}

async fn count(side: &mut Side, table: &Table) -> sqlx::Result<i64> {
    let count = format!("SELECT COUNT(*) FROM {}", quoted(&table.name));
    side.number(&count).await
}

/// Copies the rows that the target does not have yet.
async fn copy_table(
    source: &mut Side,
    target: &mut Side,
    pair: &Pair,
    report: &mut Report,
) -> anyhow::Result<()> {
    let name = &pair.source.name;
    let mut progress = record::progress(target, name).await?;
    if progress.is_done {
        return Ok(());
    }
    if pair.source.key.is_empty() {
        // Nothing says which rows are there: all of them are copied in one transaction.
        progress = TableProgress::default();
    }
    let total = count(source, &pair.source).await?;
    report.begin("copying", name, total, progress.rows);
    let after = progress.after.clone();
    let mut rows = rows::read(source, &pair.source, after.as_deref());
    let mut batch = Batch::default();
    target.run("BEGIN").await?;
    while let Some(row) = rows.try_next().await? {
        rows::check_storable(target, &pair.source, &row)?;
        batch.add(as_copied(&pair.source, row));
        if batch.is_full() {
            write(target, pair, &mut progress, &mut batch, report).await?;
            if !pair.source.key.is_empty() {
                target.run("COMMIT; BEGIN").await?;
            }
        }
    }
    progress.is_done = true;
    write(target, pair, &mut progress, &mut batch, report).await?;
    target.run("COMMIT").await?;
    Ok(())
}

/// Writes a batch and how far the table is.
async fn write(
    target: &mut Side,
    pair: &Pair,
    progress: &mut TableProgress,
    batch: &mut Batch,
    report: &mut Report,
) -> anyhow::Result<()> {
    let rows = std::mem::take(batch).rows;
    rows::insert(target, &pair.target, &rows).await?;
    if let Some(last) = rows.last() {
        let key = pair.source.key.iter().map(|at| last[*at].clone());
        progress.after = Some(key.collect());
    }
    progress.rows += rows.len() as i64;
    report.add(rows.len() as i64);
    record::set_progress(target, &pair.source.name, progress).await
}

/// Rows of the next transaction.
#[derive(Default)]
struct Batch {
    rows: Vec<Row>,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, row: Row) {
        self.bytes += row.iter().map(Value::size).sum::<usize>();
        self.rows.push(row);
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= MAX_BATCH_ROWS || self.bytes >= MAX_BATCH_BYTES
    }
}

/// A row of the source as the target has it: positions of feeds are raised, see [`POSITION_GAP`],
/// and compared as raised.
fn as_copied(table: &Table, mut row: Row) -> Row {
    if table.name == "feed_positions" {
        for (column, value) in table.columns.iter().zip(&mut row) {
            match value {
                Value::Integer(position) if column.name == "position" => {
                    *position = position.saturating_add(POSITION_GAP);
                }
                _ => {}
            }
        }
    }
    row
}
