//! Pictures that move, of plain colors, with metadata that nobody may see.

use image::codecs::gif::GifEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{Frame, Rgba, RgbaImage};

/// What the metadata of these pictures says.
pub const SECRET: &[u8] = b"54.1234 N 10.5678 E";

fn frames(width: u32, height: u32) -> impl Iterator<Item = RgbaImage> {
    let shades = [[220, 0, 0, 255], [0, 220, 0, 255], [0, 0, 220, 255]];
    shades
        .into_iter()
        .map(move |shade| RgbaImage::from_pixel(width, height, Rgba(shade)))
}

/// A GIF of three frames, with a comment.
pub fn gif(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for frame in frames(width, height) {
        encoder
            .encode_frame(Frame::new(frame))
            .expect("it can be written");
    }
    drop(encoder);
    let trailer = bytes.pop();
    let length = u8::try_from(SECRET.len()).expect("short");
    bytes.extend([&[0x21, 0xfe, length], SECRET, &[0]].concat());
    bytes.extend(trailer);
    bytes
}

/// A chunk of a PNG, with its checksum.
fn png_chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("short").to_be_bytes();
    let named = [&name[..], data].concat();
    let mut crc = flate2::Crc::new();
    crc.update(&named);
    [&length[..], &named, &crc.sum().to_be_bytes()].concat()
}

/// The content of the first chunk of this name.
fn png_content(png: &[u8], name: &[u8; 4]) -> Vec<u8> {
    let at = png.windows(4).position(|four| four == name);
    let at = at.expect("such a chunk");
    let length = u32::from_be_bytes(png[at - 4..at].try_into().expect("four bytes"));
    png[at + 4..at + 4 + length as usize].to_vec()
}

/// An APNG of three frames, with text and Exif data.
pub fn apng(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut sequence = 0_u32;
    for (index, frame) in frames(width, height).enumerate() {
        let mut png = Vec::new();
        frame
            .write_with_encoder(PngEncoder::new(&mut png))
            .expect("it can be written");
        if index == 0 {
            bytes.extend(png_chunk(b"IHDR", &png_content(&png, b"IHDR")));
            bytes.extend(png_chunk(b"acTL", &[0, 0, 0, 3, 0, 0, 0, 0]));
            bytes.extend(png_chunk(b"tEXt", &[b"Comment\0", SECRET].concat()));
            bytes.extend(png_chunk(b"eXIf", SECRET));
        }
        let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
        let delay = [0, 1, 0, 10, 0, 0];
        let control = [&sequence.to_be_bytes()[..], &size, &[0; 8], &delay].concat();
        bytes.extend(png_chunk(b"fcTL", &control));
        sequence += 1;
        let pixels = png_content(&png, b"IDAT");
        if index == 0 {
            bytes.extend(png_chunk(b"IDAT", &pixels));
        } else {
            let numbered = [&sequence.to_be_bytes()[..], &pixels].concat();
            bytes.extend(png_chunk(b"fdAT", &numbered));
            sequence += 1;
        }
    }
    bytes.extend(png_chunk(b"IEND", &[]));
    bytes
}

fn webp_chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("short").to_le_bytes();
    [name, &length[..], data, &[0][..data.len() % 2]].concat()
}

/// An animated WebP of three frames, with Exif and XMP data.
pub fn webp(width: u32, height: u32) -> Vec<u8> {
    let number = |value: u32| value.to_le_bytes()[..3].to_vec();
    let size = [number(width - 1), number(height - 1)].concat();
    let mut chunks = webp_chunk(b"VP8X", &[&[0x1e, 0, 0, 0], &size[..]].concat());
    chunks.extend(webp_chunk(b"ANIM", &[0; 6]));
    for frame in frames(width, height) {
        let mut still = Vec::new();
        frame
            .write_with_encoder(WebPEncoder::new_lossless(&mut still))
            .expect("it can be written");
        let content = [vec![0; 6], size.clone(), number(100), vec![0]].concat();
        chunks.extend(webp_chunk(b"ANMF", &[&content, &still[12..]].concat()));
    }
    chunks.extend(webp_chunk(b"EXIF", SECRET));
    chunks.extend(webp_chunk(b"XMP ", SECRET));
    let length = u32::try_from(chunks.len() + 4).expect("short");
    [b"RIFF", &length.to_le_bytes()[..], b"WEBP", &chunks].concat()
}
