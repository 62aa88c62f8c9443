//! Processes that die, over and over.
//!
//! The size is set by environment variables, so that the same test serves the gate and a long run:
//! `CHAOS_EVENTS` (6,000), `CHAOS_CONVERSATIONS` (200), `CHAOS_SEED` (random; printed).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use qq_cluster::Role;
use qq_emulator::{Emulator, World};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::nats_server::NatsServer;
use super::support::{Echo, LEASE, client};

const SHARDS: u32 = 6;

/// A process of the cluster: this program again, which then runs [`a_process_of_the_cluster`] alone.
struct Process {
    child: Child,
    role: &'static str,
    link: Link,
}

/// Lies between a process and NATS, and can be cut.
struct Link {
    port: u16,
    is_cut: watch::Sender<bool>,
}

impl Link {
    async fn to(nats: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (is_cut, cut) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (mut cut, nats) = (cut.clone(), nats.clone());
                tokio::spawn(async move {
                    if *cut.borrow() {
                        return;
                    }
                    let Ok(mut far) = TcpStream::connect(&nats).await else {
                        return;
                    };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.wait_for(|is_cut| *is_cut) => {}
                    }
                });
            }
        });
        Self { port, is_cut }
    }
}

impl Process {
    async fn start(
        role: &'static str,
        nats: &NatsServer,
        emulator: &Emulator,
        register: &Path,
    ) -> Self {
        let link = Link::to(nats.url().trim_start_matches("nats://").to_owned()).await;
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "chaos::a_process_of_the_cluster", "--nocapture"])
            .env("CHAOS_ROLE", role)
            .env("CHAOS_NATS", format!("nats://127.0.0.1:{}", link.port))
            .env("CHAOS_PLATFORM", emulator.base_url())
            .env("CHAOS_REGISTER", register)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, role, link }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL: nothing of it is tidied up.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Not a test by itself: what the processes run. It does nothing where nobody asked for a process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_of_the_cluster() {
    let Ok(role) = std::env::var("CHAOS_ROLE") else {
        return;
    };
    let variable = |name| std::env::var(name).unwrap();
    let role = match role.as_str() {
        "receiver" => Role::Receiver,
        _ => Role::Worker,
    };
    let register = OpenOptions::new()
        .append(true)
        .open(variable("CHAOS_REGISTER"))
        .unwrap();
    let echo = Echo {
        register: Some(register),
    };
    let (client, _) = client(
        &variable("CHAOS_NATS"),
        &variable("CHAOS_PLATFORM"),
        role,
        echo,
    )
    .await;
    client.start().await.unwrap();
}

/// Six guilds, one to a shard, and groups; as many conversations as asked for.
fn world(conversations: u32) -> World {
    let mut world = World::default();
    let guild = world.guilds[0].clone();
    let channel = guild
        .channels
        .iter()
        .find(|channel| channel.kind == 0)
        .unwrap()
        .clone();
    let group = world.groups[0].clone();
    world.guilds = (0..SHARDS)
        .map(|shard| {
            let mut guild = guild.clone();
            guild.id = (u64::from(shard + SHARDS) << 22).to_string();
            guild.channels = (0..conversations)
                .filter(|number| number % 2 == 0 && number / 2 % SHARDS == shard)
                .map(|number| {
                    let mut channel = channel.clone();
                    channel.id = (700_000 + number).to_string();
                    channel.guild_id.clone_from(&guild.id);
                    channel
                })
                .collect();
            guild
        })
        .collect();
    world.groups = (0..conversations)
        .filter(|number| number % 2 == 1)
        .map(|number| {
            let mut group = group.clone();
            group.id = format!("{number:032X}");
            group
        })
        .collect();
    world.direct.clear();
    world
}

async fn say(emulator: &Emulator, world: &World, conversation: u32, number: u32) {
    let id = format!("{conversation}-{number}");
    if conversation % 2 == 1 {
        let group = format!("{conversation:032X}");
        let data = serde_json::json!({
            "id": id, "content": id, "group_id": group, "group_openid": group, "timestamp": "2026-11-21T12:00:00+08:00",
            "author": {"id": "A", "member_openid": "A"},
        });
        emulator.push_event("GROUP_AT_MESSAGE_CREATE", data).await;
    } else {
        let guild = &world.guilds[(conversation / 2 % SHARDS) as usize];
        let data = serde_json::json!({
            "id": id, "content": id, "guild_id": guild.id, "channel_id": (700_000 + conversation).to_string(),
            "timestamp": "2026-11-21T12:00:00+08:00", "author": {"id": "1", "username": "mia"},
        });
        emulator.push_event("AT_MESSAGE_CREATE", data).await;
    }
}

