//! People who talk to the bot in many conversations, and what has become of what they said.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use qq_emulator::{Emulator, IdentifyPace, Level, OutboxEntry, World};

use super::support::PATIENCE;

/// How many shards the platform asks for.
pub(crate) const SHARDS: u32 = 6;

/// The platform, and what was said there: each text is the number of its conversation, and its own within it.
///
/// Conversations with an even number are channels, spread over a guild for each shard; the others are groups.
pub(crate) struct Talk {
    pub(crate) emulator: Emulator,
    conversations: u32,
    said: AtomicU32,
    /// When each text was said.
    times: Mutex<Vec<Instant>>,
    /// How long the register is when everything that was said was handled once.
    length: AtomicU64,
    /// Where the processes write down what they handle, one text to a line.
    pub(crate) register: PathBuf,
}

/// The lines of each conversation in the order in which each came first, and how often it came.
type Lines = BTreeMap<u32, Vec<(u32, usize)>>;

impl Talk {
    pub(crate) async fn start(conversations: u32) -> Self {
        let emulator = Emulator::builder()
            .world(world(conversations))
            .settings(|settings| {
                settings.shards = SHARDS;
                settings.max_concurrency = SHARDS / 2;
                settings.identify_pace = IdentifyPace::Record;
                settings.replay_buffer = 100_000;
                settings.log_size = 200_000;
                settings.message_memory = 200_000;
            })
            .start()
            .await
            .unwrap();
        let name = format!("qq-cluster-{}-{}", std::process::id(), emulator.port());
        let register = std::env::temp_dir().join(name);
        File::create(&register).unwrap();
        Self {
            emulator,
            conversations,
            said: AtomicU32::new(0),
            times: Mutex::default(),
            length: AtomicU64::new(0),
            register,
        }
    }

    /// How much was said.
    pub(crate) fn said(&self) -> u32 {
        self.said.load(Ordering::Relaxed)
    }

    /// Says the next text, in the next conversation.
    pub(crate) async fn say(&self) {
        self.times.lock().unwrap().push(Instant::now());
        let (conversation, number) = self.line(self.said.fetch_add(1, Ordering::Relaxed));
        let id = format!("{conversation}-{number}");
        self.length
            .fetch_add(id.len() as u64 + 1, Ordering::Relaxed);
        if conversation % 2 == 1 {
            let group = format!("{conversation:032X}");
            let data = serde_json::json!({
                "id": id, "content": id, "group_id": group, "group_openid": group,
                "timestamp": "2026-11-21T12:00:00+08:00", "author": {"id": "A", "member_openid": "A"},
            });
            self.emulator
                .push_event("GROUP_AT_MESSAGE_CREATE", data)
                .await;
        } else {
            let data = serde_json::json!({
                "id": id, "content": id, "guild_id": guild(conversation / 2 % SHARDS),
                "channel_id": channel(conversation), "timestamp": "2026-11-21T12:00:00+08:00",
                "author": {"id": "1", "username": "mia"},
            });
            self.emulator.push_event("AT_MESSAGE_CREATE", data).await;
        }
    }

    /// Says so much, at this pace.
    pub(crate) async fn say_all(&self, count: u32, per_second: u32) {
        let start = Instant::now();
        for number in 0..count {
            self.say().await;
            let due = Duration::from_secs(number.into()) / per_second;
            tokio::time::sleep(due.saturating_sub(start.elapsed())).await;
        }
    }

