//! What can be changed while the emulator runs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The largest part of a chunked upload; a request body is not larger either.
const MAX_BLOCK: usize = 16 * 1024 * 1024;

/// Behaviour that the platform's documents leave open, limits, and sizes. `GET` and
/// `PATCH /emulator/v1/settings` read and change it; the field names are the JSON names.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// Heartbeat interval announced in HELLO, milliseconds. Takes effect for new connections.
    /// `qq-botpy` beats every 30 s whatever it is told, so keep `heartbeat_interval` x
    /// `heartbeat_tolerance` above 30,000 for it.
    pub heartbeat_interval: u64,
    /// A client silent for this many intervals is closed with 4009.
    pub heartbeat_tolerance: u64,
    /// Whether time that is skipped by hand counts as silence. A client cannot beat in it, so that
    /// a long skip closes every connection with 4009.
    pub clock_moves_heartbeats: bool,
    /// More heartbeats than this within one interval are recorded as `ws.heartbeat_too_fast`.
    pub heartbeats_per_interval: u32,
    /// How long a disconnected session can be resumed, milliseconds.
    pub resume_window: u64,
    /// Events kept for each session to be replayed on RESUME.
    pub replay_buffer: usize,
    /// Pause between op 7 and the close with 4009, milliseconds.
    pub reconnect_close_after_ms: u64,
    /// Pause between op 9 and the close that follows it, milliseconds.
    pub invalid_session_close_after_ms: u64,
    /// `shards` in the answer of `GET /gateway/bot`.
    pub shards: u32,
    /// `max_concurrency`: sessions that may be started per `identify_window_ms`.
    pub max_concurrency: u32,
    /// The window of `max_concurrency`, milliseconds.
    pub identify_window_ms: u64,
    /// What happens to a client that identifies faster than `max_concurrency` allows.
    pub identify_pace: IdentifyPace,
    /// Session starts per 24 hours.
    pub session_start_total: u32,
    /// Session starts left; counted down by IDENTIFY, set back after 24 hours.
    pub remaining: u32,
    /// Intents granted to the bot, as a mask. Others are refused as `ungranted_intents` says.
    pub granted_intents: u64,
    /// How an IDENTIFY with an intent that was not granted is refused.
    pub ungranted_intents: UngrantedIntents,
    /// What happens when two connections identify with the same shard pair.
    pub duplicate_shard: DuplicateShard,
    /// Frames a client may send per minute before it is closed with 4008; 0 for no limit.
    pub frames_per_minute: u32,
    /// How a message that mentions the bot arrives from a group whose messages are all delivered,
    /// and from a channel when the session has both message intents.
    pub mention_delivery: MentionDelivery,
    /// Life of an access token, milliseconds.
    pub token_life: u64,
    /// Token requests answered per minute before code 100001; 0 for no limit.
    pub token_requests_per_minute: u32,
    /// Send `expires_in` as a JSON number instead of a string.
    pub expires_in_as_number: bool,
    /// Which numbers an error body carries.
    pub error_body: ErrorBody,
    /// How long a C2C message can be answered, milliseconds.
    pub c2c_reply_window: u64,
    /// Answers per C2C message; 0 for no limit.
    pub c2c_reply_budget: u32,
    /// How long a group message can be answered, milliseconds.
    pub group_reply_window: u64,
    /// Answers per group message; 0 for no limit.
    pub group_reply_budget: u32,
    /// How long a message of a channel or a direct conversation can be answered, milliseconds.
    pub guild_reply_window: u64,
    /// Answers per message of a channel or a direct conversation; 0 for no limit.
    pub guild_reply_budget: u32,
    /// Whether a typing indicator (`msg_type` 6) uses up one answer.
    pub typing_costs_budget: bool,
    /// Messages that answer nothing, per user or group and minute; 0 for no limit.
    pub active_per_minute: u32,
    /// Messages that answer nothing, per user or group and day; 0 for no limit.
    pub active_per_day: u32,
    /// Messages that answer nothing, for the whole bot, per minute, in groups and in C2C; 0 for no
    /// limit. A verified bot has twice that in groups, and no such limit in C2C.
    pub active_per_bot_minute: u32,
    /// Whether the bot is verified. With [`Settings::route_limits`] a verified bot may send 10
    /// messages per second that answer nothing in C2C, others 5.
    pub verified: bool,
    /// Messages that answer nothing, per channel and day; 0 for no limit.
    pub active_per_channel_day: u32,
    /// Channels of one guild that may get messages that answer nothing, per day; 0 for no limit.
    pub active_channels_per_guild_day: u32,
    /// Direct messages that answer nothing, per user and day; 0 for no limit.
    pub active_direct_per_user_day: u32,
    /// Direct messages that answer nothing, for the whole bot, per day; 0 for no limit.
    pub active_direct_per_day: u32,
    /// Refuse guild messages (304018) and v2 messages (40054016) of a bot that has neither a live
    /// session nor a webhook.
    pub require_session: bool,
    /// Whether a bot with a webhook gets its events on gateway sessions as well.
    pub webhook_delivery: WebhookDelivery,
    /// The events ticked for webhooks, as a mask of intents.
    pub webhook_intents: u64,
    /// How long a callback may take to be answered, milliseconds.
    pub webhook_timeout: u64,
    /// How often an event is pushed until it is acknowledged, the first time included.
    pub webhook_attempts: u32,
    /// Pause before the next attempt, milliseconds.
    pub webhook_retry_ms: u64,
    /// The time stamp, and with it the signature, of a repeated push.
    pub webhook_retry_timestamp: RetryTimestamp,
    /// Whether a status of 2xx with an empty body acknowledges an event.
    pub webhook_empty_ack: bool,
    /// Callbacks of one bot under way at once. With 1, only repeated pushes come out of order.
    pub webhook_parallel: usize,
    /// Events that may wait for one bot's webhook; more are lost.
    pub webhook_queue: usize,
    /// Allow webhooks on other machines than this one.
    pub webhook_any_host: bool,
    /// Answer a REST call with status 400 if it led to a violation of level error or warn, even
    /// one that the platform tolerates. The call may have been done.
    pub strict: bool,
    /// Whether the bot is of the private domain; others are refused some guild routes (11253).
    pub private_domain: bool,
    /// Whether the bot was invited to the group routes that ask for it; 11253 otherwise.
    pub invited: bool,
    /// Apply the limits per second and minute that the documents print for single routes (429
    /// with 100017; messages to one channel, 20028).
    pub route_limits: bool,
    /// Allow addresses in texts of messages (304003 and 40054010 otherwise).
    pub allow_urls: bool,
    /// Allow markdown (50056, 304036, 40034090 and 40034127 otherwise).
    pub allow_markdown: bool,
    /// Allow keyboards (304037 and 304057 otherwise).
    pub allow_keyboards: bool,
    /// Allow ark cards (304004 otherwise).
    pub allow_ark: bool,
    /// The templates of ark cards, markdown and keyboards that the bot may use, by id; `null` for
    /// all. Others are refused with 304014, 304036, 40034127 and 304038.
    pub granted_templates: Option<Vec<String>>,
    /// Words that no text of a bot may hold, in whatever case. Messages with one are refused with
    /// 40034006 and 1100101, edits with 3300006, channels with 200011, schedules with 302013,
    /// announcements with 501014, menus and panels with 40030020; a thread is not published.
    pub banned_words: Vec<String>,
    /// The longest text of a message, characters (40054007, in guilds 50035); 0 for no limit. The
    /// documents print none.
    pub message_length: u32,
    /// What the platform has done to the bot.
    pub bot_standing: BotStanding,
    /// What becomes of messages to channels and direct conversations.
    pub message_audit: MessageAudit,
    /// Whether messages to groups and users go through the audit as well.
    pub message_audit_everywhere: bool,
    /// Pause between the answer and the outcome of an audit, milliseconds.
    pub message_audit_ms: u64,
    /// How long a group or C2C message can be recalled, milliseconds.
    pub recall_window: u64,
    /// How long a guild message can be recalled, milliseconds; 0 for ever.
    pub guild_recall_window: u64,
    /// How long `file_info` of an upload is good, milliseconds; 0 for ever.
    pub file_info_life: u64,
    /// How long a prepared upload can be finished, milliseconds.
    pub upload_life: u64,
    /// Bytes of one part of a chunked upload, at most 16 MiB.
    pub upload_block_size: usize,
    /// The index of the first part: 1 as the service does, 0 as the documents print.
    pub upload_first_index: u32,
    /// Bytes that a bot may upload per day (40093002); 0 for no limit.
    pub upload_daily_volume: u64,
    /// Refuse files whose bytes are not of their `file_type` (850019).
    pub check_file_format: bool,
    /// How many of the next calls that finish a part fail with 40093001.
    pub upload_part_failures: u32,
    /// Longest base64 text of `file_data`; more gives status 500 with 850012.
    pub file_data_limit: usize,
    /// Bytes of uploaded files that are kept; the oldest go first.
    pub file_memory: usize,
    /// An unfinished stream is rolled back after this silence, milliseconds.
    pub stream_life: u64,
    /// Longest text of a stream, characters; announced as `remain_msg_len`.
    pub stream_length: usize,
    /// Frames of one stream per second before 50002; 0 for no limit.
    pub stream_frames_per_second: u32,
    /// How long an interaction of type 11 or 12 waits for its acknowledgement, milliseconds;
    /// 0 for ever.
    pub interaction_window: u64,
    /// Schedules that a bot may create per day (302012); 0 for no limit.
    pub schedules_per_day: u32,
    /// Schedules that may be created in a guild per day (302021); 0 for no limit.
    pub schedules_per_guild_day: u32,
    /// Requests for permissions per guild and day (610013); 0 for no limit.
    pub api_demands_per_day: u32,
    /// A day without schedules is answered with `null`, as observed, instead of `[]`.
    pub empty_schedules_as_null: bool,
    /// `target.type` of the reaction events as a number, as documented, instead of a name.
    pub reaction_target_as_number: bool,
    /// Ids of the forum events as numbers, as the samples print, instead of strings.
    pub forum_ids_as_numbers: bool,
    /// Entries kept in each of outbox, requests, violations and timeline.
    pub log_size: usize,
    /// Messages and events that are remembered for replies.
    pub message_memory: usize,
}

