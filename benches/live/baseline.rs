//! The baselines: what the machine and the libraries can do with nothing in between. Child
//! processes, so that they share the cores with the load as the real server does.

use std::io::Read;
use std::net::TcpListener as BlockingListener;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

use crate::load::threads;
use crate::socket::{ACCEPT, message_id, text_frame};

const AT_ONCE: usize = 64; // frames of one write, and rows of one commit: as the server
// After which a bare loop looks for sockets that were closed.
const IDLE: Duration = Duration::from_millis(500);
const SUBSCRIBED: &str = "{\"type\":\"subscribed\"}";

enum Order {
    Add(std::net::TcpStream),
    Write(Arc<[u8]>),
}

struct Bare {
    body: Bytes,
    encoding: &'static str,
    /// The frame to tell, with the place of its number.
    frame: String,
    number: std::ops::Range<usize>,
    told: Mutex<u64>,
    echo: broadcast::Sender<Utf8Bytes>,
    loops: Vec<mpsc::Sender<Order>>,
}

/// Serves the contents of `file` as a page and tells it as a frame, until it is killed.
#[tokio::main]
pub async fn serve(file: Option<&Path>) -> Result<()> {
    let file = file.context("what to serve?")?;
    let body: Bytes = std::fs::read(file)?.into();
    let encoding = if file.extension().is_some_and(|extension| extension == "br") {
        "br"
    } else {
        "gzip"
    };
    let frame = String::from_utf8(body.to_vec()).unwrap_or_default();
    let number = message_id(frame.as_bytes()).unwrap_or_default();
    let loops = (0..threads()).map(|_| write_loop()).collect::<Vec<_>>();
    let sockets = BlockingListener::bind("127.0.0.1:0")?;
    let raw = sockets.local_addr()?;
    let bare = Arc::new(Bare {
        body,
        encoding,
        frame,
        number,
        told: Mutex::default(),
        echo: broadcast::Sender::new(1024),
        loops,
    });
    let accepting = bare.clone();
    std::thread::spawn(move || accept(&sockets, &accepting.loops));
    let router = Router::new()
        .route("/health/live", get(|| async { "ok\n" }))
        .route("/page", get(page))
        .route(
            "/unchanged",
            get(|| async {
                (
                    StatusCode::NOT_MODIFIED,
                    [(header::ETAG, "W/\"0123456789abcdef\"")],
                )
            }),
        )
        .route("/act/{action}", post(tell))
        .route("/copy", post(copy))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .route("/live", get(upgrade))
        .route("/live/data", get(upgrade))
        .with_state(bare);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{} {raw}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // Only a delay if it fails.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await.context("serving")
}

async fn page(State(bare): State<Arc<Bare>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_ENCODING, bare.encoding),
    ];
    (headers, bare.body.clone()).into_response()
}

async fn tell(State(bare): State<Arc<Bare>>, body: Bytes) -> Response {
    let frames = serde_json::from_slice::<serde_json::Value>(&body)
        .ok()
        .and_then(|fields| fields["frames"].as_u64())
        .unwrap_or(1);
    let mut told = bare.told.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..frames {
        *told += 1;
        let number = format!("{:0width$}", *told, width = bare.number.len());
        let text = [
            &bare.frame[..bare.number.start],
            &number,
            &bare.frame[bare.number.end..],
        ]
        .concat();
        let frame: Arc<[u8]> = text_frame(text.as_bytes()).into();
        for one in &bare.loops {
            // A loop lives as long as the process.
            let _ = one.send(Order::Write(frame.clone()));
        }
        // Nobody listening is fine.
        let _ = bare.echo.send(text.into());
    }
    let number = format!("{:0width$}", *told, width = bare.number.len());
    (
        [(header::CONTENT_TYPE, "application/json")],
        format!("{{\"message\":{{\"id\":\"{number}\"}}}}"),
    )
        .into_response()
}

/// Copies what comes to a file, which is on the disk when it answers.
async fn copy(body: axum::body::Body) -> Result<&'static str, StatusCode> {
    use futures_util::StreamExt;
    use tokio::io::AsyncWriteExt;
    let path = std::env::current_exe()
        .unwrap_or_default()
        .with_file_name(format!("copy-{}", std::process::id()));
    let copied = async {
        let mut file =
            tokio::io::BufWriter::with_capacity(512 << 10, tokio::fs::File::create(&path).await?);
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            file.write_all(&piece.map_err(std::io::Error::other)?)
                .await?;
        }
        file.flush().await?;
        file.get_ref().sync_all().await
    };
    let copied = copied.await;
    let _ = std::fs::remove_file(&path);
    copied
        .map(|()| "copied")
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn upgrade(State(bare): State<Arc<Bare>>, upgrade: WebSocketUpgrade) -> Response {
    // Buffers as small as the server's, or a socket's memory would be the library's own 128 KiB.
    upgrade
        .read_buffer_size(4 << 10)
        .write_buffer_size(4 << 10)
        .on_upgrade(move |socket| echo(socket, bare))
}

