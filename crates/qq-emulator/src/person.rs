//! Users of the world as values, for tests.

use std::panic::Location;

use bytes::Bytes;

use crate::acts::{Act, Done, choose, perform};
use crate::control::keep_file;
use crate::emulator::Emulator;
use crate::platform::State;
use crate::speech::{self, Say};
use crate::views::Said;

/// A user of the world; [`Emulator::user`] gives it.
#[derive(Debug, Clone, Copy)]
#[must_use = "say where: in_group, in_c2c, in_channel or in_direct"]
pub struct Person<'a> {
    emulator: &'a Emulator,
    key: &'a str,
}

/// A user in a conversation, who speaks and acts there.
///
/// Every act is `async`, because it waits, for at most 10 s, while a connected client has thousands
/// of events still to read. An act that the world does not allow (an unknown name, a button that
/// is not there) panics at the place of the call: it is a bug of the test. The control API answers
/// with an error instead.
#[derive(Debug, Clone)]
#[must_use]
pub struct Participant<'a> {
    emulator: &'a Emulator,
    place: Say,
}

impl<'a> Person<'a> {
    pub(crate) fn new(emulator: &'a Emulator, key: &'a str) -> Self {
        Self { emulator, key }
    }

    /// In a group, by openid or name.
    pub fn in_group(self, group: impl Into<String>) -> Participant<'a> {
        self.in_place(Say::group("").author(self.key).conversation(group))
    }

    /// In a channel of a guild, by id or name.
    pub fn in_channel(self, channel: impl Into<String>) -> Participant<'a> {
        self.in_place(Say::channel("").author(self.key).conversation(channel))
    }

    /// Alone with the bot, in a QQ conversation.
    pub fn in_c2c(self) -> Participant<'a> {
        self.in_place(Say::c2c("").author(self.key))
    }

    /// Alone with the bot, in a direct conversation of the guild side.
    pub fn in_direct(self) -> Participant<'a> {
        self.in_place(Say::direct("").author(self.key))
    }

    fn in_place(self, place: Say) -> Participant<'a> {
        Participant {
            emulator: self.emulator,
            place,
        }
    }
}

