//! Messages to send, and what goes with them.
//!
//! [`MessageBody`] says what; [`MessageBody::v2`] and [`MessageBody::guild`] write it for the two generations of
//! calls. [`StreamMessage`] is a message that grows, [`FileUploadRequest`] an upload, [`Keyboard`] the buttons.

mod body;
pub(crate) mod button;
pub(crate) mod extras;
pub(crate) mod keyboard;
pub(crate) mod markdown;
pub(crate) mod raw;
pub(crate) mod sent;
pub(crate) mod stream;
pub(crate) mod upload;
pub(crate) mod wire;

pub use self::body::{MessageBody, ReplyTo};
pub use self::button::{
    Button, ButtonAction, ButtonActionType, ButtonModal, ButtonPermission, ButtonPermissionType,
    ButtonRenderData, ButtonStyle, MAX_LABEL, MAX_MODAL, MAX_MODAL_BUTTON, SubscribeData,
    SubscribeTemplate,
};
pub use self::extras::{
    ActionButton, InputNotify, InputType, LegacyStream, LegacyStreamState, MAX_ACTION_CALLBACK,
    MAX_INPUT_SECONDS, PromptKeyboard,
};
pub use self::keyboard::{
    Keyboard, KeyboardContent, KeyboardRow, KeyboardStyle, MAX_BUTTONS, MAX_ROWS,
};
pub use self::markdown::{FontSize, MarkdownParam, MarkdownStyle, MessageMarkdown};
pub use self::raw::{
    DeleteMessage, EditMessage, GuildMessageRequest, ListMessages, MessageDetail, V2MessageRequest,
};
pub use self::sent::{MessageExtInfo, SentMessage, StreamMessageResult};
pub use self::stream::{
    StreamContentType, StreamInputMode, StreamInputState, StreamMessage, StreamMessageRequest,
};
pub use self::upload::{
    FileDigests, FileType, FileUploadRequest, FileUploadResult, MAX_BASE64_BYTES, MAX_FILE_BYTES,
    MD5_10M_BYTES, MediaInfo, UploadConfig, UploadPart, UploadPartFinishRequest,
    UploadPrepareRequest, UploadPrepareResult,
};
pub use self::wire::{GuildMessageBody, MsgType, V2MessageBody};
pub use crate::request::BodyError;
