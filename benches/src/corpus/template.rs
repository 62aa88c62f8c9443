//! A fixture with places for what differs from frame to frame.

use std::io;

use super::cast::{Cast, Scene};

#[derive(Debug)]
pub(super) struct Template {
    kind: String,
    scene: Scene,
    /// What is said of whoever talks: their roles, and whether they are bots.
    people: String,
    /// The number of these people in their scene.
    class: u64,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    /// JSON as it stands.
    Text(String),
    /// A value; whether it has quotes.
    Place(Place, bool),
}

/// What stands in a place. A number tells places of the same frame apart.
#[derive(Debug, PartialEq)]
enum Place {
    Sequence,
    Conversation,
    Author,
    AuthorName,
    Avatar,
    Guild,
    Channel,
    Member,
    ChannelName,
    Content(u64),
    Url(u64),
    Timestamp,
    JoinedAt,
    Seconds,
    /// What comes before and behind so many digits.
    Message(String, usize, String),
    Digits(u64, String, usize, String),
}

impl Template {
    pub(super) fn new(kind: &str, fixture: &str) -> io::Result<Self> {
        let missing = |what| {
            let text = format!("the fixture of {kind} has no {what}");
            io::Error::new(io::ErrorKind::InvalidData, text)
        };
        let scene = scene(kind);
        let tokens = tokens(fixture);
        let id = member(&tokens, "id").first();
        let (before, digits, after) = id
            .and_then(|id| split(&id.text))
            .ok_or_else(|| missing("id"))?;
        let data = member(&tokens, "d");
        if data.is_empty() {
            return Err(missing("d"));
        }
        let mut pieces = vec![
            Piece::Text(r#"{"op":0,"s":"#.to_owned()),
            Piece::Place(Place::Sequence, false),
            Piece::Text(format!(r#","t":"{kind}","id":"#)),
            // Long enough to be another one for each frame.
            Piece::Place(Place::Digits(0, before, digits.max(16), after), true),
            Piece::Text(r#","d":"#.to_owned()),
        ];
        for (token, count) in data.iter().zip(1..) {
            match place(kind, scene, token, count) {
                Some(place) => pieces.push(Piece::Place(place, token.is_string)),
                None => push(&mut pieces, &token.raw()),
            }
        }
        push(&mut pieces, "}");
        Ok(Self {
            kind: kind.to_owned(),
            scene,
            people: people(data),
            class: 0,
            pieces,
        })
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    pub(super) const fn scene(&self) -> Scene {
        self.scene
    }

    /// Whether the same people talk in both.
    pub(super) fn has_people_of(&self, other: &Self) -> bool {
        self.scene == other.scene && self.people == other.people
    }

    pub(super) const fn class(&self) -> u64 {
        self.class
    }

    pub(super) const fn set_class(&mut self, class: u64) {
        self.class = class;
    }

    pub(super) fn is_guild_message(&self) -> bool {
        matches!(&*self.kind, "MESSAGE_CREATE" | "AT_MESSAGE_CREATE")
    }

    pub(super) fn render(&self, cast: &Cast) -> String {
        let mut text = String::with_capacity(1_500);
        for piece in &self.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Place(place, false) => text.push_str(&place.fill(cast)),
                Piece::Place(place, true) => {
                    text.push('"');
                    text.push_str(&place.fill(cast));
                    text.push('"');
                }
            }
        }
        text
    }
}

impl Place {
    fn fill(&self, cast: &Cast) -> String {
        match self {
            Self::Sequence => (cast.n + 2).to_string(),
            Self::Conversation => cast.conversation_openid(),
            Self::Author => cast.author_openid(),
            Self::AuthorName => cast.author_name(),
            Self::Avatar => cast.avatar(),
            Self::Guild => cast.guild().to_string(),
            Self::Channel => cast.channel().to_string(),
            Self::Member => cast.author().to_string(),
            Self::ChannelName => cast.channel_name(),
            Self::Content(place) => cast.text(*place),
            Self::Url(place) => cast.url(*place),
            Self::Timestamp => cast.timestamp(),
            Self::JoinedAt => cast.joined_at(),
            Self::Seconds => cast.seconds().to_string(),
            Self::Message(before, digits, after) => {
                format!("{before}{}{after}", cast.message(*digits))
            }
            Self::Digits(place, before, digits, after) => {
                format!("{before}{}{after}", cast.digits(*place, *digits))
            }
        }
    }
}

/// What does not change from one message of a person to the next.
fn people(data: &[Token]) -> String {
    let mut people = String::new();
    for token in data.iter().filter(|token| !token.is_structure) {
        let path: Vec<&str> = token.path.iter().skip(1).map(String::as_str).collect();
        if let ["author" | "user", "bot" | "member_role"] | ["member", "roles"] | ["roles"] = *path
        {
            people.push_str(&token.text);
            people.push(' ');
        }
    }
    people
}

fn scene(kind: &str) -> Scene {
    match kind {
        "MESSAGE_DELETE"
        | "PUBLIC_MESSAGE_DELETE"
        | "MESSAGE_REACTION_ADD"
        | "MESSAGE_REACTION_REMOVE" => Scene::AboutMessage,
        "DIRECT_MESSAGE_CREATE" => Scene::DirectMessage,
        _ if kind.starts_with("GROUP_") => Scene::Group,
        _ if kind.starts_with("C2C_") || kind.starts_with("FRIEND_") => Scene::Friend,
        _ => Scene::Channel,
    }
}

/// What differs about this value from frame to frame; nothing about most.
fn place(kind: &str, scene: Scene, token: &Token, count: u64) -> Option<Place> {
    // Who is mentioned is the bot.
    if token.is_structure || token.text.is_empty() || token.path.iter().any(|key| key == "mentions")
    {
        return None;
    }
    let path: Vec<&str> = token.path.iter().skip(1).map(String::as_str).collect();
    let is_guild = !matches!(scene, Scene::Group | Scene::Friend);
    let person = if is_guild {
        Place::Member
    } else {
        Place::Author
    };
    Some(match *path.as_slice() {
        ["id"] if kind.starts_with("GUILD_") => Place::Guild,
        ["id"] if kind.starts_with("CHANNEL_") => Place::Channel,
        ["id"] | ["message" | "target", "id"] => message(token)?,
        ["group_openid" | "group_id"] => Place::Conversation,
        ["guild_id" | "src_guild_id"] | ["message", "guild_id"] => Place::Guild,
        ["channel_id"] | ["message", "channel_id"] => Place::Channel,
        ["member_openid" | "user_openid" | "openid" | "op_member_openid"]
        | ["user_id" | "author_id" | "op_user_id" | "owner_id"]
        | ["author", "member_openid" | "user_openid" | "union_openid"]
        | ["author" | "user" | "op_user", "id"]
        | ["message", "author", "id"] => person,
        ["author" | "user", "username"] | ["member", "nick"] => Place::AuthorName,
        ["author" | "user", "avatar"] => Place::Avatar,
        ["name" | "description"] => Place::ChannelName,
        ["content"] | ["msg_elements", .., "content"] | [.., "text"] => Place::Content(count),
        [
            ..,
            "url" | "audio_url" | "preview" | "icon" | "voice_wav_url",
        ] => Place::Url(count),
        ["joined_at"] | ["member", "joined_at"] => Place::JoinedAt,
        [.., "timestamp" | "audit_time" | "create_time" | "date_time"] if token.is_string => {
            Place::Timestamp
        }
        ["timestamp"] => Place::Seconds,
        _ => {
            // A decimal number counts something, or is one of a few.
            let is_number = token.text.bytes().all(|byte| byte.is_ascii_digit());
            let text = split(&token.text).filter(|_| token.is_string && !is_number);
            let (before, digits, after) = text?;
            Place::Digits(count, before, digits, after)
        }
    })
}

/// The id of a message.
fn message(token: &Token) -> Option<Place> {
    let (before, digits, after) = split(&token.text)?;
    // A message of a guild is talked of in other frames, with the same id.
    let digits = if before.is_empty() { 46 } else { digits };
    Some(Place::Message(before, digits, after))
}

/// Takes the longest run of hexadecimal digits and dashes out of a text; `None` when it is no such id.
fn split(text: &str) -> Option<(String, usize, String)> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
    let mut best = 0..0;
    let mut start = 0;
    for (place, byte) in text.bytes().enumerate() {
        if !is_digit(byte) {
            start = place + 1;
        } else if place + 1 - start > best.len() {
            best = start..place + 1;
        }
    }
    (best.len() >= 8).then(|| {
        (
            text[..best.start].to_owned(),
            best.len(),
            text[best.end..].to_owned(),
        )
    })
}

fn push(pieces: &mut Vec<Piece>, text: &str) {
    if let Some(Piece::Text(last)) = pieces.last_mut() {
        last.push_str(text);
    } else {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// A part of a JSON text that stands for itself.
#[derive(Debug)]
struct Token {
    /// The keys on the way to it.
    path: Vec<String>,
    /// Without the quotes, with the escapes.
    text: String,
    is_string: bool,
    /// A bracket, a comma, a key: nothing that differs.
    is_structure: bool,
}

impl Token {
    fn raw(&self) -> String {
        if self.is_string {
            format!("\"{}\"", self.text)
        } else {
            self.text.clone()
        }
    }
}

/// The parts of a JSON text without what is between them. It is known to be sound.
fn tokens(json: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    // For each open bracket: the key that stands in it, nothing in lists.
    let mut keys: Vec<Option<String>> = Vec::new();
    let mut rest = json.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_string = first == '"';
        let end = match first {
            '"' => end_of_string(rest),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            _ => rest
                .find([',', '}', ']', ' ', '\n', '\r', '\t'])
                .unwrap_or(rest.len()),
        };
        let (token, behind) = rest.split_at(end);
        rest = behind.trim_start();
        let text = if is_string { &token[1..end - 1] } else { token };
        let is_key = is_string && rest.starts_with(':');
        if is_key && let Some(last) = keys.last_mut() {
            *last = Some(text.to_owned());
        }
        if matches!(first, '}' | ']') {
            keys.pop();
        }
        tokens.push(Token {
            path: keys.iter().flatten().cloned().collect(),
            text: text.to_owned(),
            is_string,
            is_structure: is_key || matches!(first, '{' | '}' | '[' | ']' | ',' | ':'),
        });
        if matches!(first, '{' | '[') {
            keys.push(None);
        }
    }
    tokens
}

/// The value with this key at the top.
fn member<'a>(tokens: &'a [Token], key: &str) -> &'a [Token] {
    let start = tokens
        .iter()
        .position(|token| token.is_structure && token.text == key && token.path == [key]);
    // Behind the key and its colon.
    let Some(value) = start.and_then(|start| tokens.get(start + 2..)) else {
        return &[];
    };
    let is_object = value.first().is_some_and(|first| first.text == "{");
    let end = value.iter().position(|token| {
        !is_object || (token.is_structure && token.text == "}" && token.path == [key])
    });
    &value[..end.map_or(0, |end| end + 1)]
}

/// Behind the quote that ends the string.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (place, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}
