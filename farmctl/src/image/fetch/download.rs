//! One download: ask, append, ask for the rest when the connection is cut, check.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_RANGE, HeaderMap, RANGE};
use reqwest::{Client, Response, StatusCode, Url};

use super::error::root_cause;
use super::pace::Pace;
use super::partial::Partial;
use super::{Cache, FetchError, Length, RemoteFile, file};
use crate::image::blocking::blocking;
use crate::image::progress::Span;

/// Attempts in a row that bring no new byte before giving up.
const FRUITLESS_ATTEMPTS: u32 = 4;
/// Doubles with every fruitless attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Downloads `file` into the cache and returns its path there.
pub(super) async fn into_cache(
    client: &Client,
    cache: &Cache,
    file: &RemoteFile,
    span: &Span,
) -> Result<PathBuf, FetchError> {
    let mut partial = open_partial(cache, file).await?;
    if let Some(path) = cache.find(&file.sha256, file.length) {
        return Ok(path);
    }
    if let Ok(path) = file.url.to_file_path() {
        partial = copy_local(path, file, span, partial).await?;
    } else {
        fetch(client, file, span, &mut partial).await?;
    }
    if partial.digest() == file.sha256 {
        return Ok(cache.adopt(partial)?);
    }
    let actual = partial.digest();
    partial.restart()?;
    Err(FetchError::WrongChecksum {
        url: file.url.to_string(),
        expected: file.sha256,
        actual,
    })
}

async fn copy_local(
    path: PathBuf,
    file: &RemoteFile,
    span: &Span,
    mut partial: Partial,
) -> Result<Partial, FetchError> {
    let (file, span) = (file.clone(), span.share());
    blocking(move || {
        file::copy(&path, &file, &span, &mut partial)?;
        Ok(partial)
    })
    .await
}

async fn fetch(
    client: &Client,
    file: &RemoteFile,
    span: &Span,
    partial: &mut Partial,
) -> Result<(), FetchError> {
    let resumed = partial.bytes() > 0;
    span.advance(partial.bytes());
    complete(client, file, span, partial).await?;
    if resumed && partial.digest() != file.sha256 {
        // What an earlier run left behind may be wrong; what comes in one piece is the mirror's own word.
        partial.restart()?;
        complete(client, file, span, partial).await?;
    }
    Ok(())
}

/// Downloads a text of at most `max_bytes`.
pub(super) async fn text(
    client: &Client,
    url: &Url,
    max_bytes: usize,
) -> Result<String, FetchError> {
    let mut attempts = Attempts::default();
    loop {
        match text_once(client, url, max_bytes).await {
            Err(error) if error.is_transient() && attempts.again(0).await => {}
            outcome => return outcome,
        }
    }
}

async fn text_once(client: &Client, url: &Url, max_bytes: usize) -> Result<String, FetchError> {
    let request = client.get(url.clone());
    let mut response = accepted(request.send().await, url)?;
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|source| cut(url, body.len() as u64, &source))?
    {
        body.extend_from_slice(&chunk);
        if body.len() > max_bytes {
            return Err(FetchError::TooLarge {
                url: url.to_string(),
                max_bytes: max_bytes as u64,
            });
        }
    }
    String::from_utf8(body).map_err(|_not_utf8| FetchError::NoText {
        url: url.to_string(),
    })
}

/// Opening may wait for another process, so it must not hold up other downloads.
async fn open_partial(cache: &Cache, file: &RemoteFile) -> Result<Partial, FetchError> {
    let cache = cache.clone();
    let sha256 = file.sha256;
    Ok(blocking(move || cache.partial(&sha256)).await?)
}

/// Asks for what is missing until everything is there.
async fn complete(
    client: &Client,
    file: &RemoteFile,
    span: &Span,
    partial: &mut Partial,
) -> Result<(), FetchError> {
    if partial.bytes() > file.length.max() {
        partial.restart()?;
    }
    let mut attempts = Attempts::default();
    loop {
        let before = partial.bytes();
        match ask_for_the_rest(client, file, span, partial).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_transient() => {
                let reason = error.to_string();
                let new_bytes = match error {
                    // What trickled in would let it go on for ever.
                    FetchError::TooSlow { .. } => 0,
                    _ => partial.bytes().saturating_sub(before),
                };
                if !attempts.again(new_bytes).await {
                    return Err(error);
                }
                span.retry(reason);
            }
            Err(error) => return Err(error),
        }
    }
}

