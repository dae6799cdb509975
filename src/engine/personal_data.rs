//! What modules keep of an account: handed out to its owner, and erased with it.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::base::error::Result;
use crate::base::ids::AccountId;

/// A page of what a module keeps of an account.
#[derive(Debug, Default)]
pub struct DataPage {
    /// As JSON, at most a few hundred.
    pub items: Vec<Value>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<i64>,
}

/// An account that is being erased.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// The account.
    pub account: AccountId,
    /// The name that it had.
    pub name: String,
    /// Whether what it wrote goes, too; else it stays without its name.
    pub deletes_content: bool,
}

type Export = Arc<dyn Fn(AccountId, i64) -> BoxFuture<'static, Result<DataPage>> + Send + Sync>;
type Erase = Arc<dyn Fn(Erasure) -> BoxFuture<'static, Result<bool>> + Send + Sync>;

/// What one module keeps of accounts, bound to its state.
#[derive(Clone)]
pub struct PersonalData {
    /// The key of its list in a copy of one's data, such as `messages`.
    pub name: &'static str,
    export: Export,
    erase: Erase,
}

impl PersonalData {
    pub(super) fn new<S, X, XR, E, ER>(name: &'static str, state: &S, export: X, erase: E) -> Self
    where
        S: Clone + Send + Sync + 'static,
        X: Fn(S, AccountId, i64) -> XR + Send + Sync + 'static,
        XR: Future<Output = Result<DataPage>> + Send + 'static,
        E: Fn(S, Erasure) -> ER + Send + Sync + 'static,
        ER: Future<Output = Result<bool>> + Send + 'static,
    {
        let (to_export, to_erase) = (state.clone(), state.clone());
        Self {
            name,
            export: Arc::new(move |account, after| {
                export(to_export.clone(), account, after).boxed()
            }),
            erase: Arc::new(move |erasure| erase(to_erase.clone(), erasure).boxed()),
        }
    }

    /// The page after a position; `i64::MIN` for the first.
    pub async fn page(&self, account: AccountId, after: i64) -> Result<DataPage> {
        (self.export)(account, after).await
    }

    /// Erases some of it. Returns whether there is more.
    pub async fn erase(&self, erasure: Erasure) -> Result<bool> {
        (self.erase)(erasure).await
    }
}
