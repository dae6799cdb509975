//! The error of everything that a client asks for. It carries keys of the message catalogue, never
//! SQL, paths or English.

use std::time::Duration;

/// What went wrong, as the client may know it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or the viewer may not know that there is.
    #[error("not found")]
    NotFound,
    /// Only for people who are signed in.
    #[error("sign in first")]
    SignInFirst,
    /// The viewer may see it but not do this; the key says why.
    #[error("forbidden: {0}")]
    Forbidden(&'static str),
    /// The same with words that name something: the key, and its arguments.
    #[error("forbidden: {0}")]
    ForbiddenWith(&'static str, Vec<(&'static str, String)>),
    /// The request names a host that the server does not answer to.
    #[error("wrong host")]
    WrongHost,
    /// Fields are wrong; nothing was changed.
    #[error("invalid: {0:?}")]
    Invalid(Vec<FieldError>),
    /// More than this many bytes; the key says what is too large.
    #[error("too large: {0}, at most {1} bytes")]
    TooLarge(&'static str, u64),
    /// A quota or the disk is used up; the key says which.
    #[error("full: {0}")]
    Full(&'static str),
    /// It does not fit the present state; the key says how.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// A rate limit is reached; try again after its `wait`.
    #[error("too many, again in {:?}", .0.wait)]
    TooMany(Allowance),
    /// The server cannot do it now (restarting, overloaded, waiting too long); the same request may
    /// succeed later.
    #[error("unavailable")]
    Unavailable,
    /// A fault of the server: logged in full, shown without details, with the request's id.
    #[error("internal: {0:#}")]
    Internal(#[from] anyhow::Error),
}

/// What is left of a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Uses it allows at once.
    pub limit: u32,
    /// Uses it allows now.
    pub remaining: u32,
    /// Until it allows another use; zero while some remain.
    pub wait: Duration,
    /// Until all of `limit` are allowed again.
    pub reset: Duration,
}

impl Allowance {
    /// Nothing is left of `limit`; another use is allowed after `wait`.
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
    /// Name of the field; `form` for the form as a whole.
    pub field: &'static str,
    /// Key of the sentence in the message catalogue.
    pub key: &'static str,
    /// The limit that was exceeded, `{ $limit }` in the sentence; 0 without one.
    pub limit: usize,
}

/// The result of what a client asks for.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// `Invalid` for one field, without a limit.
    pub fn field(field: &'static str, key: &'static str) -> Self {
        Self::Invalid(vec![FieldError {
            field,
            key,
            limit: 0,
        }])
    }

    /// Name of the kind of error for programs. Never changed: clients depend on it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::SignInFirst => "sign_in_first",
            Self::Forbidden(_) | Self::ForbiddenWith(..) => "forbidden",
            Self::WrongHost => "wrong_host",
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
        let code = error.as_database_error().and_then(|error| error.code());
        match (&error, code.as_deref()) {
            (sqlx::Error::RowNotFound, _) => Self::NotFound,
            (
                sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::WorkerCrashed,
                _,
            ) => Self::Unavailable,
            // Also a connection that ends in the middle of an answer. It is not used again.
            (sqlx::Error::Protocol(_), _) => {
                tracing::warn!(%error, "a connection to the database broke");
                Self::Unavailable
            }
            (_, Some(code)) => match DatabaseFault::from_code(code) {
                DatabaseFault::Full => Self::Full("error-disk-full"),
                DatabaseFault::Passing => {
                    tracing::warn!(%error, "the database could not do it now");
                    Self::Unavailable
                }
                DatabaseFault::Text => Self::field("form", "error-text"),
                DatabaseFault::Other => {
                    Self::Internal(anyhow::Error::new(error).context("database"))
                }
            },
            _ => Self::Internal(anyhow::Error::new(error).context("database")),
        }
    }
}

/// What an error code of SQLite (a number) or PostgreSQL (five signs) means for a client.
enum DatabaseFault {
    /// The disk is full.
    Full,
    /// The same may succeed later: the server stops or starts, has no connection left or waited
    /// for too long, or two transactions waited for one another.
    Passing,
    /// A text holds a NUL, which PostgreSQL does not store.
    Text,
    Other,
}

impl DatabaseFault {
    fn from_code(code: &str) -> Self {
        match code {
            // SQLITE_FULL; disk_full
            "13" | "53100" => Self::Full,
            // character_not_in_repertoire, untranslatable_character
            "22021" | "22P05" => Self::Text,
            // serialization_failure, deadlock_detected, lock_not_available, query_canceled,
            // idle_in_transaction_session_timeout, read_only_sql_transaction
            "40001" | "40P01" | "55P03" | "57014" | "25P03" | "25006" => Self::Passing,
            _ if code.len() == 5
                && ["08", "53", "57P"]
                    .iter()
                    .any(|class| code.starts_with(class)) =>
            {
                Self::Passing
            }
            _ => Self::Other,
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

/// Collects what is wrong with a form, so that all of it is shown at once.
#[derive(Default, Debug)]
pub struct Check(Vec<FieldError>);

impl Check {
    /// Adds an error of `field` unless `ok`.
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

    /// Ends the check.
    ///
    /// # Errors
    /// `Invalid` with every error that was added.
    pub fn done(&mut self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(std::mem::take(&mut self.0)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_connection_is_no_fault_of_the_program() {
        let broken = sqlx::Error::Protocol("unexpected response from SSLRequest: 0x00".into());
        assert!(matches!(Error::from(broken), Error::Unavailable));
    }
}
