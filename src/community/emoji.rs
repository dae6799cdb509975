//! The emoji of spaces: pictures that members write as `:name:`.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use sqlx::FromRow;

use super::cache::StoreCache;
use super::permissions::MANAGE_SPACE;
use super::portraits::space_file_kind;
use super::topics::EmojiChanged;
use super::{Access, Community, Scope};
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::Engine;
use crate::engine::bus::Origin;
use crate::engine::files::FileId;
use crate::engine::module::Module;
use crate::engine::versions::Dependencies;

pub(super) const EMOJI: &str = "community.emoji";
const MAX_EMOJI_BYTES: u64 = 1 << 20;
const MAX_EMOJI: i64 = 500; // of one space
const MAX_EMOJI_NAME_BYTES: usize = 32;

/// An emoji of a space.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Emoji {
    /// The name, without colons.
    pub name: String,
    /// The picture.
    #[sqlx(rename = "file_id")]
    pub file: FileId,
    /// The account that added it.
    pub made_by: AccountId,
}

impl Emoji {
    /// The URL of its picture.
    pub fn href(&self) -> String {
        format!("/files/{}/{}?size=small", self.file, self.name)
    }
}

/// The emoji of one space: pictures by name.
#[derive(Clone, Debug, Default)]
pub struct EmojiSet {
    files: BTreeMap<String, FileId>,
    version: u64,
}

impl EmojiSet {
    /// The picture of an emoji.
    pub fn get(&self, name: &str) -> Option<FileId> {
        self.files.get(name).copied()
    }

    /// Whether the space has none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// A hash of the names and pictures, the same on every instance: part of the cache key of
    /// whatever is rendered with this set.
    pub fn version(&self) -> u64 {
        self.version
    }
}

impl FromIterator<(String, FileId)> for EmojiSet {
    fn from_iter<T: IntoIterator<Item = (String, FileId)>>(all: T) -> Self {
        let files: BTreeMap<_, _> = all.into_iter().collect();
        // `DefaultHasher::new` has fixed keys, so every process computes the same version.
        let mut hasher = DefaultHasher::new();
        for (name, file) in &files {
            (name, file.0).hash(&mut hasher);
        }
        Self {
            version: hasher.finish(),
            files,
        }
    }
}

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    let kind = space_file_kind(EMOJI, "An emoji of a space");
    module.files(kind.pictures_only().max_bytes(MAX_EMOJI_BYTES))
}

/// Whether a standard emoji has this name.
fn is_standard(name: &str) -> bool {
    emojis::get_by_shortcode(name).is_some()
}

/// Normalizes a name and records if it is malformed or belongs to a standard emoji.
fn check_emoji_name(name: &str, check: &mut Check) -> String {
    let name = name.trim().trim_matches(':').to_lowercase();
    let is_valid = (2..=MAX_EMOJI_NAME_BYTES).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    // Messages resolve standard names first, so a custom emoji of this name would never show.
    let is_standard = is_standard(&name);
    check
        .that(
            is_valid || is_standard,
            "name",
            "error-emoji-name",
            MAX_EMOJI_NAME_BYTES,
        )
        .that(!is_standard, "name", "error-emoji-standard", 0);
    name
}

/// The emoji of this server's spaces. Cheap to clone.
#[derive(Clone)]
pub struct EmojiSets {
    engine: Engine,
    access: Access,
    by_space: StoreCache<SpaceId, Arc<EmojiSet>>,
}

impl EmojiSets {
    pub(super) fn new(engine: &Engine, access: &Access) -> Self {
        Self {
            by_space: StoreCache::new(engine),
            engine: engine.clone(),
            access: access.clone(),
        }
    }

    /// The emoji of a space, by name.
    pub async fn list(&self, space: SpaceId) -> Result<Vec<Emoji>> {
        const READ: &str =
            "SELECT name, file_id, made_by FROM emoji WHERE space_id = $1 ORDER BY name LIMIT $2";
        self.engine.db.all(READ, (space, MAX_EMOJI)).await
    }

