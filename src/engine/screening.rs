//! Screening: what stores texts asks what judges them, before a text is stored. Modules declare
//! both sides ([`Module::screener`](crate::engine::module::Module::screener) and
//! [`Module::texts`](crate::engine::module::Module::texts)) and do not know one another.
//!
//! A text is judged before the transaction that stores it. What has to be counted over all
//! instances is counted in the transaction, by [`Screening::count`].

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};

/// Finds the addresses that a text links to, as what stores it shows them.
pub type FindLinks = fn(&str) -> Vec<String>;

/// A text that is about to be stored.
#[derive(Clone, Copy)]
pub struct Draft<'a> {
    /// The space it is written in. What is outside of spaces is not screened.
    pub space: SpaceId,
    /// The room it is written in.
    pub room: RoomId,
    /// Who writes it.
    pub author: AccountId,
    /// The text.
    pub text: &'a str,
    /// How to find its links.
    pub links: FindLinks,
    /// How many files come with it.
    pub files: usize,
    /// Whether it replaces a text that is stored already.
    pub is_edit: bool,
}

/// What happens to a text, from the mildest on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// It is stored.
    #[default]
    Pass,
    /// This text is stored instead.
    Mask(String),
    /// It waits for a moderator.
    Hold,
    /// It is not stored; the key of a message says why.
    Refuse(&'static str),
    /// It is not stored now: it may be sent again after this time.
    Wait(Duration),
}

impl Verdict {
    fn severity(&self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Mask(_) => 1,
            Self::Hold => 2,
            Self::Wait(_) => 3,
            Self::Refuse(_) => 4,
        }
    }
}

/// What was found of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// What happens to it.
    pub verdict: Verdict,
    /// The name of the rule that says so; empty when it passes.
    pub rule: String,
    /// Minutes for which its author only reads; zero: none.
    pub time_out: u64,
}

impl Finding {
    /// Adds another: the more severe verdict stays, and the longer time-out.
    pub fn add(&mut self, other: Self) {
        let time_out = self.time_out.max(other.time_out);
        if other.verdict.severity() > self.verdict.severity() {
            *self = other;
        }
        self.time_out = time_out;
    }
}

/// Something of which there may be only so much in a time, to be counted with the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// What counts; unique in its space.
    pub rule: i64,
    /// What is counted: 0 for every text, else the digest of one.
    pub topic: i64,
    /// How many are allowed.
    pub max: i64,
    /// The time in which they are, beginning with the first.
    pub window: Duration,
    /// What is found of one more.
    pub then: Finding,
}

/// The judgement of a text. Empty, and without any allocation, where there is nothing to judge.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// What was found so far.
    pub finding: Finding,
    /// What is left to count.
    pub counts: Vec<Count>,
}

impl Judgement {
    /// Whether the text passes, and nothing is left to count.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.finding == Finding::default()
    }
}

/// What judges texts.
pub trait Screener: Send + Sync + 'static {
    /// Whether it is known, without a query, that nothing is judged in a space.
    fn is_idle(&self, space: SpaceId) -> bool;

    /// Judges a text.
    fn judge<'a>(&'a self, draft: Draft<'a>) -> BoxFuture<'a, Result<Judgement>>;

    /// Counts what a judgement has left to count, in the transaction that stores the text.
    fn count<'a>(
        &'a self,
        tx: &'a mut Tx,
        space: SpaceId,
        author: AccountId,
        counts: Vec<Count>,
    ) -> BoxFuture<'a, Result<Finding>>;

    /// Has the author of a text only read for a while. In a transaction of its own: the text's
    /// holds a room, and this one a space.
    fn time_out<'a>(
        &'a self,
        space: SpaceId,
        author: AccountId,
        minutes: u64,
        rule: &'a str,
    ) -> BoxFuture<'a, Result<()>>;
}

/// A text that is stored, for trying rules on it.
#[derive(Clone, Debug)]
pub struct StoredText {
    /// Greater than the ids of earlier ones.
    pub id: i64,
    /// The room it stands in; of a thread the one that it belongs to.
    pub room: RoomId,
    /// Who wrote it.
    pub author: AccountId,
    /// The author's name.
    pub author_name: String,
    /// The text.
    pub text: String,
    /// How to find its links.
    pub links: FindLinks,
    /// How many files came with it.
    pub files: usize,
    /// When it was stored.
    pub at: Micros,
    /// Its address, a path on this server.
    pub href: String,
}

