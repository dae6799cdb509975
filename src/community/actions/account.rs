//! Actions on one's own account.

use serde::Deserialize;
use serde_json::Value;

use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::list::List;
use crate::base::locale::Lang;
use crate::base::security_log::SecurityEvent;
use crate::community::Community;
use crate::engine::actions::Outcome;
use crate::engine::files::FileId;
use crate::engine::viewer::{Theme, Viewer};

#[derive(Deserialize)]
pub(super) struct EndSession {
    session: String,
}

pub(super) async fn end_session(
    community: Community,
    viewer: Viewer,
    input: EndSession,
) -> Result<Outcome> {
    community
        .sessions
        .end(viewer.account, &input.session)
        .await?;
    SecurityEvent::SessionEnded.record(viewer.account, viewer.address, "ended_by_account");
    Ok(Outcome::new(Value::Null, "/account"))
}

#[derive(Deserialize)]
pub(super) struct EndOtherSessions {}

pub(super) async fn end_other_sessions(
    community: Community,
    viewer: Viewer,
    _: EndOtherSessions,
) -> Result<Outcome> {
    let sessions = &community.sessions;
    sessions.end_others(viewer.account, &viewer.session).await?;
    Ok(Outcome::new(Value::Null, "/account"))
}

#[derive(Deserialize)]
pub(super) struct SetLanguage {
    language: String,
    /// `12`, `24`, or empty to follow the language. Clients that know no clock leave it as it is.
    clock: Option<String>,
}

pub(super) async fn set_language(
    community: Community,
    viewer: Viewer,
    input: SetLanguage,
) -> Result<Outcome> {
    let known = input.language.is_empty() || Lang::all().any(|(tag, _)| tag == input.language);
    if !known {
        return Err(Error::field("language", "error-language"));
    }
    let accounts = &community.accounts;
    let clock = match input.clock.as_deref() {
        None => accounts.get(viewer.account).await?.clock,
        Some("") => None,
        Some("12") => Some(12),
        Some("24") => Some(24),
        Some(_) => return Err(Error::field("clock", "error-message-shape")),
    };
    let language = Some(input.language).filter(|tag| !tag.is_empty());
    accounts
        .set_language(viewer.account, language, clock)
        .await?;
    Ok(Outcome::new(Value::Null, "/account"))
}

#[derive(Deserialize)]
pub(super) struct SetTheme {
    /// `light`, `dark`, or nothing: as the device has it.
    theme: String,
}

pub(super) async fn set_theme(
    community: Community,
    viewer: Viewer,
    input: SetTheme,
) -> Result<Outcome> {
    let theme = Theme::from_name(&input.theme);
    community.accounts.set_theme(viewer.account, theme).await?;
    Ok(Outcome::new(Value::Null, "/account"))
}

#[derive(Deserialize)]
pub(super) struct SetPortrait {
    account: AccountId,
    #[serde(default)]
    files: List<FileId, 1>,
}

pub(super) async fn set_portrait(
    community: Community,
    viewer: Viewer,
    input: SetPortrait,
) -> Result<Outcome> {
    if input.account != viewer.account {
        return Err(Error::NotFound);
    }
    community
        .accounts
        .set_portrait(viewer.account, input.files.first().copied())
        .await?;
    Ok(Outcome::new(Value::Null, "/account"))
}
