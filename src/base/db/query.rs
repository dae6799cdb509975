//! Statements: one SQL text for every database, with its parameters as a tuple.
//!
//! ```ignore
//! let name: String = db.scalar("SELECT name FROM spaces WHERE id = $1", (space,)).await?;
//! let gone = tx.execute("DELETE FROM rooms WHERE id = $1", (room,)).await?;
//! ```
//!
//! The text has `$1` placeholders and nothing that only one database understands, or is a [`Sql`]
//! with one for each; connections keep it prepared. `Db` runs it on a reader, which sees every earlier commit; `Tx` in the transaction.

use sqlx::encode::Encode;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{Arguments, FromRow, Type};

use super::connection::{ANSWER_TIMEOUT, Connection, bounded};
use super::{Db, Tx};
use crate::base::error::Result;

/// A statement that the databases word differently, with the same parameters and columns.
#[derive(Clone, Copy)]
pub struct Sql {
    /// For SQLite.
    pub sqlite: &'static str,
    /// For PostgreSQL.
    pub postgres: &'static str,
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self {
            sqlite: text,
            postgres: text,
        }
    }
}

/// The values of `$1`, `$2` … in order: a tuple, empty for none.
pub trait Params<'q>: Send {
    /// Encodes the values for SQLite.
    ///
    /// # Errors
    /// When a value cannot be encoded.
    fn sqlite(self) -> Result<SqliteArguments, BoxDynError>;

    /// Encodes the values for PostgreSQL.
    ///
    /// # Errors
    /// When a value cannot be encoded.
    fn postgres(self) -> Result<PgArguments, BoxDynError>;
}

/// A row that can be read from every database: a tuple, or a struct that derives `sqlx::FromRow`.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

/// A value of a single column.
pub trait Scalar: Send + Unpin {
    /// A row of this column alone.
    type Row: Row;

    /// The value of the row.
    fn from_row(row: Self::Row) -> Self;
}

impl<T: Send + Unpin> Scalar for T
where
    (T,): Row,
{
    type Row = (T,);

    fn from_row((value,): (T,)) -> Self {
        value
    }
}

