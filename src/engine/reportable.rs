//! What people can report: a module that owns a kind of content says how a thing of it is found,
//! and the module that takes reports keeps what it was then.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::base::clock::Micros;
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::viewer::Viewer;

/// What somebody wants to report.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The number of the thing's id.
    pub id: i64,
    /// Where it was reported from, for what belongs to several spaces, such as a person. Others
    /// ignore it.
    pub space: Option<SpaceId>,
}

/// A thing that can be reported, as it is now.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The space whose moderators review it; `None`: the host does.
    pub space: Option<SpaceId>,
    /// The room it is in: only who reads that may review it.
    pub room: Option<RoomId>,
    /// Whose it is. Reviewers are told; whoever reports it only where `shown_author` is `None`.
    pub author: AccountId,
    /// What whoever reports it knows its author by, where that is not the account.
    pub shown_author: Option<String>,
    /// What it says, as plain text.
    pub excerpt: String,
    /// The path of its page.
    pub href: String,
    /// When it was written; `None` for a person.
    pub at: Option<Micros>,
}

type Find = Arc<dyn Fn(Viewer, Target) -> BoxFuture<'static, Result<Reported>> + Send + Sync>;

/// A kind of content that can be reported, bound to the state of its module.
#[derive(Clone)]
pub struct Reportable {
    /// Part of the address of the page that reports it, such as `message`.
    pub kind: &'static str,
    find: Find,
}

impl Reportable {
    pub(super) fn new<S, F, R>(kind: &'static str, state: &S, find: F) -> Self
    where
        S: Clone + Send + Sync + 'static,
        F: Fn(S, Viewer, Target) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Reported>> + Send + 'static,
    {
        let state = state.clone();
        Self {
            kind,
            find: Arc::new(move |viewer, target| find(state.clone(), viewer, target).boxed()),
        }
    }

    /// The thing, for somebody who may read it.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub async fn find(&self, viewer: &Viewer, target: Target) -> Result<Reported> {
        (self.find)(viewer.clone(), target).await
    }
}
