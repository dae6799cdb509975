//! Reading the audit log: newest first, a page at a time, by who, what and to whom.

use serde_json::{Map, Value};
use sqlx::FromRow;

use super::audit::AuditId;
use super::permissions::{VIEW_AUDIT, permission_words};
use super::{Community, Scope};
use crate::base::clock::Micros;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::base::text::fold;

/// Entries on one page.
const MAX_ON_PAGE: i64 = 50;

/// Entries that one page searches.
const MAX_SEARCHED: i64 = 5_000;

/// An entry of the audit log.
#[derive(Clone, Debug, FromRow)]
pub(super) struct AuditEntry {
    pub(super) id: AuditId,
    /// The name of who did it; `None`: the server, or an account that is gone.
    pub(super) actor: Option<String>,
    act: String,
    /// The name of what it was done to, where it had one.
    pub(super) subject: Option<String>,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) at: Micros,
}

impl AuditEntry {
    /// What was done, in words; the act's own name where the catalogue has none.
    pub(super) fn words(&self, lang: &Lang) -> String {
        let key = format!("act-{}", self.act.replace('.', "-"));
        match lang.has(&key) {
            true => lang.t(&key).to_owned(),
            false => self.act.clone(),
        }
    }

    /// What changed, as lines in the viewer's language: permissions that were added and taken away
    /// by their sentences, everything else as it was before and is now.
    pub(super) fn changes(&self, community: &Community, lang: &Lang) -> Vec<String> {
        let (before, after) = (fields(&self.before), fields(&self.after));
        let mut lines = Vec::new();
        let sides = [('+', &after, &before), ('−', &before, &after)];
        for field in PERMISSION_FIELDS {
            let label = match field {
                "permissions" => String::new(),
                other => format!("{}: ", lang.t(&format!("audit-{other}"))),
            };
            for (sign, own, other) in sides {
                let set = |fields: &Map<String, Value>| {
                    let names = fields.get(field).and_then(Value::as_str);
                    community.access.declared.parse(names.unwrap_or_default())
                };
                let changed = set(own).without(set(other));
                let permissions = community.access.declared.in_set(changed);
                let words = |one| format!("{sign} {label}{}", permission_words(*lang, one));
                lines.extend(permissions.map(words));
            }
        }
        for (name, value) in &after {
            let was = before.get(name);
            if PERMISSION_FIELDS.contains(&name.as_str()) || was == Some(value) {
                continue;
            }
            // A ban without an end or address says nothing of them.
            if was.is_none() && (value.is_null() || *value == Value::Bool(false)) {
                continue;
            }
            lines.push(match was.filter(|was| !was.is_null()) {
                Some(was) => format!("{} → {}", plain(was), plain(value)),
                None => plain(value),
            });
        }
        let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
        let gone = gone.filter(|(name, _)| !PERMISSION_FIELDS.contains(&name.as_str()));
        lines.extend(gone.map(|(_, value)| format!("− {}", plain(value))));
        lines
    }
}

/// Fields of an act that name permissions.
const PERMISSION_FIELDS: [&str; 3] = ["permissions", "allowed", "denied"];

fn fields(text: &str) -> Map<String, Value> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// What to look for in the log. Empty fields fit everything.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct AuditQuery {
    /// Part of the name of who did it, or of what it was done to, or of the change.
    pub(super) q: String,
    /// The beginning of the act's name: `member`, `role.created`.
    pub(super) act: String,
    /// Entries older than this one.
    pub(super) before: Option<AuditId>,
}

impl Community {
    /// A page of a space's log, newest first, at most fifty entries, and what the next one ends
    /// before, if there is one. At most 5,000 entries are searched: a page may have few that fit,
    /// or none, and another after it.
    ///
    /// # Errors
    /// `Forbidden` without the permission to read it, `NotFound` for who is no member.
    pub(super) async fn audit_page(
        &self,
        viewer: AccountId,
        space: SpaceId,
        query: &AuditQuery,
    ) -> Result<(Vec<AuditEntry>, Option<AuditId>)> {
        let scope = Scope::Space(space);
        self.access.permit(viewer, &VIEW_AUDIT, scope).await?;
        self.audit_entries(Some(space), query).await
    }

    /// As [`audit_page`](Self::audit_page), of a space, or of the server as a whole. The caller
    /// has checked the permission.
    pub(super) async fn audit_entries(
        &self,
        space: Option<SpaceId>,
        query: &AuditQuery,
    ) -> Result<(Vec<AuditEntry>, Option<AuditId>)> {
        const READ: &str = "SELECT l.id, actor.name AS actor, l.act, \
            CASE WHEN l.subject = '' THEN subject.name ELSE l.subject END AS subject, \
            l.before, l.after, l.at FROM (SELECT * FROM audit_log \
            WHERE COALESCE(space_id, 0) = $1 AND id < $2 ORDER BY id DESC LIMIT $6) l \
            LEFT JOIN accounts actor ON actor.id = l.actor_id \
            LEFT JOIN accounts subject ON subject.id = l.subject_id \
            WHERE ($3 = '' OR l.act LIKE $3 || '%') \
            AND ($4 = '' OR COALESCE(actor.name_key, '') || ' ' || COALESCE(subject.name_key, '') \
            || ' ' || LOWER(l.subject || ' ' || l.before || ' ' || l.after) \
            LIKE '%' || $4 || '%') ORDER BY l.id DESC LIMIT $5";
        const SEARCHED: &str = "SELECT MIN(id), COUNT(*) FROM (SELECT id FROM audit_log \
            WHERE COALESCE(space_id, 0) = $1 AND id < $2 ORDER BY id DESC LIMIT $3) AS searched";
        let before = query.before.map_or(i64::MAX, |id| id.0);
        let pattern = |text: &str| -> String {
            let text = fold(text);
            let plain = text.chars().filter(|c| !matches!(c, '%' | '_' | '\\'));
            plain.take(100).collect()
        };
        let (act, words) = (pattern(&query.act), pattern(&query.q));
        let (db, space) = (&self.engine().db, space.map_or(0, |space| space.0));
        let fields = (space, before, act, words, MAX_ON_PAGE, MAX_SEARCHED);
        let entries: Vec<AuditEntry> = db.all(READ, fields).await?;
        let next = match entries.last() {
            Some(last) if entries.len() == MAX_ON_PAGE as usize => Some(last.id),
            _ => {
                let searched = (space, before, MAX_SEARCHED);
                let (last, count): (Option<AuditId>, i64) = db.one(SEARCHED, searched).await?;
                last.filter(|_| count == MAX_SEARCHED)
            }
        };
        Ok((entries, next))
    }
}
