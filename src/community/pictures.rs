//! Pictures of people and spaces, and the emoji of spaces.
//!
//! What is drawn for a person or a space everywhere is a face with initials. Where there is a
//! picture, one style sheet for the whole server lays it over them: so no message or list has to be
//! made anew when somebody changes theirs, and it works without scripts. The sheet's address
//! changes with its contents.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, PoisonError};

use sqlx::FromRow;

use super::topics::EmojiChanged;
use super::{Community, Scope, permissions};
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::bus::Origin;
use crate::engine::files::{File, FileId, FileKind};
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

pub(super) const PORTRAIT: &str = "community.portrait";
pub(super) const EMBLEM: &str = "community.emblem";
pub(super) const EMOJI: &str = "community.emoji";
const MAX_PICTURE_BYTES: u64 = 8 << 20; // bytes of a picture of someone
const MAX_EMOJI_BYTES: u64 = 1 << 20;
const MAX_SHOWN: i64 = 2_000; // pictures in the style sheet, the newest
/// Emoji that a space may have.
const MAX_EMOJI: i64 = 500;
const MAX_EMOJI_NAME_BYTES: usize = 32;

/// The style sheet of all pictures.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) css: String,
    /// Part of its address.
    pub(super) version: String,
}

/// An emoji of a space.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Emoji {
    /// As it is written between colons.
    pub name: String,
    /// Its picture.
    #[sqlx(rename = "file_id")]
    pub file: FileId,
    /// Who made it.
    pub made_by: AccountId,
}

impl Emoji {
    /// Where its picture is.
    pub fn href(&self) -> String {
        format!("/files/{}/{}?size=small", self.file, self.name)
    }
}

/// The emoji of a space by name: their pictures.
pub type EmojiSet = BTreeMap<String, FileId>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .files(|community| shown(community, portrait().at_most(MAX_PICTURE_BYTES)))
        .files(|community| {
            let emblem = of_space(community, EMBLEM, "A picture of a space");
            shown(community, emblem.at_most(MAX_PICTURE_BYTES))
        })
        .files(|community| {
            let emoji = of_space(community, EMOJI, "An emoji of a space");
            shown(community, emoji.at_most(MAX_EMOJI_BYTES))
        })
}

fn portrait() -> FileKind {
    FileKind::new(
        PORTRAIT,
        "A picture of someone",
        "account",
        |viewer, account| async move {
            if viewer.account.0 == account {
                Ok(None)
            } else {
                Err(Error::NotFound)
            }
        },
        // Whoever is on this server may see who else is.
        |_, _| async { Ok(()) },
    )
}

/// A kind that who manages a space may add to it, and its members may see.
fn of_space(community: &Community, name: &'static str, about: &'static str) -> FileKind {
    let (adds, reads) = (community.clone(), community.clone());
    let may_add = move |viewer: Viewer, space| {
        let (community, space) = (adds.clone(), SpaceId(space));
        async move {
            community
                .permit(
                    viewer.account,
                    &permissions::MANAGE_SPACE,
                    Scope::Space(space),
                )
                .await
                .map(|()| Some(space))
        }
    };
    let may_read = move |viewer: Viewer, file: File| {
        let community = reads.clone();
        async move {
            community
                .permit(
                    viewer.account,
                    &permissions::READ,
                    Scope::Space(SpaceId(file.place)),
                )
                .await
        }
    };
    FileKind::new(name, about, "space", may_add, may_read)
}

/// A picture, shown on every page once it is made.
fn shown(community: &Community, kind: FileKind) -> FileKind {
    let community = community.clone();
    kind.pictures_only().when_ready(move |tx, _| {
        let community = community.clone();
        tx.after_commit(move || drop(tokio::spawn(async move { community.show_pictures().await })));
        Box::pin(async { Ok(()) })
    })
}

impl Community {
    /// Reads the pictures again: from now on every page shows them.
    pub(super) async fn show_pictures(&self) {
        match self.sheet().await {
            Ok(sheet) => {
                *self
                    .0
                    .pictures
                    .write()
                    .unwrap_or_else(PoisonError::into_inner) = Arc::new(sheet);
            }
            Err(error) => tracing::warn!(%error, "pictures of people and spaces could not be read"),
        }
    }

    async fn sheet(&self) -> Result<Sheet> {
        const FACES: &str = "SELECT a.id, f.id FROM accounts a JOIN files f ON f.id = a.picture WHERE f.picture = 'made' ORDER BY f.id DESC LIMIT $1";
        const EMBLEMS: &str = "SELECT s.id, f.id FROM spaces s JOIN files f ON f.id = s.picture WHERE f.picture = 'made' ORDER BY f.id DESC LIMIT $1";
        let db = &self.0.engine.db;
        let faces: Vec<(i64, FileId)> = db.all(FACES, (MAX_SHOWN,)).await?;
        let emblems: Vec<(i64, FileId)> = db.all(EMBLEMS, (MAX_SHOWN,)).await?;
        let mut css = String::from("@layer modules {\n");
        for (what, pictures) in [("face", faces), ("emblem", emblems)] {
            for (id, file) in pictures {
                // Writing to a string does not fail.
                let _ = writeln!(
                    css,
                    "[data-{what}=\"{id}\"] {{ --picture: url(/files/{file}/{what}?size=small); color: transparent }}"
                );
            }
        }
        css.push_str("}\n");
        let version = blake3::hash(css.as_bytes()).to_hex()[..16].to_owned();
        Ok(Sheet { css, version })
    }

