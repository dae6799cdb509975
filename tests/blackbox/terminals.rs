//! Shared terminals, as sharers and watchers see them: who gets in, who types, and that nothing is
//! lost on the way.

mod cycles;
mod files;
mod limits;
mod search;
mod status;
mod turns;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::support::{
    Folder, Person, Sharer, TcpProxy, TestServer, WAIT_TIMEOUT, Watcher, eventually, refused_status,
};

/// Rights that are lost are noticed within this time.
const REVOKED_WITHIN: Duration = Duration::from_secs(3);

/// Where `tidepool share` is started and remembers folders.
struct StartedIn(Folder);

impl StartedIn {
    fn new() -> Self {
        let folder = Folder::new();
        std::fs::create_dir_all(folder.path()).expect("it is made");
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// A folder in it.
    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.path().join(name);
        std::fs::create_dir_all(&folder).expect("it is made");
        folder
    }
}

/// `tidepool share` on a terminal of its own, as its user sees it.
struct Program {
    pty: pty_process::Pty,
    child: tokio::process::Child,
    seen: String,
    /// Where it runs, if nobody else has that.
    _folder: Option<StartedIn>,
}

impl Program {
    /// Shares a shell script in the room `general`.
    async fn start(base: &str, person: &Person, script: &str) -> Self {
        let folder = StartedIn::new();
        let mut program = Self::start_in(&folder, (base, person), &[], &[], script).await;
        program._folder = Some(folder);
        program
    }

    /// The same in a folder, with more arguments and variables.
    async fn start_in(
        folder: &StartedIn,
        (base, person): (&str, &Person),
        arguments: &[&str],
        environment: &[(&str, &str)],
        script: &str,
    ) -> Self {
        let (pty, pts) = pty_process::open().expect("a terminal");
        pty.resize(pty_process::Size::new(30, 100)).expect("a size");
        let room = format!("{base}/rooms/{}", person.room("general"));
        let command = pty_process::Command::new(env!("CARGO_BIN_EXE_tidepool"))
            .args(["share", "--room", &room, "--title", "build"])
            .args(arguments)
            .args(["--", "sh", "-c", script])
            .env("TIDEPOOL_TOKEN", person.terminal_token().await)
            .env("XDG_STATE_HOME", folder.path().join("state"))
            .envs(environment.iter().copied())
            .current_dir(folder.path())
            .kill_on_drop(true);
        let child = command.spawn(pts).expect("it starts");
        Self {
            pty,
            child,
            seen: String::new(),
            _folder: None,
        }
    }

    /// Waits until its user has seen a text.
    async fn sees(&mut self, text: &str) {
        while !self.seen.contains(text) {
            self.read_more(text).await;
        }
    }

    /// Adds what comes next to what its user has seen, while a text is waited for.
    async fn read_more(&mut self, awaited: &str) {
        let mut buffer = [0; 4_096];
        let read = timeout(WAIT_TIMEOUT, self.pty.read(&mut buffer)).await;
        let read = read.unwrap_or_else(|_| panic!("no {awaited} in {}", self.seen));
        let len = read.unwrap_or(0);
        assert!(len > 0, "ended without {awaited}: {}", self.seen);
        self.seen += &String::from_utf8_lossy(&buffer[..len]);
    }

    async fn keys(&mut self, text: &str) {
        self.pty.write_all(text.as_bytes()).await.expect("it reads");
    }

    /// The terminal's number, once its user was told the whole address: a line may be written, and
    /// read, in several pieces.
    async fn terminal(&mut self) -> String {
        self.sees("[tidepool] shared at ").await;
        loop {
            let told = self.seen.split_once("/terminals/");
            if let Some((number, _)) = told.and_then(|(_, rest)| rest.split_once('\r')) {
                return number.to_owned();
            }
            self.read_more("an address").await;
        }
    }
}