macro_rules! params {
    ($($value:ident)*) => {
        impl<'q, $($value),*> Params<'q> for ($($value,)*)
        where
            $($value: Encode<'q, Sqlite> + Type<Sqlite> + Send,)*
            $($value: Encode<'q, Postgres> + Type<Postgres>,)*
        {
            #[allow(non_snake_case, unused_mut, reason = "the values are named for their types")]
            fn sqlite(self) -> Result<SqliteArguments, BoxDynError> {
                let ($($value,)*) = self;
                let mut arguments = SqliteArguments::default();
                $(Arguments::add(&mut arguments, $value)?;)*
                Ok(arguments)
            }

            #[allow(non_snake_case, unused_mut, reason = "the values are named for their types")]
            fn postgres(self) -> Result<PgArguments, BoxDynError> {
                let ($($value,)*) = self;
                let mut arguments = PgArguments::default();
                $(Arguments::add(&mut arguments, $value)?;)*
                Ok(arguments)
            }
        }
    };
}

params!();
params!(A);
params!(A B);
params!(A B C);
params!(A B C D);
params!(A B C D E);
params!(A B C D E F);
params!(A B C D E F G);
params!(A B C D E F G H);
params!(A B C D E F G H I);
params!(A B C D E F G H I J);
params!(A B C D E F G H I J K);
params!(A B C D E F G H I J K L);
params!(A B C D E F G H I J K L M);
params!(A B C D E F G H I J K L M N);
params!(A B C D E F G H I J K L M N O);

/// Runs a statement on `Db`'s readers.
macro_rules! run_on_db {
    (
        $self:ident, $make:ident($sql:ident, $params:ident).$fetch:ident
        $(, $of_result:ident)?
    ) => {
        match $self {
            Db::Sqlite(sqlite) => {
                let statement = sqlx::$make($sql.sqlite, encoded($params.sqlite())?);
                let result = statement.$fetch(&sqlite.readers).await;
                result$(.map(|result| result.$of_result()))?
            }
            Db::Postgres(postgres) => {
                let statement = sqlx::$make($sql.postgres, encoded($params.postgres())?);
                let readers = &postgres.readers;
                let result = readers.bounded(statement.$fetch(readers.pool()?)).await;
                result$(.map(|result| result.$of_result()))?
            }
        }
    };
}

/// Runs a statement in a transaction.
macro_rules! run_on_tx {
    (
        $self:ident, $make:ident($sql:ident, $params:ident).$fetch:ident
        $(, $of_result:ident)?
    ) => {
        match &mut $self.connection {
            Connection::Sqlite(connection) => {
                let statement = sqlx::$make($sql.sqlite, encoded($params.sqlite())?);
                let result = statement.$fetch(connection).await;
                result$(.map(|result| result.$of_result()))?
            }
            Connection::Postgres(link) => {
                let statement = sqlx::$make($sql.postgres, encoded($params.postgres())?);
                let result = match link.get() {
                    Ok(on) => bounded(ANSWER_TIMEOUT, statement.$fetch(on)).await,
                    Err(error) => Err(error),
                };
                // A missing row fails nothing.
                let is_failure = |error: &sqlx::Error| !matches!(error, sqlx::Error::RowNotFound);
                $self.has_failed |= result.as_ref().is_err_and(is_failure);
                link.note(result)$(.map(|result| result.$of_result()))?
            }
        }
    };
}

/// The same methods for `Db` and `Tx`: `$this` is their receiver, `$run` runs a statement on it.
macro_rules! statements {
    ($of:ty, ($($this:tt)+), $self:ident, $run:ident) => {
        impl $of {
            /// The first row.
            ///
            /// # Errors
            /// `NotFound` when there is none.
            pub async fn one<'q, T: Row>(
                $($this)+,
                sql: impl Into<Sql>,
                params: impl Params<'q>,
            ) -> Result<T> {
                let sql = sql.into();
                Ok($run!($self, query_as_with(sql, params).fetch_one)?)
            }

            /// The first row, if there is one.
            ///
            /// # Errors
            /// The database's.
            pub async fn optional<'q, T: Row>(
                $($this)+,
                sql: impl Into<Sql>,
                params: impl Params<'q>,
            ) -> Result<Option<T>> {
                let sql = sql.into();
                Ok($run!($self, query_as_with(sql, params).fetch_optional)?)
            }

            /// Every row. The statement has to bound them with `LIMIT` or by a key.
            ///
            /// # Errors
            /// The database's.
            pub async fn all<'q, T: Row>(
                $($this)+,
                sql: impl Into<Sql>,
                params: impl Params<'q>,
            ) -> Result<Vec<T>> {
                let sql = sql.into();
                Ok($run!($self, query_as_with(sql, params).fetch_all)?)
            }

            /// As [`one`](Self::one), of a single column.
            ///
            /// # Errors
            /// `NotFound` when there is no row.
            pub async fn scalar<'q, T: Scalar>(
                $($this)+,
                sql: impl Into<Sql>,
                params: impl Params<'q>,
            ) -> Result<T> {
                Ok(T::from_row($self.one(sql, params).await?))
            }

            /// As [`optional`](Self::optional), of a single column.
            ///
            /// # Errors
            /// The database's.
            pub async fn optional_scalar<'q, T: Scalar>(
                $($this)+,
                sql: impl Into<Sql>,
                params: impl Params<'q>,
            ) -> Result<Option<T>> {
                Ok($self.optional(sql, params).await?.map(T::from_row))
            }

            /// As [`all`](Self::all), of a single column.
            ///
            /// # Errors
            /// The database's.
            pub async fn scalars<'q, T: Scalar>(
                $($this)+,
                sql: impl Into<Sql>,
                params: impl Params<'q>,
            ) -> Result<Vec<T>> {
                Ok($self.all(sql, params).await?.into_iter().map(T::from_row).collect())
            }

            /// Runs a statement without a result; returns the number of rows it changed.
            ///
            /// # Errors
            /// The database's.
            pub async fn execute<'q>(
                $($this)+,
                sql: impl Into<Sql>,
                params: impl Params<'q>,
            ) -> Result<u64> {
                let sql = sql.into();
                Ok($run!($self, query_with(sql, params).execute, rows_affected)?)
            }
        }
    };
}

statements!(Db, (&self), self, run_on_db);
statements!(Tx, (&mut self), self, run_on_tx);

fn encoded<T>(arguments: Result<T, BoxDynError>) -> Result<T> {
    arguments.map_err(|error| anyhow::anyhow!("a parameter cannot be encoded: {error}").into())
}
