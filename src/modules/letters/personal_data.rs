//! What letters keep of accounts and spaces.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::Letters;
use super::contests::DesignId;
use super::letter::{Letter, letter_columns};
use super::model::LetterId;
use super::{contests, pages, store};
use crate::base::clock::Micros;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::content_removal::ContentRemoval;
use crate::engine::personal_data::{DataPage, Erasure};
use crate::engine::scope_data::ErasedScope;

/// Letters of a page of a copy.
const PAGE_LETTERS: i64 = 100;
/// Letters that one transaction deletes.
const BATCH_LETTERS: i64 = 100;

/// The letters that an account wrote, and those it received and opened.
pub(super) async fn export(letters: Letters, account: AccountId, after: i64) -> Result<DataPage> {
    const READ: &str = concat!(
        "SELECT ",
        letter_columns!(),
        "WHERE l.id IN (SELECT id FROM letters WHERE (author_id = $1 OR recipient_id = $1) \
         AND id > $2 ORDER BY id LIMIT $3) ORDER BY l.id"
    );
    let rows: Vec<Letter> = letters
        .engine
        .db
        .all(READ, (account, after, PAGE_LETTERS))
        .await?;
    let mut versions = versions_of(&letters, account, after).await?;
    let is_full = i64::try_from(rows.len()).unwrap_or(0) == PAGE_LETTERS;
    let next = rows.last().map(|letter| letter.id.0);
    let lang = crate::base::locale::Lang::default();
    let readable = rows
        .into_iter()
        .filter(|letter| letter.author_id == account || letter.is_readable_by(account));
    let items = readable.map(|letter| {
        let is_mine = letter.author_id == account;
        let from = match is_mine {
            true => letter.author_account.clone(),
            false => letter.author_name(lang),
        };
        let to = match is_mine {
            true => letter.recipient_shown(lang),
            false => letter.recipient_account.clone(),
        };
        let time = |at: Option<crate::base::clock::Micros>| at.map(|at| at.rfc3339());
        json!({
            "id": letter.id, "space": letter.space_id, "kind": letter.kind, "way": letter.way,
            "state": letter.state, "from": from, "to": to, "signature": letter.signature,
            "pen_name": letter.pen_name, "body": letter.body,
            "versions": versions.remove(&letter.id).unwrap_or_default(),
            "created_at": letter.created_at.rfc3339(), "sealed_at": time(letter.sealed_at),
            "delivered_at": time(letter.delivered_at),
        })
    });
    let mut items: Vec<Value> = items.collect();
    if after == 0 {
        items.extend(own_rows(&letters, account).await?);
    }
    Ok(DataPage {
        items,
        next: next.filter(|_| is_full),
    })
}

/// The earlier texts of the letters that an account wrote, of one page of its copy.
async fn versions_of(
    letters: &Letters,
    account: AccountId,
    after: i64,
) -> Result<HashMap<LetterId, Vec<Value>>> {
    const READ: &str = "SELECT letter_id, body, saved_at FROM letter_versions WHERE letter_id IN \
        (SELECT id FROM letters WHERE author_id = $1 AND id IN (SELECT id FROM letters \
        WHERE (author_id = $1 OR recipient_id = $1) AND id > $2 ORDER BY id LIMIT $3)) \
        ORDER BY letter_id, revision";
    let row = (account, after, PAGE_LETTERS);
    let rows: Vec<(LetterId, String, Micros)> = letters.engine.db.all(READ, row).await?;
    let mut versions: HashMap<LetterId, Vec<Value>> = HashMap::new();
    for (letter, body, saved_at) in rows {
        let version = json!({ "body": body, "saved_at": saved_at.rfc3339() });
        versions.entry(letter).or_default().push(version);
    }
    Ok(versions)
}

/// Doors, posts as a courier, what an account chose about drifting letters, and notes of museums.
async fn own_rows(letters: &Letters, account: AccountId) -> Result<Vec<Value>> {
    const DOORS: &str = "SELECT space_id, code, name, state FROM letter_places \
        WHERE resident_id = $1 OR (applicant_id = $1 AND state = 'applied') ORDER BY id LIMIT 500";
    const POSTS: &str = "SELECT space_id, rank, branch, about FROM letter_couriers \
        WHERE account_id = $1 ORDER BY space_id LIMIT 500";
    const DRIFT: &str = "SELECT space_id, languages, interests FROM letter_drifters \
        WHERE account_id = $1 ORDER BY space_id LIMIT 500";
    const NOTES: &str =
        "SELECT letter_id, body FROM letter_notes WHERE author_id = $1 ORDER BY id LIMIT 5000";
    let db = &letters.engine.db;
    let doors: Vec<(SpaceId, String, String, String)> = db.all(DOORS, (account,)).await?;
    let posts: Vec<(SpaceId, i64, String, String)> = db.all(POSTS, (account,)).await?;
    let drift: Vec<(SpaceId, String, String)> = db.all(DRIFT, (account,)).await?;
    let notes: Vec<(LetterId, String)> = db.all(NOTES, (account,)).await?;
    let doors = doors.into_iter().map(|(space, code, name, state)| {
        json!({ "space": space, "door": code, "name": name, "state": state })
    });
    let posts = posts.into_iter().map(|(space, rank, branch, about)| {
        json!({ "space": space, "courier_rank": rank, "branch": branch, "about": about })
    });
    let drift = drift.into_iter().map(|(space, languages, interests)| {
        json!({ "space": space, "languages": languages.trim(), "interests": interests })
    });
    let notes = notes
        .into_iter()
        .map(|(letter, body)| json!({ "museum_letter": letter, "note": body }));
    Ok(doors.chain(posts).chain(drift).chain(notes).collect())
}

