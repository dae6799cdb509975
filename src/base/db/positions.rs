//! Positions of feeds: numbers without gaps that an event takes in the transaction that causes it.
//!
//! The first number that a transaction takes of a feed updates the feed's row, which locks it until
//! the commit: commits are in the order of positions, with any number of writers. Further numbers
//! of the same transaction are counted here and stored once, right before the commit.

use super::Tx;
use crate::base::error::Result;

/// By how much positions are raised in a copy of the database. A page that was open before a move,
/// or before an older state was restored, has a cursor below or above those that the copy would go
/// on with; with the gap none of the copy's new frames has a number that such a page knows, so it
/// refetches. Browsers count exactly up to 2^53: enough for two million copies of copies.
pub(super) const POSITION_GAP: i64 = 1 << 32;

/// The numbers that a transaction has taken.
#[derive(Default)]
pub(super) struct Positions {
    feeds: Vec<Feed>,
    /// What the current savepoint changed: a feed, and its entry before.
    undo: Vec<(String, Option<Feed>)>,
}

#[derive(Clone)]
struct Feed {
    name: String,
    taken: i64,
    /// The number in the feed's row.
    stored: i64,
}

impl Positions {
    /// The changes so far stay, whatever becomes of the next savepoint.
    pub(super) fn release(&mut self) {
        self.undo.clear();
    }

    /// Undoes what was taken since the last [`release`](Self::release): the savepoint's rows are as
    /// they were before.
    pub(super) fn rollback(&mut self) {
        while let Some((name, before)) = self.undo.pop() {
            self.feeds.retain(|feed| feed.name != name);
            self.feeds.extend(before);
        }
    }

    /// Forgets everything, after the transaction has ended.
    pub(super) fn clear(&mut self) {
        self.feeds.clear();
        self.undo.clear();
    }
}

impl Tx {
    /// The next position of a feed, the first being 1. No other transaction can take a position of
    /// it before this one has ended.
    ///
    /// # Errors
    /// The database's.
    pub async fn next_position(&mut self, feed: &str) -> Result<i64> {
        const NEXT: &str = "INSERT INTO feed_positions (feed, position) VALUES ($1, 1) \
            ON CONFLICT (feed) DO UPDATE SET position = feed_positions.position + 1 \
            RETURNING position";
        let found = self.positions.feeds.iter_mut().find(|one| one.name == feed);
        if let Some(entry) = found {
            let before = entry.clone();
            entry.taken += 1;
            let taken = entry.taken;
            self.positions.undo.push((feed.to_owned(), Some(before)));
            return Ok(taken);
        }
        let taken = self.scalar(NEXT, (feed,)).await?;
        self.positions.undo.push((feed.to_owned(), None));
        self.positions.feeds.push(Feed {
            name: feed.to_owned(),
            taken,
            stored: taken,
        });
        Ok(taken)
    }

    /// Stores the positions that were counted in memory. Right before the commit.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn store_positions(&mut self) -> Result<()> {
        const STORE: &str = "UPDATE feed_positions SET position = $2 WHERE feed = $1";
        let mut feeds = std::mem::take(&mut self.positions.feeds);
        feeds.retain(|feed| feed.taken > feed.stored);
        for feed in feeds {
            self.execute(STORE, (feed.name, feed.taken)).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::super::tests::Scratch;
    use crate::base::error::Error;

    #[tokio::test]
    async fn positions_have_no_gaps_with_failing_writes() {
        let scratch = Scratch::new().await;
        let writes = (0..300).map(|number| {
            scratch.db.write(async move |tx| {
                let feed = ["room/1", "room/2"][number % 2];
                let mut taken = vec![(number % 2, tx.next_position(feed).await?)];
                if number % 3 == 0 {
                    taken.push((number % 2, tx.next_position(feed).await?));
                }
                match number % 7 {
                    3 | 4 => Err(Error::NotFound),
                    _ => Ok(taken),
                }
            })
        });
        let taken = join_all(writes).await.into_iter().filter_map(Result::ok);
        let mut taken: Vec<_> = taken.flatten().collect();
        taken.sort_unstable();
        for feed in 0..2 {
            let of_feed = taken.iter().filter(|(of, _)| *of == feed);
            let of_feed: Vec<i64> = of_feed.map(|(_, position)| *position).collect();
            assert_eq!(of_feed, Vec::from_iter(1..=of_feed.len() as i64));
            const READ: &str = "SELECT position FROM feed_positions WHERE feed = $1";
            let name = ["room/1", "room/2"][feed];
            let stored: i64 = scratch.db.scalar(READ, (name,)).await.unwrap();
            assert_eq!(stored, of_feed.len() as i64);
        }
    }
}
