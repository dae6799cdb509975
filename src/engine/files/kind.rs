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

/// A kind of file.
#[derive(Clone)]
pub struct FileKind {
    /// `module.noun`, such as `chat.attachment`.
    pub name: &'static str,
    /// What such a file is.
    pub about: &'static str,
    /// Field of a form that names the place.
    pub(super) place: &'static str,
    pub(super) may_add: MayAdd,
    pub(super) may_read: MayRead,
    pub(super) ready: Option<Ready>,
    pub(super) largest: u64,
    pub(super) pictures_only: bool,
    pub(super) opaque: bool,
}

impl FileKind {
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
        A: Fn(Viewer, i64) -> AR + Send + Sync + 'static,
        AR: Future<Output = Result<Option<SpaceId>>> + Send + 'static,
        R: Fn(Viewer, File) -> RR + Send + Sync + 'static,
        RR: Future<Output = Result<()>> + Send + 'static,
    {
        let may_add: MayAdd = Arc::new(move |viewer, place| may_add(viewer, place).boxed());
        let may_read: MayRead = Arc::new(move |viewer, file| may_read(viewer, file).boxed());
        Self {
            name,
            about,
            place,
            may_add,
            may_read,
            ready: None,
            largest: u64::MAX,
            pictures_only: false,
            opaque: false,
        }
    }

    /// At most so many bytes, where the settings allow more.
    pub fn at_most(mut self, bytes: u64) -> Self {
        self.largest = bytes;
        self
    }

    /// Pictures and nothing else.
    pub fn pictures_only(mut self) -> Self {
        self.pictures_only = true;
        self
    }

    /// Small and large pictures are made on white, so that nothing shines through: for pictures that
    /// cover something.
    pub fn opaque(mut self) -> Self {
        self.opaque = true;
        self
    }

    /// Called in the transaction in which a kept file's pictures are ready, or turn out not to be
    /// made.
    pub fn when_ready(
        mut self,
        ready: impl for<'t> Fn(&'t mut Tx, File) -> BoxFuture<'t, Result<()>> + Send + Sync + 'static,
    ) -> Self {
        self.ready = Some(Arc::new(ready));
        self
    }
}
