//! Statements: one SQL text for every database, with its parameters as a tuple.
//!
//! ```ignore
//! let name: String = db.scalar("SELECT name FROM spaces WHERE id = $1", (space,)).await?;
//! let gone = tx.execute("DELETE FROM rooms WHERE id = $1", (room,)).await?;
//! ```
//!
//! The text has `$1` placeholders and nothing that only one database understands; connections keep
//! it prepared. `Db` runs it on a reader, which sees every earlier commit; `Tx` in the transaction.

use sqlx::encode::Encode;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{Arguments, FromRow, Type};

use super::{Db, Tx};
use crate::base::error::Result;

/// The values of `$1`, `$2` … in order: a tuple, empty for none.
pub trait Params<'q>: Send {
    /// Encodes the values for SQLite.
    ///
    /// # Errors
    /// When a value cannot be encoded.
    fn sqlite(self) -> Result<SqliteArguments, BoxDynError>;
}

/// A row that can be read from every database: a tuple, or a struct that derives `sqlx::FromRow`.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + Send + Unpin {}

impl<T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin> Row for T {}

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
        impl<'q, $($value: Encode<'q, Sqlite> + Type<Sqlite> + Send),*> Params<'q>
            for ($($value,)*)
        {
            #[allow(non_snake_case, unused_mut, reason = "the values are named for their types")]
            fn sqlite(self) -> Result<SqliteArguments, BoxDynError> {
                let ($($value,)*) = self;
                let mut arguments = SqliteArguments::default();
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

/// The same methods for `Db` and `Tx`: `$this` is their receiver, `$on` what a statement runs on.
macro_rules! statements {
    ($of:ty, ($($this:tt)+), $self:ident => $on:expr) => {
        impl $of {
            /// The first row.
            ///
            /// # Errors
            /// `NotFound` when there is none.
            pub async fn one<'q, T: Row>(
                $($this)+,
                sql: &'static str,
                params: impl Params<'q>,
            ) -> Result<T> {
                Ok(sqlx::query_as_with(sql, encoded(params)?).fetch_one($on).await?)
            }

            /// The first row, if there is one.
            ///
            /// # Errors
            /// The database's.
            pub async fn optional<'q, T: Row>(
                $($this)+,
                sql: &'static str,
                params: impl Params<'q>,
            ) -> Result<Option<T>> {
                Ok(sqlx::query_as_with(sql, encoded(params)?).fetch_optional($on).await?)
            }

            /// Every row. The statement has to bound them with `LIMIT` or by a key.
            ///
            /// # Errors
            /// The database's.
            pub async fn all<'q, T: Row>(
                $($this)+,
                sql: &'static str,
                params: impl Params<'q>,
            ) -> Result<Vec<T>> {
                Ok(sqlx::query_as_with(sql, encoded(params)?).fetch_all($on).await?)
            }

            /// As [`one`](Self::one), of a single column.
            ///
            /// # Errors
            /// `NotFound` when there is no row.
            pub async fn scalar<'q, T: Scalar>(
                $($this)+,
                sql: &'static str,
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
                sql: &'static str,
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
                sql: &'static str,
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
                sql: &'static str,
                params: impl Params<'q>,
            ) -> Result<u64> {
                Ok(sqlx::query_with(sql, encoded(params)?).execute($on).await?.rows_affected())
            }
        }
    };
}

statements!(Db, (&self), self => match self {
    Db::Sqlite(sqlite) => &sqlite.readers,
});
statements!(Tx, (&mut self), self => &mut self.connection);

fn encoded<'q>(params: impl Params<'q>) -> Result<SqliteArguments> {
    params
        .sqlite()
        .map_err(|error| anyhow::anyhow!("a parameter cannot be encoded: {error}").into())
}
