//! Comparing all rows of a table on both sides: both are read in the order of the key, in step.

use std::cmp::Ordering;

use futures_util::TryStreamExt;

use super::catalog::Pair;
use super::rows::{self, Row, row_name};
use super::side::Side;
use super::{Report, as_copied};

/// Differences that are listed. All are counted.
const MAX_LISTED_DIFFERENCES: usize = 100;

/// What a comparison found.
#[derive(Default)]
pub(super) struct Differences {
    pub(super) count: u64,
    /// In English, the first of them.
    pub(super) listed: Vec<String>,
}

impl Differences {
    fn add(&mut self, difference: String) {
        self.count += 1;
        if self.listed.len() < MAX_LISTED_DIFFERENCES {
            self.listed.push(difference);
        }
    }
}

/// Compares a table; how many rows are equal.
pub(super) async fn table(
    source: &mut Side,
    target: &mut Side,
    pair: &Pair,
    found: &mut Differences,
    report: &mut Report,
) -> anyhow::Result<u64> {
    let sorted_by = pair.source.sorted_by();
    let order = |one: &Row, two: &Row| {
        let keys = sorted_by.iter().map(|at| one[*at].order(&two[*at]));
        keys.fold(Ordering::Equal, Ordering::then)
    };
    let mut equal = 0;
    let mut sources = rows::read(source, &pair.source, None);
    let mut targets = rows::read(target, &pair.target, None);
    let mut next = sources
        .try_next()
        .await?
        .map(|row| as_copied(&pair.source, row));
    let mut copied = targets.try_next().await?;
    loop {
        let ordering = match (&next, &copied) {
            (None, None) => return Ok(equal),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(next), Some(copied)) => order(next, copied),
        };
        match (ordering, &next, &copied) {
            (Ordering::Equal, Some(next), Some(copied)) if next == copied => equal += 1,
            (Ordering::Equal, Some(next), Some(copied)) => {
                let columns = pair.source.columns.iter().zip(next.iter().zip(copied));
                let columns = columns.filter(|(_, (one, two))| one != two);
                let columns: Vec<_> = columns.map(|(column, _)| column.name.as_str()).collect();
                let row = row_name(&pair.source, next);
                found.add(format!("{row} differs in {}", columns.join(", ")));
            }
            (Ordering::Less, Some(row), _) => {
                found.add(format!(
                    "{} is missing in the target",
                    row_name(&pair.source, row)
                ));
            }
            (_, _, Some(row)) => {
                found.add(format!(
                    "{} is only in the target",
                    row_name(&pair.target, row)
                ));
            }
            _ => return Ok(equal),
        }
        if ordering != Ordering::Greater {
            next = sources
                .try_next()
                .await?
                .map(|row| as_copied(&pair.source, row));
            report.add(1);
        }
        if ordering != Ordering::Less {
            copied = targets.try_next().await?;
        }
    }
}
