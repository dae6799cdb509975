//! The socket of a sharer: what their program writes comes in, what others type goes out.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::response::{IntoResponse, Response};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::core::{Frame, MAX_POSITION, Size};
use super::hello::{Answer, Hello, MAX_SHARER_MESSAGE_BYTES, PROTOCOL};
use super::model::TerminalId;
use super::open::{Ended, ForSharer, OpenTerminal};
use super::recorder::Recorder;
use super::screen_rate::ScreenRate;
use super::store::{self, NewTerminal};
use super::tokens::Bearer;
use super::{SHARE, Terminals, recordings};
use crate::base::error::{Check, Error, Result};
use crate::base::locale::Lang;
use crate::base::security_log::SecurityEvent;
use crate::base::text::{check_short_text, limit_marks, normalize_optional_line};
use crate::community::Scope;
use crate::engine::web::{
    PeerMessage, RequestContext, SocketReader, SocketWriter, accept_socket, words_of,
};

/// For the first message of a sharer.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections of one account's sharers at once.
const MAX_SHARERS_PER_ACCOUNT: usize = 16;
/// Characters of a title and of a command.
pub(super) const MAX_TITLE_CHARS: usize = 80;
const MAX_COMMAND_CHARS: usize = 200;
/// Terminals that one account begins in an hour, on one instance.
pub(super) const MAX_BEGUN_PER_HOUR: u32 = 20;
/// Bytes of output that are acknowledged at once, and the input that a frame carries.
const ACK_BYTES: u64 = 16 << 10;
/// Output that is not acknowledged at once is, after this time: a sharer may wait for it.
const ACK_DELAY: Duration = Duration::from_millis(40);
const MAX_INPUT_BYTES: usize = 16 << 10;
/// Between two pieces of a file, of 16 KiB: a MiB in a second.
const FILE_PIECE_INTERVAL: Duration = Duration::from_millis(15);

/// `GET /terminals/share`: asks for a token instead of a session, and answers with a socket.
pub(super) async fn share(
    State(terminals): State<Terminals>,
    lang: Lang,
    request: Request,
) -> Result<Response> {
    if !terminals.engine.settings.terminals {
        return Err(Error::Forbidden("error-terminals-off"));
    }
    let bearer = match terminals.bearer(request.headers()).await {
        // To who is no program this is no address.
        Err(Error::SignInFirst) if !request.headers().contains_key(AUTHORIZATION) => {
            return Err(Error::NotFound);
        }
        // A program asks, which no page to sign in would help.
        Err(Error::SignInFirst) => {
            let address = RequestContext::address_of(&request);
            SecurityEvent::SignInRefused.record(None, address, "terminal_token");
            return Ok(StatusCode::UNAUTHORIZED.into_response());
        }
        bearer => bearer?,
    };
    let place = terminals
        .sharers
        .take(bearer.account, MAX_SHARERS_PER_ACCOUNT)
        .ok_or(Error::Full("error-terminals-own"))?;
    let (response, socket) = accept_socket(request, MAX_SHARER_MESSAGE_BYTES)?;
    if let Some(socket) = socket {
        tokio::spawn(async move {
            let _place = place;
            if let Some((reader, writer)) = socket.open().await {
                terminals.serve_sharer(bearer, lang, reader, writer).await;
            }
        });
    }
    Ok(response)
}

