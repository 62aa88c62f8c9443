//! What a collector is about, and what an event is about.

use qq_model::id::MessageId;
use qq_model::message::{ChatUserId, Conversation};

/// What an event must be about to be of interest; nothing set means everything.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) conversation: Option<Conversation>,
    pub(super) author: Option<ChatUserId>,
    pub(super) message: Option<MessageId>,
}

/// What an event is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Subject {
    pub(super) conversation: Option<Conversation>,
    pub(super) author: Option<ChatUserId>,
    pub(super) message: Option<MessageId>,
}

/// Where a collector is filed: at the narrowest of what it is about, so that an event meets few others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Message(MessageId),
    ConversationAndAuthor(Conversation, ChatUserId),
    Conversation(Conversation),
    Author(ChatUserId),
    Everything,
}

impl Scope {
    pub(super) fn key(&self) -> Key {
        match (&self.message, &self.conversation, &self.author) {
            (Some(message), ..) => Key::Message(message.clone()),
            (None, Some(conversation), Some(author)) => {
                Key::ConversationAndAuthor(conversation.clone(), author.clone())
            }
            (None, Some(conversation), None) => Key::Conversation(conversation.clone()),
            (None, None, Some(author)) => Key::Author(author.clone()),
            (None, None, None) => Key::Everything,
        }
    }

    pub(super) fn admits(&self, subject: &Subject) -> bool {
        fn agrees<T: PartialEq>(wanted: Option<&T>, is: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| is == Some(wanted))
        }
        agrees(self.conversation.as_ref(), subject.conversation.as_ref())
            && agrees(self.author.as_ref(), subject.author.as_ref())
            && agrees(self.message.as_ref(), subject.message.as_ref())
    }
}

impl Subject {
    /// Every key under which somebody may wait for this: at most five, however many collectors there are.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        let message = self.message.clone().map(Key::Message);
        let conversation = self.conversation.clone().map(Key::Conversation);
        let author = self.author.clone().map(Key::Author);
        let both = self
            .conversation
            .clone()
            .zip(self.author.clone())
            .map(|(conversation, author)| Key::ConversationAndAuthor(conversation, author));
        [message, both, conversation, author, Some(Key::Everything)]
            .into_iter()
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        Subject {
            conversation: Some(Conversation::Group("G".into())),
            author: Some(ChatUserId::Member("A".into())),
            message: Some("M".into()),
        }
    }

    #[test]
    fn every_scope_is_found_by_what_it_admits() {
        let Subject {
            conversation,
            author,
            message,
        } = subject();
        for bits in 0..8 {
            let scope = Scope {
                conversation: conversation.clone().filter(|_| bits & 1 != 0),
                author: author.clone().filter(|_| bits & 2 != 0),
                message: message.clone().filter(|_| bits & 4 != 0),
            };
            assert!(scope.admits(&subject()), "{scope:?}");
            assert!(
                subject().keys().any(|key| key == scope.key()),
                "{scope:?} is filed where no event looks"
            );
        }
    }

    #[test]
    fn another_chat_author_or_message_is_not_admitted() {
        let other = Subject {
            conversation: Some(Conversation::Group("H".into())),
            author: Some(ChatUserId::Member("B".into())),
            message: None,
        };
        let Subject {
            conversation,
            author,
            message,
        } = subject();
        for scope in [
            Scope {
                conversation,
                ..Scope::default()
            },
            Scope {
                author,
                ..Scope::default()
            },
            Scope {
                message,
                ..Scope::default()
            },
        ] {
            assert!(!scope.admits(&other), "{scope:?}");
        }
        assert!(Scope::default().admits(&other));
    }
}
