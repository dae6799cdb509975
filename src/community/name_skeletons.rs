//! Gives accounts of older versions what newer ones compare names by.

use super::Community;
use super::names::name_skeleton;
use crate::base::error::Result;
use crate::base::ids::AccountId;

/// Accounts that are read at once.
const PAGE_SIZE: i64 = 500;

impl Community {
    /// Stores the skeletons of names that have none. Of two that look alike the older account gets
    /// it, the other stays without: both keep their names.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn fill_name_skeletons(&self) -> Result<()> {
        const READ: &str = "SELECT id, coalesce(user_name, name) FROM accounts \
            WHERE name_skeleton IS NULL AND id > $1 ORDER BY id LIMIT $2";
        let db = &self.engine().db;
        let mut after = AccountId(i64::MIN);
        loop {
            let page: Vec<(AccountId, String)> = db.all(READ, (after, PAGE_SIZE)).await?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = *last;
            for (account, name) in page {
                self.fill_name_skeleton(account, name_skeleton(&name))
                    .await?;
            }
        }
    }

    async fn fill_name_skeleton(&self, account: AccountId, skeleton: String) -> Result<()> {
        const IS_TAKEN: &str =
            "SELECT EXISTS (SELECT 1 FROM accounts WHERE name_skeleton = $1 AND id <> $2)";
        const SET: &str = "UPDATE accounts SET name_skeleton = $1 WHERE id = $2";
        let write = self.engine().db.write(async move |tx| {
            // Another instance may fill or insert meanwhile.
            tx.lock_table("LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE")
                .await?;
            if !tx.scalar::<bool>(IS_TAKEN, (&skeleton, account)).await? {
                tx.execute(SET, (&skeleton, account)).await?;
            }
            Ok(())
        });
        write.await
    }
}
