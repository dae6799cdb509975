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
    key: String,
}

impl Entry {
    fn ranked(&self, pattern: &Pattern) -> Option<(Rank, &Self)> {
        Some((pattern.rank_of_key(&self.key)?, self))
    }
}

impl PeopleIndex {
    fn new(rows: Vec<(AccountId, String)>) -> Self {
        let mut index = Self::default();
        for (number, (account, name)) in (0..).zip(rows) {
            let key = search_key(&name);
            let all = words(&key).flat_map(starts);
            index.starts.extend(all.map(|start| (start.into(), number)));
            index.people.push(Entry { account, name, key });
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
        self.find_among(pattern, limit, |_| true)
    }

    /// As [`find`](Self::find), of those that `is_wanted`.
    pub(in crate::community) fn find_among(
        &self,
        pattern: &Pattern,
        limit: usize,
        is_wanted: impl Fn(AccountId) -> bool,
    ) -> Vec<(AccountId, &str, Rank)> {
        let mut found: Vec<(Rank, &Entry)> = Vec::new();
        // The word that begins the fewest names leaves the fewest people to compare.
        let ranges = pattern.words().map(|word| self.range(word));
        if let Some(range) = ranges.min_by_key(|range| range.len()) {
            let people = range
                .iter()
                .take(MAX_SCANNED)
                .filter_map(|(_, number)| self.people.get(*number as usize));
            found.extend(people.filter_map(|entry| entry.ranked(pattern)));
        } else if pattern.is_blank() {
            let people = self.people.iter().take(limit);
            found.extend(people.filter_map(|entry| entry.ranked(pattern)));
        }
        found.retain(|(_, entry)| is_wanted(entry.account));
        found.sort_unstable_by(|(rank, one), (other_rank, other)| {
            (rank, &one.key, one.account).cmp(&(other_rank, &other.key, other.account))
        });
        found.dedup_by_key(|(_, entry)| entry.account);
        found.truncate(limit);
        found
            .into_iter()
            .map(|(rank, entry)| (entry.account, entry.name.as_str(), rank))
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
        const READ: &str = "SELECT a.id, a.name FROM members m \
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
        let rows = (0..10_000).map(|n| (AccountId(n), format!("Ann{n} Okafor-Lind")));
        let others = [(10_001, "王小明"), (10_002, "Zoë Lindgren")];
        let others = others.map(|(id, name)| (AccountId(id), name.to_owned()));
        let index = PeopleIndex::new(rows.chain(others).collect());
        assert_eq!(found(&index, "ann").len(), 3);
        assert_eq!(found(&index, "okafor ann9999"), ["Ann9999 Okafor-Lind"]);
        assert_eq!(found(&index, "小明"), ["王小明"]);
        assert_eq!(found(&index, "zoe"), ["Zoë Lindgren"]);
        assert_eq!(found(&index, "lind").len(), 3);
        assert_eq!(found(&index, ""), found(&index, ""));
        assert!(found(&index, "lindgrenx").is_empty());
    }
}
