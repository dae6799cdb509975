//! Deleting what somebody wrote in a space: each module that holds content deletes its own, in a
//! job that the one who decided it has added.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::base::clock::Micros;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};

/// Whose content goes, as the payload of the job.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ContentRemoval {
    /// Who decided it: what they may not delete themselves stays.
    pub by: AccountId,
    /// Whose content.
    pub account: AccountId,
    /// Where.
    pub space: SpaceId,
    /// Only what was written from then on.
    pub since: Micros,
}

type Remove = Arc<dyn Fn(ContentRemoval) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// How one module deletes, bound to its state.
#[derive(Clone)]
pub struct ContentRemover(Remove);

impl ContentRemover {
    pub(super) fn new<S, F, R>(state: &S, remove: F) -> Self
    where
        S: Clone + Send + Sync + 'static,
        F: Fn(S, ContentRemoval) -> R + Send + Sync + 'static,
        R: Future<Output = Result<()>> + Send + 'static,
    {
        let state = state.clone();
        Self(Arc::new(move |removal| {
            remove(state.clone(), removal).boxed()
        }))
    }

    /// Deletes it. What is deleted already is no error: the job may be tried again.
    pub async fn remove(&self, removal: ContentRemoval) -> Result<()> {
        (self.0)(removal).await
    }
}
