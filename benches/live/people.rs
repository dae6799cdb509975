//! Many people at once: accounts and sessions written into the database of a stopped server, as
//! signing up by the hundred would take minutes of hashing.

use anyhow::{Context, Result};
use sqlx::{Connection, SqliteConnection};
use tidepool::base::secrets;
use tower_sessions::session::Id;

use crate::process::Folder;
use crate::server::{Person, Site};

const FIRST: i64 = 1_000; // of their accounts' ids, far below any that a server gives

/// Opens the database of a stopped server.
pub async fn database(folder: &Folder) -> Result<SqliteConnection> {
    let file = folder.path().join("data/tidepool.sqlite");
    SqliteConnection::connect(&format!("sqlite://{}", file.display()))
        .await
        .context("the database")
}

impl Site {
    /// Adds members until there are `count` people. Their accounts are [`account`] of their places.
    pub async fn populate(&mut self, folder: &Folder, count: usize) -> Result<()> {
        let mut database = database(folder).await?;
        let mut all = database.begin().await?;
        // A session is made as the server made the owner's, with another account in it.
        let (owner, data): (i64, String) =
            sqlx::query_as("SELECT account_id, data FROM sessions ORDER BY created_at LIMIT 1")
                .fetch_one(&mut *all)
                .await?;
        for place in self.people.len()..count {
            let (account, name, session) = (
                account(place),
                format!("Person {place}"),
                Id::default().to_string(),
            );
            sqlx::query(
                "INSERT INTO accounts (id, name, name_key, email, email_key, password, created_at) \
                 SELECT $1, $2, lower($2), $3, $3, '', created_at FROM accounts WHERE id = $4",
            )
            .bind(account)
            .bind(&name)
            .bind(format!("seeded{place}@example.org"))
            .bind(owner)
            .execute(&mut *all)
            .await?;
            sqlx::query(
                "INSERT INTO members (space_id, account_id, role, joined_at) VALUES ($1, \
                $2, 'member', 0)",
            )
            .bind(self.space.parse::<i64>()?)
            .bind(account)
            .execute(&mut *all)
            .await?;
            sqlx::query(
                "INSERT INTO sessions (digest, account_id, data, device, created_at, seen_at, \
                    expires_at) \
                 SELECT $1, $2, $3, device, created_at, seen_at, expires_at FROM sessions WHERE \
                    account_id = $4 LIMIT 1",
            )
            .bind(secrets::digest(&session))
            .bind(account)
            .bind(data.replace(&format!("\"{owner}\""), &format!("\"{account}\"")))
            .bind(owner)
            .execute(&mut *all)
            .await?;
            self.people.push(Person {
                cookie: format!("tidepool={session}"),
            });
        }
        all.commit().await?;
        database.close().await?;
        Ok(())
    }
}

/// The account of someone who was added.
pub fn account(place: usize) -> i64 {
    FIRST + place as i64
}
