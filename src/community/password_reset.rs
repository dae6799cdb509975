//! A new password by a mailed link: the pages `/forgot` and `/reset`, and the page that confirms a
//! new address.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Community;
use super::account_mail::Letter;
use super::accounts::check_email;
use super::one_time_tokens::{self, Purpose};
use super::views::{ForgotPage, LinkPage};
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::AccountId;
use crate::base::locale::Lang;
use crate::base::secrets;
use crate::base::security_log::SecurityEvent;
use crate::base::text::fold;
use crate::engine::actions::{Outcome, decode_form};
use crate::engine::forms::Form;
use crate::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use crate::engine::mail::sending;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Address;
use crate::engine::web::{Html, Wants, answer, show_error_in};

type Here = State<Community>;

const MAIL_RESET: &str = "community.mail-reset";

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .page(Audience::Anyone, "/forgot", get(forgot).post(ask))
        .page(Audience::Anyone, "/reset", get(reset).post(do_reset))
        .page(
            Audience::Anyone,
            "/account/email",
            get(confirm).post(do_confirm),
        )
        .job(sending(JobKind::new(
            MAIL_RESET,
            "Mails the link to a new password, if there is an account",
            mail_reset,
        )))
}

/// The payload of the job. The account is looked up and the token made by the job: the request
/// takes as long for an address without an account, and no token is stored.
#[derive(Serialize, Deserialize)]
struct Reset {
    email: String,
    language: String,
}

#[derive(Deserialize, Default)]
struct Sent {
    #[serde(default)]
    sent: String,
}

async fn forgot(
    State(community): Here,
    lang: Lang,
    form: Form,
    Query(Sent { sent }): Query<Sent>,
) -> Result<Html> {
    forgot_page(&community, lang, form, sent == "yes")
}

fn forgot_page(community: &Community, lang: Lang, form: Form, is_sent: bool) -> Result<Html> {
    let engine = community.engine();
    let head = engine.pages.head(lang, None, lang.t("forgot-title"));
    let has_mail = engine.mail.is_configured();
    Html::of(&ForgotPage {
        head,
        form,
        has_mail,
        is_sent,
    })
}

#[derive(Deserialize)]
struct ForgotForm {
    email: String,
}

async fn ask(
    State(community): Here,
    lang: Lang,
    Address(address): Address,
    wants: Wants,
    body: Bytes,
) -> Result<Response> {
    let done = async {
        if !community.engine().mail.is_configured() {
            return Err(Error::Conflict("error-no-mail"));
        }
        let ForgotForm { email } = decode_form(&body)?;
        let mut check = Check::default();
        let email = check_email(&email, &mut check);
        check.done()?;
        community
            .count_reset(&email, address)
            .inspect_err(|_| SecurityEvent::LimitReached.record(None, address, "resets"))?;
        let key = secrets::digest(&fold(&email));
        let payload = Reset {
            email,
            language: lang.tag().to_owned(),
        };
        let job = NewJob::new(MAIL_RESET, &payload).key(key);
        community.engine().jobs.add_alone(job).await?;
        SecurityEvent::ResetAsked.record(None, address, "form");
        Ok(Outcome::new(Value::Null, "/forgot?sent=yes"))
    }
    .await;
    match done {
        Err(error) if wants == Wants::Page => {
            let form = Form::refused("forgot", &body, &error, lang);
            let page = forgot_page(&community, lang, form, false)?;
            Ok(show_error_in(page, &error))
        }
        done => answer(wants, done).await,
    }
}

async fn mail_reset(community: Community, run: Run, reset: Reset) -> Result<Settled, Failure> {
    const FIND: &str = "SELECT id, email, name, language FROM accounts WHERE email_key = $1";
    type Row = (AccountId, String, String, Option<String>);
    let db = &community.engine().db;
    let found: Option<Row> = db.optional(FIND, (fold(&reset.email),)).await?;
    let Some((id, email, name, language)) = found else {
        return run.done();
    };
    let write = db.write(async move |tx| one_time_tokens::insert(tx, Purpose::Reset, id, "").await);
    let token = write.await?;
    let lang = Lang::negotiate(Some(language.as_deref().unwrap_or(&reset.language)), None);
    let letter = Letter::ResetPassword(&token);
    let mail = community.letter(letter, (&email, &name), lang).await?;
    community.engine().mail.send(run.id(), &mail).await?;
    run.done()
}

