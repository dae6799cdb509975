//! Who is here, as others see it. The presence module keeps it; others ask it without knowing of
//! that module.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use super::cache::Members;
use crate::base::ids::AccountId;

/// The accounts that are here, on any instance, and do not hide it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Present(Arc<RwLock<HashSet<AccountId>>>);

impl Present {
    /// Notes whether an account is here.
    pub fn set(&self, account: AccountId, is_present: bool) {
        let mut present = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match is_present {
            true => present.insert(account),
            false => present.remove(&account),
        };
    }

    /// Those of a list who are here.
    pub fn among(&self, members: &Members) -> Vec<AccountId> {
        let present = self.0.read().unwrap_or_else(PoisonError::into_inner);
        present.intersection(members).copied().collect()
    }
}
