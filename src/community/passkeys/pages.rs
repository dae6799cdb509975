//! The requests of the pages' script: a challenge, a new passkey, and a sign-in. All are JSON:
//! passkeys need scripts.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::post;
use axum::{Json, body::Bytes};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::verify::{Assertion, Origin, Registration};
use crate::base::error::{Error, Result};
use crate::base::security_log::SecurityEvent;
use crate::community::Community;
use crate::community::redirects::local_path;
use crate::community::sign_in_request::SignInRequest;
use crate::engine::actions::Outcome;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::{Address, Viewer};
use crate::engine::web::{Wants, answer, requested_host};

type Here = State<Community>;

pub(in crate::community) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .page(Audience::SignedIn, "/account/passkeys", post(add))
        .page(
            Audience::SignedIn,
            "/account/passkeys/challenge",
            post(challenge_to_add),
        )
        .page(Audience::Anyone, "/sign-in/passkey", post(sign_in))
        .page(
            Audience::Anyone,
            "/sign-in/passkey/challenge",
            post(challenge_to_sign_in),
        )
}

/// By the request: the server answers to its own host names only.
fn origin(community: &Community, headers: &HeaderMap) -> Result<Origin> {
    let unknown = || Error::field("form", "error-passkey");
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let scheme = match community.engine().settings.https {
        true => "https",
        false => "http",
    };
    Ok(Origin {
        origin: format!("{scheme}://{}", host.ok_or_else(unknown)?),
        rp_id: requested_host(headers).ok_or_else(unknown)?,
    })
}

fn decode<T: DeserializeOwned>(body: &Bytes) -> Result<T> {
    serde_json::from_slice(body).map_err(|_| Error::field("form", "error-message-shape"))
}

async fn challenge_to_add(
    State(community): Here,
    viewer: Viewer,
    headers: HeaderMap,
) -> Result<Json<Value>> {
    let origin = origin(&community, &headers)?;
    let challenge = community.passkey_challenge(Some(viewer.account)).await?;
    let passkeys = community.passkeys(viewer.account).await?;
    let known: Vec<_> = passkeys.into_iter().map(|passkey| passkey.id).collect();
    Ok(Json(json!({
        "challenge": challenge, "rp_id": origin.rp_id, "known": known,
        "user": viewer.account, "name": viewer.name,
    })))
}

#[derive(Deserialize)]
struct NewPasskey {
    name: String,
    current_password: String,
    #[serde(flatten)]
    registration: Registration,
}

async fn add(
    State(community): Here,
    viewer: Viewer,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>> {
    let new: NewPasskey = decode(&body)?;
    let origin = origin(&community, &headers)?;
    community
        .check_own_password(&viewer, new.current_password)
        .await?;
    community
        .add_passkey(&viewer, &new.name, &new.registration, &origin)
        .await?;
    Ok(Json(Value::Null))
}

async fn challenge_to_sign_in(
    State(community): Here,
    Address(address): Address,
    headers: HeaderMap,
) -> Result<Json<Value>> {
    community.count_passkey(address)?;
    let origin = origin(&community, &headers)?;
    let challenge = community.passkey_challenge(None).await?;
    Ok(Json(
        json!({ "challenge": challenge, "rp_id": origin.rp_id }),
    ))
}

#[derive(Deserialize)]
struct SignIn {
    #[serde(default)]
    next: String,
    #[serde(flatten)]
    assertion: Assertion,
}

async fn sign_in(State(community): Here, request: SignInRequest, body: Bytes) -> Result<Response> {
    let SignIn { next, assertion } = decode(&body)?;
    let origin = origin(&community, &request.headers)?;
    let used = community.use_passkey(&assertion, &origin).await;
    let account = used.inspect_err(|_| {
        SecurityEvent::SignInRefused.record(None, request.address, "wrong_passkey");
    })?;
    request.sign_in(&community, account, "passkey").await?;
    let next = local_path(&next).to_owned();
    let outcome = Outcome::new(json!({ "account": account, "next": next }), next);
    let answered = answer(Wants::Json, Ok(outcome)).await?;
    Ok(request.with_cookie(answered))
}
