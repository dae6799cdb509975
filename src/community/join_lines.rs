//! Whether and where a space tells who has joined. The lines themselves are `modules/chat`'s.

use super::permissions::MANAGE_SPACE;
use super::spaces::Spaces;
use super::topics::SpaceChanged;
use super::{SPACE_FEED, Scope};
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::bus::Origin;

impl Spaces {
    /// The room that tells who joins a space: `general`, else its first public room. None where
    /// the owner does not want it, or no room is public.
    ///
    /// # Errors
    /// The database's.
    pub async fn room_of_joins(&self, space: SpaceId) -> Result<Option<RoomId>> {
        const READ: &str = "SELECT r.id FROM spaces s JOIN rooms r ON r.space_id = s.id \
            WHERE s.id = $1 AND s.tells_joins AND NOT r.private AND r.archived_at IS NULL \
            AND r.deleted_at IS NULL AND s.deleted_at IS NULL AND r.kind = 'text' \
            ORDER BY CASE WHEN r.name = 'general' THEN 0 ELSE 1 END, r.name LIMIT 1";
        self.engine.db.optional_scalar(READ, (space,)).await
    }

    /// Sets whether a space tells who joins it.
    pub(super) async fn set_tells_joins(
        &self,
        by: AccountId,
        space: SpaceId,
        tells: bool,
    ) -> Result<()> {
        const SET: &str = "UPDATE spaces SET tells_joins = $2 WHERE id = $1 RETURNING name";
        let bus = self.engine.bus.clone();
        let write = async move |tx: &mut Tx| {
            let name: String = tx.scalar(SET, (space, tells)).await?;
            let (origin, feed) = (Origin::new(by, Some(space)), SPACE_FEED.name(space));
            let changed = SpaceChanged { space, name };
            bus.publish_on(tx, &[feed], origin, changed).await?;
            Ok(())
        };
        self.access
            .permitted_write(by, &MANAGE_SPACE, Scope::Space(space), write)
            .await
    }
}
