//! A guild message with a picture as bytes: `multipart/form-data`.

use std::fmt;

use bytes::Bytes;
use qq_model::outgoing::MessageBody;
use serde_json::Value;

use crate::error::Error;
use crate::random::random;
use crate::request::Request;

/// A picture within a message call.
#[derive(Clone)]
pub(crate) struct ImagePart(pub(crate) Bytes);

impl ImagePart {
    /// A guild message with this picture beside its other members.
    ///
    /// Texts are parts of their own. Objects are JSON within a part, under their name once more: so does the
    /// only example of the platform.
    pub(crate) fn request(&self, request: Request, body: &MessageBody) -> Result<Request, Error> {
        let label = request.label();
        let refuse = |why: &str| Error::invalid_request(why.to_owned()).labelled(&label);
        if self.0.is_empty() {
            return Err(refuse("file_image is empty"));
        }
        let Ok(Value::Object(members)) = serde_json::to_value(body.guild()) else {
            return Err(refuse("the body cannot be written as JSON"));
        };
        if members.contains_key("image") {
            return Err(refuse(
                "image and file_image exclude each other: a message has one picture",
            ));
        }
        let mut form = Form::new(&self.0);
        for (name, value) in members {
            match value {
                Value::Null => {}
                Value::String(text) if name == "content" && text.trim().is_empty() => {}
                Value::String(text) => form.text(&name, &text),
                Value::Bool(_) | Value::Number(_) => form.text(&name, &value.to_string()),
                Value::Array(_) | Value::Object(_) => {
                    form.json(&name, &serde_json::json!({ &name: value }));
                }
            }
        }
        form.file("file_image", "file_image", mime(&self.0), &self.0);
        let (content_type, body) = form.finish();
        request.raw_body(&content_type, body)
    }
}

/// Names the size of the picture.
impl fmt::Debug for ImagePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ImagePart").field(&self.0.len()).finish()
    }
}

/// A form, with a boundary that does not occur in what it carries.
struct Form {
    boundary: String,
    body: Vec<u8>,
}

impl Form {
    fn new(file: &[u8]) -> Self {
        let boundary = loop {
            let boundary = format!("qq-{:016x}{:016x}", random(), random());
            if memchr::memmem::find(file, boundary.as_bytes()).is_none() {
                break boundary;
            }
        };
        Self {
            boundary,
            body: Vec::with_capacity(file.len() + 1024),
        }
    }

    fn text(&mut self, name: &str, text: &str) {
        self.part(&disposition(name, None), None, text.as_bytes());
    }

    fn json(&mut self, name: &str, value: &Value) {
        let json = value.to_string();
        self.part(
            &disposition(name, None),
            Some("application/json"),
            json.as_bytes(),
        );
    }

    fn file(&mut self, name: &str, file_name: &str, mime: &str, bytes: &[u8]) {
        self.part(&disposition(name, Some(file_name)), Some(mime), bytes);
    }

    fn part(&mut self, disposition: &str, content_type: Option<&str>, bytes: &[u8]) {
        let mut head = format!(
            "--{}\r\nContent-Disposition: form-data; {disposition}\r\n",
            self.boundary
        );
        if let Some(content_type) = content_type {
            head = format!("{head}Content-Type: {content_type}\r\n");
        }
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(b"\r\n");
        self.body.extend_from_slice(bytes);
        self.body.extend_from_slice(b"\r\n");
    }

    fn finish(mut self) -> (String, Bytes) {
        self.body
            .extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        let content_type = format!("multipart/form-data; boundary={}", self.boundary);
        (content_type, self.body.into())
    }
}

/// Names as browsers write them: what would end the text or the line is percent-encoded.
fn disposition(name: &str, file_name: Option<&str>) -> String {
    let quote = |text: &str| {
        text.replace('"', "%22")
            .replace('\r', "%0D")
            .replace('\n', "%0A")
    };
    match file_name {
        Some(file_name) => format!(
            "name=\"{}\"; filename=\"{}\"",
            quote(name),
            quote(file_name)
        ),
        None => format!("name=\"{}\"", quote(name)),
    }
}

/// What picture it is, by its first bytes.
fn mime(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
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
        [b'B', b'M', ..] => "image/bmp",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place() {
        let name = disposition("file_image", Some("a\"\r\nX: y"));
        assert_eq!(name, "name=\"file_image\"; filename=\"a%22%0D%0AX: y\"");
    }

    #[test]
    fn first_bytes_tell_pictures() {
        for (bytes, found) in [
            (b"\x89PNG\r\n\x1a\n".as_slice(), "image/png"),
            (b"\xFF\xD8\xFF\xE0", "image/jpeg"),
            (b"GIF89a", "image/gif"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (b"BM6", "image/bmp"),
            (b"text", "application/octet-stream"),
        ] {
            assert_eq!(mime(bytes), found);
        }
    }
}
