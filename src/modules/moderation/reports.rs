//! Reports: a member says of a message or person that moderators should look. All reports of one
//! thing are one case, which keeps what each reporter saw.

use serde::Deserialize;
use sqlx::FromRow;

use super::Moderation;
use super::case_store::{CaseId, Outcome as CaseOutcome};
use super::topics::{QueueChanged, ReportsSeen};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::AccountId;
use crate::base::text::{check_short_text, is_blank, limit_marks};
use crate::community::permissions::READ;
use crate::community::{Scope, lock_account};
use crate::engine::bus::Origin;
use crate::engine::reportable::{Reported, Target};
use crate::engine::viewer::Viewer;
use crate::{id, text_enum};

id!(
    /// A report.
    ReportId
);

/// Graphemes that a reporter writes.
const MAX_REPORT_CHARS: usize = 500;
/// Bytes of what was reported that are kept: the longest message, and the names of its files.
const MAX_EXCERPT_BYTES: usize = 20 << 10;
/// Open reports of one account.
const MAX_OPEN_REPORTS: i64 = 20;
/// Reports that the page of their reporter lists.
const MAX_LISTED_REPORTS: i64 = 50;

/// Why something is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Reason {
    /// Unwanted advertising.
    Spam,
    /// Aimed at a person.
    Harassment,
    /// Aimed at a group.
    Hate,
    /// Against the law, or dangerous.
    Illegal,
    /// What the reporter writes.
    Other,
}

text_enum!(Reason {
    Spam = "spam",
    Harassment = "harassment",
    Hate = "hate",
    Illegal = "illegal",
    Other = "other",
});

impl Reason {
    /// In the order in which the form offers them.
    pub(super) const ALL: [Self; 5] = [
        Self::Spam,
        Self::Harassment,
        Self::Hate,
        Self::Illegal,
        Self::Other,
    ];

    /// The message key of its name.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Spam => "report-reason-spam",
            Self::Harassment => "report-reason-harassment",
            Self::Hate => "report-reason-hate",
            Self::Illegal => "report-reason-illegal",
            Self::Other => "report-reason-other",
        }
    }
}

/// One's own report, for the page of one's reports: what was done is not told.
#[derive(Clone, Debug, FromRow)]
pub(super) struct OwnReport {
    pub(super) reason: Reason,
    pub(super) excerpt: String,
    pub(super) at: Micros,
    pub(super) resolved_at: Option<Micros>,
}

