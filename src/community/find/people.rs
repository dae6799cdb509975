//! The people of a space by the beginnings of the words of their names: sorted words, in which a
//! query is a range. Made when somebody looks for people there, and again after the members have
//! changed.

use std::sync::Arc;

use super::words::{Pattern, Rank, search_key, starts, words};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::keyed_lock::KeyedLock;
use crate::community::cache::StoreCache;
use crate::engine::Engine;
use crate::engine::versions::Dependencies;

/// Words that one query reads: of a letter that begins more names, those that come first.
const MAX_SCANNED: usize = 2_000;

/// The index of a space.
#[derive(Default)]
pub(in crate::community) struct PeopleIndex {
    people: Vec<Entry>,
    /// What a query may begin with, and who has it in their name. Sorted.
    starts: Vec<(Box<str>, u32)>,
}

struct Entry {
    account: AccountId,
    name: String,
    /// The unique name, where another one is shown.
    user_name: Option<Box<str>>,
    key: String,
    /// Of the unique name.
    user_key: Option<Box<str>>,
}

impl Entry {
    fn ranked(&self, pattern: &Pattern) -> Option<(Rank, &Self)> {
        let own = self.user_key.as_deref();
        let ranks = [
            pattern.rank_of_key(&self.key),
            own.and_then(|key| pattern.rank_of_key(key)),
        ];
        Some((ranks.into_iter().flatten().min()?, self))
    }
}

impl PeopleIndex {
    fn new(rows: Vec<(AccountId, String, String)>) -> Self {
        let mut index = Self::default();
        for (number, (account, name, user_name)) in (0..).zip(rows) {
            let key = search_key(&name);
            let user_name = (user_name != name).then(|| user_name.into_boxed_str());
            let user_key = user_name.as_deref().map(search_key).map(Into::into);
            for key in [Some(&*key), user_key.as_deref()].into_iter().flatten() {
                let all = words(key).flat_map(starts);
                index.starts.extend(all.map(|start| (start.into(), number)));
            }
            index.people.push(Entry {
                account,
                name,
                user_name,
                key,
                user_key,
            });
        }
        index.starts.sort_unstable();
        index
    }

    /// The entries that begin with a word.
    fn range(&self, word: &str) -> &[(Box<str>, u32)] {
        let first = self.starts.partition_point(|(start, _)| &**start < word);
        let rest = &self.starts[first..];
        &rest[..rest.partition_point(|(start, _)| start.starts_with(word))]
    }

    /// The people whom a query fits, at most `limit`, best first.
    pub(in crate::community) fn find(
        &self,
        pattern: &Pattern,
        limit: usize,
    ) -> Vec<(AccountId, &str, Rank)> {
        let found = self.find_among(pattern, limit, |_| true).into_iter();
        found
            .map(|(account, name, _, rank)| (account, name, rank))
            .collect()
    }

    /// As [`find`](Self::find), of those whom `is_meant` accepts, with their unique names where
    /// others are shown.
    pub(in crate::community) fn find_among(
        &self,
        pattern: &Pattern,
        limit: usize,
        is_meant: impl Fn(AccountId) -> bool,
    ) -> Vec<(AccountId, &str, Option<&str>, Rank)> {
        let mut found: Vec<(Rank, &Entry)> = Vec::new();
        // The word that begins the fewest names leaves the fewest people to compare.
        let ranges = pattern.words().map(|word| self.range(word));
        if let Some(range) = ranges.min_by_key(|range| range.len()) {
            let people = range
                .iter()
                .take(MAX_SCANNED)
                .filter_map(|(_, number)| self.people.get(*number as usize))
                .filter(|entry| is_meant(entry.account));
            found.extend(people.filter_map(|entry| entry.ranked(pattern)));
        } else if pattern.is_blank() {
            let people = self.people.iter().filter(|entry| is_meant(entry.account));
            let people = people.take(limit);
            found.extend(people.filter_map(|entry| entry.ranked(pattern)));
        }
        found.sort_unstable_by(|(rank, one), (other_rank, other)| {
            (rank, &one.key, one.account).cmp(&(other_rank, &other.key, other.account))
        });
        found.dedup_by_key(|(_, entry)| entry.account);
        found.truncate(limit);
        found
            .into_iter()
            .map(|(rank, entry)| {
                let user_name = entry.user_name.as_deref();
                (entry.account, entry.name.as_str(), user_name, rank)
            })
            .collect()
    }
}

/// The indexes of all spaces.
pub(in crate::community) struct PeopleIndexes {
    engine: Engine,
    by_space: StoreCache<SpaceId, Arc<PeopleIndex>>,
    /// A space whose index is being made.
    making: KeyedLock<SpaceId>,
}

impl PeopleIndexes {
    pub(in crate::community) fn new(engine: &Engine) -> Self {
        Self {
            engine: engine.clone(),
            by_space: StoreCache::of_lists(engine, |index: &Arc<PeopleIndex>| index.starts.len()),
            making: KeyedLock::default(),
        }
    }

    /// The index of a space, for its members: made once however many ask, off the async threads.
    pub(in crate::community) async fn of(
        &self,
        page: &Dependencies,
        space: SpaceId,
    ) -> Result<Arc<PeopleIndex>> {
        const READ: &str = "SELECT a.id, a.name, coalesce(a.user_name, a.name) FROM members m \
            JOIN accounts a ON a.id = m.account_id WHERE m.space_id = $1";
        let _making = self.making.lock(space).await;
        let load = async |deps: &Dependencies| {
            deps.add(space);
            let rows = self.engine.db.all(READ, (space,)).await?;
            let index = tokio::task::spawn_blocking(move || PeopleIndex::new(rows)).await;
            let index = index.map_err(|error| Error::Internal(anyhow::Error::new(error)))?;
            Ok(Arc::new(index))
        };
        self.by_space.get_or_load_for(page, space, load).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(index: &PeopleIndex, query: &str) -> Vec<String> {
        let found = index.find(&Pattern::new(query), 3).into_iter();
        found.map(|(_, name, _)| name.to_owned()).collect()
    }

    #[test]
    fn ten_thousand_people_are_found_by_word_and_bounded() {
        let named = |id, name: String| (AccountId(id), name.clone(), name);
        let rows = (0..10_000).map(|n| named(n, format!("Ann{n} Okafor-Lind")));
        let others = [(10_001, "王小明"), (10_002, "Zoë Lindgren")];
        let others = others.map(|(id, name)| named(id, name.to_owned()));
        let other_name = (AccountId(10_003), "Frost".to_owned(), "jack99".to_owned());
        let others = others.into_iter().chain([other_name]);
        let index = PeopleIndex::new(rows.chain(others).collect());
        assert_eq!(found(&index, "ann").len(), 3);
        assert_eq!(found(&index, "okafor ann9999"), ["Ann9999 Okafor-Lind"]);
        assert_eq!(found(&index, "小明"), ["王小明"]);
        assert_eq!(found(&index, "zoe"), ["Zoë Lindgren"]);
        assert_eq!(found(&index, "jack"), ["Frost"]);
        assert_eq!(found(&index, "lind").len(), 3);
        assert_eq!(found(&index, ""), found(&index, ""));
        assert!(found(&index, "lindgrenx").is_empty());
    }
}
