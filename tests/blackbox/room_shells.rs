//! Room shells: who opens one, who types in it, and how it ends. What it is kept from is in
//! `escapes.rs`. Where the system of this machine allows no namespaces, every test sees that
//! opening one is refused in words, and nothing else.

mod escapes;

use std::time::Duration;

use serde_json::json;

use crate::one_instance_only;
use crate::support::{Answer, Person, TestServer, Watcher, eventually};

/// A right that is lost is noticed within this time.
const REVOKED_WITHIN: Duration = Duration::from_secs(3);

const SWITCHED_ON: [(&str, &str); 1] = [("TIDEPOOL_ROOM_SHELLS", "true")];

async fn try_open(person: &Person) -> Answer {
    let fields = json!({ "room": person.room("general"), "size": "80x24" });
    person.act("terminals.open-shell", fields).await
}

/// A shell as its host sees it.
struct Shell {
    terminal: String,
    screen: Watcher,
    commands: usize,
}

impl Shell {
    /// Opens a shell. `None` where this machine cannot contain one, which the server says.
    async fn open(person: &Person) -> Option<Self> {
        let opened = try_open(person).await;
        if opened.status == 403 && opened.body.contains("could not be contained") {
            assert!(!can_contain(), "refused: {}", opened.body);
            eprintln!(
                "this machine contains no shell, which was refused: {}",
                opened.body
            );
            return None;
        }
        let terminal = opened.done()["terminal"]
            .as_str()
            .expect("a number")
            .to_owned();
        let screen = Watcher::of(person, &person.room("general"), &terminal).await;
        Some(Self {
            terminal,
            screen,
            commands: 0,
        })
    }

    /// Runs a command, and returns what it wrote.
    async fn run(&mut self, command: &str) -> String {
        self.commands += 1;
        let before = self.screen.output.len();
        // What is typed is on the screen, too, but not with these numbers added.
        let (begin, end) = (self.commands + 1_000, self.commands + 2_000);
        let number = self.commands;
        let typed =
            format!("echo B$((1000+{number})); {{ {command}\r}} 2>&1; echo E$((2000+{number}))\r");
        self.screen.keys(&typed).await;
        let end = format!("E{end}");
        let written = |screen: &Watcher| {
            let output = screen.output.get(before..).unwrap_or_default();
            String::from_utf8_lossy(output).into_owned()
        };
        self.screen
            .until(&format!("the end of {command}"), |screen| {
                written(screen).contains(&end)
            })
            .await;
        let written = written(&self.screen);
        let (_, written) = written.split_once(&format!("B{begin}")).expect("its begin");
        let (written, _) = written.split_once(&end).expect("its end");
        written.replace('\r', "").trim().to_owned()
    }
}

/// Whether bubblewrap makes namespaces for who is no root.
fn can_contain() -> bool {
    let mut command = std::process::Command::new("setpriv");
    command.args([
        "--reuid",
        "65534",
        "--clear-groups",
        "bwrap",
        "--unshare-all",
    ]);
    command.args(["--disable-userns", "--unshare-user", "--ro-bind", "/", "/"]);
    let status = command.args(["--proc", "/proc", "true"]).status();
    status.is_ok_and(|status| status.success())
}

/// How many processes of this machine have a text among their arguments.
fn processes_with(text: &str) -> usize {
    let all = std::fs::read_dir("/proc").expect("processes").flatten();
    let arguments = all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let has_text = |bytes: &Vec<u8>| {
        let words = bytes.split(|byte| *byte == 0);
        words.into_iter().any(|word| word == text.as_bytes())
    };
    arguments.filter(has_text).count()
}

#[tokio::test]
async fn shell_is_opened_typed_in_by_grant_and_ends_with_its_exit() {
    let server = TestServer::with(&SWITCHED_ON).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.room("general");
    let list = format!("/rooms/{room}/terminals");
    assert!(ann.page(&list).await.contains("terminals.open-shell"));
    assert!(!bob.page(&list).await.contains("terminals.open-shell"));
    assert_eq!(try_open(&bob).await.code(), "forbidden");
    let Some(mut shell) = Shell::open(&ann).await else {
        return;
    };
    assert_eq!(
        shell.run("echo $((6*7))pearls; stty size").await,
        "42pearls\n24 80"
    );
    let mut other = Watcher::of(&bob, &room, &shell.terminal).await;
    other.shows("42pearls").await;
    let typist = json!({ "terminal": shell.terminal, "account": bob.id, "role": "typist" });
    ann.act("terminals.set-role", typist).await.done();
    other
        .until("bob may type", |watcher| watcher.state["mayType"] == true)
        .await;
    other.keys("echo $((7*8))oysters\r").await;
    shell.screen.shows("56oysters").await;
    // Job control works: what runs is stopped, and goes on.
    shell.screen.keys("sleep 1000\r").await;
    shell.screen.shows("sleep 1000").await;
    shell.screen.keys("\u{3}").await;
    assert_eq!(
        shell
            .run("sleep 1 & jobs -l | grep -c Running")
            .await
            .lines()
            .last(),
        Some("1")
    );
    shell.screen.keys("exit 3\r").await;
    other
        .until("the exit", |watcher| watcher.screen.exit() == Some(3))
        .await;
    eventually("the list says how it ended", || async {
        bob.page(&list).await.contains("exit 3").then_some(())
    })
    .await;
    let log = format!("/spaces/{}/audit", ann.space);
    eventually("the log has its begin and its end", || async {
        let page = ann.page(&log).await;
        let is_there = page.contains("Opened a shell") && page.contains("Ended: the shell of");
        is_there.then_some(())
    })
    .await;
}

