//! Processes and servers that die, over and over.
//!
//! The size is set by environment variables, so that the same tests serve the gate and a long run: `CHAOS_EVENTS`,
//! `CHAOS_CONVERSATIONS`, `CHAOS_RATE` (events per second), `CHAOS_SEED` (random; printed).

use std::time::{Duration, Instant};

use fastrand::Rng;
use qq_cluster::Role;

use super::nats_server::NatsServer;
use super::nats_trio::NatsTrio;
use super::process::{Process, Site};
use super::support::{LEASE, PATIENCE, turn};
use super::talk::Talk;

/// How often a process is killed.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a process is cut off, when the talk is long enough.
const CUT: Duration = Duration::from_secs(20);
/// Three of each.
const ROLES: [Role; 6] = [
    Role::Receiver,
    Role::Receiver,
    Role::Receiver,
    Role::Worker,
    Role::Worker,
    Role::Worker,
];

fn size(variable: &str, usual: u32) -> u32 {
    std::env::var(variable).map_or(usual, |text| text.parse().unwrap())
}

/// The processes, and who kills them.
struct Chaos<'a> {
    talk: &'a Talk,
    site: Site,
    processes: Vec<Process>,
    random: Rng,
    events: u32,
    rate: u32,
    kills: u32,
}

impl<'a> Chaos<'a> {
    async fn start(talk: &'a Talk, nats: Vec<String>, events: u32) -> Self {
        let seed = size("CHAOS_SEED", fastrand::u32(..));
        println!("CHAOS_SEED={seed}");
        let site = Site {
            replicas: nats.len(),
            nats,
            platform: talk.emulator.base_url().to_owned(),
            lease: LEASE,
            register: talk.register.clone(),
        };
        let mut processes = Vec::new();
        for role in ROLES {
            processes.push(Process::start(role, &site).await);
        }
        talk.until_connected().await;
        Self {
            talk,
            site,
            processes,
            random: Rng::with_seed(seed.into()),
            events,
            rate: size("CHAOS_RATE", 250),
            kills: 0,
        }
    }

    /// How long the talk lasts, when nothing holds it up.
    fn duration(&self) -> Duration {
        Duration::from_secs(self.events.into()) / self.rate
    }

    /// Whether this part of the talk is over.
    fn is_past(&self, percent: u32) -> bool {
        self.talk.said() >= self.events / 100 * percent
    }

    /// Kills one of the processes, the first of which may be spared, and starts another.
    async fn replace_one(&mut self, is_first_spared: bool) {
        let victim = self
            .random
            .usize(usize::from(is_first_spared)..self.processes.len());
        let gone = self.processes.remove(victim);
        let role = gone.role;
        drop(gone);
        self.kills += 1;
        self.processes.push(Process::start(role, &self.site).await);
    }

    async fn end(mut self) {
        let start = Instant::now();
        let lost = self.talk.assert_whole().await;
        println!(
            "{} processes killed; whole {:?} after the last word",
            self.kills,
            start.elapsed()
        );
        // About as many as were in hand when their workers were killed.
        assert!(lost.len() <= 10 * self.kills as usize, "{lost:?}");
        for process in &mut self.processes {
            assert_eq!(process.status(), None, "a process ended by itself");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_doubled_or_disordered_while_processes_die() {
    let Some(mut nats) = NatsServer::start().await else {
        return;
    };
    let _turn = turn().await;
    let talk = Talk::start(size("CHAOS_CONVERSATIONS", 200)).await;
    let events = size("CHAOS_EVENTS", 5000);
    let mut chaos = Chaos::start(&talk, vec![nats.address()], events).await;
    let rate = chaos.rate;
    let kill = async {
        let mut restarts = [20, 75].into_iter().peekable();
        let cut = CUT.min(chaos.duration() / 3);
        let (mut cut_since, mut is_cut_over) = (None::<Instant>, false);
        while !chaos.is_past(99) {
            tokio::time::sleep(PAUSE).await;
            if restarts.next_if(|part| chaos.is_past(*part)).is_some() {
                nats.kill();
                nats.resume().await;
            }
            match cut_since {
                None if !is_cut_over && chaos.is_past(30) => {
                    chaos.processes[0].cut(true);
                    cut_since = Some(Instant::now());
                }
                Some(since) if since.elapsed() >= cut => {
                    chaos.processes[0].cut(false);
                    (cut_since, is_cut_over) = (None, true);
                }
                _ => chaos.replace_one(cut_since.is_some()).await,
            }
        }
        assert_eq!((restarts.next(), is_cut_over), (None, true));
    };
    tokio::join!(talk.say_all(events - talk.said(), rate), kill);
    chaos.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_servers_bear_the_loss_of_one() {
    let Some(mut nats) = NatsTrio::start().await else {
        return;
    };
    let _turn = turn().await;
    let talk = Talk::start(size("CHAOS_CONVERSATIONS", 200)).await;
    let events = size("CHAOS_EVENTS", 4000);
    let addresses = nats.servers.iter().map(NatsServer::address).collect();
    let mut chaos = Chaos::start(&talk, addresses, events).await;
    let rate = chaos.rate;
    let kill = async {
        while !chaos.is_past(30) {
            tokio::time::sleep(PAUSE / 10).await;
        }
        // That which is missed most, or any.
        let name = format!("qqbot-{}", qq_emulator::DEFAULT_APP_ID);
        let streams = ["-events", "-members", "-claims", "-ledger"];
        let number = match chaos.random.choice(streams) {
            Some("-events") => leader(&nats, &format!("{name}-events-0")),
            Some(bucket) if chaos.random.bool() => leader(&nats, &format!("KV_{name}{bucket}")),
            _ => None,
        };
        let number = number.unwrap_or_else(|| chaos.random.usize(..nats.servers.len()));
        let comes_back = chaos.random.bool();
        println!("server {number} dies, and comes back: {comes_back}");
        nats.servers[number].kill();
        // Two are enough, for the death of a process as well.
        let mut longest = Duration::ZERO;
        let mut last = Instant::now();
        while !chaos.is_past(60) {
            tokio::time::sleep(PAUSE / 10).await;
            longest = longest.max(talk.longest_wait());
            if last.elapsed() >= PAUSE {
                chaos.replace_one(false).await;
                last = Instant::now();
            }
        }
        if comes_back {
            nats.servers[number].resume().await;
            nats.until_up(number).await;
        }
        while !chaos.is_past(99) || talk.longest_wait() > PAUSE {
            tokio::time::sleep(PAUSE / 10).await;
            longest = longest.max(talk.longest_wait());
            assert!(longest < PATIENCE, "an event waited for {longest:?}");
        }
        println!("an event waited for {longest:?} at the longest");
    };
    tokio::join!(talk.say_all(events - talk.said(), rate), kill);
    chaos.end().await;
}

/// Which of the servers decides what is in a stream.
fn leader(nats: &NatsTrio, stream: &str) -> Option<usize> {
    let said = nats.ask(0, "/jsz?accounts=true&streams=true").ok()?;
    let (_, body) = said.split_once("\r\n\r\n")?;
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    let streams = body["account_details"][0]["stream_detail"].as_array()?;
    let found = streams.iter().find(|found| found["name"] == stream)?;
    let leader = found["cluster"]["leader"].as_str()?;
    leader.strip_prefix('n')?.parse().ok()
}
