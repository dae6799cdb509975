//! What search finds of letters: those that one wrote, received and opened, and open ones.

use super::Letters;
use super::letter::{Letter, letter_columns};
use super::model::{Kind, State};
use crate::base::db::{Db, Sql};
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::base::locale::Lang;
use crate::community::Scope;
use crate::community::permissions::{READ, is_granted};
use crate::community::search_scope::{by_author, in_conversation_of, read_by_members};
use crate::engine::search::{Document, Facet, Found, SearchSource};

const NAME: &str = "letters.letter";

pub(super) fn source() -> SearchSource<Letters> {
    SearchSource::new(NAME, documents, before, found)
}

/// The letters of these ids that are sealed, in no order.
async fn read(db: &Db, ids: &[i64]) -> Result<Vec<Letter>> {
    const READ: Sql = Sql {
        sqlite: concat!(
            "SELECT ",
            letter_columns!(),
            "WHERE l.id IN (SELECT CAST(value AS INTEGER) FROM json_each('[' || $1 || ']')) \
             AND l.state <> 'draft' AND l.hidden_at IS NULL"
        ),
        postgres: concat!(
            "SELECT ",
            letter_columns!(),
            "WHERE l.id = ANY (CAST(string_to_array($1, ',') AS BIGINT[])) \
             AND l.state <> 'draft' AND l.hidden_at IS NULL"
        ),
    };
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    match ids.is_empty() {
        true => Ok(Vec::new()),
        false => db.all(READ, (ids.join(","),)).await,
    }
}

/// Who finds a letter. One that is not signed has no facet of its author, or a search for what
/// somebody wrote would name them.
fn facets(letter: &Letter) -> Vec<Facet> {
    let is_signed = letter.is_signed();
    let mut facets = Vec::new();
    if is_signed {
        facets.push(by_author(letter.author_id));
    }
    match (letter.kind, letter.recipient_id) {
        (Kind::Open, _) if letter.state.has_arrived() => {
            facets.push(read_by_members(letter.space_id));
        }
        (Kind::Open, _) => {}
        (_, Some(to)) if matches!(letter.state, State::Read | State::Replied) => {
            facets.push(in_conversation_of(to));
        }
        _ => {}
    }
    if is_signed && !letter.is_to_self() && letter.kind != Kind::Open {
        facets.push(in_conversation_of(letter.author_id));
    }
    facets
}

async fn documents(letters: Letters, ids: Vec<i64>) -> Result<Vec<Document>> {
    let rows = read(&letters.engine.db, &ids).await?;
    let documents = rows.iter().map(|letter| Document {
        id: letter.id.0,
        text: letter.body.clone(),
        facets: facets(letter),
    });
    Ok(documents.filter(|one| !one.facets.is_empty()).collect())
}

async fn before(letters: Letters, id: i64, limit: usize) -> Result<Vec<i64>> {
    const READ: &str = "SELECT id FROM letters WHERE id < $1 ORDER BY id DESC LIMIT $2";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    letters.engine.db.scalars(READ, (id, limit)).await
}

/// What an account may read of these letters.
async fn found(letters: Letters, account: AccountId, ids: Vec<i64>) -> Result<Vec<Found>> {
    let (access, lang) = (&letters.community.access, Lang::default());
    let mut found = Vec::new();
    for letter in read(&letters.engine.db, &ids).await? {
        let scope = Scope::Space(letter.space_id);
        let is_member = is_granted(access.permit(account, &READ, scope).await)?;
        if !is_member || !letter.is_readable_by(account) {
            continue;
        }
        let is_mine = letter.author_id == account;
        let author_name = match is_mine {
            true => letter.author_account.clone(),
            false => letter.author_name(lang),
        };
        found.push(Found {
            id: letter.id.0,
            // A face stands beside the name: of who did not sign it is the reader's own.
            author: match is_mine || letter.is_signed() {
                true => letter.author_id,
                false => account,
            },
            author_name,
            place: lang.t("letters-title").to_owned(),
            is_direct: true,
            href: format!("/letters/{}", letter.id),
            at: letter.sealed_at.unwrap_or(letter.created_at),
            text: letter.body,
            stand_in: None,
        });
    }
    Ok(found)
}
