//! Has the index follow what changes. Triggers add a row to `search_queue` in the transaction of
//! the change; here the rows are taken in batches. Of several instances each takes what it finds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::source::Source;
use super::{Search, index};
use crate::base::db::Tx;
use crate::base::error::Result;

/// Rows of the queue, and documents, of one transaction: others write meanwhile.
pub(super) const MAX_BATCH: usize = 100;
/// Between two batches, so that many changes share one.
const BATCH_INTERVAL: Duration = Duration::from_millis(100);
/// After which the queue is read though nobody called [`Search::wake`]: for what another instance
/// left when it ended, and for changes without an event.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// After a failure.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// What a batch writes: an id with its stored form, or without one if it leaves the index.
type Entry = (i64, Option<String>);

impl Search {
    /// Follows changes as long as the server runs.
    pub(in crate::engine) async fn follow(self) {
        while let Err(error) = self.begin_unfinished().await {
            tracing::warn!(%error, "the search index cannot be read");
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
        loop {
            let wait = match self.take_batch().await {
                Ok(taken) if taken >= MAX_BATCH => Duration::ZERO,
                Ok(0) => {
                    let woken = self.wake.notified();
                    let _ = tokio::time::timeout(POLL_INTERVAL, woken).await;
                    BATCH_INTERVAL
                }
                Ok(_) => BATCH_INTERVAL,
                Err(error) => {
                    tracing::warn!(%error, "the search index could not follow a change");
                    RETRY_INTERVAL
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Brings a batch of what changed into the index. Returns how many changes it took.
    async fn take_batch(&self) -> Result<usize> {
        const READ: &str = "SELECT id, source, item FROM search_queue ORDER BY id LIMIT $1";
        const TAKE: &str = "DELETE FROM search_queue WHERE id = $1";
        let limit = MAX_BATCH as i64;
        let is_empty = "SELECT NOT EXISTS (SELECT 1 FROM search_queue)";
        if self.db.scalar(is_empty, ()).await? {
            return Ok(0);
        }
        // Who read a document earlier must not write it later.
        let _turn = self.turn.lock().await;
        let _lock = self.db.lock_names(&["search".to_owned()]).await?;
        let rows: Vec<(i64, String, i64)> = self.db.all(READ, (limit,)).await?;
        let mut entries = Vec::new();
        for source in self.sources() {
            let of_source = rows.iter().filter(|(_, name, _)| name == source.name);
            let ids: BTreeSet<i64> = of_source.map(|(_, _, item)| *item).collect();
            entries.extend(self.entries(source, ids.into_iter().collect()).await?);
        }
        let (taken, queued): (usize, Vec<i64>) =
            (rows.len(), rows.into_iter().map(|(id, ..)| id).collect());
        let write = self.db.write_queued(async move |tx: &mut Tx| {
            for id in queued {
                tx.execute(TAKE, (id,)).await?;
            }
            write(tx, &entries).await
        });
        write.await?;
        Ok(taken)
    }

    /// What the index should have under these ids.
    pub(super) async fn entries(&self, source: &Source, ids: Vec<i64>) -> Result<Vec<Entry>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let documents = (source.documents)(ids.clone()).await?;
        let db = self.db.clone();
        let stored = tokio::task::spawn_blocking(move || {
            let documents = documents.iter();
            let stored = documents.map(|document| (document.id, index::stored(&db, document)));
            stored.collect::<Vec<_>>()
        });
        let mut stored = stored.await.map_err(anyhow::Error::new)?;
        let mut entries = Vec::with_capacity(ids.len());
        for id in ids {
            let found = stored.iter().position(|(one, _)| *one == id);
            entries.push((id, found.map(|at| stored.swap_remove(at).1)));
        }
        Ok(entries)
    }
}

pub(super) async fn write(tx: &mut Tx, entries: &[Entry]) -> Result<()> {
    for (id, stored) in entries {
        match stored {
            Some(stored) => index::put(tx, *id, stored).await?,
            None => index::delete(tx, *id).await?,
        }
    }
    Ok(())
}

/// One at a time in this process.
pub(super) type Turn = Arc<tokio::sync::Mutex<()>>;
