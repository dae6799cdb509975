//! Whether the containment holds here and now: a command that is contained as shells are tries what
//! they must not be able to.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::contained::{
    MAX_HOME_BYTES, MAX_PROCESS_BYTES, MAX_PROCESSES, MAX_TMP_BYTES, launcher, missing_program,
    path,
};
use super::slots::PROBE_UID;
use crate::base::error::Error;

/// A probe that takes longer has failed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(20);

/// What containment needs and could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Bubblewrap 0.8 or later.
    Bubblewrap,
    /// `sh`, `nice`, `prlimit`, or for root `setpriv`.
    Programs,
    /// The kernel, or what the server itself runs in, allows no new namespaces.
    Namespaces,
    /// A network is reachable.
    NoNetwork,
    /// Something of the server's files can be seen or written.
    OwnRoot,
    /// Capabilities are left, or can be gained.
    NoPrivileges,
    /// A descriptor of the server is open.
    Descriptors,
    /// The home folder has no bound.
    Quota,
    /// Memory of a process has no bound.
    MemoryBound,
    /// The number of processes has no bound.
    ProcessBound,
}

impl Missing {
    /// The sentence that says so.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Bubblewrap => "error-shell-bubblewrap",
            Self::Programs => "error-shell-programs",
            Self::Namespaces => "error-shell-namespaces",
            Self::NoNetwork => "error-shell-network",
            Self::OwnRoot => "error-shell-root",
            Self::NoPrivileges => "error-shell-privileges",
            Self::Descriptors => "error-shell-descriptors",
            Self::Quota => "error-shell-quota",
            Self::MemoryBound => "error-shell-memory",
            Self::ProcessBound => "error-shell-processes",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "network" => Self::NoNetwork,
            "root" => Self::OwnRoot,
            "privileges" => Self::NoPrivileges,
            "descriptors" => Self::Descriptors,
            "quota" => Self::Quota,
            "memory" => Self::MemoryBound,
            "processes" => Self::ProcessBound,
            "contained" => return None,
            _ => Self::Namespaces,
        })
    }
}

impl From<Missing> for Error {
    fn from(missing: Missing) -> Self {
        Self::Forbidden(missing.key())
    }
}

/// Says `contained`, or in a word what does not hold. `$1`: the server's data folder.
const SCRIPT: &str = r#"
fail() { echo "$1"; exit 0; }
data=$1
set -- /proc/[0-9]*
[ $# -lt 9 ] || fail namespaces
while read -r name value _; do
  case $name in
    Cap*:) [ "$value" = 0000000000000000 ] || fail privileges ;;
    NoNewPrivs:) [ "$value" = 1 ] || fail privileges ;;
    Uid:) [ "$value" != 0 ] || fail privileges ;;
  esac
done < /proc/self/status
while read -r name _; do
  case $name in lo:*) ;; *:*) fail network ;; esac
done < /proc/net/dev
for folder in / /usr /etc /dev /dev/shm /proc /bin; do
  if touch "$folder/.tidepool-probe" 2>/dev/null; then fail root; fi
done
if [ -e "$data" ] || [ -e /etc/shadow ] || [ -e /root ] || [ -e /run ]; then fail root; fi
[ "$(ls /proc/self/fd | wc -l)" -le 4 ] || fail descriptors
set -- $(stat -f -c '%b %S' "$HOME") $(stat -f -c '%b %S' /tmp)
[ $(($1 * $2)) -le HOME_BYTES ] || fail quota
[ $(($3 * $4)) -le TMP_BYTES ] || fail quota
if dd if=/dev/zero of=/dev/null bs=MEMORY_BYTES count=1 2>/dev/null; then fail memory; fi
if (i=0; while [ $i -le PROCESSES ]; do sleep 5 & i=$((i + 1)); done) 2>/dev/null
then fail processes; fi
echo contained
"#;

fn script() -> String {
    let numbers = [
        ("HOME_BYTES", MAX_HOME_BYTES),
        ("TMP_BYTES", MAX_TMP_BYTES),
        ("MEMORY_BYTES", MAX_PROCESS_BYTES),
        ("PROCESSES", MAX_PROCESSES),
    ];
    let replaced =
        |script: String, (name, number): &(&str, u64)| script.replace(name, &number.to_string());
    numbers.iter().fold(SCRIPT.to_owned(), replaced)
}

/// Checks that containment holds.
///
/// # Errors
/// What it lacks.
pub(super) async fn probe(data: &Path) -> Result<(), Missing> {
    match missing_program() {
        None => {}
        Some("bwrap") => return Err(Missing::Bubblewrap),
        Some(_) => return Err(Missing::Programs),
    }
    let (program, arguments) = launcher(PROBE_UID, 0);
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args(["/bin/sh", "-c", &script(), "sh"])
        .arg(data)
        .env_clear()
        .env("PATH", path())
        .current_dir("/")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let Ok(Ok(output)) = timeout(PROBE_TIMEOUT, command.output()).await else {
        return Err(Missing::Namespaces);
    };
    let (word, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let missing = match word.trim() {
        "" if errors.contains("nknown option") => Some(Missing::Bubblewrap),
        word => Missing::from_word(word),
    };
    match missing {
        None => Ok(()),
        Some(missing) => {
            tracing::warn!(
                ?missing,
                said = errors.trim(),
                "a shell would not be contained"
            );
            Err(missing)
        }
    }
}
