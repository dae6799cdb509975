//! What the command line says.

use std::fmt;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures the live engine against bare baselines, in one run on the same cores.
#[derive(Parser, Clone, Debug)]
#[command(name = "live")]
pub struct Options {
    /// Small sizes, to see that everything works; the figures mean little
    #[arg(long)]
    pub quick: bool,
    /// Sockets to deliver to and to keep idle [default: 1000]
    #[arg(long)]
    sockets: Option<usize>,
    /// Only this row; may be repeated
    #[arg(long, value_enum)]
    only: Vec<Row>,
    /// Turns of each side [default: 3]
    #[arg(long)]
    rounds: Option<usize>,
    /// Deliver frames of HTML, as pages get them, instead of JSON, which comes closest to the mark's 360 bytes
    #[arg(long)]
    pub html: bool,
    /// Grow the room to a million messages
    #[arg(long)]
    pub deep: bool,
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
    /// Memory at the start and of an idle socket, and the time a start takes
    Memory,
    /// A room's page, whole and unchanged
    Pages,
    /// Posts, 64 at once, each found after a kill -9
    Posts,
    /// The same pages in a small and in a large room
    Growth,
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
    /// Bare inserts
    Insert,
}

impl Options {
    /// The rows to measure.
    pub fn rows(&self) -> Vec<Row> {
        if self.only.is_empty() { Row::value_variants().to_vec() } else { self.only.clone() }
    }

    /// How many sockets.
    pub fn sockets(&self) -> usize {
        self.sockets.unwrap_or(self.by(50, 1_000)).max(2)
    }

    /// How many turns each side gets.
    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(self.by(1, 3)).max(1)
    }

    /// A size: the first for a quick run, the second for one that counts.
    pub fn by(&self, quick: usize, real: usize) -> usize {
        if self.quick { quick } else { real }
    }
}
