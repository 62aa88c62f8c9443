//! Answering.
//!
//! The platform takes an answer to a message only within a window and only so often, and wants each numbered. All of
//! that is kept in one place, whatever is sent: text, markdown, media, a typing indicator, a stream.
//!
//! | Scene | Window | Answers |
//! |---|---|---|
//! | one-to-one chat | 60 minutes | 4 |
//! | group | 5 minutes | 5 |
//! | guild channel, guild direct message | 5 minutes | no limit printed |
//!
//! [`ClientBuilder::reply_rules`](crate::ClientBuilder::reply_rules) changes the figures.
//!
//! # Text, markdown, buttons
//!
//! ```no_run
//! use qqbot::model::outgoing::{Button, Keyboard};
//! use qqbot::prelude::*;
//!
//! # async fn answer(ctx: Context, message: GroupMessage) -> Result<(), BotError> {
//! ctx.reply("plain text").await?;
//! ctx.send_markdown("**bold**, and a [link](https://bot.q.qq.com/)").await?;
//! let keyboard = Keyboard::rows([[Button::callback("Yes", "yes"), Button::callback("No", "no")]]);
//! ctx.reply(MessageBody::markdown("Sure?").keyboard(keyboard)).await?;
//! message.reply_quoting(&ctx, "this is what I mean").await?;
//! # Ok(()) }
//! ```
//!
//! A body that the platform would refuse for its form is refused before anything is sent, with the name of the field. Where
//! a bot may not send markdown, [`text_fallback`](crate::client::ReplyCall::text_fallback) sends the text instead, and the result says so.
//!
//! # What came of it
//!
//! [`SentReply`](crate::SentReply) has the message's id and says whether it was an answer or an active message. An error says what
//! happened: [`ErrorKind::ReplyClosed`](crate::ErrorKind::ReplyClosed) when the window is over or the budget used up, and
//! [`ErrorKind::OutcomeUnknown`](crate::ErrorKind::OutcomeUnknown) when the message was on its way and no answer came back: it may be there, so
//! sending it again as a new message may show it twice. Repeating the same answer is safe where it has a number, and the client does that by itself.
//!
//! [`WhenClosed`](crate::WhenClosed) chooses what becomes of an answer that comes too late: an error, an active message, or waiting for the
//! next message to answer. For the whole bot in the builder, or for one answer:
//!
//! ```no_run
//! # use qqbot::prelude::*;
//! # async fn answer(ctx: Context) -> Result<(), BotError> {
//! ctx.reply("the report is ready").when_closed(WhenClosed::GoActive).await?;
//! # Ok(()) }
//! ```
//!
//! # Pictures, voices, files
//!
//! One call for an address, bytes or a file; large ones go in parts, a file that the platform knows is not sent again.
//!
//! ```no_run
//! # use qqbot::prelude::*;
//! use qqbot::model::outgoing::FileType;
//!
//! # async fn answer(ctx: Context) -> Result<(), BotError> {
//! ctx.send_media(Media::file("cat.png")).caption("A cat").await?;
//! ctx.send_media(Media::url("https://example.com/song.mp3")).kind(FileType::Voice).await?;
//! # Ok(()) }
//! ```
//!
//! # Typing, and answers that grow
//!
//! In one-to-one chats. [`Context::typing`](crate::Context::typing) shows the indicator until it is dropped, and costs one answer of the budget for each time it is shown.
//! A stream shows the text while it is written and ends whatever happens: finished, dropped, or failed.
//!
//! ```no_run
//! # use qqbot::prelude::*;
//! # async fn answer(ctx: Context, mut words: tokio::sync::mpsc::Receiver<String>) -> Result<(), BotError> {
//! let mut answer = ctx.stream().markdown().await?;
//! while let Some(word) = words.recv().await {
//!     answer.push(&word).await?;
//! }
//! answer.finish().await?;
//! # Ok(()) }
//! ```
//!
//! # Buttons
//!
//! A press is an [`InteractionCreate`](crate::Event::InteractionCreate) event that wants an acknowledgement within three seconds. The client
//! gives it, unless the callback does: [`Context::ack`](crate::Context::ack) with another code, or
//! [`Context::take_ack`](crate::Context::take_ack) to do it later.