    /// Waits until every shard has a session that its next holder can resume, which is so when something was handled that
    /// came over it.
    pub(crate) async fn until_connected(&self) {
        let start = Instant::now();
        loop {
            let sessions = self.emulator.sessions();
            let live = sessions.iter().filter(|session| session.connected).count();
            if live == SHARDS as usize {
                break;
            }
            assert!(start.elapsed() < PATIENCE, "{live} connected: {sessions:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for _ in 0..2 * SHARDS {
            self.say().await;
        }
        self.until_handled().await;
    }

    /// Waits until everything that was said was handled, for as long as there is progress.
    pub(crate) async fn until_handled(&self) {
        let mut last = (0, Instant::now());
        loop {
            let handled = self.handled();
            let missing = self.missing(&handled);
            if missing.is_empty() {
                return;
            }
            if missing.len() != last.0 {
                last = (missing.len(), Instant::now());
            }
            assert!(
                last.1.elapsed() < PATIENCE,
                "{} of {} were not handled: {missing:?}",
                missing.len(),
                self.said()
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Whether as much was handled as was said: everything, while nobody dies in the act.
    pub(crate) fn is_all_handled(&self) -> bool {
        std::fs::metadata(&self.register).unwrap().len() >= self.length.load(Ordering::Relaxed)
    }

    /// How long the oldest text that was not handled has waited.
    pub(crate) fn longest_wait(&self) -> Duration {
        let missing = self.missing(&self.handled());
        let first = missing.iter().map(|(conversation, number)| {
            let event = number * self.conversations + conversation;
            self.times.lock().unwrap()[event as usize]
        });
        first.min().map_or(Duration::ZERO, |said| said.elapsed())
    }

    /// What the processes have handled.
    pub(crate) fn handled(&self) -> Lines {
        lines(std::fs::read_to_string(&self.register).unwrap().lines())
    }

    /// What the platform has shown.
    pub(crate) fn answered(&self) -> Lines {
        let outbox = self.emulator.outbox();
        lines(outbox.iter().map(OutboxEntry::text))
    }

    /// What was said and is not among these.
    pub(crate) fn missing(&self, seen: &Lines) -> Vec<(u32, u32)> {
        let seen: BTreeSet<(u32, u32)> = seen
            .iter()
            .flat_map(|(conversation, numbers)| {
                numbers.iter().map(|(number, _)| (*conversation, *number))
            })
            .collect();
        (0..self.said())
            .map(|event| self.line(event))
            .filter(|line| !seen.contains(line))
            .collect()
    }

    /// Everything was handled, in order within each conversation, and answered once; nothing was done that the platform
    /// forbids. Returns what was not answered: a channel's answer whose worker died while it was sent is not sent again,
    /// for nobody can tell whether it was.
    pub(crate) async fn assert_whole(&self) -> Vec<(u32, u32)> {
        self.until_handled().await;
        assert_in_order("handled", &self.handled());
        // The last of them may still be under way.
        let start = Instant::now();
        let mut answered = self.answered();
        let mut missing = self.missing(&answered);
        while !missing.is_empty() && start.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(200)).await;
            answered = self.answered();
            missing = self.missing(&answered);
        }
        assert_in_order("answered", &answered);
        for (conversation, numbers) in &answered {
            let doubled: Vec<_> = numbers.iter().filter(|(_, count)| *count > 1).collect();
            assert!(
                doubled.is_empty(),
                "conversation {conversation} was answered twice: {doubled:?}"
            );
        }
        let lost: Vec<_> = missing.iter().filter(|line| line.0 % 2 == 1).collect();
        assert!(lost.is_empty(), "groups know repeats, and yet: {lost:?}");

        let sessions = self.emulator.sessions();
        println!(
            "{} said; {} sessions, resumed {} times",
            self.said(),
            sessions.len(),
            sessions.iter().map(|session| session.resumes).sum::<u32>()
        );
        let (repeats, violations): (Vec<_>, Vec<_>) =
            self.emulator.violations().into_iter().partition(|found| {
                found.level == Level::Info && found.code == "rest.reply.repeated"
            });
        println!(
            "{} answers were sent again and not shown twice; {} got lost with their worker",
            repeats.len(),
            missing.len()
        );
        assert!(violations.is_empty(), "{violations:?}");
        missing
    }

    /// The conversation and the number of what was said so many texts after the first.
    const fn line(&self, event: u32) -> (u32, u32) {
        (event % self.conversations, event / self.conversations)
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.register);
    }
}

fn assert_in_order(what: &str, lines: &Lines) {
    for (conversation, numbers) in lines {
        let order: Vec<u32> = numbers.iter().map(|(number, _)| *number).collect();
        assert!(
            order.is_sorted(),
            "conversation {conversation} was {what} in this order: {order:?}"
        );
    }
}

fn lines<'a>(texts: impl Iterator<Item = &'a str>) -> Lines {
    let mut counts: HashMap<(u32, u32), usize> = HashMap::new();
    let mut order: Lines = BTreeMap::new();
    for text in texts {
        let (conversation, number) = text.split_once('-').unwrap();
        let line = (conversation.parse().unwrap(), number.parse().unwrap());
        let count = counts.entry(line).or_default();
        *count += 1;
        if *count == 1 {
            order.entry(line.0).or_default().push((line.1, 0));
        }
    }
    for (conversation, numbers) in &mut order {
        for (number, count) in numbers {
            *count = counts[&(*conversation, *number)];
        }
    }
    order
}

fn guild(shard: u32) -> String {
    (u64::from(shard + SHARDS) << 22).to_string()
}

fn channel(conversation: u32) -> String {
    (700_000 + conversation).to_string()
}

fn world(conversations: u32) -> World {
    let mut world = World::default();
    let template = world.guilds[0].clone();
    let text = template.channels.iter().find(|channel| channel.kind == 0);
    let text = text.unwrap().clone();
    world.guilds = (0..SHARDS)
        .map(|shard| {
            let mut guild = template.clone();
            guild.id = self::guild(shard);
            guild.channels = (0..conversations)
                .filter(|number| number % 2 == 0 && number / 2 % SHARDS == shard)
                .map(|number| {
                    let mut channel = text.clone();
                    channel.id = self::channel(number);
                    channel.guild_id.clone_from(&guild.id);
                    channel
                })
                .collect();
            guild
        })
        .collect();
    let template = world.groups[0].clone();
    world.groups = (0..conversations)
        .filter(|number| number % 2 == 1)
        .map(|number| {
            let mut group = template.clone();
            group.id = format!("{number:032X}");
            group
        })
        .collect();
    world.direct.clear();
    world
}
