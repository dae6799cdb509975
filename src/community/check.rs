//! Looking for damage in the rows of accounts, spaces and rooms: `tidepool check`.

use super::names::name_key;
use crate::base::db::{Db, Rule};
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::base::text::fold;

const RULES: [Rule; 8] = [
    Rule {
        broken: "an account's password, name or language is impossible",
        // Guests have no password, and what remains of deleted accounts has none.
        find: "SELECT CAST(id AS TEXT) FROM accounts WHERE (guest_until IS NULL \
            AND deleted_at IS NULL AND password NOT LIKE '$argon2id$v=%$%$%') OR name = '' OR length(language) NOT BETWEEN 2 AND 35 LIMIT 50",
    },
    Rule {
        broken: "there is not one owner of the server, who has an account",
        find: "SELECT CAST(COUNT(*) AS TEXT) FROM installation HAVING COUNT(*) > 1",
    },
    Rule {
        broken: "a session's data, times or digest are impossible",
        find: "SELECT digest FROM sessions WHERE data = '' OR length(digest) <> 43 \
            OR expires_at < created_at OR expires_at > created_at + 315576000000000 \
            OR seen_at < created_at - 86400000000 LIMIT 50",
    },
    Rule {
        broken: "an invite was used more often than it may be, or has an impossible code",
        find: "SELECT CAST(id AS TEXT) FROM invites \
            WHERE uses < 0 OR uses > most_uses OR most_uses < 1 OR length(code) < 16 LIMIT 50",
    },
    Rule {
        broken: "a space or a room has no name",
        find: "SELECT CAST(id AS TEXT) FROM spaces WHERE name = '' UNION ALL \
            SELECT CAST(id AS TEXT) FROM rooms WHERE name = '' AND space_id IS NOT NULL LIMIT 50",
    },
    Rule {
        broken: "a direct conversation lists other people than are in it, or a room lists people",
        find: "SELECT CAST(r.id AS TEXT) FROM rooms r WHERE \
            r.parent_id IS NULL AND (r.space_id IS NULL) <> (r.people_key IS NOT NULL) LIMIT 50",
    },
    Rule {
        broken: "a thread has no name, has rules of its own, or belongs to another thread",
        find: "SELECT CAST(r.id AS TEXT) FROM rooms r JOIN rooms p ON p.id = r.parent_id WHERE \
            r.name = '' OR r.space_id IS NOT NULL OR r.people_key IS NOT NULL \
            OR p.parent_id IS NOT NULL LIMIT 50",
    },
    Rule {
        broken: "a space has no owner",
        find: "SELECT CAST(s.id AS TEXT) FROM spaces s WHERE s.deleted_at IS NULL \
            AND NOT EXISTS (SELECT 1 FROM members m WHERE m.space_id = s.id AND m.role = 'owner') LIMIT 50",
    },
];

/// What is wrong with the rows of the community, in English.
///
/// # Errors
/// When the database cannot be read.
pub async fn problems(db: &Db) -> Result<Vec<String>> {
    const NEXT: &str = "SELECT id, coalesce(user_name, name) AS name, name_key, \
        email, email_key FROM accounts WHERE id > $1 AND deleted_at IS NULL \
        AND guest_until IS NULL ORDER BY id LIMIT 1000";
    let mut problems = db.broken_rules(&RULES).await?;
    let mut after = AccountId(i64::MIN);
    loop {
        let rows: Vec<(AccountId, String, String, String, String)> = db.all(NEXT, (after,)).await?;
        let Some(last) = rows.last() else {
            return Ok(problems);
        };
        if last.0 <= after {
            problems.push("accounts are not in the order of their ids".to_owned());
            return Ok(problems);
        }
        after = last.0;
        for (id, name, stored_name_key, email, email_key) in rows {
            if name_key(&name) != stored_name_key || fold(&email) != email_key {
                problems.push(format!(
                    "the name or address of account {id} differs from its key"
                ));
            }
        }
    }
}
