//! What is wrong with a bot that does not run: found by doing, one by one, what the bot does at its start.

mod cause;
mod clock;
mod report;

pub use self::cause::{Cause, Language};
pub use self::report::{Checkup, Finding, Step, StepOutcome};

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

use qq_gateway::{CloseMode, Shard, Timeouts};
use qq_http::{HttpClient, Method};
use qq_model::user::SelfUser;
use qq_model::{Event, Intents};
use qq_transport::Tls;
use tokio::time::timeout;

/// How long the session may take to stand.
const SESSION: Duration = Duration::from_secs(15);
/// By how many seconds clocks may differ; the platform's callbacks are refused beyond five minutes.
const SKEW: i64 = 60;

/// Finds out what is wrong with a bot that does not run.
///
/// It makes two calls and opens one short session (two, if the first is refused for its intents), and changes nothing.
///
/// ```no_run
/// use qq_client::{Doctor, Language};
/// use qq_http::HttpClient;
/// use qq_model::{Intents, Token};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let http = HttpClient::new(Token::from_env()?)?;
/// let checkup = Doctor::new(http, Intents::default().with_group_and_c2c()).check().await;
/// println!("{}", checkup.text(Language::from_env()));
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is looked at until `check`"]
pub struct Doctor {
    http: HttpClient,
    intents: Intents,
    tls: Tls,
    gateway_url: Option<Box<str>>,
    opens_session: bool,
}

impl Doctor {
    /// A doctor for this bot and the intents that it runs with.
    pub fn new(http: HttpClient, intents: Intents) -> Self {
        let gateway_url = http.environment().gateway().map(Into::into);
        Self {
            http,
            intents,
            tls: Tls::new(),
            gateway_url,
            opens_session: true,
        }
    }

    /// Which root certificates are trusted for the session.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Opens no session: a bot of the same app id may be running.
    pub const fn without_session(mut self) -> Self {
        self.opens_session = false;
        self
    }

    /// Looks at everything, as far as it gets.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the session, too.
    pub async fn check(self) -> Checkup {
        let mut report = Checkup::new(self.http.app_id());
        report.passed(Step::Credentials);
        let is_known = self.look_at_identity(&mut report).await;
        if !is_known {
            report.skipped(Step::Clock);
            report.skipped(Step::Gateway);
            report.skipped(Step::Session);
            return report;
        }
        match self.http.gateway_bot().await {
            Ok(gateway) => {
                let is_used_up = gateway.session_start_limit.remaining == 0
                    && gateway.session_start_limit.total > 0;
                let url = self
                    .gateway_url
                    .clone()
                    .unwrap_or_else(|| gateway.url.clone());
                report.gateway = Some(gateway);
                if is_used_up {
                    report.failed(Step::Gateway, quota_used_up(&report));
                    report.skipped(Step::Session);
                } else {
                    report.passed(Step::Gateway);
                    self.look_at_session(&mut report, &url).await;
                }
            }
            Err(error) => {
                report.failed(Step::Gateway, Finding::of(&error));
                report.skipped(Step::Session);
            }
        }
        report
    }

    /// Token, identity and clock come with one call; whether the bot is known to the platform.
    async fn look_at_identity(&self, report: &mut Checkup) -> bool {
        let answer = match self.http.request(Method::GET, "/users/@me", None).await {
            Ok(answer) => answer,
            Err(error) => {
                if is_about_the_token(&error) {
                    report.failed(Step::AccessToken, Finding::of(&error));
                    report.skipped(Step::Identity);
                } else {
                    report.passed(Step::AccessToken);
                    report.failed(Step::Identity, Finding::of(&error));
                }
                return false;
            }
        };
        report.passed(Step::AccessToken);
        match answer.json::<SelfUser>() {
            Ok(me) => {
                report.identity = Some(me);
                report.passed(Step::Identity);
            }
            Err(error) => {
                report.failed(Step::Identity, Finding::of(&error));
                return false;
            }
        }
        let date = answer
            .headers()
            .get("date")
            .and_then(|date| date.to_str().ok());
        match date.and_then(clock::parse) {
            Some(theirs) => {
                let skew = clock::seconds_between(theirs, SystemTime::now());
                report.clock_skew = Some(skew);
                if skew.abs() > SKEW {
                    let detail = if skew > 0 {
                        format!("it is {skew} s ahead of the platform's")
                    } else {
                        format!("it is {} s behind the platform's", -skew)
                    };
                    report.failed(Step::Clock, Finding::new(Cause::Clock, detail));
                } else {
                    report.passed(Step::Clock);
                }
            }
            // No date, nothing to compare with.
            None => report.skipped(Step::Clock),
        }
        true
    }

