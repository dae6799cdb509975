//! The address of the database, which may hold a password.

use serde::Serializer;

/// The address without a password; empty if it is no address.
pub(crate) fn without_password(address: &str) -> String {
    let Ok(mut url) = reqwest::Url::parse(address) else {
        return String::new();
    };
    // Fails for addresses that cannot have one.
    let _ = url.set_password(None);
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != "password")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !others.is_empty() {
        url.query_pairs_mut().extend_pairs(others);
    }
    url.into()
}

/// Prints the address without its password.
pub(super) fn serialize<S: Serializer>(address: &str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&without_password(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_address_holds_no_password() {
        for (given, printed) in [
            ("postgres://tide:s%40a@db/tide", "postgres://tide@db/tide"),
            (
                "postgres://db/tide?password=x&sslmode=require",
                "postgres://db/tide?sslmode=require",
            ),
            (
                "postgres:///tide?host=/run/postgresql",
                "postgres:///tide?host=%2Frun%2Fpostgresql",
            ),
            ("", ""),
        ] {
            assert_eq!(without_password(given), printed, "{given}");
        }
    }
}
