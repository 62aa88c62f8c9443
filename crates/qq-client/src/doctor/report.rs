//! What the doctor found.

use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

use qq_model::Intents;
use qq_model::credentials::InvalidToken;
use qq_model::gateway::GatewayBot;
use qq_model::user::SelfUser;

use super::cause::{Cause, Language};

/// What is looked at, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Step {
    /// The form of app id and secret.
    Credentials,
    /// Whether the platform gives an access token for them.
    AccessToken,
    /// Who the bot is.
    Identity,
    /// Whether this machine's clock agrees with the platform's.
    Clock,
    /// Where the gateway is, and how many sessions are left.
    Gateway,
    /// Whether a session with the bot's intents can be opened.
    Session,
}

/// What became of a step.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StepOutcome {
    /// It is as it should be.
    Passed,
    /// It is not.
    Failed(Finding),
    /// It was not looked at: an earlier step failed, or it was not to be.
    Skipped,
}

/// Something that is wrong.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub cause: Cause,
    /// The platform's code, if it gave one.
    pub code: Option<i64>,
    /// What exactly was said, for whoever wants to know more. English, with the platform's own text and trace id.
    pub detail: Box<str>,
}

/// What the doctor found: [`Doctor::check`](super::Doctor::check).
///
/// `Display` tells it in English, [`text`](Self::text) in either language.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Checkup {
    /// What was looked at.
    pub steps: Vec<(Step, StepOutcome)>,
    /// The app id.
    pub app_id: Box<str>,
    /// Who the bot is.
    pub identity: Option<SelfUser>,
    /// Where the gateway is, and how many sessions are left.
    pub gateway: Option<GatewayBot>,
    /// By how many seconds this machine's clock is ahead of the platform's; negative when it is behind.
    pub clock_skew: Option<i64>,
    /// The intents with which a session could be opened.
    pub granted: Option<Intents>,
    /// The intents that were asked for and kept the session from being opened.
    pub refused: Option<Intents>,
}

impl Checkup {
    pub(super) fn new(app_id: impl Into<Box<str>>) -> Self {
        Self {
            steps: Vec::new(),
            app_id: app_id.into(),
            identity: None,
            gateway: None,
            clock_skew: None,
            granted: None,
            refused: None,
        }
    }

    /// The report on credentials that cannot be right, so that nobody was asked.
    #[must_use]
    pub fn of_invalid_token(error: &InvalidToken) -> Self {
        let mut report = Self::new("");
        report.failed(
            Step::Credentials,
            Finding {
                cause: Cause::Credentials,
                code: None,
                detail: error.to_string().into(),
            },
        );
        for step in [
            Step::AccessToken,
            Step::Identity,
            Step::Clock,
            Step::Gateway,
            Step::Session,
        ] {
            report.skipped(step);
        }
        report
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.findings().next().is_none()
    }