impl Default for Settings {
    fn default() -> Self {
        const MINUTE: u64 = 60_000;
        Self {
            heartbeat_interval: 41_250,
            heartbeat_tolerance: 2,
            clock_moves_heartbeats: false,
            heartbeats_per_interval: 6,
            resume_window: 5 * MINUTE,
            replay_buffer: 10_000,
            reconnect_close_after_ms: 3_000,
            invalid_session_close_after_ms: 1_000,
            shards: 1,
            max_concurrency: 1,
            identify_window_ms: 5_000,
            identify_pace: IdentifyPace::Ignore,
            session_start_total: 1_000,
            remaining: 1_000,
            granted_intents: crate::tables::defined_intents(),
            ungranted_intents: UngrantedIntents::Close,
            duplicate_shard: DuplicateShard::Both,
            frames_per_minute: 600,
            mention_delivery: MentionDelivery::At,
            token_life: 120 * MINUTE,
            token_requests_per_minute: 600,
            expires_in_as_number: false,
            error_body: ErrorBody::Both,
            c2c_reply_window: 60 * MINUTE,
            c2c_reply_budget: 4,
            group_reply_window: 5 * MINUTE,
            group_reply_budget: 5,
            guild_reply_window: 5 * MINUTE,
            guild_reply_budget: 0,
            typing_costs_budget: true,
            active_per_minute: 20,
            active_per_day: 1_000,
            active_per_bot_minute: 30,
            verified: false,
            active_per_channel_day: 20,
            active_channels_per_guild_day: 2,
            active_direct_per_user_day: 2,
            active_direct_per_day: 200,
            require_session: false,
            webhook_delivery: WebhookDelivery::Both,
            webhook_intents: crate::tables::defined_intents(),
            webhook_timeout: 5_000,
            webhook_attempts: 3,
            webhook_retry_ms: 1_000,
            webhook_retry_timestamp: RetryTimestamp::Fresh,
            webhook_empty_ack: true,
            webhook_parallel: 1,
            webhook_queue: 10_000,
            webhook_any_host: false,
            strict: false,
            private_domain: true,
            invited: true,
            route_limits: false,
            allow_urls: true,
            allow_markdown: true,
            allow_keyboards: true,
            allow_ark: true,
            granted_templates: None,
            banned_words: Vec::new(),
            message_length: 0,
            bot_standing: BotStanding::Good,
            message_audit: MessageAudit::Off,
            message_audit_everywhere: false,
            message_audit_ms: 100,
            recall_window: 2 * MINUTE,
            guild_recall_window: 0,
            file_info_life: 5 * MINUTE,
            upload_life: 24 * 60 * MINUTE,
            upload_block_size: 5 * 1024 * 1024,
            upload_first_index: 1,
            upload_daily_volume: 2_000_000_000,
            check_file_format: true,
            upload_part_failures: 0,
            file_data_limit: 10 * 1024 * 1024,
            file_memory: 256 * 1024 * 1024,
            stream_life: MINUTE,
            stream_length: 20_000,
            stream_frames_per_second: 0,
            interaction_window: 3_000,
            schedules_per_day: 10,
            schedules_per_guild_day: 100,
            api_demands_per_day: 3,
            empty_schedules_as_null: true,
            reaction_target_as_number: false,
            forum_ids_as_numbers: false,
            log_size: 10_000,
            message_memory: 20_000,
        }
    }
}

