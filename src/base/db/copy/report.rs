//! Progress on stderr: a line a second at most.

use std::time::{Duration, Instant};

const REPORT_INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct Report {
    shown_at: Instant,
    /// What is done to the table: `copying`.
    what: &'static str,
    table: String,
    total: i64,
    done: i64,
    begun_at: Instant,
    /// Rows that were done before this run.
    before: i64,
}

impl Report {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            shown_at: now,
            what: "",
            table: String::new(),
            total: 0,
            done: 0,
            begun_at: now,
            before: 0,
        }
    }

    /// Goes on to a table of so many rows, of which `done` are done already.
    pub(super) fn begin(&mut self, what: &'static str, table: &str, total: i64, done: i64) {
        (self.what, self.table) = (what, table.to_owned());
        (self.total, self.done, self.before) = (total, done, done);
        self.begun_at = Instant::now();
    }

    /// Counts further rows.
    pub(super) fn add(&mut self, rows: i64) {
        self.done += rows;
        if self.shown_at.elapsed() < REPORT_INTERVAL {
            return;
        }
        self.shown_at = Instant::now();
        let seconds = self.begun_at.elapsed().as_secs_f64().max(0.001);
        let rate = (self.done - self.before) as f64 / seconds;
        let Self {
            what,
            table,
            total,
            done,
            ..
        } = self;
        eprintln!("{what} {table}: {done} of {total} rows, {rate:.0} rows/s");
    }
}
