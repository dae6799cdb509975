//! What pages are told: which terminals there are, who is in them, and what their screens show.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;

use super::core::thumbnail;
use super::model::{Summary, TerminalId, TerminalRow};
use super::open::{Ended, EndedCommand, OpenTerminal};
use super::topics::{ScreenChanged, SummaryChanged, TerminalChanged};
use super::views::ThumbnailView;
use super::{
    ENDED, SCREENS_FEED, TERMINALS_FEED, Terminals, VIEW, recordings, store, typing_audit,
};
use crate::base::clock::{Micros, spent};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::base::locale::Lang;
use crate::engine::bus::{Envelope, Origin};
use crate::engine::live::Content;
use crate::engine::notices::{NewNotice, Recipients};
use crate::engine::partial::Partial;
use crate::engine::room_lines::{LineTold, RoomLine};

/// Between two frames of one terminal's screen, and of its summary.
const PRESENT_INTERVAL: Duration = Duration::from_millis(500);
/// A program that ran for less tells nobody that it has ended.
const NOTICE_MIN_TIME: Duration = Duration::from_secs(10);

impl Terminals {
    /// Tells of a terminal of this instance, as long as it has it.
    pub(super) async fn present_repeatedly(self, terminal: Arc<OpenTerminal>) {
        let mut changes = terminal.changes();
        let (mut summary, mut position) = (None, None);
        while !terminal.is_over() {
            changes.mark_unchanged();
            let now = terminal.summary();
            if summary.as_ref() != Some(&now) {
                self.publish_summary(&terminal, now.clone());
                summary = Some(now);
            }
            let end = terminal.read(|one| (one.end(), one.size()));
            if position != Some(end) {
                position = Some(end);
                self.publish_screen(&terminal);
            }
            tokio::time::sleep(PRESENT_INTERVAL).await;
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn publish_summary(&self, terminal: &OpenTerminal, summary: Summary) {
        let event = SummaryChanged {
            room: terminal.room,
            terminal: terminal.id,
            instance: self.engine.live.instance().to_owned(),
            summary,
        };
        self.engine.bus.publish(Origin::default(), event);
    }

    /// Tells other instances what they may have missed.
    pub(super) fn repeat_summaries(&self) {
        for terminal in self.open.list() {
            self.publish_summary(&terminal, terminal.summary());
        }
    }

    fn publish_screen(&self, terminal: &OpenTerminal) {
        let feed = SCREENS_FEED.name(terminal.room);
        let rows = terminal.read(thumbnail);
        let Ok(html) = (ThumbnailView { rows: &rows }).render() else {
            return;
        };
        let event = ScreenChanged {
            room: terminal.room,
            terminal: terminal.id,
            html,
        };
        self.engine.bus.publish_to(feed, Origin::default(), event);
    }

    /// A terminal has begun.
    pub(super) async fn publish_begun(&self, row: &TerminalRow) {
        self.publish_changed(row.id, row.room);
        metrics::counter!("tidepool_terminals_total").increment(1);
    }

    /// Who may do what in a terminal changed, or whether it goes on.
    pub(super) fn publish_changed(&self, terminal: TerminalId, room: RoomId) {
        let event = TerminalChanged { room, terminal };
        self.engine.bus.publish(Origin::default(), event);
    }

    /// A terminal has ended.
    pub(super) fn publish_ended(&self, terminal: TerminalId, room: RoomId) {
        self.summaries.forget(terminal);
        self.publish_changed(terminal, room);
    }

    /// Ends a terminal of this instance: stores how, and sends everybody away.
    pub(super) async fn end_terminal(&self, terminal: &Arc<OpenTerminal>, code: Option<i32>) {
        let code = code.or_else(|| terminal.read(|one| one.exit()));
        typing_audit::note(self, terminal).await;
        self.store_recorded(terminal, true).await;
        match self.store_end(terminal, code).await {
            Ok(told) => self.tell_end(terminal, told),
            // It ends by itself once its time is over.
            Err(error) => tracing::warn!(%error, "the end of a terminal was not stored"),
        }
        terminal.close(Ended::Over);
        self.open.remove(terminal.id);
        self.publish_ended(terminal.id, terminal.room);
    }

    /// Stores that a terminal has ended, and how. What the room is told, unless it took a moment
    /// only, or had ended before.
    async fn store_end(
        &self,
        terminal: &Arc<OpenTerminal>,
        code: Option<i32>,
    ) -> Result<Option<String>> {
        let time = Micros::now().since(terminal.started_at);
        let is_told = code.is_some() && time >= NOTICE_MIN_TIME;
        let text = format!(
            "{}: {}, exit {}",
            terminal.title,
            spent(time),
            code.unwrap_or_default()
        );
        let notice = self.notice(terminal, (terminal.id.0, text.clone())).await;
        let (notices, id) = (self.engine.notices.clone(), terminal.id);
        let write = self.engine.db.write_queued(async move |tx| {
            let tells = store::end(tx, id, code).await? && is_told;
            if tells {
                notices.add(tx, notice).await?;
            }
            Ok(tells.then_some(text))
        });
        write.await
    }

    /// Tells the room that a program has ended.
    fn tell_end(&self, terminal: &OpenTerminal, told: Option<String>) {
        let Some(text) = told else {
            return;
        };
        let (room, id) = (terminal.room, terminal.id);
        let line = RoomLine {
            words: "line-terminal-ended".to_owned(),
            text,
            href: format!("/rooms/{room}/terminals/{id}"),
        };
        let event = LineTold {
            room,
            account: terminal.host,
            line,
        };
        self.engine.bus.publish(Origin::default(), event);
    }

    /// Stores what is due of a recording.
    pub(super) async fn store_recorded(&self, terminal: &Arc<OpenTerminal>, is_last: bool) {
        while let Some((part, lines)) = terminal.take_recorded(is_last) {
            let id = terminal.id;
            let add = async move |tx: &mut Tx| recordings::add(tx, id, part, &lines).await;
            let write = self.engine.db.write_queued(add);
            if let Err(error) = write.await {
                tracing::warn!(%error, "a part of a recording was not stored");
                return;
            }
        }
    }

    /// Tells those who watch of a command that took long.
    pub(super) async fn tell_command(&self, terminal: &OpenTerminal, command: EndedCommand) {
        if command.time < NOTICE_MIN_TIME {
            return;
        }
        let code = command.code.map(|code| format!(", exit {code}"));
        let text = format!(
            "{}: {}{}",
            terminal.summary().title_or(&terminal.title),
            spent(command.time),
            code.unwrap_or_default()
        );
        let notice = self.notice(terminal, (TerminalId::new().0, text)).await;
        let notices = self.engine.notices.clone();
        let write = self
            .engine
            .db
            .write_queued(async move |tx| notices.add(tx, notice).await);
        if let Err(error) = write.await {
            tracing::warn!(%error, "nobody was told of the end of a command");
        }
    }

    /// A notice for the host and those who watch.
    async fn notice(&self, terminal: &OpenTerminal, (item, text): (i64, String)) -> NewNotice {
        let access = &self.community.access;
        let found = access.permit_in_room(terminal.host, &VIEW, terminal.room);
        let space = found.await.ok().and_then(|room| room.space);
        let mut to = terminal.summary().watchers;
        to.push(terminal.host);
        to.sort_unstable();
        to.dedup();
        NewNotice {
            kind: &ENDED,
            item,
            actor: None,
            space,
            room: Some(terminal.room),
            href: format!("/rooms/{}/terminals/{}", terminal.room, terminal.id),
            text,
            to: vec![Recipients::Accounts(to)],
        }
    }
}

/// Shows everybody who is in a terminal, and has its roles read again where it is.
pub(super) async fn terminal_changed(
    terminals: &Terminals,
    event: &TerminalChanged,
    _: &Envelope,
) -> Result<()> {
    let row = match store::get(&terminals.engine.db, event.terminal).await {
        Ok(row) => row,
        Err(Error::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    if let Some(open) = terminals.open.get(event.terminal) {
        // Somebody ended it, maybe on another instance, or changed who may do what.
        terminals.apply_row(&open, &row).await?;
    }
    if row.ended_at.is_some() {
        terminals.summaries.forget(event.terminal);
    }
    terminals
        .publish_shown(event.room, Some(event.terminal))
        .await
}

pub(super) async fn summary_changed(
    terminals: &Terminals,
    event: &SummaryChanged,
    _: &Envelope,
) -> Result<()> {
    let (id, summary) = (event.terminal, &event.summary);
    match terminals.summaries.hear(id, &event.instance, summary) {
        true => terminals.publish_shown(event.room, Some(id)).await,
        false => Ok(()),
    }
}

pub(super) async fn screen_changed(
    terminals: &Terminals,
    event: &ScreenChanged,
    _: &Envelope,
) -> Result<()> {
    terminals.summaries.hear_screen(event.terminal, &event.html);
    let target = format!("#terminal-screen-{}", event.terminal);
    let html = Partial::inner(target, &event.html).to_string();
    let content = Content::of(event).html(move |_| html.clone());
    let feed = SCREENS_FEED.name(event.room);
    terminals.engine.live.publish(&feed, content);
    Ok(())
}

/// Publishes the terminals of a room to those who came back from another instance.
pub(super) async fn present(terminals: Terminals, room: RoomId) {
    if let Err(error) = terminals.publish_shown(room, None).await {
        tracing::warn!(%error, "the terminals of a room were not published");
    }
}

impl Terminals {
    /// Publishes the list of a room's terminals, and the people of one, to the sockets of this
    /// instance.
    async fn publish_shown(&self, room: RoomId, terminal: Option<TerminalId>) -> Result<()> {
        let feed = TERMINALS_FEED.name(room);
        if !self.engine.live.is_followed(&feed) {
            return Ok(());
        }
        let shown = self.shown(room).await?;
        let people = match terminal {
            Some(id) => self.people(id).await?.map(|people| (id, people)),
            None => None,
        };
        let event = TerminalChanged {
            room,
            terminal: terminal.unwrap_or(TerminalId(0)),
        };
        let content = Content::of(&event).html(move |lang: Lang| {
            let mut frame = String::new();
            let mut push = |target: String, html: askama::Result<String>| {
                if let Ok(html) = html {
                    frame += &Partial::inner(target, &html).to_string();
                }
            };
            push(
                format!("#terminals-strip-{room}"),
                shown.strip(lang).render(),
            );
            push(format!("#terminals-list-{room}"), shown.list(lang).render());
            if let Some((id, people)) = &people {
                let shown = shown.all.iter().find(|one| one.row.id == *id);
                if let Some(shown) = shown {
                    let about = shown.about_view(lang).render();
                    push(format!("#terminal-about-{id}"), about);
                }
                push(format!("#terminal-people-{id}"), people.view(lang).render());
            }
            frame
        });
        self.engine.live.publish(&feed, content);
        Ok(())
    }
}
