//! What somebody who types in a shell tries to get out of it, or to take more than their part.

use std::time::{Duration, Instant};

use super::{SWITCHED_ON, Shell, processes_with};
use crate::support::{TestServer, eventually};

#[tokio::test]
async fn files_network_and_processes_of_the_server_are_out_of_reach() {
    let server = TestServer::with(&SWITCHED_ON).await;
    let ann = server.owner("ann").await;
    let Some(mut shell) = Shell::open(&ann).await else {
        return;
    };
    // Paths, links and other ways to files outside.
    let data = server.data().display().to_string();
    let seen = shell
        .run(&format!(
            "ls -d {data} /root /run /var /sys /etc/shadow /work /proc/1/root{data}"
        ))
        .await;
    let is_refused =
        |line: &str| line.contains("No such file") || line.contains("Permission denied");
    assert!(
        seen.lines().count() == 8 && seen.lines().all(is_refused),
        "{seen}"
    );
    let seen = shell
        .run(&format!(
            "ln -s {data} out && ls out/; ln -s /etc/shadow s; cat s /proc/1/cwd/{data}"
        ))
        .await;
    assert!(
        seen.lines().count() == 3 && seen.lines().all(is_refused),
        "{seen}"
    );
    let written = shell
        .run("touch /x /usr/x /etc/x /dev/x /dev/shm/x /proc/x /bin/x && echo written")
        .await;
    assert_eq!(written.matches("touch: ").count(), 7, "{written}");
    // Only its own processes, in its own numbers.
    let pid = server.pid();
    let seen = shell.run("ls -d /proc/[0-9]* | wc -l").await;
    assert!(seen.parse::<u32>().expect("a number") < 8, "{seen}");
    let outside = shell
        .run(&format!(
            "kill -9 {pid}; kill -9 -1; cat /proc/{pid}/mem; prlimit --pid {pid}"
        ))
        .await;
    assert!(!outside.contains("RESOURCE"), "{outside}");
    let traced = "import ctypes; c = ctypes.CDLL(None, use_errno=True); \
        print(c.ptrace(16, PID, 0, 0), ctypes.get_errno())";
    let traced = traced.replace("PID", &pid.to_string());
    let traced = shell.run(&format!("python3 -c '{traced}'")).await;
    assert_eq!(traced, "-1 3", "there is no such process");
    // No network, and no loopback of the machine.
    let port = server
        .address()
        .rsplit(':')
        .next()
        .expect("a port")
        .to_owned();
    let reached = shell
        .run(&format!(
            "(exec 5<>/dev/tcp/127.0.0.1/{port}) && echo reached; cat /proc/net/dev | wc -l"
        ))
        .await;
    assert!(
        !reached.contains("reached") && reached.ends_with('3'),
        "{reached}"
    );
    // No more rights, and no descriptors or variables of the server.
    let rights = shell
        .run(
            "sudo -n true && echo gained; su -c id </dev/null && echo gained; \
            unshare -r true && echo gained; mount -t tmpfs x /tmp && echo gained; \
            grep -c ^Cap.*0000000000000000 /proc/self/status; id -u",
        )
        .await;
    assert!(
        !rights.contains("gained") && rights.ends_with("5\n1000"),
        "{rights}"
    );
    assert_eq!(shell.run("ls -m /proc/self/fd").await, "0, 1, 2, 3");
    assert!(
        !shell
            .run("env; cat /proc/1/environ")
            .await
            .contains("TIDEPOOL")
    );
    assert_eq!(
        ann.get(&format!("/rooms/{}", ann.room("general")))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn bombs_fill_no_disk_and_slow_nobody() {
    let server = TestServer::with(&SWITCHED_ON).await;
    let ann = server.owner("ann").await;
    let Some(mut shell) = Shell::open(&ann).await else {
        return;
    };
    let mut other = Shell::open(&ann).await.expect("another shell");
    // One file is bounded, all files are, and so is memory.
    shell
        .run(
            "for i in 1 2 3 4; do (dd if=/dev/zero of=f$i bs=1M count=100; \
            dd if=/dev/zero of=/tmp/f$i bs=1M count=100); done",
        )
        .await;
    let kib = shell.run("du -sk ~ /tmp | cut -f1").await;
    let kib: Vec<u64> = kib
        .lines()
        .map(|line| line.trim().parse().expect("KiB"))
        .collect();
    assert!(kib[0] <= 64 << 10 && kib[1] <= 16 << 10, "{kib:?}");
    let taken = shell
        .run("dd if=/dev/zero of=/dev/null bs=2G count=1 && echo taken")
        .await;
    assert!(!taken.contains("taken"), "{taken}");
    // A fork bomb: the shell is full, and everybody else goes on.
    let marker = format!("5{:06}", std::process::id());
    let bomb = format!("b() {{ sleep {marker} & b | b & }}; b 2>/dev/null; b 2>/dev/null\r");
    shell.screen.keys(&bomb).await;
    eventually("it is full", || async {
        (processes_with(&marker) >= 8).then_some(())
    })
    .await;
    assert!(processes_with(&marker) <= 64);
    let begun = Instant::now();
    assert_eq!(
        ann.get(&format!("/rooms/{}", ann.room("general")))
            .await
            .status,
        200
    );
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        other.run("echo $((2*21)); (true) && echo forked").await,
        "42\nforked"
    );
    let end = serde_json::json!({ "terminal": shell.terminal });
    ann.act("terminals.end", end).await.done();
    eventually("nothing of it is left", || async {
        (processes_with(&marker) == 0).then_some(())
    })
    .await;
}