    async fn look_at_session(&self, report: &mut Checkup, url: &str) {
        if !self.opens_session {
            return report.skipped(Step::Session);
        }
        let Err(finding) = self.open(url, self.intents).await else {
            report.granted = Some(self.intents);
            return report.passed(Step::Session);
        };
        let suspects = self.intents.needs_approval();
        let rest = self.intents.without(suspects);
        // Those that every bot has tell whether the others are to blame.
        if finding.cause == Cause::RefusedIntents
            && !suspects.is_empty()
            && self.open(url, rest).await.is_ok()
        {
            report.granted = Some(rest);
            report.refused = Some(suspects);
        }
        report.failed(Step::Session, finding);
    }

    /// Opens a session and closes it again.
    async fn open(&self, url: &str, intents: Intents) -> Result<(), Finding> {
        let shard = Shard::builder(url, self.http.access_token(), intents)
            .connect(self.http.connect())
            .tls(self.tls.clone())
            .timeouts(Timeouts::default().at_most(SESSION / 2))
            .build();
        let mut shard = shard.map_err(|error| Finding::of(&error))?;
        let result = timeout(SESSION, first_news(&mut shard)).await;
        // An ordinary end, so that no session is left to be resumed.
        let _ = timeout(Duration::from_secs(1), shard.close(CloseMode::Finish)).await;
        result.unwrap_or_else(|_| {
            let detail = format!("no session within {} s", SESSION.as_secs());
            Err(Finding::new(Cause::Timeout, detail))
        })
    }
}

/// What the gateway says first: that the session stands, or why not.
async fn first_news(shard: &mut Shard) -> Result<(), Finding> {
    while let Some(item) = shard.next().await {
        match item {
            Ok(dispatch) if matches!(dispatch.event, Event::Ready(_)) => return Ok(()),
            Err(error) if error.is_fatal() || error.retry_after().is_some() => {
                return Err(Finding::of(&error));
            }
            // Other events, and frames that could not be read.
            _ => {}
        }
    }
    Err(Finding::new(
        Cause::Other,
        "the connection ended without a word",
    ))
}

impl Finding {
    fn new(cause: Cause, detail: impl Into<Box<str>>) -> Self {
        Self {
            cause,
            code: None,
            detail: detail.into(),
        }
    }

    fn of(error: &(dyn Error + 'static)) -> Self {
        let (cause, code) = Cause::of(error);
        Self {
            cause,
            code,
            detail: error.to_string().into(),
        }
    }
}

fn quota_used_up(report: &Checkup) -> Finding {
    let reset = report.gateway.as_ref().map_or(Duration::ZERO, |gateway| {
        gateway.session_start_limit.reset_after()
    });
    let minutes = reset.as_secs().div_ceil(60);
    Finding::new(
        Cause::SessionQuota,
        format!("it starts anew in {} h {} min", minutes / 60, minutes % 60),
    )
}

/// Whether a call failed because there was no token for it.
fn is_about_the_token(error: &qq_http::Error) -> bool {
    error
        .route()
        .is_some_and(|route| route.ends_with("getAppAccessToken"))
        || Cause::of(error).0 == Cause::AccessToken
}

impl fmt::Debug for Doctor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doctor")
            .field("intents", &self.intents)
            .field("opens_session", &self.opens_session)
            .finish_non_exhaustive()
    }
}