#[tokio::test]
async fn program_is_shared_until_its_exit_code() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let script = "stty size; echo ready; read line; echo got $line; exit 3";
    let mut program = Program::start(&server.base(), &ann, script).await;
    program.sees("ready").await;
    let (room, terminal) = (ann.room("general"), program.terminal().await);
    let mut watcher = Watcher::of(&bob, &room, &terminal).await;
    watcher.shows("30 100").await;
    assert_eq!(watcher.screen.size().cols, 100);
    program.keys("pearls\r").await;
    watcher.shows("got pearls").await;
    watcher
        .until("the exit", |watcher| watcher.screen.exit() == Some(3))
        .await;
    program.sees("exit 3, no longer shared").await;
    let status = timeout(WAIT_TIMEOUT, program.child.wait()).await;
    let status = status.expect("it ends").expect("a status");
    assert_eq!(status.code(), Some(3));
    let list = format!("/rooms/{room}/terminals");
    eventually("the list says how it ended", || async {
        bob.page(&list).await.contains("exit 3").then_some(())
    })
    .await;
}

#[tokio::test]
async fn room_tells_how_a_long_program_ended() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let script = "echo ready; read line; exit 3";
    let mut program = Program::start(&server.base(), &ann, script).await;
    program.sees("ready").await;
    server.stop().await;
    let earlier = "UPDATE terminals SET started_at = started_at - 130000000";
    server.change_rows(earlier).await;
    server.start_again().await;
    // Its sharer comes back by itself.
    let (room, terminal) = (ann.room("general"), program.terminal().await);
    drop(Watcher::of(&ann, &room, &terminal).await);
    program.keys("\r").await;
    program.sees("exit 3, no longer shared").await;
    let line = eventually("the log tells of it", || async {
        let page = bob.page(&format!("/rooms/{room}")).await;
        page.lines()
            .find(|line| line.contains("shared a terminal"))
            .map(str::to_owned)
    });
    let line = line.await;
    let link = format!("<a href=\"/rooms/{room}/terminals/{terminal}\"><bdi>ann</bdi>");
    assert!(line.contains(&link), "{line}");
    assert!(line.contains("build: 2 m 1"), "{line}");
    assert!(line.contains(" s, exit 3"), "{line}");
}

#[tokio::test]
async fn cut_connection_loses_no_output() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let port = server.address().rsplit(':').next().expect("a port");
    let proxy = TcpProxy::start(port.parse().expect("a number"));
    let base = format!("http://127.0.0.1:{}", proxy.port());
    let script = "count() { i=$1; while [ $i -lt $2 ]; do echo line $i; i=$((i+1)); done; }; \
        read go; count 0 2000; read more; count 2000 4000; exit 0";
    let mut program = Program::start(&base, &ann, script).await;
    let terminal = program.terminal().await;
    let mut watcher = Watcher::of(&ann, &ann.room("general"), &terminal).await;
    program.keys("\r").await;
    program.sees("line 1999").await;
    proxy.cut();
    program.keys("\r").await;
    program.sees("line 3999").await;
    watcher
        .until("the sharer is away", |watcher| {
            watcher.state["away"] == true
        })
        .await;
    proxy.restore();
    watcher
        .until("the exit", |watcher| watcher.screen.exit() == Some(0))
        .await;
    let output = String::from_utf8_lossy(&watcher.output).into_owned();
    let lines = output.lines().filter(|line| line.starts_with("line "));
    let expected: Vec<String> = (0..4_000).map(|number| format!("line {number}")).collect();
    assert!(lines.eq(expected.iter()), "{} bytes", output.len());
    assert_eq!((watcher.snapshots, watcher.screen.lost()), (1, 0));
}

