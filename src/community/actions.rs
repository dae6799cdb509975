//! What people do with places, invitations and their own account. Each function serves form, JSON
//! and socket.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Community;
use super::emoji::EMOJI;
use super::invites::InviteId;
use super::portraits::{EMBLEM, PORTRAIT};
use super::room_form::RoomForm;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::locale::Lang;
use crate::engine::actions::{Class, Outcome};
use crate::engine::files::FileId;
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .action(
            "community.create-space",
            "Makes a space with a room",
            Class::Create,
            create_space,
        )
        .action(
            "community.rename-space",
            "Gives a space another name",
            Class::Write,
            rename_space,
        )
        .action(
            "community.remove-member",
            "Removes someone from a space, or leaves it",
            Class::Write,
            remove_member,
        )
        .action(
            "community.invite",
            "Makes an invitation link",
            Class::Create,
            invite,
        )
        .action(
            "community.revoke-invite",
            "Takes an invitation link back",
            Class::Write,
            revoke_invite,
        )
        .action(
            "community.create-room",
            "Makes a room",
            Class::Create,
            create_room,
        )
        .action(
            "community.change-room",
            "Changes a room's name, privacy and members",
            Class::Write,
            change_room,
        )
        .action(
            "community.archive-room",
            "Closes a room, or opens it again",
            Class::Write,
            archive_room,
        )
        .action(
            "community.open-direct",
            "Opens the direct conversation with these people",
            Class::Create,
            open_direct,
        )
        .action(
            "community.end-session",
            "Ends one of one's sessions",
            Class::Write,
            end_session,
        )
        .action(
            "community.set-language",
            "Chooses the language of one's pages",
            Class::Write,
            set_language,
        )
        .action_with_files(
            "community.set-portrait",
            "Gives one's account a picture, or none",
            Class::Write,
            PORTRAIT,
            set_portrait,
        )
        .action_with_files(
            "community.set-emblem",
            "Gives a space a picture, or none",
            Class::Write,
            EMBLEM,
            set_emblem,
        )
        .action_with_files(
            "community.add-emoji",
            "Adds an emoji to a space",
            Class::Write,
            EMOJI,
            add_emoji,
        )
        .action(
            "community.remove-emoji",
            "Takes an emoji from a space",
            Class::Write,
            remove_emoji,
        )
}

#[derive(Deserialize)]
struct CreateSpace {
    name: String,
}

async fn create_space(community: Community, viewer: Viewer, input: CreateSpace) -> Result<Outcome> {
    let space = community.spaces.create(viewer.account, &input.name).await?;
    Ok(Outcome::new(
        json!({ "space": space }),
        format!("/spaces/{space}"),
    ))
}

#[derive(Deserialize)]
struct RenameSpace {
    space: SpaceId,
    name: String,
}

async fn rename_space(community: Community, viewer: Viewer, input: RenameSpace) -> Result<Outcome> {
    community
        .spaces
        .rename(viewer.account, input.space, &input.name)
        .await?;
    Ok(Outcome::new(
        Value::Null,
        format!("/spaces/{}/settings", input.space),
    ))
}

#[derive(Deserialize)]
struct RemoveMember {
    space: SpaceId,
    account: AccountId,
}

