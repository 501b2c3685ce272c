//! One HTTP request and its whole answer, without TLS and without following redirects; knows no service.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::{Duration, Instant};

/// More than any answer of a health endpoint or scenario needs; a body is cut there and the request fails.
const LARGEST_BODY: u64 = 16 * 1024 * 1024;
const LARGEST_HEAD: usize = 64 * 1024;

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// In capitals.
    pub method: String,
    /// `http://host:port/path?query`; what may not stand in a URL is encoded on sending.
    pub url: String,
    /// `Host`, `Content-Length` and `Connection` are added.
    pub headers: Vec<(String, String)>,
    /// Allowed with every method.
    pub body: Option<Vec<u8>>,
    /// For the whole answer; whole seconds, rounded up.
    pub timeout: Duration,
}

impl Request {
    /// A GET without headers.
    pub fn get(url: impl Into<String>, timeout: Duration) -> Self {
        Request { method: "GET".to_owned(), url: url.into(), headers: Vec::new(), body: None, timeout }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// `404`.
    pub status: u16,
    /// `Not Found`; may be empty.
    pub reason: String,
    /// Names in lower case; of a repeated header the last.
    pub headers: BTreeMap<String, String>,
    /// Without transfer encoding.
    pub body: Vec<u8>,
    /// From the connection to the last byte.
    pub took: Duration,
}

impl Response {
    /// The body as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request and reads the answer.
///
/// # Errors
/// With the cause in one line: nothing listens, no answer in time, an answer that is no HTTP or ends too early.
pub fn send(request: &Request) -> Result<Response, String> {
    let started = Instant::now();
    let limit = whole_seconds(request.timeout);
    let answer = prepared(request, limit)?.send_lazy().map_err(|error| cause(error, limit))?;
    let status = u16::try_from(answer.status_code).map_err(|_| "the answer is no HTTP".to_owned())?;
    let reason = answer.reason_phrase.clone();
    // minreq 2 makes a 503 of an answer without a status line; a service that says 503 is another thing.
    if status == 503 && reason == "Server did not provide a status line" {
        return Err(match answer.headers.is_empty() {
            true => "the connection was closed without an answer, or the answer is no HTTP".to_owned(),
            false => "the answer is no HTTP".to_owned(),
        });
    }
    let headers: BTreeMap<String, String> =
        answer.headers.iter().map(|(name, value)| (name.clone(), value.trim().to_owned())).collect();
    let body = if request.method == "HEAD" || matches!(status, 204 | 304) {
        Vec::new()
    } else {
        body(answer, limit)?
    };
    check_length(request, status, &headers, body.len())?;
    Ok(Response { status, reason, headers, body, took: started.elapsed() })
}

fn prepared(request: &Request, limit: u64) -> Result<minreq::Request, String> {
    for (name, value) in &request.headers {
        if value.chars().any(|c| c.is_control() && c != '\t') {
            return Err(format!("the header `{name}` holds a control character"));
        }
    }
    let mut prepared = minreq::Request::new(method(&request.method), encoded(&request.url))
        .with_headers(request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        .with_header("Connection", "close")
        .with_timeout(limit)
        .with_follow_redirects(false)
        .with_max_headers_size(LARGEST_HEAD)
        .with_max_status_line_length(LARGEST_HEAD);
    if let Some(body) = &request.body {
        prepared = prepared.with_body(body.as_slice());
    }
    Ok(prepared)
}

fn method(name: &str) -> minreq::Method {
    match name {
        "GET" => minreq::Method::Get,
        "HEAD" => minreq::Method::Head,
        "POST" => minreq::Method::Post,
        "PUT" => minreq::Method::Put,
        "PATCH" => minreq::Method::Patch,
        "DELETE" => minreq::Method::Delete,
        "OPTIONS" => minreq::Method::Options,
        other => minreq::Method::Custom(other.to_owned()),
    }
}

fn body(answer: minreq::ResponseLazy, limit: u64) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    Read::take(answer, LARGEST_BODY + 1).read_to_end(&mut body).map_err(|error| io_cause(&error, limit))?;
    if body.len() as u64 > LARGEST_BODY {
        return Err(format!("the body is longer than {} MiB", LARGEST_BODY / 1024 / 1024));
    }
    Ok(body)
}

/// minreq 2 takes the end of the connection for the end of the body, whatever the length said.
fn check_length(
    request: &Request,
    status: u16,
    headers: &BTreeMap<String, String>,
    got: usize,
) -> Result<(), String> {
    let promised = headers.get("content-length").and_then(|length| length.parse::<usize>().ok());
    match promised {
        Some(wanted) if got < wanted && request.method != "HEAD" && !matches!(status, 204 | 304) => {
            Err(format!("the connection was closed after {got} of {wanted} bytes of the body"))
        }
        _ => Ok(()),
    }
}

fn whole_seconds(timeout: Duration) -> u64 {
    timeout.as_secs() + u64::from(timeout.subsec_nanos() > 0)
}

/// Percent-encodes what no URL may hold (spaces, control characters, quotes, non-ASCII) and leaves the rest.
fn encoded(url: &str) -> String {
    let mut encoded = String::with_capacity(url.len());
    for byte in url.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn cause(error: minreq::Error, limit: u64) -> String {
    match error {
        minreq::Error::IoError(error) => io_cause(&error, limit),
        minreq::Error::InvalidUtf8InResponse | minreq::Error::StatusLineOverflow => {
            "the answer is no HTTP".to_owned()
        }
        other => other.to_string(),
    }
}

/// The operating system's words, without its numbers.
pub(super) fn io_cause(error: &std::io::Error, limit: u64) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => format!("no answer within {limit}s"),
        ErrorKind::ConnectionRefused => "connection refused: nothing listens there".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
            "the connection was closed without an answer".to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::Server;

    const LIMIT: Duration = Duration::from_secs(5);

    fn request(method: &str, url: String, body: Option<&str>) -> Request {
        Request {
            method: method.to_owned(),
            body: body.map(|text| text.as_bytes().to_vec()),
            ..Request::get(url, LIMIT)
        }
    }

    #[test]
    fn every_method_sends_its_body_and_reads_the_answer() {
        for method in ["POST", "PUT", "PATCH", "DELETE", "GET", "OPTIONS"] {
            let server =
                Server::answering(["HTTP/1.1 201 Created\r\nX-Kind: A\r\nContent-Length: 2\r\n\r\nok"]);
            let response = send(&request(method, server.url("/a b?q=\u{e4}"), Some("{}"))).unwrap();
            assert_eq!(
                (response.status, response.reason.as_str(), response.text().as_str()),
                (201, "Created", "ok")
            );
            assert_eq!(response.headers["x-kind"], "A");
            let seen = server.requests().remove(0);
            assert!(seen.starts_with(&format!("{method} /a%20b?q=%C3%A4 HTTP/1.1\r\n")), "{seen}");
            assert!(seen.contains("Content-Length: 2\r\n") && seen.ends_with("\r\n\r\n{}"), "{seen}");
        }
    }

    #[test]
    fn answers_without_a_body_are_not_waited_for() {
        for (method, answer) in [
            ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"),
            ("DELETE", "HTTP/1.1 204 No Content\r\n\r\n"),
        ] {
            let server = Server::answering([answer]);
            assert_eq!(send(&request(method, server.url("/"), None)).unwrap().body, b"");
        }
    }

    #[test]
    fn redirects_are_answers() {
        let server =
            Server::answering(["HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"]);
        let response = send(&request("GET", server.url("/"), None)).unwrap();
        assert_eq!((response.status, response.headers["location"].as_str()), (302, "/there"));
    }

    #[test]
    fn chunked_bodies_are_put_together() {
        let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let server = Server::answering([chunks]);
        assert_eq!(send(&request("GET", server.url("/"), None)).unwrap().text(), "abcde");
    }

    #[test]
    fn what_is_no_answer_has_its_cause() {
        let gone = Server::answering([]).url("/");
        assert_eq!(
            send(&request("GET", gone, None)).unwrap_err(),
            "connection refused: nothing listens there"
        );
        for (answer, wanted) in [
            ("", "the connection was closed without an answer, or the answer is no HTTP"),
            ("SSH-2.0-x\r\n\r\n", "the connection was closed without an answer, or the answer is no HTTP"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
                "the connection was closed after 2 of 9 bytes of the body",
            ),
        ] {
            let server = Server::answering([answer]);
            assert_eq!(send(&request("GET", server.url("/"), None)).unwrap_err(), wanted, "{answer:?}");
        }
    }

    #[test]
    fn a_server_that_says_nothing_is_given_up() {
        let server = Server::silent();
        let request = Request::get(server.url("/"), Duration::from_millis(200));
        assert_eq!(send(&request).unwrap_err(), "no answer within 1s");
    }

    #[test]
    fn headers_cannot_smuggle_lines() {
        let mut request = Request::get("http://127.0.0.1:1/", LIMIT);
        request.headers.push(("X-A".to_owned(), "b\r\nX-C: d".to_owned()));
        assert_eq!(send(&request).unwrap_err(), "the header `X-A` holds a control character");
    }
}
