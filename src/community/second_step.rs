//! Between the two steps of a sign-in: a short-lived cookie says whose password was right.

use axum::http::{HeaderMap, HeaderValue, header};
use tower_sessions::cookie::{Cookie, SameSite};

use super::Community;
use super::one_time_tokens::{self, Found, Purpose};
use super::sign_in_request::SignInRequest;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;

/// Of the cookie; its token expires as early.
const COOKIE_TTL: time::Duration = time::Duration::minutes(10);

/// Name of the cookie of the second step, without its prefix.
const STEP_COOKIE: &str = "tidepool-step";
/// Name of the cookie of a sign-in with OpenID Connect, without its prefix.
pub(super) const OIDC_COOKIE: &str = "tidepool-oidc";

fn cookie_name(name: &str, https: bool) -> String {
    match https {
        true => format!("__Host-{name}"),
        false => name.to_owned(),
    }
}

/// The `Set-Cookie` header of a token that is used once, within ten minutes.
pub(super) fn step_cookie(name: &str, token: String, https: bool) -> Result<HeaderValue> {
    let cookie = Cookie::build((cookie_name(name, https), token))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(https)
        .max_age(COOKIE_TTL)
        .to_string();
    HeaderValue::try_from(cookie).map_err(|error| Error::Internal(anyhow::Error::new(error)))
}

/// The token in the cookie of this name.
pub(super) fn step_token(name: &str, headers: &HeaderMap, https: bool) -> Option<String> {
    let name = cookie_name(name, https);
    let cookies = headers.get_all(header::COOKIE).iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .flatten()
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

impl Community {
    /// Notes that the password of this account was right, and whereto after the second step. The
    /// `Set-Cookie` header of the answer.
    pub(super) async fn begin_second_step(
        &self,
        account: AccountId,
        next: &str,
    ) -> Result<HeaderValue> {
        let next = next.to_owned();
        let write = self.engine().db.write_protective(async move |tx| {
            one_time_tokens::insert(tx, Purpose::SecondStep, account, &next).await
        });
        step_cookie(STEP_COOKIE, write.await?, self.engine().settings.https)
    }

    fn second_step_token(&self, headers: &HeaderMap) -> Option<String> {
        step_token(STEP_COOKIE, headers, self.engine().settings.https)
    }

    /// Whose password was right, and whereto after the second step.
    pub(super) async fn find_second_step(&self, request: &SignInRequest) -> Result<Option<Found>> {
        let Some(token) = self.second_step_token(&request.headers) else {
            return Ok(None);
        };
        one_time_tokens::find(&self.engine().db, Purpose::SecondStep, &token).await
    }

    /// Ends the second step: its cookie is worth nothing from then on.
    ///
    /// # Errors
    /// `Invalid` when it was ended already, as by another request.
    pub(super) async fn end_second_step(&self, request: &SignInRequest) -> Result<()> {
        let token = self.second_step_token(&request.headers).unwrap_or_default();
        let write = self.engine().db.write_protective(async move |tx| {
            one_time_tokens::take(tx, Purpose::SecondStep, &token).await
        });
        let over = Error::field("form", "error-second-step-over");
        write.await?.ok_or(over).map(drop)
    }
}
