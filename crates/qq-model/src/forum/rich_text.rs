//! The document form of forum contents: paragraphs of pieces.

object! {
    /// A forum text. Threads of [`ThreadFormat::Json`](super::ThreadFormat::Json) carry it as JSON text.
    pub struct RichText {
        /// The lines.
        pub paragraphs: Vec<Paragraph>,
    }

    /// A line.
    pub struct Paragraph {
        /// Its pieces; an empty line has none.
        pub elems: Vec<Elem>,
        /// How it stands; may be an empty object.
        pub props: Option<ParagraphProps>,
    }

    /// How a line stands.
    pub struct ParagraphProps {
        /// Left, in the middle or right.
        pub alignment: Option<Alignment>,
    }

    /// A piece of a line.
    pub struct Elem {
        /// What kind; may be absent or 0, see [`kind`](Self::kind).
        pub elem_type: Option<ElemType> = "type",
        /// A text.
        pub text: Option<TextElem>,
        /// A picture.
        pub image: Option<Box<ImageElem>>,
        /// A video.
        pub video: Option<Box<VideoElem>>,
        /// A link.
        pub url: Option<UrlElem>,
    }

    /// A text.
    pub struct TextElem {
        /// The text.
        pub text: Box<str>,
        /// How it looks.
        pub props: Option<TextProps>,
    }

    /// How a text looks.
    pub struct TextProps {
        /// Bold.
        pub font_bold: Option<bool>,
        /// Italic.
        pub italic: Option<bool>,
        /// Underlined.
        pub underline: Option<bool>,
    }

    /// A picture.
    pub struct ImageElem {
        /// In requests: the address to copy it from.
        pub third_url: Option<Box<str>>,
        /// How wide it is shown, in percent.
        pub width_percent: Option<f64>,
        /// In answers: the copy.
        pub plat_image: Option<PlatImage>,
    }

    /// A video.
    pub struct VideoElem {
        /// In requests: the address to copy it from.
        pub third_url: Option<Box<str>>,
        /// In answers: the copy.
        pub plat_video: Option<PlatVideo>,
    }

    /// A link.
    pub struct UrlElem {
        /// Where it leads.
        pub url: Box<str>,
        /// What it says.
        pub desc: Option<Box<str>>,
    }

    /// A picture that the platform keeps.
    pub struct PlatImage {
        /// Its address.
        pub url: Box<str>,
        /// Pixels.
        pub width: u32,
        /// Pixels.
        pub height: u32,
        /// Its id.
        pub image_id: Option<Box<str>>,
    }

    /// A video that the platform keeps.
    pub struct PlatVideo {
        /// Its address.
        pub url: Box<str>,
        /// Pixels.
        pub width: u32,
        /// Pixels.
        pub height: u32,
        /// Its id.
        pub video_id: Box<str>,
        /// Its length.
        pub duration: Option<u64>,
        /// The picture before it plays.
        pub cover: Option<PlatImage>,
    }
}

open_enum! {
    /// The kinds of pieces.
    pub enum ElemType: i64 {
        /// A text.
        Text = 1,
        /// A picture.
        Image = 2,
        /// A video.
        Video = 3,
        /// A link.
        Url = 4,
    }

    /// How a line stands.
    pub enum Alignment: i64 {
        /// Left.
        Left = 0,
        /// In the middle.
        Middle = 1,
        /// Right.
        Right = 2,
    }
}

impl RichText {
    /// A document of these lines of plain text.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        let paragraphs = text
            .lines()
            .map(|line| Paragraph {
                elems: if line.is_empty() {
                    Vec::new()
                } else {
                    vec![Elem::text(line)]
                },
                ..Paragraph::default()
            })
            .collect();
        Self {
            paragraphs,
            ..Self::default()
        }
    }

    /// The texts and link names, line by line; pictures and videos are left out.
    #[must_use]
    pub fn plain_text(&self) -> String {
        let mut out = String::new();
        for (index, paragraph) in self.paragraphs.iter().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            for elem in &paragraph.elems {
                if let Some(text) = &elem.text {
                    out.push_str(&text.text);
                }
                if let Some(url) = &elem.url {
                    out.push_str(url.desc.as_deref().unwrap_or(&url.url));
                }
            }
        }
        out
    }
}

impl Elem {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self {
            elem_type: Some(ElemType::Text),
            text: Some(TextElem {
                text: text.into(),
                ..TextElem::default()
            }),
            ..Self::default()
        }
    }

    /// A picture that the platform copies from this address.
    #[must_use]
    pub fn image(third_url: impl Into<Box<str>>) -> Self {
        Self {
            elem_type: Some(ElemType::Image),
            image: Some(Box::new(ImageElem {
                third_url: Some(third_url.into()),
                ..ImageElem::default()
            })),
            ..Self::default()
        }
    }

    /// A video that the platform copies from this address.
    #[must_use]
    pub fn video(third_url: impl Into<Box<str>>) -> Self {
        Self {
            elem_type: Some(ElemType::Video),
            video: Some(Box::new(VideoElem {
                third_url: Some(third_url.into()),
                ..VideoElem::default()
            })),
            ..Self::default()
        }
    }

    /// A link.
    #[must_use]
    pub fn link(url: impl Into<Box<str>>, desc: impl Into<Box<str>>) -> Self {
        Self {
            elem_type: Some(ElemType::Url),
            url: Some(UrlElem {
                url: url.into(),
                desc: Some(desc.into()),
                ..UrlElem::default()
            }),
            ..Self::default()
        }
    }

    /// What kind of piece it is; told by the member that is there when the platform left the number out.
    #[must_use]
    pub fn kind(&self) -> Option<ElemType> {
        self.elem_type.filter(|kind| kind.value() != 0).or_else(|| {
            if self.text.is_some() {
                Some(ElemType::Text)
            } else if self.image.is_some() {
                Some(ElemType::Image)
            } else if self.video.is_some() {
                Some(ElemType::Video)
            } else {
                self.url.as_ref().map(|_| ElemType::Url)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_told_without_a_number() {
        let elem: Elem = serde_json::from_str(r#"{"type":0,"url":{"url":"u"}}"#).unwrap();
        assert_eq!(elem.kind(), Some(ElemType::Url));
        assert_eq!(Elem::default().kind(), None);
    }

    #[test]
    fn plain_lines_come_back() {
        assert_eq!(RichText::plain("a\n\nb").plain_text(), "a\n\nb");
    }
}
