//! The rows of the report, one file each.

mod arrivals;
mod busy;
mod compressed;
mod echo;
mod fanout;
mod growth;
mod instances;
mod jobs;
mod lighthouse;
mod memory;
mod notices;
mod overload;
mod pages;
pub mod posts;
mod rooms;
mod search;
mod soak;
mod stalled;
mod storm;
mod uploads;
mod visit;
mod voice;

use std::path::PathBuf;

use anyhow::Result;

use crate::http::Http;
use crate::load::Posts;
use crate::options::{Options, Row};
use crate::process::Folder;
use crate::report::Report;
use crate::server::{Server, Site};
use crate::socket_pool::SocketPool;

/// Measures one row.
pub async fn measure(row: Row, options: &Options, report: &mut Report) -> Result<()> {
    match row {
        Row::Echo => echo::measure(options, report).await,
        Row::Fanout => fanout::measure(options, report).await,
        Row::Memory => memory::measure(options, report).await,
        Row::Pages => pages::measure(options, report).await,
        Row::Posts => posts::measure(options, report).await,
        Row::Instances => instances::measure(options, report).await,
        Row::Growth => growth::measure(options, report).await,
        Row::Compressed => compressed::measure(options, report).await,
        Row::Visit => visit::measure(options, report).await,
        Row::Busy => busy::measure(options, report).await,
        Row::Rooms => rooms::measure(options, report).await,
        Row::Search => search::measure(options, report).await,
        Row::Notices => notices::measure(options, report).await,
        Row::Stalled => stalled::measure(options, report).await,
        Row::Overload => overload::measure(options, report).await,
        Row::Arrivals => arrivals::measure(options, report).await,
        Row::Storm => storm::measure(options, report).await,
        Row::Jobs => jobs::measure(options, report).await,
        Row::Uploads => uploads::measure(options, report).await,
        Row::Lighthouse => lighthouse::measure(options, report).await,
        Row::Voice => voice::measure(options, report).await,
        Row::Soak => soak::measure(options, report).await,
    }
}

const FRAMES: u64 = 8; // one request tells of, so that what is measured is telling and not asking

/// A server with people in a room, and the baseline that tells the same frames.
struct Comparison {
    server: Server,
    site: Site,
    /// Where sockets follow the room.
    path: String,
    /// What makes frames.
    posts: Posts,
    baseline: Server,
    /// Bytes of a frame, without the two or four of its header.
    frame: usize,
    /// Last, so that it outlives the servers that write to it.
    _folder: Folder,
}

impl Comparison {
    async fn start(options: &Options, people: usize) -> Result<Self> {
        let folder = Folder::new()?;
        let server = Server::tidepool(&folder).await?;
        let site = Site::set_up(&server, people).await?;
        let path = format!(
            "{}?feed=room/{}",
            if options.html { "/live" } else { "/live/data" },
            site.room
        );
        let posts = Posts::to(&server, &site, "");
        Self::of(folder, server, site, path, posts).await
    }

    /// The same with frames that nothing stores.
    async fn with_synthetic_feed(people: usize) -> Result<Self> {
        let folder = Folder::new()?;
        let server = Server::with_synthetic_feed(&folder).await?;
        let site = Site::set_up(&server, people).await?;
        let posts = Posts {
            action: "bench.send-frames",
            frames: FRAMES,
            ..Posts::to(&server, &site, "")
        };
        Self::of(
            folder,
            server,
            site,
            "/live/data?feed=bench/1".to_owned(),
            posts,
        )
        .await
    }

    async fn of(
        folder: Folder,
        server: Server,
        site: Site,
        path: String,
        posts: Posts,
    ) -> Result<Self> {
        let pool = SocketPool::connect(server.address, &path, &site.cookies(), 1).await?;
        let mut http = Http::connect(server.address).await?;
        // The second continues the first, as all that follow do.
        for frames in 1..=2 {
            pool.await_frames(frames);
            posts.one(&mut http).await?;
            pool.reached().await?;
        }
        let sample = pool.sample()?;
        let file: PathBuf = folder.path().join("frame");
        std::fs::write(&file, &sample)?;
        let baseline = Server::baseline(&folder, &file).await?;
        Ok(Self {
            server,
            site,
            path,
            posts,
            baseline,
            frame: sample.len(),
            _folder: folder,
        })
    }

    fn check(&mut self) -> Result<()> {
        self.server.process.check()?;
        self.baseline.process.check()
    }
}

impl Posts {
    /// Posts in a server's first room, by all its people.
    fn to(server: &Server, site: &Site, text: &'static str) -> Self {
        Self {
            address: server.address,
            action: "chat.post",
            room: site.room.clone(),
            cookies: site.cookies(),
            text,
            frames: 1,
        }
    }

    /// The same at another server.
    fn at(&self, server: &Server) -> Self {
        Self {
            address: server.address,
            ..self.clone()
        }
    }
}
