//! Asks endpoints from the host, all at once, and says what each answered; knows no container.
//!
//! A published port is mostly held open by Docker's own proxy, which accepts connections also when nothing listens
//! in the container and closes them again. So a TCP connection counts only when it is not closed at once.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::run::http;

/// How long a TCP connection must stay open to count.
const OPEN_FOR: Duration = Duration::from_millis(50);
/// RFC 9113, section 3.4: the client's preface and an empty SETTINGS frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// The type of a SETTINGS frame, which an HTTP/2 server sends first.
const SETTINGS: u8 = 4;

/// What is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// A GET that must answer 2xx or 3xx; the path with its `/`.
    Http(String),
    /// A connection that stays open.
    Tcp,
    /// A server that speaks HTTP/2; `grpc.health.v1` itself is not asked.
    Grpc,
}

/// Something to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whose it is.
    pub service: String,
    /// As a URL writes it: a name, an IPv4 address, an IPv6 address in brackets.
    pub host: String,
    /// On the host.
    pub port: u16,
    /// What is spoken.
    pub probe: Probe,
}

impl Endpoint {
    /// `http://127.0.0.1:3000/health`, `tcp://127.0.0.1:5432`, `grpc://127.0.0.1:50051`.
    pub fn url(&self) -> String {
        let Endpoint { service: _, host, port, probe } = self;
        match probe {
            Probe::Http(path) => format!("http://{host}:{port}{path}"),
            Probe::Tcp => format!("tcp://{host}:{port}"),
            Probe::Grpc => format!("grpc://{host}:{port}"),
        }
    }
}

/// What an endpoint answered, as `health --json` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Whose it is.
    pub service: String,
    /// What was asked.
    pub url: String,
    /// For HTTP, where there was an answer.
    pub status: Option<u16>,
    /// Until the answer or the failure.
    pub ms: u64,
    /// Whether it counts as ready.
    pub healthy: bool,
    /// `200 OK`, `accepts connections`, or the cause.
    pub message: String,
}