/// Erases drafts and posts, and all letters if what was written goes. Letters to the account stay
/// with who wrote them.
pub(super) async fn erase(letters: Letters, erasure: Erasure) -> Result<bool> {
    const FORGET: [&str; 21] = [
        "UPDATE letter_places SET name = '', state = 'retired', resident_id = NULL \
         WHERE resident_id = $1 AND kind = 'door'",
        "UPDATE letter_places SET applicant_id = NULL WHERE applicant_id = $1",
        "UPDATE letters SET holder_id = NULL WHERE holder_id = $1",
        "UPDATE letters SET offered_to = NULL WHERE offered_to = $1",
        "DELETE FROM letter_exhibits WHERE letter_id IN \
         (SELECT id FROM letters WHERE author_id = $1 OR recipient_id = $1)",
        "DELETE FROM letter_drifters WHERE account_id = $1",
        "DELETE FROM letter_points WHERE account_id = $1",
        "DELETE FROM letter_purses WHERE account_id = $1",
        "DELETE FROM letter_scans WHERE account_id = $1",
        "DELETE FROM letter_hearts WHERE account_id = $1",
        "DELETE FROM letter_notes WHERE author_id = $1",
        "DELETE FROM letter_absences WHERE account_id = $1",
        "DELETE FROM letter_refusals WHERE account_id = $1",
        "DELETE FROM letter_couriers WHERE account_id = $1",
        "UPDATE letter_couriers SET substitute_id = NULL WHERE substitute_id = $1",
        "DELETE FROM letter_lapses WHERE account_id = $1",
        "DELETE FROM letter_votes WHERE account_id = $1",
        "DELETE FROM letter_suggestions WHERE account_id = $1",
        "UPDATE letters SET assigned_to = NULL, assigned_until = 0 WHERE assigned_to = $1",
        "UPDATE letter_bags SET holder_id = NULL WHERE holder_id = $1",
        "UPDATE letter_bags SET offered_to = NULL WHERE offered_to = $1",
    ];
    const TO: &str = "UPDATE letters SET recipient_id = NULL WHERE id IN \
        (SELECT id FROM letters WHERE recipient_id = $1 LIMIT $2)";
    const DRAFTS: &str = "SELECT id FROM letters WHERE author_id = $1 AND state = 'draft' LIMIT $2";
    const WRITTEN: &str = "SELECT id FROM letters WHERE author_id = $1 LIMIT $2";
    const CITY: &str = "UPDATE letters SET sent_from = '' WHERE author_id = $1 AND sent_from <> ''";
    let context = letters.clone();
    let write = letters.engine.db.write_queued(async move |tx| {
        for sql in FORGET {
            tx.execute(sql, (erasure.account,)).await?;
        }
        let mut some = tx.execute(TO, (erasure.account, BATCH_LETTERS)).await?;
        let which = match erasure.deletes_content {
            true => WRITTEN,
            false => DRAFTS,
        };
        let found: Vec<LetterId> = tx.scalars(which, (erasure.account, BATCH_LETTERS)).await?;
        some += pages::delete_letters(&context, tx, &found).await?;
        // An envelope that won stays with who bought it, unless what was written goes.
        let of = contests::of_author(tx, erasure.account, erasure.deletes_content).await?;
        some += context.delete_designs(tx, &of).await?;
        if !erasure.deletes_content {
            tx.execute(CITY, (erasure.account,)).await?;
        }
        Ok(some > 0)
    });
    write.await
}

/// Erases some letters of a space that is erased.
pub(super) async fn erase_scope(letters: Letters, scope: ErasedScope) -> Result<bool> {
    const FIND: &str = "SELECT id FROM letters WHERE space_id = $1 LIMIT $2";
    const DESIGNS: &str = "SELECT id FROM letter_designs WHERE space_id = $1 LIMIT $2";
    let ErasedScope::Space(space) = scope else {
        return Ok(false);
    };
    let context = letters.clone();
    let write = letters.engine.db.write_queued(async move |tx| {
        let found: Vec<LetterId> = tx.scalars(FIND, (space, BATCH_LETTERS)).await?;
        let designs: Vec<DesignId> = tx.scalars(DESIGNS, (space, BATCH_LETTERS)).await?;
        let some = context.delete_designs(tx, &designs).await?;
        Ok(some + pages::delete_letters(&context, tx, &found).await?)
    });
    Ok(write.await? > 0)
}

/// Takes down what a banned member wrote, a batch at a time; it can be brought back. Pages that show
/// it are told.
pub(super) async fn remove_content(letters: Letters, removal: ContentRemoval) -> Result<()> {
    const FIND: &str = "SELECT id FROM letters WHERE author_id = $1 AND space_id = $2 \
        AND sealed_at >= $3 AND hidden_at IS NULL ORDER BY id LIMIT $4";
    loop {
        let (account, space, since) = (removal.account, removal.space, removal.since);
        let context = letters.clone();
        let write = letters.engine.db.write_queued(async move |tx| {
            let row = (account, space, since, BATCH_LETTERS);
            let found: Vec<LetterId> = tx.scalars(FIND, row).await?;
            for id in &found {
                let letter = store::lock(tx, *id).await?;
                store::set_hidden(tx, *id, Some(Micros::now())).await?;
                context.publish_moved(tx, &letter);
            }
            if !found.is_empty() {
                context.publish_museum(tx, space);
            }
            Ok(found.is_empty())
        });
        if write.await? {
            return Ok(());
        }
    }
}