/// See [`Settings::bot_standing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BotStanding {
    /// Nothing.
    Good,
    /// It is not published: IDENTIFY and RESUME are closed with 4914.
    TakenDown,
    /// It is banned: no token (100007), calls are refused with 11265, the gateway closes with 4915.
    Banned,
    /// It has been cancelled: no token (100007), calls are refused with 11700, the gateway closes
    /// with 4914.
    Cancelled,
    /// Its address is not on the allow list of the console: calls are refused with 401 and 11298,
    /// the gateway closes with 4924.
    AddressRefused,
}

/// See [`Settings::message_audit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MessageAudit {
    /// They are sent.
    Off,
    /// Answered with 202 and 304023 or 304024; then `MESSAGE_AUDIT_PASS`, and they are sent.
    Pass,
    /// The same answer; then `MESSAGE_AUDIT_REJECT`.
    Reject,
    /// The same answer; then nothing.
    Never,
}

/// See [`Settings::identify_pace`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IdentifyPace {
    /// Nothing.
    Ignore,
    /// A violation `ws.identify_too_fast`.
    Record,
    /// The violation, and a close with 4008.
    Refuse,
}

/// See [`Settings::ungranted_intents`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UngrantedIntents {
    /// As documented: close with 4014.
    Close,
    /// As observed: op 9 with `d: false`, then close with 4903.
    InvalidSession,
}

