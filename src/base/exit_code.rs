//! The code of a program that has ended.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// As shells have it: 128 and the signal where one ended the program.
pub fn exit_code(status: ExitStatus) -> i32 {
    let signal = || status.signal().map(|signal| 128 + signal);
    status.code().or_else(signal).unwrap_or(1)
}
