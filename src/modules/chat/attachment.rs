//! Attachments: the files of a message, as stored in its row and published in its events.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::voice::Voice;
use crate::base::bytes_in_words;
use crate::base::error::{Error, Result};
use crate::engine::files::{File, FileId, Picture};

/// A file attached to a message: a copy of the file's properties, so that reading a message needs
/// no join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The file; its content is at `/files/<id>/<name>`.
    pub id: FileId,
    /// The file name, as uploaded.
    pub name: String,
    /// The author's description, used as alternative text; may be empty.
    pub caption: String,
    /// The media type found from the content; `application/octet-stream` for files that browsers
    /// may only download.
    pub media: String,
    /// Size in bytes.
    pub size: i64,
    /// State of its pictures (thumbnails): `none`, `waiting`, `made` or `failed`.
    pub picture: Picture,
    /// Width of the picture, in pixels; before it is made, what its head says.
    pub width: Option<i64>,
    /// Height of the picture, in pixels; before it is made, what its head says.
    pub height: Option<i64>,
    /// A `data:` URL of a few pixels, shown until the picture is loaded. None where it would be seen
    /// behind transparent pixels.
    pub blur: Option<String>,
    /// Whether the picture moves; its smaller versions show its first frame.
    #[serde(default, skip_serializing_if = "is_false")]
    pub animated: bool,
    /// Whether the small version shows only the beginning of the picture, which is very long.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cropped: bool,
    /// Of a voice message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<Voice>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Larger animations, in bytes, move only when asked to.
const MAX_AUTOPLAY_BYTES: i64 = 8 << 20;
/// Larger pictures, in bytes, that are not decoded here are not shown in a message.
const MAX_UNDECODED_BYTES: i64 = 32 << 20;

impl Attachment {
    pub(super) fn of(file: &File, caption: String) -> Self {
        Self {
            id: file.id,
            name: file.name.clone(),
            caption,
            media: match (file.picture, file.media()) {
                (Picture::Waiting, _) => file.media.clone(),
                (_, media) => media.name().to_owned(),
            },
            size: file.size,
            picture: file.picture,
            width: file.width,
            height: file.height,
            blur: file.blur.clone(),
            animated: file.animated,
            cropped: file.is_cropped(),
            voice: None,
        }
    }

    /// The same with the mark of a voice message, if it has one.
    ///
    /// # Errors
    /// `Invalid` when its content is no sound.
    pub(super) fn with_voice(self, voice: Option<Voice>) -> Result<Self> {
        if voice.is_some() && !self.media.starts_with("audio/") {
            return Err(Error::field("files", "error-voice-sound"));
        }
        Ok(Self { voice, ..self })
    }

    /// The URL of the content, with the name percent-encoded.
    pub fn href(&self) -> String {
        let mut name = String::new();
        for byte in self.name.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    name.push(char::from(byte))
                }
                other => name.push_str(&format!("%{other:02X}")),
            }
        }
        format!("/files/{}/{name}", self.id)
    }

    /// Selects the template's branch: `picture`, `image` (which the browser may or may not be able
    /// to show), `waiting`, `video`, `voice`, `audio` or `file`.
    pub(super) fn shape(&self) -> &'static str {
        match self.picture {
            Picture::Made => "picture",
            Picture::Waiting => "waiting",
            Picture::None if self.media.starts_with("image/") => {
                if self.size <= MAX_UNDECODED_BYTES {
                    "image"
                } else {
                    "file"
                }
            }
            Picture::None | Picture::Failed if self.media.starts_with("video/") => "video",
            Picture::None | Picture::Failed if self.voice.is_some() => "voice",
            Picture::None | Picture::Failed if self.media.starts_with("audio/") => "audio",
            Picture::None | Picture::Failed => "file",
        }
    }

    /// The alternative text: the caption, or the name if there is none.
    pub(super) fn label(&self) -> &str {
        if self.caption.is_empty() {
            &self.name
        } else {
            &self.caption
        }
    }

    pub(super) fn size_in_words(&self) -> String {
        bytes_in_words(self.size.unsigned_abs())
    }

    /// Width and height in pixels at which a picture is shown: scaled down into 480 by 360, or cut
    /// off there. The page reserves this space before the picture is loaded.
    pub(super) fn display_size(&self) -> (i64, i64) {
        let (width, height) = (
            self.width.unwrap_or(4).max(1),
            self.height.unwrap_or(3).max(1),
        );
        if self.cropped {
            return (width.min(480), height.min(360));
        }
        let scale = (480.0 / width as f64).min(360.0 / height as f64).min(1.0);
        (
            ((width as f64 * scale) as i64).max(1),
            ((height as f64 * scale) as i64).max(1),
        )
    }

    /// Width and height in pixels, as `4032x3024`.
    pub(super) fn pixel_size(&self) -> Option<String> {
        Some(format!("{}x{}", self.width?, self.height?))
    }

    /// Whether the caption links to the file: not beside a picture, which opens at a click.
    pub(super) fn has_save_link(&self) -> bool {
        matches!(self.shape(), "file" | "image" | "video" | "audio")
    }

    /// Whether a line below it names it. What is saved of a voice message is in the menu.
    pub(super) fn has_caption_line(&self) -> bool {
        !matches!(self.shape(), "picture" | "voice") || !self.caption.is_empty()
    }

    /// Whether an animation moves without being asked to.
    pub(super) fn autoplays(&self) -> bool {
        self.animated && self.size <= MAX_AUTOPLAY_BYTES
    }
}

/// The attachments of a message, in the author's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attachments(pub Vec<Attachment>);

impl Attachments {
    /// Whether they have several pictures, which are shown as a grid of equal tiles.
    pub(super) fn is_grid(&self) -> bool {
        let is_picture =
            |file: &&Attachment| matches!(file.shape(), "picture" | "image" | "waiting");
        self.0.iter().filter(is_picture).count() > 1
    }

    /// The first voice message among them.
    pub(super) fn voice(&self) -> Option<&Voice> {
        self.0.iter().find_map(|file| file.voice.as_ref())
    }
}

impl TryFrom<String> for Attachments {
    type Error = serde_json::Error;

    fn try_from(stored: String) -> std::result::Result<Self, serde_json::Error> {
        if stored.is_empty() {
            Ok(Self::default())
        } else {
            serde_json::from_str(&stored)
        }
    }
}

/// Writes the stored form: JSON, or nothing when there are no attachments.
impl fmt::Display for Attachments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attachments_roundtrip_through_storage() {
        assert_eq!(Attachments::default().to_string(), "");
        let one = Attachment {
            id: FileId(5),
            name: "ä b.png".into(),
            caption: "A \"cat\"".into(),
            media: "image/png".into(),
            size: 10,
            picture: Picture::Made,
            width: Some(960),
            height: Some(1440),
            blur: None,
            animated: false,
            cropped: false,
            voice: None,
        };
        assert_eq!(
            (one.href(), one.display_size()),
            ("/files/5/%C3%A4%20b.png".to_owned(), (240, 360))
        );
        let all = Attachments(vec![one]);
        assert_eq!(Attachments::try_from(all.to_string()).unwrap(), all);
        assert_eq!(
            Attachments::try_from(String::new()).unwrap(),
            Attachments::default()
        );
    }
}
