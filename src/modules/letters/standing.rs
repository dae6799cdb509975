//! What somebody is in the letters by hand of a space.

use super::Letters;
use super::couriers::{self, Post, SORTER};
use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::engine::viewer::Viewer;

/// What all these pages know of the viewer.
pub(super) struct Standing {
    pub(super) is_organiser: bool,
    pub(super) post: Option<Post>,
}

impl Standing {
    pub(super) fn is_active(&self) -> bool {
        self.post.as_ref().is_some_and(Post::is_active)
    }

    pub(super) fn rank(&self) -> i64 {
        let active = self.post.as_ref().filter(|post| post.is_active());
        active.map_or(0, |post| post.rank)
    }

    /// Whether places and couriers are theirs to run.
    pub(super) fn runs_something(&self) -> bool {
        self.is_organiser || self.rank() >= SORTER
    }
}

impl Letters {
    /// # Errors
    /// `NotFound` where no letters are carried by hand, and for who is no member.
    pub(super) async fn standing(&self, viewer: &Viewer, space: SpaceId) -> Result<Standing> {
        let is_on = self.settings_for(viewer, space).await?.by_hand;
        if !is_on {
            return Err(Error::NotFound);
        }
        Ok(Standing {
            is_organiser: self.is_organiser(viewer.account, space).await?,
            post: couriers::of(&self.engine.db, space, viewer.account).await?,
        })
    }
}
