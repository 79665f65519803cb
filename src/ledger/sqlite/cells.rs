//! How the words of the house stand in a cell: text by their names, times as milliseconds since 1970.
//!
//! A cell that does not read as its word is an error that does not repeat the cell.

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::ledger::{CampaignState, Confirming, RelayState, SuppressedBy};
use crate::model::{EmailAddress, EnhancedCode, MessageId, MessageKind, MessageState, PersonKey, PersonName, Phase};

/// A point in time, in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ms(pub(super) i64);

impl From<Timestamp> for Ms {
    fn from(time: Timestamp) -> Self {
        Self(time.as_millisecond())
    }
}

impl Ms {
    /// The time; one that is out of range, which no ledger of ours holds, as the end of time.
    pub(super) fn time(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::MAX)
    }
}

impl ToSql for Ms {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0))
    }
}

impl FromSql for Ms {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

impl ToSql for MessageId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0))
    }
}

impl FromSql for MessageId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

impl ToSql for PersonKey {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(&self.0[..]))
    }
}

/// Words that stand in a cell by their name.
macro_rules! by_name {
    ($($word:ty),*) => {$(
        impl ToSql for $word {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_str()))
            }
        }

        impl FromSql for $word {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                <$word>::parse(value.as_str()?).ok_or_else(|| not_a(stringify!($word)))
            }
        }
    )*};
}

by_name!(MessageState, MessageKind, Phase, Confirming, CampaignState, RelayState, SuppressedBy);

impl FromSql for EmailAddress {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).map_err(|_| not_a("EmailAddress"))
    }
}

impl FromSql for PersonName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).map_err(|_| not_a("PersonName"))
    }
}

impl FromSql for EnhancedCode {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or_else(|| not_a("EnhancedCode"))
    }
}

/// A cell that is not such a word.
#[derive(Debug, thiserror::Error)]
#[error("a cell does not read as {0}: the ledger is damaged, take the newest backup")]
struct NotA(&'static str);

/// The error of a cell that is not such a word.
pub(super) fn not_a(word: &'static str) -> FromSqlError {
    FromSqlError::other(NotA(word))
}
