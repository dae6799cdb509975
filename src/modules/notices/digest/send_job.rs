//! The jobs of mail digests: one finds those that are due, and adds one for each mail.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::Notices;
use super::{MAX_NOTICES_MAILED, mail, store};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::ids::AccountId;
use crate::base::local_time::time_zone;
use crate::base::locale::Lang;
use crate::engine::jobs::{Failure, NewJob, Run, Settled};

pub(super) const DUE: &str = "notices.find-digests";
pub(super) const SEND: &str = "notices.mail-digest";

/// Mails of one transaction.
const BATCH_DUE: usize = 100;

/// Whose digest is mailed.
#[derive(Serialize, Deserialize)]
pub(super) struct Send {
    account: AccountId,
}

pub(super) async fn find_due(notices: Notices, run: Run, _: Value) -> Result<Settled, Failure> {
    let db = &notices.engine.db;
    let now = Micros::now();
    // The host may have taken the setting back: digests wait until there is mail again.
    if !notices.engine.mail.is_configured() {
        return run.done();
    }
    loop {
        let due = store::due(db, now, BATCH_DUE).await?;
        if due.is_empty() {
            return run.done();
        }
        let jobs = notices.engine.jobs.clone();
        let write = async move |tx: &mut Tx| {
            for one in &due {
                let account = one.account;
                let next = one.every.next(now, time_zone([one.time_zone.as_str()]));
                if store::postpone(tx, account, now, next).await? {
                    let job = NewJob::new(SEND, &Send { account });
                    let job = job.key(account.to_string()).account(account);
                    jobs.add(tx, job).await?;
                }
            }
            Ok(())
        };
        db.write_queued(write).await?;
    }
}

pub(super) async fn send(notices: Notices, run: Run, send: Send) -> Result<Settled, Failure> {
    let (db, account) = (&notices.engine.db, send.account);
    let Some(digest) = store::find(db, account).await? else {
        return run.done();
    };
    let only: Arc<HashSet<AccountId>> = Arc::new(HashSet::from([account]));
    // Who has a page open sees the number there; the next mail has what they leave unread.
    let is_present = !notices.community.present.among(&only).is_empty();
    let suspension = notices.community.check_not_suspended(account).await;
    if is_present || suspension.is_err() {
        return run.done();
    }
    let since = digest.told_up_to;
    let mut entries = store::unread(db, account, since, MAX_NOTICES_MAILED + 1).await?;
    let newest = entries.first().map_or(since, |newest| newest.id);
    let has_more = entries.len() > MAX_NOTICES_MAILED;
    entries.truncate(MAX_NOTICES_MAILED);
    let lang = Lang::negotiate(digest.language.as_deref(), None);
    // Rights are asked again: a message may be gone, or its room closed to them.
    let (items, _) = notices.items(account, lang, entries).await?;
    if !items.is_empty() {
        let origin = notices.community.public_origin().await?;
        let mail = mail::digest(&digest, &items, has_more, &origin, lang);
        notices.engine.mail.send(run.id(), &mail).await?;
    }
    run.settle(async move |tx| store::set_told(tx, account, newest).await)
        .await
}
