//! A headless Chromium behind a chromedriver that belongs to the test.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use fantoccini::actions::{InputSource, MouseActions, PointerAction};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};
use url::{ParseError, Url};

/// How long anything on the page may take; a busy machine needs more than a person would accept.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

const CHROMIUM: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Whatever goes wrong in a test.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// A browser with one window.
pub(crate) struct Browser {
    pub(crate) page: Client,
    driver: Child,
    /// Read no further, but held: a driver that cannot write its log ends.
    _log: BufReader<ChildStdout>,
}

impl Browser {
    /// Starts a browser. Without Chromium or chromedriver it says so and answers `None`; under CI
    /// that is an error.
    pub(crate) async fn start() -> Result<Option<Self>> {
        let (Some(chromium), Some(chromedriver)) =
            (CHROMIUM.into_iter().find_map(find), find("chromedriver"))
        else {
            let why = "the chat page needs Chromium and chromedriver: Debian's packages are \
                       `chromium` and `chromium-driver`";
            if env::var_os("CI").is_some_and(|ci| !ci.is_empty()) {
                return Err(why.into());
            }
            // Straight to the terminal: what a passing test prints with `eprintln` is not shown.
            writeln!(io::stderr(), "\nskipped: {why}")?;
            return Ok(None);
        };

        let mut driver = Command::new(chromedriver)
            .args(["--port=0", "--log-level=WARNING"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut log = BufReader::new(driver.stdout.take().ok_or("chromedriver has no output")?);
        let port = timeout(PATIENCE, announced_port(&mut log))
            .await
            .map_err(|_| "chromedriver did not name its port")??;

        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--hide-scrollbars",
            "--lang=en-US",
        ];
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {
                "binary": chromium,
                "args": arguments,
                "prefs": {"intl.accept_languages": "en-US"},
            },
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let Value::Object(capabilities) = capabilities else {
            return Err("capabilities are not an object".into());
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        let page = timeout(
            3 * PATIENCE,
            builder.connect(&format!("http://127.0.0.1:{port}")),
        )
        .await
        .map_err(|_| "Chromium did not start")??;
        Ok(Some(Self {
            page,
            driver,
            _log: log,
        }))
    }

    /// Ends the browser, then its driver.
    pub(crate) async fn close(mut self) -> Result<()> {
        let closed = timeout(PATIENCE, self.page.close()).await;
        self.driver.start_kill()?;
        timeout(PATIENCE, self.driver.wait()).await??;
        closed??;
        Ok(())
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

async fn announced_port(log: &mut BufReader<ChildStdout>) -> Result<u16> {
    let mut lines = log.lines();
    while let Some(line) = lines.next_line().await? {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return Ok(port.trim_end_matches('.').parse()?);
        }
    }
    Err("chromedriver ended before it named its port".into())
}

/// What the test does on a page.
pub(crate) trait PageExt {
    /// The size of the page, in CSS pixels.
    async fn resize(&self, width: u32, height: u32) -> Result<()>;
    /// Shows times as the platform says them, wherever the test runs.
    async fn in_beijing(&self) -> Result<()>;
    /// What the system prefers: `light` or `dark`.
    async fn prefer(&self, scheme: &str) -> Result<()>;
    /// The system prefers less motion.
    async fn calm(&self) -> Result<()>;
    /// Waits until the CSS selector finds something.
    async fn see(&self, selector: &str) -> Result<Element>;
    /// Waits until the `XPath` finds something.
    async fn see_path(&self, path: &str) -> Result<Element>;
    /// Waits for the element, then clicks it.
    async fn click(&self, selector: &str) -> Result<()>;
    /// Moves the pointer to the last element that the CSS selector finds.
    async fn hover(&self, selector: &str) -> Result<()>;
    /// Types into the composer and presses Enter.
    async fn say(&self, text: &str) -> Result<()>;
    /// The value of a JavaScript expression.
    async fn value(&self, expression: &str) -> Result<Value>;
    /// Saves a picture into the folder that `QQBOT_SCREENSHOTS` names, if it names one.
    async fn save_picture(&self, name: &str) -> Result<()>;
    /// Runs a script.
    async fn run(&self, script: &str) -> Result<()>;
    /// Waits until a JavaScript expression is true.
    async fn until(&self, expression: &str) -> Result<()>;
    /// What the console holds at the level of an error.
    async fn console_errors(&self) -> Result<Vec<String>>;
}

impl PageExt for Client {
    async fn resize(&self, width: u32, height: u32) -> Result<()> {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        devtools(self, "Emulation.setDeviceMetricsOverride", metrics).await
    }

    async fn in_beijing(&self) -> Result<()> {
        let zone = json!({"timezoneId": "Asia/Shanghai"});
        devtools(self, "Emulation.setTimezoneOverride", zone).await
    }

    async fn prefer(&self, scheme: &str) -> Result<()> {
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        devtools(self, "Emulation.setEmulatedMedia", media).await
    }

    async fn calm(&self) -> Result<()> {
        let media = json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]});
        devtools(self, "Emulation.setEmulatedMedia", media).await
    }

