//! The space that an account visited last. Pages that belong to no space, such as direct
//! conversations and the account's settings, keep its rooms in the sidebar.

use std::time::Duration;

use tokio::time::timeout;

use super::Scope;
use super::permissions::READ;
use super::spaces::{Space, Spaces};
use super::topics::{LastSpace, SpaceVisited};
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::bus::Origin;
use crate::engine::versions::Dependencies;

/// How long a page waits for the visit to be stored.
const VISIT_TIMEOUT: Duration = Duration::from_millis(500);

impl Spaces {
    /// Of these spaces of an account the one that it visited last, else the first. Adds what that
    /// depends on to `page`.
    pub(super) async fn last_visited(
        &self,
        page: &Dependencies,
        account: AccountId,
        spaces: &[Space],
    ) -> Result<Option<SpaceId>> {
        const READ: &str = "SELECT last_space_id FROM accounts WHERE id = $1";
        let load = async |deps: &Dependencies| {
            deps.add(LastSpace(account.0));
            self.engine.db.scalar(READ, (account,)).await
        };
        let last: Option<SpaceId> = self.last.get_or_load_for(page, account, load).await?;
        let visited = spaces.iter().find(|space| Some(space.id) == last);
        Ok(visited.or(spaces.first()).map(|space| space.id))
    }

    /// Stores that an account visits a space. Neither a full disk nor a long write queue may fail
    /// or delay the page: a write that takes longer than [`VISIT_TIMEOUT`] goes on in the
    /// background.
    pub(super) async fn visit(&self, account: AccountId, space: SpaceId) {
        const SET: &str = "UPDATE accounts SET last_space_id = $2 WHERE id = $1";
        let bus = self.engine.bus.clone();
        let write = async move |tx: &mut Tx| {
            tx.execute(SET, (account, space)).await?;
            let origin = Origin::new(account, None);
            bus.publish_after_commit(tx, origin, SpaceVisited { account, space });
            Ok(())
        };
        let scope = Scope::Space(space);
        let write = self.access.permitted_write(account, &READ, scope, write);
        if let Ok(Err(error)) = timeout(VISIT_TIMEOUT, write).await {
            tracing::warn!(%error, "a visit of a space was not stored");
        }
    }
}