fn size(variable: &str, usual: u32) -> u32 {
    std::env::var(variable).map_or(usual, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_doubled_or_disordered_while_processes_die() {
    if std::env::var_os("CHAOS_ROLE").is_some() {
        return;
    }
    let Some(mut nats) = NatsServer::start().await else {
        return;
    };
    let (events, conversations) = (size("CHAOS_EVENTS", 6000), size("CHAOS_CONVERSATIONS", 200));
    let seed = size("CHAOS_SEED", fastrand::u32(..));
    println!("CHAOS_SEED={seed}");
    fastrand::seed(seed.into());
    let world = world(conversations);
    let emulator = Emulator::builder()
        .world(world.clone())
        .settings(|settings| {
            settings.shards = SHARDS;
            settings.max_concurrency = SHARDS;
            settings.replay_buffer = 100_000;
            settings.log_size = 200_000;
        })
        .start()
        .await
        .unwrap();
    let register =
        std::env::temp_dir().join(format!("qq-cluster-chaos-{}-{seed}", std::process::id()));
    File::create(&register).unwrap();
    let roles = [
        "receiver", "receiver", "receiver", "worker", "worker", "worker",
    ];
    let mut processes = Vec::new();
    for role in roles {
        processes.push(Process::start(role, &nats, &emulator, &register).await);
    }
    let start = Instant::now();
    while emulator
        .sessions()
        .iter()
        .filter(|session| session.connected)
        .count()
        < SHARDS as usize
    {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "the shards never came up"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let mut said = 0;
    let mut round = 0;
    let pause = Duration::from_secs(2);
    // Enough rounds that everything below happens in the middle of the talk.
    let per_round = (events / 12).max(1);
    while said < events {
        let slice = Instant::now();
        for _ in 0..per_round.min(events - said) {
            say(
                &emulator,
                &world,
                said % conversations,
                said / conversations,
            )
            .await;
            said += 1;
            if said % 50 == 0 {
                tokio::time::sleep(pause / (per_round / 50).max(1)).await;
            }
        }
        tokio::time::sleep(pause.saturating_sub(slice.elapsed())).await;
        round += 1;
        match round {
            3 | 8 => {
                nats.kill();
                nats.resume().await;
            }
            // Cut off for longer than a lease.
            5 => drop(processes[0].link.is_cut.send_replace(true)),
            11 => drop(processes[0].link.is_cut.send_replace(false)),
            _ => {
                let gone = processes.remove(fastrand::usize(1..processes.len()));
                let role = gone.role;
                drop(gone);
                processes.push(Process::start(role, &nats, &emulator, &register).await);
            }
        }
    }

    let asked = Instant::now();
    let mut last = (0, Instant::now());
    let handled = loop {
        let handled = in_order_of_first(&std::fs::read_to_string(&register).unwrap());
        let count: usize = handled.values().map(Vec::len).sum();
        if count == events as usize {
            break handled;
        }
        if count != last.0 {
            last = (count, Instant::now());
        }
        assert!(
            last.1.elapsed() < LEASE * 20,
            "{count} of {events} handled; missing {:?}",
            missing(&handled, events, conversations)
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    println!(
        "the last event was handled {:?} after it was said",
        asked.elapsed()
    );
    for (conversation, numbers) in &handled {
        let order: Vec<u32> = numbers.iter().map(|(number, _)| *number).collect();
        assert!(
            order.is_sorted(),
            "conversation {conversation} was handled in this order: {order:?}"
        );
    }

    // The last of them may still be under way.
    let texts = async || {
        emulator
            .outbox()
            .iter()
            .map(|entry| format!("{}\n", entry.text()))
            .collect::<String>()
    };
    let mut answered = in_order_of_first(&texts().await);
    for _ in 0..200 {
        if missing(&answered, events, conversations).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        answered = in_order_of_first(&texts().await);
    }
    for (conversation, numbers) in &answered {
        let order: Vec<u32> = numbers.iter().map(|(number, _)| *number).collect();
        assert!(
            order.is_sorted(),
            "conversation {conversation} was answered in this order: {order:?}"
        );
        let doubled: Vec<_> = numbers.iter().filter(|(_, count)| *count > 1).collect();
        assert!(
            doubled.is_empty(),
            "conversation {conversation} was answered twice: {doubled:?}"
        );
    }
    // A guild channel's answer whose worker died while it was sent is not sent again, for nobody can tell whether it was.
    let unknown = missing(&answered, events, conversations);
    println!("answers that may have got lost with their worker: {unknown:?}");
    assert!(
        unknown
            .iter()
            .all(|(conversation, _)| conversation % 2 == 0),
        "{unknown:?}"
    );
    assert!(unknown.len() <= 40, "{unknown:?}");
    let violations: Vec<_> = emulator
        .violations()
        .into_iter()
        .filter(|violation| violation.level == qq_emulator::Level::Error)
        .collect();
    assert!(violations.is_empty(), "{violations:?}");
    let sessions = emulator.sessions();
    std::fs::remove_file(&register).unwrap();
    println!(
        "sessions: {}, resumed {} times",
        sessions.len(),
        sessions.iter().map(|session| session.resumes).sum::<u32>()
    );
}

/// By conversation: the numbers of its lines, in the order of the first of each, and how often each.
fn in_order_of_first(lines: &str) -> BTreeMap<u32, Vec<(u32, usize)>> {
    let mut counts: HashMap<(u32, u32), usize> = HashMap::new();
    let mut order: BTreeMap<u32, Vec<(u32, usize)>> = BTreeMap::new();
    for line in lines.lines() {
        let (conversation, number) = line.split_once('-').unwrap();
        let (conversation, number) = (conversation.parse().unwrap(), number.parse().unwrap());
        let count = counts.entry((conversation, number)).or_default();
        *count += 1;
        if *count == 1 {
            order.entry(conversation).or_default().push((number, 0));
        }
    }
    for (conversation, numbers) in &mut order {
        for (number, count) in numbers {
            *count = counts[&(*conversation, *number)];
        }
    }
    order
}

fn missing(
    seen: &BTreeMap<u32, Vec<(u32, usize)>>,
    events: u32,
    conversations: u32,
) -> Vec<(u32, u32)> {
    let seen: BTreeSet<(u32, u32)> = seen
        .iter()
        .flat_map(|(conversation, numbers)| {
            numbers.iter().map(|(number, _)| (*conversation, *number))
        })
        .collect();
    (0..events)
        .map(|event| (event % conversations, event / conversations))
        .filter(|event| !seen.contains(event))
        .collect()
}
