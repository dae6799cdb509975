//! Trying a rule on the messages of the last day: what it would have done, without doing anything.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use super::super::Moderation;
use super::author::Author;
use super::judge::{CompiledRules, Text};
use super::model::{Condition, Rule};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::screening::{Finding, Judgement, StoredText, TextQuery, Verdict};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Messages that are looked at, the newest of the day.
const MAX_LOOKED_AT: usize = 5_000;
/// Messages that are shown, the newest of those found.
const MAX_SHOWN: usize = 50;

/// What a rule would have done with a message.
pub(super) struct Found {
    pub(super) text: StoredText,
    pub(super) verdict: Verdict,
}

impl Found {
    /// The message key of what would have happened.
    pub(super) fn label(&self) -> &'static str {
        match self.verdict {
            Verdict::Pass => "rule-would-pass",
            Verdict::Mask(_) => "rule-would-mask",
            Verdict::Hold => "rule-would-hold",
            Verdict::Refuse(_) | Verdict::Wait(_) => "rule-would-refuse",
        }
    }

    /// The text as it would have been stored.
    pub(super) fn body(&self) -> &str {
        match &self.verdict {
            Verdict::Mask(masked) => masked,
            _ => &self.text.text,
        }
    }
}

/// The result of a dry run.
pub(super) struct DryRun {
    /// Messages that were looked at.
    pub(super) looked_at: usize,
    /// Messages that it would have acted on.
    pub(super) count: usize,
    /// The newest of them first.
    pub(super) found: Vec<Found>,
}

/// What is counted of accounts, as the database does for real messages.
#[derive(Default)]
struct Counters(HashMap<(AccountId, i64), (Micros, i64)>);

impl Counters {
    fn finding(&mut self, author: AccountId, at: Micros, judgement: Judgement) -> Finding {
        let mut finding = judgement.finding;
        for one in judgement.counts {
            let entry = self.0.entry((author, one.topic)).or_insert((Micros(0), 0));
            if entry.0 <= at {
                *entry = (at.plus(one.window), 0);
            }
            entry.1 += 1;
            if entry.1 > one.max {
                finding.add(one.then);
            }
        }
        finding
    }
}

impl Moderation {
    /// Tries a rule on the messages of the last day that the viewer may read.
    ///
    /// # Errors
    /// `TooMany` for who tries too often; the database's.
    pub(super) async fn dry_run(
        &self,
        viewer: AccountId,
        space: SpaceId,
        rule: Rule,
    ) -> Result<DryRun> {
        self.rules.dry_runs.check(&viewer)?;
        let query = TextQuery {
            viewer,
            space,
            since: Micros(Micros::now().0 - DAY.as_micros() as i64),
            limit: MAX_LOOKED_AT,
        };
        let texts = self.engine.screening.texts(query).await?;
        let asks_when = matches!(rule.condition, Condition::Newcomers { .. });
        let mut authors: HashMap<AccountId, Arc<Author>> = HashMap::new();
        for text in &texts {
            if let Entry::Vacant(new) = authors.entry(text.author) {
                let author = self.author(text.author, space, asks_when).await?;
                new.insert(Arc::new(author));
            }
        }
        let hosts = self.engine.hosts.clone();
        let run = tokio::task::spawn_blocking(move || {
            let rules = CompiledRules::new(vec![rule], hosts);
            try_on(&rules, texts, &authors)
        });
        run.await.map_err(|error| Error::Internal(error.into()))
    }
}

fn try_on(
    rules: &CompiledRules,
    texts: Vec<StoredText>,
    authors: &HashMap<AccountId, Arc<Author>>,
) -> DryRun {
    let (looked_at, mut counters, mut found) = (texts.len(), Counters::default(), Vec::new());
    for text in texts {
        let Some(author) = authors.get(&text.author) else {
            continue;
        };
        let judged = Text {
            room: text.room,
            text: &text.text,
            links: text.links,
            files: text.files,
            is_edit: false,
            at: text.at,
        };
        let judgement = rules.judge(judged, author);
        let finding = counters.finding(text.author, text.at, judgement);
        if finding.verdict != Verdict::Pass {
            found.push(Found {
                verdict: finding.verdict,
                text,
            });
        }
    }
    let count = found.len();
    found.reverse();
    found.truncate(MAX_SHOWN);
    DryRun {
        looked_at,
        count,
        found,
    }
}