/// Which texts are wanted: the newest of a space, in rooms that the viewer may read.
#[derive(Clone, Copy, Debug)]
pub struct TextQuery {
    /// Who will see them.
    pub viewer: AccountId,
    /// The space.
    pub space: SpaceId,
    /// Not older than this.
    pub since: Micros,
    /// At most so many.
    pub limit: usize,
}

/// Gives out texts that a module stores, oldest first.
pub type TextSource =
    Arc<dyn Fn(TextQuery) -> BoxFuture<'static, Result<Vec<StoredText>>> + Send + Sync>;

/// The screener and the sources of texts of a server, set at its start. Cheap to clone.
#[derive(Clone, Default)]
pub struct Screening(Arc<OnceLock<Parts>>);

#[derive(Default)]
struct Parts {
    screener: Option<Arc<dyn Screener>>,
    sources: Vec<TextSource>,
}

impl Screening {
    pub(super) fn set(&self, screener: Option<Arc<dyn Screener>>, sources: Vec<TextSource>) {
        drop(self.0.set(Parts { screener, sources }));
    }

    fn screener(&self) -> Option<&Arc<dyn Screener>> {
        self.0.get()?.screener.as_ref()
    }

    /// Judges a text that is about to be stored. Costs nothing in a space without rules.
    ///
    /// # Errors
    /// The database's, when the rules are not cached.
    pub async fn judge(&self, draft: Draft<'_>) -> Result<Judgement> {
        match self.screener() {
            Some(screener) if !screener.is_idle(draft.space) => screener.judge(draft).await,
            _ => Ok(Judgement::default()),
        }
    }

    /// What is found of a text once everything is counted, in the transaction that stores it.
    ///
    /// # Errors
    /// The database's.
    pub async fn count(
        &self,
        tx: &mut Tx,
        space: SpaceId,
        author: AccountId,
        judgement: Judgement,
    ) -> Result<Finding> {
        let Judgement {
            mut finding,
            counts,
        } = judgement;
        if let Some(screener) = self.screener()
            && !counts.is_empty()
        {
            finding.add(screener.count(tx, space, author, counts).await?);
        }
        Ok(finding)
    }

    /// Imposes the time-out of a finding, if it has one. To be called after the text's transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn time_out(
        &self,
        space: SpaceId,
        author: AccountId,
        finding: &Finding,
    ) -> Result<()> {
        match self.screener() {
            Some(screener) if finding.time_out > 0 => {
                let (minutes, rule) = (finding.time_out, &finding.rule);
                screener.time_out(space, author, minutes, rule).await
            }
            _ => Ok(()),
        }
    }

    /// The newest texts that a query asks for, of all that is stored, oldest first.
    ///
    /// # Errors
    /// The database's; `NotFound` for who is no member of the space.
    pub async fn texts(&self, query: TextQuery) -> Result<Vec<StoredText>> {
        let mut all = Vec::new();
        for source in self.0.get().iter().flat_map(|parts| &parts.sources) {
            all.extend(source(query).await?);
        }
        all.sort_by_key(|text| (text.at, text.id));
        let too_many = all.len().saturating_sub(query.limit);
        Ok(all.split_off(too_many))
    }
}

/// The error of a verdict that does not let a text pass.
///
/// # Errors
/// `Invalid` for field `field` when it is refused, `TooMany` when it has to wait.
pub fn check_refused(verdict: &Verdict, field: &'static str) -> Result<()> {
    match verdict {
        Verdict::Refuse(why) => Err(Error::field(field, why)),
        Verdict::Wait(wait) => {
            let used_up = crate::base::error::Allowance::used_up(1, *wait);
            Err(Error::TooMany(used_up))
        }
        Verdict::Pass | Verdict::Mask(_) | Verdict::Hold => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severest_finding_stays_with_the_longest_time_out() {
        let finding = |verdict, time_out| Finding {
            verdict,
            rule: format!("rule {time_out}"),
            time_out,
        };
        let mut found = Finding::default();
        found.add(finding(Verdict::Hold, 60));
        found.add(finding(Verdict::Mask("•".into()), 5));
        assert_eq!(found, finding(Verdict::Hold, 60));
        found.add(finding(Verdict::Refuse("error-rule-words"), 0));
        assert_eq!((found.time_out, found.rule.as_str()), (60, "rule 0"));
        assert!(check_refused(&found.verdict, "body").is_err());
        assert!(check_refused(&Verdict::Hold, "body").is_ok());
    }
}