    pub(super) fn pictures(&self) -> Arc<Sheet> {
        self.0
            .pictures
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Gives an account another picture, or none.
    pub(super) async fn set_portrait(
        &self,
        account: AccountId,
        file: Option<FileId>,
    ) -> Result<()> {
        const OLD: &str = "SELECT picture FROM accounts WHERE id = $1";
        const SET: &str = "UPDATE accounts SET picture = $2 WHERE id = $1";
        self.replace_picture(account, PORTRAIT, account.0, file, [OLD, SET])
            .await
    }

    /// Gives a space another picture, or none.
    pub(super) async fn set_emblem(
        &self,
        by: AccountId,
        space: SpaceId,
        file: Option<FileId>,
    ) -> Result<()> {
        self.permit(by, &permissions::MANAGE_SPACE, Scope::Space(space))
            .await?;
        const OLD: &str = "SELECT picture FROM spaces WHERE id = $1";
        const SET: &str = "UPDATE spaces SET picture = $2 WHERE id = $1";
        self.replace_picture(by, EMBLEM, space.0, file, [OLD, SET])
            .await
    }

    /// Puts a picture in the place of another, which is forgotten.
    async fn replace_picture(
        &self,
        by: AccountId,
        kind: &'static str,
        of: i64,
        file: Option<FileId>,
        [old, set]: [&'static str; 2],
    ) -> Result<()> {
        let files = self.0.engine.files.clone();
        let write = self.0.engine.db.write(async move |tx| {
            if let Some(file) = file {
                files.claim(tx, file, kind, of, by).await?;
            }
            let old: Option<FileId> = tx.scalar(old, (of,)).await?;
            tx.execute(set, (of, file)).await?;
            match old {
                Some(old) => files.release(tx, old).await,
                None => Ok(()),
            }
        });
        write.await?;
        self.show_pictures().await;
        Ok(())
    }

    /// The emoji of a space, by name.
    pub async fn emoji_of(&self, space: SpaceId) -> Result<Vec<Emoji>> {
        const READ: &str =
            "SELECT name, file_id, made_by FROM emoji WHERE space_id = $1 ORDER BY name LIMIT $2";
        self.0.engine.db.all(READ, (space, MAX_EMOJI)).await
    }

    /// The emoji that may be written in a room: those of its space.
    pub async fn emoji_in(&self, room: RoomId) -> Result<Arc<EmojiSet>> {
        let Some(space) = self.room(room).await?.space else {
            return Ok(Arc::default());
        };
        self.remember(&self.0.emoji, space, |deps| deps.add(space), async {
            let all = self.emoji_of(space).await?;
            Ok(Arc::new(
                all.into_iter()
                    .map(|emoji| (emoji.name, emoji.file))
                    .collect(),
            ))
        })
        .await
    }

    /// Adds an emoji to a space.
    ///
    /// # Errors
    /// `Invalid` for a name that cannot be written between colons or is taken, or without a
    /// picture; `Conflict` past 500.
    pub(super) async fn add_emoji(
        &self,
        by: AccountId,
        space: SpaceId,
        name: &str,
        file: Option<FileId>,
    ) -> Result<()> {
        self.permit(by, &permissions::MANAGE_SPACE, Scope::Space(space))
            .await?;
        let name = name.trim().trim_matches(':').to_lowercase();
        let fits = (2..=MAX_EMOJI_NAME_BYTES).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        Check::default()
            .that(fits, "name", "error-emoji-name", MAX_EMOJI_NAME_BYTES)
            .that(file.is_some(), "files", "error-file-picture", 0)
            .done()?;
        let (community, file) = (self.clone(), file.ok_or(Error::NotFound)?);
        let write = self.0.engine.db.write(async move |tx| {
                community.0.engine.files.claim(tx, file, EMOJI, space.0, by).await?;
                const COUNT: &str = "SELECT COUNT(*) FROM emoji WHERE space_id = $1";
                let count: i64 = tx.scalar(COUNT, (space,)).await?;
                if count >= MAX_EMOJI {
                    return Err(Error::Conflict("error-emoji-many"));
                }
                const ADD: &str = "INSERT INTO emoji (space_id, name, file_id, made_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
                let added = tx.execute(ADD, (space, &name, file, by)).await?;
                if added == 0 {
                    return Err(Error::field("name", "error-emoji-taken"));
                }
                let origin = Origin::new(by, Some(space));
                let bus = &community.0.engine.bus;
                bus.publish_after_commit(tx, origin, EmojiChanged { space, name });
                Ok(())
            });
        write.await
    }

    /// Takes an emoji from a space. What was written with it shows its name again.
    pub(super) async fn remove_emoji(
        &self,
        by: AccountId,
        space: SpaceId,
        name: &str,
    ) -> Result<()> {
        self.permit(by, &permissions::MANAGE_SPACE, Scope::Space(space))
            .await?;
        let (community, name) = (self.clone(), name.to_owned());
        let write = self.0.engine.db.write(async move |tx| {
            const REMOVE: &str =
                "DELETE FROM emoji WHERE space_id = $1 AND name = $2 RETURNING file_id";
            let file: FileId = tx.scalar(REMOVE, (space, &name)).await?;
            let origin = Origin::new(by, Some(space));
            let bus = &community.0.engine.bus;
            bus.publish_after_commit(tx, origin, EmojiChanged { space, name });
            community.0.engine.files.release(tx, file).await
        });
        write.await
    }
}
