//! Guests: people who read one space under a name, without an account of their own, for a day. What
//! there is of them is deleted then, unless they signed up meanwhile.

use std::net::IpAddr;
use std::time::Duration;

use super::Community;
use super::access::lock_account;
use super::account_deletion::Deletion;
use super::accounts::{self, check_account_name, check_email, check_password};
use super::invites::{InviteKind, use_up};
use super::joining::{Joined, add_joined, check_may_join, publish_joined};
use super::topics::AccountChanged;
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::base::security_log::SecurityEvent;
use crate::base::text::fold;
use crate::engine::bus::Origin;
use crate::engine::viewer::{Address, Viewer};

/// How long somebody is a guest.
const GUEST_TTL: Duration = Duration::from_secs(86_400);
/// Guests of one space.
const MAX_GUESTS: i64 = 200;
/// Guests of one space from one network: enough for a table behind one router.
const MAX_GUESTS_PER_NETWORK: i64 = 20;
/// Guests whose day is over that one transaction deletes.
const MAX_ENDED_AT_ONCE: i64 = 20;
/// How often the next end is looked for.
const CHECK_INTERVAL: Duration = Duration::from_secs(15);
const MIN_CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// The space that a guest reads.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct GuestSpace {
    pub(super) id: SpaceId,
    pub(super) name: String,
    /// Whether the guest may become a member by signing up.
    pub(super) may_stay: bool,
}

const SPACE: &str = "SELECT s.id, s.name, s.guests_may_stay AS may_stay FROM members m \
    JOIN spaces s ON s.id = m.space_id WHERE m.account_id = $1 AND m.guest ORDER BY s.id LIMIT 1";

impl Community {
    /// Has somebody read the space of an invitation for guests, under a name.
    ///
    /// # Errors
    /// `Invalid` for a name that is taken or reads as another, `Conflict` when the link is over or
    /// there are too many guests, `Forbidden` for a banned network.
    pub(super) async fn join_as_guest(
        &self,
        code: &str,
        name: &str,
        address: IpAddr,
    ) -> Result<(AccountId, SpaceId)> {
        let mut check = Check::default();
        let name = check_account_name(name, &mut check);
        check.done()?;
        let (code, engine) = (code.to_owned(), self.engine().clone());
        let network = Address(address).network().to_string();
        let write = self.engine().db.write(async move |tx| {
            const NOTE: &str = "UPDATE accounts SET last_network = $2 WHERE id = $1";
            let space = use_up(tx, &code, InviteKind::Guest).await?.space_id;
            super::access::lock_space(tx, space).await?;
            check_count(tx, space, &network).await?;
            let until = Micros::now().plus(GUEST_TTL);
            let account = accounts::insert_guest(tx, &name, until).await?;
            tx.execute(NOTE, (account, &network)).await?;
            let joined = Joined {
                space,
                account,
                name,
                address,
                is_guest: true,
                role: None,
            };
            add_joined(tx, &engine, joined).await?;
            Ok((account, space))
        });
        let (account, space) = write.await?;
        SecurityEvent::AccountCreated.record(account, address, "guest");
        Ok((account, space))
    }

    /// The space that a guest reads; none when they were removed from it.
    pub(super) async fn guest_space(&self, account: AccountId) -> Result<Option<GuestSpace>> {
        self.engine().db.optional(SPACE, (account,)).await
    }

