//! Who is told of a notice: of those whom it is for, who may read its room, wants to be told, and
//! does not block its author. All of it is asked when the notice is delivered.

use std::collections::{HashMap, HashSet};

use super::Notices;
use super::quiet_hours::is_quiet;
use super::store::{self, Untold};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::community::{Members, NoticeLevel};
use crate::engine::notices::{Recipients, ToldAt};

impl Notices {
    /// The next accounts that a notice is for, at most `limit`, and where to go on; `None` after
    /// the last.
    pub(super) async fn next_recipients(
        &self,
        notice: &Untold,
        limit: usize,
    ) -> Result<(Vec<AccountId>, Option<AccountId>)> {
        let readers = match notice.room {
            Some(room) => match self.community.access.readers_of(room).await {
                Ok(readers) => Some(readers),
                Err(Error::NotFound) => return Ok((Vec::new(), None)),
                Err(error) => return Err(error),
            },
            None => None,
        };
        let meant = self.meant_by(notice, readers.as_ref()).await?;
        let mut left: Vec<AccountId> = meant
            .into_iter()
            .filter(|account| *account > notice.told_up_to && Some(*account) != notice.actor)
            .filter(|account| readers.as_ref().is_none_or(|all| all.contains(account)))
            .collect();
        left.sort_unstable();
        let has_more = left.len() > limit;
        left.truncate(limit);
        let told_up_to = left.last().copied().filter(|_| has_more);
        Ok((left, told_up_to))
    }

    /// All whom a notice is for.
    async fn meant_by(
        &self,
        notice: &Untold,
        readers: Option<&Members>,
    ) -> Result<HashSet<AccountId>> {
        let db = &self.engine.db;
        let mut meant = HashSet::new();
        let all = || readers.into_iter().flat_map(|all| all.iter().copied());
        for recipients in &notice.recipients.0 {
            match (recipients, notice.space) {
                (Recipients::Accounts(accounts), _) => meant.extend(accounts),
                (Recipients::Role(role), _) => meant.extend(store::in_role(db, *role).await?),
                (Recipients::Group(group), _) => meant.extend(store::in_group(db, *group).await?),
                (Recipients::Followers, Some(_)) => {
                    meant.extend(store::followers(db, notice).await?);
                }
                (Recipients::Readers, _) | (Recipients::Followers, None) => meant.extend(all()),
            }
        }
        Ok(meant)
    }

    /// Those of them who want to be told, and do not block or ignore who caused it.
    pub(super) async fn who_wants(
        &self,
        notice: &Untold,
        accounts: Vec<AccountId>,
    ) -> Result<Vec<AccountId>> {
        let Some(kind) = self.engine.notices.kind(&notice.kind) else {
            // Of a module that this server does not have any more.
            return Ok(Vec::new());
        };
        if accounts.is_empty() {
            return Ok(accounts);
        }
        let db = &self.engine.db;
        let blocking: HashSet<AccountId> = match notice.actor {
            Some(actor) => store::who_blocks(db, actor, &accounts).await?,
            None => HashSet::new(),
        };
        let mut levels: HashMap<AccountId, NoticeLevel> = HashMap::new();
        if kind.told_at != ToldAt::Every {
            // Those of rooms come last, and precede those of spaces.
            levels.extend(store::levels_of(db, notice, &accounts).await?);
        }
        let default = NoticeLevel::default_of(notice.space);
        let is_wanted = |account: &AccountId| {
            let level = levels.get(account).copied().unwrap_or(default);
            match kind.told_at {
                ToldAt::Every => true,
                ToldAt::Mentions => !level.is_muted(),
                ToldAt::All => level == NoticeLevel::All,
            }
        };
        let wanted = accounts.into_iter();
        let wanted = wanted.filter(|account| is_wanted(account) && !blocking.contains(account));
        Ok(wanted.collect())
    }

    /// Those whose attention is not to be drawn now, and the others.
    pub(super) async fn split_quiet(
        &self,
        accounts: Vec<AccountId>,
        now: Micros,
    ) -> Result<(Vec<AccountId>, Vec<AccountId>)> {
        let may_be_quiet = store::may_be_quiet(&self.engine.db, &accounts).await?;
        let quiet: HashSet<AccountId> = may_be_quiet
            .into_iter()
            .filter(|one| is_quiet(one, now))
            .map(|one| one.account)
            .collect();
        Ok(accounts
            .into_iter()
            .partition(|account| quiet.contains(account)))
    }
}
