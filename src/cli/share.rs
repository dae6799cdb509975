//! `tidepool share`: runs a program on a terminal of this machine and shows it in a room of a
//! server. The user's own terminal stays usable, whatever becomes of the connection.

mod address;
mod ask;
mod connect;
mod files;
mod folder;
mod git_status;
mod local;
mod raw_mode;
mod received_file;
mod recent_folders;
mod status;
mod uplink;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::base::exit_code::exit_code;
use crate::modules::terminals::core::{Signal, Size, Terminal};
use crate::modules::terminals::hello::{Hello, PROTOCOL, Status};
use address::Target;
use ask::Ask;
use connect::Connector;
use files::FileTaker;
use local::Input;
use raw_mode::RawMode;
use status::Said;
use uplink::{Delivery, Typed, Uplink};

/// Set for the program, so that it does not share itself again.
const INSIDE: &str = "TIDEPOOL_TERMINAL";
/// For the last output of a program that has ended.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// For the server to take the last output and the exit code.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);
/// Pieces of input that wait for the program.
const MAX_WAITING_INPUT: usize = 256;

/// What `tidepool share` is told.
#[derive(Args, Clone)]
pub(super) struct ShareArgs {
    /// The server, such as https://community.example [default: that of --room, or TIDEPOOL_SERVER]
    #[arg(long)]
    server: Option<String>,
    /// The room to share in: the address of its page, or its number
    #[arg(long)]
    room: String,
    /// What the terminal is called [default: the command]
    #[arg(long)]
    title: Option<String>,
    /// A file with the token [default: the variable TIDEPOOL_TOKEN]
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// Take no input of others at all, whatever the page says
    #[arg(long)]
    read_only: bool,
    /// Have the server record output (never what is typed), and show everybody that it does
    #[arg(long)]
    record: bool,
    /// Choose the folder to share in, of those that were shared in last
    #[arg(long)]
    pick: bool,
    /// Never ask about files that others want to put into the folder
    #[arg(long)]
    no_files: bool,
    /// Do not ask Git about the folder that the program works in
    #[arg(long)]
    no_git: bool,
    /// Tell nothing of the folder, of Git, and of what the program takes of the machine
    #[arg(long)]
    no_status: bool,
    /// The command and its arguments [default: $SHELL]
    #[arg(last = true)]
    command: Vec<String>,
}

/// The terminal that is shared, and who waits for its changes.
#[derive(Clone)]
struct Shared {
    terminal: Arc<Mutex<Terminal>>,
    changed: Arc<watch::Sender<u64>>,
    /// What the program has said of itself.
    said: Arc<watch::Sender<Said>>,
    /// What others are told of it.
    status: Arc<watch::Sender<Status>>,
}

