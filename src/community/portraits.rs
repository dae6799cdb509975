//! Pictures of people (portraits) and of spaces (emblems).
//!
//! A [`Face`] is initials with an `<img>` over them. The image's URL is the same whether or not
//! there is a picture and whatever it shows, so cached messages and lists stay valid when somebody
//! changes their picture. Without a picture the response is one transparent pixel, and the initials
//! show.

use askama::filters::Safe;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;

use super::access::lock_account;
use super::accounts::Accounts;
use super::names::initials;
use super::spaces::Spaces;
use super::{Community, Scope, permissions};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::files::{File, FileId, FileKind, Files};
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;

pub(super) const PORTRAIT: &str = "community.portrait";
pub(super) const EMBLEM: &str = "community.emblem";
const MAX_PORTRAIT_BYTES: u64 = 8 << 20;

/// For pictures of others: a browser requests each at most once a minute.
const CACHE_BRIEFLY: &str = "private, max-age=60";
/// For one's own portrait and for emblems: a change is visible on the next page.
const REVALIDATE: &str = "private, no-cache";

/// How an account is drawn: initials on a hue, under its picture if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Face {
    /// Whose picture is laid over the initials.
    pub account: AccountId,
    /// One or two letters.
    pub initials: String,
    /// 0 to 11: a hue of the style sheet.
    pub hue: u8,
}

impl Face {
    /// The face of this account under this name.
    pub fn of(id: AccountId, name: &str) -> Self {
        Self {
            account: id,
            initials: initials(name),
            hue: u8::try_from((id.0 ^ (id.0 >> 20)).rem_euclid(12)).unwrap_or(0),
        }
    }

    /// The `<img>`, placed after the initials in an element of class `face`.
    pub fn img(&self) -> Safe<String> {
        Safe(img(&format!("/accounts/{}/picture", self.account)))
    }
}

/// The `<img>` of a space's emblem, placed after its initials in an element of class `emblem`.
pub(super) fn emblem_img(space: SpaceId) -> Safe<String> {
    Safe(img(&format!("/spaces/{space}/picture")))
}

/// The style sheet sets the size; the attributes give the aspect ratio before it is loaded.
fn img(src: &str) -> String {
    format!(
        "<img src=\"{src}\" alt=\"\" width=\"36\" height=\"36\" loading=\"lazy\" \
         decoding=\"async\">"
    )
}

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .files(cover(portrait_kind()))
        .files(cover(space_file_kind(EMBLEM, "A picture of a space")))
        .page(
            Audience::SignedIn,
            "/accounts/{account}/picture",
            get(serve_portrait),
        )
        .page(
            Audience::SignedIn,
            "/spaces/{space}/picture",
            get(serve_emblem),
        )
}

fn portrait_kind() -> FileKind<Community> {
    FileKind::new(
        PORTRAIT,
        "A picture of someone",
        "account",
        may_set_portrait,
        may_read_portrait,
    )
}

async fn may_read_portrait(community: Community, viewer: Viewer, file: File) -> Result<()> {
    let account = AccountId(file.target);
    match portrait_for(&community, viewer.account, account).await? {
        Some(shown) if shown == file.id => Ok(()),
        _ => Err(Error::NotFound),
    }
}

/// The portrait of an account, for those who share a space or conversation with it.
async fn portrait_for(
    community: &Community,
    viewer: AccountId,
    account: AccountId,
) -> Result<Option<FileId>> {
    const READ: &str = "SELECT picture FROM accounts WHERE id = $1 AND (id = $2 \
        OR EXISTS (SELECT 1 FROM members mine JOIN members theirs \
        ON theirs.space_id = mine.space_id \
        WHERE mine.account_id = $2 AND theirs.account_id = $1) \
        OR EXISTS (SELECT 1 FROM room_members mine JOIN room_members theirs \
        ON theirs.room_id = mine.room_id \
        WHERE mine.account_id = $2 AND theirs.account_id = $1))";
    let db = &community.engine().db;
    let picture: Option<Option<FileId>> = db.optional_scalar(READ, (account, viewer)).await?;
    Ok(picture.flatten())
}

/// Only one's own portrait may be set; it counts towards no space's quota.
async fn may_set_portrait(_: Community, viewer: Viewer, account: i64) -> Result<Option<SpaceId>> {
    if viewer.account.0 == account {
        Ok(None)
    } else {
        Err(Error::NotFound)
    }
}

/// A kind of picture that is shown over initials: opaque, so that they do not show through.
fn cover(kind: FileKind<Community>) -> FileKind<Community> {
    kind.pictures_only().opaque().max_bytes(MAX_PORTRAIT_BYTES)
}

