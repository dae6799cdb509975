//! Forum rooms: each message is a post with a title, tags of the room, and the thread that grows
//! from it. The room's page lists its posts by their newest activity, in rows that are live.

use askama::Template;

use super::forum_store::{self, Post};
use super::model::MessageId;
use super::thread_store::{self, Thread};
use super::{Chat, markdown};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{self, AccountId, RoomId};
use crate::base::locale::Lang;
use crate::base::text::{check_short_text, is_blank, normalize_line};
use crate::community::{Face, insert_thread};
use crate::engine::partial::Partial;
use crate::id;

id!(
    /// A tag of a forum room.
    TagId
);

/// Graphemes of a post's title.
pub(super) const MAX_POST_TITLE_CHARS: usize = 100;
/// Tags of a post.
pub(super) const MAX_POST_TAGS: usize = 5;
/// Tags of a forum room.
pub(super) const MAX_ROOM_TAGS: usize = 20;
/// Graphemes of a tag.
pub(super) const MAX_TAG_CHARS: usize = 20;
/// Characters of a post's text in its row.
const MAX_ROW_CHARS: usize = 200;

/// What a post has besides its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) title: String,
    /// Those of them that the room has when it is stored.
    pub(super) tags: Vec<TagId>,
}

impl Heading {
    /// # Errors
    /// `Invalid` for a title that is missing or too long, and for too many tags.
    pub(super) fn new(title: &str, mut tags: Vec<TagId>) -> Result<Self> {
        let title = normalize_line(title);
        let mut check = Check::default();
        check.that(!is_blank(&title), "title", "error-post-title", 0);
        check_short_text(&title, "title", MAX_POST_TITLE_CHARS, &mut check);
        tags.sort_unstable();
        tags.dedup();
        let is_few = tags.len() <= MAX_POST_TAGS;
        check.that(is_few, "tags", "error-post-tags", MAX_POST_TAGS);
        check.done()?;
        Ok(Self { title, tags })
    }

    /// The tags as a held message keeps them.
    pub(super) fn tags_text(&self) -> String {
        let tags: Vec<_> = self.tags.iter().map(ToString::to_string).collect();
        tags.join(",")
    }

    /// Those of a held message, if it is a post.
    pub(super) fn of_held(title: &str, tags: &str) -> Option<Self> {
        (!title.is_empty()).then(|| Self {
            title: title.to_owned(),
            tags: tags.split(',').filter_map(|tag| tag.parse().ok()).collect(),
        })
    }

    /// Makes the thread of a new post, in the transaction that stores its message.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn insert(
        &self,
        tx: &mut Tx,
        forum: RoomId,
        (message, author): (MessageId, AccountId),
    ) -> Result<RoomId> {
        // Posts stand alone, however soon one follows another.
        const APART: &str = "UPDATE messages SET continues = FALSE WHERE id = $1 AND continues";
        tx.execute(APART, (message,)).await?;
        let room = insert_thread(tx, forum, &self.title).await?;
        let thread = Thread {
            room,
            parent: forum,
            origin: message,
            begun_by: author,
            is_post: true,
            replies: 0,
            last: message,
        };
        thread_store::insert(tx, &thread).await?;
        forum_store::set_tags(tx, room, &self.tags).await?;
        thread_store::follow(tx, author, room).await?;
        Ok(room)
    }
}

/// The tags that a form names, one in each line.
///
/// # Errors
/// `Invalid` for too many, and for one that is too long.
pub(super) fn tags_of_form(text: &str) -> Result<Vec<String>> {
    let mut check = Check::default();
    let mut tags: Vec<String> = Vec::new();
    for line in text.lines().take(MAX_ROOM_TAGS * 10) {
        let tag = normalize_line(line);
        if is_blank(&tag) || tags.contains(&tag) {
            continue;
        }
        check_short_text(&tag, "tags", MAX_TAG_CHARS, &mut check);
        tags.push(tag);
    }
    let is_few = tags.len() <= MAX_ROOM_TAGS && text.lines().count() <= MAX_ROOM_TAGS * 10;
    check.that(is_few, "tags", "error-room-tags", MAX_ROOM_TAGS);
    check.done()?;
    Ok(tags)
}

