//! What of a module's things can be found, as the module declares it.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::index::{Document, Facet};
use crate::base::clock::Micros;
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::base::locale::Lang;

/// Something that was found, as the page of results shows it.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its id.
    pub id: i64,
    /// Who wrote it.
    pub author: AccountId,
    /// What they are called.
    pub author_name: String,
    /// Where it is, in words: the name of a room, or the people of a conversation.
    pub place: String,
    /// Whether it is in a direct conversation.
    pub is_direct: bool,
    /// The page that shows it where it is.
    pub href: String,
    /// When it was written.
    pub at: Micros,
    /// Its text, without marks of formatting.
    pub text: String,
    /// What is said in its place where it is empty.
    pub stand_in: Option<StandIn>,
}

impl Found {
    /// The text, or what stands for it, in a reader's language.
    pub fn shown_text(&self, lang: Lang) -> String {
        match &self.stand_in {
            Some(StandIn { key, time }) if self.text.is_empty() => {
                lang.with(key, &[("time", time.as_str().into())])
            }
            _ => self.text.clone(),
        }
    }
}

/// Words for something without a text.
#[derive(Clone, Debug)]
pub struct StandIn {
    /// A message key.
    pub key: &'static str,
    /// Its argument `$time`, such as `0:14`.
    pub time: String,
}

type Documents = Arc<dyn Fn(Vec<i64>) -> BoxFuture<'static, Result<Vec<Document>>> + Send + Sync>;
type Before = Arc<dyn Fn(i64, usize) -> BoxFuture<'static, Result<Vec<i64>>> + Send + Sync>;
type Find =
    Arc<dyn Fn(AccountId, Vec<i64>) -> BoxFuture<'static, Result<Vec<Found>>> + Send + Sync>;

/// Bound to a module's state.
#[derive(Clone)]
pub(in crate::engine) struct Source {
    pub(super) name: &'static str,
    pub(super) documents: Documents,
    pub(super) before: Before,
    pub(super) found: Find,
    pub(super) filters: Filters,
}

/// Values of the filter `has:`, each with the facet that it means.
type Filters = Vec<(&'static str, Facet)>;
type Bind<S> = Box<dyn FnOnce(&S, Filters) -> Source>;

/// A kind of things that can be found, as a module with state `S` declares it.
pub struct SearchSource<S> {
    pub(in crate::engine) name: &'static str,
    filters: Filters,
    bind: Bind<S>,
}

impl<S: Clone + Send + Sync + 'static> SearchSource<S> {
    /// A kind of things, by a name such as `chat.message`.
    ///
    /// - `documents` are those of these ids that can be found; the others leave the index.
    /// - `before` are the ids of things before one of them, the newest first, at most so many: for
    ///   making the index anew.
    /// - `found` is what an account sees of those of these ids that it may read.
    pub fn new<D, DR, B, BR, F, FR>(name: &'static str, documents: D, before: B, found: F) -> Self
    where
        D: Fn(S, Vec<i64>) -> DR + Copy + Send + Sync + 'static,
        DR: Future<Output = Result<Vec<Document>>> + Send + 'static,
        B: Fn(S, i64, usize) -> BR + Copy + Send + Sync + 'static,
        BR: Future<Output = Result<Vec<i64>>> + Send + 'static,
        F: Fn(S, AccountId, Vec<i64>) -> FR + Copy + Send + Sync + 'static,
        FR: Future<Output = Result<Vec<Found>>> + Send + 'static,
    {
        let bind = move |state: &S, filters| {
            let (one, two, three) = (state.clone(), state.clone(), state.clone());
            Source {
                name,
                documents: Arc::new(move |ids| documents(one.clone(), ids).boxed()),
                before: Arc::new(move |id, limit| before(two.clone(), id, limit).boxed()),
                found: Arc::new(move |account, ids| found(three.clone(), account, ids).boxed()),
                filters,
            }
        };
        Self {
            name,
            filters: Vec::new(),
            bind: Box::new(bind),
        }
    }

    /// Adds a value of the filter `has:`, for things with a facet.
    pub fn filter(mut self, value: &'static str, facet: Facet) -> Self {
        self.filters.push((value, facet));
        self
    }

    pub(in crate::engine) fn bind(self, state: &S) -> Source {
        (self.bind)(state, self.filters)
    }
}
