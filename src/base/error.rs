//! One error for everything a person can be told. It carries keys of the word catalogue, never SQL,
//! paths or English.

use std::time::Duration;

/// What went wrong, in terms of the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or the person may not know that there is.
    #[error("not found")]
    NotFound,
    /// Only for people who are signed in.
    #[error("sign in first")]
    SignInFirst,
    /// The person may see it but not do this; the key says why.
    #[error("forbidden: {0}")]
    Forbidden(&'static str),
    /// Some fields of a form are wrong; nothing was changed.
    #[error("invalid: {0:?}")]
    Invalid(Vec<FieldError>),
    /// It has more than this many bytes; the key says what of.
    #[error("too large: {0}, at most {1} bytes")]
    TooLarge(&'static str, u64),
    /// There is no room for it: the key says whose is used up.
    #[error("full: {0}")]
    Full(&'static str),
    /// It clashes with how things are now; the key says how.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// Too often; try again after its `wait`.
    #[error("too many, again in {:?}", .0.wait)]
    TooMany(Allowance),
    /// The server cannot do it now and the person did nothing wrong (restarting, overloaded, disk
    /// full).
    #[error("unavailable")]
    Unavailable,
    /// Our fault: logged in full, shown as a plain apology with the request's id.
    #[error("internal: {0:#}")]
    Internal(#[from] anyhow::Error),
}

/// What is left of a limit, as answers tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many it allows at once.
    pub limit: u32,
    /// How many more it allows now.
    pub remaining: u32,
    /// Until it allows one more; zero while some remain.
    pub wait: Duration,
    /// Until it allows as many as ever.
    pub reset: Duration,
}

impl Allowance {
    /// Nothing is left of `limit`, and may be again after `wait`.
    pub fn used_up(limit: u32, wait: Duration) -> Self {
        Self {
            limit,
            remaining: 0,
            wait,
            reset: wait,
        }
    }
}

/// What is wrong with one field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the form's field.
    pub field: &'static str,
    /// Key of the sentence in the word catalogue.
    pub key: &'static str,
    /// The limit that was passed, as `{ $limit }` of the sentence.
    pub limit: usize,
}

/// The result of anything a person may be told about.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// One field is wrong.
    pub fn field(field: &'static str, key: &'static str) -> Self {
        Self::Invalid(vec![FieldError {
            field,
            key,
            limit: 0,
        }])
    }

    /// Name of the kind of error, as programs see it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::SignInFirst => "sign_in_first",
            Self::Forbidden(_) => "forbidden",
            Self::Invalid(_) => "invalid",
            Self::TooLarge(..) => "too_large",
            Self::Full(_) => "full",
            Self::Conflict(_) => "conflict",
            Self::TooMany(_) => "too_many",
            Self::Unavailable => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether trying again later may help without changing anything.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::TooMany(_) | Self::Unavailable | Self::Internal(_)
        )
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Self::Unavailable,
            // SQLITE_FULL
            sqlx::Error::Database(error) if error.code().as_deref() == Some("13") => {
                Self::Full("error-disk-full")
            }
            other => Self::Internal(anyhow::Error::new(other).context("database")),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::Full("error-disk-full")
            }
            _ => Self::Internal(anyhow::Error::new(error).context("a file")),
        }
    }
}

/// Collects what is wrong with a form, so that all of it is told at once.
#[derive(Default, Debug)]
pub struct Check(Vec<FieldError>);

impl Check {
    /// Notes that `field` is wrong unless `ok`.
    pub fn that(
        &mut self,
        ok: bool,
        field: &'static str,
        key: &'static str,
        limit: usize,
    ) -> &mut Self {
        if !ok {
            self.0.push(FieldError { field, key, limit });
        }
        self
    }

    /// Refuses when anything was wrong.
    pub fn done(&mut self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(std::mem::take(&mut self.0)))
        }
    }
}
