//! What a black-box test runs on: `TIDEPOOL_TEST_MODE` is `sqlite` (the default), `postgres`, or
//! `cluster`: two instances on one PostgreSQL database, joined by NATS. `tests/run` lists the files
//! that run in only one of the last two.

use std::io::Write;
use std::sync::OnceLock;

/// The database and the number of instances of every [`super::TestServer`] of this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One instance on a SQLite file.
    Sqlite,
    /// One instance on PostgreSQL.
    Postgres,
    /// Two instances on PostgreSQL, joined by NATS.
    Cluster,
}

impl Mode {
    /// The mode of this run.
    pub fn current() -> Self {
        static MODE: OnceLock<Mode> = OnceLock::new();
        *MODE.get_or_init(|| {
            match std::env::var("TIDEPOOL_TEST_MODE")
                .unwrap_or_default()
                .as_str()
            {
                "" | "sqlite" => Self::Sqlite,
                "postgres" => Self::Postgres,
                "cluster" => Self::Cluster,
                other => panic!("TIDEPOOL_TEST_MODE is sqlite, postgres or cluster, not {other:?}"),
            }
        })
    }

    /// How many instances one server has.
    pub fn instances(self) -> usize {
        if self == Self::Cluster { 2 } else { 1 }
    }
}

/// True when a test is not for this mode; the skip is then a line in the file
/// `TIDEPOOL_TEST_SKIPPED`, or on stderr if that is not set. Called by `sqlite_only!`.
pub fn is_skipped(test: &str, reason: &str, modes: &[Mode]) -> bool {
    let mode = Mode::current();
    if modes.contains(&mode) {
        return false;
    }
    let test = test.trim_end_matches("::here").replace("::{{closure}}", "");
    let test = test.split_once("::").map_or(&*test, |(_, path)| path);
    let line = format!("skipped in mode {mode:?}: {test}: {reason}\n");
    let written = match std::env::var_os("TIDEPOOL_TEST_SKIPPED") {
        Some(path) => std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(line.as_bytes())),
        // Past the capture of output.
        None => std::io::stderr().write_all(line.as_bytes()),
    };
    written.expect("skipped tests can be listed");
    true
}

/// The first line of a test of SQLite's own files: `sqlite_only!("why")`. In another mode the test
/// ends here, and the run lists it as skipped.
#[macro_export]
macro_rules! sqlite_only {
    ($reason:literal) => {
        $crate::only_in_modes!($reason, [Sqlite])
    };
}

/// The first line of a test whose server has to be a single instance, such as one that counts what
/// each instance counts for itself. In cluster mode it is skipped and listed.
#[macro_export]
macro_rules! one_instance_only {
    ($reason:literal) => {
        $crate::only_in_modes!($reason, [Sqlite, Postgres])
    };
}

/// What the macros above have in common.
#[macro_export]
macro_rules! only_in_modes {
    ($reason:literal, [$($mode:ident),+]) => {
        // A function's type is named by the path of the test around it.
        fn here() {}
        let modes = [$($crate::support::Mode::$mode),+];
        if $crate::support::is_skipped(std::any::type_name_of_val(&here), $reason, &modes) {
            return;
        }
    };
}
