//! Which instance has a terminal: the one that its sharer is connected to, which says so again and
//! again. What no instance has for long ends.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Terminals;
use super::model::{TerminalId, TerminalRow};
use super::open::{Ended, OpenTerminal};
use super::sent_file_store;
use super::store::{self, AWAY_TIMEOUT};
use crate::base::clock::Micros;
use crate::base::db::Db;
use crate::base::error::{Error, Result};

/// Between two renewals.
const RENEW_INTERVAL: Duration = Duration::from_secs(3);
/// How long a recording is kept.
pub(super) const RECORDING_TTL: Duration = Duration::from_secs(30 * 86_400);
/// Renewals between two searches for what is to end or to be deleted.
const SWEEP_EVERY: u32 = 20;
/// The first is soon after the start, once what an instance had that has gone is given up.
const FIRST_SWEEP: u32 = 4;

/// The instance that has a terminal, if one does.
///
/// # Errors
/// The database's.
pub(super) async fn holder(db: &Db, terminal: TerminalId) -> Result<Option<String>> {
    const HOLDER: &str =
        "SELECT instance FROM terminals WHERE id = $1 AND ended_at IS NULL AND expires_at > $2";
    db.optional_scalar(HOLDER, (terminal, Micros::now())).await
}

impl Terminals {
    pub(super) fn is_alone(&self) -> bool {
        self.engine.settings.nats.is_empty()
    }

    /// Keeps the terminals of this instance, and ends what nobody shares any more.
    pub(super) async fn renew_repeatedly(self) {
        let mut round = 0_u32;
        loop {
            tokio::time::sleep(RENEW_INTERVAL).await;
            round = round.wrapping_add(1);
            if let Err(error) = self.renew(round % SWEEP_EVERY == FIRST_SWEEP).await {
                tracing::warn!(%error, "terminals were not renewed");
            }
            for terminal in self.open.list() {
                let is_gone = |since: Instant| since.elapsed() > AWAY_TIMEOUT;
                if terminal.away_since().is_some_and(is_gone) {
                    self.end_terminal(&terminal, None).await;
                }
            }
            if !self.is_alone() {
                self.repeat_summaries();
            }
            let own = self.open.list().into_iter().map(|one| one.id);
            let own: HashSet<TerminalId> = own.collect();
            let is_own = |terminal: TerminalId| own.contains(&terminal);
            self.summaries.forget_silent(Instant::now(), is_own);
        }
    }

    async fn renew(&self, is_sweep: bool) -> Result<()> {
        let db = &self.engine.db;
        // One instance has all there are: only what is swept needs the times to be right.
        if !self.open.list().is_empty() && (is_sweep || !self.is_alone()) {
            let own = self.engine.live.instance().to_owned();
            db.write_queued(async move |tx| store::renew(tx, &own).await)
                .await?;
        }
        for terminal in self.open.list() {
            self.check_row(&terminal).await;
        }
        if is_sweep {
            self.begun.evict();
            self.searches.evict();
            let files = self.engine.files.clone();
            let write = db.write_queued(async move |tx| {
                sent_file_store::sweep(&files, tx).await?;
                let ended = store::end_abandoned(tx).await?;
                store::delete_old(tx, RECORDING_TTL).await?;
                Ok(ended)
            });
            for (terminal, room) in write.await? {
                self.publish_ended(terminal, room);
            }
        }
        Ok(())
    }

    /// Reads again what is stored of a terminal of this instance, in case a change was missed:
    /// whoever ended it, deleted its room, or took it to another instance. Whether it goes on here,
    /// or why not.
    pub(super) async fn check_row(&self, terminal: &Arc<OpenTerminal>) -> Option<Ended> {
        match store::get(&self.engine.db, terminal.id).await {
            Ok(row) if row.ended_at.is_none() && row.instance != self.engine.live.instance() => {
                terminal.close(Ended::Elsewhere);
                self.open.remove(terminal.id);
                Some(Ended::Elsewhere)
            }
            Ok(row) => {
                if let Err(error) = self.apply_row(terminal, &row).await {
                    tracing::warn!(%error, "who may type in a terminal was not read");
                }
                row.ended_at.is_some().then_some(Ended::Over)
            }
            Err(Error::NotFound) => {
                self.end_terminal(terminal, None).await;
                Some(Ended::Over)
            }
            Err(error) => {
                tracing::warn!(%error, "a terminal was not read again");
                None
            }
        }
    }

    /// Has a terminal of this instance be as it is stored: over, recorded or not, and who is what.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn apply_row(
        &self,
        terminal: &Arc<OpenTerminal>,
        row: &TerminalRow,
    ) -> Result<()> {
        if !row.recorded {
            terminal.stop_recording();
        }
        if row.ended_at.is_some() {
            self.end_terminal(terminal, None).await;
            return Ok(());
        }
        terminal.set_roles(store::roles(&self.engine.db, row).await?);
        self.check_typists(terminal).await;
        match row.takes_files {
            true => self.check_files(terminal).await,
            false => Ok(()),
        }
    }
}
