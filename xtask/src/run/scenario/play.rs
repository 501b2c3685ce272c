//! Plays a scenario step by step; sending, waiting and printing are the caller's.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::check::{self, Difference};
use super::uses;
use super::vars::{self, Vars};
use super::{Body, Scenario, Source, Step};
use crate::run::http;

/// From service and container port (`None`: the main one) to `http://127.0.0.1:3000`; the error says why there is none.
pub type BaseUrl<'p> = &'p dyn Fn(&str, Option<u16>) -> Result<String, String>;

/// What playing needs from outside.
#[allow(missing_debug_implementations, reason = "functions only")]
pub struct Player<'p> {
    /// Where a service answers.
    pub base_url: BaseUrl<'p>,
    /// Sends a request.
    pub send: &'p dyn Fn(&http::Request) -> Result<http::Response, String>,
    /// Waits; `false` when the user wants to stop, which ends the steps but not the clean-up.
    pub pause: &'p dyn Fn(Duration) -> bool,
    /// Called after each step, skipped ones too.
    pub done: &'p dyn Fn(&PlayedStep),
}

/// A scenario after its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// The scenario's name.
    pub name: String,
    /// Its file, relative to the root.
    pub file: String,
    /// Steps, then clean-up.
    pub steps: Vec<PlayedStep>,
    /// The user stopped it.
    pub stopped: bool,
}

impl Played {
    /// Whether no step failed and all were played.
    pub fn passed(&self) -> bool {
        !self.stopped && self.failures().next().is_none()
    }

    /// The steps that failed.
    pub fn failures(&self) -> impl Iterator<Item = (&PlayedStep, &Fault)> {
        self.steps.iter().filter_map(|step| match &step.verdict {
            Verdict::Failed(fault) => Some((step, &**fault)),
            _ => None,
        })
    }

    /// As [`Played::failures`], to add to what is known: the position among the steps and the fault.
    pub fn faults_mut(&mut self) -> impl Iterator<Item = (usize, &mut Fault)> {
        self.steps.iter_mut().enumerate().filter_map(|(at, step)| match &mut step.verdict {
            Verdict::Failed(fault) => Some((at, &mut **fault)),
            _ => None,
        })
    }

    /// Of all steps.
    pub fn took(&self) -> Duration {
        self.steps.iter().map(|step| step.took).sum()
    }
}

/// A step after its end.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayedStep {
    /// Its name.
    pub name: String,
    /// Where it begins in the file.
    pub line: usize,
    /// It belongs to the clean-up.
    pub cleanup: bool,
    /// How it went.
    pub verdict: Verdict,
    /// How often it was sent.
    pub tries: u32,
    /// With all tries and pauses.
    pub took: Duration,
}

/// How a step went.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// All that was expected held.
    Passed,
    /// Something did not, at the last try.
    Failed(Box<Fault>),
    /// Not played, and why.
    Skipped(String),
}

/// What is known about a failure.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What was sent; `None` where the service has no address.
    pub request: Option<http::Request>,
    /// What came back, if anything.
    pub response: Option<http::Response>,
    /// Why nothing came back.
    pub cause: Option<String>,
    /// What did not hold.
    pub differences: Vec<Difference>,
    /// The names of expected headers, which are worth showing.
    pub headers: Vec<String>,
    /// Captured values that must not be shown.
    pub secrets: Vec<String>,
    /// What the services involved printed meanwhile, by service; the caller knows it.
    pub logs: Vec<(String, Vec<String>)>,
}

