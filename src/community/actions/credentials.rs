//! Actions on what an account signs in with.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::error::Result;
use crate::base::security_log::SecurityEvent;
use crate::community::Community;
use crate::community::credentials::EmailChange;
use crate::engine::actions::{Class, Outcome};
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .action(
            "community.change-name",
            "Gives one's account another name",
            Class::Write,
            change_name,
        )
        .action(
            "community.change-email",
            "Gives one's account another e-mail address",
            Class::Write,
            change_email,
        )
        .action(
            "community.change-password",
            "Gives one's account another password",
            Class::Write,
            change_password,
        )
        .action(
            "community.turn-off-totp",
            "Has one's account ask for no code at sign-in",
            Class::Write,
            turn_off_totp,
        )
        .action(
            "community.remove-passkey",
            "Removes a passkey of one's account",
            Class::Write,
            remove_passkey,
        )
        .action(
            "community.link-identity",
            "Begins to link one's account to the service that people sign in with",
            Class::Write,
            link_identity,
        )
        .action(
            "community.unlink-identity",
            "Ends the link of one's account to the service that people sign in with",
            Class::Write,
            unlink_identity,
        )
        .action(
            "community.export-data",
            "Has a copy of one's data made",
            Class::Create,
            export_data,
        )
        .action(
            "community.delete-account",
            "Deletes one's account",
            Class::Write,
            delete_account,
        )
}

#[derive(Deserialize)]
struct ChangeName {
    name: String,
    current_password: String,
}

async fn change_name(community: Community, viewer: Viewer, input: ChangeName) -> Result<Outcome> {
    community
        .check_own_password(&viewer, input.current_password)
        .await?;
    community.change_name(&viewer, &input.name).await?;
    Ok(Outcome::new(Value::Null, "/account/security?done=name"))
}

#[derive(Deserialize)]
struct ChangeEmail {
    email: String,
    current_password: String,
}

async fn change_email(community: Community, viewer: Viewer, input: ChangeEmail) -> Result<Outcome> {
    community
        .check_own_password(&viewer, input.current_password)
        .await?;
    let change = community.change_email(&viewer, &input.email).await?;
    let (mailed, location) = match change {
        EmailChange::Changed => (false, "/account/security?done=email"),
        EmailChange::LinkMailed => (true, "/account/security?done=email-link"),
    };
    Ok(Outcome::new(json!({ "link_mailed": mailed }), location))
}

#[derive(Deserialize)]
struct ChangePassword {
    current_password: String,
    password: String,
}

async fn change_password(
    community: Community,
    viewer: Viewer,
    input: ChangePassword,
) -> Result<Outcome> {
    community
        .check_own_password(&viewer, input.current_password)
        .await?;
    community.change_password(&viewer, &input.password).await?;
    Ok(Outcome::new(Value::Null, "/account/security?done=password"))
}

#[derive(Deserialize)]
struct TurnOffTotp {
    current_password: String,
}

async fn turn_off_totp(
    community: Community,
    viewer: Viewer,
    input: TurnOffTotp,
) -> Result<Outcome> {
    community
        .check_own_password(&viewer, input.current_password)
        .await?;
    community.turn_totp_off(&viewer).await?;
    Ok(Outcome::new(Value::Null, "/account/security?done=totp-off"))
}

#[derive(Deserialize)]
struct RemovePasskey {
    passkey: String,
    current_password: String,
}

async fn remove_passkey(
    community: Community,
    viewer: Viewer,
    input: RemovePasskey,
) -> Result<Outcome> {
    community
        .check_own_password(&viewer, input.current_password)
        .await?;
    community.remove_passkey(&viewer, input.passkey).await?;
    let location = "/account/security?done=passkey-removed";
    Ok(Outcome::new(Value::Null, location))
}

#[derive(Deserialize)]
struct OwnPassword {
    current_password: String,
}

async fn link_identity(
    community: Community,
    viewer: Viewer,
    input: OwnPassword,
) -> Result<Outcome> {
    community
        .check_own_password(&viewer, input.current_password)
        .await?;
    let token = community.begin_link(&viewer).await?;
    let location = format!("/account/oidc?token={token}");
    Ok(Outcome::new(json!({ "token": token }), location))
}

async fn unlink_identity(
    community: Community,
    viewer: Viewer,
    input: OwnPassword,
) -> Result<Outcome> {
    community
        .check_own_password(&viewer, input.current_password)
        .await?;
    community.end_link(&viewer).await?;
    SecurityEvent::CredentialChanged.record(viewer.account, viewer.address, "identity_unlinked");
    let location = "/account/security?done=unlinked";
    Ok(Outcome::new(Value::Null, location))
}

#[derive(Deserialize)]
struct ExportData {
    current_password: String,
}

async fn export_data(community: Community, viewer: Viewer, input: ExportData) -> Result<Outcome> {
    community
        .check_own_password(&viewer, input.current_password)
        .await?;
    community.ask_data_export(&viewer).await?;
    Ok(Outcome::new(Value::Null, "/account/data"))
}

/// What becomes of the messages of a deleted account.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Messages {
    Keep,
    Delete,
}

#[derive(Deserialize)]
struct DeleteAccount {
    current_password: String,
    messages: Messages,
}

async fn delete_account(
    community: Community,
    viewer: Viewer,
    input: DeleteAccount,
) -> Result<Outcome> {
    community
        .check_own_password(&viewer, input.current_password)
        .await?;
    let deletes_content = matches!(input.messages, Messages::Delete);
    community.delete_account(&viewer, deletes_content).await?;
    Ok(Outcome::new(Value::Null, "/sign-in"))
}