/// See [`Settings::duplicate_shard`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DuplicateShard {
    /// Both receive every event.
    Both,
    /// The older connection is closed with 4902 and its session ends.
    Replace,
}

/// See [`Settings::mention_delivery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MentionDelivery {
    /// As the event for mentions only.
    At,
    /// As the event for all messages only, with `mentions[].is_you`.
    Full,
    /// As both, with the same `d.id`.
    Both,
}

/// See [`Settings::error_body`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorBody {
    /// `code` and `err_code`, as the live service does.
    Both,
    /// `err_code` alone, as the documents of 2026 print.
    ErrCode,
}

/// See [`Settings::webhook_delivery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WebhookDelivery {
    /// It does.
    Both,
    /// It does not.
    WebhookOnly,
}

/// See [`Settings::webhook_retry_timestamp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetryTimestamp {
    /// The time of the attempt.
    Fresh,
    /// The time of the first attempt.
    First,
}

impl Settings {
    /// Applies a JSON object of changes. `reply_budget` sets the three budgets at once; `null`
    /// sets a field back to its default. Nothing changes when any part is refused.
    ///
    /// # Errors
    /// A sentence that names the field and what it accepts.
    pub(crate) fn patch(&mut self, changes: &Value) -> Result<(), String> {
        let Some(changes) = changes.as_object() else {
            return Err("the body must be a JSON object of settings".into());
        };
        let mut next = self.clone();
        for (name, value) in changes {
            if name == "reply_budget" {
                for part in [
                    "c2c_reply_budget",
                    "group_reply_budget",
                    "guild_reply_budget",
                ] {
                    next.set(part, value)
                        .map_err(|why| format!("reply_budget: {why}"))?;
                }
            } else {
                next.set(name, value)
                    .map_err(|why| format!("{name}: {why}"))?;
            }
        }
        next.check()?;
        *self = next;
        Ok(())
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let mut fields = to_object(self);
        if !fields.contains_key(name) {
            return Err("there is no such setting; GET settings lists them".into());
        }
        let value = if value.is_null() {
            to_object(&Self::default()).remove(name).unwrap_or_default()
        } else {
            value.clone()
        };
        fields.insert(name.to_owned(), value);
        *self = Self::deserialize(Value::Object(fields)).map_err(|why| why.to_string())?;
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let positive = [
            ("heartbeat_interval", self.heartbeat_interval),
            ("heartbeat_tolerance", self.heartbeat_tolerance),
            ("shards", self.shards.into()),
            ("max_concurrency", self.max_concurrency.into()),
            ("token_life", self.token_life),
            ("replay_buffer", self.replay_buffer as u64),
            ("webhook_timeout", self.webhook_timeout),
            ("webhook_attempts", self.webhook_attempts.into()),
            ("webhook_parallel", self.webhook_parallel as u64),
            ("webhook_queue", self.webhook_queue as u64),
            ("log_size", self.log_size as u64),
            ("message_memory", self.message_memory as u64),
            ("upload_block_size", self.upload_block_size as u64),
            ("upload_life", self.upload_life),
            ("stream_life", self.stream_life),
        ];
        match positive.into_iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => Err(format!("{name}: must be at least 1")),
            None if self.upload_block_size > MAX_BLOCK => {
                Err(format!("upload_block_size: must be at most {MAX_BLOCK}"))
            }
            None if self.upload_first_index > 1 => Err("upload_first_index: must be 0 or 1".into()),
            None => Ok(()),
        }
    }
}

