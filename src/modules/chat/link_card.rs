//! Cards of links: what a message stores of the previews of its links, and publishes in its events.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::engine::files::{File, FileId};

/// What the card of a link says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PageText {
    /// The name of the site, or its host.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub site: String,
    /// The title of the page; of a picture the name in its address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What the page says of itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether the link leads to a picture, which the card shows large.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_picture: bool,
}

/// A picture in a card: a file of this server's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CardPicture {
    /// The file.
    pub file: FileId,
    /// Its width, in pixels.
    pub width: i64,
    /// Its height, in pixels.
    pub height: i64,
}

impl CardPicture {
    pub(super) fn of(file: &File) -> Self {
        Self {
            file: file.id,
            width: file.width.unwrap_or(1),
            height: file.height.unwrap_or(1),
        }
    }
}

/// The preview of one link of a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LinkPreview {
    /// The address, normalized and without a fragment.
    pub url: String,
    /// What its card says.
    #[serde(flatten)]
    pub page: PageText,
    /// The picture in its card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<CardPicture>,
    /// Whether it was taken off: nothing is shown, and not made again while the link stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dismissed: bool,
}

/// The previews of a message, in the order of its links.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkPreviews(pub Vec<LinkPreview>);

impl LinkPreviews {
    /// Whether nothing is stored, not even that something was taken off.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that are shown.
    pub fn shown(&self) -> Vec<&LinkPreview> {
        let shown = self.0.iter().filter(|one| !one.dismissed);
        shown.collect()
    }

    /// The preview of an address.
    pub(super) fn find(&self, url: &str) -> Option<&LinkPreview> {
        self.0.iter().find(|one| one.url == url)
    }
}

impl TryFrom<String> for LinkPreviews {
    type Error = serde_json::Error;

    fn try_from(stored: String) -> Result<Self, serde_json::Error> {
        match stored.is_empty() {
            true => Ok(Self::default()),
            false => serde_json::from_str(&stored),
        }
    }
}

/// Writes the stored form: JSON, or nothing when there are none.
impl fmt::Display for LinkPreviews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.is_empty() {
            true => Ok(()),
            false => f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_roundtrip_through_storage() {
        assert_eq!(LinkPreviews::default().to_string(), "");
        let previews = LinkPreviews(vec![LinkPreview {
            url: "https://example.com/".into(),
            page: PageText {
                title: "潮だまり".into(),
                ..PageText::default()
            },
            picture: None,
            dismissed: false,
        }]);
        let stored = previews.to_string();
        assert_eq!(
            stored,
            r#"[{"url":"https://example.com/","title":"潮だまり"}]"#
        );
        assert_eq!(LinkPreviews::try_from(stored).unwrap(), previews);
    }
}
