//! Who says what where in one frame.

use std::fmt::Write as _;

/// Where an event happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scene {
    Group,
    Friend,
    Channel,
    DirectMessage,
    /// In the channel of an earlier message, about it.
    AboutMessage,
}

/// Conversations of each scene.
const GROUPS: u64 = 90;
const FRIENDS: u64 = 60;
const CHANNELS: u64 = 40;
const DIRECT_MESSAGES: u64 = 10;
const CHANNELS_PER_GUILD: u64 = 4;
const AUTHORS: u64 = 1_000;
/// How many people talk in one conversation, of each class.
const MEMBERS: u64 = 12;
/// How many classes there are at most: people of one have the same roles, wherever they are.
pub(super) const CLASSES: u64 = 5;

/// The first of May 2026 in China.
const START: u64 = 1_777_564_800;

const WORDS: [&str; 24] = [
    "今天",
    "天气",
    "怎么样",
    "大家",
    "好的",
    "知道了",
    "明天",
    "一起",
    "吃饭",
    "游戏",
    "更新",
    "服务器",
    "机器人",
    "签到",
    "谢谢",
    "哈哈哈",
    "为什么",
    "图片",
    "收到",
    "可以",
    "什么时候",
    "没问题",
    "等一下",
    "在吗",
];
const ENDS: [&str; 6] = ["，", "，", " ", "。", "？", "！"];
const NAMES: [&str; 16] = [
    "晨星",
    "小雨",
    "阿海",
    "松竹",
    "暮雪",
    "river",
    "云",
    "山水",
    "一个人",
    "画画",
    "夏夏",
    "老王",
    "春风",
    "棋手",
    "鱼",
    "Lamp",
];

/// A small generator: what follows is settled by the seed.
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// A linear congruential generator, whose upper bits are mixed into the lower ones.
    const fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        mixed ^ (mixed >> 32)
    }

    /// Less than `end`.
    const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        let place = self.below(list.len() as u64);
        usize::try_from(place)
            .ok()
            .and_then(|place| list.get(place))
            .copied()
            .unwrap_or_default()
    }

    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            let other = usize::try_from(self.below(end as u64 + 1)).unwrap_or_default();
            list.swap(end, other);
        }
    }
}

/// What the places of a template are filled with.
pub(super) struct Cast {
    /// The number of the frame.
    pub(super) n: u64,
    /// The number of the frame with the message that this one is about; its own for a message.
    said: u64,
    conversation: u64,
    author: u64,
}

impl Cast {
    pub(super) fn of(scene: Scene, class: u64, n: u64) -> Self {
        Self::about(scene, class, n, n)
    }

    /// The frame is about the message of an earlier one.
    pub(super) fn about(scene: Scene, class: u64, said: u64, n: u64) -> Self {
        let mut random = Random::new(said);
        let (first, count) = match scene {
            Scene::Group => (0, GROUPS),
            Scene::Friend => (GROUPS, FRIENDS),
            Scene::Channel | Scene::AboutMessage => (GROUPS + FRIENDS, CHANNELS),
            Scene::DirectMessage => (GROUPS + FRIENDS + CHANNELS, DIRECT_MESSAGES),
        };
        let conversation = first + random.below(count);
        let author = match scene {
            // The other end is always the same.
            Scene::Friend | Scene::DirectMessage => conversation * 5,
            // The channels of a guild have the same people.
            _ => {
                let first = conversation / CHANNELS_PER_GUILD * CHANNELS_PER_GUILD * 10;
                first + random.below(MEMBERS) * CLASSES + class
            }
        };
        Self {
            n,
            said,
            conversation,
            author: author % AUTHORS,
        }
    }

    /// The conversation in 32 hexadecimal digits.
    pub(super) fn conversation_openid(&self) -> String {
        openid(1, self.conversation)
    }

    pub(super) fn author_openid(&self) -> String {
        openid(2, self.author)
    }

    pub(super) fn channel(&self) -> u64 {
        1_081_473 + self.conversation * 977
    }

    pub(super) fn guild(&self) -> u64 {
        1_887_691_509_009_681_687 + self.conversation / CHANNELS_PER_GUILD * 7_919
    }

    pub(super) fn author(&self) -> u64 {
        15_393_397_346_146_971 + self.author * 104_729
    }

    pub(super) fn author_name(&self) -> String {
        name(self.author)
    }

    pub(super) fn channel_name(&self) -> String {
        name(self.conversation)
    }

    /// The message that is said, or talked of: so many digits.
    pub(super) fn message(&self, digits: usize) -> String {
        hex(3, self.said, digits)
    }

    /// Hexadecimal digits that no other place has.
    pub(super) fn digits(&self, place: u64, digits: usize) -> String {
        hex(4 + place, self.n, digits)
    }

    /// What is said, with the escapes of JSON.
    pub(super) fn text(&self, place: u64) -> String {
        let mut random = Random::new(self.n ^ (place + 1) << 48);
        let words = match random.below(10) {
            0..5 => 1 + random.below(6),
            5..9 => 6 + random.below(24),
            _ => 20 + random.below(40),
        };
        // Few have several lines, and fewer quote somebody.
        let line = match random.below(12) {
            0 => words / 2,
            _ => words,
        };
        let mut text = match random.below(40) {
            0 => format!(r#"\"{}\""#, random.pick(&WORDS)),
            _ => String::new(),
        };
        for word in 0..words {
            text.push_str(random.pick(&WORDS));
            if word == line {
                text.push_str(r"\n");
            } else if random.below(3) == 0 {
                text.push_str(random.pick(&ENDS));
            }
        }
        text
    }

    /// Where a picture is, as such addresses look.
    pub(super) fn url(&self, place: u64) -> String {
        format!(
            r"https://files.example.com/download?appid=1407\u0026fileid={}\u0026rkey={}\u0026spec=0",
            self.digits(place, 80),
            self.digits(place + 100, 96),
        )
    }

    /// The picture of the author.
    pub(super) fn avatar(&self) -> String {
        format!(
            r"https://files.example.com/g?b=oidb\u0026k={}\u0026kti={}\u0026s=0\u0026t=1723208401",
            hex(2, self.author, 22),
            hex(200, self.author, 11),
        )
    }

    /// Seconds since 1970.
    pub(super) const fn seconds(&self) -> u64 {
        START + self.n / 40
    }

    /// The same, as the platform writes it.
    pub(super) fn timestamp(&self) -> String {
        in_month("2026-05", self.n / 40)
    }

    /// When the author joined.
    pub(super) fn joined_at(&self) -> String {
        in_month("2026-04", self.author * 2_417)
    }
}

/// So many seconds after a month began, which is long enough.
fn in_month(month: &str, seconds: u64) -> String {
    let seconds = seconds % (28 * 86_400);
    format!(
        "{month}-{:02}T{:02}:{:02}:{:02}+08:00",
        1 + seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn openid(what: u64, number: u64) -> String {
    hex(what, number, 32).to_uppercase()
}

fn name(number: u64) -> String {
    let mut random = Random::new(number);
    format!("{}{}", random.pick(&NAMES), random.pick(&NAMES))
}

/// Digits that look random; the first 16 are another number for each number.
fn hex(what: u64, number: u64, digits: usize) -> String {
    // Odd factors and shifts that lose nothing: no two numbers become the same.
    let mut mixed = (number ^ what << 52).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^= mixed >> 29;
    let mut text = format!("{:016x}", mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9));
    let mut random = Random::new(mixed);
    while text.len() < digits {
        let _ = write!(text, "{:016x}", random.next());
    }
    text.truncate(digits);
    text
}
