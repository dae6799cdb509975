//! Ends the processes that a test program started and removes its folders, however the program
//! itself ends: a shell reads from a pipe that only the program holds open, and cleans up when the
//! pipe closes, which SIGKILL does as well.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

/// `$1` is the start of the names of the folders to remove. It waits 5 s for processes to end
/// after their signal, then kills them.
const SCRIPT: &str = r#"
processes=
while read -r verb pid signal; do
  case $verb in
    started) processes="$processes $pid:$signal" ;;
    ended)
      others=
      for entry in $processes; do
        [ "${entry%:*}" = "$pid" ] || others="$others $entry"
      done
      processes=$others ;;
  esac
done
for entry in $processes; do
  kill -s "${entry#*:}" "${entry%:*}"
done
tries=0
for entry in $processes; do
  while kill -0 "${entry%:*}" && [ $tries -lt 100 ]; do
    sleep 0.05
    tries=$((tries + 1))
  done
  kill -s KILL "${entry%:*}"
done
for folder in "$1"*; do
  mountpoint -q "$folder" && umount -l "$folder"
  rm -rf "$folder"
done
"#;

/// Has this process ended with this signal (such as `KILL`) if it outlives the test program.
pub fn register(child: &Child, signal: &str) {
    tell(&format!("started {} {signal}\n", child.id()));
}

/// The process has ended and been waited for, so its number may become another's.
pub fn release(child: &Child) {
    tell(&format!("ended {}\n", child.id()));
}

fn tell(line: &str) {
    static SHELL: OnceLock<Mutex<Child>> = OnceLock::new();
    let shell = SHELL.get_or_init(|| Mutex::new(start()));
    let mut shell = shell.lock().expect("the pipe is whole");
    let pipe = shell.stdin.as_mut().expect("stdin is piped");
    pipe.write_all(line.as_bytes()).expect("the reaper reads");
}

fn start() -> Child {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", SCRIPT, "reaper"])
        .arg(super::folder::prefix());
    // A group of its own: what interrupts the test program from a terminal must not reach it.
    let shell = shell
        .process_group(0)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    shell.spawn().expect("sh runs")
}
