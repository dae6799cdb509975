//! The screener: judges what members are about to write by the rules of its space, and counts
//! floods.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::super::Moderation;
use super::judge::Text;
use super::store;
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::screening::{Count, Draft, Finding, Judgement, Screener, Verdict};

/// Longer texts, in bytes, are judged on a thread of their own.
const MAX_INLINE_BYTES: usize = 2 << 10;
/// How often counts that are over are deleted.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);

pub(super) struct RuleScreener(Moderation);

impl RuleScreener {
    pub(super) fn new(moderation: &Moderation) -> Self {
        Self(moderation.clone())
    }

    async fn judge_draft(&self, draft: Draft<'_>) -> Result<Judgement> {
        let rules = self.0.rules.compiled(draft.space).await?;
        if rules.is_empty() {
            return Ok(Judgement::default());
        }
        let asks_when = rules.asks_when();
        let author = self.0.author(draft.author, draft.space, asks_when).await?;
        if author.is_exempt {
            return Ok(Judgement::default());
        }
        let text = Text {
            room: draft.room,
            text: draft.text,
            links: draft.links,
            files: draft.files,
            is_edit: draft.is_edit,
            at: Micros::now(),
        };
        if draft.text.len() <= MAX_INLINE_BYTES {
            return Ok(rules.judge(text, &author));
        }
        let (room, links, files, at) = (text.room, text.links, text.files, text.at);
        let (body, is_edit) = (draft.text.to_owned(), draft.is_edit);
        let judged = tokio::task::spawn_blocking(move || {
            let text = Text {
                room,
                text: &body,
                links,
                files,
                is_edit,
                at,
            };
            rules.judge(text, &author)
        });
        judged.await.map_err(|error| Error::Internal(error.into()))
    }
}

impl Screener for RuleScreener {
    fn is_idle(&self, space: SpaceId) -> bool {
        let known = self.0.rules.compiled.get_fresh(space);
        known.is_some_and(|rules| rules.is_empty())
    }

    fn judge<'a>(&'a self, draft: Draft<'a>) -> BoxFuture<'a, Result<Judgement>> {
        self.judge_draft(draft).boxed()
    }

    fn count<'a>(
        &'a self,
        tx: &'a mut Tx,
        space: SpaceId,
        author: AccountId,
        counts: Vec<Count>,
    ) -> BoxFuture<'a, Result<Finding>> {
        async move {
            let mut found = Finding::default();
            let now = Micros::now();
            for one in counts {
                let (count, ends_at) = store::count(tx, space, author, &one, now).await?;
                if count <= one.max {
                    continue;
                }
                let mut then = one.then;
                if let Verdict::Wait(wait) = &mut then.verdict {
                    *wait = ends_at.since(now);
                }
                found.add(then);
            }
            Ok(found)
        }
        .boxed()
    }

    fn time_out<'a>(
        &'a self,
        space: SpaceId,
        author: AccountId,
        minutes: u64,
        rule: &'a str,
    ) -> BoxFuture<'a, Result<()>> {
        let sanctions = &self.0.community.sanctions;
        sanctions
            .time_out_by_rule(space, author, minutes, rule)
            .boxed()
    }
}

/// Deletes counts that are over. Every instance may do it.
pub(super) async fn forget_counts(moderation: Moderation) {
    let mut interval = tokio::time::interval(FORGET_INTERVAL);
    loop {
        interval.tick().await;
        if let Err(error) = store::delete_old_counts(&moderation.engine.db).await {
            tracing::warn!(%error, "old counts of rules were not deleted; retried in a minute");
        }
    }
}