    /// Makes a guest a member, who keeps their name and place.
    ///
    /// # Errors
    /// `Invalid`; `Forbidden` where the space does not let guests stay, and for who is banned;
    /// `Conflict` for who is no guest any more.
    pub(super) async fn keep_guest(
        &self,
        viewer: &Viewer,
        email: &str,
        password: &str,
    ) -> Result<SpaceId> {
        const OVER: Error = Error::Conflict("error-guest-over");
        let account = viewer.account;
        let space = self.guest_space(account).await?.ok_or(OVER)?;
        let own = self.accounts.get(account).await?;
        let mut check = Check::default();
        let email = check_email(email, &mut check);
        check_password(password, &[&own.name, &email, &space.name], &mut check);
        check.done()?;
        self.count_join(viewer.address)?;
        let hash = self.accounts.hash_password(password).await?;
        let (engine, address, name) = (self.engine().clone(), viewer.address, own.name.clone());
        let write = self.engine().db.write(async move |tx| {
            const TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM accounts WHERE email_key = $1)";
            const KEEP: &str = "UPDATE accounts SET email = $2, email_key = $3, password = $4, \
                guest_until = NULL WHERE id = $1 AND guest_until > $5";
            const ADMIT: &str = "UPDATE members SET guest = FALSE \
                WHERE space_id = $1 AND account_id = $2 AND guest";
            let space = space.id;
            check_may_join(tx, space, account, address).await?;
            lock_account(tx, account).await?;
            let now: Option<GuestSpace> = tx.optional(SPACE, (account,)).await?;
            if !now.ok_or(OVER)?.may_stay {
                return Err(Error::Forbidden("error-guests-leave"));
            }
            let email_key = fold(&email);
            let is_taken: bool = tx.scalar(TAKEN, (&email_key,)).await?;
            Check::default()
                .that(!is_taken, "email", "error-email-taken", 0)
                .done()?;
            let row = (account, email, email_key, hash, Micros::now());
            if tx.execute(KEEP, row).await? == 0 {
                return Err(OVER);
            }
            tx.execute(ADMIT, (space, account)).await?;
            let (bus, origin) = (&engine.bus, Origin::new(account, None));
            bus.publish_after_commit(tx, origin, AccountChanged { account });
            let joined = Joined {
                space,
                account,
                name,
                address,
                is_guest: false,
                role: None,
            };
            publish_joined(tx, &engine, joined).await?;
            Ok(space)
        });
        let space = write.await?;
        SecurityEvent::AccountCreated.record(account, viewer.address, "guest_stayed");
        Ok(space)
    }

    /// Deletes the accounts of guests whose day is over. Every instance may do it: each row is
    /// found by one.
    async fn end_guests(&self) -> Result<()> {
        let community = self.clone();
        let shown = Lang::default().t("deleted-account").to_owned();
        let write = self.engine().db.write_protective(async move |tx| {
            const END: &str = "UPDATE accounts SET guest_until = NULL WHERE id IN \
                (SELECT id FROM accounts WHERE guest_until <= $1 ORDER BY guest_until LIMIT $2) \
                AND guest_until <= $1 RETURNING id, name";
            let ended = tx.all(END, (Micros::now(), MAX_ENDED_AT_ONCE)).await?;
            let ended: Vec<(AccountId, String)> = ended;
            for (account, name) in ended {
                let deletion = Deletion {
                    account,
                    name,
                    shown: shown.clone(),
                    deletes_content: true,
                    is_guest: true,
                };
                community.delete_in(tx, deletion).await?;
                tx.after_commit(move || {
                    SecurityEvent::AccountDeleted.record(account, None, "guest");
                });
            }
            Ok(())
        });
        write.await
    }

    async fn next_guest_end(&self) -> Result<Option<Micros>> {
        const NEXT: &str = "SELECT MIN(guest_until) FROM accounts WHERE guest_until IS NOT NULL";
        self.engine().db.scalar(NEXT, ()).await
    }

    /// Deletes the accounts of guests when their day is over.
    pub(super) async fn end_guests_repeatedly(self) {
        loop {
            let wait = match self.next_guest_end().await {
                Ok(Some(end)) => end.since(Micros::now()),
                Ok(None) | Err(_) => CHECK_INTERVAL,
            };
            if !wait.is_zero() {
                tokio::time::sleep(wait.clamp(MIN_CHECK_INTERVAL, CHECK_INTERVAL)).await;
                continue;
            }
            if let Err(error) = self.end_guests().await {
                tracing::warn!(%error, "guests whose day is over were not deleted; retried");
                tokio::time::sleep(CHECK_INTERVAL).await;
            }
        }
    }
}

/// Checks that a space takes one more guest from a network. The space's row is locked.
async fn check_count(tx: &mut Tx, space: SpaceId, network: &str) -> Result<()> {
    const COUNT: &str = "SELECT COUNT(*), \
        CAST(COALESCE(SUM(CASE WHEN a.last_network = $2 THEN 1 ELSE 0 END), 0) AS BIGINT) \
        FROM members m JOIN accounts a ON a.id = m.account_id WHERE m.space_id = $1 AND m.guest";
    let (all, of_network): (i64, i64) = tx.one(COUNT, (space, network)).await?;
    if all >= MAX_GUESTS {
        return Err(Error::Conflict("error-guests-full"));
    }
    match of_network >= MAX_GUESTS_PER_NETWORK {
        true => Err(Error::Conflict("error-guests-network")),
        false => Ok(()),
    }
}
