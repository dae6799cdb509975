//! What of a PostgreSQL database is checked: its migrations, indexes and constraints, and that ids
//! fit the times of their rows. Types and references are PostgreSQL's own business.

use anyhow::Context;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::check::{
    APPLIED, Applied, MAX_LISTED, count_ids_of_other_times, differing_migrations, is_plain_name,
};
use super::postgres::{MIGRATIONS, connect};
use crate::base::settings::Settings;

pub(super) async fn problems(settings: &Settings) -> anyhow::Result<Vec<String>> {
    let mut connection = connect(settings).await?;
    let found = read_problems(&mut connection).await;
    let found = found.context("the database cannot be read")?;
    connection.close().await?;
    Ok(found)
}

async fn read_problems(connection: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    const HAS_TABLES: &str = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    const INVALID: &str = "SELECT 'the index ' || indexrelid::REGCLASS || ' is not valid' \
        FROM pg_index WHERE NOT (indisvalid AND indisready) UNION ALL \
        SELECT 'the constraint ' || conname || ' was never checked' FROM pg_constraint \
        WHERE NOT convalidated";
    const WITH_IDS: &str = "SELECT i.table_name::TEXT FROM information_schema.columns i \
        JOIN information_schema.columns c ON c.table_schema = i.table_schema \
        AND c.table_name = i.table_name AND c.column_name = 'created_at' \
        AND c.data_type = 'bigint' WHERE i.table_schema = current_schema() \
        AND i.column_name = 'id' AND i.data_type = 'bigint'";
    let has_tables: bool = sqlx::query_scalar(HAS_TABLES)
        .fetch_one(&mut *connection)
        .await?;
    if !has_tables {
        return Ok(vec!["the database has no tables".to_owned()]);
    }
    let applied: Vec<Applied> = sqlx::query_as(APPLIED).fetch_all(&mut *connection).await?;
    let (mut found, _) = differing_migrations(&MIGRATIONS, &applied);
    let invalid: Vec<String> = sqlx::query_scalar(INVALID)
        .fetch_all(&mut *connection)
        .await?;
    found.extend(invalid);
    let tables: Vec<String> = sqlx::query_scalar(WITH_IDS)
        .fetch_all(&mut *connection)
        .await?;
    for table in tables.iter().filter(|table| is_plain_name(table)) {
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(count_ids_of_other_times(table)))
            .fetch_one(&mut *connection)
            .await?;
        if count > 0 {
            found.push(format!(
                "{count} rows of {table} have an id of another time"
            ));
        }
    }
    found.truncate(MAX_LISTED);
    Ok(found)
}
