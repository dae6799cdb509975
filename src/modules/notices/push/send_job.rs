//! Sending: a job finds the devices of who has not read a notice by then and has no page in use,
//! and adds one for each, which is tried again while the push service does not answer.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::{Notices, store as notice_store};
use super::encrypt::{DeviceKeys, encrypt};
use super::payload::payload;
use super::store::{self, DeviceId};
use super::{PUSH_DELAY, vapid};
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::base::locale::Lang;
use crate::engine::jobs::{Failure, Jobs, NewJob, Run, Settled};
use crate::engine::notices::NoticeId;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

pub(super) const SPREAD: &str = "notices.push";
pub(super) const SEND: &str = "notices.push-device";

/// Who is to be sent a notice.
#[derive(Serialize, Deserialize)]
pub(super) struct Spread {
    notice: NoticeId,
    accounts: Vec<AccountId>,
}

/// One device that is to be sent a notice.
#[derive(Serialize, Deserialize)]
pub(super) struct Send {
    notice: NoticeId,
    device: DeviceId,
}

/// Adds the job that sends a notice to the devices of these accounts, if they have any.
///
/// # Errors
/// The database's.
pub(in crate::modules::notices) async fn add_jobs(
    tx: &mut Tx,
    jobs: &Jobs,
    notice: NoticeId,
    accounts: &[AccountId],
) -> Result<()> {
    let accounts = store::with_devices(tx, accounts).await?;
    if !accounts.is_empty() {
        let spread = Spread { notice, accounts };
        jobs.add(tx, NewJob::new(SPREAD, &spread).after(PUSH_DELAY))
            .await?;
    }
    Ok(())
}

pub(super) async fn spread(notices: Notices, run: Run, spread: Spread) -> Result<Settled, Failure> {
    let Spread { notice, accounts } = spread;
    let meant: Arc<HashSet<AccountId>> = Arc::new(accounts.iter().copied().collect());
    let present = notices.community.present.among(&meant);
    let devices = store::devices_to_tell(&notices.engine.db, notice, &accounts).await?;
    let jobs = notices.engine.jobs.clone();
    run.settle(async move |tx| {
        for (device, account) in devices {
            if !present.contains(&account) {
                let job = NewJob::new(SEND, &Send { notice, device }).account(account);
                jobs.add(tx, job).await?;
            }
        }
        Ok(())
    })
    .await
}

pub(super) async fn send(notices: Notices, run: Run, send: Send) -> Result<Settled, Failure> {
    let db = &notices.engine.db;
    let Some(device) = store::find(db, send.device).await? else {
        return run.done();
    };
    let account = device.account_id;
    let lang = Lang::negotiate(device.language.as_deref(), None);
    // Rights are asked again: the message may be gone, or the room closed to them.
    let entry = notice_store::unread_entry(db, account, send.notice).await?;
    let (items, _) = notices
        .items(account, lang, entry.into_iter().collect())
        .await?;
    let Some(item) = items.first() else {
        return run.done();
    };
    let unread = notice_store::badges(db, &[account]).await?;
    let unread = unread.first().map_or(0, |(_, unread, _)| *unread);
    let origin = notices.community.public_origin().await?;
    let Ok(endpoint) = notices.push.endpoint(&device.endpoint) else {
        return end(&notices, run, send.device).await;
    };
    let (public, auth) = (
        BASE64.decode(&device.public_key)?,
        BASE64.decode(&device.auth)?,
    );
    let keys = DeviceKeys {
        public: &public,
        auth: &auth,
    };
    let body = encrypt(payload(item, &origin, unread).as_bytes(), &keys)?;
    let audience = endpoint.origin().ascii_serialization();
    let subject = match origin.strip_prefix("http://") {
        // Push services take nothing else.
        Some(rest) => format!("https://{rest}"),
        None => origin,
    };
    let authorization = vapid::authorization(db, &audience, &subject).await?;
    match notices.push.send(endpoint, &authorization, body).await? {
        200..300 => run.done(),
        404 | 410 => end(&notices, run, send.device).await,
        // Another attempt would be refused, too.
        status @ (400..=403 | 405..=407 | 411..=428) => {
            tracing::warn!(status, "a push service refused a notice");
            run.done()
        }
        status => Err(Failure::Retry(format!(
            "the push service answered {status}"
        ))),
    }
}

/// Forgets a device whose subscription has ended.
async fn end(notices: &Notices, run: Run, device: DeviceId) -> Result<Settled, Failure> {
    let write = notices
        .engine
        .db
        .write_queued(async move |tx: &mut Tx| store::remove(tx, device).await);
    write.await?;
    run.done()
}