impl Terminals {
    async fn serve_sharer(
        &self,
        bearer: Bearer,
        lang: Lang,
        mut reader: SocketReader,
        writer: SocketWriter,
    ) {
        let hello = timeout(HELLO_TIMEOUT, reader.next()).await;
        let Ok(Some(PeerMessage::Text(hello))) = hello else {
            return writer.close(Ended::Malformed.code(), "no hello").await;
        };
        let begun = match serde_json::from_str::<Hello>(&hello) {
            Ok(hello) if hello.version == PROTOCOL => self.begin(bearer, hello).await,
            _ => Err(Error::Conflict("error-terminal-version")),
        };
        let (attached, position) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                let answer = Answer::Refused {
                    code: error.code().to_owned(),
                    message: words_of(&error, lang),
                    passing: error.is_passing(),
                };
                drop(writer.text(&json(&answer)).await);
                return writer.close(Ended::Refused.code(), error.code()).await;
            }
        };
        let Attached(terminal, link) = &attached;
        let welcome = Answer::Welcome {
            terminal: terminal.id.to_string(),
            path: format!("/rooms/{}/terminals/{}", terminal.room, terminal.id),
            position,
            takes_notes: true,
        };
        if writer.text(&json(&welcome)).await.is_ok() {
            let sending = send_input(terminal, *link, &writer);
            let ended = tokio::select! {
                ended = self.receive_output(terminal, &mut reader, &writer) => ended,
                ended = sending => ended,
            };
            if let Some(ended) = ended {
                writer.close(ended.code(), "").await;
            }
        }
        let terminal = terminal.clone();
        drop(attached);
        if terminal.read(|one| one.exit()).is_some() {
            self.end_terminal(&terminal, None).await;
        }
    }

    /// Begins a terminal, or goes on with one.
    async fn begin(&self, bearer: Bearer, hello: Hello) -> Result<(Attached, Option<u64>)> {
        if hello.input > MAX_POSITION {
            return Err(Error::Conflict("error-terminal-version"));
        }
        let size = Size::new(hello.cols, hello.rows);
        let input = hello.input;
        let row = match &hello.terminal {
            Some(id) => {
                let id: TerminalId = id.parse().map_err(|_| Error::NotFound)?;
                let room = store::get(&self.engine.db, id).await?.room;
                let instance = self.engine.live.instance().to_owned();
                self.community
                    .access
                    .permitted_write(bearer.account, &SHARE, Scope::Room(room), async move |tx| {
                        store::claim(tx, (id, bearer.account), &instance).await
                    })
                    .await?
            }
            None => {
                let new = self.new_terminal(bearer, hello)?;
                self.begun.check(&bearer.account)?;
                let scope = Scope::Room(new.room);
                let write = async move |tx: &mut crate::base::db::Tx| store::add(tx, &new).await;
                self.community
                    .access
                    .permitted_write(bearer.account, &SHARE, scope, write)
                    .await?
            }
        };
        let roles = store::roles(&self.engine.db, &row).await?;
        let recorder = match row.recorded {
            true => {
                let stored = recordings::stored(&self.engine.db, row.id).await?;
                Some(Recorder::resume(stored))
            }
            false => None,
        };
        let new = OpenTerminal::new(&row, size, roles, recorder);
        let (terminal, is_new) = self.open.add(new);
        // From now on it is told of changes; it was not of those since its row was read.
        match self.check_row(&terminal).await {
            None => {}
            Some(Ended::Over) => return Err(Error::NotFound),
            Some(_) => return Err(Error::Unavailable),
        }
        if is_new {
            self.publish_begun(&row).await;
            tokio::spawn(self.clone().present_repeatedly(terminal.clone()));
        }
        let (link, position) = terminal.attach(Some(bearer), input);
        if row.takes_files {
            self.check_files(&terminal).await?;
        }
        Ok((Attached(terminal, link), position))
    }

    fn new_terminal(&self, bearer: Bearer, hello: Hello) -> Result<NewTerminal> {
        let command = limit_marks(&normalize_optional_line(&hello.command));
        let command: String = command.chars().take(MAX_COMMAND_CHARS).collect();
        let mut title = normalize_optional_line(&hello.title);
        if title.is_empty() {
            title = command.chars().take(MAX_TITLE_CHARS).collect();
        }
        let mut check = Check::default();
        check_short_text(&title, "title", MAX_TITLE_CHARS, &mut check);
        check.done()?;
        Ok(NewTerminal {
            room: hello.room.ok_or(Error::NotFound)?,
            host: bearer.account,
            title,
            command,
            takes_input: hello.takes_input,
            is_shell: false,
            takes_files: hello.takes_files && hello.takes_input,
            recorded: hello.record,
            instance: self.engine.live.instance().to_owned(),
        })
    }

    /// Takes what the program writes, and acknowledges it. `None` when the connection is lost, or
    /// the program has ended and all is there.
    async fn receive_output(
        &self,
        terminal: &Arc<OpenTerminal>,
        reader: &mut SocketReader,
        writer: &SocketWriter,
    ) -> Option<Ended> {
        let mut acked = terminal.read(|one| one.end());
        // When what has come and is not acknowledged is to be.
        let mut due: Option<Instant> = None;
        let mut screens = ScreenRate::new();
        loop {
            let message = match due {
                Some(due) => timeout_at(due, reader.next()).await,
                None => Ok(reader.next().await),
            };
            let Ok(message) = message else {
                (acked, due) = (terminal.read(|one| one.end()), None);
                acknowledge(writer, acked).await?;
                continue;
            };
            let bytes = match message? {
                PeerMessage::Binary(bytes) => bytes,
                PeerMessage::Text(note) => {
                    screens.wait().await;
                    if !self.take_note(terminal, &note) {
                        return Some(Ended::Malformed);
                    }
                    continue;
                }
            };
            let Ok(frame) = Frame::decode(&bytes) else {
                return Some(Ended::Malformed);
            };
            if let Frame::Ack { position } = frame {
                terminal.ack_input(position);
                continue;
            }
            let is_screen = matches!(frame, Frame::Snapshot { .. });
            if is_screen || matches!(frame, Frame::Resize { .. }) {
                screens.wait().await;
            }
            let Ok((end, commands)) = terminal.apply(&frame).await else {
                return Some(Ended::Malformed);
            };
            for command in commands {
                self.tell_command(terminal, command).await;
            }
            let is_last = matches!(frame, Frame::Exit { .. });
            let is_much = end >= acked.saturating_add(ACK_BYTES);
            let is_late = due.is_some_and(|due| due <= Instant::now());
            if is_last || is_screen || is_much || is_late || bytes.len() < 1_024 {
                (acked, due) = (end, None);
                acknowledge(writer, end).await?;
            } else {
                due.get_or_insert_with(|| Instant::now() + ACK_DELAY);
            }
            if is_last {
                return Some(Ended::Over);
            }
        }
    }
}