    /// What is wrong.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.steps.iter().filter_map(|(_, outcome)| match outcome {
            StepOutcome::Failed(finding) => Some(finding),
            _ => None,
        })
    }

    /// The whole report for people: a line for each step, and what to do about what is wrong.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let mut text = String::new();
        for (step, outcome) in &self.steps {
            let mark = match outcome {
                StepOutcome::Passed => language.pick("ok  ", "正常"),
                StepOutcome::Failed(_) => language.pick("FAIL", "失败"),
                StepOutcome::Skipped => language.pick("--  ", "跳过"),
            };
            let _ = write!(text, "[{mark}] {}", step.name(language));
            if matches!(outcome, StepOutcome::Passed) {
                let _ = write!(text, "{}", self.of_step(*step, language));
            }
            text.push('\n');
            if let StepOutcome::Failed(finding) = outcome {
                self.explain(&mut text, finding, language);
            }
        }
        text
    }

    pub(super) fn passed(&mut self, step: Step) {
        self.steps.push((step, StepOutcome::Passed));
    }

    pub(super) fn failed(&mut self, step: Step, finding: Finding) {
        self.steps.push((step, StepOutcome::Failed(finding)));
    }

    pub(super) fn skipped(&mut self, step: Step) {
        self.steps.push((step, StepOutcome::Skipped));
    }

    /// What a step that passed has told.
    fn of_step(&self, step: Step, language: Language) -> String {
        let told = match step {
            Step::Credentials => Some(format!("app id {}", self.app_id)),
            Step::AccessToken => None,
            Step::Identity => self
                .identity
                .as_ref()
                .map(|me| format!("{} (id {})", me.username, me.id)),
            Step::Clock => self.clock_skew.map(|skew| match language {
                Language::English => format!("{} s apart", skew.abs()),
                Language::Chinese => format!("相差 {} 秒", skew.abs()),
            }),
            Step::Gateway => self
                .gateway
                .as_ref()
                .map(|gateway| quota(gateway, language)),
            Step::Session => self.granted.map(|granted| {
                let names = names(granted);
                match language {
                    Language::English => format!("granted: {names}"),
                    Language::Chinese => format!("已授权：{names}"),
                }
            }),
        };
        told.map(|told| format!(": {told}")).unwrap_or_default()
    }

    fn explain(&self, text: &mut String, finding: &Finding, language: Language) {
        let (cause, next, detail, code) = language.pick(
            ("Cause", "Next", "Detail", "code"),
            ("原因", "处理", "详情", "代码"),
        );
        let number = finding
            .code
            .map(|number| format!(" ({code} {number})"))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "       {cause}: {}{number}",
            finding.cause.text(language)
        );
        let _ = writeln!(text, "       {next}: {}", finding.cause.next_step(language));
        if let (Cause::RefusedIntents, Some(refused)) = (finding.cause, self.refused) {
            let without = language.pick(
                "It works without some of these",
                "去掉下列事件中的部分后可以连接",
            );
            let _ = writeln!(text, "       {without}: {}", names(refused));
        }
        if !finding.detail.is_empty() {
            let _ = writeln!(text, "       {detail}: {}", finding.detail);
        }
    }
}

impl Step {
    /// A short name.
    #[must_use]
    pub const fn name(self, language: Language) -> &'static str {
        match self {
            Self::Credentials => language.pick("credentials", "凭据"),
            Self::AccessToken => language.pick("access token", "access_token"),
            Self::Identity => language.pick("identity", "身份"),
            Self::Clock => language.pick("clock", "时间"),
            Self::Gateway => language.pick("gateway", "网关"),
            Self::Session => language.pick("session", "会话"),
        }
    }
}

impl fmt::Display for Checkup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

fn quota(gateway: &GatewayBot, language: Language) -> String {
    let limit = &gateway.session_start_limit;
    let (left, total) = (limit.remaining, limit.total);
    let reset = time(limit.reset_after(), language);
    match language {
        Language::English => format!(
            "{} recommended, {left} of {total} sessions left, all of them again in {reset}",
            if gateway.shards == 1 {
                "1 shard".to_owned()
            } else {
                format!("{} shards", gateway.shards)
            }
        ),
        Language::Chinese => format!(
            "建议 {} 个分片，会话还剩 {left}/{total} 次，{reset}后重置",
            gateway.shards
        ),
    }
}

fn time(duration: Duration, language: Language) -> String {
    let minutes = duration.as_secs().div_ceil(60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    match language {
        Language::English => format!("{hours} h {minutes} min"),
        Language::Chinese => format!("{hours} 小时 {minutes} 分钟"),
    }
}

/// The names of intents, and the numbers of bits without one.
fn names(intents: Intents) -> String {
    let mut names: Vec<String> = intents
        .iter_names()
        .map(|(name, _)| name.to_owned())
        .collect();
    let unknown = intents.difference(Intents::all()).bits();
    if unknown != 0 {
        names.push(format!("{unknown:#x}"));
    }
    if names.is_empty() {
        names.push("-".to_owned());
    }
    names.join(", ")
}
