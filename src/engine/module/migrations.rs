//! Schema migrations of modules from other crates.

use anyhow::{Context, anyhow};

use crate::base::clock::Micros;
use crate::base::db::copy::ModuleMigration;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};

/// A schema migration of a module from another crate.
#[derive(Clone, Copy)]
pub struct Migration {
    pub(super) module: &'static str,
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
}

impl Migration {
    /// The same for a copy of a whole database.
    pub fn for_copy(&self) -> ModuleMigration {
        let Self { module, name, sql } = *self;
        ModuleMigration {
            module,
            name,
            sql,
            checksum: self.checksum(),
        }
    }

    fn checksum(&self) -> String {
        blake3::hash(self.sql.as_bytes()).to_hex().to_string()
    }

    /// Runs it if this database has not seen it, in one transaction with its record.
    ///
    /// # Errors
    /// `Internal` when it was edited after it was applied. Those of its statements.
    async fn run(self, tx: &mut Tx) -> Result<()> {
        const APPLIED: &str =
            "SELECT checksum FROM module_migrations WHERE module = $1 AND name = $2";
        const RECORD: &str = "INSERT INTO module_migrations (module, name, applied_at, checksum) \
            VALUES ($1, $2, $3, $4)";
        let Self { module, name, sql } = self;
        let checksum = self.checksum();
        // Of several servers that start at once one runs it, and the others wait for it.
        tx.lock_table("LOCK TABLE module_migrations IN SHARE ROW EXCLUSIVE MODE")
            .await?;
        let applied: Option<String> = tx.optional_scalar(APPLIED, (module, name)).await?;
        match applied {
            None => {
                tx.execute_script(sql).await?;
                let row = (module, name, Micros::now(), checksum);
                tx.execute(RECORD, row).await.map(drop)
            }
            Some(applied) if applied.is_empty() || applied == checksum => Ok(()),
            Some(_) => Err(Error::Internal(anyhow!(
                "it was edited after it was applied; undo that, and add another migration"
            ))),
        }
    }
}

/// Runs the migrations that this database has not seen, in order.
///
/// # Errors
/// When one fails or was edited after it was applied, with its module and name. A failed one is
/// undone; those before it remain.
pub(in crate::engine) async fn run_all(db: &Db, migrations: &[Migration]) -> anyhow::Result<()> {
    for &migration in migrations {
        let ran = db.write(async move |tx| migration.run(tx).await).await;
        ran.with_context(|| {
            let Migration { module, name, .. } = migration;
            format!("migration {name} of module {module}")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::db::Sql;
    use crate::base::db::tests::Scratch;

    const TABLES: Migration = Migration {
        module: "polls",
        name: "0001_polls",
        sql: "CREATE TABLE polls (id BIGINT); -- a comment\nCREATE INDEX by_id ON polls (id);",
    };

    async fn has(db: &Db, name: &'static str) -> bool {
        const COUNT: Sql = Sql {
            sqlite: "SELECT COUNT(*) FROM sqlite_master WHERE name = $1",
            postgres: "SELECT COUNT(*) FROM pg_class WHERE relname = $1",
        };
        let count: i64 = db.scalar(COUNT, (name,)).await.unwrap();
        count == 1
    }

    #[tokio::test]
    async fn every_statement_of_migration_runs_once() {
        let scratch = Scratch::new().await;
        for _ in 0..2 {
            run_all(&scratch.db, &[TABLES]).await.unwrap();
        }
        assert!(has(&scratch.db, "polls").await);
        assert!(has(&scratch.db, "by_id").await);
    }

    #[tokio::test]
    async fn failed_migration_is_undone_and_named() {
        let scratch = Scratch::new().await;
        let sql = "CREATE TABLE polls (id BIGINT); CREATE TABLE polls (id BIGINT)";
        let broken = Migration { sql, ..TABLES };
        let failed = run_all(&scratch.db, &[broken]).await.unwrap_err();
        let message = format!("{failed:#}");
        assert!(
            message.contains("migration 0001_polls of module polls"),
            "{message}"
        );
        assert!(!has(&scratch.db, "polls").await);
        run_all(&scratch.db, &[TABLES]).await.unwrap();
    }

    #[tokio::test]
    async fn edited_migration_is_refused_by_name() {
        let scratch = Scratch::new().await;
        run_all(&scratch.db, &[TABLES]).await.unwrap();
        let sql = "CREATE TABLE polls (id BIGINT, question TEXT)";
        let edited = Migration { sql, ..TABLES };
        let refused = run_all(&scratch.db, &[edited]).await.unwrap_err();
        let message = format!("{refused:#}");
        assert!(
            message.contains("migration 0001_polls of module polls"),
            "{message}"
        );
        assert!(message.contains("edited"), "{message}");
    }
}
