//! Kinds of files, as modules declare them: who may put one where, and who may see it.

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
    /// What such a file is.
    pub about: &'static str,
    /// Field of a form that names the place.
    pub(super) place: &'static str,
    pub(super) largest: u64,
    pub(super) pictures_only: bool,
    pub(super) opaque: bool,
}

/// What a module says about files of one kind: who may add and read them, and what follows when
/// their pictures are made.
pub(in crate::engine) struct FileRule {
    pub(super) may_add: MayAdd,
    pub(super) may_read: MayRead,
    pub(super) ready: Option<Ready>,
}

/// What [`FileKind::when_ready`] calls: an `async fn(S, &mut Tx, File) -> Result<()>`. Implemented
/// by such functions and by nothing else.
pub trait ReadyHandler<'t, S>: Copy + Send + Sync + 'static {
    /// What it returns.
    type Future: Future<Output = Result<()>> + Send + 't;

    /// Handles one file whose pictures are made, or turned out not to be makeable.
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

/// A kind of file as a module with state `S` declares it: its limits, and its rule.
pub struct FileKind<S> {
    pub(in crate::engine) spec: FileSpec,
    bind: Box<dyn FnOnce(&S) -> FileRule>,
}

impl<S: Clone + Send + Sync + 'static> FileKind<S> {
    /// A kind whose places are named by the form field `place`. `may_add` refuses, or says in whose
    /// space the file counts; `may_read` refuses who may not see a file that is kept. One that is
    /// not kept yet is seen by its owner only.
    pub fn new<A, AR, R, RR>(
        name: &'static str,
        about: &'static str,
        place: &'static str,
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
                may_add: Arc::new(move |viewer, place| {
                    may_add(adds.clone(), viewer, place).boxed()
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
            place,
            largest: u64::MAX,
            pictures_only: false,
            opaque: false,
        };
        Self {
            spec,
            bind: Box::new(bind),
        }
    }

    /// At most so many bytes, where the settings allow more.
    pub fn at_most(mut self, bytes: u64) -> Self {
        self.spec.largest = bytes;
        self
    }

    /// Pictures and nothing else.
    pub fn pictures_only(mut self) -> Self {
        self.spec.pictures_only = true;
        self
    }

    /// Small and large pictures are made on white, so that nothing shines through: for pictures
    /// that cover something.
    pub fn opaque(mut self) -> Self {
        self.spec.opaque = true;
        self
    }

    /// Called in the transaction in which a kept file's pictures are ready, or turn out not to be
    /// made.
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