impl Shared {
    fn new(size: Size) -> Self {
        Self {
            terminal: Arc::new(Mutex::new(Terminal::new(size))),
            changed: Arc::new(watch::Sender::new(0)),
            said: Arc::default(),
            status: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Terminal> {
        self.terminal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Terminal)) {
        let mut terminal = self.lock();
        change(&mut terminal);
        for signal in terminal.take_signals() {
            self.said.send_modify(|said| match signal {
                Signal::Folder(folder) => said.folder = folder,
                Signal::Prompt | Signal::CommandEnded(_) => said.prompts += 1,
                Signal::Titled | Signal::Bell | Signal::CommandStarted => {}
            });
        }
        drop(terminal);
        self.changed.send_modify(|version| *version += 1);
    }
}

impl ShareArgs {
    fn argv(&self) -> Vec<String> {
        match self.command.is_empty() {
            true => vec![std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".to_owned())],
            false => self.command.clone(),
        }
    }

    /// Whether the user can be asked, and wants to be.
    fn takes_files(&self) -> bool {
        let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        !self.read_only && !self.no_files && is_terminal
    }

    fn hello(&self, target: &Target, size: Size) -> Hello {
        let command = self.argv().join(" ");
        Hello {
            version: PROTOCOL,
            room: Some(target.room),
            terminal: None,
            title: self.title.clone().unwrap_or_default(),
            command,
            cols: size.cols,
            rows: size.rows,
            takes_input: !self.read_only,
            record: self.record,
            input: 0,
            takes_files: self.takes_files(),
        }
    }
}

fn token(args: &ShareArgs) -> Result<String> {
    let token = match &args.token_file {
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the token in {}", file.display()))?,
        None => std::env::var("TIDEPOOL_TOKEN").context(
            "there is no token: make one on the page of your account, “Terminals”, and put it \
            into the variable TIDEPOOL_TOKEN",
        )?,
    };
    Ok(token.trim().to_owned())
}

/// Shares a program until it ends, and returns its exit code.
///
/// # Errors
/// When nothing was shared: the server or the token are wrong, or the program cannot be started.
pub(super) async fn share(args: ShareArgs) -> Result<ExitCode> {
    if std::env::var_os(INSIDE).is_some() {
        bail!("this terminal is shared already");
    }
    let target = Target::of(args.server.as_deref(), &args.room)?;
    let connector = Connector::new(&target, token(&args)?)?;
    let folder = match args.pick {
        true => recent_folders::pick()?,
        false => std::env::current_dir().context("there is no current folder")?,
    };
    let size = local::size();
    let shared = Shared::new(size);
    let (mut uplink, connection) =
        Uplink::begin(connector, args.hello(&target, size), shared.clone()).await?;

    let (pty, pts) = pty_process::open().context("cannot open a terminal")?;
    pty.resize(pty_process::Size::new(size.rows, size.cols))?;
    let argv = args.argv();
    let (program, arguments) = argv.split_first().context("there is no command")?;
    let command = pty_process::Command::new(program)
        .args(arguments)
        .current_dir(&folder)
        .env(INSIDE, uplink.terminal())
        .env_remove("TIDEPOOL_TOKEN");
    let mut child = command
        .spawn(pts)
        .with_context(|| format!("cannot run {program}"))?;
    recent_folders::remember(&folder);
    eprintln!("[tidepool] shared at {}{}", target.base, uplink.path());

    let raw_mode = RawMode::enter();
    let (to_program, own) = mpsc::channel(MAX_WAITING_INPUT);
    let (input, typed) = mpsc::unbounded_channel();
    let (has_taken, taken) = watch::channel(0);
    let (output, pty) = pty.into_split();
    local::read_stdin(to_program);
    let ask = Ask::new(shared.clone());
    let (taker, files) = FileTaker::new(ask.clone(), child.id().unwrap_or_default());
    tokio::spawn(taker.run());
    let waiting = Input {
        own,
        ask: ask.clone(),
        typed,
        taken: has_taken,
        takes_typed: !args.read_only,
    };
    let typed = Typed {
        input,
        taken,
        files,
    };
    let reading = tokio::spawn(local::read_output(output, ask));
    let writing = tokio::spawn(local::write_input(pty, waiting, shared.clone()));
    let delivering = tokio::spawn(async move { uplink.run(connection, typed).await });

    let looking = child.id().filter(|_| !args.no_status);
    let looking =
        looking.map(|pid| tokio::spawn(status::watch_status(pid, !args.no_git, shared.clone())));

    let status = local::wait(&mut child).await?;
    if let Some(looking) = looking {
        looking.abort();
    }
    // What is in the terminal still comes, unless something in the background keeps it open.
    drop(timeout(DRAIN_TIMEOUT, reading).await);
    writing.abort();
    let code = exit_code(status);
    shared.change(|terminal| terminal.end_with(code));
    drop(raw_mode);
    match timeout(DELIVERY_TIMEOUT, delivering).await {
        Ok(Ok(Delivery::Done)) => eprintln!("[tidepool] exit {code}, no longer shared"),
        Ok(Ok(Delivery::Refused(why))) => eprintln!("[tidepool] was no longer shared: {why}"),
        _ => eprintln!("[tidepool] the server could not be told of the end"),
    }
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
}
