//! Pictures of envelopes: the files of designs, and the envelope that a letter lies in.

use super::contests::{self, ContestId, Design, DesignId};
use super::letter::Letter;
use super::{Letters, WRITE};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::community::Scope;
use crate::community::permissions::READ;
use crate::engine::files::{File, FileId, FileKind, Picture};
use crate::engine::viewer::Viewer;

/// The file kind of designs. Their target is a contest.
pub(super) const KIND: &str = "letters.envelope";
/// Bytes of the picture of an envelope.
pub const MAX_ENVELOPE_BYTES: u64 = 4_194_304;
/// Points that an envelope costs.
pub(super) const ENVELOPE_PRICE: i64 = 30;

pub(super) fn kind() -> FileKind<Letters> {
    FileKind::new(
        KIND,
        "A design of an envelope",
        "contest",
        may_add,
        may_read,
    )
    .pictures_only()
    .max_bytes(MAX_ENVELOPE_BYTES)
    .when_ready(ready)
}

async fn may_add(letters: Letters, viewer: Viewer, contest: i64) -> Result<Option<SpaceId>> {
    let contest = contests::find(&letters.engine.db, ContestId(contest)).await?;
    let (access, scope) = (&letters.community.access, Scope::Space(contest.space_id));
    access.permit(viewer.account, &WRITE, scope).await?;
    match contest.is_open() {
        true => Ok(Some(contest.space_id)),
        false => Err(Error::Conflict("error-contest-closed")),
    }
}

/// All members of the space.
async fn may_read(letters: Letters, viewer: Viewer, file: File) -> Result<()> {
    let contest = contests::find(&letters.engine.db, ContestId(file.target)).await?;
    let (access, scope) = (&letters.community.access, Scope::Space(contest.space_id));
    access.permit(viewer.account, &READ, scope).await
}

/// The contest shows the picture once it is prepared.
async fn ready(letters: Letters, tx: &mut Tx, file: File) -> Result<()> {
    match contests::lock(tx, ContestId(file.target)).await {
        Ok(contest) => letters.publish_contests(tx, contest.space_id),
        Err(Error::NotFound) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// What the ledger of points calls an envelope that was bought.
pub(super) fn item_of(design: DesignId) -> String {
    format!("envelope:{design}")
}

/// The design of such a name.
pub(super) fn design_of(item: &str) -> Option<DesignId> {
    let id = item.strip_prefix("envelope:")?.parse().ok()?;
    Some(DesignId(id))
}

/// The picture of an envelope, in words for who does not see it.
#[derive(Clone, Debug)]
pub(super) struct EnvelopeView {
    /// Empty while it is prepared.
    pub(super) src: String,
    pub(super) title: String,
    pub(super) width: i64,
    pub(super) height: i64,
}

impl Letters {
    /// Where the picture of a design is; nothing where it cannot be shown (yet).
    pub(super) async fn envelope_picture(
        &self,
        file: FileId,
        title: &str,
    ) -> Result<Option<EnvelopeView>> {
        let file = self.engine.files.file(file).await?;
        let size = match file.large {
            Some(_) => "?size=large",
            None => "",
        };
        Ok((file.picture == Picture::Made).then(|| EnvelopeView {
            src: format!("/files/{}/envelope{size}", file.id),
            title: title.to_owned(),
            width: file.width.unwrap_or(3),
            height: file.height.unwrap_or(2),
        }))
    }

    /// The envelope that a letter lies in, if it has one of its own.
    pub(super) async fn envelope_of(&self, letter: &Letter) -> Result<Option<EnvelopeView>> {
        let Some(id) = letter.envelope_id else {
            return Ok(None);
        };
        match contests::design(&self.engine.db, id).await {
            Ok(design) => self.envelope_picture(design.file_id, &design.title).await,
            // It was erased with who drew it.
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The envelopes of a space that are among what somebody bought.
    pub(super) async fn bought_envelopes(
        &self,
        space: SpaceId,
        bought: &[String],
    ) -> Result<Vec<Design>> {
        let mut all = contests::winners(&self.engine.db, space).await?;
        all.retain(|one| bought.contains(&item_of(one.id)));
        Ok(all)
    }

    /// Deletes designs with their pictures and votes. Gives how many.
    pub(super) async fn delete_designs(&self, tx: &mut Tx, ids: &[DesignId]) -> Result<u64> {
        const VOTES: &str = "DELETE FROM letter_votes WHERE design_id = $1";
        const DELETE: &str = "DELETE FROM letter_designs WHERE id = $1 RETURNING file_id";
        let mut deleted = 0;
        for id in ids {
            tx.execute(VOTES, (*id,)).await?;
            let files: Vec<FileId> = tx.scalars(DELETE, (*id,)).await?;
            for file in files {
                self.engine.files.release(tx, file).await?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }
}
