//! Who reads what the platform writes.

use std::alloc::System;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use futures_util::{SinkExt, StreamExt};
use qq_model::event::payload;
use qq_model::event_table;
use qq_model::gateway::Envelope;
use qqbot::cache::{Cache, CacheConfig, KindConfig};
use qqbot::gateway::Shard;
use qqbot::model::group::GroupMember;
use qqbot::model::message::Conversation;
use qqbot::model::{BearerToken, Dispatch};
use qqbot::prelude::*;
use stats_alloc::Region;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::platform::{Plan, Platform};
use crate::{ALLOCATOR, AnyError, runtime};

/// What one run cost, for each event.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) cpu: f64,
    pub(crate) allocations: f64,
}

pub(crate) fn floor(plan: Plan, threads: usize) -> Result<Cost, AnyError> {
    let Plan::Flood { events, .. } = plan else {
        return Err("a flood is needed".into());
    };
    let platform = Platform::start(plan)?;
    let gateway = platform.gateway;
    runtime(threads)?.block_on(async {
        tokio::spawn(async move {
            let stream = TcpStream::connect(("127.0.0.1", gateway)).await?;
            let url = format!("ws://127.0.0.1:{gateway}/");
            let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await?;
            let _hello = socket.next().await;
            socket.send(Frame::text(r#"{"op":2}"#)).await?;
            let _ready = socket.next().await;
            let mut seen = 0;
            let mut meter = None;
            while seen < events {
                let Some(frame) = socket.next().await else {
                    break;
                };
                if seen == plan.warm() {
                    meter = Some(Meter::start());
                }
                if let Frame::Text(text) = frame? {
                    let envelope = Envelope::scan(&text)?;
                    black_box(Dispatch::decode_with(&envelope, with_serde_json));
                    seen += 1;
                }
            }
            let meter = meter.ok_or("nothing came")?;
            Ok(meter.stop(seen - plan.warm()))
        })
        .await?
    })
}

/// The payload, whose kind this version knows, as `serde_json` decodes it.
fn with_serde_json(name: &str, data: &str) -> Event {
    let mut deserializer = serde_json::Deserializer::from_str(data);
    let kind = name.parse().ok();
    let event = kind.and_then(|kind| Event::deserialize(kind, &mut deserializer).ok());
    event.unwrap_or_else(|| Event::decode(name, data))
}

pub(crate) fn shard(plan: Plan) -> Result<Cost, AnyError> {
    let Plan::Flood { events, .. } = plan else {
        return Err("a flood is needed".into());
    };
    let platform = Platform::start(plan)?;
    let url = format!("ws://127.0.0.1:{}/", platform.gateway);
    runtime(0)?.block_on(async {
        let token = BearerToken::new("token");
        let mut shard = Shard::builder(url, token, Intents::default()).build()?;
        let _ready = shard.next().await;
        let mut meter = None;
        for seen in 0..events {
            let item = shard.next().await.ok_or("it has ended")??;
            if seen == plan.warm() {
                meter = Some(Meter::start());
            }
            black_box(item);
        }
        let meter = meter.ok_or("nothing came")?;
        Ok(meter.stop(events - plan.warm()))
    })
}

/// Has a callback for every event, which does nothing with it.
struct Noop;

macro_rules! noop {
    ($($(#[$doc:meta])* $variant:ident = $wire:literal, $payload:ident, [$($intent:ident)?], $callback:ident;)*) => {
        impl EventHandler for Noop {
            $(async fn $callback(&self, _: Context, _: payload::$payload) {})*
        }
    };
}

event_table!(noop);

pub(crate) fn client(plan: Plan, threads: usize, setting: Setting) -> Result<Cost, AnyError> {
    let Plan::Flood { events, .. } = plan else {
        return Err("a flood is needed".into());
    };
    let platform = Platform::start(plan)?;
    let client = setting.build(&platform)?;
    runtime(threads)?.block_on(async {
        let handle = client.handle();
        if setting == Setting::Raw {
            client.on(EventKind::GroupMessageCreate, |_, raw| async move {
                black_box(raw.json());
            });
        }
        let mut collectors = Vec::new();
        if let Setting::Collectors(count) = setting {
            for number in 0..count {
                let group = Conversation::Group(format!("{number:031X}F").into());
                collectors.push(
                    handle
                        .create_message_collector()
                        .conversation(group)
                        .start(),
                );
            }
        }
        let run = tokio::spawn(async move { client.start().await });
        // READY is one, too.
        let target = events as u64 + 1;
        let warm = plan.warm() as u64;
        let mut meter = None;
        let mut begun = Instant::now();
        loop {
            let stats = handle.stats();
            let seen = stats.events + stats.duplicates;
            if seen > warm + 1 && meter.is_none() {
                begun = Instant::now();
                meter = Some((Meter::start(), seen));
            }
            if seen >= target {
                break;
            }
            let pause = match &meter {
                // To look is counted, too: so not before half of what is left should be over.
                Some((_, before)) if seen > *before => {
                    let left = (target - seen) as f64 / (seen - before) as f64;
                    begun.elapsed().mul_f64(left / 2.0)
                }
                _ => Duration::ZERO,
            };
            tokio::time::sleep(pause.max(Duration::from_micros(200))).await;
        }
        let (meter, before) = meter.ok_or("nothing came")?;
        let cost = meter.stop(events + 1 - usize::try_from(before)?);
        let stats = handle.stats();
        if stats.duplicates > 0 {
            return Err(format!("{} events were taken for repeats", stats.duplicates).into());
        }
        handle.stop().await?;
        run.await??;
        drop(collectors);
        Ok(cost)
    })
}

/// What is different about a client.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Setting {
    /// Nothing.
    Default,
    /// It remembers nothing.
    NoCache,
    /// It remembers no messages.
    NoMessages,
    /// It handles what comes twice twice.
    NoDuplicates,
    /// It has a closure that takes the text of group messages.
    Raw,
    /// So many members of other groups are known.
    Members(usize),
    /// So many collectors wait in other groups.
    Collectors(usize),
}

impl Setting {
    fn build(self, platform: &Platform) -> Result<Client<Noop>, AnyError> {
        let builder = platform.client()?;
        let builder = match self {
            Self::Default | Self::Raw | Self::Collectors(_) => builder,
            Self::NoCache => builder.cache(Cache::new(CacheConfig::off())),
            Self::NoMessages => builder.cache(Cache::builder().messages(KindConfig::off).build()),
            Self::NoDuplicates => builder.dedupe(false),
            Self::Members(count) => {
                let cache = Cache::builder()
                    .group_members(KindConfig::unbounded)
                    .build();
                for number in 0..count {
                    let group = format!("{:031X}F", number / 1_000).into();
                    let mut member = GroupMember::default();
                    member.member_openid = format!("{number:032X}").into();
                    member.username = Some("一个人".into());
                    cache.insert_group_member(&group, &member);
                }
                builder.cache(cache)
            }
        };
        Ok(builder.handler(Noop).build()?)
    }
}

struct Meter {
    cpu: ProcessTime,
    region: Region<'static, System>,
}

impl Meter {
    fn start() -> Self {
        Self {
            cpu: ProcessTime::now(),
            region: Region::new(ALLOCATOR),
        }
    }

    fn stop(self, events: usize) -> Cost {
        let change = self.region.change();
        Cost {
            cpu: self.cpu.elapsed().as_secs_f64() * 1e6 / events as f64,
            allocations: (change.allocations + change.reallocations) as f64 / events as f64,
        }
    }
}
