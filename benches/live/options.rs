//! What the command line says.

use std::fmt;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::file_limit::file_limit;

/// Measures the live engine against bare baselines, in one run on the same cores.
#[derive(Parser, Clone, Debug)]
#[command(name = "live")]
pub struct Options {
    /// Small sizes, to see that everything works; the figures mean little
    #[arg(long)]
    pub quick: bool,
    /// Sockets to deliver to, to keep idle and to come back at once [default: by row, as many as
    /// files may be open]
    #[arg(long)]
    sockets: Option<usize>,
    /// Only this row; may be repeated
    #[arg(long, value_enum)]
    only: Vec<Row>,
    /// Turns of each side [default: 3]
    #[arg(long)]
    rounds: Option<usize>,
    /// Deliver frames of HTML, as pages get them, instead of JSON, which comes closest to the
    /// mark's 360 bytes
    #[arg(long)]
    pub html: bool,
    /// Grow the room to a million messages and overload twice as long
    #[arg(long)]
    pub deep: bool,
    /// How long the soak lasts
    #[arg(long, default_value_t = 22.0)]
    pub minutes: f64,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,

    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
    /// Be a baseline instead
    #[arg(long, hide = true, value_enum)]
    pub baseline: Option<Role>,
    /// What the baseline serves, or where it writes
    #[arg(long, hide = true)]
    pub file: Option<PathBuf>,
    /// How many rows the baseline inserts
    #[arg(long, hide = true, default_value_t = 0)]
    pub count: usize,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Row {
    /// From a post to the frame on one's own and on another socket, nothing else going on
    Echo,
    /// One post to all sockets, and as many as will go
    Fanout,
    /// As many deliveries as will go to sockets that take them compressed
    Compressed,
    /// Memory at the start and of an idle socket, and the time a start takes
    Memory,
    /// A room's page, whole and unchanged
    Pages,
    /// Everything a browser loads for the first room it visits, in bytes
    Visit,
    /// The same pages while posts arrive in the room
    Busy,
    /// Posts, 64 at once, each found after a kill -9
    Posts,
    /// Posts on PostgreSQL, and on two instances, only when asked for: it needs PostgreSQL and NATS
    Instances,
    /// The same pages in small and in large rooms
    Growth,
    /// A page for members of few and of many rooms
    Rooms,
    /// Search in a million messages beside a bare query of the index, only when asked for: seeding
    /// takes minutes
    Search,
    /// One call for everybody in a room of thousands, and posts beside it
    Notices,
    /// Sockets that stop reading beside those that go on
    Stalled,
    /// Twice the posts that can be taken, and the time after
    Overload,
    /// Everybody arrives at once
    Arrivals,
    /// A restart, and everybody back at once
    Storm,
    /// Jobs: done in a second, begun how soon, and a post beside many that wait
    Jobs,
    /// Uploads beside a bare copy, and the memory of ten at once
    Uploads,
    /// Voice: packets forwarded by a core beside a bare reflector, delay, joining and memory
    Voice,
    /// What Lighthouse says of the first visit, only when asked for: it comes from npm
    Lighthouse,
    /// A steady mix for a long time, only when asked for
    Soak,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("?", |value| value.get_name()))
    }
}

/// What a child process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Bare routes, a bare WebSocket broadcast and a bare loop over sockets
    Serve,
    /// The real server with a module whose frames nothing stores
    SyntheticFeed,
    /// Bare inserts
    Insert,
}

impl Options {
    /// The rows to measure.
    pub fn rows(&self) -> Vec<Row> {
        let ordinary = Row::value_variants().iter().copied().filter(|row| {
            !matches!(
                row,
                Row::Instances | Row::Search | Row::Lighthouse | Row::Soak
            )
        });
        if self.only.is_empty() {
            ordinary.collect()
        } else {
            self.only.clone()
        }
    }

    /// How many sockets: what was asked for, or the first for a quick run and the second for one
    /// that counts.
    pub fn sockets(&self, quick: usize, real: usize) -> usize {
        self.sockets
            .unwrap_or_else(|| self.by(quick, real).min(most_sockets()))
            .max(2)
    }

    /// The same in steps of growth.
    pub fn socket_steps(&self, steps: &[usize]) -> Vec<usize> {
        match self.sockets {
            Some(sockets) => vec![sockets.max(2)],
            None if self.quick => vec![50],
            None => steps
                .iter()
                .copied()
                .filter(|step| *step <= most_sockets())
                .collect(),
        }
    }

    /// How many turns each side gets.
    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(self.by(1, 3)).max(1)
    }

    /// Fewer turns for what takes long.
    pub fn rounds_up_to(&self, most: usize) -> usize {
        self.rounds.unwrap_or(self.rounds().min(most)).max(1)
    }

    /// A size: the first for a quick run, the second for one that counts.
    pub fn by(&self, quick: usize, real: usize) -> usize {
        if self.quick { quick } else { real }
    }
}

/// How many sockets this process, which holds one end of each, may have.
fn most_sockets() -> usize {
    const OTHERS: usize = 500; // files
    file_limit().unwrap_or(0).saturating_sub(OTHERS)
}
