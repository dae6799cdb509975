//! Schedules: jobs that are added at the times of a cron pattern.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use croner::Cron;

use super::NewJob;
use crate::base::clock::Micros;
use crate::base::db::{Sql, Tx};
use crate::base::error::Result;
use crate::engine::jobs::Jobs;

/// A kind of job and the cron pattern of the times at which one is added.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The kind of the job; its payload is `null`.
    pub kind: &'static str,
    /// Minute, hour, day of the month, month, day of the week, in UTC: `0 4 * * *` is every night
    /// at four.
    pub cron: &'static str,
    pattern: Cron,
}

impl Schedule {
    /// # Panics
    /// When `cron` does not parse or never occurs: a programming error.
    pub fn new(kind: &'static str, cron: &'static str) -> Self {
        let pattern = Cron::from_str(cron)
            .unwrap_or_else(|error| panic!("the schedule {cron:?} of {kind}: {error}"));
        let schedule = Self {
            kind,
            cron,
            pattern,
        };
        assert!(
            schedule.next_after(Micros::now()).is_some(),
            "the schedule {cron:?} of {kind} never comes"
        );
        schedule
    }

    fn next_after(&self, now: Micros) -> Option<Micros> {
        let now = DateTime::<Utc>::from_timestamp_micros(now.0)?;
        let next = self.pattern.find_next_occurrence(&now, false).ok()?;
        Some(Micros(next.timestamp_micros()))
    }

    /// Adds the job if it is due, and returns when to call this again.
    ///
    /// One job makes up for all times that passed while no server ran. After the clock stepped back
    /// the next time by the new clock counts: otherwise a step of a day would skip a day of jobs.
    pub(super) async fn tick(&self, tx: &mut Tx, jobs: &Jobs, now: Micros) -> Result<Micros> {
        let next = self.next_after(now).unwrap_or(Micros(i64::MAX));
        // Locked: of several servers one adds the job, and the others see that it is done.
        const READ: Sql = Sql {
            sqlite: "SELECT next_at FROM job_schedules WHERE name = $1 AND cron = $2",
            postgres: "SELECT next_at FROM job_schedules WHERE name = $1 AND cron = $2 FOR UPDATE",
        };
        let stored: Option<Micros> = tx.optional_scalar(READ, (self.kind, self.cron)).await?;
        match stored {
            Some(at) if at > now && at <= next => return Ok(at),
            Some(at) if at <= now => {
                jobs.add(tx, NewJob::new(self.kind, &()).key("schedule"))
                    .await?;
            }
            _ => {}
        }
        const STORE: &str = "INSERT INTO job_schedules (name, cron, next_at) VALUES ($1, $2, $3) \
            ON CONFLICT (name) DO UPDATE SET cron = $2, next_at = $3";
        tx.execute(STORE, (self.kind, self.cron, next)).await?;
        Ok(next)
    }
}
