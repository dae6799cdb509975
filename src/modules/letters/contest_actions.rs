//! Opening and closing contests for envelopes, proposing a design, and voting.

use serde::Deserialize;
use serde_json::json;

use super::contests::{
    self, ContestId, DesignId, MAX_CONTEST_TITLE_CHARS, MAX_CONTESTS, MAX_DESIGNS,
    MAX_OPEN_CONTESTS,
};
use super::envelopes::{KIND, item_of};
use super::topics::ContestsChanged;
use super::{Letters, MODERATE, ORGANISE, WRITE, points};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::SpaceId;
use crate::base::list::List;
use crate::base::text::{check_short_text, is_blank, normalize_line};
use crate::community::permissions::READ;
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::files::{FileId, Picture};
use crate::engine::viewer::Viewer;

impl Letters {
    /// Publishes after the commit that contests of a space changed.
    pub(super) fn publish_contests(&self, tx: &mut Tx, space: SpaceId) {
        let origin = Origin {
            actor: None,
            space: Some(space),
        };
        let bus = &self.engine.bus;
        bus.publish_after_commit(tx, origin, ContestsChanged { space });
    }
}

fn location(space: SpaceId) -> String {
    format!("/spaces/{space}/letters/contests")
}

fn checked_title(title: &str) -> Result<String> {
    let title = normalize_line(title);
    let mut check = Check::default();
    check_short_text(&title, "title", MAX_CONTEST_TITLE_CHARS, &mut check);
    check
        .that(!is_blank(&title), "title", "error-contest-title", 0)
        .done()?;
    Ok(title)
}

#[derive(Deserialize)]
pub(super) struct OpenInput {
    space: SpaceId,
    title: String,
}

/// `letters.open-contest`: opens a contest in which members design an envelope.
pub(super) async fn open(letters: Letters, viewer: Viewer, input: OpenInput) -> Result<Outcome> {
    // Two who open one at once wait for each other, so that none is counted too few.
    const LOCK: &str = "SELECT id FROM spaces WHERE id = $1 FOR NO KEY UPDATE";
    const COUNT: &str = "SELECT COUNT(*), \
        CAST(COALESCE(SUM(CASE WHEN closed_at IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT) \
        FROM letter_contests WHERE space_id = $1";
    const ADD: &str = "INSERT INTO letter_contests (id, space_id, title, opened_at) \
        VALUES ($1, $2, $3, $4)";
    let (title, space, context) = (checked_title(&input.title)?, input.space, letters.clone());
    let work = async move |tx: &mut Tx| {
        tx.lock::<(i64,)>(LOCK, (space,)).await?;
        let (all, open): (i64, i64) = tx.one(COUNT, (space,)).await?;
        if all >= MAX_CONTESTS || open >= MAX_OPEN_CONTESTS {
            return Err(Error::Full("error-contests-full"));
        }
        let id = ContestId::new();
        tx.execute(ADD, (id, space, &title, Micros::now())).await?;
        context.publish_contests(tx, space);
        Ok(id)
    };
    let by = viewer.account;
    let id = letters.permitted(by, &ORGANISE, space, work).await?;
    Ok(Outcome::new(json!({ "contest": id }), location(space)))
}

#[derive(Deserialize)]
pub(super) struct CloseInput {
    contest: ContestId,
}

/// `letters.close-contest`: ends a contest. The design with the most votes can be bought from then
/// on, and is its author's at once.
pub(super) async fn close(letters: Letters, viewer: Viewer, input: CloseInput) -> Result<Outcome> {
    const CLOSE: &str = "UPDATE letter_contests SET closed_at = $2, winner_id = $3 WHERE id = $1";
    const WIN: &str = "UPDATE letter_designs SET won_at = $2 WHERE id = $1";
    let id = input.contest;
    let space = contests::find(&letters.engine.db, id).await?.space_id;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        if !contests::lock(tx, id).await?.is_open() {
            return Ok(());
        }
        let now = Micros::now();
        let winner = contests::leading(tx, id).await?;
        let winner = winner.filter(|design| design.votes > 0);
        let winner_id = winner.as_ref().map(|design| design.id);
        tx.execute(CLOSE, (id, now, winner_id)).await?;
        if let Some(design) = winner {
            tx.execute(WIN, (design.id, now)).await?;
            if let Some(author) = design.author_id {
                points::give(tx, (space, author), &item_of(design.id), now).await?;
            }
        }
        context.publish_contests(tx, space);
        Ok(())
    };
    let by = viewer.account;
    letters.permitted(by, &ORGANISE, space, work).await?;
    Ok(Outcome::new(json!({ "closed": true }), location(space)))
}