fn to_object(settings: &Settings) -> serde_json::Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(fields)) => fields,
        // A struct of plain fields always serialises to an object.
        _ => serde_json::Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_changes_only_what_it_names() {
        let mut settings = Settings::default();
        settings
            .patch(
                &json!({"heartbeat_interval": 200, "mention_delivery": "both", "reply_budget": 9}),
            )
            .unwrap();
        assert_eq!(settings.heartbeat_interval, 200);
        assert_eq!(settings.mention_delivery, MentionDelivery::Both);
        assert_eq!(
            (settings.c2c_reply_budget, settings.guild_reply_budget),
            (9, 9)
        );
        assert_eq!(settings.shards, 1);
        settings
            .patch(&json!({"heartbeat_interval": null}))
            .unwrap();
        assert_eq!(settings.heartbeat_interval, 41_250);
    }

    #[test]
    fn a_bad_patch_names_the_field_and_changes_nothing() {
        let mut settings = Settings::default();
        for (patch, field) in [
            (
                json!({"shards": 4, "heartbeat": 1}),
                "heartbeat: there is no such",
            ),
            (
                json!({"shards": 4, "remaining": "many"}),
                "remaining: invalid type",
            ),
            (json!({"shards": 0}), "shards: must be at least 1"),
            (
                json!({"mention_delivery": "never"}),
                "mention_delivery: unknown variant",
            ),
            (json!([1]), "JSON object"),
        ] {
            let why = settings.patch(&patch).unwrap_err();
            assert!(why.contains(field), "{why}");
            assert_eq!(settings.shards, 1);
        }
    }
}