/// A sharer is connected to a terminal until this is dropped: the number is that of the connection.
struct Attached(Arc<OpenTerminal>, u64);

impl Drop for Attached {
    fn drop(&mut self) {
        self.0.detach(self.1);
    }
}

/// Says that everything before a position has arrived. `None` when the sharer is gone.
async fn acknowledge(writer: &SocketWriter, position: u64) -> Option<()> {
    let ack = Frame::Ack { position };
    writer.binary(&ack.encode()).await.ok()
}

/// Sends what others type until the sharer has to go.
async fn send_input(terminal: &OpenTerminal, link: u64, writer: &SocketWriter) -> Option<Ended> {
    let mut changes = terminal.changes();
    let mut sent = 0;
    loop {
        changes.mark_unchanged();
        if let Some(ended) = terminal.sharer_ended(link) {
            return Some(ended);
        }
        let (position, bytes) = terminal.input(sent);
        for (index, part) in bytes.chunks(MAX_INPUT_BYTES).enumerate() {
            let frame = Frame::Input {
                position: position + (index * MAX_INPUT_BYTES) as u64,
                bytes: part.to_vec(),
            };
            writer.binary(&frame.encode()).await.ok()?;
        }
        sent = position + bytes.len() as u64;
        match terminal.next_for_sharer() {
            Some(ForSharer::Note(note)) => writer.text(&json(&note)).await.ok()?,
            Some(ForSharer::Piece(piece)) => {
                writer.binary(&piece.encode()).await.ok()?;
                // What is typed has its turn, and most of the way.
                sleep(FILE_PIECE_INTERVAL).await;
            }
            None => changes.changed().await.ok()?,
        }
    }
}

fn json(value: &impl serde::Serialize) -> String {
    String::from(Box::<str>::from(crate::engine::bus::json(value)))
}