async fn remove_member(
    community: Community,
    viewer: Viewer,
    input: RemoveMember,
) -> Result<Outcome> {
    community
        .spaces
        .remove_member(viewer.account, input.space, input.account)
        .await?;
    let next = if input.account == viewer.account {
        "/".to_owned()
    } else {
        format!("/spaces/{}/settings", input.space)
    };
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
struct Invite {
    space: SpaceId,
    /// Empty: any number.
    #[serde(default)]
    uses: String,
    /// Days; empty: for ever.
    #[serde(default)]
    expires: String,
}

async fn invite(community: Community, viewer: Viewer, input: Invite) -> Result<Outcome> {
    let number = |text: &str, field| match text.trim() {
        "" => Ok(None),
        text => text
            .parse::<i64>()
            .map(Some)
            .map_err(|_| Error::field(field, "error-number")),
    };
    let uses = number(&input.uses, "uses")?;
    let lasts = number(&input.expires, "expires")?
        .map(|days| Duration::from_secs(u64::try_from(days).unwrap_or(0).saturating_mul(86_400)));
    let code = community
        .invites
        .create(viewer.account, input.space, uses, lasts)
        .await?;
    Ok(Outcome::new(
        json!({ "link": format!("/join/{code}") }),
        format!("/spaces/{}/settings#invites", input.space),
    ))
}

#[derive(Deserialize)]
struct RevokeInvite {
    space: SpaceId,
    invite: InviteId,
}

async fn revoke_invite(
    community: Community,
    viewer: Viewer,
    input: RevokeInvite,
) -> Result<Outcome> {
    community
        .invites
        .revoke(viewer.account, input.space, input.invite)
        .await?;
    Ok(Outcome::new(
        Value::Null,
        format!("/spaces/{}/settings#invites", input.space),
    ))
}

#[derive(Deserialize)]
struct CreateRoom {
    space: SpaceId,
    name: String,
    #[serde(default)]
    about: String,
    /// `yes` or nothing: a tick box.
    #[serde(default)]
    private: String,
    #[serde(default)]
    members: Vec<AccountId>,
}

async fn create_room(community: Community, viewer: Viewer, input: CreateRoom) -> Result<Outcome> {
    let form = RoomForm {
        name: input.name,
        about: input.about,
        private: input.private == "yes",
        members: input.members,
    };
    let room = community
        .rooms
        .create(viewer.account, input.space, form)
        .await?;
    Ok(Outcome::new(
        json!({ "room": room }),
        format!("/rooms/{room}"),
    ))
}

#[derive(Deserialize)]
struct ChangeRoom {
    room: RoomId,
    name: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    private: String,
    #[serde(default)]
    members: Vec<AccountId>,
}

async fn change_room(community: Community, viewer: Viewer, input: ChangeRoom) -> Result<Outcome> {
    let form = RoomForm {
        name: input.name,
        about: input.about,
        private: input.private == "yes",
        members: input.members,
    };
    community
        .rooms
        .change(viewer.account, input.room, form)
        .await?;
    Ok(Outcome::new(Value::Null, format!("/rooms/{}", input.room)))
}

#[derive(Deserialize)]
struct ArchiveRoom {
    room: RoomId,
    /// `yes` closes, anything else opens again.
    archive: String,
}

async fn archive_room(community: Community, viewer: Viewer, input: ArchiveRoom) -> Result<Outcome> {
    community
        .rooms
        .archive(viewer.account, input.room, input.archive == "yes")
        .await?;
    Ok(Outcome::new(Value::Null, format!("/rooms/{}", input.room)))
}

#[derive(Deserialize)]
struct OpenDirect {
    #[serde(default)]
    people: Vec<AccountId>,
}

async fn open_direct(community: Community, viewer: Viewer, input: OpenDirect) -> Result<Outcome> {
    let room = community
        .rooms
        .open_direct(viewer.account, input.people)
        .await?;
    Ok(Outcome::new(
        json!({ "room": room }),
        format!("/rooms/{room}"),
    ))
}

#[derive(Deserialize)]
struct EndSession {
    session: String,
}

async fn end_session(community: Community, viewer: Viewer, input: EndSession) -> Result<Outcome> {
    community
        .sessions
        .end(viewer.account, &input.session)
        .await?;
    Ok(Outcome::new(Value::Null, "/account"))
}

#[derive(Deserialize)]
struct SetLanguage {
    language: String,
}

async fn set_language(community: Community, viewer: Viewer, input: SetLanguage) -> Result<Outcome> {
    let known = input.language.is_empty() || Lang::all().any(|(tag, _)| tag == input.language);
    if !known {
        return Err(Error::field("language", "error-language"));
    }
    community
        .accounts
        .set_language(
            viewer.account,
            Some(input.language).filter(|tag| !tag.is_empty()),
        )
        .await?;
    Ok(Outcome::new(Value::Null, "/account"))
}

#[derive(Deserialize)]
struct SetPortrait {
    account: AccountId,
    #[serde(default)]
    files: Vec<FileId>,
}

async fn set_portrait(community: Community, viewer: Viewer, input: SetPortrait) -> Result<Outcome> {
    if input.account != viewer.account {
        return Err(Error::NotFound);
    }
    community
        .accounts
        .set_portrait(viewer.account, input.files.first().copied())
        .await?;
    Ok(Outcome::new(Value::Null, "/account"))
}

#[derive(Deserialize)]
struct SetEmblem {
    space: SpaceId,
    #[serde(default)]
    files: Vec<FileId>,
}

async fn set_emblem(community: Community, viewer: Viewer, input: SetEmblem) -> Result<Outcome> {
    community
        .spaces
        .set_emblem(viewer.account, input.space, input.files.first().copied())
        .await?;
    Ok(Outcome::new(
        Value::Null,
        format!("/spaces/{}/settings", input.space),
    ))
}

#[derive(Deserialize)]
struct AddEmoji {
    space: SpaceId,
    name: String,
    #[serde(default)]
    files: Vec<FileId>,
}

async fn add_emoji(community: Community, viewer: Viewer, input: AddEmoji) -> Result<Outcome> {
    community
        .emoji
        .add(
            viewer.account,
            input.space,
            &input.name,
            input.files.first().copied(),
        )
        .await?;
    Ok(Outcome::new(
        Value::Null,
        format!("/spaces/{}/settings#emoji", input.space),
    ))
}

#[derive(Deserialize)]
struct RemoveEmoji {
    space: SpaceId,
    name: String,
}

async fn remove_emoji(community: Community, viewer: Viewer, input: RemoveEmoji) -> Result<Outcome> {
    community
        .emoji
        .remove(viewer.account, input.space, &input.name)
        .await?;
    Ok(Outcome::new(
        Value::Null,
        format!("/spaces/{}/settings#emoji", input.space),
    ))
}
