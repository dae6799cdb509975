//! Values as both databases can hold them. SQLite stores a boolean as 0 or 1 and any value in any
//! column; what does not fit its column is an error here, never converted silently.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, TypeInfo, ValueRef};

/// What a column holds, besides NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Boolean,
    Real,
    Text,
    Bytes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Value {
    Null,
    Integer(i64),
    Boolean(bool),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Kind {
    /// The kind of a type as a migration writes it, or as PostgreSQL's catalogue names it.
    pub(super) fn from_type(name: &str) -> Option<Self> {
        let name = name.split('(').next().unwrap_or_default().trim();
        Some(match name.to_ascii_lowercase().as_str() {
            "bigint" | "integer" | "int" | "smallint" | "int8" | "int4" | "int2" => Self::Integer,
            "boolean" | "bool" => Self::Boolean,
            "real" | "double precision" | "double" | "float" | "float8" | "float4" => Self::Real,
            "text" | "varchar" | "character varying" => Self::Text,
            "blob" | "bytea" => Self::Bytes,
            _ => return None,
        })
    }

    /// The type in PostgreSQL that holds every value of the kind.
    pub(super) fn postgres(self) -> &'static str {
        match self {
            Self::Integer => "BIGINT",
            Self::Boolean => "BOOLEAN",
            Self::Real => "DOUBLE PRECISION",
            Self::Text => "TEXT",
            Self::Bytes => "BYTEA",
        }
    }

    /// Reads a value of SQLite.
    ///
    /// # Errors
    /// What the value has that its column cannot have.
    pub(super) fn read_sqlite(self, row: &SqliteRow, column: usize) -> Result<Value, String> {
        let value = row.try_get_raw(column).map_err(|error| error.to_string())?;
        if value.is_null() {
            return Ok(Value::Null);
        }
        let stored = value.type_info().name().to_owned();
        match (self, stored.as_str()) {
            (Self::Integer, "INTEGER") => decode(value).map(Value::Integer),
            (Self::Boolean, "INTEGER") => match decode::<i64>(value)? {
                0 => Ok(Value::Boolean(false)),
                1 => Ok(Value::Boolean(true)),
                other => Err(format!("holds {other}, which is no boolean")),
            },
            (Self::Real, "INTEGER" | "REAL") => decode(value).map(Value::Real),
            (Self::Text, "TEXT") => decode(value).map(Value::Text),
            (Self::Bytes, "BLOB") => decode(value).map(Value::Bytes),
            _ => Err(format!("holds a value of the type {stored}")),
        }
    }

    /// Reads a value of PostgreSQL.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) fn read_postgres(self, row: &PgRow, column: usize) -> Result<Value, String> {
        fn of<'r, T>(row: &'r PgRow, column: usize, wrap: fn(T) -> Value) -> sqlx::Result<Value>
        where
            T: Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
        {
            let value: Option<T> = row.try_get(column)?;
            Ok(value.map_or(Value::Null, wrap))
        }
        let read = match self {
            Self::Integer => of(row, column, Value::Integer),
            Self::Boolean => of(row, column, Value::Boolean),
            Self::Real => of(row, column, Value::Real),
            Self::Text => of(row, column, Value::Text),
            Self::Bytes => of(row, column, Value::Bytes),
        };
        read.map_err(|error| error.to_string())
    }
}

fn decode<'r, T: Decode<'r, Sqlite>>(
    value: <Sqlite as sqlx::Database>::ValueRef<'r>,
) -> Result<T, String> {
    T::decode(value).map_err(|error| format!("cannot be read: {error}"))
}

impl Value {
    /// About how much memory it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Text(text) => text.len(),
                Self::Bytes(bytes) => bytes.len(),
                _ => 0,
            }
    }

    /// Whether it is a text that PostgreSQL cannot store.
    pub(super) fn has_nul(&self) -> bool {
        matches!(self, Self::Text(text) if text.contains('\0'))
    }

    /// The order in which both databases sort: NULL first, text by its bytes.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(one), Self::Integer(two)) => one.cmp(two),
            (Self::Boolean(one), Self::Boolean(two)) => one.cmp(two),
            (Self::Real(one), Self::Real(two)) => one.total_cmp(two),
            (Self::Text(one), Self::Text(two)) => one.as_bytes().cmp(two.as_bytes()),
            (Self::Bytes(one), Self::Bytes(two)) => one.cmp(two),
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Less,
            // Columns of a pair of tables have the same kinds.
            _ => Ordering::Greater,
        }
    }
}

/// For messages about a row: texts are cut, bytes are only counted.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Real(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{:?}", value.chars().take(80).collect::<String>()),
            Self::Bytes(value) => write!(f, "{} bytes", value.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_both_databases_have_kinds() {
        for (name, kind) in [
            ("BIGINT", Some(Kind::Integer)),
            ("int4", Some(Kind::Integer)),
            ("BOOLEAN", Some(Kind::Boolean)),
            ("VARCHAR(20)", Some(Kind::Text)),
            ("bytea", Some(Kind::Bytes)),
            ("float8", Some(Kind::Real)),
            ("jsonb", None),
        ] {
            assert_eq!(Kind::from_type(name), kind, "{name}");
        }
    }

    #[test]
    fn keys_are_kept_exactly() {
        let key = vec![
            Value::Integer(i64::MAX),
            Value::Text("a\u{1F30A}\"\0".to_owned()),
            Value::Bytes(vec![0, 255]),
            Value::Boolean(true),
        ];
        let text = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Value>>(&text).unwrap(), key);
    }
}
