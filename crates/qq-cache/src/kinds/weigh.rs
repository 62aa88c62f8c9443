//! About how many bytes a value owns on the heap.

use qq_model::channel::Channel;
use qq_model::guild::Guild;
use qq_model::id::Id;
use qq_model::message::{Attachment, C2CMessage, GroupMessage, Message, MsgElement};
use qq_model::role::Role;
use qq_model::user::{Member, User};
use qq_model::wire::Extra;

/// Approximate: texts and lists count, rare small parts do not.
pub(crate) trait Weigh {
    fn owned_bytes(&self) -> usize;
}

impl Weigh for str {
    fn owned_bytes(&self) -> usize {
        self.len()
    }
}

impl<T: Weigh + ?Sized> Weigh for Box<T> {
    fn owned_bytes(&self) -> usize {
        size_of_val(&**self) + (**self).owned_bytes()
    }
}

impl<T: Weigh> Weigh for Option<T> {
    fn owned_bytes(&self) -> usize {
        self.as_ref().map_or(0, Weigh::owned_bytes)
    }
}

impl<T: Weigh> Weigh for Vec<T> {
    fn owned_bytes(&self) -> usize {
        self.capacity() * size_of::<T>() + self.iter().map(Weigh::owned_bytes).sum::<usize>()
    }
}

impl<K> Weigh for Id<K> {
    /// The usual ids own nothing, and the others are few.
    fn owned_bytes(&self) -> usize {
        0
    }
}

impl Weigh for Extra {
    fn owned_bytes(&self) -> usize {
        const ENTRY: usize = size_of::<(Box<str>, u64, u64, u64, u64)>();
        self.iter()
            .map(|(name, value)| ENTRY + name.len() + value.as_str().map_or(0, str::len))
            .sum()
    }
}

macro_rules! sum {
    ($($of:ident { $($field:ident),* })*) => {
        $(impl Weigh for $of {
            fn owned_bytes(&self) -> usize {
                0 $(+ self.$field.owned_bytes())*
            }
        })*
    };
}

sum! {
    Guild { name, icon, description, channels, union_world_id, union_org_id, extra }
    Channel { name, private_user_ids, extra }
    Role { name, extra }
    User { username, avatar, union_user_account, extra }
    Member { user, nick, roles, extra }
    Message { content, author, member, mentions, extra }
    GroupMessage { content, attachments, msg_elements, extra }
    C2CMessage { content, attachments, msg_elements, extra }
    MsgElement { content, attachments, msg_elements, extra }
    Attachment { url, filename, extra }
}
