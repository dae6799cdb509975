//! The templates of terminals.

use askama::Template;

use super::core::Run;
use super::guest_links::GuestLink;
use super::model::{Role, Summary, TerminalId, TerminalRow};
use super::search::Found;
use super::sent_file_store::{FileState, SentFile};
use super::tokens::Token;
use crate::base::bytes_in_words;
use crate::base::clock::spent;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::community::{Face, Shell};
use crate::engine::forms::Form;
use crate::engine::web::{Head, icon_address};

/// A template as HTML.
///
/// # Errors
/// `Internal` when it cannot be rendered: a fault of the program.
pub(super) fn rendered(view: &impl Template) -> Result<String> {
    let rendered = view.render();
    rendered.map_err(|error| Error::Internal(anyhow::Error::new(error)))
}

/// Which controls of terminals an account sees: its own, and those of a host.
pub(super) fn account_style(account: AccountId) -> String {
    format!(
        ".terminal-people[data-host=\"{account}\"] .of-host {{ display: inline-flex; }}\n\
         .terminal-people [data-holder=\"{account}\"] .of-holder {{ display: inline-flex; }}\n\
         .terminal-people [data-account=\"{account}\"] .own {{ display: inline-flex; }}\n\
         .terminal-people [data-account=\"{account}\"] .others {{ display: none; }}\n"
    )
}

/// Somebody in a terminal.
#[derive(Clone)]
pub(super) struct PersonView {
    pub(super) account: AccountId,
    pub(super) name: String,
    pub(super) face: Face,
    pub(super) role: Role,
    pub(super) watches: bool,
    pub(super) raised_hand: bool,
    pub(super) typed: i64,
}

impl PersonView {
    fn is_typist(&self) -> bool {
        self.role == Role::Typist
    }

    fn is_host(&self) -> bool {
        self.role == Role::Host
    }

    fn is_removed(&self) -> bool {
        self.role == Role::Removed
    }
}

/// The people of a terminal, for any language.
#[derive(Clone)]
pub(super) struct People {
    pub(super) row: TerminalRow,
    pub(super) people: Vec<PersonView>,
    /// How many watch by links.
    pub(super) guests: usize,
    /// The last files that were offered to the sharer, with the names of who did.
    pub(super) files: Vec<(SentFile, String)>,
}

impl People {
    pub(super) fn view(&self, lang: Lang) -> PeopleView<'_> {
        PeopleView {
            row: &self.row,
            people: &self.people,
            guests: self.guests,
            files: &self.files,
            lang,
        }
    }
}

/// Who watches and who types, with what the host does about it.
#[derive(Template)]
#[template(path = "terminals/people.html")]
pub(super) struct PeopleView<'a> {
    row: &'a TerminalRow,
    people: &'a [PersonView],
    guests: usize,
    files: &'a [(SentFile, String)],
    lang: Lang,
}

impl PeopleView<'_> {
    /// Whether one person types at a time now.
    fn has_turns(&self) -> bool {
        self.row.one_at_a_time && self.row.takes_input && self.row.ended_at.is_none()
    }

    /// What became of a file.
    fn file_line(&self, file: &SentFile) -> String {
        let lang = self.lang;
        match file.state() {
            FileState::Asked => lang.t("terminal-file-asked").to_owned(),
            FileState::Taking => lang.t("terminal-file-taking").to_owned(),
            FileState::Stored => {
                let name = [("name", file.stored_as.as_str().into())];
                lang.with("terminal-file-stored", &name)
            }
            FileState::Refused => lang.t("terminal-file-refused").to_owned(),
            FileState::Unanswered => lang.t("terminal-file-unanswered").to_owned(),
            FileState::Failed => lang.t("terminal-file-failed").to_owned(),
        }
    }

    fn size_of(&self, file: &SentFile) -> String {
        bytes_in_words(file.size.unsigned_abs())
    }

    /// Whether somebody holds the baton.
    fn holds(&self, one: &PersonView) -> bool {
        self.row.baton == Some(one.account)
    }

    /// Whether somebody may ask to type: who was not let type, and whose turn it is not.
    fn may_ask(&self, one: &PersonView) -> bool {
        let holder = self.row.baton;
        !one.is_typist() || self.has_turns() && holder.is_some_and(|holder| holder != one.account)
    }
}

