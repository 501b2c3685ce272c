//! A tiny server for tests: answers each connection with the next of the given texts, remembers what it was sent.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A server on a free port of this machine; ends with its last answer, or with the test.
#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    _listener: Option<TcpListener>,
}

impl Server {
    /// Gives these answers, one a connection, byte for byte, then closes the port.
    pub(crate) fn answering<'a>(answers: impl IntoIterator<Item = &'a str>) -> Server {
        let answers: Vec<String> = answers.into_iter().map(str::to_owned).collect();
        Server::serving(answers.len(), move |stream, index, seen| {
            // Remembered before it is answered: the test looks as soon as it has the answer.
            seen.lock().unwrap().push(read_request(stream));
            let _ = stream.write_all(answers[index].as_bytes());
        })
    }

    /// Says these bytes to one connection, whatever it sends, and keeps it open until the other side closes.
    pub(crate) fn greeting(bytes: &'static [u8]) -> Server {
        Server::serving(1, move |stream, _, _| {
            let _ = stream.write_all(bytes);
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = stream.read_to_end(&mut Vec::new());
        })
    }

    /// Closes one connection at once, as Docker's proxy does when nothing listens behind it.
    pub(crate) fn closing() -> Server {
        Server::serving(1, |stream, _, _| {
            let _ = stream.shutdown(Shutdown::Both);
        })
    }

    /// Accepts (the kernel does) and never says anything.
    pub(crate) fn silent() -> Server {
        let (listener, port) = listener();
        Server { port, seen: Arc::default(), _listener: Some(listener) }
    }

    fn serving(
        count: usize,
        mut serve: impl FnMut(&mut TcpStream, usize, &Mutex<Vec<String>>) + Send + 'static,
    ) -> Server {
        let (listener, port) = listener();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        if count > 0 {
            std::thread::spawn(move || {
                for index in 0..count {
                    let Ok((mut stream, _)) = listener.accept() else { return };
                    serve(&mut stream, index, &sink);
                }
            });
        }
        Server { port, seen, _listener: None }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What was sent so far, whole.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Head and, by its `Content-Length`, body.
fn read_request(stream: &mut TcpStream) -> String {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut buffer) {
            Ok(read @ 1..) => bytes.extend_from_slice(&buffer[..read]),
            _ => return text,
        }
    }
}
