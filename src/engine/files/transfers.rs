//! Uploads and downloads by viewers: files together with the rules of the modules.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::FromRef;

use super::Files;
use super::kind::FileRule;
use crate::base::error::{Error, Result};
use crate::engine::viewer::SessionCheck;

/// The files of a server with the rule of each kind: the state of the routes `/uploads` and
/// `/files` and of forms with files. Cheap to clone.
#[derive(Clone)]
pub(in crate::engine) struct Transfers {
    pub(super) files: Files,
    rules: Arc<BTreeMap<&'static str, FileRule>>,
    pub(super) is_session_valid: SessionCheck,
}

impl FromRef<Transfers> for Files {
    fn from_ref(transfers: &Transfers) -> Self {
        transfers.files.clone()
    }
}

impl Transfers {
    pub(in crate::engine) fn new(
        files: Files,
        rules: impl IntoIterator<Item = (&'static str, FileRule)>,
        is_session_valid: SessionCheck,
    ) -> Self {
        let rules = Arc::new(rules.into_iter().collect());
        Self {
            files,
            rules,
            is_session_valid,
        }
    }

    /// # Errors
    /// `NotFound` for a kind that no module declares.
    pub(super) fn rule(&self, kind: &str) -> Result<&FileRule> {
        self.rules.get(kind).ok_or(Error::NotFound)
    }
}
