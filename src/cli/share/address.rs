//! Where to share: the server and the room, from what the user gives.

use anyhow::{Context, Result, bail};
use url::Url;

use crate::base::ids::RoomId;

/// A room of a server.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Such as `https://community.example`, without a slash at the end.
    pub(super) base: String,
    pub(super) url: Url,
    pub(super) room: RoomId,
}

impl Target {
    /// Reads `--server` and `--room`.
    ///
    /// # Errors
    /// When one is missing or is no address.
    pub(super) fn of(server: Option<&str>, room: &str) -> Result<Self> {
        let of_environment = std::env::var("TIDEPOOL_SERVER").ok();
        let (of_room, number) = match Url::parse(room) {
            Ok(url) if url.has_host() => {
                let number = url.path().trim_matches('/').strip_prefix("rooms/");
                let number = number.and_then(|rest| rest.split('/').next());
                let number = number.context("this is no address of a room")?.to_owned();
                (Some(url), number)
            }
            _ => (None, room.to_owned()),
        };
        let given = server.map(str::to_owned);
        let text = match (given, &of_room, of_environment) {
            (Some(server), ..) => server,
            (None, Some(url), _) => url.to_string(),
            (None, None, Some(server)) => server,
            (None, None, None) => bail!("which server? Give --server, or the room's address"),
        };
        let mut url = Url::parse(&text).with_context(|| format!("{text} is no address"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            bail!("{text} is no address of a server");
        }
        url.set_path("");
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
            url,
            room: number.parse().context("the room is given by its number")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_given_by_address_or_number() {
        let target = Target::of(None, "https://tide.example:8443/rooms/12/terminals?x=1").unwrap();
        assert_eq!(target.base, "https://tide.example:8443");
        assert_eq!(target.room, RoomId(12));
        let target = Target::of(Some("http://127.0.0.1:8080/"), "7").unwrap();
        assert_eq!(
            (target.base.as_str(), target.room),
            ("http://127.0.0.1:8080", RoomId(7))
        );
        assert!(Target::of(Some("ftp://tide.example"), "7").is_err());
        assert!(Target::of(Some("https://tide.example"), "general").is_err());
    }
}
