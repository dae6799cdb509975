//! Actions on how a space is joined, on applications, rules and the welcome.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::error::{Error, Result};
use crate::base::ids::{RoomId, SpaceId};
use crate::base::list::List;
use crate::base::security_log::SecurityEvent;
use crate::community::Community;
use crate::community::join_requests::JoinRequestId;
use crate::community::joining::JoinMode;
use crate::community::space_rules::MAX_WELCOME_ROOMS;
use crate::engine::actions::{Class, Outcome};
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .action(
            "community.set-joining",
            "Sets how a space is joined, and whether guests may become members",
            Class::Write,
            set_joining,
        )
        .action(
            "community.join-space",
            "Joins a space that is open, or of which one knows the password",
            Class::Write,
            join_space,
        )
        .action(
            "community.apply",
            "Asks to join a space",
            Class::Create,
            apply,
        )
        .action(
            "community.withdraw-application",
            "Takes one's application to a space back",
            Class::Write,
            withdraw_application,
        )
        .action(
            "community.answer-application",
            "Accepts or declines an application to a space",
            Class::Write,
            answer_application,
        )
        .action(
            "community.set-rules-text",
            "Sets the rules of a space, and has all members accept them again if wanted",
            Class::Write,
            set_rules,
        )
        .action(
            "community.accept-rules",
            "Accepts the rules of a space",
            Class::Write,
            accept_rules,
        )
        .action(
            "community.set-welcome",
            "Sets what the page says that members see after joining",
            Class::Write,
            set_welcome,
        )
        .action(
            "community.set-registration",
            "Says whether strangers may make accounts",
            Class::Write,
            set_registration,
        )
}

#[derive(Deserialize)]
struct SetJoining {
    space: SpaceId,
    /// The name of a [`JoinMode`].
    mode: String,
    /// Empty: the password stays.
    #[serde(default)]
    password: String,
    /// A checkbox: `yes` or nothing.
    #[serde(default)]
    guests_may_stay: String,
}

async fn set_joining(community: Community, viewer: Viewer, input: SetJoining) -> Result<Outcome> {
    let space = input.space;
    let mode = JoinMode::from_name(&input.mode);
    let mode = mode.ok_or(Error::field("mode", "error-message-shape"))?;
    let may_stay = input.guests_may_stay == "yes";
    community
        .set_joining(viewer.account, space, mode, input.password, may_stay)
        .await?;
    let next = format!("/spaces/{space}/joining");
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
struct JoinSpace {
    space: SpaceId,
    #[serde(default)]
    password: String,
}

async fn join_space(community: Community, viewer: Viewer, input: JoinSpace) -> Result<Outcome> {
    let space = input.space;
    community.join_space(&viewer, space, input.password).await?;
    let next = community.first_page(viewer.account, space).await?;
    Ok(Outcome::new(json!({ "space": space }), next))
}

#[derive(Deserialize)]
struct Apply {
    space: SpaceId,
    #[serde(default)]
    words: String,
}

async fn apply(community: Community, viewer: Viewer, input: Apply) -> Result<Outcome> {
    community.apply(&viewer, input.space, &input.words).await?;
    let next = format!("/spaces/{}/join", input.space);
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
struct OfSpace {
    space: SpaceId,
}

async fn withdraw_application(
    community: Community,
    viewer: Viewer,
    input: OfSpace,
) -> Result<Outcome> {
    community
        .withdraw_application(viewer.account, input.space)
        .await?;
    Ok(Outcome::new(Value::Null, "/spaces/open"))
}

#[derive(Deserialize)]
struct AnswerApplication {
    space: SpaceId,
    request: JoinRequestId,
    /// `yes`, or anything else to decline.
    accept: String,
    /// Words for who is declined.
    #[serde(default)]
    answer: String,
}

async fn answer_application(
    community: Community,
    viewer: Viewer,
    input: AnswerApplication,
) -> Result<Outcome> {
    let (by, space, request) = (viewer.account, input.space, input.request);
    if input.accept == "yes" {
        community.accept_application(by, space, request).await?;
        SecurityEvent::RightsChanged.record(by, viewer.address, "accepted");
    } else {
        let decline = community.decline_application(by, space, request, &input.answer);
        decline.await?;
    }
    let next = format!("/spaces/{space}/applications");
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
struct SetRules {
    space: SpaceId,
    #[serde(default)]
    rules: String,
    /// A checkbox: `yes` or nothing.
    #[serde(default)]
    asks_again: String,
}

async fn set_rules(community: Community, viewer: Viewer, input: SetRules) -> Result<Outcome> {
    let (space, asks_again) = (input.space, input.asks_again == "yes");
    community
        .set_rules(viewer.account, space, &input.rules, asks_again)
        .await?;
    let next = format!("/spaces/{space}/joining#rules");
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
struct AcceptRules {
    space: SpaceId,
    /// When the rules that were read were changed last, in microseconds.
    version: String,
}

async fn accept_rules(community: Community, viewer: Viewer, input: AcceptRules) -> Result<Outcome> {
    let (account, space) = (viewer.account, input.space);
    let version = input.version.parse();
    let version = version.map_err(|_| Error::field("form", "error-message-shape"))?;
    community.accept_rules(account, space, version).await?;
    let next = community.first_page(account, space).await?;
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
struct SetWelcome {
    space: SpaceId,
    #[serde(default)]
    welcome: String,
    #[serde(default)]
    rooms: List<RoomId, MAX_WELCOME_ROOMS>,
}

async fn set_welcome(community: Community, viewer: Viewer, input: SetWelcome) -> Result<Outcome> {
    let (space, rooms) = (input.space, input.rooms.into_vec());
    community
        .set_welcome(viewer.account, space, &input.welcome, rooms)
        .await?;
    let next = format!("/spaces/{space}/joining#welcome");
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
struct SetRegistration {
    /// A checkbox: `yes` or nothing.
    #[serde(default)]
    open: String,
}

async fn set_registration(
    community: Community,
    viewer: Viewer,
    input: SetRegistration,
) -> Result<Outcome> {
    let is_open = input.open == "yes";
    community.set_registration(viewer.account, is_open).await?;
    Ok(Outcome::new(Value::Null, "/registration"))
}