impl Community {
    /// A link with which an account sets a new password; `None` when there is no such account.
    ///
    /// # Errors
    /// The database's.
    pub async fn reset_link(&self, login: &str) -> Result<Option<String>> {
        let Some((account, _)) = self.accounts.find_by_login(login).await? else {
            return Ok(None);
        };
        let insert =
            async move |tx: &mut Tx| one_time_tokens::insert(tx, Purpose::Reset, account, "").await;
        let token = self.engine().db.write(insert).await?;
        let origin = self.public_origin().await?;
        Ok(Some(format!("{origin}/reset?token={token}")))
    }
}

/// The token of a mailed link.
#[derive(Deserialize, Default)]
struct Token {
    #[serde(default)]
    token: String,
}

/// What a link is for, and whether it can still be used.
async fn link_page(
    community: &Community,
    lang: Lang,
    form: Form,
    (purpose, token): (Purpose, String),
) -> Result<Response> {
    let engine = community.engine();
    let found = one_time_tokens::find(&engine.db, purpose, &token).await?;
    let title = match purpose {
        Purpose::Email => lang.t("confirm-title"),
        _ => lang.t("reset-title"),
    };
    let is_open = found.is_some();
    let page = Html::of(&LinkPage {
        head: engine.pages.head(lang, None, title),
        form,
        token,
        is_reset: purpose == Purpose::Reset,
        email: found.map(|(_, email)| email),
    })?;
    Ok(match is_open {
        true => page.into_response(),
        false => show_error_in(page, &Error::NotFound),
    })
}

async fn reset(
    State(community): Here,
    lang: Lang,
    form: Form,
    Query(Token { token }): Query<Token>,
) -> Result<Response> {
    link_page(&community, lang, form, (Purpose::Reset, token)).await
}

#[derive(Deserialize)]
struct ResetForm {
    token: String,
    password: String,
}

async fn do_reset(
    State(community): Here,
    lang: Lang,
    Address(address): Address,
    wants: Wants,
    body: Bytes,
) -> Result<Response> {
    let done = async {
        let ResetForm { token, password } = decode_form(&body)?;
        let account = community.reset_password(&token, &password).await?;
        SecurityEvent::CredentialChanged.record(account, address, "password_reset");
        Ok(Outcome::new(Value::Null, "/sign-in?done=reset"))
    }
    .await;
    refused_on_link(
        &community,
        lang,
        (Purpose::Reset, "reset"),
        wants,
        &body,
        done,
    )
    .await
}

async fn confirm(
    State(community): Here,
    lang: Lang,
    form: Form,
    Query(Token { token }): Query<Token>,
) -> Result<Response> {
    link_page(&community, lang, form, (Purpose::Email, token)).await
}

/// Confirms by a button: programs that look into mail open every link, and must change nothing.
async fn do_confirm(
    State(community): Here,
    lang: Lang,
    Address(address): Address,
    wants: Wants,
    body: Bytes,
) -> Result<Response> {
    let done = async {
        let Token { token } = decode_form(&body)?;
        let account = community.confirm_email(token).await?;
        SecurityEvent::CredentialChanged.record(account, address, "email");
        Ok(Outcome::new(Value::Null, "/account/security?done=email"))
    }
    .await;
    refused_on_link(
        &community,
        lang,
        (Purpose::Email, "email"),
        wants,
        &body,
        done,
    )
    .await
}

async fn refused_on_link(
    community: &Community,
    lang: Lang,
    (purpose, form): (Purpose, &str),
    wants: Wants,
    body: &Bytes,
    done: Result<Outcome>,
) -> Result<Response> {
    match done {
        Err(error) if wants == Wants::Page => {
            let Token { token } = decode_form(body).unwrap_or_default();
            let form = Form::refused(form, body, &error, lang);
            let page = link_page(community, lang, form, (purpose, token)).await?;
            Ok(show_error_in(page, &error))
        }
        done => answer(wants, done).await,
    }
}
