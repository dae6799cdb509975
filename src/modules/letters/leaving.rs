//! What ends when somebody leaves a space: their post as a courier, and taking drifting letters.

use super::Letters;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::community::topics::MemberLeft;
use crate::engine::bus::Envelope;

/// Letters that they carry stay with them until an organiser settles that.
pub(super) async fn member_left(
    letters: &Letters,
    event: &MemberLeft,
    envelope: &Envelope,
) -> Result<()> {
    // Not of who came back meanwhile.
    const END: [&str; 5] = [
        "DELETE FROM letter_couriers WHERE space_id = $1 AND account_id = $2 AND NOT EXISTS \
         (SELECT 1 FROM members WHERE space_id = $1 AND account_id = $2)",
        "DELETE FROM letter_drifters WHERE space_id = $1 AND account_id = $2 AND NOT EXISTS \
         (SELECT 1 FROM members WHERE space_id = $1 AND account_id = $2)",
        "UPDATE letters SET offered_to = NULL WHERE space_id = $1 AND offered_to = $2 \
         AND NOT EXISTS (SELECT 1 FROM members WHERE space_id = $1 AND account_id = $2)",
        "UPDATE letter_bags SET offered_to = NULL WHERE space_id = $1 AND offered_to = $2 \
         AND NOT EXISTS (SELECT 1 FROM members WHERE space_id = $1 AND account_id = $2)",
        "UPDATE letter_couriers SET substitute_id = NULL WHERE space_id = $1 \
         AND substitute_id = $2 AND NOT EXISTS (SELECT 1 FROM members \
         WHERE space_id = $1 AND account_id = $2)",
    ];
    if envelope.is_remote {
        return Ok(());
    }
    let (space, account) = (event.space, event.account);
    let context = letters.clone();
    let end = async move |tx: &mut Tx| {
        for sql in END {
            tx.execute(sql, (space, account)).await?;
        }
        context.reassign_from(tx, space, account).await
    };
    letters.engine.db.write_queued(end).await
}
