//! Received media.

use qq_http::Download;
use qq_model::message::{Attachment, Media, MessageAttachment};

use crate::Context;

/// Downloading what somebody sent.
///
/// Where media may come from and how large they may be is said by
/// [`ClientBuilder::media`](crate::ClientBuilder::media). Addresses expire within minutes to hours.
///
/// ```
/// use qq_client::{Context, DownloadMedia, EventHandler};
/// use qq_model::message::C2CMessage;
///
/// struct Bot;
///
/// impl EventHandler for Bot {
///     async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
///         for attachment in &message.attachments {
///             let answer = match attachment.download(&ctx).max_bytes(5_000_000).await {
///                 Ok(file) => format!("{} bytes", file.bytes.len()),
///                 Err(error) => error.to_string(),
///             };
///             let _ = ctx.reply(answer).await;
///         }
///     }
/// }
/// ```
pub trait DownloadMedia {
    /// The file, by its address. One without an address fails when it is awaited.
    fn download(&self, ctx: &Context) -> Download;

    /// The voice as WAV, where the platform offers that; otherwise the file as it is.
    fn download_wav(&self, ctx: &Context) -> Download {
        self.download(ctx)
    }
}

impl DownloadMedia for Attachment {
    fn download(&self, ctx: &Context) -> Download {
        Media::from(self).download(ctx)
    }

    fn download_wav(&self, ctx: &Context) -> Download {
        Media::from(self).download_wav(ctx)
    }
}

impl DownloadMedia for MessageAttachment {
    fn download(&self, ctx: &Context) -> Download {
        Media::from(self).download(ctx)
    }
}

impl DownloadMedia for Media<'_> {
    fn download(&self, ctx: &Context) -> Download {
        ctx.api.download(self.url.as_deref().unwrap_or_default())
    }

    fn download_wav(&self, ctx: &Context) -> Download {
        match self.voice_wav_url {
            Some(url) => ctx.api.download(url),
            None => self.download(ctx),
        }
    }
}
