//! Measures the live engine against bare baselines: `cargo bench --bench live -- --help`.
//!
//! The real binary runs in a temporary folder with the load beside it on the same cores. Every
//! figure stands beside that of a baseline that does the same with nothing in between: a child
//! process of this program, in the same run, turn by turn. What is timed is checked: each socket
//! got each frame once and in order, each body is whole, each acknowledged post is found
//! afterwards. A discrepancy ends the run with a failure; a mark that is missed does not.

mod baseline;
mod file_limit;
mod follower;
mod follower_pool;
mod ground;
mod http;
mod load;
mod machine;
mod open_loop;
mod options;
mod people;
mod process;
mod received_frames;
mod report;
mod rows;
mod server;
mod socket;
mod socket_pool;
mod socket_reader;
mod stats;
mod synthetic_feed;
mod voice_peer;
mod voice_reflector;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use options::{Options, Role};
use report::Report;

#[global_allocator]
// The server's, so that baselines have it too.
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("live: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    match options.baseline {
        Some(Role::Serve) => return baseline::serve(options.file.as_deref()),
        Some(Role::SyntheticFeed) => return synthetic_feed::serve(),
        Some(Role::Insert) => {
            return baseline::insert(options.file.as_deref().context("where to?")?, options.count);
        }
        None => {}
    }
    file_limit::raise_file_limit()?;
    let mut report = Report::default();
    // Sockets and loads have threads of their own; this one only directs, so it may block.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut wrong = Ok(());
    for row in options.rows() {
        eprintln!("{row} …");
        let measured = runtime.block_on(rows::measure(row, options, &mut report));
        if let Err(error) =
            measured.with_context(|| format!("{row}: what was measured is not right"))
        {
            // What was right until then is reported all the same.
            report.note(format!("{error:#}"));
            wrong = wrong.and(Err(error));
        }
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report.json(options))?);
    } else {
        report.print(options);
    }
    wrong
}