async fn ask_for_the_rest(
    client: &Client,
    file: &RemoteFile,
    span: &Span,
    partial: &mut Partial,
) -> Result<(), FetchError> {
    let is_complete = match file.length {
        Length::Exactly(bytes) => partial.bytes() == bytes,
        Length::AtMost(_) => partial.bytes() > 0 && partial.digest() == file.sha256,
    };
    if is_complete {
        return Ok(());
    }
    let mut request = client.get(file.url.clone());
    if partial.bytes() > 0 {
        request = request.header(RANGE, format!("bytes={}-", partial.bytes()));
    }
    let sent = request.send().await;
    let from = partial.bytes();
    if let Ok(response) = &sent
        && response.status() == StatusCode::RANGE_NOT_SATISFIABLE
        && from > 0
    {
        partial.restart()?;
        return Err(other_part(&file.url, from));
    }
    let response = accepted(sent, &file.url)?;
    // A mirror may ignore the wish and send everything (RFC 9110, 14.2).
    if response.status() != StatusCode::PARTIAL_CONTENT {
        partial.restart()?;
    } else if range_start(response.headers()) != Some(partial.bytes()) {
        partial.restart()?;
        return Err(other_part(&file.url, from));
    }
    append_body(response, file, span, partial).await
}

fn other_part(url: &Url, received_bytes: u64) -> FetchError {
    FetchError::Cut {
        url: url.to_string(),
        received_bytes,
        reason: "the mirror sent another part than the one asked for".to_owned(),
    }
}

async fn append_body(
    mut response: Response,
    file: &RemoteFile,
    span: &Span,
    partial: &mut Partial,
) -> Result<(), FetchError> {
    let max_bytes = file.length.max();
    let too_large = || FetchError::TooLarge {
        url: file.url.to_string(),
        max_bytes,
    };
    let announced = response.content_length().map(|rest| partial.bytes() + rest);
    let total = file.length.known().or(announced);
    if total.is_some_and(|total| total > max_bytes) {
        return Err(too_large());
    }
    let mut pace = Pace::new(Instant::now());
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|source| cut(&file.url, partial.bytes(), &source))?
    {
        if partial.bytes() + chunk.len() as u64 > max_bytes {
            return Err(too_large());
        }
        partial.append(&chunk)?;
        span.advance(chunk.len() as u64);
        if !pace.keeps_up(chunk.len(), Instant::now()) {
            return Err(FetchError::TooSlow {
                url: file.url.to_string(),
                received_bytes: partial.bytes(),
            });
        }
    }
    if total.is_some_and(|total| partial.bytes() < total) {
        return Err(FetchError::Cut {
            url: file.url.to_string(),
            received_bytes: partial.bytes(),
            reason: "the connection ended early".to_owned(),
        });
    }
    Ok(())
}

fn accepted(outcome: Result<Response, reqwest::Error>, url: &Url) -> Result<Response, FetchError> {
    let response = outcome.map_err(|source| FetchError::Unreachable {
        url: url.to_string(),
        reason: root_cause(&source),
    })?;
    match response.status() {
        status if status.is_success() => Ok(response),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(FetchError::NotFound {
            url: url.to_string(),
        }),
        status => Err(FetchError::Status {
            url: url.to_string(),
            status: status.as_u16(),
        }),
    }
}

fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = headers
        .get(CONTENT_RANGE)?
        .to_str()
        .ok()?
        .strip_prefix("bytes ")?;
    range.split('-').next()?.parse().ok()
}

fn cut(url: &Url, received_bytes: u64, source: &reqwest::Error) -> FetchError {
    FetchError::Cut {
        url: url.to_string(),
        received_bytes,
        reason: root_cause(source),
    }
}

/// Counts attempts that brought nothing.
#[derive(Default)]
struct Attempts {
    fruitless: u32,
}

impl Attempts {
    /// Pauses and says whether to try again, given what the last attempt brought.
    async fn again(&mut self, new_bytes: u64) -> bool {
        if new_bytes > 0 {
            self.fruitless = 0;
        }
        self.fruitless += 1;
        if self.fruitless >= FRUITLESS_ATTEMPTS {
            return false;
        }
        tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(self.fruitless - 1)).await;
        true
    }
}
