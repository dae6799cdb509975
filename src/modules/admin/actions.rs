//! The host's actions on jobs and dead letters.

use serde::Deserialize;
use serde_json::Value;

use super::Admin;
use crate::base::error::Result;
use crate::base::ids::EventId;
use crate::engine::actions::Outcome;
use crate::engine::jobs::JobId;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct JobInput {
    job: JobId,
}

pub(super) async fn retry_job(admin: Admin, viewer: Viewer, input: JobInput) -> Result<Outcome> {
    admin
        .engine_for(&viewer)
        .await?
        .jobs
        .retry(input.job)
        .await?;
    Ok(Outcome::new(Value::Null, "/jobs"))
}

pub(super) async fn cancel_job(admin: Admin, viewer: Viewer, input: JobInput) -> Result<Outcome> {
    admin
        .engine_for(&viewer)
        .await?
        .jobs
        .cancel(input.job)
        .await?;
    Ok(Outcome::new(Value::Null, "/jobs"))
}

#[derive(Deserialize)]
pub(super) struct PauseInput {
    kind: String,
    pause: bool,
}

pub(super) async fn pause_jobs(admin: Admin, viewer: Viewer, input: PauseInput) -> Result<Outcome> {
    let engine = admin.engine_for(&viewer).await?;
    engine.jobs.pause(&input.kind, input.pause).await?;
    Ok(Outcome::new(Value::Null, "/jobs"))
}

#[derive(Deserialize)]
pub(super) struct LetterInput {
    event: EventId,
    subscriber: String,
}

pub(super) async fn replay_letter(
    admin: Admin,
    viewer: Viewer,
    input: LetterInput,
) -> Result<Outcome> {
    let engine = admin.engine_for(&viewer).await?;
    let LetterInput { event, subscriber } = input;
    engine
        .dead_letters
        .replay(event, &subscriber, &engine.bus)
        .await?;
    Ok(Outcome::new(Value::Null, "/dead-letters"))
}

pub(super) async fn discard_letter(
    admin: Admin,
    viewer: Viewer,
    input: LetterInput,
) -> Result<Outcome> {
    let engine = admin.engine_for(&viewer).await?;
    engine
        .dead_letters
        .discard(input.event, &input.subscriber)
        .await?;
    Ok(Outcome::new(Value::Null, "/dead-letters"))
}
