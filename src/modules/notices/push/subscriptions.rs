//! The devices that notices are sent to: one for each session, which ends with it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::Deserialize;
use serde_json::json;

use super::super::Notices;
use super::encrypt::{AUTH_BYTES, DeviceKeys, PUBLIC_KEY_BYTES, encrypt};
use super::store::{self, DeviceId};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct SubscribeInput {
    /// The address that the browser gave out.
    #[serde(default)]
    endpoint: String,
    /// Its keys, in base64url.
    #[serde(default)]
    p256dh: String,
    #[serde(default)]
    auth: String,
}

fn decode(text: &str, bytes: usize) -> Result<Vec<u8>> {
    let decoded = BASE64.decode(text.trim_end_matches('=')).ok();
    let decoded = decoded.filter(|decoded| decoded.len() == bytes);
    decoded.ok_or(Error::field("p256dh", "error-push-keys"))
}

/// `notices.subscribe-device`
pub(super) async fn subscribe(
    notices: Notices,
    viewer: Viewer,
    input: SubscribeInput,
) -> Result<Outcome> {
    let endpoint = notices.push.endpoint(&input.endpoint)?.to_string();
    let (public, auth) = (
        decode(&input.p256dh, PUBLIC_KEY_BYTES)?,
        decode(&input.auth, AUTH_BYTES)?,
    );
    let keys = DeviceKeys {
        public: &public,
        auth: &auth,
    };
    encrypt(b"", &keys).map_err(|_| Error::field("p256dh", "error-push-keys"))?;
    let (account, session) = (viewer.account, viewer.session.clone());
    let (public, auth) = (BASE64.encode(public), BASE64.encode(auth));
    let write = notices.engine.db.write(async move |tx: &mut Tx| {
        store::add(tx, account, &session, (&endpoint, &public, &auth)).await
    });
    write.await?;
    Ok(Outcome::new(json!({}), "/account/notices"))
}

#[derive(Deserialize)]
pub(super) struct UnsubscribeInput {
    device: DeviceId,
}

/// `notices.unsubscribe-device`
pub(super) async fn unsubscribe(
    notices: Notices,
    viewer: Viewer,
    input: UnsubscribeInput,
) -> Result<Outcome> {
    let account = viewer.account;
    let write = notices
        .engine
        .db
        .write_protective(async move |tx: &mut Tx| {
            store::remove_own(tx, account, input.device).await
        });
    write.await?;
    Ok(Outcome::new(json!({}), "/account/notices"))
}