/// A post in the list of its room.
#[derive(Template)]
#[template(path = "chat/post_row.html")]
pub(super) struct PostRow<'a> {
    post: &'a Post,
    face: Face,
    text: String,
    lang: Lang,
}

impl<'a> PostRow<'a> {
    pub(super) fn new(post: &'a Post, lang: Lang) -> Self {
        Self {
            face: Face::of(post.author, &post.author_name),
            text: markdown::to_plain(&post.body, MAX_ROW_CHARS),
            post,
            lang,
        }
    }

    fn replies(&self) -> String {
        let count = [("count", self.post.replies.into())];
        self.lang.with("thread-replies", &count)
    }

    fn last(&self) -> Micros {
        ids::time_of(self.post.last.0)
    }

    pub(super) fn html(&self) -> String {
        // Writing strings into a string does not fail.
        self.render().unwrap_or_default()
    }
}

/// What brings the row of a post up to date in the lists that show it; with a new reply, and when
/// it is new, it goes to their tops.
pub(super) fn row_frame(post: &Post, is_moved: bool, lang: Lang) -> String {
    let (thread, room) = (post.thread, post.room);
    let row = format!("#post-{thread}");
    if !post.is_listed() {
        return Partial::delete(row).to_string();
    }
    let html = PostRow::new(post, lang).html();
    if !is_moved {
        return Partial::replace(row, &html).to_string();
    }
    let mut lists = vec!["[data-tag='']".to_owned()];
    lists.extend(post.tags.iter().map(|(id, _)| format!("[data-tag='{id}']")));
    let list = format!("#posts-{room}:is({})", lists.join(","));
    format!(
        "{}{}{}",
        Partial::delete(row),
        Partial::delete(format!("#no-posts-{room}")),
        Partial::prepend(list, &html)
    )
}

impl Chat {
    /// Checks that what is posted in a room fits it: posts with titles in forums, messages
    /// elsewhere.
    ///
    /// # Errors
    /// `Conflict` when it does not.
    pub(super) fn check_form(is_forum: bool, heading: Option<&Heading>) -> Result<()> {
        match (is_forum, heading.is_some()) {
            (true, false) => Err(Error::Conflict("error-forum-only-posts")),
            (false, true) => Err(Error::Conflict("error-not-a-forum")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heading_is_bounded_in_any_script() {
        let title = "👩‍👩‍👧‍👦".repeat(MAX_POST_TITLE_CHARS);
        assert!(Heading::new(&title, Vec::new()).is_ok());
        assert!(Heading::new(&format!("{title}ก"), Vec::new()).is_err());
        assert!(Heading::new(" \u{200b} ", Vec::new()).is_err());
        let tags = |count: i64| (1..=count).map(TagId).collect::<Vec<_>>();
        assert!(Heading::new("水", tags(5)).is_ok());
        assert!(Heading::new("水", tags(6)).is_err());
        let twice = Heading::new("水", vec![TagId(2), TagId(1), TagId(2)]);
        let twice = twice.ok().map(|heading| heading.tags_text());
        assert_eq!(twice.as_deref(), Some("1,2"));
    }

    #[test]
    fn tags_of_a_form_are_bounded_and_named_once() {
        let tags = tags_of_form("help\n\n  ช่วย \nhelp\n🌊 sea");
        assert_eq!(
            tags.ok(),
            Some(vec!["help".into(), "ช่วย".into(), "🌊 sea".into()])
        );
        assert!(tags_of_form(&"x".repeat(21)).is_err());
        let many: Vec<_> = (0..21).map(|n| n.to_string()).collect();
        assert!(tags_of_form(&many.join("\n")).is_err());
    }
}
