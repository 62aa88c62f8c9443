//! The processes that are measured: a bot, or a part of one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cpu_time::ProcessTime;
use qqbot::client::ClientBuilder;
use qqbot::cluster::{Cluster, ClusterConfig, ClusterExt, Role};
use qqbot::http::Limits;
use qqbot::prelude::*;

use crate::AnyError;
use crate::process::orders;

/// What such a process is to do.
pub(crate) struct Part {
    /// The platform.
    pub(crate) url: String,
    /// `alone`, `both`, `receiver` or `worker`.
    pub(crate) role: String,
    pub(crate) nats: String,
    pub(crate) partitions: u16,
    pub(crate) is_answering: bool,
}

impl Part {
    pub(crate) fn args(&self) -> [String; 6] {
        [
            "bot".to_owned(),
            self.url.clone(),
            self.role.clone(),
            self.nats.clone(),
            self.partitions.to_string(),
            self.is_answering.to_string(),
        ]
    }

    pub(crate) fn parse(args: &[&str]) -> Result<Self, AnyError> {
        let [url, role, nats, partitions, is_answering] = args else {
            return Err(
                "expected: a platform, a role, NATS, partitions, and whether to answer".into(),
            );
        };
        Ok(Self {
            url: (*url).to_owned(),
            role: (*role).to_owned(),
            nats: (*nats).to_owned(),
            partitions: partitions.parse()?,
            is_answering: is_answering.parse()?,
        })
    }
}

/// Counts, and answers if it should.
struct Bot {
    handled: Arc<AtomicU64>,
    is_answering: bool,
}

impl EventHandler for Bot {
    async fn group_message_create(&self, ctx: Context, _: GroupMessage) {
        if self.is_answering
            && let Err(error) = ctx.reply("好").await
        {
            // Whoever waits for this event waits for ever, and the bench fails.
            println!("{error}");
            return;
        }
        self.handled.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs a bot and does what it is told: sets its mark, waits until so many events were handled, reports.
pub(crate) async fn run(part: Part) -> Result<(), AnyError> {
    let token = Token::new("102000000", "a-secret-of-the-benchmark");
    let cluster = match &*part.role {
        "alone" => None,
        role => {
            let role = match role {
                "both" => Role::Both,
                "receiver" => Role::Receiver,
                _ => Role::Worker,
            };
            let config = ClusterConfig::new(&*part.nats)
                .role(role)
                .partitions(part.partitions);
            Some(Cluster::connect(config, &token).await?)
        }
    };
    let handled = Arc::new(AtomicU64::new(0));
    let client = builder(token, &part, cluster.as_ref())?
        .handler(Bot {
            handled: Arc::clone(&handled),
            is_answering: part.is_answering,
        })
        .build()?;
    let mut status = client.status();
    let running = tokio::spawn(async move { client.start().await });
    status
        .wait_for(|status| matches!(status, Status::Ready { .. }))
        .await?;
    println!("ready");
    let done = || match &cluster {
        Some(cluster) if part.role == "receiver" => cluster.stats().published,
        _ => handled.load(Ordering::Relaxed),
    };
    let mut orders = orders();
    let mut mark = ProcessTime::now();
    while let Some(order) = orders.recv().await {
        match order.split_once(' ') {
            Some((_, total)) => {
                let total: u64 = total.parse()?;
                while done() < total {
                    if running.is_finished() {
                        return Err("the bot has ended".into());
                    }
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                println!("done");
            }
            None if order == "mark" => {
                mark = ProcessTime::now();
                println!("marked");
            }
            None => println!("{}", mark.elapsed().as_secs_f64() * 1e6),
        }
    }
    Ok(())
}

fn builder(
    token: Token,
    part: &Part,
    cluster: Option<&Cluster>,
) -> Result<ClientBuilder, AnyError> {
    let intents = Intents::default().with_group_and_c2c();
    let builder = Client::builder(token, intents)
        .environment(Environment::custom(&*part.url)?)
        // The platform of this bench has no limits.
        .limits(Limits::learned());
    Ok(match cluster {
        Some(cluster) => builder.cluster(cluster),
        None => builder,
    })
}