#[derive(Deserialize)]
pub(super) struct ProposeInput {
    contest: ContestId,
    title: String,
    /// The picture.
    #[serde(default)]
    files: List<FileId, 1>,
}

/// `letters.propose-design`: proposes an envelope in an open contest, one of each member.
pub(super) async fn propose(
    letters: Letters,
    viewer: Viewer,
    input: ProposeInput,
) -> Result<Outcome> {
    const COUNT: &str = "SELECT COUNT(*) FROM letter_designs WHERE contest_id = $1";
    const ADD: &str = "INSERT INTO letter_designs \
        (id, contest_id, space_id, author_id, title, file_id) VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (contest_id, author_id) DO NOTHING";
    let (id, author) = (input.contest, viewer.account);
    let space = contests::find(&letters.engine.db, id).await?.space_id;
    let title = checked_title(&input.title)?;
    let file = input.files.first().copied();
    let file = file.ok_or(Error::field("files", "error-design-picture"))?;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        if !contests::lock(tx, id).await?.is_open() {
            return Err(Error::Conflict("error-contest-closed"));
        }
        let count: i64 = tx.scalar(COUNT, (id,)).await?;
        if count >= MAX_DESIGNS {
            return Err(Error::Full("error-designs-full"));
        }
        let files = &context.engine.files;
        let picture = files.claim(tx, file, KIND, id.0, author).await?;
        if picture.picture == Picture::Failed {
            return Err(Error::field("files", "error-design-picture"));
        }
        let design = DesignId::new();
        let row = (design, id, space, author, &title, file);
        if tx.execute(ADD, row).await? == 0 {
            return Err(Error::Conflict("error-design-one"));
        }
        context.publish_contests(tx, space);
        Ok(design)
    };
    let design = letters.permitted(author, &WRITE, space, work).await?;
    Ok(Outcome::new(json!({ "design": design }), location(space)))
}

#[derive(Deserialize)]
pub(super) struct DesignInput {
    design: DesignId,
}

/// `letters.vote`: votes for a design of somebody else, once in each contest.
pub(super) async fn vote(letters: Letters, viewer: Viewer, input: DesignInput) -> Result<Outcome> {
    const ADD: &str = "INSERT INTO letter_votes (contest_id, account_id, design_id) \
        VALUES ($1, $2, $3) ON CONFLICT (contest_id, account_id) DO NOTHING";
    const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM letter_designs WHERE id = $1)";
    let by = viewer.account;
    let design = contests::design(&letters.engine.db, input.design).await?;
    let (space, context) = (design.space_id, letters.clone());
    let work = async move |tx: &mut Tx| {
        if design.author_id == Some(by) {
            return Err(Error::Conflict("error-vote-own"));
        }
        if !contests::lock(tx, design.contest_id).await?.is_open() {
            return Err(Error::Conflict("error-contest-closed"));
        }
        if !tx.scalar(IS_THERE, (design.id,)).await? {
            return Err(Error::NotFound);
        }
        if tx.execute(ADD, (design.contest_id, by, design.id)).await? == 0 {
            return Err(Error::Conflict("error-vote-once"));
        }
        context.publish_contests(tx, space);
        Ok(())
    };
    letters.permitted(by, &WRITE, space, work).await?;
    Ok(Outcome::new(json!({ "voted": true }), location(space)))
}

/// `letters.withdraw-design`: its author takes a design back while the contest is open; moderators
/// take any away, also an envelope.
pub(super) async fn withdraw(
    letters: Letters,
    viewer: Viewer,
    input: DesignInput,
) -> Result<Outcome> {
    let by = viewer.account;
    let design = contests::design(&letters.engine.db, input.design).await?;
    let (space, context) = (design.space_id, letters.clone());
    let is_own = design.author_id == Some(by);
    let permission = match is_own {
        true => &READ,
        false => &MODERATE,
    };
    let work = async move |tx: &mut Tx| {
        let contest = contests::lock(tx, design.contest_id).await?;
        if is_own && !contest.is_open() {
            return Err(Error::Conflict("error-contest-closed"));
        }
        context.delete_designs(tx, &[design.id]).await?;
        context.publish_contests(tx, space);
        Ok(())
    };
    letters.permitted(by, permission, space, work).await?;
    Ok(Outcome::new(json!({ "withdrawn": true }), location(space)))
}