/// A kind of file that the managers of a space may add and its members may read.
pub(super) fn space_file_kind(name: &'static str, about: &'static str) -> FileKind<Community> {
    FileKind::new(name, about, "space", may_add_to_space, may_read_of_space)
}

async fn may_add_to_space(
    community: Community,
    viewer: Viewer,
    space: i64,
) -> Result<Option<SpaceId>> {
    let space = SpaceId(space);
    let access = &community.access;
    access
        .permit(
            viewer.account,
            &permissions::MANAGE_SPACE,
            Scope::Space(space),
        )
        .await?;
    Ok(Some(space))
}

async fn may_read_of_space(community: Community, viewer: Viewer, file: File) -> Result<()> {
    let space = Scope::Space(SpaceId(file.target));
    let access = &community.access;
    access
        .permit(viewer.account, &permissions::READ, space)
        .await
}

/// `GET /accounts/<id>/picture`: for those who share a space or conversation with the account. All
/// others get what an account without a picture has.
async fn serve_portrait(
    State(community): State<Community>,
    viewer: Viewer,
    Path(account): Path<AccountId>,
    headers: HeaderMap,
) -> Result<Response> {
    let engine = community.engine();
    let picture = portrait_for(&community, viewer.account, account).await?;
    let cache_control = if account == viewer.account {
        REVALIDATE
    } else {
        CACHE_BRIEFLY
    };
    engine
        .files
        .small_picture(picture, cache_control, &headers)
        .await
}

/// `GET /spaces/<id>/picture`: for the members of the space.
async fn serve_emblem(
    State(community): State<Community>,
    viewer: Viewer,
    Path(space): Path<SpaceId>,
    headers: HeaderMap,
) -> Result<Response> {
    const READ: &str = "SELECT picture FROM spaces WHERE id = $1";
    community
        .access
        .permit(viewer.account, &permissions::READ, Scope::Space(space))
        .await?;
    let engine = community.engine();
    let picture: Option<FileId> = engine.db.scalar(READ, (space,)).await?;
    engine
        .files
        .small_picture(picture, REVALIDATE, &headers)
        .await
}

impl Accounts {
    /// Whether an account has a picture.
    pub(super) async fn has_portrait(&self, account: AccountId) -> Result<bool> {
        const READ: &str = "SELECT picture IS NOT NULL FROM accounts WHERE id = $1";
        self.engine.db.scalar(READ, (account,)).await
    }

    /// Sets or removes the portrait of an account; the file it replaces is released.
    pub(super) async fn set_portrait(
        &self,
        account: AccountId,
        file: Option<FileId>,
    ) -> Result<()> {
        const OLD: &str = "SELECT picture FROM accounts WHERE id = $1";
        const SET: &str = "UPDATE accounts SET picture = $2 WHERE id = $1";
        let files = self.engine.files.clone();
        let write = self.engine.db.write(async move |tx| {
            lock_account(tx, account).await?;
            let old: Option<FileId> = tx.scalar(OLD, (account,)).await?;
            tx.execute(SET, (account, file)).await?;
            replace_file(tx, &files, old, file, (PORTRAIT, account.0, account)).await
        });
        write.await
    }
}

impl Spaces {
    /// Whether a space has an emblem.
    pub(super) async fn has_emblem(&self, space: SpaceId) -> Result<bool> {
        const READ: &str = "SELECT picture IS NOT NULL FROM spaces WHERE id = $1";
        self.engine.db.scalar(READ, (space,)).await
    }

    /// Sets or removes the emblem of a space; the file it replaces is released.
    pub(super) async fn set_emblem(
        &self,
        by: AccountId,
        space: SpaceId,
        file: Option<FileId>,
    ) -> Result<()> {
        const OLD: &str = "SELECT picture FROM spaces WHERE id = $1";
        const SET: &str = "UPDATE spaces SET picture = $2 WHERE id = $1";
        let files = self.engine.files.clone();
        let write = async move |tx: &mut Tx| {
            let old: Option<FileId> = tx.scalar(OLD, (space,)).await?;
            tx.execute(SET, (space, file)).await?;
            replace_file(tx, &files, old, file, (EMBLEM, space.0, by)).await
        };
        self.access
            .permitted_write(by, &permissions::MANAGE_SPACE, Scope::Space(space), write)
            .await
    }
}

/// Claims the new file, of a kind, for a target, on behalf of its owner, and releases the old one.
async fn replace_file(
    tx: &mut Tx,
    files: &Files,
    old: Option<FileId>,
    new: Option<FileId>,
    (kind, target, owner): (&'static str, i64, AccountId),
) -> Result<()> {
    if let Some(new) = new {
        files.claim(tx, new, kind, target, owner).await?;
    }
    match old {
        Some(old) => files.release(tx, old).await,
        None => Ok(()),
    }
}
