//! What contains a shell: the arguments of bubblewrap, and the bounds that its processes get.
//! docs/terminals.md says what each is for; `probe.rs` checks that they hold.

use std::path::Path;

use rustix::process::geteuid;

/// Processes and threads of one shell. The kernel counts them for its user namespace, which no
/// process of the server is in (`RLIMIT_NPROC`, Linux 5.14 or later).
pub(super) const MAX_PROCESSES: u64 = 64;
/// Memory of one process: its address space (`RLIMIT_AS`).
pub(super) const MAX_PROCESS_BYTES: u64 = 1 << 30;
/// One file (`RLIMIT_FSIZE`), which also bounds what is in memory only.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Descriptors of one process.
const MAX_DESCRIPTORS: u64 = 256;
/// Everything in the home folder, which is in memory and lives as long as the shell.
pub(super) const MAX_HOME_BYTES: u64 = 64 << 20;
/// Everything in `/tmp`.
pub(super) const MAX_TMP_BYTES: u64 = 16 << 20;

/// The user and group of a shell as it sees them itself.
const UID: &str = "1000";
pub(super) const HOME: &str = "/home/shell";

/// Closes what the server was started with itself, which only bash can for numbers above nine. Has
/// the kernel end these processes first when memory is short. Gives bubblewrap two small files as
/// descriptors, which it closes.
const LAUNCH: &str = "for fd in /proc/self/fd/*; do fd=${fd##*/}
  [ \"$fd\" -le 2 ] || { [ \"$fd\" -gt 9 ] && [ -z \"$BASH_VERSION\" ]; } || eval \"exec $fd>&-\"
done
echo 1000 2>/dev/null >/proc/self/oom_score_adj
exec 3<<'PASSWD' 4<<'GROUP'
shell:x:1000:1000:shell:/home/shell:/bin/sh
PASSWD
shell:x:1000:
GROUP
exec \"$@\"";

/// What of `/etc` programs need. Nothing of it is secret on any system.
const SHOWN_OF_ETC: [&str; 15] = [
    "alternatives",
    "bash.bashrc",
    "inputrc",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "mime.types",
    "nanorc",
    "nsswitch.conf",
    "protocols",
    "services",
    "terminfo",
    "vim",
];

/// Folders of programs beside `/usr`, which on most systems are links into it.
const FOLDERS: [&str; 6] = ["bin", "lib", "lib32", "lib64", "libx32", "sbin"];

/// The program that launches what is contained, and its arguments before the command's own.
/// `uid`: whom a server that runs as root runs it as. `niceness`: how much of the processor others
/// get first.
pub(super) fn launcher(uid: u32, niceness: u8) -> (&'static str, Vec<String>) {
    let mut args: Vec<String> = ["-c", LAUNCH, "sh"].map(str::to_owned).to_vec();
    let mut push = |words: &[&str]| args.extend(words.iter().map(|word| (*word).to_owned()));
    if geteuid().is_root() {
        // The kernel bounds no processes of root.
        let uid = uid.to_string();
        push(&["setpriv", "--reuid", &uid, "--regid", &uid]);
        push(&["--clear-groups", "--no-new-privs"]);
    }
    push(&["nice", "-n", &niceness.to_string(), "bwrap"]);
    push(&["--unshare-all", "--unshare-user", "--disable-userns"]);
    push(&["--die-with-parent", "--cap-drop", "ALL"]);
    push(&["--uid", UID, "--gid", UID, "--hostname", "room"]);
    push(&[
        "--clearenv",
        "--setenv",
        "PATH",
        "/usr/local/bin:/usr/bin:/bin",
    ]);
    for (name, value) in [
        ("HOME", HOME),
        ("USER", "shell"),
        ("SHELL", shell()),
        ("TERM", "xterm-256color"),
        ("COLORTERM", "truecolor"),
        ("LANG", "C.UTF-8"),
    ] {
        push(&["--setenv", name, value]);
    }
    push(&["--ro-bind", "/usr", "/usr"]);
    for folder in FOLDERS {
        let path = format!("/{folder}");
        match std::fs::read_link(&path) {
            Ok(target) => push(&["--symlink", &target.to_string_lossy(), &path]),
            Err(_) if Path::new(&path).is_dir() => push(&["--ro-bind", &path, &path]),
            Err(_) => {}
        }
    }
    for name in SHOWN_OF_ETC {
        let path = format!("/etc/{name}");
        push(&["--ro-bind-try", &path, &path]);
    }
    push(&["--perms", "0644", "--ro-bind-data", "3", "/etc/passwd"]);
    push(&["--perms", "0644", "--ro-bind-data", "4", "/etc/group"]);
    push(&["--proc", "/proc", "--dev", "/dev"]);
    let (home, tmp) = (MAX_HOME_BYTES.to_string(), MAX_TMP_BYTES.to_string());
    push(&["--perms", "0700", "--size", &home, "--tmpfs", HOME]);
    push(&["--perms", "1777", "--size", &tmp, "--tmpfs", "/tmp"]);
    // Both are in memory, and would take all of it.
    push(&["--remount-ro", "/dev", "--remount-ro", "/"]);
    push(&["--chdir", HOME, "--", "prlimit", "--core=0:0"]);
    for (name, max) in [
        ("nproc", MAX_PROCESSES),
        ("as", MAX_PROCESS_BYTES),
        ("fsize", MAX_FILE_BYTES),
        ("nofile", MAX_DESCRIPTORS),
        ("memlock", 64 << 10),
        ("msgqueue", 64 << 10),
        ("sigpending", 256),
    ] {
        args.push(format!("--{name}={max}:{max}"));
    }
    args.push("--".to_owned());
    (shell(), args)
}

/// The program that people type to, and that launches the rest.
pub(super) fn shell() -> &'static str {
    match Path::new("/bin/bash").exists() {
        true => "/bin/bash",
        false => "/bin/sh",
    }
}

/// Where the launcher finds its programs, and nothing else of the server's environment.
pub(super) fn path() -> String {
    std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned())
}

/// The first program that is needed and not found.
pub(super) fn missing_program() -> Option<&'static str> {
    let mut needed = vec!["bwrap", "sh", "nice", "prlimit"];
    if geteuid().is_root() {
        needed.push("setpriv");
    }
    let path = path();
    let is_found = |name: &str| {
        let mut folders = std::env::split_paths(&path);
        folders.any(|folder| folder.join(name).is_file())
    };
    needed.into_iter().find(|name| !is_found(name))
}