    async fn see(&self, selector: &str) -> Result<Element> {
        wait(self, Locator::Css(selector), selector).await
    }

    async fn see_path(&self, path: &str) -> Result<Element> {
        wait(self, Locator::XPath(path), path).await
    }

    async fn click(&self, selector: &str) -> Result<()> {
        // What is shown anew between the look and the press is looked for again.
        for _ in 0..10 {
            match self.see(selector).await?.click().await {
                Err(error) if error.is_stale_element_reference() => {}
                done => return Ok(done?),
            }
        }
        Err(format!("{selector} never holds still").into())
    }

    async fn hover(&self, selector: &str) -> Result<()> {
        let found = self.find_all(Locator::Css(selector)).await?;
        let element = found.into_iter().next_back();
        let element = element.ok_or_else(|| format!("there is no {selector}"))?;
        let there = PointerAction::MoveToElement {
            element,
            duration: None,
            x: 0.0,
            y: 0.0,
        };
        self.perform_actions(MouseActions::new("mouse".into()).then(there))
            .await?;
        Ok(())
    }

    async fn say(&self, text: &str) -> Result<()> {
        let composer = self.see("#text").await?;
        composer.send_keys(text).await?;
        composer
            .send_keys(&char::from(Key::Enter).to_string())
            .await?;
        Ok(())
    }

    async fn value(&self, expression: &str) -> Result<Value> {
        Ok(self
            .execute(&format!("return {expression}"), Vec::new())
            .await?)
    }

    async fn save_picture(&self, name: &str) -> Result<()> {
        let Some(folder) = env::var_os("QQBOT_SCREENSHOTS") else {
            return Ok(());
        };
        // The caret blinks, toasts go, and the pointer is anywhere: a picture shows none of them.
        self.run(
            "document.activeElement.blur(); \
             document.getElementById('toasts').replaceChildren(); \
             document.querySelector('.actions')?.remove()",
        )
        .await?;
        fs::create_dir_all(&folder)?;
        fs::write(PathBuf::from(folder).join(name), self.screenshot().await?)?;
        Ok(())
    }

    async fn run(&self, script: &str) -> Result<()> {
        self.execute(script, Vec::new()).await?;
        Ok(())
    }

    async fn until(&self, expression: &str) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while self.value(expression).await? != true {
            if Instant::now() > end {
                let shown = self.value("document.body.innerText").await?;
                let shown = shown.as_str().unwrap_or_default();
                return Err(format!("{expression} is never true; the page shows:\n{shown}").into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn console_errors(&self) -> Result<Vec<String>> {
        let log = self
            .issue_cmd(Post {
                path: "se/log",
                body: json!({"type": "browser"}),
            })
            .await?;
        let entries = log.as_array().ok_or("the browser's log is not a list")?;
        Ok(entries
            .iter()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].to_string())
            .collect())
    }
}

async fn wait(page: &Client, locator: Locator<'_>, what: &str) -> Result<Element> {
    match page.wait().at_most(PATIENCE).for_element(locator).await {
        Ok(element) => Ok(element),
        Err(error) => {
            let shown = page.value("document.body.innerText").await?;
            let shown = shown.as_str().unwrap_or_default();
            Err(format!("{what} did not appear: {error}; the page shows:\n{shown}").into())
        }
    }
}

async fn devtools(page: &Client, command: &str, parameters: Value) -> Result<()> {
    page.issue_cmd(Post {
        path: "goog/cdp/execute",
        body: json!({"cmd": command, "params": parameters}),
    })
    .await?;
    Ok(())
}

/// A command of chromedriver that WebDriver does not have.
#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
