//! Before and after the rows: versions are compared, the target gets its tables, and its foreign
//! keys are taken away while rows come in the order of tables and keys. So references in a circle
//! need no order, and it takes no more than the rights of the database's owner.

use anyhow::{Context, bail, ensure};

use super::super::check::{APPLIED, Applied, differing_migrations};
use super::super::{postgres, sqlite};
use super::catalog::{self, quoted};
use super::record::{self, Step};
use super::side::Side;
use super::unfinished;

/// A migration of a module from outside, as this program has it.
pub struct ModuleMigration {
    /// Whose it is.
    pub module: &'static str,
    /// What it is called; a database runs each name once.
    pub name: &'static str,
    /// Its statements, for both databases.
    pub sql: &'static str,
    /// As it is kept in `module_migrations`.
    pub checksum: String,
}

/// # Errors
/// When the source is no complete database of this version and these modules.
pub(super) async fn check_source(
    side: &mut Side,
    modules: &[ModuleMigration],
) -> anyhow::Result<()> {
    const MODULES: &str = "SELECT module, name, checksum FROM module_migrations";
    const UPGRADE: &str = "start this version's server on it once, stop it, and copy then";
    ensure!(
        side.has_table(catalog::MIGRATIONS).await?,
        "the source is not a database of Tidepool"
    );
    ensure!(
        !side.has_table(unfinished::TABLE).await?,
        "the source is itself an unfinished copy"
    );
    let ours = side.pick(&sqlite::MIGRATIONS, &postgres::MIGRATIONS);
    let applied: Vec<Applied> = side.all(APPLIED).await?;
    let is_known = |version: i64| ours.iter().any(|migration| migration.version == version);
    ensure!(
        applied.iter().all(|(version, ..)| is_known(*version)),
        "the source is of a newer version than this program; copy it with that version"
    );
    let (differing, is_same) = differing_migrations(ours, &applied);
    if let Some(differing) = differing.first() {
        bail!("the source is not of this version: {differing}");
    }
    ensure!(is_same, "the source is of an earlier version; {UPGRADE}");
    let applied: Vec<(String, String, String)> = side.all(MODULES).await?;
    for (module, name, checksum) in &applied {
        let ours = modules
            .iter()
            .find(|one| one.module == module && one.name == name);
        let Some(ours) = ours else {
            bail!(
                "the source has tables of the module {module} ({name}), which this program does \
                not have; copy it with the program that has"
            );
        };
        ensure!(
            checksum.is_empty() || *checksum == ours.checksum,
            "the migration {name} of the module {module} is another one in the source"
        );
    }
    for ModuleMigration { module, name, .. } in modules {
        let ran = applied
            .iter()
            .any(|(of, its, _)| of == module && its == name);
        ensure!(
            ran,
            "the migration {name} of the module {module} did not run; {UPGRADE}"
        );
    }
    Ok(())
}

/// Makes the tables of the target, without rows and foreign keys.
pub(super) async fn prepare(side: &mut Side, modules: &[ModuleMigration]) -> anyhow::Result<()> {
    let migrated = match side {
        Side::Sqlite { connection, .. } => sqlite::MIGRATIONS.run(connection).await,
        Side::Postgres(connection) => postgres::MIGRATIONS.run(connection).await,
    };
    migrated.context("a migration of the target failed")?;
    // All of this or nothing, so that it can be tried again.
    side.run("BEGIN").await?;
    for ModuleMigration {
        module, name, sql, ..
    } in modules
    {
        let ran = side.run(sql).await;
        ran.with_context(|| format!("migration {name} of module {module}"))?;
    }
    drop_foreign_keys(side).await?;
    for table in catalog::tables(side).await? {
        side.run(&format!("DELETE FROM {}", quoted(&table.name)))
            .await?;
    }
    record::set_step(side, Step::Prepared).await?;
    side.run("COMMIT").await?;
    Ok(())
}

/// SQLite's are not checked on the connection of the copy.
async fn drop_foreign_keys(side: &mut Side) -> anyhow::Result<()> {
    const READ: &str = "SELECT conrelid::REGCLASS::TEXT, quote_ident(conname), \
        pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 \
        AND connamespace = current_schema()::REGNAMESPACE";
    if matches!(side, Side::Sqlite { .. }) {
        return Ok(());
    }
    let keys: Vec<(String, String, String)> = side.all(READ).await?;
    for (table, name, definition) in keys {
        let make = format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}");
        record::add_foreign_key(side, &format!("{table} {name}"), &make).await?;
        side.run(&format!("ALTER TABLE {table} DROP CONSTRAINT {name}"))
            .await?;
    }
    Ok(())
}

/// Makes the foreign keys again, which checks all rows.
pub(super) async fn complete(side: &mut Side) -> anyhow::Result<()> {
    // Table, row, parent: as many as help to understand what is wrong.
    const ORPHANS: &str = "SELECT \"table\" || ' row ' || COALESCE(rowid, 0) \
        || ' points to a row of ' || parent || ' that is not there' \
        FROM pragma_foreign_key_check LIMIT 20";
    side.run("BEGIN").await?;
    for statement in record::foreign_keys(side).await? {
        let made = side.run(&statement).await;
        made.context("a row of the source points to one that is not there")?;
    }
    if matches!(side, Side::Sqlite { .. }) {
        let orphans: Vec<(String,)> = side.all(ORPHANS).await?;
        let orphans: Vec<_> = orphans.into_iter().map(|(orphan,)| orphan).collect();
        ensure!(
            orphans.is_empty(),
            "the source is damaged: {}",
            orphans.join("; ")
        );
    }
    // The server that starts on the copy makes the index anew: it needs no list of what is new.
    side.run("DELETE FROM search_queue").await?;
    record::set_step(side, Step::Complete).await?;
    side.run("COMMIT").await?;
    Ok(())
}

/// Makes of the copy a database on which a server starts.
pub(super) async fn finish(side: &mut Side) -> anyhow::Result<()> {
    side.run(&format!("DROP TABLE {}", unfinished::TABLE))
        .await?;
    // PostgreSQL plans by statistics, which it would otherwise gather minutes later.
    if matches!(side, Side::Postgres(_)) {
        side.run("ANALYZE").await?;
    }
    Ok(())
}
