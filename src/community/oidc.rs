//! Sign-in with OpenID Connect (authorization code flow with PKCE), where a host configures it.
//!
//! An identity is known by issuer and subject, never by its address: an address only says which
//! account's password is asked for, once, before both are linked.

mod id_token;
mod identities;
mod pages;
mod provider;

use axum::http::HeaderValue;
use serde::{Deserialize, Serialize};

use super::Community;
use super::one_time_tokens::{self, Purpose};
use super::second_step::{OIDC_COOKIE, step_cookie, step_token};
use super::sign_in_request::SignInRequest;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::secrets;
use crate::engine::viewer::Viewer;
use id_token::Claims;
pub(super) use pages::declare;
use provider::Bound;
pub(super) use provider::Provider;

/// The data of a sign-in that has begun. Worth nothing without the cookie.
#[derive(Serialize, Deserialize)]
struct Begun {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
}

/// An identity that waits for the password of the account with its address.
#[derive(Serialize, Deserialize)]
struct Pending {
    subject: String,
    next: String,
}

/// Who came back from the provider.
struct Returned {
    claims: Claims,
    /// Whose account is to be linked; `None`: somebody signs in.
    account: Option<AccountId>,
    next: String,
}

fn late() -> Error {
    Error::Conflict("error-oidc-late")
}

impl Community {
    /// # Errors
    /// `NotFound` where none is configured.
    fn oidc_provider(&self) -> Result<&Provider> {
        self.oidc.as_ref().ok_or(Error::NotFound)
    }

    /// The words of the button; `None` where none is configured.
    pub(super) fn oidc_name(&self) -> Option<String> {
        let settings = &self.engine().settings;
        let provider = self.oidc.as_ref()?;
        Some(match settings.oidc_name.as_str() {
            "" => {
                let host = provider.issuer.split_once("://");
                host.map_or(&*provider.issuer, |(_, host)| host).to_owned()
            }
            name => name.to_owned(),
        })
    }

    /// Whether the viewer's account is linked; `None` where none is configured.
    pub(super) async fn oidc_link(&self, account: AccountId) -> Result<Option<bool>> {
        match &self.oidc {
            Some(provider) => self.is_linked(&provider.issuer, account).await.map(Some),
            None => Ok(None),
        }
    }

    async fn oidc_redirect_uri(&self) -> Result<String> {
        Ok(format!(
            "{}/sign-in/oidc/return",
            self.public_origin().await?
        ))
    }

    /// Stores data behind a token in a cookie.
    async fn store_oidc(
        &self,
        purpose: Purpose,
        account: Option<AccountId>,
        data: &impl Serialize,
    ) -> Result<HeaderValue> {
        let data = serde_json::to_string(data).map_err(|error| Error::Internal(error.into()))?;
        let write = self.engine().db.write_protective(async move |tx| {
            one_time_tokens::insert(tx, purpose, account, &data).await
        });
        step_cookie(OIDC_COOKIE, write.await?, self.engine().settings.https)
    }

    /// Uses up a token: whose it was, and its data.
    async fn take_oidc(
        &self,
        purpose: Purpose,
        token: String,
    ) -> Result<Option<(Option<AccountId>, String)>> {
        let write = self
            .engine()
            .db
            .write_protective(async move |tx| one_time_tokens::take_any(tx, purpose, &token).await);
        write.await
    }

    fn oidc_token(&self, request: &SignInRequest) -> String {
        let https = self.engine().settings.https;
        step_token(OIDC_COOKIE, &request.headers, https).unwrap_or_default()
    }

    /// Begins a sign-in, or linking `account`: the address at the provider, and the cookie.
    ///
    /// # Errors
    /// `Conflict` when the provider does not answer.
    async fn begin_oidc(
        &self,
        account: Option<AccountId>,
        next: &str,
    ) -> Result<(String, HeaderValue)> {
        let provider = self.oidc_provider()?;
        let begun = Begun {
            state: secrets::token(),
            nonce: secrets::token(),
            verifier: secrets::token(),
            next: next.to_owned(),
        };
        let bound = Bound {
            nonce: &begun.nonce,
            verifier: &begun.verifier,
            redirect_uri: &self.oidc_redirect_uri().await?,
        };
        let address = provider.authorization(&begun.state, &bound).await;
        let address = address.map_err(|error| {
            tracing::warn!("OpenID Connect: {error:#}");
            Error::Conflict("error-oidc-unreachable")
        })?;
        let cookie = self.store_oidc(Purpose::OidcState, account, &begun);
        Ok((address, cookie.await?))
    }

    /// Who comes back from the provider. Whatever comes of it, the sign-in that had begun is used
    /// up.
    ///
    /// # Errors
    /// `Conflict` when this browser has begun none, or the provider does not vouch for anybody.
    async fn finish_oidc(
        &self,
        request: &SignInRequest,
        state: &str,
        code: Option<&str>,
    ) -> Result<Returned> {
        let provider = self.oidc_provider()?;
        let token = self.oidc_token(request);
        let taken = self.take_oidc(Purpose::OidcState, token).await?;
        let (account, data) = taken.ok_or_else(late)?;
        let begun: Begun = serde_json::from_str(&data).map_err(|_| late())?;
        if !secrets::is_equal(state, &begun.state) {
            return Err(late());
        }
        let code = code.ok_or(Error::Conflict("error-oidc-refused"))?;
        let bound = Bound {
            nonce: &begun.nonce,
            verifier: &begun.verifier,
            redirect_uri: &self.oidc_redirect_uri().await?,
        };
        let claims = provider.exchange(code, &bound).await.map_err(|error| {
            tracing::warn!("OpenID Connect: {error:#}");
            Error::Conflict("error-oidc-failed")
        })?;
        Ok(Returned {
            claims,
            account,
            next: begun.next,
        })
    }

    /// A token that begins linking the viewer's account, after its password was asked for.
    ///
    /// # Errors
    /// `NotFound` where no provider is configured.
    pub(super) async fn begin_link(&self, viewer: &Viewer) -> Result<String> {
        self.oidc_provider()?;
        let account = viewer.account;
        let write = self.engine().db.write_protective(async move |tx| {
            one_time_tokens::insert(tx, Purpose::OidcBegin, account, "").await
        });
        write.await
    }

    /// Ends the link of the viewer's account, after its password was asked for.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub(super) async fn end_link(&self, viewer: &Viewer) -> Result<()> {
        let provider = self.oidc_provider()?;
        self.unlink_identity(viewer, &provider.issuer).await
    }
}
