//! What moderation keeps of an account: its reports and appeals, and what others reported of it.

use serde_json::json;

use super::Moderation;
use super::reports::ReportId;
use crate::base::clock::Micros;
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::personal_data::{DataPage, Erasure};

/// Reports of a page of a copy.
const PAGE_REPORTS: i64 = 200;

/// A page of an account's reports; its appeals with the first.
pub(super) async fn export(
    moderation: Moderation,
    account: AccountId,
    after: i64,
) -> Result<DataPage> {
    const READ: &str = "SELECT id, reason, words, excerpt, at FROM reports \
        WHERE reporter_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    const APPEALS: &str = "SELECT words, answer, at FROM appeals WHERE account_id = $1 \
        ORDER BY sanction_id LIMIT $2";
    let db = &moderation.engine.db;
    type Row = (ReportId, String, String, String, Micros);
    let rows: Vec<Row> = db.all(READ, (account, after, PAGE_REPORTS)).await?;
    let is_full = i64::try_from(rows.len()).unwrap_or(0) == PAGE_REPORTS;
    let last = rows.last().map(|(id, ..)| id.0);
    let reports = rows.into_iter().map(|(_, reason, words, excerpt, at)| {
        json!({ "reason": reason, "words": words, "reported": excerpt, "at": at.rfc3339() })
    });
    let mut items: Vec<_> = reports.collect();
    if after == i64::MIN {
        let appeals: Vec<(String, String, Micros)> =
            db.all(APPEALS, (account, PAGE_REPORTS)).await?;
        items.extend(appeals.into_iter().map(
            |(words, answer, at)| json!({ "appeal": words, "answer": answer, "at": at.rfc3339() }),
        ));
    }
    Ok(DataPage {
        items,
        next: last.filter(|_| is_full),
    })
}

/// Erases what the account wrote in reports and appeals, and, with its content, what others
/// reported of it.
pub(super) async fn erase(moderation: Moderation, erasure: Erasure) -> Result<bool> {
    let (account, deletes) = (erasure.account, erasure.deletes_content);
    let write = moderation.engine.db.write_queued(async move |tx| {
        const REPORTS: &str = "UPDATE reports SET words = '' WHERE reporter_id = $1";
        const APPEALS: &str = "UPDATE appeals SET words = '' WHERE account_id = $1";
        const EXCERPTS: &str = "UPDATE reports SET excerpt = '' WHERE case_id IN \
            (SELECT id FROM report_cases WHERE author_id = $1)";
        tx.execute(REPORTS, (account,)).await?;
        tx.execute(APPEALS, (account,)).await?;
        if deletes {
            tx.execute(EXCERPTS, (account,)).await?;
        }
        Ok(false)
    });
    write.await
}