impl Player<'_> {
    /// Plays all steps until one fails, then the clean-up; `run` is the value of `${run}`.
    pub fn play(&self, scenario: &Scenario, run: &str) -> Played {
        let mut vars = Vars::from([("run".to_owned(), Value::String(run.to_owned()))]);
        let mut played = Played {
            name: scenario.name.clone(),
            file: scenario.file.clone(),
            steps: Vec::new(),
            stopped: false,
        };
        let mut skip = None;
        for step in &scenario.steps {
            played.stopped |= !(self.pause)(Duration::ZERO);
            if played.stopped {
                skip = Some("stopped".to_owned());
            }
            let done = self.one(step, &mut vars, false, skip.clone());
            if matches!(done.verdict, Verdict::Failed(_)) {
                skip = Some(format!("`{}` failed", step.name));
            }
            played.steps.push(done);
        }
        for step in &scenario.cleanup {
            let skip = missing(step, &vars);
            played.steps.push(self.one(step, &mut vars, true, skip));
        }
        played
    }

    fn one(&self, step: &Step, vars: &mut Vars, cleanup: bool, skip: Option<String>) -> PlayedStep {
        let started = Instant::now();
        let (verdict, tries) = match skip {
            Some(reason) => (Verdict::Skipped(reason), 0),
            None => self.tries(step, vars),
        };
        let done = PlayedStep {
            name: step.name.clone(),
            line: step.line,
            cleanup,
            verdict,
            tries,
            took: started.elapsed(),
        };
        (self.done)(&done);
        done
    }

    fn tries(&self, step: &Step, vars: &mut Vars) -> (Verdict, u32) {
        let (times, every) = step.retry.map_or((1, Duration::ZERO), |retry| (retry.times, retry.every));
        let mut tries = 1;
        loop {
            match self.attempt(step, vars) {
                Ok(captured) => {
                    vars.extend(captured);
                    return (Verdict::Passed, tries);
                }
                Err(fault) if tries >= times || !(self.pause)(every) => {
                    return (Verdict::Failed(fault), tries);
                }
                Err(_) => tries += 1,
            }
        }
    }

    /// One request; what it captured.
    fn attempt(&self, step: &Step, vars: &Vars) -> Result<Vars, Box<Fault>> {
        let mut fault = Box::new(Fault {
            request: None,
            response: None,
            cause: None,
            differences: Vec::new(),
            headers: step.expect.headers.iter().map(|(name, _)| name.clone()).collect(),
            secrets: super::show::secret_values(vars),
            logs: Vec::new(),
        });
        let sent = (self.base_url)(&step.service, step.port).and_then(|base| {
            let request = prepared(step, &base, vars);
            let answer = (self.send)(&request);
            fault.request = Some(request);
            answer
        });
        match sent {
            Err(cause) => fault.cause = Some(cause),
            Ok(response) => {
                fault.differences = check::differences(&step.expect, &response, vars);
                if fault.differences.is_empty() {
                    match captured(step, &response) {
                        Ok(captured) => return Ok(captured),
                        Err(missing) => fault.differences = missing,
                    }
                }
                fault.response = Some(response);
            }
        }
        Err(fault)
    }
}

/// A clean-up step without something to clean up.
fn missing(step: &Step, vars: &Vars) -> Option<String> {
    let missing: Vec<String> = uses::names(step)
        .into_iter()
        .filter(|name| !vars.contains_key(name))
        .map(|name| format!("`{name}`"))
        .collect();
    let verb = if missing.len() == 1 { "was" } else { "were" };
    (!missing.is_empty()).then(|| format!("{} {verb} not captured", crate::ui::list(&missing)))
}

fn prepared(step: &Step, base: &str, vars: &Vars) -> http::Request {
    let request = &step.request;
    let path = vars::fill(&request.path, vars);
    // A captured `location` may be a whole URL; of that only the path belongs to the service.
    let path = path
        .split_once("://")
        .map_or(path.as_str(), |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    let mut headers: Vec<(String, String)> =
        request.headers.iter().map(|(name, value)| (name.clone(), vars::fill(value, vars))).collect();
    let body = match &request.body {
        None => None,
        Some(Body::Text(text)) => Some(vars::fill(text, vars).into_bytes()),
        Some(Body::Json(value)) => {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
            }
            Some(vars::fill_json(value, vars).to_string().into_bytes())
        }
    };
    http::Request {
        method: request.method.clone(),
        url: format!("{base}{path}"),
        headers,
        body,
        timeout: request.timeout,
    }
}

/// What a good response holds for later steps, or the values that it lacks.
fn captured(step: &Step, response: &http::Response) -> Result<Vars, Vec<Difference>> {
    let json: Option<Value> = serde_json::from_slice(&response.body).ok();
    let (mut captured, mut missing) = (Vars::new(), Vec::new());
    for capture in &step.capture {
        let (value, at) = match &capture.from {
            Source::Json(path) => (json.as_ref().and_then(|json| path.find(json)).cloned(), path.to_string()),
            Source::Header(name) => {
                let value = response.headers.get(name).map(|value| Value::String(value.clone()));
                (value, format!("header {name}"))
            }
        };
        if let Some(value) = value {
            captured.insert(capture.name.clone(), value);
        } else {
            let expected = format!("a value to capture as `{}`", capture.name);
            missing.push(Difference { at, expected, got: "nothing".to_owned() });
        }
    }
    if missing.is_empty() { Ok(captured) } else { Err(missing) }
}

#[cfg(test)]
mod tests;
