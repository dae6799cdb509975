//! A copy of one's data: a JSON document that a job puts together in pieces, and that only its owner
//! can fetch, for a day.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::FromRow;

use super::Community;
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::security_log::SecurityEvent;
use crate::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;

const EXPORT: &str = "community.export-data";
/// How long a copy can be fetched.
const EXPORT_TTL: Duration = Duration::from_secs(86_400);
const MAX_EXPORT_BYTES: usize = 256 << 20;
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3600);
const MAX_EXPORTED_FILES: i64 = 100_000;

/// A copy of one's data.
#[derive(Clone, Debug, FromRow)]
pub(super) struct DataExport {
    pub(super) asked_at: Micros,
    /// `None` while it is being made.
    pub(super) ready_at: Option<Micros>,
    pub(super) bytes: i64,
    /// False when there was more than a copy may hold.
    pub(super) complete: bool,
}

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    let about = "Puts together a copy of somebody's data";
    module
        .page(Audience::SignedIn, "/account/data/copy", get(download))
        .job(
            JobKind::new(EXPORT, about, export)
                .concurrency(1)
                .timeout(EXPORT_TIMEOUT),
        )
}

#[derive(Serialize, Deserialize)]
struct Export {
    account: AccountId,
}

/// Pieces of one document, each written at once.
struct Pieces {
    community: Community,
    account: AccountId,
    number: i64,
    bytes: usize,
}

impl Pieces {
    /// Whether the piece fitted.
    async fn push(&mut self, json: String) -> Result<bool> {
        const INSERT: &str = "INSERT INTO data_export_pieces (account_id, number, json) \
            VALUES ($1, $2, $3)";
        if self.bytes + json.len() > MAX_EXPORT_BYTES {
            return Ok(false);
        }
        self.bytes += json.len();
        self.number += 1;
        let (account, number) = (self.account, self.number);
        let db = &self.community.engine().db;
        let write = db.write_queued(async move |tx| {
            tx.execute(INSERT, (account, number, json)).await.map(drop)
        });
        write.await?;
        Ok(true)
    }
}

impl Community {
    /// The copy of an account's data, if it has asked for one and it has not expired.
    pub(super) async fn data_export(&self, account: AccountId) -> Result<Option<DataExport>> {
        const READ: &str = "SELECT asked_at, ready_at, bytes, complete FROM data_exports \
            WHERE account_id = $1 AND (ready_at IS NULL OR ready_at > $2)";
        let db = &self.engine().db;
        db.optional(READ, (account, oldest())).await
    }

    /// Has a copy of the account's data made, in place of the one before.
    pub(super) async fn ask_data_export(&self, viewer: &Viewer) -> Result<()> {
        let (engine, account) = (self.engine().clone(), viewer.account);
        let write = self.engine().db.write(async move |tx| {
            const DELETE: &str = "DELETE FROM data_exports WHERE account_id = $1";
            const INSERT: &str = "INSERT INTO data_exports \
                (account_id, asked_at, bytes, complete) VALUES ($1, $2, 0, TRUE)";
            tx.execute(DELETE, (account,)).await?;
            tx.execute(INSERT, (account, Micros::now())).await?;
            let job = NewJob::new(EXPORT, &Export { account });
            let job = job.key(account.to_string()).account(account);
            engine.jobs.add(tx, job).await.map(drop)
        });
        write.await?;
        SecurityEvent::CredentialChanged.record(account, viewer.address, "data_asked");
        Ok(())
    }

    /// Deletes copies that have expired.
    pub(super) async fn delete_expired_exports(&self) -> Result<()> {
        const DELETE: &str = "DELETE FROM data_exports WHERE ready_at <= $1";
        let db = &self.engine().db;
        let write = db.write(async move |tx| tx.execute(DELETE, (oldest(),)).await);
        write.await.map(drop)
    }

