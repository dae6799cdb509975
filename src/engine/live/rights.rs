//! Authorization of sockets: who may follow a feed, and whose session is valid. Checked when a
//! socket subscribes or acts, and again whenever a right may have changed.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::feed::FeedSpec;
use crate::base::error::Result;
use crate::engine::viewer::{SessionCheck, Viewer};

type Authorize = Arc<dyn Fn(Viewer, Vec<i64>) -> BoxFuture<'static, Result<bool>> + Send + Sync>;

/// Who may follow the feeds of a family.
pub(in crate::engine) struct FeedRule {
    spec: FeedSpec,
    authorize: Authorize,
}

impl FeedRule {
    /// `authorize` gets the numbers of a feed's name in order.
    pub(in crate::engine) fn new<F, R>(spec: FeedSpec, authorize: F) -> Self
    where
        F: Fn(Viewer, Vec<i64>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<bool>> + Send + 'static,
    {
        let authorize: Authorize = Arc::new(move |viewer, ids| authorize(viewer, ids).boxed());
        Self { spec, authorize }
    }
}

type Present = Arc<dyn Fn(Vec<i64>) -> BoxFuture<'static, ()> + Send + Sync>;

/// Publishes the present state of a volatile feed, for clients that come back to it from another
/// instance.
#[derive(Clone)]
pub(in crate::engine) struct RejoinHandler {
    spec: FeedSpec,
    present: Present,
}

impl RejoinHandler {
    /// `present` gets the numbers of a feed's name in order.
    pub(in crate::engine) fn new<F, R>(spec: FeedSpec, present: F) -> Self
    where
        F: Fn(Vec<i64>) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let present: Present = Arc::new(move |ids| present(ids).boxed());
        Self { spec, present }
    }
}

/// The rules that authorize sockets, and what brings them up to date.
pub(in crate::engine) struct Rights {
    feeds: Vec<FeedRule>,
    rejoin: Vec<RejoinHandler>,
    is_session_valid: SessionCheck,
}

impl Rights {
    pub(in crate::engine) fn new(
        feeds: Vec<FeedRule>,
        rejoin: Vec<RejoinHandler>,
        is_session_valid: SessionCheck,
    ) -> Self {
        Self {
            feeds,
            rejoin,
            is_session_valid,
        }
    }

    /// Whether this person may follow this feed now. Nobody may follow what no module declares.
    ///
    /// # Errors
    /// When the right could not be read, which is neither a yes nor a no.
    pub(super) async fn allows(&self, viewer: &Viewer, feed: &str) -> Result<bool> {
        let mut rules = self.feeds.iter();
        match rules.find_map(|rule| Some((rule, rule.spec.ids(feed)?))) {
            Some((rule, ids)) => (rule.authorize)(viewer.clone(), ids).await,
            None => Ok(false),
        }
    }

    /// What publishes the present state of a feed; empty where clients have to refetch it.
    pub(in crate::engine) fn presenters(&self, feed: &str) -> Vec<BoxFuture<'static, ()>> {
        let handlers = self.rejoin.iter();
        handlers
            .filter_map(|handler| Some((handler.present)(handler.spec.ids(feed)?)))
            .collect()
    }

    /// Whether the session of a socket may go on.
    ///
    /// # Errors
    /// When it could not be read.
    pub(super) async fn is_session_valid(&self, viewer: &Viewer) -> Result<bool> {
        (self.is_session_valid)(viewer.clone()).await
    }
}
