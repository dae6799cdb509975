//! What modules keep of rooms and spaces: erased before these are.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::base::error::Result;
use crate::base::ids::{RoomId, SpaceId};

/// What is being erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErasedScope {
    /// A room, before its row is deleted.
    Room(RoomId),
    /// A space without its rooms, which are erased before it.
    Space(SpaceId),
}

type Erase = Arc<dyn Fn(ErasedScope) -> BoxFuture<'static, Result<bool>> + Send + Sync>;

/// What one module keeps of rooms and spaces, bound to its state.
#[derive(Clone)]
pub struct ScopeData(Erase);

impl ScopeData {
    pub(super) fn new<S, E, R>(state: &S, erase: E) -> Self
    where
        S: Clone + Send + Sync + 'static,
        E: Fn(S, ErasedScope) -> R + Send + Sync + 'static,
        R: Future<Output = Result<bool>> + Send + 'static,
    {
        let state = state.clone();
        Self(Arc::new(move |scope| erase(state.clone(), scope).boxed()))
    }

    /// Erases some of it. Returns whether there may be more.
    ///
    /// # Errors
    /// The module's.
    pub async fn erase(&self, scope: ErasedScope) -> Result<bool> {
        (self.0)(scope).await
    }
}
