//! A mirror on loopback that can misbehave.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How to answer requests for a path, apart from sending the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Sends no more than so many bytes of each answer.
    CutAfter(usize),
    /// Sends no more than so many bytes of the first answer.
    CutOnceAfter(usize),
    /// Sends everything whatever part was asked for.
    IgnoreRanges,
    /// Says that so many bytes will come, whatever comes.
    Announce(usize),
    /// Answers 503 to the first request.
    BusyOnce,
}

/// A request that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// The first byte asked for, if a range was asked for.
    pub(crate) from: Option<usize>,
}

/// A running mirror. Stops when dropped.
pub(crate) struct Server {
    url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

struct State {
    files: BTreeMap<String, Vec<u8>>,
    faults: BTreeMap<String, Vec<Fault>>,
    requests: Vec<Request>,
}

impl Server {
    /// Serves `files` below `root`, such as `/debian`.
    pub(crate) async fn start(root: &str, files: BTreeMap<String, Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{root}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            files,
            faults: BTreeMap::new(),
            requests: vec![],
        }));
        let (shared, root) = (Arc::clone(&state), format!("{root}/"));
        let task = tokio::spawn(async move {
            while let Ok((stream, _peer)) = listener.accept().await {
                let (shared, root) = (Arc::clone(&shared), root.clone());
                tokio::spawn(async move { drop(serve(stream, &root, &shared).await) });
            }
        });
        Self { url, state, task }
    }

    /// Closes the mirror's door.
    pub(crate) async fn stop(mut self) {
        self.task.abort();
        assert!((&mut self.task).await.unwrap_err().is_cancelled());
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn fault(&self, path: &str, fault: Fault) {
        self.state
            .lock()
            .unwrap()
            .faults
            .entry(path.to_owned())
            .or_default()
            .push(fault);
    }

    pub(crate) fn behave(&self) {
        self.state.lock().unwrap().faults.clear();
    }

    pub(crate) fn replace(&self, path: &str, content: Vec<u8>) {
        self.state
            .lock()
            .unwrap()
            .files
            .insert(path.to_owned(), content);
    }

    pub(crate) fn content(&self, path: &str) -> Vec<u8> {
        self.state.lock().unwrap().files[path].clone()
    }

    pub(crate) fn remove(&self, path: &str) {
        self.state
            .lock()
            .unwrap()
            .files
            .remove(path)
            .expect("the file is served");
    }

    /// The requests for `path` so far.
    pub(crate) fn requests(&self, path: &str) -> Vec<Request> {
        let all = self.state.lock().unwrap().requests.clone();
        all.into_iter()
            .filter(|request| request.path == path)
            .collect()
    }

    /// The number of requests so far.
    pub(crate) fn request_count(&self) -> usize {
        self.state.lock().unwrap().requests.len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, root: &str, state: &Mutex<State>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let request = read_request(&mut stream, root).await?;
    let (head, body) = answer(&request, &mut state.lock().unwrap());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}

async fn read_request(stream: &mut BufReader<TcpStream>, root: &str) -> io::Result<Request> {
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    let path = first
        .split(' ')
        .nth(1)
        .and_then(|path| path.strip_prefix(root))
        .unwrap_or("?");
    let mut request = Request {
        path: path.to_owned(),
        from: None,
    };
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            return Ok(request);
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            request.from = range.trim_end_matches('-').parse().ok();
        }
    }
}

/// The head of the answer, and as much of its body as is really sent.
fn answer(request: &Request, state: &mut State) -> (String, Vec<u8>) {
    state.requests.push(request.clone());
    let Some(file) = state.files.get(&request.path) else {
        return head("404 Not Found", "", 0, vec![]);
    };
    let faults = state.faults.entry(request.path.clone()).or_default();
    if take(faults, |fault| *fault == Fault::BusyOnce).is_some() {
        return head("503 Service Unavailable", "", 0, vec![]);
    }
    let from = request
        .from
        .filter(|_from| !faults.contains(&Fault::IgnoreRanges));
    if from.is_some_and(|from| from >= file.len()) {
        return head("416 Range Not Satisfiable", "", 0, vec![]);
    }
    let body = &file[from.unwrap_or(0)..];
    let announced = faults.iter().find_map(|fault| match fault {
        Fault::Announce(bytes) => Some(*bytes),
        _ => None,
    });
    let once = take(faults, |fault| matches!(fault, Fault::CutOnceAfter(_)));
    let cut = once.as_ref().or_else(|| {
        faults
            .iter()
            .find(|fault| matches!(fault, Fault::CutAfter(_)))
    });
    let sent = match cut {
        Some(Fault::CutAfter(bytes) | Fault::CutOnceAfter(bytes)) => {
            body[..(*bytes).min(body.len())].to_vec()
        }
        _ => body.to_vec(),
    };
    match from {
        Some(from) => {
            let range = format!(
                "Content-Range: bytes {from}-{}/{}\r\n",
                file.len() - 1,
                file.len()
            );
            head("206 Partial Content", &range, body.len(), sent)
        }
        None => head("200 OK", "", announced.unwrap_or(body.len()), sent),
    }
}

fn take(faults: &mut Vec<Fault>, condition: impl Fn(&Fault) -> bool) -> Option<Fault> {
    let at = faults.iter().position(condition)?;
    Some(faults.remove(at))
}

fn head(status: &str, extra: &str, length: usize, body: Vec<u8>) -> (String, Vec<u8>) {
    (
        format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{extra}Connection: close\r\n\r\n"
        ),
        body,
    )
}
