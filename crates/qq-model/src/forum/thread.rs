//! Threads, comments and replies.

use super::{ForumContent, RichText};
use crate::id::{ChannelId, GuildId, PostId, ReplyId, ThreadId, UserId};
use crate::request::{BodyError, RequestBody, not_blank};
use crate::timestamp::Timestamp;

object! {
    /// A thread, from REST and in `FORUM_THREAD_*` events. Some events have its ids as numbers.
    pub struct Thread {
        /// The guild.
        pub guild_id: GuildId,
        /// The channel.
        pub channel_id: ChannelId,
        /// Who wrote it.
        pub author_id: UserId,
        /// What it says.
        pub thread_info: ThreadInfo,
    }

    /// What a thread says.
    pub struct ThreadInfo {
        /// Which thread.
        pub thread_id: ThreadId,
        /// The title.
        pub title: ForumContent,
        /// The text.
        pub content: ForumContent,
        /// When it was posted.
        pub date_time: Option<Timestamp>,
    }

    /// A comment on a thread, in `FORUM_POST_*` events.
    pub struct Post {
        /// The guild.
        pub guild_id: GuildId,
        /// The channel.
        pub channel_id: ChannelId,
        /// Who wrote it.
        pub author_id: UserId,
        /// What it says.
        pub post_info: PostInfo,
    }

    /// What a comment says.
    pub struct PostInfo {
        /// The thread.
        pub thread_id: ThreadId,
        /// Which comment.
        pub post_id: PostId,
        /// The text.
        pub content: ForumContent,
        /// When it was posted.
        pub date_time: Option<Timestamp>,
    }

    /// A reply to a comment, in `FORUM_REPLY_*` events.
    pub struct Reply {
        /// The guild.
        pub guild_id: GuildId,
        /// The channel.
        pub channel_id: ChannelId,
        /// Who wrote it.
        pub author_id: UserId,
        /// What it says.
        pub reply_info: ReplyInfo,
    }

    /// What a reply says.
    pub struct ReplyInfo {
        /// The thread.
        pub thread_id: ThreadId,
        /// The comment.
        pub post_id: PostId,
        /// Which reply.
        pub reply_id: ReplyId,
        /// The text.
        pub content: ForumContent,
        /// When it was posted.
        pub date_time: Option<Timestamp>,
    }

    /// The outcome of the audit of what the bot published: the payload of `FORUM_PUBLISH_AUDIT_RESULT`.
    pub struct ForumAuditResult {
        /// The guild.
        pub guild_id: GuildId,
        /// The channel.
        pub channel_id: ChannelId,
        /// The author.
        pub author_id: UserId,
        /// The thread.
        pub thread_id: Option<ThreadId>,
        /// The comment, if it was one.
        pub post_id: Option<PostId>,
        /// The reply, if it was one.
        pub reply_id: Option<ReplyId>,
        /// What was audited.
        pub kind: ForumAuditType = "type",
        /// 0 passed, 1 refused; see [`passed`](Self::passed).
        pub result: i64,
        /// Why it was refused.
        pub err_msg: Option<Box<str>>,
        /// The task that [`PutThreadResult`] named; known from the Go SDK only.
        pub task_id: Option<Box<str>>,
        /// When; known from the Go SDK only.
        pub date_time: Option<Timestamp>,
    }

    /// Something happened in a forum: the payload of `OPEN_FORUM_*`, which has no text. REST has the rest.
    pub struct OpenForumEvent {
        /// The guild.
        pub guild_id: GuildId,
        /// The channel.
        pub channel_id: ChannelId,
        /// Who did it.
        pub author_id: UserId,
    }

    /// The threads of a channel.
    pub struct ThreadList {
        /// The threads.
        pub threads: Vec<Thread>,
        /// Whether these are all; 0 or 1 on the wire.
        pub is_finish: u32,
    }

    /// One thread.
    pub struct ThreadDetail {
        /// The thread.
        pub thread: Thread,
    }

    /// The body of publishing a thread. Private-domain bots only.
    pub struct PutThread {
        /// The title.
        pub title: Box<str>,
        /// The text in the format given; for [`ThreadFormat::Json`] the JSON text of a [`RichText`].
        pub content: Box<str>,
        /// The format of the text.
        pub format: ThreadFormat,
    }

    /// A thread is being published: the outcome comes as an event.
    pub struct PutThreadResult {
        /// The task; not the id of the thread.
        pub task_id: Box<str>,
        /// When it was taken, seconds as text.
        pub create_time: Option<Timestamp>,
    }
}

open_enum! {
    /// What was audited.
    pub enum ForumAuditType: i64 {
        /// A thread.
        Thread = 1,
        /// A comment.
        Post = 2,
        /// A reply.
        Reply = 3,
    }

    /// The formats of published threads.
    pub enum ThreadFormat: i64 {
        /// Plain text.
        Text = 1,
        /// HTML.
        Html = 2,
        /// Markdown.
        Markdown = 3,
        /// A [`RichText`] as JSON text.
        Json = 4,
    }
}

impl ForumAuditResult {
    /// Whether it was let through.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.result == 0
    }
}

impl PutThread {
    /// A thread in one of the text formats.
    #[must_use]
    pub fn new(
        title: impl Into<Box<str>>,
        content: impl Into<Box<str>>,
        format: ThreadFormat,
    ) -> Self {
        Self {
            title: title.into(),
            content: content.into(),
            format,
            ..Self::default()
        }
    }

    /// A thread made of paragraphs.
    #[must_use]
    pub fn rich(title: impl Into<Box<str>>, content: &RichText) -> Self {
        // Objects of this crate have text keys and no maps of other keys: writing them cannot fail.
        let content = serde_json::to_string(content).unwrap_or_default();
        Self::new(title, content, ThreadFormat::Json)
    }
}

impl RequestBody for PutThread {
    fn validate(&self) -> Result<(), BodyError> {
        not_blank("title", &self.title)?;
        not_blank("content", &self.content)?;
        if self.format == ThreadFormat::Json
            && serde_json::from_str::<RichText>(&self.content).is_err()
        {
            return Err(BodyError::new(
                "content",
                "is not the JSON text of a RichText, which format 4 takes",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_numbers_beyond_2_to_53_keep_their_digits() {
        let thread: Thread = serde_json::from_str(
            r#"{"guild_id":11586990140073229091,"channel_id":47129941624960823,"thread_info":{}}"#,
        )
        .unwrap();
        assert_eq!(thread.guild_id, "11586990140073229091");
        assert_eq!(thread.channel_id, "47129941624960823");
    }

    #[test]
    fn rich_threads_hold_json_text() {
        let body = PutThread::rich("t", &RichText::plain("x"));
        assert_eq!(
            &*body.content,
            r#"{"paragraphs":[{"elems":[{"type":1,"text":{"text":"x"}}]}]}"#
        );
        body.validate().unwrap();
        let wrong = PutThread::new("t", "x", ThreadFormat::Json);
        assert_eq!(wrong.validate().unwrap_err().field(), "content");
    }
}
