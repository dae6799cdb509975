//! Actions on members who disturb others: time-outs, bans and notes.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::security_log::SecurityEvent;
use crate::community::Community;
use crate::community::bans::{BanForm, BanId};
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// A number of a form; zero when it is empty.
fn number(text: &str, field: &'static str) -> Result<u64> {
    match text.trim() {
        "" => Ok(0),
        text => text
            .parse()
            .map_err(|_| Error::field(field, "error-number")),
    }
}

#[derive(Deserialize)]
pub(super) struct TimeOut {
    space: SpaceId,
    account: AccountId,
    /// At most 28 days; zero ends it.
    minutes: String,
    #[serde(default)]
    reason: String,
}

pub(super) async fn time_out(
    community: Community,
    viewer: Viewer,
    input: TimeOut,
) -> Result<Outcome> {
    let minutes = number(&input.minutes, "minutes")?;
    let (by, space, account) = (viewer.account, input.space, input.account);
    let sanctions = &community.sanctions;
    let until = sanctions
        .time_out(by, space, account, minutes, &input.reason)
        .await?;
    SecurityEvent::RightsChanged.record(by, viewer.address, "timed_out");
    let result = json!({ "until": until.map(crate::base::clock::Micros::rfc3339) });
    Ok(Outcome::new(
        result,
        format!("/spaces/{space}/members/{account}"),
    ))
}

#[derive(Deserialize)]
pub(super) struct BanInput {
    space: SpaceId,
    account: AccountId,
    #[serde(default)]
    reason: String,
    /// Days until it ends; empty: never.
    #[serde(default)]
    days: String,
    /// A checkbox: `yes` or nothing. Nobody joins from the account's network either.
    #[serde(default)]
    address: String,
    /// Hours of which messages are deleted: at most a week; empty: none.
    #[serde(default)]
    delete_hours: String,
}

pub(super) async fn ban(community: Community, viewer: Viewer, input: BanInput) -> Result<Outcome> {
    let form = BanForm {
        account: input.account,
        days: number(&input.days, "days")?,
        delete_hours: number(&input.delete_hours, "delete_hours")?,
        with_network: input.address == "yes",
        reason: input.reason,
    };
    let sanctions = &community.sanctions;
    sanctions.ban(viewer.account, input.space, form).await?;
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, "banned");
    let next = format!("/spaces/{}/bans", input.space);
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
pub(super) struct Unban {
    space: SpaceId,
    ban: BanId,
}

pub(super) async fn unban(community: Community, viewer: Viewer, input: Unban) -> Result<Outcome> {
    let sanctions = &community.sanctions;
    sanctions
        .lift_ban(viewer.account, input.space, input.ban)
        .await?;
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, "unbanned");
    let next = format!("/spaces/{}/bans", input.space);
    Ok(Outcome::new(Value::Null, next))
}

#[derive(Deserialize)]
pub(super) struct AddNote {
    space: SpaceId,
    account: AccountId,
    note: String,
}

pub(super) async fn add_note(
    community: Community,
    viewer: Viewer,
    input: AddNote,
) -> Result<Outcome> {
    let (space, account) = (input.space, input.account);
    let sanctions = &community.sanctions;
    sanctions
        .add_note(viewer.account, space, account, &input.note)
        .await?;
    let next = format!("/spaces/{space}/members/{account}");
    Ok(Outcome::new(Value::Null, next))
}