#[tokio::test]
async fn shell_is_refused_unless_switched_on_and_bounded() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let list = format!("/rooms/{}/terminals", ann.room("general"));
    assert!(!ann.page(&list).await.contains("terminals.open-shell"));
    assert_eq!(try_open(&ann).await.code(), "conflict");
    drop(server);

    let server = TestServer::with(&SWITCHED_ON).await;
    let ann = server.owner("ann").await;
    let Some(first) = Shell::open(&ann).await else {
        return;
    };
    try_open(&ann).await.done();
    let full = try_open(&ann).await;
    assert_eq!(full.status, 507, "{}", full.body);
    let end = json!({ "terminal": first.terminal });
    ann.act("terminals.end", end).await.done();
    try_open(&ann).await.done();
}

#[tokio::test]
async fn shell_ends_with_the_right_to_it_and_with_the_server() {
    let mut server = TestServer::with(&SWITCHED_ON).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.room("general");
    let rule = |rule: &str| json!({ "room": room, "subject": "everyone", "terminals.shell": rule });
    ann.act("community.set-room-permissions", rule("allow"))
        .await
        .done();
    let Some(mut shell) = Shell::open(&bob).await else {
        return;
    };
    // It ignores what it is asked, and has begun something in the background.
    let stubborn = format!("3{:06}", std::process::id());
    shell
        .run(&format!(
            "trap '' HUP TERM; setsid sleep {stubborn} & sleep {stubborn} &"
        ))
        .await;
    eventually("both run", || async {
        (processes_with(&stubborn) == 2).then_some(())
    })
    .await;
    ann.act("community.set-room-permissions", rule("deny"))
        .await
        .done();
    assert_eq!(shell.screen.close_code(REVOKED_WITHIN).await, 4403);
    eventually("nothing of it is left", || async {
        (processes_with(&stubborn) == 0).then_some(())
    })
    .await;
    let mut shell = Shell::open(&ann).await.expect("a shell");
    let left = format!("4{:06}", std::process::id());
    shell
        .run(&format!("setsid sleep {left} & sleep {left} &"))
        .await;
    eventually("both run", || async {
        (processes_with(&left) == 2).then_some(())
    })
    .await;
    server.stop().await;
    eventually("nothing of it is left", || async {
        (processes_with(&left) == 0).then_some(())
    })
    .await;
}

/// Opens and ends shells again and again: what the server has open, and has begun, stays the same.
async fn assert_flat(cycles: usize) {
    one_instance_only!("the descriptors of one process are counted");
    let server = TestServer::with(&SWITCHED_ON).await;
    let ann = server.owner("ann").await;
    let pid = server.pid();
    let descriptors = || {
        let open = std::fs::read_dir(format!("/proc/{pid}/fd"));
        open.expect("descriptors").count()
    };
    let children = || {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("threads");
        let children = tasks.flatten().map(|task| {
            let children = std::fs::read_to_string(task.path().join("children"));
            children.unwrap_or_default().split_whitespace().count()
        });
        children.sum::<usize>()
    };
    let memory = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1));
        kib.and_then(|kib| kib.parse::<usize>().ok())
            .expect("memory")
            >> 10
    };
    let mut first = None;
    for cycle in 0..cycles {
        let opened = eventually("another may be opened", || async {
            let opened = try_open(&ann).await;
            (opened.status != 429 && opened.status != 507).then_some(opened)
        })
        .await;
        if opened.status == 403 {
            assert!(!can_contain(), "refused: {}", opened.body);
            return;
        }
        let terminal = opened.done()["terminal"]
            .as_str()
            .expect("a number")
            .to_owned();
        let mut screen = Watcher::of(&ann, &ann.room("general"), &terminal).await;
        screen.keys("exit\r").await;
        screen
            .until("the exit", |screen| screen.screen.exit() == Some(0))
            .await;
        drop(screen);
        if cycle == cycles / 4 {
            first = Some((descriptors(), memory()));
        }
    }
    let (before, memory_before) = first.expect("a first measurement");
    eventually("nothing is left", || async {
        (children() == 0 && descriptors() <= before + 4).then_some(())
    })
    .await;
    let grown = memory().saturating_sub(memory_before);
    eprintln!(
        "{cycles} shells: {before} descriptors then, {} now, {grown} MiB more",
        descriptors()
    );
    assert!(grown < 24, "{grown} MiB more than {memory_before}");
}

#[tokio::test]
async fn shells_that_end_leave_nothing_behind() {
    assert_flat(20).await;
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn thousand_shells_leave_nothing_behind() {
    assert_flat(1_000).await;
}
