//! What the output of a health check says, whichever tool printed it; knows no container.

use std::sync::LazyLock;

use regex::Regex;

/// What a check has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// An answer over HTTP with this status.
    Status(u16),
    /// Nothing listens there.
    Refused,
    /// No answer in time.
    Late,
}

/// `HTTP 404`, `HTTP/1.1 404 Not Found`, `HTTP Error 404`, `returned error: 404`, `ERROR 404`, `status code 404`.
static STATUS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:HTTP(?:/[\d.]+)?(?: error)?|error|status(?: code)?):?\s+([1-5]\d\d)\b").ok()
});

/// Reads the output of `curl`, `wget`, busybox, Node.js, Python and of the engine itself; `None` where it says
/// nothing that is known.
pub fn read(output: &str) -> Option<Said> {
    let status = STATUS.as_ref().and_then(|pattern| pattern.captures(output));
    if let Some(status) = status.and_then(|found| found[1].parse().ok()) {
        return Some(Said::Status(status));
    }
    let lower = output.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["timed out", "exceeded timeout", "timeouterror", "etimedout", "timeout was reached"]) {
        return Some(Said::Late);
    }
    says(&["connection refused", "econnrefused", "could not connect to server", "can't connect"])
        .then_some(Said::Refused)
}

impl Said {
    /// A refusal that waiting does not mend: the server runs and says no to the question itself.
    pub fn is_refusal(self) -> bool {
        // 408, 425 and 429 ask to come again; 5xx is what a server says that is not ready.
        matches!(self, Said::Status(status) if (400..500).contains(&status) && ![408, 425, 429].contains(&status))
    }
}

/// `404`, `no answer in time`, `connection refused`.
impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Said::Status(status) => write!(f, "{status}"),
            Said::Refused => f.write_str("connection refused"),
            Said::Late => f.write_str("no answer in time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_understood() {
        for (output, said) in [
            ("HTTP 404", Some(Said::Status(404))),
            ("wget: server returned error: HTTP/1.1 500 Internal Server Error", Some(Said::Status(500))),
            ("curl: (22) The requested URL returned error: 404", Some(Said::Status(404))),
            ("2026-11-22 10:00:00 ERROR 503: Service Unavailable.", Some(Said::Status(503))),
            ("urllib.error.HTTPError: HTTP Error 401: Unauthorized", Some(Said::Status(401))),
            ("Health check exceeded timeout (3s)", Some(Said::Late)),
            ("wget: download timed out", Some(Said::Late)),
            ("TimeoutError: timed out", Some(Said::Late)),
            ("connect ECONNREFUSED 127.0.0.1:3000", Some(Said::Refused)),
            ("wget: can't connect to remote host (127.0.0.1): Connection refused", Some(Said::Refused)),
            ("no response", None),
            ("error 17 in line 404", None),
        ] {
            assert_eq!(read(output), said, "{output}");
        }
    }

    #[test]
    fn only_what_no_waiting_mends_is_a_refusal() {
        let refusals = [401, 403, 404, 405].map(|status| Said::Status(status).is_refusal());
        assert_eq!(refusals, [true; 4]);
        let others = [Said::Status(429), Said::Status(503), Said::Status(200), Said::Late, Said::Refused];
        assert!(!others.iter().any(|said| said.is_refusal()));
    }
}
