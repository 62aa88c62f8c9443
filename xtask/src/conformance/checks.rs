//! What is asked of every client.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use super::control::{Connection, Control};
use crate::error::{Error, Result};
use crate::process::Running;

/// From the start of a client's process to its session.
const CONNECT: Duration = Duration::from_secs(30);

/// From a message to its answer.
const ANSWER: Duration = Duration::from_secs(15);

/// From a lost connection to the next one; clients wait up to five seconds before they try.
const RECONNECT: Duration = Duration::from_secs(45);

const POLL: Duration = Duration::from_millis(50);

/// What every bot under test calls, beside its answers.
const ROUND_TRIPS: [&str; 4] = [
    "list_my_guilds",
    "list_guild_channels",
    "create_guild_role",
    "list_guild_roles",
];

/// One client and how its checks ended.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) client: &'static str,
    pub(super) known: &'static [(&'static str, &'static str)],
    pub(super) results: Vec<Check>,
}

/// One check; `failure` says what went wrong, `known` why that is the client's own way.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) failure: Option<String>,
    pub(super) known: Option<&'static str>,
}

impl Row {
    pub(super) fn passed(&self) -> bool {
        self.results
            .iter()
            .all(|check| check.failure.is_none() || check.known.is_some())
    }

    fn note(&mut self, name: &'static str, result: Result<()>) {
        let failure = result.err().map(|error| error.to_string());
        if let Some(why) = &failure {
            println!("{}: {name}: {why}", self.client);
        }
        let known = self.known.iter().find(|(check, _)| *check == name);
        self.results.push(Check {
            name,
            failure,
            known: known.map(|(_, why)| *why),
        });
    }
}

/// Runs every check, each with a deadline of its own.
pub(super) fn all(
    client: &'static str,
    known: &'static [(&'static str, &'static str)],
    control: &Control,
    process: &mut Running,
) -> Row {
    let mut row = Row {
        client,
        known,
        results: Vec::new(),
    };
    let mut watch = Watch { control, process };
    let none = BTreeSet::new();
    row.note("connects", watch.connection_beyond(&none, CONNECT));
    row.note("rest", watch.round_trips(ANSWER));
    for scene in ["group", "c2c", "channel", "direct"] {
        row.note(scene, watch.talk(scene, "hello", ANSWER));
    }
    let before = control.connections();
    // Said while nobody listens: the gateway has to replay it.
    row.note(
        "replay",
        control
            .drop_gateway()
            .and_then(|()| watch.talk("group", "are you there", RECONNECT)),
    );
    row.note(
        "reconnect",
        before
            .and_then(|before| watch.connection_beyond(&before, RECONNECT))
            .and_then(|()| watch.talk("group", "welcome back", ANSWER)),
    );
    row.note("clean", no_errors(control));
    row
}

fn no_errors(control: &Control) -> Result<()> {
    let errors = control.errors()?;
    if errors.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!("violations: {}", errors.join("; "))))
}

/// Waits for things to happen while a client's process runs.
struct Watch<'a> {
    control: &'a Control,
    process: &'a mut Running,
}

