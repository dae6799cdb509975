//! The server with its built-in modules. Its command line is in `cli.rs`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    tidepool::cli::main(|modules| modules)
}
