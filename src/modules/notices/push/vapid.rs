//! The key by which push services know this server (VAPID, RFC 8292). Made when it is first needed,
//! and kept in the database: all instances have one, and a backup has it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;

use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};

/// How long a signed statement holds; push services accept a day.
const STATEMENT_SECONDS: i64 = 12 * 3600;

fn failed(what: &'static str) -> Error {
    Error::Internal(anyhow::anyhow!(what))
}

/// The key pair, which is made if there is none.
async fn key_pair(db: &Db) -> Result<EcdsaKeyPair> {
    const READ: &str = "SELECT private_key FROM push_key WHERE one = 1";
    const ADD: &str = "INSERT INTO push_key (one, private_key) VALUES (1, $1) \
        ON CONFLICT DO NOTHING";
    let random = SystemRandom::new();
    let stored: Option<String> = db.optional_scalar(READ, ()).await?;
    let stored = match stored {
        Some(stored) => stored,
        None => {
            let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let made = EcdsaKeyPair::generate_pkcs8(algorithm, &random)
                .map_err(|_| failed("no key for push could be made"))?;
            let made = BASE64.encode(made.as_ref());
            let write = db.write_queued(async move |tx: &mut Tx| {
                tx.execute(ADD, (made,)).await?;
                // That of another instance, if it was faster.
                tx.scalar(READ, ()).await
            });
            write.await?
        }
    };
    let decoded = BASE64.decode(stored).map_err(anyhow::Error::new)?;
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &decoded, &random)
        .map_err(|_| failed("the key for push is damaged"))
}

/// The public key, as browsers ask for it when they subscribe.
///
/// # Errors
/// The database's.
pub(in crate::modules::notices) async fn public_key(db: &Db) -> Result<String> {
    Ok(BASE64.encode(key_pair(db).await?.public_key().as_ref()))
}

/// The `Authorization` header of a request to a push service: `audience` is its origin, `subject`
/// an address at which its operators reach who runs this server.
///
/// # Errors
/// The database's.
pub(super) async fn authorization(db: &Db, audience: &str, subject: &str) -> Result<String> {
    let pair = key_pair(db).await?;
    let expires = Micros::now().0 / 1_000_000 + STATEMENT_SECONDS;
    let header = json!({ "typ": "JWT", "alg": "ES256" });
    let claims = json!({ "aud": audience, "exp": expires, "sub": subject });
    let encode = |value: &serde_json::Value| BASE64.encode(value.to_string());
    let statement = format!("{}.{}", encode(&header), encode(&claims));
    let signature = pair
        .sign(&SystemRandom::new(), statement.as_bytes())
        .map_err(|_| failed("nothing could be signed for push"))?;
    Ok(format!(
        "vapid t={statement}.{}, k={}",
        BASE64.encode(signature),
        BASE64.encode(pair.public_key().as_ref())
    ))
}
