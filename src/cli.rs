//! The command line of a server, with or without modules of its own: parse, call, print.

mod share;

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::app;
use crate::base::db::Db;
use crate::base::settings::{Flags, Profile, Settings};
use crate::base::telemetry;
use crate::community::Community;
use crate::engine::module::Modules;
use crate::new_module;

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
    /// Copy the database of a stopped server into an empty one of either kind, and compare all rows;
    /// an interrupted copy goes on when it is run again
    CopyDatabase {
        /// A data folder, its SQLite file, or an address such as postgres://user@host/name
        #[arg(long)]
        from: String,
        /// The same for the database to fill: a new folder or file, or an empty database
        #[arg(long)]
        to: String,
    },
    /// Fill a server that nobody has set up with a community to try and to measure: people, rooms,
    /// threads and messages in several languages
    Seed {
        /// How many messages; a million takes minutes
        #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
        messages: u64,
        /// How many people
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(10..=5_000))]
        people: u64,
        #[command(flatten)]
        options: Options,
    },
    /// Print a link with which an account sets a new password, also while the server runs
    ResetLink {
        /// The name or e-mail address that the account signs in with
        login: String,
        #[command(flatten)]
        options: Options,
    },
    /// Run a program on a terminal of this machine and show it in a room of a server; this needs no
    /// server here
    Share(share::ShareArgs),
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

/// The `main` of a server: parses the command line and does what it says. `add` adds modules to the
/// built-in ones; commands list and serve all of them.
///
/// ```ignore
/// fn main() -> ExitCode {
///     tidepool::cli::main(|modules| modules.add(todo::module(), Todo::new))
/// }
/// ```
pub fn main(add: impl FnOnce(Modules<Community>) -> Modules<Community>) -> ExitCode {
    match run(Cli::parse(), add) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tidepool: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(
    cli: Cli,
    add: impl FnOnce(Modules<Community>) -> Modules<Community>,
) -> Result<ExitCode> {
    match cli.command.unwrap_or(Command::Serve(cli.options)) {
        Command::Serve(options) => {
            let settings = options.settings()?;
            telemetry::start_logging(&settings);
            let ready = |address| println!("Tidepool is at http://{address}");
            app::serve_with(settings, add, ready).await?;
        }
        Command::Settings(options) => print(&options.settings()?.as_file()?)?,
        Command::Topics { json } => print_topics(&add(app::modules()), json)?,
        Command::Permissions => print_permissions(&add(app::modules()))?,
        Command::Check(options) => return check(options.settings()?).await,
        Command::Backup { to, options } => {
            Db::backup(&options.settings()?, &to).await?;
            println!("{}", to.display());
        }
        Command::CopyDatabase { from, to } => {
            return copy_database(&add(app::modules()), &from, &to).await;
        }
        Command::Seed {
            messages,
            people,
            options,
        } => seed(options.settings()?, add, people, messages).await?,
        Command::NewModule {
            name,
            path,
            tidepool,
        } => print(&new_module::create(&name, path, tidepool)?)?,
        Command::ResetLink { login, options } => {
            let link = app::reset_link(options.settings()?, add(app::modules()), &login).await?;
            print(&format!("{link}\nIt works once, for an hour.\n"))?;
        }
        Command::Share(args) => return share::share(args).await,
        Command::Health(options) => return app::health(&options.settings()?).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn check(settings: Settings) -> Result<ExitCode> {
    let unchecked = Db::unchecked(&settings);
    let problems = app::check(settings).await?;
    for problem in &problems {
        println!("{problem}");
    }
    if !problems.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    println!("ok");
    if let Some(unchecked) = unchecked {
        eprintln!("{unchecked}");
    }
    Ok(ExitCode::SUCCESS)
}

async fn copy_database(modules: &Modules<Community>, from: &str, to: &str) -> Result<ExitCode> {
    let copied = app::copy_database(modules, from, to).await?;
    let (tables, rows) = (copied.tables, copied.rows);
    if copied.differing == 0 {
        println!("{rows} rows of {tables} tables are copied and compared: all are equal");
        println!("files are not in the database: copy the folder files, or use the bucket");
        return Ok(ExitCode::SUCCESS);
    }
    for difference in &copied.differences {
        println!("{difference}");
    }
    println!(
        "rows that differ: {}, of {tables} tables; rows that are equal: {rows}. The source was \
        changed since the copy began, or a disk fails: empty the target and copy again",
        copied.differing
    );
    Ok(ExitCode::FAILURE)
}

async fn seed(
    settings: Settings,
    add: impl FnOnce(Modules<Community>) -> Modules<Community>,
    people: u64,
    messages: u64,
) -> Result<()> {
    let progress = |made: u64| {
        if made.is_multiple_of(50_000) {
            eprintln!("{made} of {messages} messages");
        }
    };
    let password = app::seed(settings, add, (people, messages), progress).await?;
    println!("{messages} messages are there. Start the server, and sign in as ann@example.org");
    println!("with the password {password}, which all others have, too: person1@example.org …");
    println!("Until the server has read all messages, search does not find all of them.");
    Ok(())
}

fn print_topics(modules: &Modules<Community>, json: bool) -> Result<()> {
    let topics = app::topics(modules);
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

fn print_permissions(modules: &Modules<Community>) -> Result<()> {
    print(&app::permission_table(modules))
}

/// Prints to stdout. A closed pipe (`| head`) is no error.
fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
