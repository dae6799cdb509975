//! Uploads: how fast one is beside a bare copy to the disk, and what ten large ones at once take in
//! memory.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http::{Http, request};
use crate::options::Options;
use crate::process::{Folder, Meter};
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};

const MIB: u64 = 1 << 20;
const AT_ONCE: usize = 10;

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let folder = Folder::new()?;
    let mut server = Server::tidepool(&folder).await?;
    let site = Site::set_up(&server, 1).await?;
    let frame = folder.path().join("frame");
    std::fs::write(&frame, "\"id\":\"1\"")?;
    let mut bare = Server::baseline(&folder, &frame).await?;
    let size = options.by(8, 256) as u64 * MIB;
    let [mut ours, mut copied] = [const {
        Side {
            figures: Vec::new(),
            used: Vec::new(),
        }
    }; 2];
    for _ in 0..options.rounds() {
        let path = begin(&server, &site, size).await?;
        let meter = Meter::start(&server.process)?;
        let took = send(
            server.address,
            &patch(&path, &site.people[0].cookie, size),
            size,
            204,
        )
        .await?;
        ours.turn(
            size as f64 / MIB as f64 / took.as_secs_f64(),
            Some(meter.stop(size / MIB)?),
        );
        let meter = Meter::start(&bare.process)?;
        let head =
            format!("POST /copy HTTP/1.1\r\nhost: localhost\r\ncontent-length: {size}\r\n\r\n");
        let took = send(bare.address, &head, size, 200).await?;
        copied.turn(
            size as f64 / MIB as f64 / took.as_secs_f64(),
            Some(meter.stop(size / MIB)?),
        );
    }
    bare.process.check()?;
    let what = format!("upload of {} MiB, MiB", size / MIB);
    report.line(Line {
        what,
        unit: Unit::PerSecond,
        ours,
        baseline: copied,
        mark: Some(Mark::RatioAtLeast(0.7)),
    });

    let size = options.by(16, 1024) as u64 * MIB;
    let idle = server.process.resident()?;
    let mut paths = Vec::new();
    for _ in 0..AT_ONCE {
        paths.push(begin(&server, &site, size).await?);
    }
    let sending = paths.iter().map(|path| {
        let (address, head) = (server.address, patch(path, &site.people[0].cookie, size));
        async move { tokio::spawn(async move { send(address, &head, size, 204).await }).await? }
    });
    let (done, peak) = (AtomicBool::new(false), AtomicU64::new(0));
    let watching = async {
        while !done.load(Ordering::Relaxed) {
            peak.fetch_max(server.process.resident()? as u64, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok::<_, anyhow::Error>(())
    };
    let all = async {
        let all = futures_util::future::try_join_all(sending).await;
        done.store(true, Ordering::Relaxed);
        all
    };
    let started = Instant::now();
    let (all, watched) = tokio::join!(all, watching);
    all?;
    watched?;
    let took = started.elapsed().as_secs_f64();
    server.process.check()?;
    let above = Side::of([(peak.load(Ordering::Relaxed) as f64 - idle).max(0.0)]);
    let what = format!(
        "memory above idle during {AT_ONCE} uploads of {} MiB at once, at most",
        size / MIB
    );
    report.line(Line {
        what,
        unit: Unit::Kib,
        ours: above,
        baseline: Side::default(),
        mark: Some(Mark::AtMost(64.0 * 1024.0)),
    });
    report.note(format!(
        "uploads: both sides write to the same disk and sync before they answer; ours also hashes \
            and stores by digest. The ten took {took:.0} s, {:.0} MiB/s",
        (AT_ONCE as u64 * size / MIB) as f64 / took
    ));
    Ok(())
}

async fn begin(server: &Server, site: &Site, size: u64) -> Result<String> {
    let mut http = Http::connect(server.address).await?;
    let pair = |key: &str, value: &str| format!("{key} {}", STANDARD.encode(value));
    let metadata = [
        pair("filename", "noise.bin"),
        pair("kind", "chat.attachment"),
        pair("place", &site.room),
    ]
    .join(",");
    let length = size.to_string();
    let headers = [
        ("cookie", site.people[0].cookie.as_str()),
        ("tus-resumable", "1.0.0"),
        ("upload-length", &length),
        ("upload-metadata", &metadata),
    ];
    let answer = http
        .send(&request("POST", "/uploads", &headers, ""))
        .await?;
    ensure!(
        answer.status == 201,
        "an upload was answered {}",
        answer.status
    );
    Ok(answer.header("location").context("no location")?.to_owned())
}

fn patch(path: &str, cookie: &str, size: u64) -> String {
    format!(
        "PATCH {path} HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\ntus-resumable: 1.0.0\r\n\
            upload-offset: 0\r\n\
         content-type: application/offset+octet-stream\r\ncontent-length: {size}\r\n\r\n"
    )
}

/// Sends a head and so many bytes that were never sent before. Until the answer came.
async fn send(address: SocketAddr, head: &str, size: u64, status: u16) -> Result<Duration> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut state = NEXT
        .fetch_add(1, Ordering::Relaxed)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut piece = vec![0_u8; MIB as usize];
    for word in piece.chunks_exact_mut(8) {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        word.copy_from_slice(&state.to_le_bytes());
    }
    let mut stream = TcpStream::connect(address).await?;
    let started = Instant::now();
    stream.write_all(head.as_bytes()).await?;
    for _ in 0..size / MIB {
        stream.write_all(&piece).await?;
    }
    let mut answer = vec![0; 64];
    let read = stream.read(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer[..read]).into_owned();
    ensure!(
        text.starts_with(&format!("HTTP/1.1 {status} ")),
        "answered {text}"
    );
    Ok(started.elapsed())
}
