//! Delivering: rows that modules publish are taken in batches, and whoever is told of one gets a
//! row in their inbox. A notice for thousands takes several batches: others write meanwhile. Of
//! several instances one at a time does it; what a crash interrupts goes on after it.

use std::time::Duration;

use super::store::{self, Untold};
use super::{Notices, push};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::AccountId;

/// Notices of one transaction.
const MAX_NOTICES_TOLD: usize = 50;
/// Accounts that one transaction tells.
const MAX_RECIPIENTS_TOLD: usize = 1_000;
/// How long what is published is left alone: what somebody has on the screen they read meanwhile,
/// and many notices share a batch.
const DELIVERY_DELAY: Duration = Duration::from_millis(400);
/// After which unfinished rows are looked for though nothing was published here: for what another
/// instance left when it ended.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// After a failure.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// A step of one notice: these accounts are told, and then it goes on after this one.
struct Step {
    notice: Untold,
    loud: Vec<AccountId>,
    quiet: Vec<AccountId>,
    /// `None`: all are told.
    told_up_to: Option<AccountId>,
}

/// Delivers as long as the server runs.
pub(super) async fn follow(notices: Notices) {
    loop {
        let wait = match notices.deliver_batch().await {
            Ok(true) => Duration::ZERO,
            Ok(false) => {
                let published = notices.engine.notices.published();
                let _ = tokio::time::timeout(POLL_INTERVAL, published).await;
                DELIVERY_DELAY
            }
            Err(error) => {
                tracing::warn!(%error, "notices were not delivered; retried");
                RETRY_INTERVAL
            }
        };
        tokio::time::sleep(wait).await;
    }
}

impl Notices {
    /// Delivers a batch. Returns whether there may be more.
    async fn deliver_batch(&self) -> Result<bool> {
        let db = &self.engine.db;
        if !store::has_untold(db).await? {
            return Ok(false);
        }
        let _lock = db.lock_names(&["notices".to_owned()]).await?;
        let untold = store::untold(db, MAX_NOTICES_TOLD).await?;
        let (now, mut left, mut steps) = (Micros::now(), MAX_RECIPIENTS_TOLD, Vec::new());
        for notice in untold {
            if left == 0 {
                break;
            }
            let (told, told_up_to) = self.next_recipients(&notice, left).await?;
            left -= told.len();
            let wanted = self.who_wants(&notice, told).await?;
            let (quiet, loud) = self.split_quiet(wanted, now).await?;
            steps.push(Step {
                notice,
                loud,
                quiet,
                told_up_to,
            });
        }
        if steps.is_empty() {
            return Ok(false);
        }
        let (notices, jobs) = (self.engine.notices.clone(), self.engine.jobs.clone());
        let write = db.write_queued(async move |tx: &mut Tx| {
            let mut changed = Vec::new();
            for step in &steps {
                let notice = &step.notice;
                // Withdrawn meanwhile. The row stays locked until the commit.
                if !store::set_told(tx, notice.id, step.told_up_to).await? {
                    continue;
                }
                let loud = store::tell(tx, notice, &step.loud, false).await?;
                push::add_jobs(tx, &jobs, notice.id, &loud).await?;
                changed.extend(loud);
                changed.extend(store::tell(tx, notice, &step.quiet, true).await?);
            }
            changed.sort_unstable();
            changed.dedup();
            notices.publish_changed(tx, &changed);
            Ok(())
        });
        write.await?;
        Ok(true)
    }
}
