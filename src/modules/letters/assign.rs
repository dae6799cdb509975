//! To whom a posted letter is assigned: the nearest rank of the branch where it waits, and of these
//! who has the least to carry. Pure: the time is given.

use std::cmp::Reverse;

use super::shift::Shift;
use crate::base::clock::Micros;
use crate::base::ids::AccountId;

/// A courier whose branch has the place where a letter waits.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) account: AccountId,
    pub(super) rank: i64,
    /// Characters of the code of the branch: more are nearer.
    pub(super) branch_length: usize,
    pub(super) shift: Shift,
    /// Letters that they have, or should pick up.
    pub(super) load: i64,
}

/// Who should pick a letter up: of those who are on shift and have fewer letters than one carries,
/// the lowest rank, within it the smallest branch, and then who has the least.
pub(super) fn choose(all: &[Candidate], max_load: i64, now: Micros) -> Option<AccountId> {
    let is_free = |one: &&Candidate| one.load < max_load && one.shift.is_on(now);
    let nearest = all
        .iter()
        .filter(is_free)
        .min_by_key(|one| (one.rank, Reverse(one.branch_length), one.load, one.account));
    nearest.map(|one| one.account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::letters::couriers::{CARRIER, DIRECTOR, SORTER};

    fn one(account: i64, rank: i64, branch_length: usize, load: i64) -> Candidate {
        Candidate {
            account: AccountId(account),
            rank,
            branch_length,
            shift: Shift::always(),
            load,
        }
    }

    #[test]
    fn nearest_rank_comes_before_least_load() {
        let now = Micros(0);
        let all = [
            one(1, DIRECTOR, 0, 0),
            one(2, SORTER, 4, 0),
            one(3, CARRIER, 4, 1),
            one(4, CARRIER, 6, 5),
            one(5, CARRIER, 6, 4),
        ];
        assert_eq!(
            choose(&all, 20, now),
            Some(AccountId(5)),
            "the point, and the least"
        );
        assert_eq!(
            choose(&all, 4, now),
            Some(AccountId(3)),
            "others carry enough"
        );
        assert_eq!(choose(&all, 1, now), Some(AccountId(2)), "the rank above");
        assert_eq!(choose(&all, 0, now), None);
        assert_eq!(choose(&[], 20, now), None);
        let equal = [one(8, CARRIER, 4, 2), one(7, CARRIER, 4, 2)];
        assert_eq!(choose(&equal, 20, now), Some(AccountId(7)));
    }

    #[test]
    fn who_is_not_on_shift_gets_nothing() {
        // 1970-01-01 was a Thursday.
        let thursday = Micros(12 * 3_600_000_000);
        let mut near = one(1, CARRIER, 6, 0);
        near.shift = Shift::new(1, 0, 24, "UTC");
        let far = one(2, SORTER, 4, 9);
        assert_eq!(
            choose(&[near.clone(), far.clone()], 20, thursday),
            Some(AccountId(2))
        );
        near.shift = Shift::new(1 << 3, 12, 13, "UTC");
        assert_eq!(choose(&[near, far], 20, thursday), Some(AccountId(1)));
    }
}
