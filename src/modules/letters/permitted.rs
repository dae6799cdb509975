//! The frame of what changes letters: a transaction of somebody who holds a permission in a space.

use super::Letters;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::community::{Permission, Scope};

impl Letters {
    /// Runs `work` in a transaction if the account holds the permission in the space.
    ///
    /// # Errors
    /// Those of [`permitted_write`](crate::community::Access::permitted_write), and those of `work`.
    pub(super) async fn permitted<T, F>(
        &self,
        by: AccountId,
        permission: &'static Permission,
        space: SpaceId,
        work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        let (access, scope) = (&self.community.access, Scope::Space(space));
        access.permitted_write(by, permission, scope, work).await
    }
}