/// A terminal in a list.
#[derive(Clone)]
pub(super) struct ShownTerminal {
    pub(super) row: TerminalRow,
    /// The name of who shares it.
    pub(super) host: String,
    pub(super) summary: Option<Summary>,
    pub(super) thumbnail: String,
}

impl ShownTerminal {
    fn is_open(&self) -> bool {
        self.row.ended_at.is_none()
    }

    fn is_away(&self) -> bool {
        self.summary.as_ref().is_none_or(|summary| summary.away)
    }

    /// `2 m 10 s, exit 0`, or how long it runs.
    fn about(&self, lang: Lang) -> String {
        let until = self
            .row
            .ended_at
            .unwrap_or_else(crate::base::clock::Micros::now);
        let time = spent(until.since(self.row.started_at));
        let time = [("time", time.as_str().into())];
        match (self.row.ended_at, self.row.exit_code) {
            (None, _) => lang.with("terminal-runs", &time),
            (Some(_), None) => lang.with("terminal-ended", &time),
            (Some(_), Some(code)) => {
                let [time] = time;
                lang.with("terminal-exited", &[time, ("code", code.into())])
            }
        }
    }

    fn watchers(&self) -> usize {
        let summary = self.summary.as_ref();
        summary.map_or(0, |summary| summary.watchers.len() + summary.guests)
    }

    /// Its folder, and the Git working tree there; may be empty.
    fn place(&self) -> String {
        let status = self.summary.as_ref().map(|summary| &summary.status);
        status.map_or_else(String::new, |status| match status.git.is_empty() {
            true => status.folder.clone(),
            false => format!("{} · {}", status.folder, status.git),
        })
    }

    /// What its processes take, if that is known.
    fn usage(&self, lang: Lang) -> Option<String> {
        let status = &self.summary.as_ref()?.status;
        let (cpu, memory) = (status.cpu_percent?, status.memory_mib?);
        let memory = bytes_in_words(memory << 20);
        let words = [("cpu", cpu.to_string().into()), ("memory", memory.into())];
        Some(lang.with("terminal-usage", &words))
    }

    /// Its folder and what it takes, for its page.
    pub(super) fn about_view(&self, lang: Lang) -> AboutView {
        AboutView {
            place: self.place(),
            usage: self.usage(lang),
        }
    }

    fn size(&self) -> String {
        let summary = self.summary.as_ref();
        summary.map_or_else(String::new, |one| format!("{}×{}", one.cols, one.rows))
    }
}

/// The folder of a terminal, and what its processes take.
#[derive(Template)]
#[template(path = "terminals/about.html")]
pub(super) struct AboutView {
    place: String,
    usage: Option<String>,
}

/// The terminals of a room, for any language.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) room: RoomId,
    pub(super) all: Vec<ShownTerminal>,
}

impl Shown {
    pub(super) fn strip(&self, lang: Lang) -> StripView<'_> {
        StripView {
            room: self.room,
            all: &self.all,
            lang,
        }
    }

    pub(super) fn list(&self, lang: Lang) -> ListView<'_> {
        ListView {
            room: self.room,
            all: &self.all,
            lang,
        }
    }
}

/// The open terminals, above the log of their room.
#[derive(Template)]
#[template(path = "terminals/strip.html")]
pub(super) struct StripView<'a> {
    room: RoomId,
    all: &'a [ShownTerminal],
    lang: Lang,
}

impl StripView<'_> {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}

/// A part of a page with the feeds that keep it true, and where it is fetched again.
#[derive(Template)]
#[template(path = "terminals/region.html")]
pub(super) struct RegionView {
    pub(super) id: String,
    pub(super) feeds: String,
    pub(super) refresh: String,
    pub(super) html: String,
}

