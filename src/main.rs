//! The command line: parse, call, print.

mod new_module;

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use tidepool::base::db::Db;
use tidepool::base::settings::{Flags, Profile, Settings};
use tidepool::base::telemetry;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A self-hosted home for a community. Without a command it serves.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server (what happens without a command)
    Serve(Options),
    /// Print the settings in force, as a commented file
    Settings(Options),
    /// List every topic of the bus with its fields, owner and an example
    Topics {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List every permission with its scope and who holds it by default
    Permissions,
    /// Look for damage: in the structure of the database, in its rows, and in every file
    Check(Options),
    /// Copy the database into a new file, also while the server runs
    Backup {
        /// The file to make; it must not exist
        to: PathBuf,
        #[command(flatten)]
        options: Options,
    },
    /// Ask a running server whether it is well; for container health checks
    Health(Options),
    /// Write the package of a new module, with a page, an action, a feed and tests
    NewModule {
        /// Its name: 2 to 32 of a-z, 0-9 and '-'
        name: String,
        /// The folder to make; it must not exist [default: ./NAME]
        #[arg(long)]
        path: Option<PathBuf>,
        /// The checkout of Tidepool to build against [default: the one this was built from]
        #[arg(long)]
        tidepool: Option<PathBuf>,
    },
}

#[derive(Args, Clone)]
struct Options {
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long)]
    address: Option<SocketAddr>,
    /// The folder that holds everything [default: ./data]
    #[arg(long)]
    data: Option<PathBuf>,
    /// The values of what is not set
    #[arg(long, value_enum)]
    profile: Option<Profile>,
}

impl Options {
    fn settings(self) -> Result<Settings> {
        Settings::load(&Flags {
            address: self.address,
            data: self.data,
            profile: self.profile,
        })
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tidepool: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command.unwrap_or(Command::Serve(cli.options)) {
        Command::Serve(options) => {
            let settings = options.settings()?;
            telemetry::start_logging(&settings);
            tidepool::app::serve(settings, |address| {
                println!("Tidepool is at http://{address}")
            })
            .await?;
        }
        Command::Settings(options) => print(&options.settings()?.as_file()?)?,
        Command::Topics { json } => print_topics(json)?,
        Command::Permissions => print_permissions()?,
        Command::Check(options) => {
            let problems = tidepool::app::check(options.settings()?).await?;
            for problem in &problems {
                println!("{problem}");
            }
            if !problems.is_empty() {
                return Ok(ExitCode::FAILURE);
            }
            println!("ok");
        }
        Command::Backup { to, options } => {
            Db::backup(&options.settings()?, &to).await?;
            println!("{}", to.display());
        }
        Command::NewModule {
            name,
            path,
            tidepool,
        } => print(&new_module::create(&name, path, tidepool)?)?,
        Command::Health(options) => return tidepool::app::health(&options.settings()?).await,
    }
    Ok(ExitCode::SUCCESS)
}

fn print_topics(json: bool) -> Result<()> {
    let topics = tidepool::app::topics();
    if json {
        let all: Vec<_> = topics.iter().map(|topic| topic.json()).collect();
        return print(&format!("{}\n", serde_json::to_string_pretty(&all)?));
    }
    let mut text = String::new();
    for topic in topics {
        text += &format!(
            "{}\n   {} Owner: {}. In order by {}.\n",
            topic.name,
            topic.about.trim(),
            topic.owner(),
            topic.key
        );
        for field in topic.fields {
            text += &format!(
                "   {:<12} {:<18} {}\n",
                field.name,
                field.kind,
                field.about.trim()
            );
        }
        text += &format!("   {}\n\n", (topic.example)());
    }
    print(&text)
}

fn print_permissions() -> Result<()> {
    let mut text = String::new();
    for permission in tidepool::app::permissions() {
        let tidepool::engine::permission::Permission {
            name,
            scope,
            held_by,
            about,
            ..
        } = permission;
        text += &format!("{name:<24} {scope:?}, {held_by:?}: {about}\n");
    }
    print(&text)
}

/// Prints to stdout. A closed pipe (`| head`) is no error.
fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