impl Participant<'_> {
    /// What is said from now on does not mention the bot.
    pub fn without_mention(mut self) -> Self {
        self.place = self.place.mention_bot(false);
        self
    }

    /// Says something; in groups and channels it mentions the bot, unless told otherwise.
    #[track_caller]
    pub fn says(&self, content: impl Into<String>) -> impl Future<Output = Said> + Send {
        let mut say = self.place.clone();
        say.content = content.into();
        self.speak(say, Location::caller())
    }

    /// Sends a picture: the bot gets an address at which the emulator serves these bytes.
    #[track_caller]
    pub fn sends_image(&self, image: impl Into<Bytes>) -> impl Future<Output = Said> + Send {
        let attachment = keep_file(&self.emulator.platform, String::new(), image.into());
        self.speak(
            self.place.clone().attachment(attachment),
            Location::caller(),
        )
    }

    #[expect(clippy::panic, reason = "a wrong name in a test is a bug of the test")]
    async fn speak(&self, say: Say, caller: &'static Location<'static>) -> Said {
        match self.emulator.try_say(say).await {
            Ok(said) => said,
            Err(why) => panic!("{caller}: {why}"),
        }
    }

    /// Presses a button, by id or label, of the newest message of a bot that has it. A button that
    /// calls back pushes `INTERACTION_CREATE`; one with a command says the command.
    #[track_caller]
    pub fn clicks(&self, button: impl Into<String>) -> impl Future<Output = Done> + Send {
        let (button, caller) = (button.into(), Location::caller());
        self.perform(caller, move |state, place| {
            choose::click(state, place, &button, None)
        })
    }

    /// Presses a button of one message.
    #[track_caller]
    pub fn clicks_on(
        &self,
        message_id: impl Into<String>,
        button: impl Into<String>,
    ) -> impl Future<Output = Done> + Send {
        let (message, button, caller) = (message_id.into(), button.into(), Location::caller());
        self.perform(caller, move |state, place| {
            choose::click(state, place, &button, Some(&message))
        })
    }

    /// Reacts to the newest message of the channel: with a character such as `"👍"`, or with the
    /// number of an emoji of the platform.
    #[track_caller]
    pub fn reacts(&self, emoji: impl Into<String>) -> impl Future<Output = Done> + Send {
        self.react(emoji.into(), None, false, Location::caller())
    }

    /// Reacts to one message.
    #[track_caller]
    pub fn reacts_to(
        &self,
        message_id: impl Into<String>,
        emoji: impl Into<String>,
    ) -> impl Future<Output = Done> + Send {
        let message = Some(message_id.into());
        self.react(emoji.into(), message, false, Location::caller())
    }

    /// Takes a reaction to the newest message back.
    #[track_caller]
    pub fn unreacts(&self, emoji: impl Into<String>) -> impl Future<Output = Done> + Send {
        self.react(emoji.into(), None, true, Location::caller())
    }

    fn react(
        &self,
        emoji: String,
        message: Option<String>,
        remove: bool,
        caller: &'static Location<'static>,
    ) -> impl Future<Output = Done> + Send {
        self.perform(caller, move |state, place| {
            choose::react(state, place, &emoji, message.as_deref(), remove)
        })
    }

    /// Takes an own message back.
    #[track_caller]
    pub fn recalls(&self, message_id: impl Into<String>) -> impl Future<Output = Done> + Send {
        let (message, caller) = (message_id.into(), Location::caller());
        self.perform(caller, move |state, _| {
            speech::recall(state, &message)?;
            Ok(Done {
                message_id: Some(message),
                ..Done::default()
            })
        })
    }

    /// Becomes a member of the group, or of the channel's guild.
    #[track_caller]
    pub fn joins(&self) -> impl Future<Output = Done> + Send {
        self.act(Act::Join, Location::caller())
    }

    /// Leaves the group, or the channel's guild.
    #[track_caller]
    pub fn leaves(&self) -> impl Future<Output = Done> + Send {
        self.act(Act::Leave, Location::caller())
    }

    /// Asks to become a member of the group.
    #[track_caller]
    pub fn asks_to_join(&self, words: impl Into<String>) -> impl Future<Output = Done> + Send {
        let words = words.into();
        self.act(Act::AskToJoin { words }, Location::caller())
    }

    /// Makes the bot a friend: `FRIEND_ADD`.
    #[track_caller]
    pub fn adds_friend(&self) -> impl Future<Output = Done> + Send {
        self.act(Act::Befriend(true), Location::caller())
    }

    /// Ends the friendship: `FRIEND_DEL`.
    #[track_caller]
    pub fn removes_friend(&self) -> impl Future<Output = Done> + Send {
        self.act(Act::Befriend(false), Location::caller())
    }

    /// Takes messages that answer nothing again: alone, for the group, or for the channel's guild;
    /// in a direct conversation all messages.
    #[track_caller]
    pub fn allows_messages(&self) -> impl Future<Output = Done> + Send {
        self.act(Act::Allow(true), Location::caller())
    }

    /// Takes no messages any more that answer nothing: alone, for the group, or for the channel's
    /// guild; in a direct conversation no messages at all.
    #[track_caller]
    pub fn refuses_messages(&self) -> impl Future<Output = Done> + Send {
        self.act(Act::Allow(false), Location::caller())
    }

    /// Mutes the bot in the group: whatever it says there is refused.
    #[track_caller]
    pub fn mutes_bot(&self) -> impl Future<Output = Done> + Send {
        self.act(Act::Mute(true), Location::caller())
    }

    /// Lets the bot speak in the group again.
    #[track_caller]
    pub fn unmutes_bot(&self) -> impl Future<Output = Done> + Send {
        self.act(Act::Mute(false), Location::caller())
    }

    /// Throws the bot out of the group, or of the channel's guild.
    #[track_caller]
    pub fn removes_bot(&self) -> impl Future<Output = Done> + Send {
        self.act(Act::Bring(false), Location::caller())
    }

    /// Brings the bot back.
    #[track_caller]
    pub fn adds_bot(&self) -> impl Future<Output = Done> + Send {
        self.act(Act::Bring(true), Location::caller())
    }

    /// Enters the voice or live channel.
    #[track_caller]
    pub fn enters(&self) -> impl Future<Output = Done> + Send {
        self.act(Act::Listen(true), Location::caller())
    }

    /// Leaves it.
    #[track_caller]
    pub fn exits(&self) -> impl Future<Output = Done> + Send {
        self.act(Act::Listen(false), Location::caller())
    }

    fn act(
        &self,
        act: Act,
        caller: &'static Location<'static>,
    ) -> impl Future<Output = Done> + Send {
        self.perform(caller, move |state, place| perform(state, place, &act))
    }

    #[expect(clippy::panic, reason = "a wrong name in a test is a bug of the test")]
    async fn perform(
        &self,
        caller: &'static Location<'static>,
        act: impl FnOnce(&mut State, &Say) -> Result<Done, String> + Send,
    ) -> Done {
        let platform = &self.emulator.platform;
        platform.wait_for_backlog().await;
        let done = platform.update(|state| act(state, &self.place));
        platform.start_later();
        match done {
            Ok(done) => done,
            Err(why) => panic!("{caller}: {why}"),
        }
    }
}

impl Emulator {
    /// A user by id, openid or name.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use qq_emulator::Emulator;
    ///
    /// let emulator = Emulator::builder().start().await?;
    /// let mia = emulator.user("mia");
    /// mia.in_channel("general").says("!ping").await;
    /// emulator.user("leo").in_channel("general").reacts("👍").await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn user<'a>(&'a self, key: &'a str) -> Person<'a> {
        Person::new(self, key)
    }
}