async fn echo(mut socket: WebSocket, bare: Arc<Bare>) {
    let mut told = bare.echo.subscribe();
    if socket.send(Message::text(SUBSCRIBED)).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            text = told.recv() => {
                let Ok(text) = text else { return };
                if socket.send(Message::Text(text)).await.is_err() {
                    return;
                }
            }
            heard = socket.recv() => if !matches!(heard, Some(Ok(_))) { return },
        }
    }
}

/// Takes sockets for the bare loops, by turns.
fn accept(listener: &BlockingListener, loops: &[mpsc::Sender<Order>]) {
    for (stream, one) in listener.incoming().zip(loops.iter().cycle()) {
        if let Ok(mut stream) = stream
            && stream.set_nodelay(true).is_ok()
            // One read is the whole request: it is short and comes in one piece.
            && stream.read(&mut [0; 4096]).is_ok()
        {
            let _ = one.send(Order::Add(stream));
        }
    }
}

/// A bare loop: takes the frames that wait, at most [`AT_ONCE`], and writes them to one socket
/// after the other.
fn write_loop() -> mpsc::Sender<Order> {
    use std::io::Write;
    let (orders, waiting) = mpsc::channel();
    std::thread::spawn(move || {
        let mut sockets: Vec<std::net::TcpStream> = Vec::new();
        let mut bytes = Vec::new();
        loop {
            let first = match waiting.recv_timeout(IDLE) {
                Ok(first) => first,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    sockets.retain(is_open);
                    continue;
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            };
            bytes.clear();
            let mut added = None;
            for order in std::iter::once(first)
                .chain(waiting.try_iter())
                .take(AT_ONCE)
            {
                match order {
                    Order::Write(frame) => bytes.extend_from_slice(&frame),
                    Order::Add(socket) => {
                        added = Some(socket);
                        break;
                    }
                }
            }
            if !bytes.is_empty() {
                sockets.retain_mut(|socket| socket.write_all(&bytes).is_ok());
            }
            if let Some(mut socket) = added {
                let hello = [
                    format!(
                        "HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: {ACCEPT}\r\n\r\n"
                    )
                    .into_bytes(),
                    text_frame(SUBSCRIBED.as_bytes()),
                ]
                .concat();
                if socket.write_all(&hello).is_ok() {
                    sockets.push(socket);
                }
            }
        }
    });
    orders
}

/// Whether the other end has not closed it. Asked while nothing else is to be done: the next pool
/// needs the places of the last.
fn is_open(socket: &std::net::TcpStream) -> bool {
    let peeked = socket
        .set_nonblocking(true)
        .and_then(|()| socket.peek(&mut [0; 1]));
    socket.set_nonblocking(false).is_ok()
        && matches!(peeked, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Inserts this many messages into a database at `path`, [`AT_ONCE`] in a commit, each commit made
/// safe. Prints the seconds it took.
#[tokio::main(flavor = "current_thread")]
pub async fn insert(path: &Path, count: usize) -> Result<()> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", "0")
        .disable_statement_logging();
    let mut database = options.connect().await?;
    const TABLE: &str = "CREATE TABLE messages (id BIGINT NOT NULL PRIMARY KEY, room_id BIGINT NOT \
        NULL, author_id BIGINT NOT NULL, \
        client_key TEXT NOT NULL, body TEXT NOT NULL, revision BIGINT NOT NULL, continues BOOLEAN \
        NOT NULL, created_at BIGINT NOT NULL, \
        UNIQUE (author_id, client_key))";
    sqlx::query(TABLE).execute(&mut database).await?;
    sqlx::query("CREATE INDEX messages_of_room ON messages (room_id, id, revision, author_id)")
        .execute(&mut database)
        .await?;
    const INSERT: &str = "INSERT INTO messages (id, room_id, author_id, client_key, body, \
        revision, continues, created_at) \
        VALUES ($1, 1, $2, $3, $4, 1, 0, $1)";
    let started = Instant::now();
    for first in (0..count).step_by(AT_ONCE) {
        sqlx::query("BEGIN IMMEDIATE")
            .execute(&mut database)
            .await?;
        for number in first..count.min(first + AT_ONCE) {
            let (id, author, key) = (
                number as i64,
                (number % 16) as i64,
                format!("bench-{number:08}"),
            );
            let body = format!("{number:08}{}", crate::rows::posts::TEXT);
            sqlx::query(INSERT)
                .bind(id)
                .bind(author)
                .bind(key)
                .bind(body)
                .execute(&mut database)
                .await?;
        }
        sqlx::query("COMMIT").execute(&mut database).await?;
    }
    println!("{}", started.elapsed().as_secs_f64());
    database.close().await?;
    Ok(())
}
