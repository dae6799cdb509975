//! The identities at the provider that are linked to accounts, table `linked_identities`.

use unicode_segmentation::UnicodeSegmentation;

use super::id_token::Claims;
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::AccountId;
use crate::base::locale::Lang;
use crate::base::secrets;
use crate::base::text::fold;
use crate::community::Community;
use crate::community::access::lock_account;
use crate::community::account_mail::Letter;
use crate::community::accounts::{
    self, MAX_NAME_CHARS, NewAccount, check_account_name, check_email, require_row,
};
use crate::community::names::name_key;
use crate::engine::viewer::Viewer;

/// Names that are tried for a new account: `ann`, `ann 2`, `ann 3` and so on.
const MAX_NAMES_TRIED: usize = 50;

async fn insert(tx: &mut Tx, issuer: &str, subject: &str, account: AccountId) -> Result<()> {
    const INSERT: &str = "INSERT INTO linked_identities \
        (issuer, subject, account_id, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let row = (issuer, subject, account, Micros::now());
    match tx.execute(INSERT, row).await? {
        0 => Err(Error::Conflict("error-oidc-taken")),
        _ => Ok(()),
    }
}

impl Community {
    /// The account that an identity is linked to.
    pub(super) async fn find_identity(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<AccountId>> {
        const FIND: &str =
            "SELECT account_id FROM linked_identities WHERE issuer = $1 AND subject = $2";
        let db = &self.engine().db;
        db.optional_scalar(FIND, (issuer, subject)).await
    }

    /// Whether an account is linked to an identity of this issuer; it can be to one.
    pub(in crate::community) async fn is_linked(
        &self,
        issuer: &str,
        account: AccountId,
    ) -> Result<bool> {
        const FIND: &str = "SELECT EXISTS \
            (SELECT 1 FROM linked_identities WHERE issuer = $1 AND account_id = $2)";
        self.engine().db.scalar(FIND, (issuer, account)).await
    }

    /// The account with this address.
    pub(super) async fn find_by_email(&self, email: &str) -> Result<Option<AccountId>> {
        const FIND: &str = "SELECT id FROM accounts WHERE email_key = $1";
        let db = &self.engine().db;
        db.optional_scalar(FIND, (fold(email.trim()),)).await
    }

    /// Links an identity to an account, and tells its owner by mail.
    ///
    /// # Errors
    /// `Conflict` when the identity is linked already, or the account is to another one.
    pub(super) async fn link_identity(
        &self,
        account: AccountId,
        (issuer, subject): (&str, &str),
        lang: Lang,
    ) -> Result<()> {
        let found = self.accounts.get(account).await?;
        let about = (&*found.email, &*found.name);
        let notice = self.letter(Letter::IdentityLinked, about, lang).await?;
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        let engine = self.engine().clone();
        let write = self.engine().db.write(async move |tx| {
            const FIND: &str = "SELECT EXISTS \
                (SELECT 1 FROM linked_identities WHERE issuer = $1 AND account_id = $2)";
            lock_account(tx, account).await?;
            if tx.scalar(FIND, (&issuer, account)).await? {
                return Err(Error::Conflict("error-oidc-linked"));
            }
            insert(tx, &issuer, &subject, account).await?;
            engine.mail.add(tx, &notice).await
        });
        write.await
    }

    /// Ends the link of the viewer's account.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub(super) async fn unlink_identity(&self, viewer: &Viewer, issuer: &str) -> Result<()> {
        let account = self.accounts.get(viewer.account).await?;
        let about = (&*account.email, &*account.name);
        let letter = Letter::IdentityUnlinked;
        let notice = self.letter(letter, about, viewer.lang).await?;
        let (engine, id, issuer) = (self.engine().clone(), viewer.account, issuer.to_owned());
        let write = self.engine().db.write_protective(async move |tx| {
            const DELETE: &str =
                "DELETE FROM linked_identities WHERE issuer = $1 AND account_id = $2";
            require_row(tx.execute(DELETE, (issuer, id)).await?)?;
            engine.mail.add(tx, &notice).await
        });
        write.await
    }

    /// Makes an account for an identity. Its password is one that nobody knows: a mailed link sets
    /// another.
    ///
    /// # Errors
    /// `Conflict` without a verified address, or a name that an account can have.
    pub(super) async fn create_for_identity(
        &self,
        issuer: &str,
        claims: &Claims,
    ) -> Result<AccountId> {
        let refused = || Error::Conflict("error-oidc-unknown");
        let mut check = Check::default();
        let email = claims.email.as_deref().ok_or_else(refused)?;
        let email = check_email(email, &mut check);
        check.done().map_err(|_| refused())?;
        let name = account_name(claims, &email).ok_or_else(refused)?;
        let hash = self.accounts.hash_password(&secrets::token()).await?;
        let (issuer, subject) = (issuer.to_owned(), claims.subject.clone());
        let write = self.engine().db.write(async move |tx| {
            let new = NewAccount {
                name: free_name(tx, &name).await?.ok_or_else(refused)?,
                email,
                password: String::new(),
            };
            let account = accounts::insert(tx, &new, &hash).await?;
            insert(tx, &issuer, &subject, account).await?;
            Ok(account)
        });
        write.await
    }
}

/// The first of the provider's names, and of the address, that an account can have.
fn account_name(claims: &Claims, email: &str) -> Option<String> {
    let names = claims.names.iter().map(String::as_str);
    names.chain([email]).find_map(|name| {
        let before_at = name.split('@').next().unwrap_or_default();
        // Room for a number.
        let short: String = before_at.graphemes(true).take(MAX_NAME_CHARS - 3).collect();
        let mut check = Check::default();
        let name = check_account_name(&short, &mut check);
        check.done().ok().map(|()| name)
    })
}

async fn free_name(tx: &mut Tx, name: &str) -> Result<Option<String>> {
    const TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM accounts WHERE name_key = $1)";
    for number in 1..=MAX_NAMES_TRIED {
        let name = match number {
            1 => name.to_owned(),
            number => format!("{name} {number}"),
        };
        let is_taken: bool = tx.scalar(TAKEN, (name_key(&name),)).await?;
        if !is_taken {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
