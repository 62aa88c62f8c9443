//! What kind of file the bytes are.

use super::{MOST_BYTES, refuse};
use crate::rest::error::Refusal;
use crate::settings::Settings;

const MIB: usize = 1024 * 1024;

/// The type that the platform files it under: what is too large for its own type becomes type 4.
pub(super) fn settle(
    file_type: i64,
    bytes: Option<&[u8]>,
    settings: &Settings,
) -> Result<i64, Box<Refusal>> {
    let soft = match file_type {
        1 | 3 => 20 * MIB,
        2 => 30 * MIB,
        4 => MOST_BYTES,
        _ => {
            return Err(refuse(
                850_019,
                "file_type must be 1 (image), 2 (video), 3 (voice) or 4 (file)",
            ));
        }
    };
    let Some(bytes) = bytes else {
        return Ok(file_type);
    };
    if bytes.is_empty() {
        return Err(refuse(850_019, "the file is empty"));
    }
    if bytes.len() > MOST_BYTES {
        return Err(refuse(850_031, "a file has at most 200 MiB"));
    }
    if settings.check_file_format && !fits(file_type, bytes) {
        let wanted = match file_type {
            1 => "a picture: png, jpg, gif, webp or bmp",
            2 => "an mp4 video",
            _ => "a voice: silk, mp3, wav, ogg or amr",
        };
        return Err(refuse(
            850_019,
            &format!("file_type {file_type} is {wanted}; these bytes are not"),
        ));
    }
    Ok(if bytes.len() > soft { 4 } else { file_type })
}

fn fits(file_type: i64, bytes: &[u8]) -> bool {
    let starts = |heads: &[&[u8]]| heads.iter().any(|head| bytes.starts_with(head));
    let riff = |form: &[u8]| bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(form);
    match file_type {
        1 => starts(&[b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM"]) || riff(b"WEBP"),
        2 => bytes.get(4..8) == Some(b"ftyp"),
        3 => {
            let mpeg = matches!(bytes, [0xff, second, ..] if second & 0xe0 == 0xe0);
            starts(&[b"\x02#!SILK_V3", b"#!SILK_V3", b"#!AMR", b"OggS", b"ID3"])
                || riff(b"WAVE")
                || mpeg
        }
        _ => true,
    }
}

/// The content type under which the file is downloaded.
pub(crate) fn content_type(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'B', b'M', ..] => "image/bmp",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => "image/webp",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
            ..,
        ] => "audio/wav",
        [b'O', b'g', b'g', b'S', ..] => "audio/ogg",
        [b'I', b'D', b'3', ..] | [0xff, 0xf2..=0xf3 | 0xfa..=0xfb, ..] => "audio/mpeg",
        [0x1a, 0x45, 0xdf, 0xa3, ..] => "video/webm",
        [b'%', b'P', b'D', b'F', ..] => "application/pdf",
        _ if bytes.get(4..8) == Some(b"ftyp") => "video/mp4",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_files() {
        let settings = Settings::default();
        let png = b"\x89PNG\r\n\x1a\nrest";
        assert_eq!(settle(1, Some(png), &settings).ok(), Some(1));
        assert!(settle(2, Some(png), &settings).is_err());
        assert!(settle(3, Some(b"text"), &settings).is_err());
        assert!(settle(1, Some(b""), &settings).is_err());
        assert!(settle(5, Some(png), &settings).is_err());
        assert_eq!(settle(4, Some(b"text"), &settings).ok(), Some(4));
        assert_eq!(settle(2, None, &settings).ok(), Some(2));
        assert_eq!(settle(3, Some(b"\x02#!SILK_V3"), &settings).ok(), Some(3));
        assert_eq!(
            settle(2, Some(b"\0\0\0\x18ftypisom"), &settings).ok(),
            Some(2)
        );
        assert_eq!(content_type(png), "image/png");
    }

    #[test]
    fn what_is_too_large_becomes_a_file() {
        let settings = Settings::default();
        let mut large = vec![0; 20 * MIB + 1];
        large[..4].copy_from_slice(b"GIF8");
        assert_eq!(settle(1, Some(&large), &settings).ok(), Some(4));
    }
}