#[tokio::test]
async fn keys_arrive_only_from_who_may_type_now() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.room("general");
    let token = ann.terminal_token().await;
    let sharing = Sharer::begin(&server, &token, Sharer::hello(&room)).await;
    let mut sharer = sharing.expect("it is shared");
    let terminal = sharer.terminal.clone();
    let mut watcher = Watcher::of(&bob, &room, &terminal).await;
    let mut host = Watcher::of(&ann, &room, &terminal).await;
    assert_eq!(watcher.state["role"], "viewer");

    watcher.keys("no").await;
    let role = |role: &str| json!({ "terminal": terminal, "account": bob.id, "role": role });
    assert_eq!(
        bob.act("terminals.set-role", role("typist")).await.code(),
        "forbidden"
    );
    let hand = json!({ "terminal": terminal, "raised": "yes" });
    bob.act("terminals.raise-hand", hand).await.done();
    ann.act("terminals.set-role", role("typist")).await.done();
    let may_type = |watcher: &Watcher| watcher.state["mayType"] == true;
    watcher.until("bob may type", may_type).await;
    watcher.keys("äb").await;
    sharer.expect_input("äb").await;

    let lock = |locked: &str| json!({ "terminal": terminal, "locked": locked });
    ann.act("terminals.lock", lock("yes")).await.done();
    watcher
        .until("it is locked", |watcher| !may_type(watcher))
        .await;
    watcher.keys("no").await;
    host.keys("c").await;
    sharer.expect_input("äbc").await;
    ann.act("terminals.lock", lock("no")).await.done();
    watcher.until("it is open", may_type).await;
    ann.act("terminals.set-role", role("viewer")).await.done();
    watcher
        .until("bob watches", |watcher| !may_type(watcher))
        .await;
    watcher.keys("no").await;
    host.keys("d").await;
    sharer.expect_input("äbcd").await;

    ann.act("terminals.set-role", role("removed")).await.done();
    assert_eq!(watcher.close_code(REVOKED_WITHIN).await, 4403);
    sharer.exit(0).await;
    assert_eq!(sharer.close_code().await, 4410);
    let log = format!("/spaces/{}/audit", ann.space);
    eventually("the log says how much was typed", || async {
        let page = ann.page(&log).await;
        (page.matches("Typed in the terminal").count() == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn watchers_without_rights_are_refused_and_sent_away() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let eve = server.stranger("eve").await;
    let room = ann.room("general");
    let token = ann.terminal_token().await;
    let sharing = Sharer::begin(&server, &token, Sharer::hello(&room)).await;
    let mut sharer = sharing.expect("it is shared");
    let path = format!("/rooms/{room}/terminals/{}/watch", sharer.terminal);
    let status = async |headers: &[(&str, &str)]| refused_status(&server, &path, headers).await;
    assert_eq!(status(&[("accept", "application/json")]).await, 401);
    assert_eq!(status(&[("cookie", &eve.cookies())]).await, 404);
    let cookies = bob.cookies();
    let foreign = [
        ("cookie", cookies.as_str()),
        ("origin", "https://evil.example"),
    ];
    assert_eq!(status(&foreign).await, 403);
    let outside = Sharer::begin(&server, &eve.terminal_token().await, Sharer::hello(&room)).await;
    assert_eq!(outside.err().as_deref(), Some("not_found"));
    let unknown = Sharer::begin(&server, "tpt_unknown", Sharer::hello(&room)).await;
    assert_eq!(unknown.err().as_deref(), Some("401"));

    let mut watcher = Watcher::of(&bob, &room, &sharer.terminal).await;
    sharer.write("secret").await;
    watcher.shows("secret").await;
    let ban = json!({ "space": ann.space, "account": bob.id });
    ann.act("community.remove-member", ban).await.done();
    assert_eq!(watcher.close_code(REVOKED_WITHIN).await, 4403);

    // A token that is revoked ends what is shared with it.
    let page = ann.page("/account/terminals").await;
    assert!(!page.contains(&token), "it is shown once");
    let id = page
        .split("name=\"token\" value=\"")
        .nth(1)
        .expect("a token");
    let id = id.split('"').next().expect("its number");
    ann.form("/act/terminals.revoke-token", &[("token", id)])
        .await
        .expect(303);
    assert_eq!(sharer.close_code().await, 4403);
    let again = Sharer::begin(&server, &token, Sharer::hello(&room)).await;
    assert_eq!(again.err().as_deref(), Some("401"));
}

#[tokio::test]
async fn slow_watcher_gets_the_screen_and_slows_nobody() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.room("general");
    let token = ann.terminal_token().await;
    let sharing = Sharer::begin(&server, &token, Sharer::hello(&room)).await;
    let mut sharer = sharing.expect("it is shared");
    let mut slow = Watcher::of(&bob, &room, &sharer.terminal).await;
    let mut quick = Watcher::of(&ann, &room, &sharer.terminal).await;
    let line = format!("{}\r\n", "x".repeat(1_022));
    let piece = line.repeat(32);
    for _ in 0..96 {
        sharer.write(&piece).await;
        sharer.until_acknowledged().await;
        let written = quick.output.len() + piece.len();
        quick
            .until("all of it", |quick| quick.output.len() >= written)
            .await;
    }
    sharer.write("the end").await;
    quick.shows("the end").await;
    assert_eq!(
        (quick.snapshots, quick.output.len()),
        (1, 96 * piece.len() + 7)
    );
    slow.shows("the end").await;
    assert_eq!(slow.snapshots, 2, "the first and the one that caught up");
    assert!(slow.output.len() < 1 << 20, "{}", slow.output.len());
    assert_eq!(slow.screen.text(), quick.screen.text());
    let text = format!("/rooms/{room}/terminals/{}/text", sharer.terminal);
    assert!(bob.page(&text).await.contains("the end"));
}

#[tokio::test]
async fn recording_has_output_and_goes_with_its_host() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.room("general");
    let token = ann.terminal_token().await;
    let mut hello = Sharer::hello(&room);
    hello["record"] = json!(true);
    let mut sharer = Sharer::begin(&server, &token, hello)
        .await
        .expect("it is shared");
    sharer.write("pearls\r\n").await;
    let page = format!("/rooms/{room}/terminals/{}", sharer.terminal);
    let shown = eventually("it is there", || async {
        let page = bob.get(&page).await;
        (page.status == 200).then_some(page.body)
    })
    .await;
    assert!(shown.contains("Recorded"), "{shown}");
    sharer.exit(0).await;
    assert_eq!(sharer.close_code().await, 4410);
    let recording = format!("{page}/recording");
    let cast = eventually("it is stored", || async {
        let cast = bob.page(&recording).await;
        cast.contains("\"x\",\"0\"").then_some(cast)
    })
    .await;
    assert!(
        cast.starts_with("{\"term\"") && cast.contains("pearls"),
        "{cast}"
    );
    let fields = json!({ "terminal": sharer.terminal });
    let refused = bob.act("terminals.delete-recording", fields.clone()).await;
    assert_eq!(refused.code(), "forbidden");
    ann.act("terminals.delete-recording", fields).await.done();
    eventually("it is gone", || async {
        (bob.get(&recording).await.status == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn host_of_the_server_ends_any_terminal() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = bob.room("general");
    let token = bob.terminal_token().await;
    let sharing = Sharer::begin(&server, &token, Sharer::hello(&room)).await;
    let mut sharer = sharing.expect("it is shared");
    bob.get("/terminals").await.expect(403);
    let shown = eventually("it is listed", || async {
        let page = ann.page("/terminals").await;
        page.contains(&sharer.terminal).then_some(page)
    })
    .await;
    assert!(shown.contains("make"), "{shown}");
    let fields = [("terminal", sharer.terminal.as_str())];
    let form = ann.form("/act/terminals.operate-end", &fields).await;
    form.expect(303);
    assert_eq!(sharer.close_code().await, 4410);
    // It is over for its sharer, too.
    let mut hello = Sharer::hello(&room);
    hello["terminal"] = json!(sharer.terminal);
    let again = Sharer::begin(&server, &token, hello).await;
    assert_eq!(again.err().as_deref(), Some("not_found"));
}
