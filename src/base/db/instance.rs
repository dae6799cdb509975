//! The number of this server among those that share a database: part of every id it makes, so that
//! no two servers make the same. It is held as an advisory lock by a connection of its own, and
//! free again when that connection ends.

use std::time::Duration;

use anyhow::Context;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::connection::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, bounded};
use crate::base::ids;

/// The first key of the locks; the second is the number.
const LOCK_SPACE: i32 = 0x7469_6465;
/// In place of a number: every server holds it shared, and a copy of the whole database alone.
const SERVERS: i32 = -1;
/// For the last statement of a killed process to end, in milliseconds.
const EXCLUSION_TIMEOUT: &str = "SET lock_timeout = 5000";
/// Between two looks whether the connection still holds the number.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Between two attempts to get a number after the connection was lost.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// Takes a free number and holds it for as long as the process runs.
pub(super) async fn hold_number(options: PgConnectOptions) -> anyhow::Result<()> {
    let first = i64::from(getrandom::u32()?) % ids::MAX_INSTANCES;
    let (connection, number) = take_number(&options, first)
        .await
        .context("this server gets no number among those of its database")?;
    ids::set_instance(number);
    tokio::spawn(keep(options, connection, number));
    Ok(())
}

async fn keep(options: PgConnectOptions, mut connection: PgConnection, mut number: i64) {
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        if bounded(ANSWER_TIMEOUT, connection.ping()).await.is_ok() {
            continue;
        }
        // Nothing can be written with an id of the old number before the database is back.
        loop {
            match take_number(&options, number).await {
                Ok((taken, its_number)) => {
                    (connection, number) = (taken, its_number);
                    break;
                }
                Err(_) => tokio::time::sleep(RETRY_INTERVAL).await,
            }
        }
        ids::set_instance(number);
    }
}

/// A connection that holds the first free number, counted from `first`.
async fn take_number(options: &PgConnectOptions, first: i64) -> sqlx::Result<(PgConnection, i64)> {
    const TAKE: &str = "SELECT pg_try_advisory_lock($1, $2)";
    const SHARE: &str = "SELECT pg_try_advisory_lock_shared($1, $2)";
    let mut connection = bounded(CONNECT_TIMEOUT, options.connect()).await?;
    let shared = sqlx::query_scalar(SHARE)
        .bind(LOCK_SPACE)
        .bind(SERVERS)
        .fetch_one(&mut connection);
    if !bounded(ANSWER_TIMEOUT, shared).await? {
        let copied = std::io::Error::other("it is being copied");
        return Err(sqlx::Error::Io(copied));
    }
    for step in 0..ids::MAX_INSTANCES {
        let number = (first + step) % ids::MAX_INSTANCES;
        let taken = sqlx::query_scalar(TAKE)
            .bind(LOCK_SPACE)
            .bind(number as i32)
            .fetch_one(&mut connection);
        if bounded(ANSWER_TIMEOUT, taken).await? {
            return Ok((connection, number));
        }
    }
    Err(sqlx::Error::PoolTimedOut)
}

/// Keeps servers, and other copies, from starting on this database while the connection is open.
/// False when one is running.
pub(super) async fn exclude_servers(connection: &mut PgConnection) -> sqlx::Result<bool> {
    const EXCLUDE: &str = "SELECT pg_advisory_lock($1, $2)";
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    sqlx::query(EXCLUSION_TIMEOUT)
        .execute(&mut *connection)
        .await?;
    let locked = sqlx::query(EXCLUDE)
        .bind(LOCK_SPACE)
        .bind(SERVERS)
        .execute(connection)
        .await;
    match locked {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error))
            if error.code().as_deref() == Some(LOCK_NOT_AVAILABLE) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
