//! Chat's templates.

use std::sync::Arc;

use askama::Template;

use super::attachment_store::FilePage;
use super::dividers::Entry;
use super::forum::TagId;
use super::history::Log;
use super::model::Message;
use crate::base::clock::Micros;
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::community::Shell;
use crate::engine::forms::Form;
use crate::engine::web::{Head, Part};

/// Messages with their dividers.
#[derive(Template)]
#[template(path = "chat/entries.html")]
pub(super) struct EntriesView<'a> {
    pub(super) entries: &'a [Entry],
    pub(super) lang: Lang,
}

/// The region with a room's messages, which clients refetch when they missed frames.
#[derive(Template)]
#[template(path = "chat/log.html", blocks = ["region", "older", "newer"])]
pub(super) struct LogView<'a> {
    pub(super) log: &'a Log,
    pub(super) lang: Lang,
}

/// A room's page, with the pane of a thread beside it where its address names one.
#[derive(Template)]
#[template(path = "chat/room_page.html", blocks = ["app"])]
pub(super) struct RoomPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    /// The rendered [`RoomView`].
    pub(super) view: String,
    /// The rendered [`ThreadPane`].
    pub(super) pane: Option<String>,
}

/// A thread beside its room.
#[derive(Template)]
#[template(path = "chat/thread_pane.html")]
pub(super) struct ThreadPane {
    pub(super) thread: RoomId,
    /// The rendered [`RoomView`].
    pub(super) view: String,
}

/// What the view of a thread shows besides that of a room.
pub(super) struct ThreadTop {
    pub(super) parent: RoomId,
    pub(super) parent_title: String,
    /// The page that it is shown from: of the message it grew from, or of its forum.
    pub(super) back: String,
    /// Of a post.
    pub(super) tags: Vec<(TagId, String)>,
    /// The message it grew from as HTML; nothing once it is erased.
    pub(super) root: Option<String>,
    /// Whether the viewer hears of its replies.
    pub(super) is_followed: bool,
    pub(super) may_rename: bool,
}

/// A room: header, log and composer.
#[derive(Template)]
#[template(path = "chat/room.html")]
pub(super) struct RoomView<'a> {
    pub(super) head: &'a Head,
    pub(super) shell: &'a Shell,
    pub(super) form: &'a Form,
    /// Of a thread.
    pub(super) thread: Option<ThreadTop>,
    /// Whether it stands beside another room.
    pub(super) in_pane: bool,
    pub(super) room: RoomId,
    pub(super) title: String,
    /// The room's topic as HTML.
    pub(super) about: String,
    /// Whether the log ends with the newest messages.
    pub(super) is_newest: bool,
    /// Seconds between two messages of one member; zero: no limit.
    pub(super) slow_seconds: i64,
    /// Where people without an account read it, if they do.
    pub(super) web: Option<String>,
    /// Whether only some members of the space read it.
    pub(super) restricted: bool,
    /// When the viewer may post again, in slow mode; `None` for who does not wait.
    pub(super) slow_until: Option<Micros>,
    /// The name of its symbol.
    pub(super) icon: &'static str,
    /// Why the viewer cannot write: an icon, and the key of the words.
    pub(super) closed: Option<(&'static str, &'static str)>,
    /// What the viewer can do about that: an address, and the key of its words.
    pub(super) remedy: Option<(String, &'static str)>,
    pub(super) may_manage: bool,
    pub(super) typing: String,
    /// The line that says who has read the viewer's newest message, in a conversation.
    pub(super) receipts: Option<String>,
    /// The message that is about to be answered.
    pub(super) answered: Option<Message>,
    /// The viewer's own messages that wait for a moderator.
    pub(super) held: Vec<String>,
    /// The newest message of the log, sent along by a form without scripts: see
    /// [`super::model::client_key`].
    pub(super) seen: String,
    /// The rendered [`LogView`].
    pub(super) region: Arc<Part>,
}

/// The files of a room.
#[derive(Template)]
#[template(path = "chat/files.html", blocks = ["app"])]
pub(super) struct FilesPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) room: RoomId,
    pub(super) files_page: FilePage,
}

/// The page for editing or deleting a message without JavaScript.
#[derive(Template)]
#[template(path = "chat/change.html", blocks = ["app"])]
pub(super) struct ChangePage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) form: Form,
    pub(super) message: Message,
    pub(super) delete: bool,
}

impl RoomView<'_> {
    /// The beginning of a message, for who answers it.
    fn excerpt(&self, message: &Message) -> String {
        message.excerpt(MAX_EXCERPT_CHARS, self.head.lang)
    }
}

/// Characters that are shown of a message that is being answered.
const MAX_EXCERPT_CHARS: usize = 140;

impl ChangePage {
    /// Whether an edit was refused because the message is no longer what it was written for.
    fn was_changed(&self) -> bool {
        let edit = self.form.of("chat.edit");
        let revision = edit.value("revision");
        !revision.is_empty() && revision != self.message.revision.to_string()
    }
}

/// What a message answers.
#[derive(Template)]
#[template(path = "chat/quote.html")]
pub(super) struct QuoteView<'a> {
    pub(super) message: &'a Message,
    pub(super) lang: Lang,
}