impl Watch<'_> {
    /// Says something and waits for an answer in the same scene that repeats it.
    fn talk(&mut self, scene: &str, content: &str, limit: Duration) -> Result<()> {
        let message = self.control.say(scene, content)?;
        self.until(limit, "no answer", |control| {
            let Some(reply) = control.reply_to(&message)? else {
                return Ok(false);
            };
            let text = reply["body"]["content"].as_str().unwrap_or_default();
            if reply["scene"] == scene && text.contains(content) {
                return Ok(true);
            }
            Err(Error::new(format!(
                "`{content}` in {scene} was answered with {reply}"
            )))
        })
    }

    /// Waits until the client has read and changed the world.
    fn round_trips(&mut self, limit: Duration) -> Result<()> {
        let missing = |control: &Control| -> Result<Vec<&'static str>> {
            let done = control.done_calls()?;
            Ok(ROUND_TRIPS
                .iter()
                .copied()
                .filter(|route| !done.contains(*route))
                .collect())
        };
        let waited = self.until(limit, "not all", |control| Ok(missing(control)?.is_empty()));
        waited.or_else(|error| match missing(self.control)? {
            none if none.is_empty() => Ok(()),
            some => Err(Error::new(format!("{error}: missing {}", some.join(", ")))),
        })
    }

    /// Waits for a connection that is not one of `known`.
    fn connection_beyond(&mut self, known: &BTreeSet<Connection>, limit: Duration) -> Result<()> {
        self.until(limit, "no new session", |control| {
            Ok(!control.connections()?.is_subset(known))
        })
    }

    fn until(
        &mut self,
        limit: Duration,
        otherwise: &str,
        happened: impl Fn(&Control) -> Result<bool>,
    ) -> Result<()> {
        let deadline = Instant::now() + limit;
        while !happened(self.control)? {
            if let Some(status) = self.process.ended()? {
                return Err(Error::new(format!("the client ended with {status}")));
            }
            if Instant::now() >= deadline {
                return Err(Error::new(format!(
                    "{otherwise} after {} s",
                    limit.as_secs()
                )));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::io::Write as _;
    use std::net::{SocketAddr, TcpListener};
    use std::process::Command;

    use serde_json::{Value, json};

    use super::*;
    use crate::process;

    /// An emulator that behaves as told: every message but those of the `deaf` scene is
    /// answered at once, with what it said if the client `listens`.
    struct Fake {
        deaf: &'static str,
        listens: bool,
        violations: Value,
        resumes: bool,
    }

    impl Fake {
        fn start(self) -> SocketAddr {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            thread::spawn(move || {
                let mut outbox = Vec::new();
                let mut drops = 0;
                for stream in listener.incoming() {
                    let mut stream = stream.unwrap();
                    let (line, body) = read_request(&mut stream);
                    let answer = match line.split(' ').nth(1).unwrap() {
                        "/emulator/v1/messages" => {
                            let id = format!("m{}", outbox.len());
                            let answers = body["scene"] != self.deaf;
                            outbox.push(json!({
                                "reply_to": answers.then_some(&id),
                                "scene": body["scene"],
                                "body": {"content": if self.listens { &body["content"] } else { &Value::Null }},
                            }));
                            json!({"message_id": id})
                        }
                        "/emulator/v1/outbox?after=0" => json!(outbox),
                        "/emulator/v1/sessions" => {
                            let resumes = if self.resumes { drops } else { 0 };
                            json!([{"id": "s", "connected": true, "resumes": resumes}])
                        }
                        "/emulator/v1/requests?after=0" => {
                            let call = |route: &&str| json!({"route": route, "status": 200});
                            ROUND_TRIPS.iter().map(call).collect()
                        }
                        "/emulator/v1/violations" => self.violations.clone(),
                        "/emulator/v1/gateway/drop" => {
                            drops += 1;
                            json!({})
                        }
                        other => panic!("{other}"),
                    };
                    write!(stream, "HTTP/1.0 200 OK\r\n\r\n{answer}").unwrap();
                }
            });
            address
        }
    }

    fn read_request(stream: &mut impl std::io::Read) -> (String, Value) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        (head.lines().next().unwrap().to_owned(), body)
    }

    /// The names of the checks that fail for a client that runs as `program`.
    fn failures(fake: Fake, program: &str) -> Vec<&'static str> {
        let mut command = Command::new("sh");
        let mut process = process::start(command.args(["-c", program])).unwrap();
        if program == "exit 1" {
            while process.ended().unwrap().is_none() {
                thread::sleep(POLL);
            }
        }
        let known = &[("c2c", "it is deaf there")];
        let row = all("client", known, &Control::new(fake.start()), &mut process);
        assert_eq!(row.results.len(), 9);
        let bad = |check: &Check| check.failure.is_some() && check.name != "c2c";
        assert_eq!(row.passed(), !row.results.iter().any(bad));
        row.results
            .into_iter()
            .filter_map(|check| check.failure.map(|_| check.name))
            .collect()
    }

    fn good() -> Fake {
        Fake {
            deaf: "",
            listens: true,
            violations: json!([{"level": "warn", "code": "ws.seq", "message": "late"}]),
            resumes: true,
        }
    }

    #[test]
    fn a_client_that_answers_everything_passes() {
        assert!(failures(good(), "sleep 60").is_empty());
    }

    #[test]
    fn a_violation_is_a_failure() {
        let fake = Fake {
            violations: json!([{"level": "error", "code": "ws.seq", "message": "bad"}]),
            ..good()
        };
        assert_eq!(failures(fake, "sleep 60"), ["clean"]);
    }

    #[test]
    fn an_answer_to_something_else_is_a_failure() {
        let mut fake = good();
        fake.listens = false;
        let talks = ["group", "c2c", "channel", "direct", "replay", "reconnect"];
        assert_eq!(failures(fake, "sleep 60"), talks);
    }

    #[test]
    fn no_answer_and_no_new_session_are_failures_without_waiting_for_a_client_that_ended() {
        let deaf = Fake {
            deaf: "c2c",
            ..good()
        };
        assert_eq!(failures(deaf, "exit 1"), ["c2c"]);
        let lost = Fake {
            resumes: false,
            ..good()
        };
        assert_eq!(failures(lost, "exit 1"), ["reconnect"]);
    }
}