    /// What the community itself keeps: account, sessions, spaces, rooms and files.
    async fn own_data(&self, account: AccountId) -> Result<Value> {
        const SPACES: &str = "SELECT s.id, s.name, m.joined_at FROM members m \
            JOIN spaces s ON s.id = m.space_id WHERE m.account_id = $1 ORDER BY s.id";
        const GROUPS: &str = "SELECT g.name, g.space_id FROM mention_group_members m \
            JOIN mention_groups g ON g.id = m.group_id WHERE m.account_id = $1 ORDER BY g.id";
        const ROLES: &str = "SELECT r.name, r.space_id FROM member_roles m \
            JOIN roles r ON r.id = m.role_id WHERE m.account_id = $1 ORDER BY r.id";
        const FILES: &str = "SELECT id, kind, name, media, size, created_at FROM files \
            WHERE owner_id = $1 ORDER BY id LIMIT $2";
        let db = &self.engine().db;
        let own = self.accounts.get(account).await?;
        let sessions = self.sessions.list(account).await?.into_iter();
        let sessions = sessions.map(|session| {
            json!({ "device": session.device, "address": session.address,
                "created_at": session.created_at.rfc3339(), "seen_at": session.seen_at.rfc3339() })
        });
        let passkeys = self.passkeys(account).await?.into_iter();
        let passkeys =
            passkeys.map(|key| json!({ "name": key.name, "created_at": key.created_at.rfc3339() }));
        let spaces: Vec<(i64, String, Micros)> = db.all(SPACES, (account,)).await?;
        let spaces = spaces.into_iter().map(|(id, name, joined)| {
            json!({ "id": id.to_string(), "name": name, "joined_at": joined.rfc3339() })
        });
        let named =
            |(name, space): (String, i64)| json!({ "name": name, "space": space.to_string() });
        let groups: Vec<(String, i64)> = db.all(GROUPS, (account,)).await?;
        let roles: Vec<(String, i64)> = db.all(ROLES, (account,)).await?;
        type FileRow = (i64, String, String, String, i64, Micros);
        let files: Vec<FileRow> = db.all(FILES, (account, MAX_EXPORTED_FILES)).await?;
        let files = files
            .into_iter()
            .map(|(id, kind, name, media, size, created)| {
                json!({ "id": id.to_string(), "kind": kind, "name": name, "media": media,
                "bytes": size, "created_at": created.rfc3339(), "path": format!("/files/{id}") })
            });
        let profile = self.profile_for(account, account).await?;
        Ok(json!({
            "account": { "id": account, "name": own.user_name, "email": own.email,
                "display_name": profile.display_name(), "pronouns": profile.pronouns,
                "bio": profile.bio, "time_zone": profile.time_zone, "status": profile.status,
                "status_emoji": profile.status_emoji,
                "language": own.language, "theme": own.theme, "clock": own.clock,
                "presence": own.presence().0.as_str(), "shares_reads": own.shares_reads,
                "writers": self.writers_of(account).await? },
            "sessions": sessions.collect::<Vec<_>>(),
            "linked_identity": self.oidc_link(account).await?,
            "passkeys": passkeys.collect::<Vec<_>>(),
            "spaces": spaces.collect::<Vec<_>>(),
            "roles": roles.into_iter().map(named).collect::<Vec<_>>(),
            "groups": groups.into_iter().map(named).collect::<Vec<_>>(),
            "files": files.collect::<Vec<_>>(),
        }))
    }
}

/// When a copy that has just expired was ready.
fn oldest() -> Micros {
    let ttl = i64::try_from(EXPORT_TTL.as_micros()).unwrap_or(i64::MAX);
    Micros(Micros::now().0 - ttl)
}

async fn export(community: Community, run: Run, export: Export) -> Result<Settled, Failure> {
    let Export { account } = export;
    let db = community.engine().db.clone();
    // What an attempt before has left.
    let clear = db.write_queued(async move |tx| {
        const CLEAR: &str = "DELETE FROM data_export_pieces WHERE account_id = $1";
        tx.execute(CLEAR, (account,)).await.map(drop)
    });
    clear.await?;
    let mut pieces = Pieces {
        community: community.clone(),
        account,
        number: 0,
        bytes: 0,
    };
    let mut own = community.own_data(account).await?.to_string();
    own.pop(); // the brace that ends it: lists of modules follow
    let mut complete = pieces.push(own).await?;
    for data in community.engine().personal_data() {
        let (mut after, mut separator) = (i64::MIN, "");
        complete &= pieces.push(format!(",\n\"{}\":[", data.name)).await?;
        while complete {
            let page = data.page(account, after).await?;
            let mut text = String::new();
            for item in &page.items {
                text.push_str(separator);
                text.push_str(&item.to_string());
                separator = ",\n";
            }
            complete = pieces.push(text).await?;
            match page.next {
                Some(next) => after = next,
                None => break,
            }
        }
        // Room for it is not counted: the document must end.
        pieces.bytes = pieces.bytes.min(MAX_EXPORT_BYTES / 2);
        pieces.push("]".to_owned()).await?;
    }
    pieces.push("}\n".to_owned()).await?;
    let bytes = i64::try_from(pieces.bytes).unwrap_or(i64::MAX);
    run.settle(async move |tx| {
        const READY: &str = "UPDATE data_exports SET ready_at = $2, bytes = $3, complete = $4 \
            WHERE account_id = $1";
        let row = (account, Micros::now(), bytes, complete);
        tx.execute(READY, row).await.map(drop)
    })
    .await
}

/// Streams the copy of the viewer's own data, piece by piece.
async fn download(State(community): State<Community>, viewer: Viewer) -> Result<Response> {
    let account = viewer.account;
    let copy = community.data_export(account).await?;
    copy.and_then(|copy| copy.ready_at).ok_or(Error::NotFound)?;
    let db = community.engine().db.clone();
    let pieces = stream::try_unfold(0_i64, move |number| {
        let db = db.clone();
        async move {
            const NEXT: &str = "SELECT number, json FROM data_export_pieces \
                WHERE account_id = $1 AND number > $2 ORDER BY number LIMIT 1";
            let next: Option<(i64, String)> = db
                .optional(NEXT, (account, number))
                .await
                .map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>(next.map(|(number, json)| (json, number)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"tidepool-data.json\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}
