//! Child processes, what they use, and where they may write.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// A running child. Dropping it kills it.
pub struct Process {
    child: Child,
    what: &'static str,
    log: PathBuf,
    /// What follows its first line.
    output: Mutex<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts it and waits for its first line on stdout. What it says on stderr goes to a file in
    /// `folder`.
    pub fn start(
        what: &'static str,
        command: &mut Command,
        folder: &Folder,
    ) -> Result<(Self, String)> {
        let log = folder
            .path()
            .join(format!("{}.log", what.replace(' ', "-")));
        let errors = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn();
        let mut child = child.with_context(|| format!("cannot start the {what}"))?;
        let mut output = BufReader::new(child.stdout.take().context("stdout is piped")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let process = Self {
            child,
            what,
            log,
            output: Mutex::new(output),
        };
        if line.is_empty() {
            bail!("the {what} did not start:\n{}", process.log_tail());
        }
        Ok((process, line.trim_end().to_owned()))
    }

    /// Waits for the next line on stdout.
    pub fn next_line(&self) -> Result<String> {
        let mut line = String::new();
        let output = self.output.lock();
        output
            .unwrap_or_else(PoisonError::into_inner)
            .read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// The last it wrote to stderr.
    pub fn log_tail(&self) -> String {
        let all = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = all.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Fails when it ended or panicked.
    pub fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "the {} ended with {status}:\n{}",
                self.what,
                self.log_tail()
            );
        }
        ensure!(
            !std::fs::read_to_string(&self.log)?.contains("panicked"),
            "the {} panicked:\n{}",
            self.what,
            self.log_tail()
        );
        Ok(())
    }

    /// The processor time it has used.
    fn cpu(&self) -> Result<Duration> {
        cpu_of(&self.child.id().to_string())
    }

    /// The processor time of its threads of this name.
    pub fn cpu_of_threads(&self, name: &str) -> Result<Duration> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()))?;
        let mut sum = 0;
        for task in tasks {
            let path = task?.path();
            let named = std::fs::read_to_string(path.join("comm")).unwrap_or_default();
            if named.trim() == name {
                // Its first number is nanoseconds on a core.
                let text = std::fs::read_to_string(path.join("schedstat"))?;
                let first = text.split(' ').next().context("no time")?;
                sum += first.parse::<u64>()?;
            }
        }
        Ok(Duration::from_nanos(sum))
    }

    /// Its resident memory, in KiB.
    pub fn resident(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .context("no resident memory")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse()?)
    }

    /// SIGTERM, and waits until it has ended: as when it is stopped to be started again.
    pub fn end(&mut self) -> Result<()> {
        let asked = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &self.child.id().to_string()])
            .status()?;
        ensure!(asked.success(), "the {} cannot be asked to end", self.what);
        self.child.wait()?;
        Ok(())
    }

    /// SIGKILL: as when the power goes.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; there is nothing else to be done about it here.
        let _ = self.kill();
    }
}

/// What a stretch of work took, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    /// Of the clock.
    pub wall: f64,
    /// Of the server's processor time.
    pub server: f64,
    /// Of the load's processor time.
    pub load: f64,
    /// Pieces of work that were done.
    pub units: u64,
}

/// Reads clocks at the beginning of a stretch of work.
pub struct Meter<'a> {
    process: &'a Process,
    started: Instant,
    server: Duration,
    load: Duration,
}

impl<'a> Meter<'a> {
    /// The work begins.
    pub fn start(process: &'a Process) -> Result<Self> {
        Ok(Self {
            process,
            started: Instant::now(),
            server: process.cpu()?,
            load: cpu_of("self")?,
        })
    }

    /// It has ended, with so many pieces done.
    pub fn stop(self, units: u64) -> Result<Used> {
        let wall = self.started.elapsed().as_secs_f64();
        let server = (self.process.cpu()? - self.server).as_secs_f64();
        let load = (cpu_of("self")? - self.load).as_secs_f64();
        Ok(Used {
            wall,
            server,
            load,
            units,
        })
    }
}

fn cpu_of(pid: &str) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything; the fields begin after it.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .context("no process name")?
        .1
        .split_whitespace()
        .collect();
    let ticks: u64 = fields.get(11).context("no user time")?.parse::<u64>()?
        + fields.get(12).context("no system time")?.parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 10)) // Linux counts in hundredths here, whatever its own clock
}

/// A folder that exists as long as somebody holds it.
pub struct Folder(PathBuf);

impl Folder {
    /// A new, empty one.
    pub fn new() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "tidepool-bench-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// How long the disk under it takes to make 4 KiB safe, in milliseconds: the middle of 50.
    pub fn sync_time(&self) -> Result<f64> {
        use std::io::Write;
        let mut file = std::fs::File::create(self.0.join("sync"))?;
        let mut times = Vec::new();
        for _ in 0..50 {
            let started = Instant::now();
            file.write_all(&[0; 4096])?;
            file.sync_data()?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        Ok(crate::stats::percentile(&mut times, 50.0))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
