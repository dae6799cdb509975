//! Lists in what clients send: counted while they are read.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// At most `MAX` values. Deserialising fails at the first one more, so that nothing else is done
/// with a list that is too long.
#[derive(Clone, Debug)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> List<T, MAX> {
    /// The first `MAX` of some values.
    pub fn of(mut values: Vec<T>) -> Self {
        values.truncate(MAX);
        Self(values)
    }

    /// The values.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> Deref for List<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Values::<T, MAX>(PhantomData))
    }
}

struct Values<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Values<T, MAX> {
    type Value = List<T, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MAX} values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element()? {
            if values.len() == MAX {
                return Err(A::Error::invalid_length(MAX + 1, &self));
            }
            values.push(value);
        }
        Ok(List(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Input {
        #[serde(default)]
        ids: List<u32, 3>,
    }

    #[test]
    fn list_over_its_limit_is_refused() {
        let form = |text: &str| serde_html_form::from_str::<Input>(text).map(|input| input.ids.0);
        assert_eq!(form("").unwrap(), [0_u32; 0]);
        assert_eq!(form("ids=1").unwrap(), [1]);
        assert_eq!(form("ids=1&ids=2&ids=3").unwrap(), [1, 2, 3]);
        assert!(form("ids=1&ids=2&ids=3&ids=4").is_err());
        assert!(serde_json::from_str::<Input>(r#"{"ids":[1,2,3]}"#).is_ok());
        assert!(serde_json::from_str::<Input>(r#"{"ids":[1,2,3,4]}"#).is_err());
    }
}
