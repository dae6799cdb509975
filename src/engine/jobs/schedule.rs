//! Schedules: jobs that are added by the clock.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use croner::Cron;

use super::NewJob;
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::engine::jobs::Jobs;

/// A job that is added whenever its time comes.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The kind of the job; its payload is `null`.
    pub kind: &'static str,
    /// Minute, hour, day of the month, month, day of the week, in UTC: `0 4 * * *` is every night
    /// at four.
    pub cron: &'static str,
    times: Cron,
}

impl Schedule {
    /// # Panics
    /// When `cron` is no pattern that ever comes: a mistake of the program.
    pub fn new(kind: &'static str, cron: &'static str) -> Self {
        let times = Cron::from_str(cron)
            .unwrap_or_else(|error| panic!("the schedule {cron:?} of {kind}: {error}"));
        let schedule = Self { kind, cron, times };
        assert!(
            schedule.next(Micros::now()).is_some(),
            "the schedule {cron:?} of {kind} never comes"
        );
        schedule
    }

    /// Its next time after `now`.
    fn next(&self, now: Micros) -> Option<Micros> {
        let now = DateTime::<Utc>::from_timestamp_micros(now.0)?;
        let next = self.times.find_next_occurrence(&now, false).ok()?;
        Some(Micros(next.timestamp_micros()))
    }

    /// Adds the job if it is due. When to look again.
    ///
    /// Times that passed while no server ran are made up for by one job. When the clock has stepped
    /// back, the next time by the new clock counts, so that a step of a day does not cost a day.
    pub(super) async fn tick(&self, tx: &mut Tx, jobs: &Jobs, now: Micros) -> Result<Micros> {
        let next = self.next(now).unwrap_or(Micros(i64::MAX));
        const READ: &str = "SELECT next_at FROM job_schedules WHERE name = $1 AND cron = $2";
        let kept: Option<Micros> = tx.optional_scalar(READ, (self.kind, self.cron)).await?;
        match kept {
            Some(at) if at > now && at <= next => return Ok(at),
            Some(at) if at <= now => {
                jobs.add(tx, NewJob::new(self.kind, &()).key("schedule"))
                    .await?;
            }
            _ => {}
        }
        const KEEP: &str = "INSERT INTO job_schedules (name, cron, next_at) VALUES ($1, $2, $3) \
            ON CONFLICT (name) DO UPDATE SET cron = $2, next_at = $3";
        tx.execute(KEEP, (self.kind, self.cron, next)).await?;
        Ok(next)
    }
}
