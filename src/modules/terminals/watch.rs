//! Keeps who watches and who shares true: who lost a right is sent away within a second. What was
//! typed is noted, and recordings are stored.

use std::sync::Arc;
use std::time::Duration;

use super::guest_links::GuestLinkId;
use super::open::{Ended, OpenTerminal, Who};
use super::{SHARE, SHELL, TYPE, Terminals, VIEW, store, typing_audit};
use crate::base::error::Result;

/// Between two looks at the rights of everybody, which are cached.
const RIGHTS_INTERVAL: Duration = Duration::from_millis(400);
/// Looks between two at the tokens, which are not cached. Revoking one acts at once on its instance.
const TOKENS_EVERY: u32 = 5;
/// Between two entries about what was typed.
const AUDIT_INTERVAL: Duration = Duration::from_secs(60);
/// Between two looks for parts of recordings.
const RECORDING_INTERVAL: Duration = Duration::from_secs(2);

impl Terminals {
    /// Looks again and again whether everybody may still be where they are.
    pub(super) async fn watch_rights(self) {
        let mut round = 0_u32;
        loop {
            tokio::time::sleep(RIGHTS_INTERVAL).await;
            round = round.wrapping_add(1);
            for terminal in self.open.list() {
                self.check_watchers(&terminal).await;
                self.release_of_absent(&terminal).await;
                self.check_sharer(&terminal, round.is_multiple_of(TOKENS_EVERY))
                    .await;
            }
        }
    }

    async fn check_watchers(&self, terminal: &Arc<OpenTerminal>) {
        let access = &self.community.access;
        for (watcher, who) in terminal.watchers() {
            let viewer = match who {
                Who::Member(viewer) => viewer,
                Who::Guest(link) => {
                    self.check_guest(terminal, watcher, link).await;
                    continue;
                }
            };
            let session = self.community.is_session_valid(&viewer).await;
            let seen = access.permit_in_room(viewer.account, &VIEW, terminal.room);
            if is_lost(session) || is_lost(seen.await.map(|_| true)) {
                terminal.end_watcher(watcher, Ended::Refused);
            }
        }
        self.check_typists(terminal).await;
    }

    async fn check_guest(&self, terminal: &OpenTerminal, watcher: u64, link: GuestLinkId) {
        let valid = match store::get(&self.engine.db, terminal.id).await {
            Ok(row) => self.is_link_valid(link, &row).await,
            Err(error) => Err(error),
        };
        if is_lost(valid) {
            terminal.end_watcher(watcher, Ended::Refused);
        }
    }

    /// Asks whether those who were let type still have the permission to.
    pub(super) async fn check_typists(&self, terminal: &OpenTerminal) {
        let access = &self.community.access;
        for (watcher, account) in terminal.typists() {
            match access.permit_in_room(account, &TYPE, terminal.room).await {
                Ok(_) => terminal.set_has_type(watcher, true),
                // What cannot be read now is asked again soon.
                Err(error) if error.is_passing() => {}
                Err(_) => terminal.set_has_type(watcher, false),
            }
        }
    }

    async fn check_sharer(&self, terminal: &Arc<OpenTerminal>, checks_token: bool) {
        let access = &self.community.access;
        if terminal.is_shell {
            let opened = access.permit_in_room(terminal.host, &SHELL, terminal.room);
            if is_lost(opened.await.map(|_| true)) {
                terminal.close(Ended::Refused);
                self.end_terminal(terminal, None).await;
            }
            return;
        }
        let Some(bearer) = terminal.bearer() else {
            return;
        };
        let shared = access.permit_in_room(bearer.account, &SHARE, terminal.room);
        let is_refused = is_lost(shared.await.map(|_| true))
            || checks_token && is_lost(self.is_token_valid(bearer).await);
        if is_refused {
            terminal.close(Ended::Refused);
            self.end_terminal(terminal, None).await;
        }
    }

    /// Notes who has typed how much, once a minute.
    pub(super) async fn note_typed_repeatedly(self) {
        loop {
            tokio::time::sleep(AUDIT_INTERVAL).await;
            for terminal in self.open.list() {
                typing_audit::note(&self, &terminal).await;
            }
        }
    }

    /// Stores whole parts of recordings.
    pub(super) async fn store_recorded_repeatedly(self) {
        loop {
            tokio::time::sleep(RECORDING_INTERVAL).await;
            for terminal in self.open.list() {
                self.store_recorded(&terminal, false).await;
            }
        }
    }
}

/// What cannot be read now is asked again soon.
fn is_lost(asked: Result<bool>) -> bool {
    match asked {
        Ok(may) => !may,
        Err(error) => !error.is_passing(),
    }
}
