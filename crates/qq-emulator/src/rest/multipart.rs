//! Multipart forms: the guild side takes pictures this way.

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use crate::tables::{Kind, Route};

/// A form that was read.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) fields: Map<String, Value>,
    /// The bytes of the file, if there is one.
    pub(super) file: Option<Bytes>,
}

/// The parts as one object. A part of an object type is JSON text, sometimes wrapped once more in
/// its own name; a file becomes `{"filename", "content_type", "size"}`.
pub(super) async fn read(route: &Route, content_type: &str, bytes: &[u8]) -> Result<Form, String> {
    let request = Request::builder()
        .header(CONTENT_TYPE, content_type)
        .body(Body::from(bytes.to_vec()))
        .map_err(|why| format!("the Content-Type is not valid: {why}"))?;
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|why| format!("not a multipart form: {why}"))?;
    let mut fields = Map::new();
    let mut file = None;
    while let Some(part) = form
        .next_field()
        .await
        .map_err(|why| format!("broken multipart form: {why}"))?
    {
        let name = part.name().unwrap_or_default().to_owned();
        let filename = part.file_name().map(str::to_owned);
        let part_type = part.content_type().map(str::to_owned);
        let content = part
            .bytes()
            .await
            .map_err(|why| format!("part {name:?} is broken: {why}"))?;
        let kind = route
            .body
            .iter()
            .find(|field| field.name == name)
            .map(|field| &field.kind);
        let value = if matches!(kind, Some(Kind::File)) {
            let size = content.len();
            file = Some(content);
            json!({"filename": filename, "content_type": part_type, "size": size})
        } else {
            let text = std::str::from_utf8(&content)
                .map_err(|_| format!("part {name:?} is not UTF-8 text"))?;
            scalar(&name, text, kind)?
        };
        fields.insert(name, value);
    }
    Ok(Form { fields, file })
}

fn scalar(name: &str, text: &str, kind: Option<&Kind>) -> Result<Value, String> {
    match kind {
        None | Some(Kind::String | Kind::Any | Kind::File) => Ok(text.into()),
        Some(_) => {
            let value: Value = serde_json::from_str(text)
                .map_err(|why| format!("part {name:?} is not JSON: {why}"))?;
            match value {
                Value::Object(mut outer) if outer.len() == 1 && outer.contains_key(name) => {
                    Ok(outer.remove(name).unwrap_or_default())
                }
                value => Ok(value),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables;

    #[tokio::test]
    async fn reads_files_json_and_wrapped_json() {
        let route = tables::routes()
            .iter()
            .find(|route| route.id == "send_channel_message")
            .unwrap();
        let form = "--X\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\nhi\r\n\
            --X\r\nContent-Disposition: form-data; name=\"markdown\"\r\n\r\n{\"markdown\":{\"content\":\"m\"}}\r\n\
            --X\r\nContent-Disposition: form-data; name=\"file_image\"\r\n\r\n\u{1}\u{2}\u{3}\r\n--X--\r\n";
        let form = read(route, "multipart/form-data; boundary=X", form.as_bytes());
        let Form { fields, file } = form.await.unwrap();
        assert_eq!(file.as_deref(), Some(&[1, 2, 3][..]));
        assert_eq!(fields["content"], "hi");
        assert_eq!(fields["markdown"]["content"], "m");
        assert_eq!(fields["file_image"]["size"], 3);
        let broken = read(route, "multipart/form-data; boundary=X", b"--X\r\n").await;
        assert!(broken.is_err());
        let no_boundary = read(route, "multipart/form-data", b"x").await;
        assert!(no_boundary.unwrap_err().contains("multipart"));
    }
}
