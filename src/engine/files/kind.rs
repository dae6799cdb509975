//! Kinds of files, as modules declare them: who may add one to a target, and who may read it.
//!
//! The *target* of a file is what it is added to: a room, a space, an account. It is a number that
//! only the module understands.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::File;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::engine::viewer::Viewer;

type MayAdd = Arc<dyn Fn(Viewer, i64) -> BoxFuture<'static, Result<Option<SpaceId>>> + Send + Sync>;
type MayRead = Arc<dyn Fn(Viewer, File) -> BoxFuture<'static, Result<()>> + Send + Sync>;
type Ready = Arc<dyn for<'t> Fn(&'t mut Tx, File) -> BoxFuture<'t, Result<()>> + Send + Sync>;

/// The name and the limits of a kind of file.
#[derive(Clone, Debug)]
pub struct FileSpec {
    /// `module.noun`, such as `chat.attachment`.
    pub name: &'static str,
    /// One phrase that says what such a file is.
    pub about: &'static str,
    /// The form field that holds the target.
    pub(super) target_field: &'static str,
    pub(super) max_bytes: u64,
    pub(super) pictures_only: bool,
    pub(super) opaque: bool,
}

/// A module's functions for files of one kind, with the module's state bound to them.
pub(in crate::engine) struct FileRule {
    pub(super) may_add: MayAdd,
    pub(super) may_read: MayRead,
    pub(super) ready: Option<Ready>,
}

/// What [`FileKind::when_ready`] calls: an `async fn(S, &mut Tx, File) -> Result<()>`. Implemented
/// for every such function; a trait only because the future borrows the transaction.
pub trait ReadyHandler<'t, S>: Copy + Send + Sync + 'static {
    /// The future of the async function, which may borrow the transaction.
    type Future: Future<Output = Result<()>> + Send + 't;

    /// Handles one file whose [`picture`](File::picture) is now `Made` or `Failed`.
    fn handle(&self, state: S, tx: &'t mut Tx, file: File) -> Self::Future;
}

impl<'t, S, F, R> ReadyHandler<'t, S> for F
where
    F: Fn(S, &'t mut Tx, File) -> R + Copy + Send + Sync + 'static,
    R: Future<Output = Result<()>> + Send + 't,
{
    type Future = R;

    fn handle(&self, state: S, tx: &'t mut Tx, file: File) -> R {
        self(state, tx, file)
    }
}

/// A kind of file as a module with state `S` declares it: its limits and its rule.
pub struct FileKind<S> {
    pub(in crate::engine) spec: FileSpec,
    bind: Box<dyn FnOnce(&S) -> FileRule>,
}

impl<S: Clone + Send + Sync + 'static> FileKind<S> {
    /// A kind whose target is in the form field `target_field`. `may_add(state, viewer, target)`
    /// refuses with an error, or returns the space against whose quota the file counts.
    /// `may_read(state, viewer, file)` refuses with an error; it is asked for claimed files only,
    /// because an unclaimed file is visible to its owner alone.
    pub fn new<A, AR, R, RR>(
        name: &'static str,
        about: &'static str,
        target_field: &'static str,
        may_add: A,
        may_read: R,
    ) -> Self
    where
        A: Fn(S, Viewer, i64) -> AR + Copy + Send + Sync + 'static,
        AR: Future<Output = Result<Option<SpaceId>>> + Send + 'static,
        R: Fn(S, Viewer, File) -> RR + Copy + Send + Sync + 'static,
        RR: Future<Output = Result<()>> + Send + 'static,
    {
        let bind = move |state: &S| {
            let (adds, reads) = (state.clone(), state.clone());
            FileRule {
                may_add: Arc::new(move |viewer, target| {
                    may_add(adds.clone(), viewer, target).boxed()
                }),
                may_read: Arc::new(move |viewer, file| {
                    may_read(reads.clone(), viewer, file).boxed()
                }),
                ready: None,
            }
        };
        let spec = FileSpec {
            name,
            about,
            target_field,
            max_bytes: u64::MAX,
            pictures_only: false,
            opaque: false,
        };
        Self {
            spec,
            bind: Box::new(bind),
        }
    }

    /// Limits the size of a file further than the setting `max_file_mib` does.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.spec.max_bytes = bytes;
        self
    }

    /// Refuses files that are not pictures, with `Invalid` (422).
    pub fn pictures_only(mut self) -> Self {
        self.spec.pictures_only = true;
        self
    }

    /// Renders the small and large versions of pictures on white instead of transparent, for
    /// pictures that cover other content.
    pub fn opaque(mut self) -> Self {
        self.spec.opaque = true;
        self
    }

    /// Calls `ready` in the transaction that stores a claimed file's pictures, or stores that none
    /// can be made.
    pub fn when_ready<H>(mut self, ready: H) -> Self
    where
        H: for<'t> ReadyHandler<'t, S>,
    {
        let bind = self.bind;
        self.bind = Box::new(move |state| {
            let mut rule = bind(state);
            let state = state.clone();
            rule.ready = Some(Arc::new(move |tx, file| {
                ready.handle(state.clone(), tx, file).boxed()
            }));
            rule
        });
        self
    }

    pub(in crate::engine) fn bind(self, state: &S) -> (&'static str, FileRule) {
        (self.spec.name, (self.bind)(state))
    }
}