/// Asks all endpoints at the same time; in the order given.
pub fn all(endpoints: &[Endpoint], limit: Duration) -> Vec<Answer> {
    std::thread::scope(|scope| {
        let asked: Vec<_> =
            endpoints.iter().map(|endpoint| scope.spawn(move || ask(endpoint, limit))).collect();
        asked.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

fn ask(endpoint: &Endpoint, limit: Duration) -> Answer {
    let started = Instant::now();
    let result = match &endpoint.probe {
        Probe::Http(_) => return ask_http(endpoint, limit),
        Probe::Tcp => tcp(endpoint, limit),
        Probe::Grpc => grpc(endpoint, limit),
    };
    let ms = millis(started.elapsed());
    let healthy = result.is_ok();
    let message = result.map_or_else(|cause| cause, str::to_owned);
    Answer { service: endpoint.service.clone(), url: endpoint.url(), status: None, ms, healthy, message }
}

fn ask_http(endpoint: &Endpoint, limit: Duration) -> Answer {
    let started = Instant::now();
    let (status, healthy, message) = match http::send(&http::Request::get(endpoint.url(), limit)) {
        Ok(answer) => {
            let message = format!("{} {}", answer.status, answer.reason).trim_end().to_owned();
            (Some(answer.status), (200..400).contains(&answer.status), message)
        }
        Err(cause) => (None, false, cause),
    };
    let ms = millis(started.elapsed());
    Answer { service: endpoint.service.clone(), url: endpoint.url(), status, ms, healthy, message }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn connect(endpoint: &Endpoint, limit: Duration) -> Result<TcpStream, String> {
    let cause = |error: &std::io::Error| http::io_cause(error, limit.as_secs().max(1));
    let host = endpoint.host.trim_matches(['[', ']']);
    let addresses = (host, endpoint.port).to_socket_addrs().map_err(|error| cause(&error))?;
    let mut last = format!("`{host}` has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = cause(&error),
        }
    }
    Err(last)
}

fn tcp(endpoint: &Endpoint, limit: Duration) -> Result<&'static str, String> {
    let mut stream = connect(endpoint, limit)?;
    stream.set_read_timeout(Some(OPEN_FOR)).map_err(|error| error.to_string())?;
    match stream.read(&mut [0]) {
        Ok(0) => Err("the connection is closed at once: nothing listens in the container".to_owned()),
        Ok(_) => Ok("accepts connections"),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ok("accepts connections")
        }
        Err(error) => Err(http::io_cause(&error, limit.as_secs())),
    }
}

fn grpc(endpoint: &Endpoint, limit: Duration) -> Result<&'static str, String> {
    let cause = |error: std::io::Error| http::io_cause(&error, limit.as_secs().max(1));
    let mut stream = connect(endpoint, limit)?;
    stream.set_read_timeout(Some(limit)).map_err(cause)?;
    stream.write_all(PREFACE).map_err(cause)?;
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).map_err(cause)?;
    if frame[3] == SETTINGS {
        return Ok("speaks HTTP/2; its gRPC health service is not asked");
    }
    Err("the answer is no HTTP/2".to_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::{Arc, Barrier};

    use super::*;
    use crate::run::testing::Server;

    const LIMIT: Duration = Duration::from_secs(2);

    fn endpoint(port: u16, probe: Probe) -> Endpoint {
        Endpoint { service: "s".to_owned(), host: "127.0.0.1".to_owned(), port, probe }
    }

    fn answer(server: &Server, probe: Probe) -> (bool, Option<u16>, String) {
        let answer = all(&[endpoint(server.port(), probe)], LIMIT).remove(0);
        (answer.healthy, answer.status, answer.message)
    }

    #[test]
    fn http_is_ready_with_two_and_three_hundreds_only() {
        let health = || Probe::Http("/health".to_owned());
        for (head, healthy) in
            [("200 OK", true), ("302 Found", true), ("404 Not Found", false), ("503 x", false)]
        {
            let server =
                Server::answering([format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n").as_str()]);
            let status = head[..3].parse().ok();
            assert_eq!(answer(&server, health()), (healthy, status, head.to_owned()));
        }
        let gone = Server::answering([]);
        let refused = "connection refused: nothing listens there".to_owned();
        assert_eq!(answer(&gone, health()), (false, None, refused));
    }

    #[test]
    fn tcp_is_ready_when_the_connection_stays_open() {
        assert_eq!(answer(&Server::silent(), Probe::Tcp), (true, None, "accepts connections".to_owned()));
        assert!(!answer(&Server::closing(), Probe::Tcp).0);
        assert!(answer(&Server::answering([]), Probe::Tcp).2.starts_with("connection refused"));
    }

    #[test]
    fn grpc_is_ready_when_the_server_speaks_http2() {
        let spoken = |bytes: &'static [u8]| answer(&Server::greeting(bytes), Probe::Grpc);
        assert!(spoken(b"\0\0\0\x04\0\0\0\0\0").0);
        assert_eq!(
            spoken(b"HTTP/1.1 400 Bad Request\r\n"),
            (false, None, "the answer is no HTTP/2".to_owned())
        );
    }

    #[test]
    fn fifty_endpoints_are_asked_at_the_same_time() {
        // Nobody is answered before all are asked: one after the other, the first would get no answer in time.
        let all_asked = Arc::new(Barrier::new(50));
        let serve = |listener: TcpListener, all_asked: Arc<Barrier>| {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            all_asked.wait();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        };
        let endpoints = (0..50).map(|_| {
            let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            let all_asked = Arc::clone(&all_asked);
            std::thread::spawn(move || serve(listener, all_asked));
            endpoint(port, Probe::Http("/".to_owned()))
        });
        let endpoints: Vec<Endpoint> = endpoints.collect();
        let answers = all(&endpoints, Duration::from_secs(30));
        assert_eq!(answers.iter().filter(|answer| answer.healthy).count(), 50, "{answers:?}");
    }
}