/// The account's own rules: shows the controls of its messages, and hides its typing mark.
pub(super) fn account_style(account: AccountId) -> String {
    format!(
        ".msg[data-author=\"{account}\"]:not([data-deleted]) .act.own {{ display: inline-grid; }}\n\
         .msg:not([data-author=\"{account}\"]):has(.mention:is([data-account=\"{account}\"], \
         [data-everyone], .mine)) {{ background: var(--coral-wash); }}\n\
         .msg:not([data-author=\"{account}\"]):has(.quote[data-account=\"{account}\"]) \
         {{ background: var(--coral-wash); }}\n\
         .reaction[data-by~=\"{account}\"] {{ background: var(--sea-wash); \
         border-color: var(--sea); color: var(--sea); }}\n\
         .reaction[data-by~=\"{account}\"] .mine {{ display: inline-block; }}\n\
         .mention:is([data-account=\"{account}\"], [data-everyone], .mine) \
         {{ background: var(--coral); color: var(--on-coral); }}\n\
         .poll-answer[data-by~=\"{account}\"] {{ border-color: var(--sea); }}\n\
         .poll-answer[data-by~=\"{account}\"] .tick {{ visibility: visible; }}\n\
         .poll-answer[data-by~=\"{account}\"] .mine {{ display: inline-block; }}\n\
         .typing [data-typing=\"{account}\"] {{ display: none; }}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::super::attachment::{Attachment, Attachments};
    use super::super::markdown;
    use super::super::message_html::{MessageView, Names};
    use super::super::model::MessageId;
    use super::super::reactions::{Reaction, Reactions};
    use super::super::reply::Reply;
    use super::super::voice::Voice;
    use super::*;
    use crate::community::Face;
    use crate::engine::files::{FileId, Picture};
    use crate::engine::web::VERSION;

    fn render(message: &Message) -> String {
        let names = Names::default();
        let body = markdown::to_html(&message.body);
        let face = Face::of(message.author, &message.author_name);
        let view = MessageView {
            message,
            face,
            body: &body,
            emoji_only: markdown::is_emoji_only(&message.body),
            thread: None,
            names: &names,
            lang: Lang::negotiate(None, None),
        };
        view.render().unwrap().replace(VERSION, "VERSION")
    }

    #[test]
    fn message_in_each_state_matches_snapshot() {
        let plain = Message::example();
        insta::assert_snapshot!("message", render(&plain));
        insta::assert_snapshot!(
            "message_continues",
            render(&Message {
                continues: true,
                ..plain.clone()
            })
        );
        let edited = Message {
            edited_at: Some(Micros(1_795_228_260_000_000)),
            revision: 2,
            ..plain.clone()
        };
        insta::assert_snapshot!("message_edited", render(&edited));
        let deleted = Message {
            deleted_at: Some(Micros(1_795_228_260_000_000)),
            body: String::new(),
            revision: 2,
            ..plain.clone()
        };
        insta::assert_snapshot!("message_deleted", render(&deleted));
        insta::assert_snapshot!(
            "message_emoji",
            render(&Message {
                body: ":wave: 🎉".into(),
                ..plain.clone()
            })
        );
        let file = |picture, name: &str, media: &str| Attachment {
            id: FileId(5),
            name: name.into(),
            caption: "The <b>pool</b>".into(),
            media: media.into(),
            size: 2_600_000,
            picture,
            width: Some(1200),
            height: Some(800),
            blur: Some("data:image/webp;base64,AA==".into()),
            animated: false,
            cropped: false,
            voice: None,
        };
        let files = Attachments(vec![
            file(Picture::Made, "a \"b\".png", "image/png"),
            file(Picture::Waiting, "c.png", "image/png"),
            file(Picture::None, "d.mp4", "video/mp4"),
            file(Picture::None, "e.ogg", "audio/ogg"),
            file(Picture::None, "<f>.html", "application/octet-stream"),
        ]);
        let voice = Voice::parse("14200 00ff7f").unwrap();
        let spoken = Attachment {
            caption: String::new(),
            ..file(Picture::None, "voice-message.webm", "audio/webm")
        };
        let spoken = spoken.with_voice(voice.clone()).unwrap();
        assert!(
            file(Picture::Made, "g.png", "image/png")
                .with_voice(voice)
                .is_err()
        );
        insta::assert_snapshot!(
            "message_voice",
            render(&Message {
                body: String::new(),
                files: Attachments(vec![spoken]),
                ..plain.clone()
            })
        );
        insta::assert_snapshot!(
            "message_files",
            render(&Message {
                body: String::new(),
                files,
                ..plain.clone()
            })
        );
        let reaction = |emoji: &str, count| Reaction {
            emoji: emoji.into(),
            count,
            by: vec![AccountId(8), AccountId(9)],
        };
        let answer = Message {
            reply: Reply {
                to: Some(MessageId(3_179_046_911_541_200)),
                author: Some(AccountId(8)),
                author_name: Some("<Bob>".into()),
                text: Some("Is **<b>it</b>** cold?\n\nVery".into()),
                revision: Some(1),
                is_deleted: Some(false),
                ..Reply::default()
            },
            reactions: Reactions(vec![reaction("👍", 2), reaction(":tide:", 120)]),
            pinned_at: Some(Micros(1_795_228_260_000_000)),
            ..plain.clone()
        };
        insta::assert_snapshot!("message_answer", render(&answer));
        let gone = Message {
            reply: Reply {
                is_deleted: Some(true),
                ..answer.reply
            },
            ..plain.clone()
        };
        insta::assert_snapshot!("message_answer_to_deleted", render(&gone));
        let hostile = Message {
            author_name: "<img src=x onerror=alert(1)>".into(),
            body: "<script>alert(1)</script>".into(),
            ..plain
        };
        insta::assert_snapshot!("message_hostile", render(&hostile));
    }
}
