//! What no macro describes: types that borrow, hide something or are no plain enumeration.

use super::{Described, Enum, Field, Object, Value};
use crate::app_access_token::{AccessTokenRequest, AccessTokenResponse};
use crate::gateway::{CloseCode, Envelope, Identify, Resume};
use crate::intents::Intents;
use crate::message::{DirectMessage, Message};
use crate::webhook::HttpCallbackAck;

macro_rules! fields {
    ($($name:literal: $ty:literal),*) => { &[$(Field { name: $name, ty: $ty }),*] };
}

impl Described for Envelope<'_> {
    const OBJECT: Object = Object {
        name: "Envelope",
        fields: fields!("op": "OpCode", "d": "&str", "s": "Option<u64>", "t": "Option<Cow<str>>", "id": "Option<Cow<str>>"),
    };
}

impl Described for Identify<'_> {
    const OBJECT: Object = Object {
        name: "Identify",
        fields: fields!("token": "&str", "intents": "Intents", "shard": "ShardId", "properties": "Properties"),
    };
}

impl Described for Resume<'_> {
    const OBJECT: Object = Object {
        name: "Resume",
        fields: fields!("token": "&str", "session_id": "&SessionId", "seq": "u64"),
    };
}

impl Described for HttpCallbackAck {
    const OBJECT: Object = Object {
        name: "HttpCallbackAck",
        fields: fields!("op": "OpCode", "d": "u8"),
    };
}

/// The same object: the type only says where answers go.
impl Described for DirectMessage {
    const OBJECT: Object = Message::OBJECT;
}

impl Described for crate::gateway::Resumed {
    const OBJECT: Object = Object {
        name: "Resumed",
        fields: &[],
    };
}

pub(super) const OBJECTS: &[&Object] = &[
    &AccessTokenRequest::OBJECT,
    &AccessTokenResponse::OBJECT,
    &Envelope::OBJECT,
    &Identify::OBJECT,
    &Resume::OBJECT,
    &HttpCallbackAck::OBJECT,
    &crate::gateway::Resumed::OBJECT,
];

pub(super) const ENUMS: &[Enum] = &[
    Enum {
        name: "Intents",
        values: Intents::VALUES,
    },
    Enum {
        name: "CloseCode",
        values: CloseCode::VALUES,
    },
    Enum {
        name: "Permissions",
        values: &[
            Value::Number(1),
            Value::Number(2),
            Value::Number(4),
            Value::Number(8),
        ],
    },
    Enum {
        name: "default_role",
        values: &[
            Value::Text("1"),
            Value::Text("2"),
            Value::Text("4"),
            Value::Text("5"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use bitflags::Flags;

    use super::*;
    use crate::permission::Permissions;
    use crate::role::default_role;

    #[test]
    fn what_is_listed_by_hand_is_what_there_is() {
        let values = |name| {
            let all = ENUMS.iter().find(|one| one.name == name).unwrap();
            all.values.to_vec()
        };
        let named: Vec<_> = Permissions::FLAGS
            .iter()
            .filter(|flag| flag.is_named())
            .map(|flag| Value::Number(flag.value().bits().cast_signed()))
            .collect();
        assert_eq!(values("Permissions"), named);
        let intents: Vec<_> = Intents::FLAGS
            .iter()
            .map(|flag| Value::Number(flag.value().bits().into()))
            .collect();
        assert_eq!(values("Intents"), intents);
        let roles = [
            default_role::everyone(),
            default_role::admin(),
            default_role::owner(),
            default_role::channel_admin(),
        ];
        let listed = values("default_role");
        for (role, value) in roles.iter().zip(listed) {
            assert!(matches!(value, Value::Text(text) if *role == text));
        }
    }
}