    /// The emoji that may be written in a room: those of its space.
    pub async fn in_room(&self, room: RoomId) -> Result<Arc<EmojiSet>> {
        let Some(space) = self.access.room(room).await?.space else {
            return Ok(Arc::default());
        };
        let load = async |deps: &Dependencies| {
            deps.add(space);
            let all = self.list(space).await?;
            let set = all.into_iter().map(|emoji| (emoji.name, emoji.file));
            Ok(Arc::new(set.collect()))
        };
        self.by_space.get_or_load(space, load).await
    }

    /// Adds an emoji to a space.
    ///
    /// # Errors
    /// `Invalid` for a malformed name, one that is taken or belongs to a standard emoji, or without
    /// a picture; `Conflict` past 500 emoji.
    pub(super) async fn add(
        &self,
        by: AccountId,
        space: SpaceId,
        name: &str,
        file: Option<FileId>,
    ) -> Result<()> {
        let (engine, name) = (self.engine.clone(), name.to_owned());
        let add = async move |tx: &mut Tx| {
            let mut check = Check::default();
            let name = check_emoji_name(&name, &mut check);
            check
                .that(file.is_some(), "files", "error-file-picture", 0)
                .done()?;
            let (files, file) = (&engine.files, file.ok_or(Error::NotFound)?);
            files.claim(tx, file, EMOJI, space.0, by).await?;
            const COUNT: &str = "SELECT COUNT(*) FROM emoji WHERE space_id = $1";
            let count: i64 = tx.scalar(COUNT, (space,)).await?;
            if count >= MAX_EMOJI {
                return Err(Error::Conflict("error-emoji-many"));
            }
            const ADD: &str = "INSERT INTO emoji (space_id, name, file_id, made_by) \
                VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
            let added = tx.execute(ADD, (space, &name, file, by)).await?;
            if added == 0 {
                return Err(Error::field("name", "error-emoji-taken"));
            }
            let origin = Origin::new(by, Some(space));
            let changed = EmojiChanged { space };
            engine.bus.publish_after_commit(tx, origin, changed);
            Ok(())
        };
        self.access
            .permitted_write(by, &MANAGE_SPACE, Scope::Space(space), add)
            .await
    }

    /// Removes an emoji from a space. Messages that used it show its name again.
    pub(super) async fn remove(&self, by: AccountId, space: SpaceId, name: &str) -> Result<()> {
        let (engine, name) = (self.engine.clone(), name.to_owned());
        let remove = async move |tx: &mut Tx| {
            const REMOVE: &str =
                "DELETE FROM emoji WHERE space_id = $1 AND name = $2 RETURNING file_id";
            let file: FileId = tx.scalar(REMOVE, (space, name)).await?;
            engine.files.release(tx, file).await?;
            let origin = Origin::new(by, Some(space));
            let changed = EmojiChanged { space };
            engine.bus.publish_after_commit(tx, origin, changed);
            Ok(())
        };
        self.access
            .permitted_protective_write(by, &MANAGE_SPACE, Scope::Space(space), remove)
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(emoji: &[(&str, i64)]) -> EmojiSet {
        let all = emoji
            .iter()
            .map(|(name, file)| ((*name).to_owned(), FileId(*file)));
        all.collect()
    }

    #[test]
    fn emoji_set_version_differs_with_contents() {
        let tide = set(&[("tide", 1), ("sea", 2)]);
        assert_eq!(tide.version(), set(&[("sea", 2), ("tide", 1)]).version());
        for other in [&[][..], &[("tide", 1)], &[("tide", 3), ("sea", 2)]] {
            assert_ne!(tide.version(), set(other).version(), "{other:?}");
        }
    }

    #[test]
    fn standard_emoji_names_are_found() {
        for name in ["smile", "100", "+1", "-1", "heart_eyes", "de"] {
            assert!(is_standard(name), "{name}");
        }
        assert!(!is_standard("tide"));
    }
}
