//! What people do with places, invitations and their own account. Each function serves form, JSON
//! and socket.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Community;
use super::emoji::EMOJI;
use super::invites::InviteId;
use super::portraits::{EMBLEM, PORTRAIT};
use super::rooms::RoomForm;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, EventId, RoomId, SpaceId};
use crate::base::locale::Lang;
use crate::engine::actions::{Action, Class, Outcome};
use crate::engine::files::FileId;
use crate::engine::jobs::JobId;
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

pub(super) fn declare(community: &Community, module: Module) -> Module {
    macro_rules! act {
        ($name:literal, $about:literal, $class:ident, $run:ident) => {{
            let community = community.clone();
            Action::new($name, $about, Class::$class, move |viewer, input| {
                $run(community.clone(), viewer, input)
            })
        }};
    }
    module
        .action(act!(
            "community.create-space",
            "Makes a space with a room",
            Create,
            create_space
        ))
        .action(act!(
            "community.rename-space",
            "Gives a space another name",
            Write,
            rename_space
        ))
        .action(act!(
            "community.remove-member",
            "Removes someone from a space, or leaves it",
            Write,
            remove_member
        ))
        .action(act!(
            "community.invite",
            "Makes an invitation link",
            Create,
            invite
        ))
        .action(act!(
            "community.revoke-invite",
            "Takes an invitation link back",
            Write,
            revoke_invite
        ))
        .action(act!(
            "community.create-room",
            "Makes a room",
            Create,
            create_room
        ))
        .action(act!(
            "community.change-room",
            "Versions a room's name, privacy and members",
            Write,
            change_room
        ))
        .action(act!(
            "community.archive-room",
            "Closes a room, or opens it again",
            Write,
            archive_room
        ))
        .action(act!(
            "community.open-direct",
            "Opens the direct conversation with these people",
            Create,
            open_direct
        ))
        .action(act!(
            "community.end-session",
            "Ends one of one's sessions",
            Write,
            end_session
        ))
        .action(act!(
            "community.set-language",
            "Chooses the language of one's pages",
            Write,
            set_language
        ))
        .action(act!(
            "community.replay-letter",
            "Gives a dead letter to its handler again",
            Write,
            replay_letter
        ))
        .action(act!(
            "community.discard-letter",
            "Forgets a dead letter",
            Write,
            discard_letter
        ))
        .action(
            act!(
                "community.set-portrait",
                "Gives one's account a picture, or none",
                Write,
                set_portrait
            )
            .with_files(PORTRAIT),
        )
        .action(
            act!(
                "community.set-emblem",
                "Gives a space a picture, or none",
                Write,
                set_emblem
            )
            .with_files(EMBLEM),
        )
        .action(
            act!(
                "community.add-emoji",
                "Adds an emoji to a space",
                Write,
                add_emoji
            )
            .with_files(EMOJI),
        )
        .action(act!(
            "community.remove-emoji",
            "Takes an emoji from a space",
            Write,
            remove_emoji
        ))
        .action(act!(
            "community.retry-job",
            "Has a job that failed for good tried again",
            Write,
            retry_job
        ))
        .action(act!(
            "community.cancel-job",
            "Ends a job, or forgets one that waits or failed",
            Write,
            cancel_job
        ))
        .action(act!(
            "community.pause-jobs",
            "Lets no jobs of a kind begin, or lets them begin again",
            Write,
            pause_jobs
        ))
}

#[derive(Deserialize)]
struct CreateSpace {
    name: String,
}

async fn create_space(community: Community, viewer: Viewer, input: CreateSpace) -> Result<Outcome> {
    let space = community.create_space(viewer.account, &input.name).await?;
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
        .rename_space(viewer.account, input.space, &input.name)
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
        .invite(viewer.account, input.space, uses, lasts)
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
        .revoke_invite(viewer.account, input.space, input.invite)
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
        .create_room(viewer.account, input.space, form)
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
        .change_room(viewer.account, input.room, form)
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
        .archive_room(viewer.account, input.room, input.archive == "yes")
        .await?;
    Ok(Outcome::new(Value::Null, format!("/rooms/{}", input.room)))
}

#[derive(Deserialize)]
struct OpenDirect {
    #[serde(default)]
    people: Vec<AccountId>,
}

async fn open_direct(community: Community, viewer: Viewer, input: OpenDirect) -> Result<Outcome> {
    let room = community.direct_room(viewer.account, input.people).await?;
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
        .end_session(viewer.account, &input.session)
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
        .set_language(
            viewer.account,
            Some(input.language).filter(|tag| !tag.is_empty()),
        )
        .await?;
    Ok(Outcome::new(Value::Null, "/account"))
}

#[derive(Deserialize)]
struct Letter {
    event: EventId,
    subscriber: String,
}

async fn replay_letter(community: Community, viewer: Viewer, input: Letter) -> Result<Outcome> {
    community
        .replay_letter(viewer.account, input.event, &input.subscriber)
        .await?;
    Ok(Outcome::new(Value::Null, "/dead-letters"))
}

async fn discard_letter(community: Community, viewer: Viewer, input: Letter) -> Result<Outcome> {
    community
        .discard_letter(viewer.account, input.event, &input.subscriber)
        .await?;
    Ok(Outcome::new(Value::Null, "/dead-letters"))
}

#[derive(Deserialize)]
struct OneJob {
    job: JobId,
}

async fn retry_job(community: Community, viewer: Viewer, input: OneJob) -> Result<Outcome> {
    community
        .operated_by(&viewer)
        .await?
        .retry(input.job)
        .await?;
    Ok(Outcome::new(Value::Null, "/jobs"))
}

async fn cancel_job(community: Community, viewer: Viewer, input: OneJob) -> Result<Outcome> {
    community
        .operated_by(&viewer)
        .await?
        .cancel(input.job)
        .await?;
    Ok(Outcome::new(Value::Null, "/jobs"))
}

#[derive(Deserialize)]
struct PauseJobs {
    kind: String,
    pause: bool,
}

async fn pause_jobs(community: Community, viewer: Viewer, input: PauseJobs) -> Result<Outcome> {
    community
        .operated_by(&viewer)
        .await?
        .pause(&input.kind, input.pause)
        .await?;
    Ok(Outcome::new(Value::Null, "/jobs"))
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
        .add_emoji(
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
        .remove_emoji(viewer.account, input.space, &input.name)
        .await?;
    Ok(Outcome::new(
        Value::Null,
        format!("/spaces/{}/settings#emoji", input.space),
    ))
}