/// The text of a report, appeal or note of several lines, as it is stored.
///
/// # Errors
/// `Invalid` when it is too long.
pub(super) fn check_words(text: &str, field: &'static str, max_chars: usize) -> Result<String> {
    let text = text.trim();
    let mut check = Check::default();
    let lines = text.lines().map(|line| {
        let plain = line.chars().map(|c| if c.is_control() { ' ' } else { c });
        plain.collect::<String>().trim_end().to_owned()
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let text = if is_blank(&text) { String::new() } else { text };
    check_short_text(&text, field, max_chars, &mut check);
    check.done()?;
    Ok(text)
}

/// As much of a text as is kept, cut between characters.
fn cut(text: &str) -> String {
    let text = limit_marks(text);
    let end = text.floor_char_boundary(MAX_EXCERPT_BYTES);
    text.get(..end).unwrap_or_default().to_owned()
}

impl Moderation {
    /// Finds what somebody wants to report.
    ///
    /// # Errors
    /// `NotFound` for what there is not, or what the viewer may not read; `Invalid` for oneself.
    pub(super) async fn find_reported(
        &self,
        viewer: &Viewer,
        kind: &str,
        target: Target,
    ) -> Result<Reported> {
        let reportable = self.engine.reportable(kind).ok_or(Error::NotFound)?;
        let reported = reportable.find(viewer, target).await?;
        match reported.author == viewer.account {
            true => Err(Error::field("form", "error-report-self")),
            false => Ok(reported),
        }
    }

    /// Reports a thing: opens its case, or adds to the open one.
    ///
    /// # Errors
    /// As [`find_reported`](Self::find_reported); `Conflict` for what the account has reported
    /// already, and at twenty open reports.
    pub(super) async fn report(
        &self,
        viewer: &Viewer,
        (kind, target): (&str, Target),
        (reason, words): (Reason, &str),
    ) -> Result<()> {
        let words = check_words(words, "words", MAX_REPORT_CHARS)?;
        if reason == Reason::Other && words.is_empty() {
            return Err(Error::field("words", "error-report-words"));
        }
        let reported = self.find_reported(viewer, kind, target).await?;
        let kind = self.engine.reportable(kind).ok_or(Error::NotFound)?.kind;
        let (own, reporter) = (self.clone(), viewer.account);
        let scope = match (reported.room, reported.space) {
            (Some(room), _) => Some(Scope::Room(room)),
            (None, space) => space.map(Scope::Space),
        };
        let write = async move |tx: &mut Tx| {
            lock_account(tx, reporter).await?;
            let case = open_case(tx, kind, target.id, &reported).await?;
            insert(tx, case, reporter, (reason, &words), &reported).await?;
            let (space, bus) = (reported.space, &own.engine.bus);
            let origin = Origin::new(reporter, space);
            bus.publish_after_commit(tx, origin, QueueChanged { space });
            Ok(())
        };
        match scope {
            Some(scope) => {
                let access = &self.community.access;
                access.permitted_write(reporter, &READ, scope, write).await
            }
            None => self.engine.db.write(write).await,
        }
    }

    /// The newest reports of an account, at most fifty.
    pub(super) async fn reports_of(&self, account: AccountId) -> Result<Vec<OwnReport>> {
        const READ: &str = "SELECT r.reason, r.excerpt, r.at, c.resolved_at FROM reports r \
            JOIN report_cases c ON c.id = r.case_id \
            WHERE r.reporter_id = $1 ORDER BY r.id DESC LIMIT $2";
        let db = &self.engine.db;
        db.all(READ, (account, MAX_LISTED_REPORTS)).await
    }

    /// How many reports of an account were resolved that it has not seen since.
    pub(super) async fn unseen_reports(&self, account: AccountId) -> Result<i64> {
        const COUNT: &str = "SELECT COUNT(*) FROM reports r JOIN report_cases c \
            ON c.id = r.case_id WHERE r.reporter_id = $1 AND r.seen_at IS NULL \
            AND c.resolved_at IS NOT NULL";
        self.engine.db.scalar(COUNT, (account,)).await
    }

    /// Notes that an account has seen what became of its reports.
    pub(super) async fn mark_reports_seen(&self, account: AccountId) -> Result<()> {
        const SEE: &str = "UPDATE reports SET seen_at = $2 WHERE reporter_id = $1 \
            AND seen_at IS NULL AND EXISTS (SELECT 1 FROM report_cases c \
            WHERE c.id = reports.case_id AND c.resolved_at IS NOT NULL)";
        let bus = self.engine.bus.clone();
        let write = self.engine.db.write(async move |tx| {
            if tx.execute(SEE, (account, Micros::now())).await? > 0 {
                let origin = Origin::new(account, None);
                bus.publish_after_commit(tx, origin, ReportsSeen { account });
            }
            Ok(())
        });
        write.await
    }
}

/// The open case of a thing; a new one if there is none. Its row is locked.
async fn open_case(tx: &mut Tx, kind: &str, id: i64, reported: &Reported) -> Result<CaseId> {
    const OPEN: &str = "INSERT INTO report_cases \
        (id, space_id, room_id, kind, thing_id, author_id, href, thing_at, note) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '') ON CONFLICT DO NOTHING";
    const LOCK: &str = "SELECT id FROM report_cases WHERE COALESCE(space_id, 0) = $1 \
        AND kind = $2 AND thing_id = $3 AND resolved_at IS NULL FOR NO KEY UPDATE";
    const FIND: &str = "SELECT id FROM report_cases WHERE COALESCE(space_id, 0) = $1 \
        AND kind = $2 AND thing_id = $3 AND resolved_at IS NULL";
    let Reported {
        space,
        room,
        author,
        href,
        at,
        ..
    } = reported;
    let row = (CaseId::new(), *space, *room, kind, id, *author, href, *at);
    tx.execute(OPEN, row).await?;
    let key = (space.map_or(0, |space| space.0), kind, id);
    tx.lock::<(i64,)>(LOCK, key).await?;
    let found = tx.optional_scalar(FIND, key).await?;
    // Resolved just now by a reviewer: another try opens a new one.
    found.ok_or(Error::Unavailable)
}

async fn insert(
    tx: &mut Tx,
    case: CaseId,
    reporter: AccountId,
    (reason, words): (Reason, &str),
    reported: &Reported,
) -> Result<()> {
    const INSERT: &str = "INSERT INTO reports \
        (id, case_id, reporter_id, reason, words, excerpt, at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (case_id, reporter_id) DO NOTHING";
    const COUNT: &str = "SELECT COUNT(*) FROM reports r JOIN report_cases c \
        ON c.id = r.case_id WHERE r.reporter_id = $1 AND c.resolved_at IS NULL";
    let (id, now) = (ReportId::new(), Micros::now());
    let excerpt = cut(&reported.excerpt);
    let row = (id, case, reporter, reason, words, excerpt, now);
    if tx.execute(INSERT, row).await? == 0 {
        return Err(Error::Conflict("error-reported-already"));
    }
    let open: i64 = tx.scalar(COUNT, (reporter,)).await?;
    match open > MAX_OPEN_REPORTS {
        true => Err(Error::Conflict("error-reports-full")),
        false => Ok(()),
    }
}

impl OwnReport {
    /// The message key of how it stands.
    pub(super) fn state(&self) -> &'static str {
        match self.resolved_at {
            Some(_) => "report-state-resolved",
            None => "report-state-open",
        }
    }
}

impl CaseOutcome {
    /// The message key of its name.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Nothing => "case-outcome-nothing",
            Self::Acted => "case-outcome-acted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_lines_and_lose_control_characters() {
        let checked = |text| check_words(text, "words", 20).unwrap();
        assert_eq!(checked(" one \r\ntwo\u{7} "), "one\ntwo");
        assert_eq!(checked(" \u{200b}\n"), "");
        assert!(check_words("a longer text than that", "words", 20).is_err());
    }

    #[test]
    fn excerpt_is_cut_between_characters() {
        let text = "ä".repeat(MAX_EXCERPT_BYTES);
        let cut = cut(&text);
        assert!(cut.len() <= MAX_EXCERPT_BYTES && cut.len() > MAX_EXCERPT_BYTES - 4);
    }
}