/// The link among the tools of a room.
#[derive(Template)]
#[template(path = "terminals/tool.html")]
pub(super) struct ToolView {
    pub(super) room: RoomId,
    pub(super) lang: Lang,
}

impl ToolView {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}

/// The terminals of a room with their screens.
#[derive(Template)]
#[template(path = "terminals/list.html")]
pub(super) struct ListView<'a> {
    room: RoomId,
    all: &'a [ShownTerminal],
    lang: Lang,
}

/// The lower left part of a screen.
#[derive(Template)]
#[template(path = "terminals/thumbnail.html")]
pub(super) struct ThumbnailView<'a> {
    pub(super) rows: &'a [Vec<Run>],
}

/// The page of a room's terminals.
#[derive(Template)]
#[template(path = "terminals/room.html", blocks = ["app"])]
pub(super) struct RoomPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) room: RoomId,
    pub(super) room_title: String,
    /// A rendered [`RegionView`].
    pub(super) list: String,
    /// The command that shares a terminal here; `None` for who may not.
    pub(super) command: Option<String>,
    pub(super) form: Form,
    /// Whether the viewer may open a shell here.
    pub(super) has_shells: bool,
}

/// The page of a terminal.
#[derive(Template)]
#[template(path = "terminals/terminal.html", blocks = ["app"])]
pub(super) struct TerminalPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) form: Form,
    pub(super) room: RoomId,
    pub(super) terminal: ShownTerminal,
    /// A rendered [`RegionView`] of [`AboutView`].
    pub(super) about: String,
    /// A rendered [`RegionView`].
    pub(super) people: String,
    pub(super) has_recording: bool,
    /// Whether the viewer may let people without an account watch.
    pub(super) has_links: bool,
}

/// The links to a terminal, for its host.
#[derive(Template)]
#[template(path = "terminals/links.html", blocks = ["app"])]
pub(super) struct LinksPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) form: Form,
    pub(super) room: RoomId,
    pub(super) terminal: TerminalId,
    /// Of the terminal.
    pub(super) title: String,
    pub(super) links: Vec<GuestLink>,
    /// The address of a new one, which is shown once.
    pub(super) link: Option<String>,
}

/// What somebody without an account sees.
#[derive(Template)]
#[template(path = "terminals/guest.html")]
pub(super) struct GuestPage {
    pub(super) head: Head,
    pub(super) secret: String,
    pub(super) terminal: TerminalId,
    /// The screen, for pages without scripts.
    pub(super) text: String,
}

/// The screen as text.
#[derive(Template)]
#[template(path = "terminals/text.html", blocks = ["app"])]
pub(super) struct TextPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) room: RoomId,
    pub(super) terminal: TerminalId,
    /// `None`: nobody has the terminal now.
    pub(super) text: Option<String>,
    /// What was searched; may be empty.
    pub(super) query: String,
    pub(super) found: Option<Found>,
}

/// The page that plays a recording.
#[derive(Template)]
#[template(path = "terminals/replay.html", blocks = ["app"])]
pub(super) struct ReplayPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) room: RoomId,
    pub(super) terminal: TerminalId,
    /// Whether the viewer may delete it.
    pub(super) is_own: bool,
}

/// The tokens of an account.
#[derive(Template)]
#[template(path = "terminals/account.html", blocks = ["app"])]
pub(super) struct AccountPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) form: Form,
    pub(super) tokens: Vec<Token>,
    /// A new one, which is shown once.
    pub(super) token: Option<String>,
    /// The address of the server.
    pub(super) server: String,
}

/// All terminals of the server, for the host.
#[derive(Template)]
#[template(path = "terminals/operate.html", blocks = ["app"])]
pub(super) struct OperatePage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) all: Vec<ShownTerminal>,
    pub(super) is_off: bool,
}
